/* SPDX-License-Identifier: BSD-3-Clause */
/* Do blocks, extents and entries tell the same story? */
#include "file/file.h"

static const char *verify_extent(const struct dax_file *file, size_t i)
{
	const struct extent *extent = &file->extents.list[i];
	const struct extent *next = extent + 1;

	if (!extent->nr || extent->type == DAX_IOMAP_HOLE)
		return "an extent has nothing in it";
	if (extent->block + extent->nr > file->fs->nr_blocks)
		return "an extent is past the end of the device";
	if (i + 1 == file->extents.nr)
		return NULL;
	if (next->lblk < extent->lblk + extent->nr)
		return "two extents overlap, or are out of order";
	if (next->lblk == extent->lblk + extent->nr &&
		next->block == extent->block + extent->nr &&
		next->type == extent->type)
		return "two extents should be one";
	return NULL;
}

/* Takes one share from each block of @file's extents in @left. */
static const char *count_extents(const struct dax_file *file, uint16_t *left)
{
	const char *wrong = NULL;

	for (size_t i = 0; i < file->extents.nr && !wrong; i++) {
		const struct extent *extent = &file->extents.list[i];

		wrong = verify_extent(file, i);
		for (uint64_t b = 0; b < extent->nr && !wrong; b++) {
			uint16_t *here = &left[extent->block + b];

			if (!*here || *here > BLOCK_SHARES_MAX)
				wrong = "an extent has a block that is not its";
			else
				--*here;
		}
	}
	return wrong;
}

/* Takes what is kept for @file from @left. */
static const char *count_kept(const struct dax_file *file, uint16_t *left)
{
	for (const struct kept *k = file->kept; k; k = k->next)
		for (uint64_t b = 0; b < k->run.nr; b++) {
			const uint64_t block = k->run.block + b;

			if (file->fs->blocks[block] != BLOCK_KEPT)
				continue;
			if (left[block] != BLOCK_KEPT)
				return "a block is kept twice";
			left[block] = BLOCK_FREE;
		}
	return NULL;
}

static const char *verify_storage(
	const struct dax_file *file, dax_pgoff_t index, dax_entry_t entry)
{
	const dax_pgoff_t first = dax_entry_start(entry, index);
	const uint64_t nr = (uint64_t)1 << dax_entry_order(entry);
	const struct extent extent = extents_at(&file->extents, first);

	if (dax_is_zero_entry(entry) || dax_is_empty_entry(entry))
		return NULL;
	if (extent.type != DAX_IOMAP_MAPPED || extent.nr < nr)
		return "an entry has storage where no block is";
	if (dax_to_pfn(entry) != DAX_PFN_BASE + extent.block)
		return "an entry names another block than the extents";
	return NULL;
}

static const char *verify_entries(const struct dax_file *file)
{
	const char *wrong = dax_mapping_verify(file->space->mapping);
	const uint64_t pages = space_pages(file->space);
	struct dax_xas xas;
	uint64_t word;

	dax_xas_init(
		&xas, dax_mapping_tree(file->space->mapping), 0, UINT64_MAX);
	while (!wrong && (word = dax_xas_next(&xas))) {
		const dax_entry_t entry = dax_entry_from_word(word);

		wrong = verify_storage(file, xas.index, entry);
		if (!wrong && dax_entry_start(entry, xas.index) >= pages)
			wrong = "an entry is past the end of the file";
	}
	return wrong;
}

static const char *verify_blocks(const struct dax_fs *fs, const uint16_t *left)
{
	uint64_t nr_free = 0;
	uint64_t nr_shared = 0;

	for (uint64_t i = 0; i < fs->nr_blocks; i++) {
		nr_shared +=
			fs->blocks[i] > 1 && fs->blocks[i] <= BLOCK_SHARES_MAX;
		nr_free += fs->blocks[i] == BLOCK_FREE ||
			   fs->blocks[i] == BLOCK_KEPT;
		if (left[i] == BLOCK_KEPT)
			return "a block is kept for nobody";
		if (left[i] && left[i] <= BLOCK_SHARES_MAX)
			return "a block is in use, and in no extent";
	}
	if (nr_shared != fs->nr_shared)
		return "the count of shared blocks is wrong";
	return nr_free == fs->nr_free ? NULL
				      : "the count of free blocks is wrong";
}

static const char *verify_with(struct dax_fs *fs, uint16_t *left)
{
	const char *wrong = NULL;

	for (uint64_t i = 0; i < fs->nr_blocks; i++)
		left[i] = fs->blocks[i];
	for (struct dax_file *f = fs->files; f && !wrong; f = f->next) {
		wrong = count_extents(f, left);
		if (!wrong)
			wrong = count_kept(f, left);
		if (!wrong)
			wrong = verify_entries(f);
	}
	return wrong ? wrong : verify_blocks(fs, left);
}

const char *dax_fs_verify(struct dax_fs *fs)
{
	const char *wrong;
	uint16_t *left;

	DAX_REQUIRE(fs);
	left = sync_alloc(fs->nr_blocks * sizeof(*left), sizeof(uint16_t));
	if (!left)
		return "no memory to check with";
	wrong = verify_with(fs, left);
	sync_free(left);
	return wrong;
}

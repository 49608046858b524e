/* SPDX-License-Identifier: BSD-3-Clause */
/* The iomap operations: from pages to blocks. */
#include "file/file.h"

/* Gives @part, the start of what was looked up, blocks that can be written. */
static int make_writable(struct dax_file *file, enum filling filling,
	struct extent *part, struct dax_iomap *iomap)
{
	struct wish wish;
	bool shared;

	switch (part->type) {
	case DAX_IOMAP_HOLE:
		wish = file_make_wish(
			file, extents_at(&file->extents, part->lblk), part->nr);
		wish.may_grow = true;
		iomap->flags = DAX_IOMAP_NEW;
		return file_make_blocks(file, wish, DAX_IOMAP_MAPPED, part);
	case DAX_IOMAP_UNWRITTEN:
		iomap->flags = DAX_IOMAP_NEW;
		part->type = DAX_IOMAP_MAPPED;
		return file_make_written(file, *part);
	default:
		part->nr = file_shared_run(file, *part, &shared);
		if (!shared)
			return 0;
		iomap->flags = DAX_IOMAP_SHARED;
		iomap->source_pfn = block_pfn(part->block);
		return file_make_unshared(file, filling, part);
	}
}

static int map_locked(struct dax_file *file, enum dax_iomap_use use,
	enum filling filling, struct dax_iomap *iomap)
{
	const uint64_t nr = iomap->len >> DAX_PAGE_SHIFT;
	struct extent part =
		extents_at(&file->extents, iomap->pos >> DAX_PAGE_SHIFT);
	int error = 0;

	if (part.nr > nr)
		part.nr = nr;
	iomap->flags = 0;
	iomap->source_pfn = 0;
	if (use == DAX_IOMAP_WRITE)
		error = make_writable(file, filling, &part, iomap);
	iomap->len = part.nr << DAX_PAGE_SHIFT;
	iomap->type = part.type;
	iomap->pfn = part.type == DAX_IOMAP_HOLE ? 0 : block_pfn(part.block);
	return error;
}

/*
 * Do pages count by themselves, as others have the blocks of some? Or had them,
 * and pinned them, and somebody has not let go yet. What is idle stays so until
 * our caller claims it: only this file's entries can, and theirs is locked.
 */
static bool is_reflinked(struct dax_file *file, const struct dax_iomap *iomap)
{
	const struct run run = {
		iomap->pfn - DAX_PFN_BASE, iomap->len >> DAX_PAGE_SHIFT};

	if (!file->reflink || iomap->type != DAX_IOMAP_MAPPED)
		return false;
	return blocks_any_shared(file->fs, run) ||
	       !blocks_are_idle(file->fs, run);
}

int file_iomap_begin(struct dax_file *file, enum dax_iomap_use use,
	enum filling filling, struct dax_iomap *iomap)
{
	const uint64_t end = iomap->pos + iomap->len;
	int error;

	DAX_REQUIRE(iomap->len && !((iomap->pos | iomap->len) % DAX_PAGE_SIZE));
	sync_lock_acquire(&file->extent_lock);
	error = map_locked(file, use, filling, iomap);
	sync_lock_release(&file->extent_lock);
	if (error)
		return error;
	if (is_reflinked(file, iomap))
		iomap->flags |= DAX_IOMAP_REFLINK;
	/* What is past the end is found only once the size is durable. In this
	 * order: a size that was set after it was looked at makes no
	 * difference, and one that was set before leaves the file dirty. */
	if (end > dax_file_size(file) || journal_is_dirty(file))
		iomap->flags |= DAX_IOMAP_DIRTY;
	return 0;
}

static int iomap_begin(
	void *owner, enum dax_iomap_use use, struct dax_iomap *iomap)
{
	return file_iomap_begin(owner, use, FILL_COPY, iomap);
}

/* Not sooner: entries and page tables showed the old blocks until now, and the
 * file that shares them takes them for its own once we have given them back. */
static void iomap_end(void *owner, const struct dax_iomap *iomap)
{
	if (iomap->source_pfn)
		blocks_free(
			owner, (struct run){iomap->source_pfn - DAX_PFN_BASE,
				       iomap->len >> DAX_PAGE_SHIFT});
}

static uint64_t size(void *owner)
{
	return dax_file_size(owner);
}

static int direct_access(void *owner, uint64_t pfn, uint64_t nr, void **address)
{
	return file_direct_access(owner, pfn, nr, address);
}

static int flush(void *owner, uint64_t pfn, uint64_t nr)
{
	return file_flush(owner, pfn, nr);
}

static int commit(void *owner)
{
	struct dax_file *file = owner;

	if (journal_is_dirty(file))
		journal_commit(file->fs);
	return 0;
}

static bool make_room(void *owner)
{
	struct dax_file *file = owner;

	return journal_make_room(file->fs);
}

const struct dax_space_ops file_space_ops = {
	.size = size,
	.iomap_begin = iomap_begin,
	.iomap_end = iomap_end,
	.direct_access = direct_access,
	.flush = flush,
	.sync = commit,
	.make_room = make_room,
};

/* SPDX-License-Identifier: BSD-3-Clause */
/* Making file systems and files, and what is asked about them. */
#include <errno.h>

#include "file/file.h"

/*
 * What a block group begins with is not for files; and as it is no whole PMD,
 * the first gap does not begin where an aligned one does.
 */
#define SYSTEM_BLOCKS (PMD_PAGES / 4 + 1)

/* ---- the file system ---- */

static void format(struct dax_fs *fs)
{
	fs->nr_free = fs->nr_blocks - SYSTEM_BLOCKS;
	for (uint64_t i = 0; i < SYSTEM_BLOCKS; i++)
		fs->blocks[i] = BLOCK_SYSTEM;
	fs->running = 1;
}

static void free_tables(struct dax_fs *fs)
{
	dax_pgmap_delete(&fs->pgmap);
	pmem_poison_destroy(&fs->poison);
	sync_free(fs->blocks);
}

/* What there is of each block. */
static int make_tables(struct dax_fs *fs)
{
	const struct dax_pgmap_params params = {
		.first = DAX_PFN_BASE,
		.nr = fs->nr_blocks,
		.waitqs = fs->waitqs,
	};
	int error;

	fs->blocks = sync_alloc(
		fs->nr_blocks * sizeof(*fs->blocks), sizeof(uint16_t));
	error = fs->blocks ? pmem_poison_init(&fs->poison, fs->map) : -ENOMEM;
	if (!error)
		error = dax_pgmap_new(&params, &fs->pgmap);
	if (error)
		free_tables(fs);
	return error;
}

int dax_fs_new(const struct dax_fs_params *params, struct dax_fs **out)
{
	const uint64_t nr = dax_pmem_map_len(params->map) >> DAX_PAGE_SHIFT;
	const struct dax_profile *profile = params->profile;
	struct dax_fs *fs;
	int error;

	DAX_REQUIRE(out && !dax_pmem_map_offset(params->map));
	*out = NULL;
	if (nr < 4 * PMD_PAGES)
		return -ENOSPC;
	fs = sync_alloc(sizeof(*fs), _Alignof(struct dax_fs));
	if (!fs)
		return -ENOMEM;
	fs->map = params->map;
	fs->profile = profile ? profile : dax_profile_find(NULL);
	fs->trace = params->trace;
	fs->waitqs = params->waitqs;
	fs->stats = params->stats;
	fs->nr_blocks = nr;
	error = make_tables(fs);
	if (error) {
		sync_free(fs);
		return error;
	}
	sync_lock_init(&fs->lock, RANK_LEAF);
	format(fs);
	*out = fs;
	return 0;
}

void dax_fs_delete(struct dax_fs **fs)
{
	DAX_REQUIRE(fs);
	if (!*fs)
		return;
	DAX_REQUIRE(!(*fs)->files);
	free_tables(*fs);
	sync_free(*fs);
	*fs = NULL;
}

struct dax_pgmap *dax_fs_pgmap(struct dax_fs *fs)
{
	DAX_REQUIRE(fs);
	return fs->pgmap;
}

uint64_t dax_fs_free_blocks(struct dax_fs *fs)
{
	uint64_t nr;

	DAX_REQUIRE(fs);
	sync_lock_acquire(&fs->lock);
	nr = fs->nr_free;
	sync_lock_release(&fs->lock);
	return nr;
}

void dax_fs_set_flush_error(struct dax_fs *fs, int error)
{
	DAX_REQUIRE(fs && error <= 0);
	sync_store(&fs->flush_error, (uint64_t)-error, memory_order_relaxed);
}

/* ---- files ---- */

static void join(struct dax_fs *fs, struct dax_file *file)
{
	sync_lock_acquire(&fs->lock);
	file->next = fs->files;
	file->link = &fs->files;
	if (file->next)
		file->next->link = &file->next;
	fs->files = file;
	sync_lock_release(&fs->lock);
}

static void leave(struct dax_fs *fs, struct dax_file *file)
{
	sync_lock_acquire(&fs->lock);
	*file->link = file->next;
	if (file->next)
		file->next->link = file->link;
	sync_lock_release(&fs->lock);
}

static uint64_t next_ino(struct dax_fs *fs)
{
	uint64_t ino;

	sync_lock_acquire(&fs->lock);
	ino = ++fs->last_ino;
	sync_lock_release(&fs->lock);
	return ino;
}

int dax_file_new(struct dax_fs *fs, struct dax_file **out)
{
	struct dax_space_params params = {
		.ops = &file_space_ops,
		.profile = fs->profile,
		.trace = fs->trace,
		.waitqs = fs->waitqs,
		.stats = fs->stats,
		.pgmap = fs->pgmap,
	};
	struct dax_file *file;
	int error;

	DAX_REQUIRE(out);
	*out = NULL;
	file = sync_alloc(sizeof(*file), _Alignof(struct dax_file));
	if (!file)
		return -ENOMEM;
	params.owner = file;
	params.ino = next_ino(fs);
	error = dax_space_new(&params, &file->space);
	if (error) {
		sync_free(file);
		return error;
	}
	file->fs = fs;
	rwsem_init(&file->inode, RANK_INODE);
	sync_lock_init(&file->extent_lock, RANK_EXTENT);
	join(fs, file);
	*out = file;
	return 0;
}

static void free_everything(struct dax_file *file)
{
	for (size_t i = 0; i < file->extents.nr; i++) {
		const struct extent *extent = &file->extents.list[i];

		blocks_free(file, (struct run){extent->block, extent->nr});
	}
	sync_free(file->extents.list);
}

void dax_file_delete(struct dax_file **file)
{
	DAX_REQUIRE(file);
	if (!*file)
		return;
	/* Others take what is kept from the files that they find. */
	blocks_unkeep((*file)->fs, *file);
	leave((*file)->fs, *file);
	dax_space_delete(&(*file)->space);
	free_everything(*file);
	sync_free(*file);
	*file = NULL;
}

struct dax_space *dax_file_space(struct dax_file *file)
{
	DAX_REQUIRE(file);
	return file->space;
}

uint64_t dax_file_size(const struct dax_file *file)
{
	DAX_REQUIRE(file);
	/* Relaxed: see the field. */
	return sync_load(&file->size, memory_order_relaxed);
}

void dax_file_extent(
	struct dax_file *file, dax_pgoff_t index, struct dax_extent *extent)
{
	struct extent found;

	DAX_REQUIRE(file && extent);
	sync_lock_acquire(&file->extent_lock);
	found = extents_at(&file->extents, index);
	sync_lock_release(&file->extent_lock);
	*extent = (struct dax_extent){
		.index = index,
		.nr = found.nr,
		.type = found.type,
	};
	if (found.type == DAX_IOMAP_HOLE)
		return;
	extent->pfn = DAX_PFN_BASE + found.block;
	extent->shares = blocks_shares(file->fs, found.block);
}

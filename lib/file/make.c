/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Giving pages blocks that can be written: of a hole, of an unwritten extent,
 * of one that is shared. All under the extent lock, with the blocks zeroed or
 * filled before it is given back: nobody finds a block in the map that holds
 * somebody else's bytes.
 */
#include <errno.h>

#include "file/file.h"

/*
 * A part of an unwritten extent that is no longer than this is zeroed with
 * what is written beside it: cheaper than another extent.
 * Models: ext4's extent_max_zeroout_kb, 32 by default.
 */
#define ZEROOUT_PAGES 8

static uint64_t end_of(struct extent extent)
{
	return extent.lblk + extent.nr;
}

static uint64_t file_pages(const struct dax_file *file)
{
	const uint64_t size = dax_file_size(file);

	return (size >> DAX_PAGE_SHIFT) + (size % DAX_PAGE_SIZE != 0);
}

/* Durable: no entry says so of what is zeroed beside the page wanted, nor of a
 * MAP_SYNC page, and after a crash another file's old bytes would be there. */
static int zero_blocks(struct dax_file *file, struct run run)
{
	void *address;
	int error = file_repair(file, run);

	if (!error)
		error = file_direct_access(
			file, block_pfn(run.block), run.nr, &address);
	if (error)
		return error;
	space_bytes_zero(address, run.nr << DAX_PAGE_SHIFT);
	return file_flush(file, block_pfn(run.block), run.nr);
}

/* ---- making blocks ---- */

struct wish file_make_wish(
	struct dax_file *file, struct extent hole, uint64_t nr)
{
	const struct extents *extents = &file->extents;
	const size_t next = extents_before(extents, hole.lblk);
	struct wish wish = {
		.file = file,
		.lblk = hole.lblk,
		.nr = nr,
		.hole_end = end_of(hole),
		.before = NO_BLOCK,
		.after = NO_BLOCK,
		.size = dax_file_size(file),
	};

	if (next) {
		const struct extent *left = &extents->list[next - 1];

		wish.hole_first = end_of(*left);
		wish.before = left->block + left->nr - 1;
	}
	if (next < extents->nr)
		wish.after = extents->list[next].block;
	return wish;
}

/* Fills the start of @hole. *@made is what it got. */
int file_make_blocks(struct dax_file *file, struct wish wish,
	enum dax_iomap_type type, struct extent *made)
{
	struct run run;
	int error = extents_reserve(&file->extents, 1);

	if (!error)
		error = blocks_allocate(file->fs, &wish, &run);
	if (error)
		return error;
	*made = (struct extent){wish.lblk, run.nr, run.block, type};
	if (type == DAX_IOMAP_MAPPED)
		error = zero_blocks(file, run);
	if (error) {
		blocks_free(file, run);
		return error;
	}
	extents_insert(&file->extents, *made);
	journal_add(file);
	return 0;
}

/* ---- making blocks written ---- */

static bool abut(const struct extent *left, const struct extent *right)
{
	return end_of(*left) == right->lblk &&
	       left->block + left->nr == right->block;
}

/* Can @part, at one end of the unwritten extent @whole, join a written one? */
static bool joins_neighbour(
	const struct dax_file *file, struct extent whole, struct extent part)
{
	const struct extent *list = file->extents.list;
	const size_t next = extents_before(&file->extents, whole.lblk);

	if (part.nr == whole.nr)
		return false;
	if (part.lblk == whole.lblk && next > 1 &&
		list[next - 2].type == DAX_IOMAP_MAPPED &&
		abut(&list[next - 2], &whole))
		return true;
	return end_of(part) == end_of(whole) && next < file->extents.nr &&
	       list[next].type == DAX_IOMAP_MAPPED && abut(&whole, &list[next]);
}

/* @part, or more of the unwritten extent @whole where that is simpler. */
static struct extent with_small_ends(
	const struct dax_file *file, struct extent whole, struct extent part)
{
	const uint64_t tail = end_of(whole) - end_of(part);

	if (!tail || joins_neighbour(file, whole, part) ||
		end_of(whole) > file_pages(file))
		return part;
	if (part.nr + tail <= ZEROOUT_PAGES)
		part.nr += tail;
	if (end_of(part) - whole.lblk < ZEROOUT_PAGES) {
		part.nr = end_of(part) - whole.lblk;
		part.lblk = whole.lblk;
		part.block = whole.block;
	}
	return part;
}

void file_replace_extent(struct dax_file *file, struct extent extent)
{
	extents_remove(&file->extents, extent.lblk, extent.nr);
	extents_insert(&file->extents, extent);
	journal_add(file);
}

/* @part of an unwritten extent becomes written. */
int file_make_written(struct dax_file *file, struct extent part)
{
	const size_t next = extents_before(&file->extents, part.lblk);
	struct extent wide =
		with_small_ends(file, file->extents.list[next - 1], part);
	int error = extents_reserve(&file->extents, 3);

	if (!error)
		error = zero_blocks(file, (struct run){wide.block, wide.nr});
	if (error)
		return error;
	wide.type = DAX_IOMAP_MAPPED;
	file_replace_extent(file, wide);
	return 0;
}

/* ---- breaking sharing ---- */

/* How much of @extent is shared, or how much is not. */
uint64_t file_shared_run(
	struct dax_file *file, struct extent extent, bool *shared)
{
	return blocks_shared_run(
		file->fs, (struct run){extent.block, extent.nr}, shared);
}

static int copy_blocks(struct dax_file *file, struct run from, uint64_t to)
{
	void *source, *target;
	int error = file_direct_access(
		file, block_pfn(from.block), from.nr, &source);

	if (!error)
		error = file_repair(file, (struct run){to, from.nr});
	if (!error)
		error = file_direct_access(
			file, block_pfn(to), from.nr, &target);
	if (!error)
		space_bytes_copy(target, source, from.nr << DAX_PAGE_SHIFT);
	return error ? error : file_flush(file, block_pfn(to), from.nr);
}

static int fill_blocks(struct dax_file *file, enum filling filling,
	struct run from, uint64_t to)
{
	if (filling == FILL_COPY)
		return copy_blocks(file, from, to);
	if (filling == FILL_ZERO)
		return zero_blocks(file, (struct run){to, from.nr});
	return 0;
}

/* The start of @part, as much as fits in one run, gets blocks of its own. */
int file_make_unshared(
	struct dax_file *file, enum filling filling, struct extent *part)
{
	const struct extent place = {.lblk = part->lblk, .nr = part->nr};
	struct wish wish = file_make_wish(file, place, part->nr);
	struct run run;
	int error = extents_reserve(&file->extents, 3);

	wish.hole_first = part->lblk;
	if (!error)
		error = blocks_allocate(file->fs, &wish, &run);
	if (error)
		return error;
	error = fill_blocks(
		file, filling, (struct run){part->block, run.nr}, run.block);
	if (error) {
		blocks_free(file, run);
		return error;
	}
	part->nr = run.nr;
	part->block = run.block;
	part->type = filling == FILL_NOTHING ? DAX_IOMAP_UNWRITTEN
					     : DAX_IOMAP_MAPPED;
	file_replace_extent(file, *part);
	return 0;
}

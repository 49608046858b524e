/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Having two ranges of equal bytes in the same blocks. While they are compared
 * and the blocks change hands, nobody can change them: calls and faults are
 * kept out of both files, no page table shows the ranges, and none of their
 * pages is pinned.
 */
#include <errno.h>

#include "file/file.h"

enum { SRC, DST, SIDES };

/* ---- what is refused ---- */

static bool overlaps(const struct file_range *side)
{
	return side[SRC].file == side[DST].file &&
	       side[SRC].pages.first <= side[DST].pages.last &&
	       side[DST].pages.first <= side[SRC].pages.last;
}

/* A last page that is not whole must be the last of both files. */
static bool ends_fit(const struct file_range *side, uint64_t len)
{
	const uint64_t src_left = dax_file_size(side[SRC].file) -
				  (side[SRC].pages.first << DAX_PAGE_SHIFT);
	const uint64_t dst_left = dax_file_size(side[DST].file) -
				  (side[DST].pages.first << DAX_PAGE_SHIFT);

	if (len > src_left || len > dst_left)
		return false;
	return !(len % DAX_PAGE_SIZE) || (len == src_left && len == dst_left);
}

static bool is_inside(const struct file_range *side)
{
	return side->pages.first << DAX_PAGE_SHIFT < dax_file_size(side->file);
}

/* ---- blocks ---- */

/* The first of the pages from @to on shares blocks with those at @from, as many
 * as both sides have in one run. */
static int share_run(
	struct dax_file *file, uint64_t to, struct extent from, uint64_t *nr)
{
	const struct extent old = extents_at(&file->extents, to);
	struct extent new = from;
	int error;

	if (new.nr > old.nr)
		new.nr = old.nr;
	*nr = new.nr;
	if (from.type != DAX_IOMAP_MAPPED || from.block == old.block)
		return 0;
	new.lblk = to;
	error = extents_reserve(&file->extents, 3);
	if (!error)
		error = blocks_share(file->fs, (struct run){new.block, new.nr});
	if (error)
		return error;
	file_replace_extent(file, new);
	blocks_free(file, (struct run){old.block, new.nr});
	return 0;
}

static struct extent extent_of(
	struct dax_file *file, uint64_t lblk, uint64_t nr)
{
	struct extent extent;

	sync_lock_acquire(&file->extent_lock);
	extent = extents_at(&file->extents, lblk);
	sync_lock_release(&file->extent_lock);
	if (extent.nr > nr)
		extent.nr = nr;
	return extent;
}

static int share_blocks(const struct file_range *side)
{
	const uint64_t nr = side[SRC].pages.last - side[SRC].pages.first + 1;
	struct dax_file *to = side[DST].file;
	uint64_t now;
	int error = 0;

	/* What it has of these is shared now. */
	blocks_unkeep(to->fs, side[SRC].file);
	side[SRC].file->reflink = to->reflink = true;
	for (uint64_t done = 0; done < nr && !error; done += now) {
		const struct extent from = extent_of(side[SRC].file,
			side[SRC].pages.first + done, nr - done);

		sync_lock_acquire(&to->extent_lock);
		error = share_run(to, side[DST].pages.first + done, from, &now);
		sync_lock_release(&to->extent_lock);
	}
	return error;
}

/* ---- both ---- */

/* What is not durable yet must not lose its tags. */
static int drop_entries(const struct file_range *side)
{
	const int error = dax_filemap_write_and_wait_range(
		side->file->space, side->pages.first, side->pages.last);

	return error ? error : file_drop_entries(side->file, side->pages);
}

static int compare(const struct file_range *side)
{
	const uint64_t nr = side[SRC].pages.last - side[SRC].pages.first + 1;

	return dax_dedupe_file_range_compare(side[SRC].file->space,
		side[SRC].pages.first << DAX_PAGE_SHIFT, side[DST].file->space,
		side[DST].pages.first << DAX_PAGE_SHIFT, nr << DAX_PAGE_SHIFT);
}

static int dedupe_locked(const struct file_range *side)
{
	int error = breaks_first() ? file_break_layouts(side, SIDES) : 0;

	if (!error)
		error = compare(side);
	if (!error && !breaks_first())
		error = file_break_layouts(side, SIDES);
	if (!error)
		error = drop_entries(&side[SRC]);
	if (!error)
		error = drop_entries(&side[DST]);
	return error ? error : share_blocks(side);
}

static int dedupe(const struct file_range *side, uint64_t len)
{
	int error;

	if (!is_inside(&side[SRC]) || !is_inside(&side[DST]) ||
		!ends_fit(side, len) || overlaps(side))
		return -EINVAL;
	file_invalidate_lock(side, SIDES);
	error = dedupe_locked(side);
	file_invalidate_unlock(side, SIDES);
	return error;
}

static struct file_range range_of(
	struct dax_file *file, uint64_t pos, uint64_t len)
{
	return (struct file_range){
		.file = file,
		.pages = {pos >> DAX_PAGE_SHIFT,
			(pos + len - 1) >> DAX_PAGE_SHIFT},
	};
}

int dax_file_dedupe(struct dax_file *src, uint64_t src_pos,
	struct dax_file *dst, uint64_t dst_pos, uint64_t len)
{
	struct file_range side[SIDES];
	int error;

	DAX_REQUIRE(src && dst);
	if (src->fs != dst->fs)
		return -EXDEV;
	if ((src_pos | dst_pos) % DAX_PAGE_SIZE ||
		!file_range_fits(src_pos, len) ||
		!file_range_fits(dst_pos, len))
		return -EINVAL;
	if (!len)
		return 0;
	side[SRC] = range_of(src, src_pos, len);
	side[DST] = range_of(dst, dst_pos, len);
	rwsem_acquire_both(&src->inode, &dst->inode);
	error = dedupe(side, len);
	rwsem_release_both(&src->inode, &dst->inode);
	return error;
}

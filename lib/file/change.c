/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Calls that take blocks away, or move them. Each keeps faults out, empties
 * the page tables, drops the entries, and only then touches the block map: no
 * block is free while somebody can reach it (G2).
 */
#include <errno.h>

#include "file/file.h"
#include "writeback/writeback.h"

/* ---- zeroing less than a page ---- */

static int zero_mapped(struct dax_file *file, const struct dax_iomap *iomap,
	uint64_t pos, uint64_t end)
{
	void *address;
	int error = file_direct_access(file, iomap->pfn, 1, &address);

	if (error)
		return error;
	space_bytes_zero(
		space_bytes_at(address, pos % DAX_PAGE_SIZE), end - pos);
	return file_flush(file, iomap->pfn, 1);
}

/* Zeroes @pos to @end, which are in one page, if that page is written. Holds
 * INVALIDATE: if it is shared, it moves. */
static int zero_in_page(struct dax_file *file, uint64_t pos, uint64_t end)
{
	struct dax_iomap iomap = {
		.pos = pos & -DAX_PAGE_SIZE, .len = DAX_PAGE_SIZE};
	int error;

	rwsem_assert_held(&file->space->invalidate);
	if (pos >= end)
		return 0;
	error = file_space_ops.iomap_begin(file, DAX_IOMAP_READ, &iomap);
	if (error)
		return error;
	file_space_ops.iomap_end(file, &iomap);
	if (iomap.type != DAX_IOMAP_MAPPED)
		return 0;
	error = file_begin_write(file, &iomap);
	if (error)
		return error;
	if (iomap.flags & DAX_IOMAP_SHARED)
		error = file_forget_moved(file, &iomap);
	if (!error)
		error = zero_mapped(file, &iomap, pos, end);
	file_space_ops.iomap_end(file, &iomap);
	return error;
}

/* A range of bytes, and the whole pages in it. */
struct part {
	uint64_t pos;
	uint64_t end;
	uint64_t first; /* page */
	uint64_t nr;	/* pages */
};

static struct part part_of(uint64_t pos, uint64_t end)
{
	const uint64_t first = (pos + DAX_PAGE_SIZE - 1) >> DAX_PAGE_SHIFT;
	const uint64_t stop = end >> DAX_PAGE_SHIFT;

	return (struct part){pos, end, first, stop > first ? stop - first : 0};
}

static int zero_tail(struct dax_file *file, uint64_t end)
{
	return zero_in_page(
		file, end, (end + DAX_PAGE_SIZE - 1) & -DAX_PAGE_SIZE);
}

int file_zero_past_end(struct dax_file *file)
{
	int error;

	dax_filemap_invalidate_lock(file->space);
	error = zero_tail(file, dax_file_size(file));
	dax_filemap_invalidate_unlock(file->space);
	return error;
}

static int zero_edges(struct dax_file *file, struct part part)
{
	const uint64_t head_end = part.first << DAX_PAGE_SHIFT;
	const uint64_t tail = part.end & -DAX_PAGE_SIZE;
	int error = zero_in_page(
		file, part.pos, head_end < part.end ? head_end : part.end);

	if (!error && tail >= head_end)
		error = zero_in_page(file, tail, part.end);
	return error;
}

static bool has_edges(struct part part)
{
	return part.pos % DAX_PAGE_SIZE || part.end % DAX_PAGE_SIZE;
}

/* ---- entries ---- */

static struct space_range pages_of(struct part part)
{
	return (struct space_range){part.first, part.first + part.nr - 1};
}

/* Is there an entry that has @index, and pages outside @range? */
static bool reaches_out(
	struct dax_file *file, dax_pgoff_t index, struct space_range range)
{
	const dax_entry_t entry = dax_entry_from_word(
		dax_tree_load(dax_mapping_tree(file->space->mapping), index));
	const dax_pgoff_t first = dax_entry_start(entry, index);
	const uint64_t nr = (uint64_t)1 << dax_entry_order(entry);

	return entry && (first < range.first || range.last - first < nr - 1);
}

/*
 * An entry goes as a whole, with its tag: what it has outside @range is made
 * durable before. Differs from the kernel, where the next fsync misses that.
 */
static int write_back_outside(struct dax_file *file, struct space_range range)
{
	int error = 0;

	if (reaches_out(file, range.first, range))
		error = writeback_entry(file->space, range.first);
	if (!error && reaches_out(file, range.last, range))
		error = writeback_entry(file->space, range.last);
	return error;
}

/* Pages that others had, too, when pins were waited for may be ours alone by
 * now, and pinned: their blocks are not free before that ends (journal.c). */
static void drop_range(struct dax_file *file, struct space_range range,
	enum dax_truncate_mode mode)
{
	if (file->reflink)
		space_forget_moved(file->space, range);
	dax_truncate_pagecache_range(
		file->space, range.first, range.last, mode);
}

int file_drop_entries(struct dax_file *file, struct space_range pages)
{
	const int error = write_back_outside(file, pages);

	if (!error)
		drop_range(file, pages, DAX_TRUNCATE_KEEP_COPIES);
	return error;
}

static int drop_entries(struct dax_file *file, struct part part)
{
	return part.nr ? file_drop_entries(file, pages_of(part)) : 0;
}

/* Whole pages, those of the edges, too: what is zeroed there may move. */
static int break_layouts(struct dax_file *file, uint64_t pos, uint64_t end)
{
	const struct file_range range = {
		.file = file,
		.pages = {pos >> DAX_PAGE_SHIFT,
			end == UINT64_MAX ? end : (end - 1) >> DAX_PAGE_SHIFT},
	};

	return file_break_layouts(&range, 1);
}

/* For two edges that become unshared, and the range: after this, nothing of it
 * fails for want of memory. */
static int reserve(struct dax_file *file)
{
	int error;

	sync_lock_acquire(&file->extent_lock);
	error = extents_reserve(&file->extents, 3 + 3 + 2);
	sync_lock_release(&file->extent_lock);
	return error;
}

/* ---- truncate ---- */

static int truncate_locked(struct dax_file *file, uint64_t size)
{
	const uint64_t old = dax_file_size(file);
	const uint64_t edge = size < old ? size : old;
	const uint64_t first = (size + DAX_PAGE_SIZE - 1) >> DAX_PAGE_SHIFT;
	int error;

	error = break_layouts(file, size, UINT64_MAX);
	if (!error)
		error = write_back_outside(
			file, (struct space_range){first, UINT64_MAX});
	if (!error)
		error = reserve(file);
	/* The tail of the last page: what is stored there past the end must
	 * not come back when the file grows. */
	if (!error)
		error = zero_tail(file, edge);
	if (error)
		return error;
	file_set_size(file, size);
	drop_range(file, (struct space_range){first, UINT64_MAX},
		DAX_TRUNCATE_ALL);
	return size > old ? 0 : file_free_pages(file, first, UINT64_MAX);
}

int dax_file_truncate(struct dax_file *file, uint64_t size)
{
	int error;

	DAX_REQUIRE(file);
	if (!file_range_fits(size, 0))
		return -EINVAL;
	rwsem_acquire(&file->inode, RWSEM_ALONE);
	dax_filemap_invalidate_lock(file->space);
	error = truncate_locked(file, size);
	dax_filemap_invalidate_unlock(file->space);
	rwsem_release(&file->inode, RWSEM_ALONE);
	return error;
}

/* ---- allocate, punch, zero, collapse ---- */

static int allocate(struct dax_file *file, struct part part)
{
	const uint64_t first = part.pos >> DAX_PAGE_SHIFT;
	const uint64_t stop = (part.end + DAX_PAGE_SIZE - 1) >> DAX_PAGE_SHIFT;

	return file_preallocate(file, first, stop - first);
}

static int punch_locked(struct dax_file *file, struct part part)
{
	int error;

	error = break_layouts(file, part.pos, part.end);
	if (!error)
		error = reserve(file);
	/* The edges can fail, and then what is between them stays: with its
	 * tags. */
	if (!error)
		error = zero_edges(file, part);
	if (!error)
		error = drop_entries(file, part);
	if (error || !part.nr)
		return error;
	return file_free_pages(file, part.first, part.nr);
}

static int punch(struct dax_file *file, struct part part)
{
	const uint64_t size = dax_file_size(file);
	int error;

	if (part.pos >= size)
		return 0;
	/* What is past the end goes with the page that the end is in. */
	if (part.end > size)
		part = part_of(
			part.pos, size - size % DAX_PAGE_SIZE + DAX_PAGE_SIZE);
	dax_filemap_invalidate_lock(file->space);
	error = punch_locked(file, part);
	dax_filemap_invalidate_unlock(file->space);
	return error;
}

/* What unsharing takes cannot be had beforehand: if it fails, what stays as it
 * was has lost its tags. */
static int write_back_unshared(struct dax_file *file, struct part part)
{
	return file->reflink ? dax_filemap_write_and_wait_range(file->space,
				       part.first, part.first + part.nr - 1)
			     : 0;
}

static int zero_pages(struct dax_file *file, struct part part)
{
	int error = break_layouts(file, part.pos, part.end);

	if (!error)
		error = file_preallocate(file, part.first, part.nr);
	if (!error)
		error = reserve(file);
	if (!error)
		error = write_back_unshared(file, part);
	if (!error)
		error = drop_entries(file, part);
	if (!error)
		error = file_unwrite(file, part.first, part.nr);
	return error;
}

static int zero(struct dax_file *file, struct part part)
{
	int error = 0;

	if (has_edges(part))
		error = allocate(file, part);
	if (error)
		return error;
	dax_filemap_invalidate_lock(file->space);
	if (part.nr)
		error = zero_pages(file, part);
	if (!error)
		error = zero_edges(file, part);
	dax_filemap_invalidate_unlock(file->space);
	return error;
}

/* The size is last: a call that fails leaves it as it was. */
static int grow_with(struct dax_file *file, struct part part,
	int (*change)(struct dax_file *file, struct part part))
{
	const bool grows = part.end > dax_file_size(file);
	int error = grows ? file_zero_past_end(file) : 0;

	if (!error)
		error = change(file, part);
	if (!error && grows)
		file_set_size(file, part.end);
	return error;
}

/* What is moved is read through other pages afterwards: have it durable. */
static int write_back_moved(struct dax_file *file, struct part part)
{
	const int error = dax_filemap_write_and_wait_range(
		file->space, part.first, part.first);

	return error ? error
		     : dax_filemap_write_and_wait_range(file->space,
			       part.first + part.nr, DAX_LAST_PAGE);
}

static int collapse_locked(struct dax_file *file, struct part part)
{
	int error = break_layouts(file, part.pos, UINT64_MAX);

	if (!error)
		error = write_back_moved(file, part);
	if (!error)
		error = reserve(file);
	if (error)
		return error;
	drop_range(file, (struct space_range){part.first, UINT64_MAX},
		DAX_TRUNCATE_ALL);
	error = file_free_pages(file, part.first, part.nr);
	if (error)
		return error;
	sync_lock_acquire(&file->extent_lock);
	extents_collapse(&file->extents, part.first, part.nr);
	sync_lock_release(&file->extent_lock);
	file_set_size(file, dax_file_size(file) - (part.end - part.pos));
	return 0;
}

static int collapse(struct dax_file *file, struct part part)
{
	int error;

	if (has_edges(part) || part.end >= dax_file_size(file))
		return -EINVAL;
	dax_filemap_invalidate_lock(file->space);
	error = collapse_locked(file, part);
	dax_filemap_invalidate_unlock(file->space);
	return error;
}

static int change_locked(
	struct dax_file *file, enum dax_file_change change, struct part part)
{
	switch (change) {
	case DAX_FILE_ALLOCATE:
		return grow_with(file, part, allocate);
	case DAX_FILE_PUNCH:
		return punch(file, part);
	case DAX_FILE_ZERO:
		return grow_with(file, part, zero);
	default:
		return collapse(file, part);
	}
}

int dax_file_change(struct dax_file *file, enum dax_file_change change,
	uint64_t pos, uint64_t len)
{
	int error;

	DAX_REQUIRE(file);
	if (!len || !file_range_fits(pos, len))
		return -EINVAL;
	if (change == DAX_FILE_PUNCH && file->fs->profile->punch_writes_back) {
		error = dax_filemap_write_and_wait_range(file->space,
			pos >> DAX_PAGE_SHIFT,
			(pos + len - 1) >> DAX_PAGE_SHIFT);
		if (error)
			return error;
	}
	rwsem_acquire(&file->inode, RWSEM_ALONE);
	error = change_locked(file, change, part_of(pos, pos + len));
	rwsem_release(&file->inode, RWSEM_ALONE);
	return error;
}

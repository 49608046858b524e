/* SPDX-License-Identifier: BSD-3-Clause */
/* read(2) and write(2), which go to the device without a page cache. */
#include <errno.h>
#include <string.h>

#include "file/file.h"

/* ---- the device ---- */

int file_direct_access(
	struct dax_file *file, uint64_t pfn, uint64_t nr, void **address)
{
	if (pmem_poison_has(&file->fs->poison, pfn, nr))
		return -EHWPOISON;
	return dax_pmem_pfn_to_address(file->fs->map, pfn, address);
}

int file_device_error(int error)
{
	return error == -ENOSPC ? -EIO : error;
}

int file_flush(struct dax_file *file, uint64_t pfn, uint64_t nr)
{
	const int wrong =
		-(int)sync_load(&file->fs->flush_error, memory_order_relaxed);
	void *address;
	const int error = dax_pmem_pfn_to_address(file->fs->map, pfn, &address);

	if (error || wrong)
		return error ? error : file_device_error(wrong);
	return file_device_error(
		dax_pmem_persist(file->fs->map, address, nr << DAX_PAGE_SHIFT));
}

/* ---- pieces ---- */

/* A request, and how far it has come. */
struct io {
	struct dax_file *file;
	uint64_t pos;
	uint64_t end;
};

/* What is left of the request, to begin with. */
static struct dax_iomap rest_of(const struct io *io)
{
	const uint64_t first = io->pos & -DAX_PAGE_SIZE;
	const uint64_t pages =
		(io->end - first + DAX_PAGE_SIZE - 1) >> DAX_PAGE_SHIFT;

	return (struct dax_iomap){.pos = first, .len = pages << DAX_PAGE_SHIFT};
}

/* Bytes of the request that @iomap has. */
static uint64_t piece_len(const struct io *io, const struct dax_iomap *iomap)
{
	const uint64_t end = iomap->pos + iomap->len;

	return (end < io->end ? end : io->end) - io->pos;
}

static int piece_address(
	const struct io *io, const struct dax_iomap *iomap, void **address)
{
	const int error = file_direct_access(
		io->file, iomap->pfn, iomap->len >> DAX_PAGE_SHIFT, address);

	if (!error)
		*address = space_bytes_at(*address, io->pos - iomap->pos);
	return error;
}

/* ---- reading ---- */

static int read_mapped(
	const struct io *io, const struct dax_iomap *iomap, char *to)
{
	void *address;
	const int error = piece_address(io, iomap, &address);

	if (!error)
		space_bytes_load(address, to, piece_len(io, iomap));
	return error;
}

/*
 * A store through a page table unshares without INODE: what was read may have
 * been given back, and be another file's bytes. It is given back after the
 * extents changed, so if they have not when we hold their lock again, the loads
 * before it were of our own. To share again takes INODE: no block comes back.
 */
static bool has_moved(const struct io *io, const struct dax_iomap *iomap)
{
	struct dax_iomap now = rest_of(io);

	if (file_space_ops.iomap_begin(io->file, DAX_IOMAP_READ, &now))
		return true;
	file_space_ops.iomap_end(io->file, &now);
	return now.pfn != iomap->pfn || now.len < iomap->len;
}

static int read_piece(struct io *io, char *to)
{
	struct dax_iomap iomap;
	int error;

	do {
		iomap = rest_of(io);
		error = file_space_ops.iomap_begin(
			io->file, DAX_IOMAP_READ, &iomap);
		if (error)
			return error;
		if (iomap.type == DAX_IOMAP_MAPPED)
			error = read_mapped(io, &iomap, to);
		else
			memset(to, 0, piece_len(io, &iomap));
		file_space_ops.iomap_end(io->file, &iomap);
	} while (iomap.type == DAX_IOMAP_MAPPED && reads_again() &&
		 has_moved(io, &iomap));
	if (!error)
		io->pos += piece_len(io, &iomap);
	return error;
}

int dax_file_read(
	struct dax_file *file, uint64_t pos, void *to, size_t len, size_t *done)
{
	struct io io = {.file = file, .pos = pos};
	int error = 0;

	DAX_REQUIRE(file && to && done);
	if (!file_range_fits(pos, len))
		return -EINVAL;
	rwsem_acquire(&file->inode, RWSEM_SHARED);
	io.end = dax_file_size(file);
	if (io.end > pos + len)
		io.end = pos + len;
	while (io.pos < io.end && !error)
		error = read_piece(&io, (char *)to + (io.pos - pos));
	rwsem_release(&file->inode, RWSEM_SHARED);
	*done = io.pos - pos;
	return *done ? 0 : error;
}

/* ---- writing ---- */

static int begin_write(
	struct dax_file *file, enum filling filling, struct dax_iomap *iomap)
{
	const uint64_t len = iomap->len;
	int error;

	do {
		iomap->len = len;
		error = file_iomap_begin(file, DAX_IOMAP_WRITE, filling, iomap);
	} while (error == -ENOSPC && journal_make_room(file->fs));
	return error;
}

int file_begin_write(struct dax_file *file, struct dax_iomap *iomap)
{
	return begin_write(file, FILL_COPY, iomap);
}

int file_forget_moved(struct dax_file *file, const struct dax_iomap *iomap)
{
	const dax_pgoff_t first = iomap->pos >> DAX_PAGE_SHIFT;
	const dax_pgoff_t last = first + (iomap->len >> DAX_PAGE_SHIFT) - 1;
	int error;

	/* An entry goes as a whole: so do its leaves, and the bytes beside what
	 * has moved are made durable. Pins may stay: what they hold is others',
	 * and is not free before they go (journal.c). */
	space_unmap_all(file->space);
	if (keeps_dirty_entries()) {
		dax_invalidate_inode_pages2_range(file->space, first, last);
		return 0;
	}
	error = dax_filemap_write_and_wait_range(file->space, first, last);
	space_forget_moved(file->space, (struct space_range){first, last});
	return error;
}

/* Pages that show what was there before show it no more. */
static int tell_page_tables(
	struct dax_file *file, const struct dax_iomap *iomap)
{
	const dax_pgoff_t first = iomap->pos >> DAX_PAGE_SHIFT;
	const dax_pgoff_t last = first + (iomap->len >> DAX_PAGE_SHIFT) - 1;

	if (iomap->flags & DAX_IOMAP_SHARED)
		return file_forget_moved(file, iomap);
	if (!(iomap->flags & DAX_IOMAP_NEW))
		/* A block that was zeroed along with its neighbour has been
		 * there for some time, and its page may be a zero page. */
		space_hide_zero_pages(
			file->space, (struct space_range){first, last});
	else if (invalidates_late())
		dax_invalidate_inode_pages2_range(file->space, first, last);
	return 0;
}

/* Is a page bad of which some bytes stay? */
static bool edge_is_bad(const struct io *io, const struct dax_iomap *iomap,
	uint64_t skip, uint64_t stop)
{
	const struct pmem_poison *poison = &io->file->fs->poison;
	const uint64_t pages = iomap->len >> DAX_PAGE_SHIFT;

	return pmem_poison_has(poison, iomap->pfn, skip) ||
	       pmem_poison_has(poison, iomap->pfn + stop, pages - stop);
}

/* Pages of which no byte stays are good again; but none is if nothing will be
 * written to them, or it would be read as it is. */
static int repair(const struct io *io, const struct dax_iomap *iomap)
{
	const uint64_t skip =
		(io->pos - iomap->pos + DAX_PAGE_SIZE - 1) >> DAX_PAGE_SHIFT;
	const uint64_t stop =
		(io->pos - iomap->pos + piece_len(io, iomap)) >> DAX_PAGE_SHIFT;

	if (skip >= stop)
		return 0;
	if (edge_is_bad(io, iomap, skip, stop))
		return -EHWPOISON;
	return file_repair(io->file,
		(struct run){iomap->pfn - DAX_PFN_BASE + skip, stop - skip});
}

static int write_mapped(
	struct io *io, const struct dax_iomap *iomap, const char *from)
{
	const uint64_t len = piece_len(io, iomap);
	void *address;
	int error = tell_page_tables(io->file, iomap);

	if (!error)
		error = repair(io, iomap);
	if (!error)
		error = piece_address(io, iomap, &address);
	if (error)
		return error;
	space_bytes_store(address, from, len);
	error = file_flush(io->file, iomap->pfn, iomap->len >> DAX_PAGE_SHIFT);
	if (!error)
		io->pos += len;
	return error;
}

/* A page that is shared and bad cannot be copied; nor need it be if no byte of
 * it stays. It may be another than the first: so they go one by one. */
static int begin_page(const struct io *io, struct dax_iomap *iomap)
{
	*iomap = (struct dax_iomap){
		.pos = io->pos & -DAX_PAGE_SIZE, .len = DAX_PAGE_SIZE};
	return begin_write(io->file,
		piece_len(io, iomap) == DAX_PAGE_SIZE ? FILL_ZERO : FILL_COPY,
		iomap);
}

static int write_next(struct io *io, const char *from)
{
	struct dax_iomap iomap = rest_of(io);
	int error;

	invalidate_early(io->file, &iomap);
	error = file_begin_write(io->file, &iomap);
	if (error == -EHWPOISON)
		error = begin_page(io, &iomap);
	if (error)
		return error;
	error = write_mapped(io, &iomap, from);
	file_space_ops.iomap_end(io->file, &iomap);
	return error;
}

/* If the file may share blocks, no fault shows, or makes dirty, what moves. */
static int write_piece(struct io *io, const char *from)
{
	const bool reflink = io->file->reflink;
	int error;

	if (reflink)
		dax_filemap_invalidate_lock(io->file->space);
	error = write_next(io, from);
	if (reflink)
		dax_filemap_invalidate_unlock(io->file->space);
	return error;
}

int dax_file_write(struct dax_file *file, uint64_t pos, const void *from,
	size_t len, size_t *done)
{
	struct io io = {.file = file, .pos = pos, .end = pos + len};
	int error = 0;

	DAX_REQUIRE(file && from && done);
	if (!file_range_fits(pos, len))
		return -EINVAL;
	rwsem_acquire(&file->inode, write_mode());
	if (len && pos > dax_file_size(file))
		error = file_zero_past_end(file);
	while (io.pos < io.end && !error)
		error = write_piece(&io, (const char *)from + (io.pos - pos));
	/* What was not written does not move the end of the file. */
	if (io.pos > pos && io.pos > dax_file_size(file))
		file_set_size(file, io.pos);
	rwsem_release(&file->inode, write_mode());
	*done = io.pos - pos;
	return *done ? 0 : error;
}

/* ---- syncing ---- */

int dax_file_sync(struct dax_file *file, enum dax_sync_mode mode, uint64_t pos,
	uint64_t len)
{
	const dax_pgoff_t first = pos >> DAX_PAGE_SHIFT;
	dax_pgoff_t last = DAX_LAST_PAGE;

	DAX_REQUIRE(file);
	if (!file_range_fits(pos, len))
		return -EINVAL;
	if (len)
		last = (pos + len - 1) >> DAX_PAGE_SHIFT;
	if (mode == DAX_SYNC_PAGES)
		return dax_filemap_write_and_wait_range(
			file->space, first, last);
	return dax_fsync_range(file->space, first, last);
}

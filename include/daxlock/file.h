/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: daxlock/file.h - a small file system on a device
 *
 * Files with holes, unwritten, written and shared extents, many on one device.
 * It behaves as ext4 with 2 MiB stripes does where that shows through page
 * faults, and is otherwise as small as it can be: no names, no directories,
 * nothing survives dax_fs_delete().
 *
 * A block of a file that may grow is put where its 2 MiB would stand if they
 * were allocated at once, and the rest is kept for the file: a 2 MiB leaf stays
 * possible until space is fragmented. Requests of whole 2 MiB are aligned;
 * others take the first gap.
 *
 * Metadata becomes durable when a file is synced. Blocks that were freed can be
 * allocated again only after that. A clone shares the written extents of its
 * source; the first store through either copies, or dax_file_unshare() does.
 * dax_file_dedupe() has files share what is equal.
 *
 * Guarantees
 *   G1	A byte that was never written reads as 0, whatever its block held.
 *   G2	No block belongs to two files unless both shared it on purpose; none is
 *	free while an entry or a page table shows it, or somebody has it pinned.
 *   G3	A call that fails leaves the file as it was, or, where it says how far
 *	it came, as far as that.
 *
 * Concurrency: all calls may race with each other and with faults, but for
 * those that delete. Calls that change a file take its INODE lock, those that
 * take blocks away INVALIDATE as well, and so do writes to a file that shares
 * blocks, or did.
 *
 * Context of every call, unless it says otherwise: may sleep; hold no lock.
 */
#ifndef DAXLOCK_FILE_H
#define DAXLOCK_FILE_H

#include <stddef.h>
#include <stdint.h>

#include <daxlock/attributes.h>
#include <daxlock/entry.h>
#include <daxlock/pmem.h>
#include <daxlock/space.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

struct dax_fs;	 /* a device with files on it */
struct dax_file; /* one of them */

/* ---- the file system ---- */

/**
 * struct dax_fs_params - how a file system is made
 * @map: of a whole, writable device; outlives it. Its bytes are not read
 * @profile: NULL: the default
 * @trace: NULL: none; outlives it
 * @waitqs: NULL: the table of the process; outlives it
 * @stats: of all its files; NULL: none; outlives it
 */
struct dax_fs_params {
	struct dax_pmem_map *map;
	const struct dax_profile *profile;
	struct dax_trace *trace;
	struct dax_waitq_table *waitqs;
	struct dax_stats *stats;
};

/**
 * dax_fs_new() - an empty file system
 * @params: all but @map may be 0
 * @out: the file system, or NULL on error
 *
 * What the device lists as bad (dax_badblocks_new()) is bad from the start, in
 * whole pages; where nobody can say, -EOPNOTSUPP, or this process may not ask,
 * -EACCES or -EPERM, nothing is.
 *
 * Return: 0; -ENOMEM; -ENOSPC the device has less than 4 PMDs; what else
 * dax_badblocks_new() and dax_badblocks_next() say.
 */
int dax_fs_new(
	const struct dax_fs_params *params, struct dax_fs **out) DAX_MUST_CHECK;

/**
 * dax_fs_delete() - forget a file system
 * @fs: set to NULL; NULL is accepted
 *
 * Threads: no other call on it may run; it has no files any more, and no page
 *	of it is pinned.
 */
void dax_fs_delete(struct dax_fs **fs);

/** dax_fs_pgmap() - the pages of its device; lives as long */
struct dax_pgmap *dax_fs_pgmap(struct dax_fs *fs);

/** dax_fs_free_blocks() - pages that are free, or kept for a file that may
 * grow; those that wait for a commit are not */
uint64_t dax_fs_free_blocks(struct dax_fs *fs);

/**
 * dax_fs_set_poison() - pages of the device that cannot be read
 * @fs: file system
 * @pfn: first page
 * @nr: pages; 0: none is bad any more
 *
 * Replaces what was set before, and what the device said. Pages that are mapped
 * already stay mapped, as in the kernel until memory failure finds them
 * (dax_fs_memory_failure()).
 *
 * A page is good again when a write(2) covers all of it, or when it was taken
 * from its file and is given to one again. Of a page that files share, a write
 * that covers all of it, DAX_FILE_ZERO and DAX_FILE_PUNCH take one of them away
 * from it, and leave it to the others as it is. If the device lists it as bad,
 * it has to give it new storage before (dax_badblocks_clear()); if it does not,
 * or this process may not ask it, the page stays bad, and the call or fault
 * fails with what the device said.
 */
void dax_fs_set_poison(struct dax_fs *fs, uint64_t pfn, uint64_t nr);

/**
 * dax_fs_memory_failure() - pages of the device have gone bad
 * @fs: file system
 * @pfn: first page
 * @nr: pages; what is not the device's is left out
 *
 * In addition to those that are bad. When it returns no page table shows one of
 * the pages, whichever files have it: accesses are -EHWPOISON, as reads are. A
 * PMD leaf goes as a whole; the pages beside it are shown one by one. Who has
 * them pinned keeps them, and there are no new pins.
 *
 * What was stored there is lost. The next fsync cleans it as if it were not,
 * and says nothing, as fs/dax.c dax_writeback_one() does not ask.
 *
 * Context: may sleep; hold no lock.
 * Models: mm/memory-failure.c memory_failure_dev_pagemap(), v6.12. Differs:
 * there are no processes to kill.
 */
void dax_fs_memory_failure(struct dax_fs *fs, uint64_t pfn, uint64_t nr);

/**
 * dax_fs_set_flush_error() - have every flush fail
 * @fs: file system
 * @error: a negative errno, of which -ENOSPC is told as -EIO; 0: flush again
 */
void dax_fs_set_flush_error(struct dax_fs *fs, int error);

/**
 * dax_fs_verify() - check a file system that is at rest
 * @fs: file system; no call on it or its files runs
 *
 * Each extent's blocks are in use, each block is in use as often as extents
 * name it, what is kept for a file is in no extent, extents are in order, do
 * not overlap and are merged; each entry with storage names the block that the
 * extents name; no entry is past the end of its file.
 *
 * Return: NULL, or a sentence of what is wrong.
 */
const char *dax_fs_verify(struct dax_fs *fs) DAX_MUST_CHECK;

/* ---- files ---- */

/**
 * dax_file_new() - an empty file
 * @fs: file system; outlives it
 * @out: the file, or NULL on error
 *
 * Return: 0; -ENOMEM; -EMFILE as dax_pgmap_add_owner().
 */
int dax_file_new(struct dax_fs *fs, struct dax_file **out) DAX_MUST_CHECK;

/**
 * dax_file_delete() - drop a file, its entries and its blocks
 * @file: set to NULL; NULL is accepted
 *
 * Waits for the pins of pages that have an entry. Those that were pinned before
 * their entry went, as a page of it moved, are not waited for: nobody gets
 * their blocks before they are unpinned and another commit is over.
 *
 * Threads: no other call on it may run; no area shows it.
 */
void dax_file_delete(struct dax_file **file);

/** dax_file_space() - what to map, fault and write back; lives as long */
struct dax_space *dax_file_space(struct dax_file *file);

/** dax_file_size() - bytes; a snapshot unless the caller keeps others out */
uint64_t dax_file_size(const struct dax_file *file);

/**
 * dax_file_read() - read bytes
 * @file: file
 * @pos: byte
 * @to: where to
 * @len: bytes
 * @done: bytes read; less than @len at the end of the file
 *
 * Return: 0; -EHWPOISON a page is bad, when nothing was read; -EINVAL the
 * range does not fit in 63 bits.
 */
int dax_file_read(struct dax_file *file, uint64_t pos, void *to, size_t len,
	size_t *done) DAX_MUST_CHECK;

/**
 * dax_file_write() - write bytes, durably
 * @file: file
 * @pos: byte
 * @from: where from
 * @len: bytes
 * @done: bytes written
 *
 * The bytes are flushed; the metadata is not committed. Past the end of the
 * file: what is between reads as zeros, also what was stored there through a
 * page table.
 *
 * Return: 0; -ENOSPC, -ENOMEM, -EIO, when nothing was written; so is
 * -EHWPOISON, a part of a bad page was to be, or to be zeroed, and what
 * dax_badblocks_clear() says of all of one; -EINVAL as dax_file_read().
 * Models: fs/ext4/file.c ext4_dax_write_iter(), v6.12. Differs: zeroes what
 * is between, as fs/xfs/xfs_file.c xfs_file_write_checks() does.
 */
int dax_file_write(struct dax_file *file, uint64_t pos, const void *from,
	size_t len, size_t *done) DAX_MUST_CHECK;

/**
 * dax_file_truncate() - set the size
 * @file: file
 * @size: bytes
 *
 * What is past the new end is gone, also for page tables: accesses there are
 * answered with SIGBUS. Growing makes a hole. Waits for the pins of pages that
 * go, or are zeroed in part; so do dax_file_change() and dax_file_clone().
 *
 * Return: 0; -EINVAL @size does not fit in 63 bits; -ENOMEM; -ENOSPC the last
 * page is shared; -EIO it, or what is dirty beside it, could not be flushed;
 * -EHWPOISON it is bad, and would be zeroed in part.
 * Models: fs/ext4/inode.c ext4_setattr(), v6.12.
 */
int dax_file_truncate(struct dax_file *file, uint64_t size) DAX_MUST_CHECK;

/**
 * enum dax_file_change - what dax_file_change() does to a range
 * @DAX_FILE_ALLOCATE: give holes unwritten blocks; the file may grow
 * @DAX_FILE_PUNCH: free whole blocks, zero the rest; the size stays
 * @DAX_FILE_ZERO: make whole blocks unwritten, zero the rest; may grow
 * @DAX_FILE_COLLAPSE: take the range out: what follows moves up
 */
enum dax_file_change {
	DAX_FILE_ALLOCATE,
	DAX_FILE_PUNCH,
	DAX_FILE_ZERO,
	DAX_FILE_COLLAPSE,
};

/**
 * dax_file_change() - fallocate(2)
 * @file: file
 * @change: what to do
 * @pos: byte
 * @len: bytes, not 0
 *
 * When it fails the size is as it was, but part of the range may have been
 * allocated, or its edges (DAX_FILE_ZERO: any part of it) zeroed.
 *
 * Return: 0; -ENOSPC, -ENOMEM; -EINVAL @len is 0, or the range does not fit in
 * 63 bits, or (DAX_FILE_COLLAPSE) is not of whole pages or reaches the end;
 * -EIO the range had to be written back and could not; -EHWPOISON a page is
 * bad, and would be zeroed in part.
 * Models: fs/ext4/extents.c ext4_fallocate(), v6.12.
 */
int dax_file_change(struct dax_file *file, enum dax_file_change change,
	uint64_t pos, uint64_t len) DAX_MUST_CHECK;

/**
 * dax_file_clone() - a new file that shares the blocks of another
 * @from: file
 * @out: the clone, or NULL on error
 *
 * Return: 0; -ENOMEM, -EMFILE as dax_file_new(); -EMLINK a block is shared too
 * often; -EIO @from had to be written back and could not.
 * Models: ioctl(FICLONE) of fs/xfs, v6.12. Differs: ext4 has none.
 */
int dax_file_clone(struct dax_file *from, struct dax_file **out) DAX_MUST_CHECK;

/**
 * dax_file_dedupe() - have equal ranges of two files share their blocks
 * @src: whose blocks are kept
 * @src_pos: byte, of a page the first
 * @dst: whose blocks go; may be @src
 * @dst_pos: byte, of a page the first
 * @len: bytes; of whole pages, or to the ends of both files. 0: does nothing
 *
 * Compares what both have, with writes, stores and pins kept out, and then has
 * @dst share what is written in @src; no byte changes. The last pages of both
 * are compared as a whole, also past the end of the files. A file's holes and
 * what it has not written stay as they are, and are not equal to zeros that
 * were written.
 *
 * Makes durable what was stored in the ranges, as dax_file_clone() does. Waits
 * for the pins of their pages.
 *
 * Context: may sleep; hold no lock. Takes INODE and INVALIDATE of both files.
 * Ordering: None.
 * Threads: any number.
 * Return: 0; -EBADE the ranges differ (FILE_DEDUPE_RANGE_DIFFERS), nothing has
 * changed; -EINVAL a position or the length is not of whole pages, a range is
 * not in its file, or both overlap; -EXDEV the files are of two file systems;
 * -EHWPOISON a page cannot be read; -EIO what was stored could not be made
 * durable; -ENOMEM, -EMLINK as dax_file_clone(), when a part may be shared.
 * Models: ioctl(FIDEDUPERANGE): fs/remap_range.c vfs_dedupe_file_range_one(),
 * fs/dax.c dax_remap_file_range_prep(), fs/xfs, v6.12. Differs: a range that is
 * not of whole pages is refused, not shortened.
 */
int dax_file_dedupe(struct dax_file *src, uint64_t src_pos,
	struct dax_file *dst, uint64_t dst_pos, uint64_t len) DAX_MUST_CHECK;

/**
 * dax_file_unshare() - give a range blocks that no other file has
 * @file: file
 * @pos: byte
 * @len: bytes, not 0
 *
 * Each page of the range whose block is shared is copied to one of its own, so
 * that stores to it move nothing any more; holes and what is not written stay
 * as they are, and so does the size. A file that shares nothing after it is as
 * one that never did. Waits for the pins of its pages.
 *
 * Context: may sleep; hold no lock. Takes INODE and INVALIDATE.
 * Ordering: None.
 * Threads: any number.
 * Return: 0; -EINVAL @len is 0, or the range does not fit in 63 bits; -ENOSPC,
 * -ENOMEM, -EHWPOISON a page cannot be read, -EIO what was stored could not be
 * made durable: a part of the range may have been unshared, and the rest is as
 * it was.
 * Models: fs/dax.c dax_file_unshare(), v6.12, as fallocate(2) with
 * FALLOC_FL_UNSHARE_RANGE calls it. Differs: holes are not allocated.
 */
int dax_file_unshare(struct dax_file *file, uint64_t pos,
	uint64_t len) DAX_MUST_CHECK;

/**
 * enum dax_sync_mode - what else than data
 * @DAX_SYNC_ALL: fsync(2)
 * @DAX_SYNC_DATA: fdatasync(2): what is needed to read the data back; here
 *	the same, as no times are kept
 * @DAX_SYNC_PAGES: sync_file_range(2): nothing
 */
enum dax_sync_mode {
	DAX_SYNC_ALL,
	DAX_SYNC_DATA,
	DAX_SYNC_PAGES,
};

/**
 * dax_file_sync() - make a range of a file durable
 * @file: file
 * @mode: see there
 * @pos: byte
 * @len: bytes; 0: to the end
 *
 * Return: as dax_fsync_range(); -EINVAL the range does not fit in 63 bits.
 */
int dax_file_sync(struct dax_file *file, enum dax_sync_mode mode, uint64_t pos,
	uint64_t len) DAX_MUST_CHECK;

/**
 * struct dax_extent - a piece of the block map
 * @index: first page in the file
 * @pfn: first page on the device; 0 for a hole
 * @nr: pages
 * @type: of &enum dax_iomap_type
 * @shares: how many files have its first block
 */
struct dax_extent {
	dax_pgoff_t index;
	uint64_t pfn;
	uint64_t nr;
	enum dax_iomap_type type;
	unsigned int shares;
};

/**
 * dax_file_extent() - what is at a page
 * @file: file
 * @index: page
 * @extent: the piece from @index on; the last hole reaches to page UINT64_MAX
 */
void dax_file_extent(
	struct dax_file *file, dax_pgoff_t index, struct dax_extent *extent);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif

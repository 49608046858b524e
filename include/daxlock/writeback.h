/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: daxlock/writeback.h - making what was stored through page tables durable
 *
 * A store through a page table tells nobody. So the entry is marked dirty
 * before write permission is given, and cleaning goes the other way round:
 *
 *      a write fault                        writeback
 *      ------------------------------       ---------------------------------
 *      locks the entry                      tags what is DIRTY as TOWRITE
 *      (A) marks it DIRTY                   locks each entry
 *      (B) gives write permission           (C) write-protects every page table
 *      unlocks                              (D) flushes, drains
 *                                           (E) clears both tags, unlocks
 *
 * A store after (C) faults, waits for the lock, and marks DIRTY again after
 * (E). Were (E) before (D), for either tag, a second fsync would return before
 * the data is durable; were (D) before (C), a store between them would be lost.
 *
 * Guarantees
 *   G1	When a call returns 0, every store to the range that returned before it
 *	was called is durable.
 *   G2	An entry is written as a whole, also one of 2 MiB that only reaches into
 *	the range.
 *   G3	An entry that could not be flushed stays dirty, and the error is kept
 *	for the next fsync as well.
 *
 * All calls may race with each other, with faults and with truncation.
 */
#ifndef DAXLOCK_WRITEBACK_H
#define DAXLOCK_WRITEBACK_H

#include <daxlock/attributes.h>
#include <daxlock/entry.h>
#include <daxlock/space.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/**
 * dax_writeback_mapping_range() - write back what is dirty in a range
 * @space: space
 * @first: page
 * @last: page, inclusive
 *
 * Context: may sleep. Takes and drops ENTRY, I_MMAP, PTE.
 * Ordering: see above.
 * Threads: any number.
 * Return: 0; -EIO, ... the first error of the flushes; those after it were
 *	not tried.
 * Models: fs/dax.c dax_writeback_mapping_range(), v6.12.
 */
int dax_writeback_mapping_range(struct dax_space *space, dax_pgoff_t first,
	dax_pgoff_t last) DAX_MUST_CHECK;

/**
 * dax_filemap_write_and_wait_range() - write back a range, if the file is dirty
 * @space: space
 * @first: page
 * @last: page, inclusive
 *
 * As dax_writeback_mapping_range(), but does nothing at all when no entry of
 * the file is dirty.
 *
 * Context: may sleep. Takes and drops ENTRY, I_MMAP, PTE.
 * Threads: any number.
 * Return: as dax_writeback_mapping_range().
 * Models: mm/filemap.c filemap_write_and_wait_range(), v6.12.
 */
int dax_filemap_write_and_wait_range(struct dax_space *space, dax_pgoff_t first,
	dax_pgoff_t last) DAX_MUST_CHECK;

/**
 * dax_fsync_range() - make a range of a file durable, and what leads to it
 * @space: space
 * @first: page
 * @last: page, inclusive; DAX_LAST_PAGE: all
 *
 * Writes back, then has the file system make its metadata durable.
 *
 * Context: may sleep. Takes and drops ENTRY, I_MMAP, PTE.
 * Threads: any number.
 * Return: 0; an error of this writeback, or of one before it that nobody was
 *	told of yet.
 * Models: fs/sync.c vfs_fsync_range() with datasync, v6.12.
 */
int dax_fsync_range(struct dax_space *space, dax_pgoff_t first,
	dax_pgoff_t last) DAX_MUST_CHECK;

/** DAX_LAST_PAGE - the page of the last byte that a file can have */
#define DAX_LAST_PAGE ((dax_pgoff_t)0x7ffffffffffff)

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif

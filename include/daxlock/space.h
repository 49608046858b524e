/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: daxlock/space.h - what a file system and the fault handlers share
 *
 * A space is one file as memory management sees it (the kernel's struct
 * address_space): the mapping that locks its entries, the virtual memory areas
 * that show it, the error of its last writeback, and a set of iomap
 * operations. The operations are all that fault handlers and writeback know of
 * a file system, so that another one can be plugged in: daxlock/file.h is one.
 *
 * Information flows one way, and so do changes:
 *
 *      block map  --iomap-->  entry  --insert-->  page tables
 *
 * A fault locks the entry, asks for the block, stores the entry, sets the page
 * table, and only then unlocks. Whoever takes blocks away holds the invalidate
 * lock, which faults hold shared; changes the block map; drops the entries;
 * then unmaps.
 *
 * Guarantees
 *   G1	Each iomap_begin that succeeded is followed by one iomap_end, in the
 *	same thread.
 *   G2	When dax_unmap_mapping_pages() returns, no page table that existed when
 *	it was called shows the pages, and no load or store through one runs.
 *	The same holds for dax_space_kill(), and it stays so.
 *   G3	An error of writeback is reported by one later fsync.
 *
 * Lock order: INODE (the file's own), MMAP (of an address space), INVALIDATE,
 * ENTRY, EXTENT (the file's block map), I_MMAP (who shows the file), PTE.
 *
 * All calls on a space may race with each other, but for dax_space_delete().
 */
#ifndef DAXLOCK_SPACE_H
#define DAXLOCK_SPACE_H

#include <stdbool.h>
#include <stdint.h>

#include <daxlock/attributes.h>
#include <daxlock/entry.h>
#include <daxlock/mapping.h>
#include <daxlock/pgmap.h>
#include <daxlock/trace.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

struct dax_space;

/* ---- profiles ---- */

/**
 * struct dax_profile - which kernel's behaviour is shown
 * @name: "6.12", "6.1"
 * @reads_dirty: every insertion that need not wait for metadata marks the
 *	entry dirty, reads and zero pages too
 * @punch_writes_back: punching a hole writes the range back first
 * @mprotect_restores_pmd: a dirty PMD leaf is writable again as soon as its
 *	area is; otherwise by a fault
 *
 * What programs can see. The pages of a device are those of the 2022 series in
 * each of them (daxlock/pgmap.h).
 */
struct dax_profile {
	const char *name;
	bool reads_dirty;
	bool punch_writes_back;
	bool mprotect_restores_pmd;
};

/** DAX_PROFILE_DEFAULT - what is shown when nobody chooses */
#define DAX_PROFILE_DEFAULT "6.12"

/**
 * dax_profile_find() - a profile by name
 * @name: as "6.12"; NULL: the default
 *
 * Return: the profile, const and for ever; NULL: no such name.
 */
const struct dax_profile *dax_profile_find(const char *name);

/* ---- iomap ---- */

/**
 * enum dax_iomap_type - what is there
 * @DAX_IOMAP_HOLE: nothing
 * @DAX_IOMAP_UNWRITTEN: blocks that read as zeros
 * @DAX_IOMAP_MAPPED: blocks
 */
enum dax_iomap_type {
	DAX_IOMAP_HOLE,
	DAX_IOMAP_UNWRITTEN,
	DAX_IOMAP_MAPPED,
};

/**
 * enum dax_iomap_flags - what else is to be known
 * @DAX_IOMAP_NEW: allocated, or made written, by this call, and zeroed
 * @DAX_IOMAP_DIRTY: metadata needed to find the blocks is not durable yet
 * @DAX_IOMAP_SHARED: write: another file has the blocks that were there; the
 *	bytes have been copied to these. What is mapped is stale, and must be
 *	gone before iomap_end
 * @DAX_IOMAP_REFLINK: others have some of the blocks, or have had them, and a
 *	page of them is not idle yet: each page counts by itself
 */
enum dax_iomap_flags {
	DAX_IOMAP_NEW = 1 << 0,
	DAX_IOMAP_DIRTY = 1 << 1,
	DAX_IOMAP_SHARED = 1 << 2,
	DAX_IOMAP_REFLINK = 1 << 3,
};

/** enum dax_iomap_use - what the range is wanted for */
enum dax_iomap_use {
	DAX_IOMAP_READ,
	DAX_IOMAP_WRITE,
};

/**
 * struct dax_iomap - a piece of a file's block map
 * @pos: first byte in the file; as asked for, a multiple of the page size
 * @len: bytes, at most what was asked for; a multiple of the page size
 * @pfn: where @pos is on the device, of a mapped or unwritten piece; not 0
 * @source_pfn: where the bytes were, of a shared piece; for iomap_end
 * @type: of &enum dax_iomap_type
 * @flags: of &enum dax_iomap_flags
 */
struct dax_iomap {
	uint64_t pos;
	uint64_t len;
	uint64_t pfn;
	uint64_t source_pfn;
	enum dax_iomap_type type;
	unsigned int flags;
};

/**
 * struct dax_space_ops - what a space asks of its file system
 * @size: bytes in the file. Stable while INODE or INVALIDATE is held
 * @iomap_begin: the piece of the block map that begins at @iomap->pos and is
 *	at most @iomap->len long. For a write it has blocks on return, and the
 *	new among them are zeroed. Called with ENTRY held; 0, -ENOMEM, -EIO,
 *	-ENOSPC no block is left, and nothing else (see make_room). Models:
 *	struct iomap_ops.iomap_begin, v6.12
 * @iomap_end: the piece is no longer used; of a shared one, nothing shows what
 *	was there before, and others may have it. Models: .iomap_end, v6.12
 * @direct_access: where the pages @pfn to @pfn + @nr - 1 are in this process.
 *	A fault asks with ENTRY held; one that does not see what was stored
 *	before dax_unmap_pages() was called is found there, and undone. 0;
 *	-EHWPOISON one is bad; -ENXIO the device is dying
 * @flush: make what was stored in the pages durable. 0; -EIO
 * @sync: make the metadata of the file durable that is needed to read it
 *	back. 0; -EIO
 * @make_room: may a write that met -ENOSPC be tried again? It is for as long as
 *	this says so. Holds INVALIDATE, no ENTRY
 */
struct dax_space_ops {
	uint64_t (*size)(void *owner);
	int (*iomap_begin)(
		void *owner, enum dax_iomap_use use, struct dax_iomap *iomap);
	void (*iomap_end)(void *owner, const struct dax_iomap *iomap);
	int (*direct_access)(
		void *owner, uint64_t pfn, uint64_t nr, void **address);
	int (*flush)(void *owner, uint64_t pfn, uint64_t nr);
	int (*sync)(void *owner);
	bool (*make_room)(void *owner);
};

/**
 * struct dax_space_limits - what areas and leaves of a space are like
 * @min_order: of leaves: areas begin and end at multiples of it, and a fault
 *	that would need a smaller leaf is SIGBUS
 * @max_order: of leaves
 * @shared_only: there are no private areas
 * @longterm_pins: pages may be pinned for as long as somebody likes, as no
 *	storage is ever taken away but with all of it
 *
 * A file has leaves of a PTE and a PMD, and any areas. A device that is mapped
 * without a file system has leaves of one order.
 */
struct dax_space_limits {
	unsigned int min_order;
	unsigned int max_order;
	bool shared_only;
	bool longterm_pins;
};

/**
 * struct dax_space_params - how a space is made
 * @ops: outlives it
 * @owner: passed to @ops
 * @limits: NULL: those of a file
 * @ino: a number for traces
 * @profile: NULL: the default
 * @trace: NULL: none; outlives it
 * @waitqs: where its sleepers wait; NULL: the table of the process
 * @stats: where its mapping counts; NULL: nowhere; outlives it
 * @pgmap: whose pages its blocks are; outlives it. NULL: they are not counted
 */
struct dax_space_params {
	const struct dax_space_ops *ops;
	void *owner;
	const struct dax_space_limits *limits;
	uint64_t ino;
	const struct dax_profile *profile;
	struct dax_trace *trace;
	struct dax_waitq_table *waitqs;
	struct dax_stats *stats;
	struct dax_pgmap *pgmap;
};

/**
 * dax_space_new() - a space with no entries, shown by nobody
 * @params: all but @ops may be 0
 * @out: the space, or NULL on error
 *
 * Return: as dax_mapping_new().
 */
int dax_space_new(const struct dax_space_params *params,
	struct dax_space **out) DAX_MUST_CHECK;

/**
 * dax_space_delete() - free a space and its mapping
 * @space: set to NULL; NULL is accepted
 *
 * Waits for the pins of its pages.
 *
 * Context: may sleep. Hold nothing that those who have a page pinned need.
 * Threads: no other call on it may run; no area shows it.
 */
void dax_space_delete(struct dax_space **space);

/** dax_space_mapping() - the mapping of a space; lives as long */
struct dax_mapping *dax_space_mapping(struct dax_space *space);

/* ---- for file systems ---- */

/**
 * dax_filemap_invalidate_lock() - keep faults out, and wait for those inside
 * @space: space
 *
 * Context: may sleep. Takes INVALIDATE.
 * Models: include/linux/fs.h filemap_invalidate_lock(), v6.12.
 */
void dax_filemap_invalidate_lock(struct dax_space *space);
void dax_filemap_invalidate_unlock(struct dax_space *space);

/**
 * enum dax_break_mode - what to do about pages that are pinned
 * @DAX_BREAK_WAIT: wait for them
 * @DAX_BREAK_TRY: say so
 */
enum dax_break_mode {
	DAX_BREAK_WAIT,
	DAX_BREAK_TRY,
};

/**
 * struct dax_break - how dax_break_layouts() goes about it
 * @first: page of the file, the first whose storage is to go
 * @last: page, inclusive; UINT64_MAX: to the end
 * @mode: see there
 * @limit: when to give up; NULL: never
 * @unlock: drop what faults, and those with pins, may need: INVALIDATE at the
 *	least. NULL: just that
 * @lock: take it again
 * @context: passed to both
 */
struct dax_break {
	dax_pgoff_t first;
	dax_pgoff_t last;
	enum dax_break_mode mode;
	const struct dax_wait_limit *limit;
	void (*unlock)(void *context);
	void (*lock)(void *context);
	void *context;
};

/**
 * dax_break_layouts() - have nobody reach the pages of a file
 * @space: space; INVALIDATE held, as on return
 * @how: NULL: all pages, wait for ever
 *
 * Takes every page of the file out of every page table (private copies stay),
 * and makes sure that none of the range is pinned. While it waits for a pin,
 * the caller's locks are dropped; faults may come, and pins, so it begins anew
 * after that. An area need not show the file any more: pins stay.
 *
 * On success, and until INVALIDATE is dropped, the range can be taken away.
 *
 * Context: may sleep. Takes and drops ENTRY, I_MMAP, PTE. What @unlock does not
 * drop must not be needed by anybody who has a page pinned.
 * Return: 0; -ERESTART a page is pinned (DAX_BREAK_TRY); -ETIMEDOUT;
 * -ECANCELED.
 * Models: fs/dax.c dax_break_layout(), v6.15; dax_zap_mappings(), 2022 series.
 */
int dax_break_layouts(
	struct dax_space *space, const struct dax_break *how) DAX_MUST_CHECK;

/**
 * dax_unmap_mapping_pages() - have pages of a file in no page table
 * @space: space
 * @first: page
 * @nr: pages; DAX_TRACE_ALL: to the end
 *
 * A PMD leaf that reaches into the range goes as a whole. Private copies stay.
 *
 * Context: may sleep. Takes and drops I_MMAP, PTE.
 * Models: mm/memory.c unmap_mapping_pages(), v6.12.
 */
void dax_unmap_mapping_pages(
	struct dax_space *space, dax_pgoff_t first, uint64_t nr);

/**
 * enum dax_truncate_mode - what becomes of private copies
 * @DAX_TRUNCATE_KEEP_COPIES: they stay, as for a hole
 * @DAX_TRUNCATE_ALL: they go too, as past the end of the file
 */
enum dax_truncate_mode {
	DAX_TRUNCATE_KEEP_COPIES,
	DAX_TRUNCATE_ALL,
};

/**
 * dax_truncate_pagecache_range() - unmap pages and drop their entries
 * @space: space; INVALIDATE held
 * @first: page
 * @last: page, inclusive; UINT64_MAX: to the end
 * @mode: see there
 *
 * Context: may sleep. Takes and drops ENTRY, I_MMAP, PTE.
 * Models: mm/truncate.c truncate_pagecache_range(), v6.12.
 */
void dax_truncate_pagecache_range(struct dax_space *space, dax_pgoff_t first,
	dax_pgoff_t last, enum dax_truncate_mode mode);

/**
 * dax_invalidate_inode_pages2_range() - blocks changed: forget what was there
 * @space: space
 * @first: page
 * @last: page, inclusive
 *
 * Drops clean entries, then unmaps. An entry that is dirty stays: it is
 * unmapped only, and the next fault reads the block map again.
 *
 * Context: may sleep. Takes and drops ENTRY, I_MMAP, PTE.
 * Models: mm/truncate.c invalidate_inode_pages2_range(), v6.12.
 */
void dax_invalidate_inode_pages2_range(
	struct dax_space *space, dax_pgoff_t first, dax_pgoff_t last);

/**
 * dax_dedupe_file_range_compare() - have two ranges the same bytes?
 * @src: space; INVALIDATE held
 * @src_pos: byte, of a page the first
 * @dst: space, may be @src; INVALIDATE held
 * @dst_pos: byte, of a page the first
 * @len: bytes, of whole pages
 *
 * What is a hole, or not written, is like what is so, too, and like nothing
 * else, zeros or not. The answer stays true while the caller keeps out writes,
 * page tables and pins: see dax_break_layouts().
 *
 * Context: does not sleep, unless iomap_begin does. Takes no ENTRY.
 * Ordering: None.
 * Threads: any number.
 * Return: 0; -EBADE they differ; -EHWPOISON and others as direct_access and
 *	iomap_begin of &struct dax_space_ops.
 * Models: fs/dax.c dax_dedupe_file_range_compare(), v6.12. Differs: says by its
 *	result what the kernel stores in is_same; compares the bytes of what is
 *	written only, where the kernel takes unwritten blocks for written ones.
 */
int dax_dedupe_file_range_compare(struct dax_space *src, uint64_t src_pos,
	struct dax_space *dst, uint64_t dst_pos, uint64_t len) DAX_MUST_CHECK;

/**
 * dax_space_kill() - the storage is going away: have nothing use it any more
 * @space: space
 *
 * Refuses what comes: a fault is SIGBUS, and dax_mmap() fails with -ENXIO.
 * Waits for the faults that run; takes every page out of every page table,
 * private copies too; drops every entry, dirty or not, for which it waits while
 * it is locked, or its page is pinned. When it returns, no load, store, fault
 * or writeback uses the storage, and none will. What reads and writes it in
 * other ways, as a file system may, is for its owner to keep out.
 *
 * Context: may sleep. Takes INVALIDATE, ENTRY, I_MMAP, PTE; hold no ENTRY.
 * Threads: any number; a space that is dead stays so.
 * Models: drivers/dax/bus.c kill_dev_dax(), v6.12. Differs: faults are kept
 * out by INVALIDATE and not by SRCU, and there are entries to drop.
 */
void dax_space_kill(struct dax_space *space);

/**
 * dax_space_evict() - drop the clean entries of a file that nobody shows
 * @space: space
 *
 * A file that is mapped is left alone: an entry that is dropped under a page
 * table cannot be found by those who must flush or unmap it.
 *
 * Context: may sleep. Takes INVALIDATE, ENTRY.
 */
void dax_space_evict(struct dax_space *space);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: daxlock/mapping.h - the entry-lock protocol
 *
 * A mapping holds the entries of one file (daxlock/entry.h) and lets threads
 * lock them one by one. The life of an entry, with the call on each edge:
 *
 *                    grab: nothing there
 *      (absent) ------------------------------> EMPTY, locked
 *         ^                                       |        |
 *         | invalidate, delete                    | insert | unlock
 *         | (wakes all)                           v        v
 *         |            lock, grab            with a pfn, or ZERO_PAGE, locked
 *      unlocked <------------------------------->  |
 *                       unlock (wakes next)        | grab, order 0, of a PMD
 *                                                  | zero or empty entry:
 *                                                  v downgrade (wakes all)
 *                                               PTE, EMPTY, locked
 *
 * A locked entry is changed only by the thread that locked it. Who finds it
 * locked sleeps on (mapping, first index of the entry), in order of arrival.
 * Unlocking wakes one; removing or splitting an entry wakes all who slept on
 * it, since they may now want different entries.
 *
 * All calls on one mapping may race with each other, but for
 * dax_mapping_delete() and dax_mapping_verify(). Every thread may call; the
 * library registers it with liburcu at its first call and unregisters it when
 * it ends. A thread that its program registers with liburcu's memb flavour
 * itself must do so before its first call here. Signal handlers must not call.
 * Nor may a child process between fork(2) and exec(3): the thread that liburcu
 * runs grace periods for us in is its parent's.
 *
 * Context, unless a call says otherwise: hold no TREE and no WAITQ. A call
 * that waits for an entry while the thread holds others must be for an entry
 * above them: mappings in order of address, entries in order of index. Calls
 * that do not wait, or wait for a limited time, may be for any.
 *
 * Misuse aborts in checked builds (-Dbuildtype=debug), with the entry decoded.
 * In others an unlock of what is not locked does nothing, and the value that
 * the tree has wins over the one passed. Two misuses are beyond help there: an
 * owner who goes on using an entry that another thread has unlocked for it and
 * removed, and two threads that unlock one lock in the same moment.
 */
#ifndef DAXLOCK_MAPPING_H
#define DAXLOCK_MAPPING_H

#include <stdbool.h>
#include <stdint.h>

#include <daxlock/attributes.h>
#include <daxlock/entry.h>
#include <daxlock/pgmap.h>
#include <daxlock/tree.h>
#include <daxlock/waitq.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

struct dax_mapping;
struct dax_stats;

/**
 * struct dax_mapping_ops - what a mapping asks of its owner
 * @unmap: pages @index to @index + @nr - 1 must leave every page table before
 *	it returns. Called with the entry that covers them locked (ENTRY held),
 *	TREE and WAITQ not. May sleep; must not lock entries of the mapping.
 *	NULL: nothing is ever mapped. Models mm/memory.c unmap_mapping_pages().
 */
struct dax_mapping_ops {
	void (*unmap)(void *owner, dax_pgoff_t index, uint64_t nr);
};

/**
 * struct dax_mapping_params - how a mapping is made; {0} is a good default
 * @waitqs: where its sleepers wait; outlives all calls. NULL: the table that
 *	all mappings of the process share
 * @ops: outlives it; NULL: none
 * @owner: passed to @ops
 * @stats: where it counts (daxlock/stats.h); outlives it. NULL: nowhere, and
 *	its locks are quicker
 * @pgmap: the device whose pages its entries name: each entry with storage is
 *	the owner of its pages, and holds them until it is zapped. Outlives it,
 *	and so does what @waitqs says. NULL: pages are not counted
 */
struct dax_mapping_params {
	struct dax_waitq_table *waitqs;
	const struct dax_mapping_ops *ops;
	void *owner;
	struct dax_stats *stats;
	struct dax_pgmap *pgmap;
};

/**
 * dax_mapping_new() - an empty mapping
 * @params: NULL: all defaults
 * @out: the mapping, or NULL on error
 *
 * Return: 0; -ENOMEM; -EMFILE as dax_pgmap_add_owner().
 */
int dax_mapping_new(const struct dax_mapping_params *params,
	struct dax_mapping **out) DAX_MUST_CHECK;

/**
 * dax_mapping_delete() - free a mapping and all that is in it
 * @m: set to NULL; NULL is accepted. A page of its entries that is pinned is
 *	left without an owner: see dax_zap_mappings_range()
 *
 * Threads: no other call on the mapping may run, nobody may sleep in it. One
 *may still return: the unlock of an entry that the caller, or whom it waited
 *	for, removed since. dax_lock_page() may run: it is a call on the device,
 *	and finds the mapping gone.
 */
void dax_mapping_delete(struct dax_mapping **m);

/* ---- grabbing and locking ---- */

/**
 * dax_grab_mapping_entry() - the entry at an index, locked; made if absent
 * @m: mapping; must outlive the call
 * @index: file offset in pages, not bytes
 * @order: DAX_PTE_ORDER, DAX_PMD_ORDER or DAX_PUD_ORDER; log2 pages
 * @out: the entry; written only on success
 *
 * What is there already is returned as it is when it is at least as large as
 * asked for, with one exception: a zero or empty entry that is larger is
 * downgraded. It is unmapped (if it is a zero entry), replaced in one step by
 * an EMPTY entry of @order at @index, and all who slept on it are woken; the
 * rest of its range is then absent. Where nothing is, an EMPTY entry is made.
 *
 * Context: may sleep. Takes and drops TREE, WAITQ; returns holding ENTRY. The
 *	mapping's @unmap may be called.
 * Ordering: acquire on the lock bit; pairs with the release in
 *	dax_unlock_entry() [MO-2].
 * Threads: any number.
 * Return: 0; -EEXIST there are smaller entries in the range: fall back to
 *	them; decided at once, without sleeping; -ENOMEM nothing changed,
 *	nothing is left locked.
 * Models: fs/dax.c grab_mapping_entry(), v6.12. Differs: returns errno, not an
 *	internal entry; the downgrade is one step, not a removal and an insert.
 */
int dax_grab_mapping_entry(struct dax_mapping *m, dax_pgoff_t index,
	unsigned int order, dax_entry_t *out) DAX_MUST_CHECK;

/**
 * dax_lock_entry() - lock the entry that covers an index
 * @m: mapping
 * @index: in pages
 * @out: the entry; written only on success
 *
 * Context: may sleep. Takes and drops WAITQ; returns holding ENTRY.
 * Ordering: acquire; pairs with the release in dax_unlock_entry() [MO-2].
 * Threads: any number.
 * Return: 0; -ENOENT no entry covers @index.
 * Models: fs/dax.c get_unlocked_entry() then dax_lock_entry(), v6.12.
 */
int dax_lock_entry(struct dax_mapping *m, dax_pgoff_t index,
	dax_entry_t *out) DAX_MUST_CHECK;

/**
 * dax_trylock_entry() - lock the entry that covers an index, or say no
 * @m: mapping
 * @index: in pages
 * @out: the entry; written only on success
 *
 * Context: never sleeps.
 * Ordering: as dax_lock_entry().
 * Threads: any number.
 * Return: 0; -ENOENT no entry covers @index; -EBUSY it is locked.
 */
int dax_trylock_entry(struct dax_mapping *m, dax_pgoff_t index,
	dax_entry_t *out) DAX_MUST_CHECK;

/**
 * dax_lock_entry_timed() - lock the entry that covers an index, or give up
 * @m: mapping
 * @index: in pages
 * @timeout_ns: how long to sleep at most, in ns
 * @out: the entry; written only on success
 *
 * A wake that came too late is passed on: no other sleeper loses by it.
 *
 * Context: may sleep for @timeout_ns. Returns holding ENTRY on success.
 * Ordering: as dax_lock_entry().
 * Threads: any number.
 * Return: 0; -ENOENT no entry covers @index; -ETIMEDOUT.
 */
int dax_lock_entry_timed(struct dax_mapping *m, dax_pgoff_t index,
	uint64_t timeout_ns, dax_entry_t *out) DAX_MUST_CHECK;

/**
 * dax_lock_entry_cancellable() - lock the entry that covers an index, unless
 *	another thread says otherwise
 * @m: mapping
 * @index: in pages
 * @cancel: dax_cancel_fire() ends the sleep
 * @out: the entry; written only on success
 *
 * An entry that is free is locked even when @cancel was fired before.
 *
 * Context: may sleep. Returns holding ENTRY on success.
 * Ordering: as dax_lock_entry().
 * Threads: any number, one at a time for each @cancel.
 * Return: 0; -ENOENT no entry covers @index; -ECANCELED.
 */
int dax_lock_entry_cancellable(struct dax_mapping *m, dax_pgoff_t index,
	struct dax_cancel *cancel, dax_entry_t *out) DAX_MUST_CHECK;

/**
 * dax_unlock_entry() - unlock an entry and wake the next who waits for it
 * @m: mapping
 * @index: in pages; any index that the entry covers
 * @entry: the entry, as it was locked, or as dax_insert_entry() left it
 *
 * Context: does not sleep. Holds ENTRY on entry, not on return. Takes and
 *	drops WAITQ, only if somebody waits.
 * Ordering: release; pairs with the acquire of whoever locks next [MO-2].
 * Threads: the one that locked it.
 * Models: fs/dax.c dax_unlock_entry(), v6.12.
 */
void dax_unlock_entry(
	struct dax_mapping *m, dax_pgoff_t index, dax_entry_t entry);

/**
 * dax_get_unlocked_entry() - wait until an entry is not locked
 * @m: mapping
 * @index: in pages
 *
 * Somebody may lock or remove the entry before this returns. The caller may
 * have been woken instead of another: it owes dax_put_unlocked_entry().
 *
 * Context: may sleep. Takes and drops WAITQ.
 * Ordering: acquire; pairs with the release in dax_unlock_entry() [MO-2].
 * Threads: any number.
 * Return: the entry; 0 when no entry covers @index.
 * Models: fs/dax.c get_unlocked_entry(), v6.12. Differs: entries of every
 *	order are waited for.
 */
dax_entry_t dax_get_unlocked_entry(
	struct dax_mapping *m, dax_pgoff_t index) DAX_MUST_CHECK;

/**
 * dax_put_unlocked_entry() - decline an entry: pass the wake on
 * @m: mapping
 * @index: in pages, as for dax_get_unlocked_entry()
 * @entry: what that returned; 0 does nothing
 * @mode: DAX_WAKE_NEXT; DAX_WAKE_ALL to have every sleeper look again
 *
 * Context: does not sleep. Takes and drops WAITQ, only if somebody waits.
 * Threads: the one that got it.
 * Models: fs/dax.c put_unlocked_entry(), v6.12.
 */
void dax_put_unlocked_entry(struct dax_mapping *m, dax_pgoff_t index,
	dax_entry_t entry, enum dax_wake_mode mode);

/**
 * enum dax_lock_result - what dax_lock_mapping_entry() found
 * @DAX_LOCK_TAKEN: an entry with storage; it is locked now
 * @DAX_LOCK_ABSENT: no entry
 * @DAX_LOCK_ZERO: a zero entry, not locked
 * @DAX_LOCK_EMPTY: an empty entry, not locked
 */
enum dax_lock_result {
	DAX_LOCK_TAKEN,
	DAX_LOCK_ABSENT,
	DAX_LOCK_ZERO,
	DAX_LOCK_EMPTY,
};

/**
 * dax_lock_mapping_entry() - lock an entry for the sake of its page
 * @m: mapping
 * @index: in pages
 * @cookie: what to pass to dax_unlock_entry(); written only when taken
 * @pfn: the page of the device at @index; written only when taken
 *
 * For memory failure. Sleeps without a place in the queue, so it owes nobody
 * a wake when it finds that it does not want the entry.
 *
 * Context: may sleep. Takes and drops WAITQ; returns holding ENTRY when taken.
 * Ordering: as dax_lock_entry().
 * Threads: any number.
 * Return: see &enum dax_lock_result.
 * Models: fs/dax.c dax_lock_mapping_entry(), v6.12. Differs: says which kind
 *	of nothing it found; gives a pfn, not a page.
 */
enum dax_lock_result dax_lock_mapping_entry(struct dax_mapping *m,
	dax_pgoff_t index, dax_entry_t *cookie, uint64_t *pfn) DAX_MUST_CHECK;

/* ---- filling and removing ---- */

/**
 * enum dax_insert_flags - with &enum dax_entry_flags, how to insert
 * @DAX_DIRTY: mark the entry dirty
 * @DAX_COW: a copy was made of shared storage: replace what is there, and
 *	mark the entry TOWRITE as well if it is dirty
 * @DAX_SHARED: other mappings may have some of the storage, too: each page of
 *	it counts by itself, whatever the order of the entries
 */
enum dax_insert_flags {
	DAX_DIRTY = 1 << 8,
	DAX_COW = 1 << 9,
	DAX_SHARED = 1 << 10,
};

/**
 * dax_insert_entry() - give a locked entry its storage
 * @m: mapping
 * @index: in pages; any index that the entry covers
 * @entry: in: the entry, locked by the caller. Out: what is there now
 * @pfn: the entry's first page on the device
 * @flags: &enum dax_entry_flags (DAX_PMD, DAX_PUD as the entry is,
 *	DAX_ZERO_PAGE, DAX_EMPTY) and &enum dax_insert_flags
 *
 * Only zero, empty and (DAX_COW) shared entries are replaced; one that has
 * storage keeps it, and is only marked. A zero entry that is replaced by
 * storage, and a shared one, are unmapped first. An entry that was zapped holds
 * its page again.
 *
 * Context: holds ENTRY. May sleep in @unmap. Takes and drops TREE if it marks.
 * Ordering: a search for marks that starts after this finds the entry.
 * Threads: the one that locked it.
 * Return: 0, always if the mapping has no pgmap. Else also, and nothing
 *changed: -EIO the device is dying; -EFBIG @index is beyond what pages know;
 *-EBUSY as dax_page_associate(): a large entry falls back to smaller ones.
 * Models: fs/dax.c dax_insert_entry(), v6.12; as in the 2022 series it may
 *fail.
 */
int dax_insert_entry(struct dax_mapping *m, dax_pgoff_t index,
	dax_entry_t *entry, uint64_t pfn, unsigned int flags);

/**
 * dax_invalidate_mapping_entry_sync() - drop an entry if it is clean
 * @m: mapping
 * @index: in pages
 *
 * Waits while the entry is locked. Does not unmap: change the block map first,
 * then call this, then unmap. If the mapping has a pgmap, an entry with storage
 * is unmapped and zapped before it is dropped; if its page is pinned, it stays,
 * zapped, as that is how the pin is found. This holds for the next two, too.
 *
 * Context: may sleep. Takes and drops WAITQ, TREE.
 * Threads: any number.
 * Return: 1 dropped; 0 no entry, or one that is dirty, being written or pinned.
 * Models: fs/dax.c dax_invalidate_mapping_entry_sync(), v6.12.
 */
int dax_invalidate_mapping_entry_sync(struct dax_mapping *m, dax_pgoff_t index);

/**
 * dax_delete_mapping_entry() - drop an entry
 * @m: mapping
 * @index: in pages
 *
 * Waits while the entry is locked, then drops it, dirty or not.
 *
 * Context: may sleep. Takes and drops WAITQ, TREE.
 * Threads: any number.
 * Return: 1 dropped; 0 no entry, or one that is pinned.
 * Models: fs/dax.c dax_delete_mapping_entry(), v6.12.
 */
int dax_delete_mapping_entry(struct dax_mapping *m, dax_pgoff_t index);

/**
 * dax_delete_mapping_range() - drop every entry of a range
 * @m: mapping
 * @first: in pages
 * @last: in pages, inclusive; UINT64_MAX is the last page
 *
 * Entries that reach into the range go as a whole. Entries that others make
 * meanwhile may stay.
 *
 * Context: may sleep. Takes and drops WAITQ, TREE.
 * Threads: any number.
 * Return: entries dropped.
 * Models: fs/dax.c dax_delete_mapping_range(), v6.15. Differs: @last is in the
 *	range.
 */
uint64_t dax_delete_mapping_range(
	struct dax_mapping *m, dax_pgoff_t first, dax_pgoff_t last);

/* ---- pages ---- */

/**
 * dax_zap_mappings_range() - let go of the pages of a range, and find the pins
 * @m: mapping
 * @first: in pages
 * @last: in pages, inclusive; UINT64_MAX is the last page
 * @pfn: a page that somebody holds; written only with -EBUSY
 *
 * Entries stay, and name their pages, but do not hold them: a page that nobody
 * has pinned is idle, and cannot be pinned. One that other entries have as well
 * is not busy: it can be left to them. No page table shows the range, and
 * no fault runs: the caller has seen to that. Waits for each entry that is
 * locked, and looks at it again.
 *
 * Context: may sleep. Takes and drops WAITQ, ENTRY.
 * Threads: any number.
 * Return: 0 no page is busy, nor will be before the next fault; -EBUSY.
 * Models: fs/dax.c dax_zap_mappings_range(), 2022 series.
 */
int dax_zap_mappings_range(struct dax_mapping *m, dax_pgoff_t first,
	dax_pgoff_t last, uint64_t *pfn) DAX_MUST_CHECK;

/**
 * struct dax_page_lock - the locked entry of a page
 * @m: mapping that has the page; lives until dax_unlock_page()
 * @index: of the page in it
 * @entry: that covers @index
 */
struct dax_page_lock {
	struct dax_mapping *m;
	dax_pgoff_t index;
	dax_entry_t entry;
};

/**
 * dax_lock_page() - lock the entry of a page, whoever has it
 * @pgmap: device; every owner of its pages is a mapping
 * @pfn: page
 * @lock: written only on success
 *
 * For memory failure, which knows a page and nothing else. Holds no mapping
 * while it sleeps, and asks the page again after that.
 *
 * Context: may sleep. Takes and drops WAITQ; returns holding ENTRY. Hold none.
 * Ordering: as dax_lock_entry().
 * Threads: any number.
 * Return: 0; -ENOENT no entry has the page; -EMLINK several have it, and which
 *	they are is for the file system to know.
 * Models: fs/dax.c dax_lock_folio(), v6.12.
 */
int dax_lock_page(struct dax_pgmap *pgmap, uint64_t pfn,
	struct dax_page_lock *lock) DAX_MUST_CHECK;

/**
 * dax_unlock_page() - unlock what dax_lock_page() locked
 * @lock: may be used no more
 *
 * Models: fs/dax.c dax_unlock_folio(), v6.12.
 */
void dax_unlock_page(const struct dax_page_lock *lock);

/**
 * dax_unmap_pages() - have pages in no page table, whoever has them
 * @pgmap: device; every owner of its pages is a mapping
 * @pfn: first page; faults refuse it since before
 * @nr: pages; they need not be the device's
 *
 * Looks once at every entry of every mapping, and waits for each that is
 * locked: a page may be shared, and a fault about to show it. What shows an
 * entry that has one of the pages is unmapped as a whole. Pins stay.
 *
 * Context: may sleep. Takes and drops WAITQ, ENTRY; the mappings' @unmap is
 *	called. Hold none.
 * Ordering: a full barrier first. A fault that is not undone sees what was
 *	stored before the call, relaxed or not, when it asks whether the page is
 *	bad [MO-14].
 * Threads: any number.
 * Models: mm/memory-failure.c mf_dax_kill_procs(), v6.12, for all files.
 */
void dax_unmap_pages(struct dax_pgmap *pgmap, uint64_t pfn, uint64_t nr);

/* ---- looking ---- */

/**
 * dax_mapping_nrpages() - pages that the entries cover
 * @m: mapping
 *
 * A PMD entry counts as 2^DAX_PMD_ORDER, a placeholder as what it stands for.
 *
 * Threads: any number; exact when no other call runs.
 * Models: struct address_space.nrpages, v6.12.
 */
uint64_t dax_mapping_nrpages(const struct dax_mapping *m);

/**
 * dax_mapping_tree() - the tree of a mapping
 * @m: mapping
 *
 * For loading and searching raw words, and for marks. Inserting, replacing or
 * erasing entries behind the mapping's back breaks the protocol.
 *
 * Return: the tree; lives as long as the mapping.
 */
struct dax_tree *dax_mapping_tree(struct dax_mapping *m);

/**
 * dax_mapping_verify() - check a mapping that is at rest
 * @m: mapping; no other call runs, no entry is locked
 *
 * No lock bit, nobody asleep, page count equal to the tree's content, marks
 * and node counts consistent, no empty node.
 *
 * Context: walks the whole tree; for tests.
 * Return: NULL, or a sentence of what is wrong.
 */
const char *dax_mapping_verify(const struct dax_mapping *m) DAX_MUST_CHECK;

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif

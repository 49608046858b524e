/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A piece of code as a kernel developer might paste it: entries of an XArray
 * that carry a lock bit, whose sleepers are told apart by a wake function, and
 * the downgrade of a huge entry. Only the bugs, and that a file has its queues
 * with it, are for the sake of the tests.
 */
#ifndef KERNEL_FRAGMENT_H
#define KERNEL_FRAGMENT_H

#include <daxlock/kernel.h>

/* Bits of an entry's value. */
#define ENTRY_LOCKED	 1UL
#define ENTRY_HUGE	 2UL
#define ENTRY_USER_SHIFT 2

#define NR_QUEUES_SHIFT	 1

enum fragment_bug {
	NO_BUG,
	WAKE_ONE_AT_DOWNGRADE,
	KEY_OF_INDEX,	/* not of where the entry starts */
	QUEUE_TOO_LATE, /* after the lock was dropped */
	NO_RESET,	/* the state keeps its place */
	SLEEP_UNDER_LOCK,
	NO_WAKE_BY_WHO_DECLINES,
};

struct file {
	struct xarray pages;
	wait_queue_head_t queues[1 << NR_QUEUES_SHIFT];
	unsigned long nrpages; /* guarded by the lock of @pages */
	enum fragment_bug bug;
};

static inline void file_init(struct file *file, enum fragment_bug bug)
{
	xa_init_flags(&file->pages, XA_FLAGS_LOCK_IRQ);
	for (size_t i = 0; i < ARRAY_SIZE(file->queues); i++)
		init_waitqueue_head(&file->queues[i]);
	file->nrpages = 0;
	file->bug = bug;
}

static inline bool entry_is_locked(void *entry)
{
	return xa_to_value(entry) & ENTRY_LOCKED;
}

static inline unsigned int entry_order(void *entry)
{
	return xa_to_value(entry) & ENTRY_HUGE ? PMD_ORDER : 0;
}

static inline void *make_entry(unsigned long user, unsigned int order)
{
	return xa_mk_value(user << ENTRY_USER_SHIFT | (order ? ENTRY_HUGE : 0));
}

/* ---- sleeping and waking ---- */

struct entry_key {
	struct xarray *xa;
	unsigned long start;
};

struct entry_sleeper {
	wait_queue_entry_t wait;
	struct entry_key key;
};

static inline int wake_entry_sleeper(
	wait_queue_entry_t *wait, unsigned int mode, int flags, void *of)
{
	const struct entry_key *key = of;
	struct entry_sleeper *sleeper =
		container_of(wait, struct entry_sleeper, wait);

	if (sleeper->key.xa != key->xa || sleeper->key.start != key->start)
		return 0;
	return autoremove_wake_function(wait, mode, flags, NULL);
}

static inline wait_queue_head_t *entry_queue(struct file *file,
	unsigned long index, void *entry, struct entry_key *key)
{
	key->xa = &file->pages;
	key->start = index >> entry_order(entry) << entry_order(entry);
	return &file->queues[hash_long(key->start, NR_QUEUES_SHIFT)];
}

enum wake { WAKE_NEXT, WAKE_ALL };

static inline void wake_entry(
	struct file *file, unsigned long index, void *entry, enum wake whom)
{
	struct entry_key key;
	wait_queue_head_t *queue = entry_queue(file, index, entry, &key);

	lockdep_assert_held(&file->pages.xa_lock);
	if (waitqueue_active(queue))
		__wake_up(queue, TASK_NORMAL, whom == WAKE_NEXT, &key);
}

/* Drops the lock, and takes it again. */
static inline void wait_for_entry(
	struct file *file, struct xa_state *xas, void *entry)
{
	struct entry_sleeper sleeper;
	wait_queue_head_t *queue =
		entry_queue(file, xas->xa_index, entry, &sleeper.key);

	if (file->bug == KEY_OF_INDEX)
		sleeper.key.start = xas->xa_index;
	init_wait(&sleeper.wait);
	sleeper.wait.func = wake_entry_sleeper;
	if (file->bug == QUEUE_TOO_LATE)
		xas_unlock_irq(xas);
	prepare_to_wait_exclusive(queue, &sleeper.wait, TASK_UNINTERRUPTIBLE);
	if (file->bug != QUEUE_TOO_LATE && file->bug != SLEEP_UNDER_LOCK)
		xas_unlock_irq(xas);
	if (file->bug != NO_RESET)
		xas_reset(xas);
	schedule();
	finish_wait(queue, &sleeper.wait);
	xas_lock_irq(xas);
}

/* What is at the index, when nobody has it locked; NULL: nothing. Smaller
 * entries than @xas asks for are not waited for. */
static inline void *get_unlocked(struct file *file, struct xa_state *xas)
{
	void *entry = xas_find_conflict(xas);

	while (entry && entry_is_locked(entry) &&
		entry_order(entry) >= xas->order) {
		wait_for_entry(file, xas, entry);
		entry = xas_find_conflict(xas);
	}
	return entry;
}

/* ---- locking ---- */

static inline void *lock_entry(struct xa_state *xas, void *entry)
{
	return xas_store(xas, xa_mk_value(xa_to_value(entry) | ENTRY_LOCKED));
}

/* A huge entry goes, with the lock dropped while the page tables do. */
static inline void downgrade(
	struct file *file, struct xa_state *xas, void *entry)
{
	const unsigned long index = xas->xa_index;

	lock_entry(xas, entry);
	xas_unlock_irq(xas);
	cond_resched();
	xas_reset(xas);
	xas_lock_irq(xas);
	xas_store(xas, NULL);
	file->nrpages -= 1UL << PMD_ORDER;
	wake_entry(file, index, entry,
		file->bug == WAKE_ONE_AT_DOWNGRADE ? WAKE_NEXT : WAKE_ALL);
	xas_set(xas, index);
}

static inline int grab_locked(
	struct file *file, struct xa_state *xas, void **out)
{
	void *entry = get_unlocked(file, xas);

	if (entry && entry_order(entry) < xas->order)
		return -EEXIST;
	if (entry && entry_order(entry) > xas->order) {
		downgrade(file, xas, entry);
		entry = NULL;
	}
	*out = entry ? entry : make_entry(0, xas->order);
	lock_entry(xas, *out);
	if (!entry && !xas_error(xas))
		file->nrpages += 1UL << xas->order;
	return xas_error(xas);
}

/* The entry at @index, locked, made if there is none; -EEXIST, -ENOMEM. */
static inline int grab_entry(
	struct file *file, unsigned long index, unsigned int order, void **out)
{
	XA_STATE_ORDER(xas, &file->pages, index, order);
	int error;

	do {
		xas_lock_irq(&xas);
		error = grab_locked(file, &xas, out);
		xas_unlock_irq(&xas);
	} while (xas_nomem(&xas, GFP_KERNEL));
	return error;
}

static inline void unlock_entry(
	struct file *file, unsigned long index, void *entry)
{
	XA_STATE(xas, &file->pages, index);

	xas_lock_irq(&xas);
	BUG_ON(!entry_is_locked(xas_store(&xas, entry)));
	wake_entry(file, index, entry, WAKE_NEXT);
	xas_unlock_irq(&xas);
}

/* ---- for somebody who only looks, and for writeback ---- */

/* Drops an entry that is clean. Whoever was woken for it and leaves it passes
 * the wake-up on; with it, the key goes, and all must look again. */
static inline bool invalidate_entry(struct file *file, unsigned long index)
{
	XA_STATE(xas, &file->pages, index);
	bool drop = false;
	void *entry;

	xas_lock_irq(&xas);
	entry = get_unlocked(file, &xas);
	if (entry) {
		drop = !xas_get_mark(&xas, PAGECACHE_TAG_DIRTY);
		if (drop) {
			xas_store(&xas, NULL);
			file->nrpages -= 1UL << entry_order(entry);
		}
		if (drop || file->bug != NO_WAKE_BY_WHO_DECLINES)
			wake_entry(file, index, entry,
				drop ? WAKE_ALL : WAKE_NEXT);
	}
	xas_unlock_irq(&xas);
	return drop;
}

static inline void dirty_entry(struct file *file, unsigned long index)
{
	XA_STATE(xas, &file->pages, index);

	xas_lock_irq(&xas);
	xas_load(&xas);
	xas_set_mark(&xas, PAGECACHE_TAG_DIRTY);
	xas_unlock_irq(&xas);
}

/* With the lock dropped while the page is written. */
static inline void clean_entry(
	struct file *file, struct xa_state *xas, void *entry)
{
	lock_entry(xas, entry);
	xas_unlock_irq(xas);
	cond_resched();
	xas_reset(xas);
	xas_lock_irq(xas);
	xas_store(xas, entry);
	xas_clear_mark(xas, PAGECACHE_TAG_DIRTY);
	wake_entry(file, xas->xa_index, entry, WAKE_NEXT);
}

/* Entries that are locked are left to the next time. Returns how many were
 * cleaned. */
static inline unsigned int write_back(struct file *file)
{
	XA_STATE(xas, &file->pages, 0);
	unsigned int cleaned = 0;
	void *entry;

	xas_lock_irq(&xas);
	xas_for_each_marked (&xas, entry, ULONG_MAX, PAGECACHE_TAG_DIRTY) {
		if (entry_is_locked(entry))
			continue;
		clean_entry(file, &xas, entry);
		cleaned++;
		xas_pause(&xas);
		xas_unlock_irq(&xas);
		cond_resched();
		xas_lock_irq(&xas);
	}
	xas_unlock_irq(&xas);
	return cleaned;
}

#endif

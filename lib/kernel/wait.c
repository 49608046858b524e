/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Wait queues as the kernel has them: who wakes asks each sleeper's function.
 *
 *   entry	a sleeper's record; all of it is guarded by the queue's lock
 *   state	what the sleeper is about to do: TASK_RUNNING once it is woken
 *
 *  sleeper                            waker
 *  prepare_to_wait(): queued, state
 *  (A) looks at its condition
 *                                     (B) makes the condition hold
 *                                     __wake_up(): state was not RUNNING: it
 *                                     is now, and the parker has a token
 *  schedule() finds the token
 *
 * Forbidden: asleep with the condition true and every waker done. (B) before
 * (A) is seen at (A); after (A) it finds the entry queued. The token is given
 * under the lock, so that finish_wait(), which takes it, can forget it.
 */
#include "base/check.h"
#include "kernel/opaque.h"

/* The entry that this thread is about to sleep with, or NULL. */
static SYNC_THREAD_LOCAL struct wait_queue_entry *about_to_sleep;

static struct sync_parker *parker_of(struct wait_queue_entry *entry)
{
	return (struct sync_parker *)entry->parker;
}

/* Relaxed: changed under the lock; who reads it without says so. */
static struct sync_u64 *nr_of(struct wait_queue_head *queue)
{
	return (struct sync_u64 *)queue->nr;
}

/* To the explorer all sleepers of a queue have one key: what tells them apart
 * is known to their functions alone. */
static void note_key(enum sync_key_note what, struct wait_queue_head *queue,
	struct wait_queue_entry *entry)
{
	sync_note_key(what, queue, 0, entry ? parker_of(entry) : NULL);
}

void dax_kernel_init_waitqueue_head(wait_queue_head_t *queue)
{
	*queue = (struct wait_queue_head){.first = NULL};
	spin_lock_init(&queue->lock);
}

void dax_kernel_init_wait(wait_queue_entry_t *entry)
{
	*entry = (struct wait_queue_entry){.func = autoremove_wake_function};
}

bool dax_kernel_waitqueue_active(const wait_queue_head_t *queue)
{
	return sync_load(
		(const struct sync_u64 *)queue->nr, memory_order_relaxed);
}

/* ---- the queue ---- */

/* Puts @entry behind @previous, or first when that is NULL. */
static void enqueue_locked(struct wait_queue_head *queue,
	struct wait_queue_entry *previous, struct wait_queue_entry *entry)
{
	struct wait_queue_entry **link =
		previous ? &previous->next : &queue->first;

	entry->queue = queue;
	entry->previous = previous;
	entry->next = *link;
	*(entry->next ? &entry->next->previous : &queue->last) = entry;
	*link = entry;
	sync_count(nr_of(queue), 1);
}

static void dequeue_locked(struct wait_queue_entry *entry)
{
	struct wait_queue_head *queue = entry->queue;

	*(entry->previous ? &entry->previous->next : &queue->first) =
		entry->next;
	*(entry->next ? &entry->next->previous : &queue->last) =
		entry->previous;
	entry->queue = NULL;
	sync_count(nr_of(queue), -(uint64_t)1);
}

/* ---- sleeping ---- */

/* Returns whether the queue was empty. */
static bool prepare(struct wait_queue_head *queue,
	struct wait_queue_entry *entry, unsigned int flags, unsigned int state)
{
	bool was_empty;

	DAX_REQUIRE(!about_to_sleep || about_to_sleep == entry);
	spin_lock(&queue->lock);
	was_empty = !queue->first;
	entry->flags = flags;
	if (!entry->queue)
		enqueue_locked(queue,
			flags & WQ_FLAG_EXCLUSIVE ? queue->last : NULL, entry);
	entry->state = state;
	sync_parker_init(parker_of(entry));
	about_to_sleep = entry;
	note_key(KEY_SLEEPS, queue, entry);
	spin_unlock(&queue->lock);
	return was_empty;
}

void dax_kernel_prepare_to_wait(
	wait_queue_head_t *queue, wait_queue_entry_t *entry, unsigned int state)
{
	prepare(queue, entry, 0, state);
}

bool dax_kernel_prepare_to_wait_exclusive(
	wait_queue_head_t *queue, wait_queue_entry_t *entry, unsigned int state)
{
	return prepare(queue, entry, WQ_FLAG_EXCLUSIVE, state);
}

void dax_kernel_schedule(void)
{
	struct wait_queue_entry *entry = about_to_sleep;

	if (rank_holds_any(RANK_NONE))
		check_abort("schedule() with a spinlock held");
	about_to_sleep = NULL;
	if (entry)
		sync_park(parker_of(entry), SYNC_FOREVER);
}

void dax_kernel_finish_wait(wait_queue_head_t *queue, wait_queue_entry_t *entry)
{
	about_to_sleep = NULL;
	spin_lock(&queue->lock);
	entry->state = TASK_RUNNING;
	if (entry->queue)
		dequeue_locked(entry);
	spin_unlock(&queue->lock);
}

/* ---- waking ---- */

int dax_kernel_default_wake_function(
	wait_queue_entry_t *entry, unsigned int mode, int flags, void *key)
{
	(void)flags;
	(void)key;
	if (!(entry->state & mode))
		return 0;
	entry->state = TASK_RUNNING;
	note_key(KEY_TAKES, entry->queue, entry);
	sync_unpark(parker_of(entry));
	return 1;
}

int dax_kernel_autoremove_wake_function(
	wait_queue_entry_t *entry, unsigned int mode, int flags, void *key)
{
	const int woken = default_wake_function(entry, mode, flags, key);

	if (woken)
		dequeue_locked(entry);
	return woken;
}

void dax_kernel_wake_up(wait_queue_head_t *queue, unsigned int mode,
	int nr_exclusive, void *key)
{
	struct wait_queue_entry *next;
	int woken = 0;

	spin_lock(&queue->lock);
	sync_note_key(
		nr_exclusive ? KEY_WAKES_NEXT : KEY_WAKES_ALL, queue, 0, NULL);
	for (struct wait_queue_entry *entry = queue->first; entry && woken >= 0;
		entry = next) {
		const bool exclusive = entry->flags & WQ_FLAG_EXCLUSIVE;

		next = entry->next;
		woken = entry->func(entry, mode, 0, key);
		if (woken > 0 && exclusive && !--nr_exclusive)
			break;
	}
	spin_unlock(&queue->lock);
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "waitq/queue.h"

#include <errno.h>

#include "base/check.h"

/* ---- lists ---- */

static struct waiters *list_of(
	struct dax_waitq *queue, const struct waiter *waiter)
{
	return waiter->mode == DAX_WAIT_SHARED ? &queue->shared
					       : &queue->exclusive;
}

/* Puts @waiter behind @previous, or first when that is NULL. */
static void list_insert(
	struct waiters *list, struct waiter *previous, struct waiter *waiter)
{
	struct waiter **from = previous ? &previous->next : &list->first;

	waiter->previous = previous;
	waiter->next = *from;
	*(waiter->next ? &waiter->next->previous : &list->last) = waiter;
	*from = waiter;
}

static void list_remove(struct waiters *list, struct waiter *waiter)
{
	*(waiter->previous ? &waiter->previous->next : &list->first) =
		waiter->next;
	*(waiter->next ? &waiter->next->previous : &list->last) =
		waiter->previous;
}

static struct waiter *first_with(
	struct waiter *from, const struct dax_wait_key *key)
{
	while (from && !waitq_same_key(&from->key, key))
		from = from->next;
	return from;
}

void waitq_remove_locked(struct dax_waitq *queue, struct waiter *waiter)
{
	sync_lock_assert_held(&queue->lock);
	list_remove(list_of(queue, waiter), waiter);
	waiter->queued = false;
}

bool waitq_sleeps_locked(
	const struct dax_waitq *queue, const struct dax_wait_key *key)
{
	sync_lock_assert_held(&queue->lock);
	return first_with(queue->exclusive.first, key) ||
	       first_with(queue->shared.first, key);
}

static bool list_has_others(
	const struct waiters *list, const struct dax_wait_key *key)
{
	const struct waiter *waiter = list->first;

	while (waiter && (waiter->chosen || waitq_same_key(&waiter->key, key)))
		waiter = waiter->next;
	return waiter;
}

bool waitq_has_others_locked(
	const struct dax_waitq *queue, const struct dax_wait_key *key)
{
	sync_lock_assert_held(&queue->lock);
	return list_has_others(&queue->exclusive, key) ||
	       list_has_others(&queue->shared, key);
}

/* ---- sleeping ---- */

void dax_waitq_enqueue_locked(struct dax_waitq *queue,
	struct dax_waiter *opaque, const struct dax_wait_key *key,
	enum dax_wait_mode mode)
{
	struct waiter *waiter = waiter_of(opaque);
	const bool again =
		waiter->next_in_line && waitq_same_key(&waiter->key, key);
	struct waiters *list;

	sync_lock_assert_held(&queue->lock);
	DAX_REQUIRE(!waiter->queued || waiter->chosen);
	sync_parker_init(&waiter->parker);
	sync_note_key(KEY_SLEEPS, key->owner, key->index, &waiter->parker);
	waiter->chosen = false;
	if (waiter->queued)
		return;
	waiter->key = *key;
	waiter->mode = mode;
	waiter->queued = true;
	waiter->cancelled = false;
	waiter->next_in_line = false;
	waiter->granted = false;
	waiter->passed = 0;
	list = list_of(queue, waiter);
	list_insert(list, again ? NULL : list->last, waiter);
}

bool waitq_withdraw(struct dax_waitq *queue, struct waiter *waiter)
{
	bool withdrawn;

	sync_lock_acquire(&queue->lock);
	withdrawn = waiter->queued && !waiter->chosen;
	if (withdrawn)
		waitq_remove_locked(queue, waiter);
	sync_lock_release(&queue->lock);
	return withdrawn;
}

/*
 *  sleeper                            waker
 *                                     takes it from the queue, or chooses it
 *  deadline passes
 *  waitq_withdraw(): too late
 *  parks again, without deadline (W2)
 *                                     unparks it (W1), and is done with it
 *  returns 0: it was chosen, and owes a wake (R1)
 *
 * Forbidden: -ETIMEDOUT here, and the wake that was meant for the next lost.
 */
static int sleep_until(
	struct dax_waitq *queue, struct waiter *waiter, uint64_t deadline_ns)
{
	if (!sync_park(&waiter->parker, deadline_ns)) {
		if (waitq_withdraw(queue, waiter))
			return -ETIMEDOUT;
		sync_park(&waiter->parker, SYNC_FOREVER);
	}
	return waiter->cancelled ? -ECANCELED : 0;
}

int dax_waitq_sleep(struct dax_waitq *queue, struct dax_waiter *opaque,
	const struct dax_wait_limit *limit)
{
	struct waiter *waiter = waiter_of(opaque);
	struct cancel *cancel = NULL;
	uint64_t deadline_ns = SYNC_FOREVER;
	int error;

	DAX_REQUIRE(!rank_holds_any(RANK_WAITQ));
	if (limit) {
		cancel = limit->cancel ? cancel_of(limit->cancel) : NULL;
		deadline_ns = limit->deadline_ns;
	}
	if (cancel && !cancel_arm(cancel, queue, waiter)) {
		/* As if the deadline had passed at once. */
		error = sleep_until(queue, waiter, 0);
		if (error)
			error = -ECANCELED;
	} else {
		error = sleep_until(queue, waiter, deadline_ns);
		if (cancel)
			cancel_disarm(cancel);
	}
	return error;
}

/* ---- waking ---- */

/* The list of those whom its owner is to unpark. */
struct taking {
	struct dax_waitq *queue;
	struct dax_woken *woken;
	struct waiter *last;
};

static void will_unpark(struct taking *taking, struct waiter *waiter)
{
	sync_note_key(KEY_TAKES, waiter->key.owner, waiter->key.index,
		&waiter->parker);
	waiter->next_woken = NULL;
	if (taking->last)
		taking->last->next_woken = waiter;
	else
		taking->woken->first = waiter;
	taking->last = waiter;
}

static void take(struct taking *taking, struct waiter *waiter)
{
	waitq_remove_locked(taking->queue, waiter);
	will_unpark(taking, waiter);
}

/* Those who are chosen are awake (W3). */
static void take_all(struct taking *taking, const struct waiters *list,
	const struct dax_wait_key *key)
{
	struct waiter *waiter = first_with(list->first, key);
	struct waiter *next;

	for (; waiter; waiter = next) {
		next = first_with(waiter->next, key);
		if (waiter->chosen)
			waitq_remove_locked(taking->queue, waiter);
		else
			take(taking, waiter);
	}
}

/* That the first in line is awake, or that others sleep before it, is no reason
 * not to count that it is passed. */
static void take_first(struct taking *taking, const struct dax_wait_key *key)
{
	struct waiter *first = first_with(taking->queue->exclusive.first, key);
	struct waiter *heir = waitq_heir_locked(taking->queue, key);

	if (heir)
		heir->passed++;
	if (!first)
		return;
	if (first->mode != WAITQ_IN_LINE) {
		take(taking, first);
		first->next_in_line = true;
	} else if (!first->chosen) {
		will_unpark(taking, first);
		first->chosen = true;
	}
}

bool dax_waitq_take_locked(struct dax_waitq *queue,
	const struct dax_wait_key *key, enum dax_wake_mode mode,
	struct dax_woken *woken)
{
	struct taking taking = {.queue = queue, .woken = woken};

	sync_lock_assert_held(&queue->lock);
	sync_note_key(mode == DAX_WAKE_ALL ? KEY_WAKES_ALL : KEY_WAKES_NEXT,
		key->owner, key->index, NULL);
	woken->first = NULL;
	take_all(&taking, &queue->shared, key);
	if (mode == DAX_WAKE_ALL)
		take_all(&taking, &queue->exclusive, key);
	else
		take_first(&taking, key);
	return first_with(queue->exclusive.first, key);
}

void dax_waitq_wake(struct dax_woken *woken)
{
	struct waiter *waiter = woken->first;

	DAX_REQUIRE(!rank_holds_any(RANK_WAITQ));
	while (waiter) {
		/* Its record may be gone as soon as it is unparked. */
		struct waiter *next = waiter->next_woken;

		sync_unpark(&waiter->parker);
		waiter = next;
	}
	woken->first = NULL;
}

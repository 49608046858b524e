/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sleeping on an entry, and waking who sleeps.
 *
 *  sleeper (entry_wait)                  owner (dax_unlock_entry)
 *  takes the queue's lock
 *  (A) CAS: LOCKED -> LOCKED|WAITERS
 *                                        (B) clears LOCKED, and is told by the
 *                                            same step whether (A) was first
 *                                        (C) waits for the queue's lock
 *  joins the queue, gives its lock back
 *                                        (C) takes the first sleeper, gives the
 *                                            queue's lock back, and wakes it
 *  parks
 *
 * (B) before (A): the CAS at (A) fails, the sleeper does not sleep. Forbidden:
 * parked, and the owner gone by (B) without having looked at the queue.
 *
 * An owner that sees WAITERS before (B) takes the queue's lock first, and does
 * (B) under it: then it knows whether anybody is left, and clears WAITERS when
 * not. After (B) the word is no longer its to change, and WAITERS stays, at
 * worst without need, for the next owner to clear.
 *
 * Whoever waits to lock the entry stays in the queue when it is chosen, and so
 * does WAITERS: each unlock sees that it is passed once more. When that was too
 * often the owner leaves out (B): it grants, under the queue's lock, and LOCKED
 * is the other's from there on (waitq/line.c).
 */
#include <errno.h>

#include "mapping/mapping.h"

/* Watches a locked entry for as long as parking would cost. True: it is not
 * what it was. Not when others are queued, unless we are the first of them. */
static bool spin_while_locked(struct dax_mapping *m, dax_pgoff_t index,
	uint64_t word, const struct wait *wait)
{
	const bool is_next = wait->in_line || !word_has(word, WORD_WAITERS);
	struct sync_spin spin = SYNC_SPIN_INIT;
	bool changed = false;
	struct tree_place place;

	sync_rcu_enter();
	place = tree_walk(&m->tree, index, 0);
	while (!changed && place.word == word && is_next &&
		sync_spin_again(&spin)) {
		/* Relaxed: a hint; whoever locks it acquires. */
		changed = sync_load(place.slot, memory_order_relaxed) != word;
	}
	changed = changed || place.word != word;
	sync_rcu_leave();
	return changed;
}

/* (A). False: the entry is not there any more, or not locked. */
static bool announce_sleeper(
	struct dax_mapping *m, dax_pgoff_t index, unsigned int order)
{
	struct tree_place place;
	bool announced = false;

	sync_rcu_enter();
	place = tree_walk(&m->tree, index, 0);
	while (!announced && word_is_locked(place.word) &&
		dax_entry_order(place.word) == order)
		/* [MO-5] One word carries both bits: the CAS is the order. */
		announced = word_has(place.word, WORD_WAITERS) ||
			    sync_cas(place.slot, &place.word,
				    place.word | WORD_WAITERS,
				    memory_order_acquire);
	sync_rcu_leave();
	return announced;
}

/* ---- in line, and awake ---- */

static bool stands_for(
	struct wait *wait, const struct dax_wait_key *key, unsigned int order)
{
	const struct waiter *waiter = waiter_of(&wait->waiter);

	return wait->in_line && waiter->order == order &&
	       waitq_same_key(&waiter->key, key);
}

/* Meanwhile the entry may have been handed over to it, or been removed. */
static void look_at_place_locked(struct wait *wait)
{
	const struct waiter *waiter = waiter_of(&wait->waiter);

	wait->granted = waiter->granted;
	wait->in_line = waiter->queued;
}

enum leaving {
	LEAVE_SERVED, /* the entry is its own, and the next one's after that */
	LEAVE_GONE,   /* the entry is gone: all are woken for that (L4) */
	LEAVE_GIVE_UP,
};

static void take_sleepers_locked(struct dax_stats *stats,
	struct dax_waitq *queue, const struct dax_wait_key *key,
	enum dax_wake_mode mode, struct dax_woken *woken)
{
	dax_waitq_take_locked(queue, key, mode, woken);
	if (stats)
		stats_wake_locked(stats, queue, key, woken);
}

/* @slot: of the entry that is its own, or NULL. */
static void leave_line(struct dax_mapping *m, struct wait *wait,
	enum leaving how, struct sync_u64 *slot)
{
	struct waiter *waiter = waiter_of(&wait->waiter);
	const struct dax_wait_key *key = &waiter->key;
	struct dax_woken woken = {NULL};
	struct dax_waitq *queue;

	if (!wait->in_line)
		return;
	queue = dax_waitq_lock(m->waitqs, key);
	look_at_place_locked(wait);
	if (wait->in_line)
		waitq_remove_locked(queue, waiter);
	wait->in_line = false;
	if (how == LEAVE_GIVE_UP && !wait->granted)
		take_sleepers_locked(
			m->stats, queue, key, DAX_WAKE_NEXT, &woken);
	if (how == LEAVE_SERVED && slot && !waitq_sleeps_locked(queue, key))
		/* L2. Relaxed: our own, or what others add to it (MO-5). */
		sync_and(slot, ~WORD_WAITERS, memory_order_relaxed);
	dax_waitq_unlock(queue);
	if (giving_up_wakes())
		dax_waitq_wake(&woken);
}

static enum leaving leaving_with(int result, bool same_entry)
{
	if (result == -ETIMEDOUT || result == -ECANCELED)
		return LEAVE_GIVE_UP;
	return result || !same_entry ? LEAVE_GONE : LEAVE_SERVED;
}

int wait_end(struct dax_mapping *m, dax_pgoff_t index, struct wait *wait,
	int result, struct tree_place *place)
{
	const struct waiter *waiter = waiter_of(&wait->waiter);
	const bool same_entry =
		dax_entry_start(place->word, index) == waiter->key.index;

	leave_line(m, wait, leaving_with(result, same_entry), place->slot);
	if (!wait->granted || forgets_grant(result))
		return result;
	DAX_INVARIANT(result);
	/* Without RCU: our lock bit keeps the way there (G4). */
	*place = tree_walk(&m->tree, index, 0);
	return 0;
}

/* ---- sleeping ---- */

struct dax_waitq *entry_join_queue(struct dax_mapping *m, dax_pgoff_t index,
	uint64_t word, struct wait *wait)
{
	const struct dax_wait_key key = sleeper_key(m, index, word, wait);
	struct dax_waitq *queue = dax_waitq_lock(m->waitqs, &key);

	if (wait->in_line)
		look_at_place_locked(wait);
	if (wait->granted ||
		!announce_sleeper(m, index, dax_entry_order(word))) {
		leave_queue(queue);
		return NULL;
	}
	keep_queue(m, &key, queue);
	entry_note("finds locked", index, word);
	if (mapping_counts(m))
		wait->since = stats_sleep(waiter_of(&wait->waiter));
	waiter_of(&wait->waiter)->order = dax_entry_order(word);
	dax_waitq_enqueue_locked(queue, &wait->waiter, &key, wait->mode);
	dax_waitq_unlock(queue);
	return queue;
}

/* Whoever was not chosen to go on in line is in none any more, and whoever took
 * it from there is done with its record. */
static int sleep_in_queue(
	struct dax_mapping *m, struct dax_waitq *queue, struct wait *wait)
{
	struct waiter *waiter = waiter_of(&wait->waiter);
	const int error = dax_waitq_sleep(queue, &wait->waiter, wait->limit);

	if (mapping_counts(m))
		stats_slept(m->stats, waiter, wait->since, error);
	wait->in_line = !error && waiter->chosen;
	if (error)
		return error;
	if (wait->in_line) {
		dax_waitq_lock(m->waitqs, &waiter->key);
		look_at_place_locked(wait);
		dax_waitq_unlock(queue);
	} else {
		wait->granted = waiter->granted;
	}
	return wait->granted ? WAIT_GRANTED : 0;
}

/* Whoever looks again would do so for ever if others are always faster. */
static int look_again(const struct dax_wait_limit *limit)
{
	if (!limit)
		return 0;
	if (limit->cancel && cancel_has_fired(cancel_of(limit->cancel)))
		return -ECANCELED;
	return limit->deadline_ns != SYNC_FOREVER &&
			       sync_now() >= limit->deadline_ns
		       ? -ETIMEDOUT
		       : 0;
}

int entry_wait(struct dax_mapping *m, dax_pgoff_t index, uint64_t word,
	struct wait *wait)
{
	const struct dax_wait_key key = sleeper_key(m, index, word, wait);
	struct dax_waitq *queue;

	if (!wait->limit)
		rank_check(entry_rank(m, index, word));
	if (spin_while_locked(m, index, word, wait)) {
		if (mapping_counts(m))
			stats_spin(m->stats, &key);
		return look_again(wait->limit);
	}
	if (!stands_for(wait, &key, dax_entry_order(word)))
		leave_line(m, wait, LEAVE_GONE, NULL);
	if (wait->granted)
		return WAIT_GRANTED;
	queue = entry_join_queue(m, index, word, wait);
	if (queue)
		return sleep_in_queue(m, queue, wait);
	return wait->granted ? WAIT_GRANTED : look_again(wait->limit);
}

void wake_sleepers(struct dax_waitq_table *waitqs, struct dax_stats *stats,
	const struct dax_wait_key *key, enum dax_wake_mode mode)
{
	struct dax_waitq *queue = dax_waitq_lock(waitqs, key);
	struct dax_woken woken;

	/* WAITERS stays as it is, perhaps without need: the next unlock then
	 * finds nobody and clears it. */
	take_sleepers_locked(stats, queue, key, mode, &woken);
	dax_waitq_unlock(queue);
	dax_waitq_wake(&woken);
}

void entry_removed(struct dax_mapping *m, dax_pgoff_t index, uint64_t word)
{
	const struct dax_wait_key key = waker_key(m, index, word);

	if (removal_wakes(word))
		wake_sleepers(
			m->waitqs, m->stats, &key, removed_wake_mode(word));
}

dax_entry_t dax_get_unlocked_entry(struct dax_mapping *m, dax_pgoff_t index)
{
	struct wait wait = WAIT_INIT(DAX_WAIT_EXCLUSIVE, NULL);

	DAX_REQUIRE(m);
	for (;;) {
		const uint64_t word = dax_tree_load(&m->tree, index);

		if (!word_is_locked(word))
			return word_entry(word);
		if (entry_wait(m, index, word, &wait))
			DAX_INVARIANT(!"a wait without limit ended");
	}
}

/*
 * Passing on is needed only where an entry is free and somebody is queued on
 * it. If it is locked, its owner finds WAITERS (L2, L3); if it is gone, all
 * were woken (L4).
 */
void dax_put_unlocked_entry(struct dax_mapping *m, dax_pgoff_t index,
	dax_entry_t entry, enum dax_wake_mode mode)
{
	const struct dax_wait_key key = waker_key(m, index, entry);
	uint64_t word;

	DAX_REQUIRE(m);
	if (!decline_wakes(entry))
		return;
	entry_note("declines", index, entry);
	word = dax_tree_load(&m->tree, index);
	if (mode == DAX_WAKE_ALL ||
		(word_is_unlocked(word) && word_has(word, WORD_WAITERS)))
		wake_sleepers(m->waitqs, m->stats, &key, mode);
}

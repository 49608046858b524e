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
 */
#include "mapping/mapping.h"

/* Watches a locked entry for as long as parking would cost. True: it is not
 * what it was. Not when others are queued: they were first. */
static bool spin_while_locked(
	struct dax_mapping *m, dax_pgoff_t index, uint64_t word)
{
	struct sync_spin spin = SYNC_SPIN_INIT;
	bool changed = false;
	struct tree_place place;

	sync_rcu_enter();
	place = tree_walk(&m->tree, index, 0);
	while (!changed && place.word == word &&
		!word_has(word, WORD_WAITERS) && sync_spin_again(&spin)) {
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

struct dax_waitq *entry_join_queue(struct dax_mapping *m, dax_pgoff_t index,
	uint64_t word, struct wait *wait)
{
	const struct dax_wait_key key = sleeper_key(m, index, word, wait);
	struct dax_waitq *queue = dax_waitq_lock(m->waitqs, &key);

	if (!announce_sleeper(m, index, dax_entry_order(word))) {
		leave_queue(queue);
		return NULL;
	}
	keep_queue(m, &key, queue);
	entry_note("finds locked", index, word);
	if (mapping_counts(m))
		wait->since = stats_sleep(waiter_of(&wait->waiter));
	dax_waitq_enqueue_locked(queue, &wait->waiter, &key, wait->mode);
	dax_waitq_unlock(queue);
	return queue;
}

int entry_wait(struct dax_mapping *m, dax_pgoff_t index, uint64_t word,
	struct wait *wait)
{
	const struct dax_wait_key key = sleeper_key(m, index, word, wait);
	struct dax_waitq *queue;
	int error;

	if (!wait->limit)
		rank_check(entry_rank(m, index, word));
	if (spin_while_locked(m, index, word)) {
		if (mapping_counts(m))
			stats_spin(m->stats, &key);
		return 0;
	}
	queue = entry_join_queue(m, index, word, wait);
	if (!queue)
		return 0;
	error = dax_waitq_sleep(queue, &wait->waiter, wait->limit);
	if (mapping_counts(m))
		stats_slept(
			m->stats, waiter_of(&wait->waiter), wait->since, error);
	return error;
}

void wake_sleepers(struct dax_waitq_table *waitqs, struct dax_stats *stats,
	const struct dax_wait_key *key, enum dax_wake_mode mode)
{
	struct dax_waitq *queue = dax_waitq_lock(waitqs, key);
	struct dax_woken woken;

	/* WAITERS stays as it is, perhaps without need: the next unlock then
	 * finds nobody and clears it. */
	dax_waitq_take_locked(queue, key, mode, &woken);
	if (stats)
		stats_wake_locked(stats, queue, key, &woken);
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

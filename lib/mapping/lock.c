/* SPDX-License-Identifier: BSD-3-Clause */
/* Locking an entry that is there, and unlocking it. */
#include <errno.h>
#include <inttypes.h>

#include "mapping/mapping.h"

SYNC_THREAD_LOCAL struct last_locked last_locked;

/* ---- locking ---- */

/* 0; -ENOENT; -EBUSY: it is locked, as @place says. */
static int lock_once(
	struct dax_mapping *m, dax_pgoff_t index, struct tree_place *place)
{
	bool locked;

	sync_rcu_enter();
	do {
		*place = tree_walk(&m->tree, index, 0);
		locked = place_trylock(place);
		/* An entry that was split under us: walk on. */
	} while (word_is_node(place->word));
	sync_rcu_leave();
	if (locked)
		return 0;
	return place->word ? -EBUSY : -ENOENT;
}

static int lock_or_wait(struct dax_mapping *m, dax_pgoff_t index,
	const struct dax_wait_limit *limit, dax_entry_t *out)
{
	struct wait wait = WAIT_INIT(WAITQ_IN_LINE, limit);
	struct tree_place place;
	int error;

	do {
		error = lock_once(m, index, &place);
		if (error != -EBUSY)
			break;
		error = entry_wait(m, index, place.word, &wait);
	} while (!error);
	error = wait_end(m, index, &wait, error, &place);
	if (error)
		return error;
	entry_locked(
		m, index, place.word, limit ? LOCK_GIVES_UP : LOCK_MAY_WAIT);
	entry_count(m, index, place.word);
	slot_remember(m, index, place.slot);
	*out = word_entry(place.word);
	return 0;
}

/* Inside sync_rcu_enter(). */
static __attribute__((noinline, cold)) int leave_and_wait(struct dax_mapping *m,
	dax_pgoff_t index, const struct dax_wait_limit *limit, dax_entry_t *out)
{
	sync_rcu_leave();
	return lock_or_wait(m, index, limit, out);
}

/* What most locks are: a walk and one CAS. All calls stand at an end, so that
 * no register need be saved for them. */
static inline int lock_entry(struct dax_mapping *m, dax_pgoff_t index,
	const struct dax_wait_limit *limit, dax_entry_t *out)
{
	struct tree_place place;
	uint64_t word;
	void *reader;

	DAX_REQUIRE(m && out);
	reader = sync_rcu_try_enter();
	if (!reader)
		return lock_or_wait(m, index, limit, out);
	place = tree_walk(&m->tree, index, 0);
	word = place.word;
	if (!word_is_quick(word) ||
		/* [MO-2] Sees all that the owners before us did. */
		!sync_cas(place.slot, &word, word | WORD_LOCKED,
			memory_order_acquire))
		return leave_and_wait(m, index, limit, out);
	entry_locked(m, index, word, limit ? LOCK_GIVES_UP : LOCK_MAY_WAIT);
	slot_remember(m, index, place.slot);
	*out = word_entry(word);
	sync_rcu_leave_quickly(reader);
	return 0;
}

int dax_lock_entry(struct dax_mapping *m, dax_pgoff_t index, dax_entry_t *out)
{
	return lock_entry(m, index, NULL, out);
}

int dax_trylock_entry(
	struct dax_mapping *m, dax_pgoff_t index, dax_entry_t *out)
{
	struct tree_place place;
	int error;

	DAX_REQUIRE(m && out);
	error = lock_once(m, index, &place);
	if (error)
		return error;
	entry_locked(m, index, place.word, LOCK_GIVES_UP);
	entry_count(m, index, place.word);
	slot_remember(m, index, place.slot);
	*out = word_entry(place.word);
	return 0;
}

int dax_lock_entry_timed(struct dax_mapping *m, dax_pgoff_t index,
	uint64_t timeout_ns, dax_entry_t *out)
{
	const uint64_t now = sync_now();
	const struct dax_wait_limit limit = {
		.deadline_ns = timeout_ns < SYNC_FOREVER - now
				       ? now + timeout_ns
				       : SYNC_FOREVER,
	};

	return lock_entry(m, index, &limit, out);
}

int dax_lock_entry_cancellable(struct dax_mapping *m, dax_pgoff_t index,
	struct dax_cancel *cancel, dax_entry_t *out)
{
	const struct dax_wait_limit limit = {
		.deadline_ns = SYNC_FOREVER,
		.cancel = cancel,
	};

	return lock_entry(m, index, &limit, out);
}

enum dax_lock_result dax_lock_mapping_entry(struct dax_mapping *m,
	dax_pgoff_t index, dax_entry_t *cookie, uint64_t *pfn)
{
	struct wait wait = WAIT_INIT(page_wait_mode(), NULL);
	struct tree_place place;
	bool wanted;
	bool locked;

	DAX_REQUIRE(m && cookie && pfn);
	for (;;) {
		sync_rcu_enter();
		place = tree_walk(&m->tree, index, 0);
		wanted = word_is_value(place.word) &&
			 !dax_is_zero_entry(place.word) &&
			 !dax_is_empty_entry(place.word);
		locked = wanted && !word_is_locked(place.word) &&
			 place_lock_once(&place);
		sync_rcu_leave();
		if (locked)
			break;
		if (word_is_locked(place.word))
			entry_wait(m, index, place.word, &wait);
		else if (!place.word)
			return DAX_LOCK_ABSENT;
		else if (!wanted && word_is_value(place.word))
			return dax_is_zero_entry(place.word) ? DAX_LOCK_ZERO
							     : DAX_LOCK_EMPTY;
	}
	entry_locked(m, index, place.word, LOCK_MAY_WAIT);
	entry_count(m, index, place.word);
	slot_remember(m, index, place.slot);
	*cookie = cookie_of(place.word);
	*pfn = dax_to_pfn(*cookie) + index - dax_entry_start(*cookie, index);
	return DAX_LOCK_TAKEN;
}

/* ---- unlocking ---- */

#if DAX_CHECKED

static _Noreturn void misused(
	dax_pgoff_t index, uint64_t word, dax_entry_t entry, const char *how)
{
	char there[80], given[80];

	dax_entry_decode(word, DAX_WORD_DAXLOCK, there, sizeof(there));
	dax_entry_decode(entry, DAX_WORD_DAXLOCK, given, sizeof(given));
	check_abort("%s: index 0x%" PRIx64
		    ", the tree has: %s, the caller has: %s",
		how, index, there, given);
}

void entry_require_owned(const struct dax_mapping *m, dax_pgoff_t index,
	const struct sync_u64 *slot, dax_entry_t entry)
{
	/* Relaxed: our own, or what others add to it (MO-5). */
	const uint64_t word =
		slot ? sync_peek(sync_load(slot, memory_order_relaxed)) : 0;

	if (!word_is_locked(word))
		misused(index, word, entry, "the entry is not locked");
	if (word_entry(word) != entry)
		misused(index, word, entry, "the entry is another one");
	if (!rank_holds(entry_rank(m, index, word)))
		misused(index, word, entry, "another thread has locked it");
}

#endif

/* Unlocks if nobody waits; @word is what is there otherwise. */
static bool unlock_counted(struct sync_u64 *slot, uint64_t *word)
{
	while (word_is_locked(*word) && !word_has(*word, WORD_WAITERS))
		/* [MO-2] All that we did before whoever locks it next. */
		if (sync_cas(slot, word, *word & ~WORD_LOCKED,
			    memory_order_release))
			return true;
	return false;
}

/* What unlocking clears, now that the next is chosen: WAITERS too if no more
 * are left; nothing if the entry is the next one's (L6). */
static uint64_t choose_next_locked(struct dax_mapping *m,
	struct dax_waitq *queue, const struct dax_wait_key *key, uint64_t word,
	struct dax_woken *woken)
{
	if (hands_over() &&
		waitq_hand_over_locked(queue, key, dax_entry_order(word),
			m->waitqs->passes, woken)) {
		entry_note("hands over", key->index, word);
		return 0;
	}
	return dax_waitq_take_locked(queue, key, DAX_WAKE_NEXT, woken)
		       ? WORD_LOCKED
		       : WORD_LOCKED | WORD_WAITERS;
}

/* L3, somebody is queued, or the entry is counted, or not locked. */
static __attribute__((noinline)) void unlock_in_turn(
	struct dax_mapping *m, dax_pgoff_t index, struct sync_u64 *slot)
{
	/* Relaxed: our own, or what others add to it (MO-5). */
	uint64_t word = sync_load(slot, memory_order_relaxed);
	struct dax_waitq *queue;
	struct dax_wait_key key;
	struct dax_woken woken;
	uint64_t cleared;

	if (!word_is_locked(word))
		return;
	entry_uncount(m, index, word);
	if (mapping_counts(m) && unlock_counted(slot, &word))
		return;
	key = unlocker_key(m, index, word);
	queue = dax_waitq_lock(m->waitqs, &key);
	cleared = choose_next_locked(m, queue, &key, word, &woken);
	if (mapping_counts(m))
		stats_wake_locked(m->stats, queue, &key, &woken);
	if (mapping_counts(m) && !cleared)
		stats_hand_over(m->stats, &key);
	while (cleared && word_is_locked(word))
		/* [MO-2] All that we did before whoever locks it next. */
		if (sync_cas(
			    slot, &word, word & ~cleared, memory_order_release))
			break;
	dax_waitq_unlock(queue);
	if (unlock_wakes())
		dax_waitq_wake(&woken);
}

/*
 * L3, somebody came to sleep just before we unlocked: (C) in wait.c. The entry
 * is free, so it may be gone, and the mapping with it: @m is but a number here.
 */
static __attribute__((noinline, cold)) void wake_next(
	struct dax_waitq_table *waitqs, const struct dax_mapping *m,
	dax_pgoff_t index, uint64_t word)
{
	const struct dax_wait_key key = unlocker_key(m, index, word);

	if (unlock_wakes())
		wake_sleepers(waitqs, NULL, &key, DAX_WAKE_NEXT);
}

static inline void unlock_slot(struct dax_mapping *m, dax_pgoff_t index,
	struct sync_u64 *slot, dax_entry_t entry)
{
	struct dax_waitq_table *const waitqs = m->waitqs;
	uint64_t word;

	entry_require_owned(m, index, slot, entry);
	slot_forget();
	rank_pop(entry_rank(m, index, entry));
	/* Relaxed: our own, or what others add to it (MO-5). */
	word = sync_load(slot, memory_order_relaxed);
	entry_note("unlocks", index, entry);
	entry_note_key(KEY_UNLOCKS, m, index, entry);
	if (looks_before_unlock(slot, word))
		return;
	if ((word & (WORD_LOCKED | WORD_WAITERS | WORD_COUNTED)) != WORD_LOCKED)
		unlock_in_turn(m, index, slot);
	/* (B) in wait.c. The bit is set: what it is worth is subtracted in one
	 * instruction, which returns the others.
	 * [MO-2] All that we did before whoever locks it next. */
	else if (sync_sub(slot, WORD_LOCKED, memory_order_release) &
		 WORD_WAITERS)
		wake_next(waitqs, m, index, word);
}

static __attribute__((noinline)) void find_and_unlock(
	struct dax_mapping *m, dax_pgoff_t index, dax_entry_t entry)
{
	struct sync_u64 *slot = owned_slot(m, index);

	if (slot)
		unlock_slot(m, index, slot, entry);
	else
		entry_require_owned(m, index, slot, entry);
}

void dax_unlock_entry(
	struct dax_mapping *m, dax_pgoff_t index, dax_entry_t entry)
{
	DAX_REQUIRE(m);
	if (slot_remembered(m, index))
		unlock_slot(m, index, last_locked.slot, entry);
	else
		find_and_unlock(m, index, entry);
}

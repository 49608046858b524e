/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the mapping does, or what it does instead when it is told to err. A
 * function here says what is right and does it, or asks whether to go wrong and
 * answers no: that is all that is left of it where deviations do not exist, for
 * there SYNC_DEVIATION() is the constant 0. What each of them was in a kernel:
 * explore/deviations.h.
 *
 * Included by mapping/mapping.h.
 */
#ifndef MAPPING_DEVIATE_H
#define MAPPING_DEVIATE_H

#include <errno.h>

/* ---- keys: of the entry that is slept on, from whatever index ---- */

static inline struct dax_wait_key waker_key(
	const struct dax_mapping *m, dax_pgoff_t index, uint64_t word)
{
	struct dax_wait_key key = entry_key(m, index, word);

	if (SYNC_DEVIATION(key_brute))
		key.index &= -((uint64_t)1 << DAX_PMD_ORDER);
	return key;
}

static inline struct dax_wait_key sleeper_key(const struct dax_mapping *m,
	dax_pgoff_t index, uint64_t word, const struct wait *wait)
{
	struct dax_wait_key key = waker_key(m, index, word);

	if (SYNC_DEVIATION(key_unaligned))
		key.index = index;
	if (SYNC_DEVIATION(key_mask_trunc))
		key.index &= ((uint64_t)1 << 20) - 1;
	if (SYNC_DEVIATION(wrong_key) && wait->mode == WAIT_FOR_SMALLER)
		key.index &= -((uint64_t)1 << DAX_PMD_ORDER);
	if (SYNC_DEVIATION(key_field_unset))
		key.owner = NULL;
	return key;
}

static inline struct dax_wait_key unlocker_key(
	const struct dax_mapping *m, dax_pgoff_t index, uint64_t word)
{
	struct dax_wait_key key = waker_key(m, index, word);

	if (SYNC_DEVIATION(unlock_other_order))
		key.index = index;
	return key;
}

/* ---- sleeping ---- */

/* When the entry need not be slept on after all. */
static inline void leave_queue(struct dax_waitq *queue)
{
	if (!SYNC_DEVIATION(lp_selfdead))
		dax_waitq_unlock(queue);
}

/* It stays locked from the look at the entry until the sleeper has joined. */
static inline void keep_queue(struct dax_mapping *m,
	const struct dax_wait_key *key, struct dax_waitq *queue)
{
	if (SYNC_DEVIATION(enqueue_late)) {
		dax_waitq_unlock(queue);
		dax_waitq_lock(m->waitqs, key);
	}
}

/* Of who locks for a page, and must owe no wake: it may never come back. */
static inline enum dax_wait_mode page_wait_mode(void)
{
	return SYNC_DEVIATION(lp_excl) ? DAX_WAIT_EXCLUSIVE : DAX_WAIT_SHARED;
}

/* ---- from a page to its entry ---- */

/* The mapping may be gone although the page named it just now. */
static inline bool is_gone(const struct dax_mapping *m)
{
	return !m && !SYNC_DEVIATION(lp_null);
}

/* No: the second answer may be another one. */
static inline bool asks_twice(void)
{
	return SYNC_DEVIATION(double_read);
}

/* RCU keeps the mapping from the look at the page to the entry's lock. */
static inline void keep_mapping(void)
{
	if (SYNC_DEVIATION(lp_no_rcu)) {
		sync_rcu_leave();
		sync_rcu_enter();
	}
}

/* Whoever has slept knows nothing any more, not even that the mapping is. */
static inline bool asks_page_again(const struct dax_mapping *m)
{
	if (SYNC_DEVIATION(lp_relock))
		dax_tree_load(&m->tree, 0);
	return !SYNC_DEVIATION(lp_skip_recheck);
}

/* ---- waking ---- */

/* After a split, whose word is locked, and after a drop, whose word is not. */
static inline enum dax_wake_mode removed_wake_mode(uint64_t word)
{
	if (word_is_locked(word))
		return SYNC_DEVIATION(downgrade_one) ||
				       SYNC_DEVIATION(replace_wake_one)
			       ? DAX_WAKE_NEXT
			       : DAX_WAKE_ALL;
	return SYNC_DEVIATION(inval_one) ? DAX_WAKE_NEXT : DAX_WAKE_ALL;
}

static inline bool removal_wakes(uint64_t word)
{
	return word_has(word, WORD_WAITERS) &&
	       !(SYNC_DEVIATION(put_inverted) && !word_is_locked(word));
}

static inline bool decline_wakes(dax_entry_t entry)
{
	return entry && !SYNC_DEVIATION(bail_noput) &&
	       !SYNC_DEVIATION(put_inverted);
}

static inline bool unlock_wakes(void)
{
	return !SYNC_DEVIATION(unlock_no_wake);
}

/* To who was passed too often, instead of unlocking. */
static inline bool hands_over(void)
{
	return !SYNC_DEVIATION(barge);
}

/* Whoever was chosen in line, and does not wait any longer. */
static inline bool giving_up_wakes(void)
{
	return !SYNC_DEVIATION(leave_noput);
}

/* No: who gives up has the entry all the same if it was handed over. */
static inline bool forgets_grant(int result)
{
	return result < 0 && SYNC_DEVIATION(grant_lost_on_timeout);
}

/* No: what unlocks is also what tells of sleepers (L3). */
static inline bool looks_before_unlock(struct sync_u64 *slot, uint64_t word)
{
	if (!SYNC_DEVIATION(check_before_publish) ||
		word_has(word, WORD_WAITERS))
		return false;
	sync_store(slot, word & ~WORD_LOCKED, memory_order_relaxed);
	return true;
}

/* ---- the lock bit ---- */

/* No: whoever grabs heeds it. */
static inline bool ignores_lock(unsigned int order, uint64_t word)
{
	return (SYNC_DEVIATION(no_entry_lock) ||
		       (order && SYNC_DEVIATION(pmd_unlocked))) &&
	       word_is_locked(word);
}

/* What the new value of a locked entry takes over from the old (L1). */
static inline uint64_t kept_state(void)
{
	if (SYNC_DEVIATION(replace_no_wake) || SYNC_DEVIATION(replace_wake_one))
		return WORD_STATE & ~WORD_WAITERS;
	return SYNC_DEVIATION(lost_lock) ? WORD_STATE & ~WORD_LOCKED
					 : WORD_STATE;
}

/* Wakes nobody: it is the same entry, with the same sleepers. */
static inline void entry_replaced(
	struct dax_mapping *m, dax_pgoff_t index, uint64_t word)
{
	if (SYNC_DEVIATION(replace_wake_one))
		entry_removed(m, index, word);
}

/* Who locks for a page is given the value, to give it back. */
static inline dax_entry_t cookie_of(uint64_t word)
{
	return SYNC_DEVIATION(unlock_wrong_value) ? word | WORD_LOCKED
						  : word_entry(word);
}

/* ---- grabbing ---- */

static inline int nothing_there(unsigned int order)
{
	return order && SYNC_DEVIATION(null_conflict) ? -ENOTEMPTY : -ENOENT;
}

static inline bool waits_for_smaller(unsigned int order)
{
	return order &&
	       (SYNC_DEVIATION(profile_2016) || SYNC_DEVIATION(exist_noput) ||
		       SYNC_DEVIATION(wrong_key));
}

static inline bool puts_smaller(void)
{
	return !SYNC_DEVIATION(exist_noput);
}

/* A grab that found no room or no memory says so, and has locked nothing. */
static inline int grab_failed(
	struct dax_mapping *m, dax_pgoff_t index, int error)
{
	if (SYNC_DEVIATION(unlock_unowned) && error == -ENOMEM)
		dax_unlock_entry(m, index, dax_make_entry(0, DAX_EMPTY));
	if (error == -ENOTEMPTY)
		return SYNC_DEVIATION(err_sign) ? EEXIST : -EEXIST;
	return error;
}

/* The large entry stays ours until it is split. */
static inline void keep_locked(
	struct dax_mapping *m, dax_pgoff_t index, dax_entry_t large)
{
	if (SYNC_DEVIATION(downgrade_nolock)) {
		dax_unlock_entry(m, index, large);
		rank_push(entry_rank(m, index, large));
	}
}

/* It stays, unlocked. */
static inline void split_failed(
	struct dax_mapping *m, dax_pgoff_t index, dax_entry_t large)
{
	if (SYNC_DEVIATION(enomem_flag))
		mapping_account(m, 0, entry_pages(large));
	if (!SYNC_DEVIATION(leak_on_enomem))
		dax_unlock_entry(m, index, large);
}

/* ---- dropping ---- */

/* Whoever had to wait for an entry. */
static inline bool looks_again(void)
{
	return !SYNC_DEVIATION(scan_pause);
}

/* No: what is locked now may have a page when it is unlocked. */
static inline bool passes_over(uint64_t word)
{
	return SYNC_DEVIATION(scan_skip) && word_is_locked(word);
}

/* So that what nobody has pinned is idle. */
static inline bool lets_go_of_page(void)
{
	return !SYNC_DEVIATION(profile_6_12);
}

/* The pfn of an entry without storage is no page's. */
static inline bool has_page_to_zap(const struct dax_mapping *m, uint64_t word)
{
	return entry_has_page(m, word) || SYNC_DEVIATION(deref_before_check);
}

#endif

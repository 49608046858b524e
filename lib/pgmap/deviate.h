/* SPDX-License-Identifier: BSD-3-Clause */
/* What pages do, or what they do instead when they are told to err; as in
 * mapping/deviate.h. Included by pgmap/pgmap.h. */
#ifndef PGMAP_DEVIATE_H
#define PGMAP_DEVIATE_H

/* ---- references ---- */

/* Of an entry that maps a page. */
static inline uint64_t entry_references(void)
{
	return SYNC_DEVIATION(map_takes_no_ref) ? 0 : 1;
}

/* Was it the last reference, when there were @before? */
static inline bool was_last(uint32_t before)
{
	return before == 1;
}

/* The same, of a pin that has a name. */
static inline bool was_last_pin(uint32_t before)
{
	return was_last(before) ||
	       (before == 2 && SYNC_DEVIATION(idle_at_one_in_one_path));
}

/* Whoever claims what others may claim at another size. */
static inline bool claims_alone(enum dax_page_use use)
{
	return use == DAX_PAGE_SHARED && !SYNC_DEVIATION(share_unlocked);
}

/* ---- what is free ---- */

/* P2. */
static inline uint64_t state_without_level(uint64_t state)
{
	return SYNC_DEVIATION(split_keeps_order) ? state : state & ~PAGE_LEVELS;
}

/* What is subtracted from the names when one of several owners goes. */
static inline uint64_t name_that_goes(uint64_t state, uint64_t name)
{
	return state_owners(state) > 1 && SYNC_DEVIATION(share_not_reset)
		       ? 0
		       : name;
}

/* Whoever gives storage up has waited until it is idle. */
static inline bool may_be_given_up(uint64_t state, enum dax_page_use use)
{
	return use == DAX_PAGE_SHARED || state_owners(state) > 1 ||
	       !state_is_live(state) || SYNC_DEVIATION(put_before_idle);
}

/* ---- the end ---- */

/* P5, of the state before a reference was dropped, not the last one. */
static inline bool pin_wakes(uint64_t before)
{
	return state_references(before) <= state_owners(before) + 1 &&
	       !SYNC_DEVIATION(unpin_wakes_idle);
}

/* Before 6.15 the reference of an entry was not waited for: it stayed. */
static inline bool is_kept_alone(uint64_t state)
{
	return SYNC_DEVIATION(profile_6_12) &&
	       state_references(state) <= state_owners(state);
}

/* What another file's entry holds is no more to wait for. */
static inline bool waits_beside_others(uint64_t state)
{
	return SYNC_DEVIATION(break_waits_for_entries) && state_is_live(state);
}

static inline bool idle_wakes(uint64_t state)
{
	return state & PAGE_WAITERS && !SYNC_DEVIATION(unpin_no_wake);
}

/* G3: no touch of a device that may be gone. */
static inline void leave_device(struct dax_pgmap *pgmap)
{
	if (SYNC_DEVIATION(put_races_kill))
		sync_load(&pgmap->refs, memory_order_relaxed);
}

/* G3: the list of names is the device's, too. */
static inline bool leaves_list_first(void)
{
	return !SYNC_DEVIATION(child_no_ref);
}

/* What is given out anew is nobody's any more. */
static inline void keep_owners(struct owners *owners)
{
	if (SYNC_DEVIATION(reset_order)) {
		sync_lock_release(&owners->lock);
		sync_lock_acquire(&owners->lock);
	}
}

static inline bool kill_waits(void)
{
	return !SYNC_DEVIATION(no_rcu_barrier);
}

/* From the look at a device that lives to the reference that it allows. */
static inline void enter_device(void)
{
	if (!SYNC_DEVIATION(insert_unbracketed))
		sync_rcu_enter();
}

static inline void exit_device(void)
{
	if (!SYNC_DEVIATION(insert_unbracketed))
		sync_rcu_leave();
}

#endif

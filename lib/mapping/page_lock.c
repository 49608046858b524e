/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From a page to its entry.
 *
 *  who comes from the page            the mapping's owner
 *  enters an RCU section
 *  (A) page: mapping m, index i
 *  (B) entry i of m: locked
 *  joins the queue of (m, i)
 *  leaves the RCU section
 *  sleeps                             unlocks, drops all entries
 *                                     (C) frees m after a grace period
 *  wakes; back to (A)
 *
 * m is touched between (A) and the end of the section only, so (C) is after
 * that. Forbidden: a look at m after the sleep, whatever m was before it.
 */
#include <errno.h>

#include "mapping/mapping.h"
#include "pgmap/pgmap.h"

/* One look at a page. */
struct look {
	struct dax_mapping *m;
	dax_pgoff_t index;
	struct tree_place place;
	struct dax_waitq *queue; /* to sleep in; NULL: none */
};

/* (A). Inside sync_rcu_enter(). -EAGAIN: who had it is gone just now. */
static int find_mapping_rcu(
	struct dax_pgmap *pgmap, uint64_t pfn, struct look *look)
{
	struct dax_page_owner owner;

	switch (dax_page_owner(pgmap, pfn, &owner)) {
	case DAX_PAGE_UNOWNED:
		return -ENOENT;
	case DAX_PAGE_OWNERS:
		return -EMLINK;
	default:
		look->m = pgmap_owner_rcu(pgmap, owner.id);
		look->index = owner.index;
	}
	if (is_gone(look->m))
		return -EAGAIN;
	if (asks_twice())
		look->m = pgmap_owner_rcu(pgmap, owner.id);
	DAX_INVARIANT(look->m);
	keep_mapping();
	return 0;
}

static bool has_page(const struct look *look, uint64_t pfn)
{
	const uint64_t word = look->place.word;

	return entry_has_page(look->m, word) &&
	       dax_to_pfn(word) + look->index -
			       dax_entry_start(word, look->index) ==
		       pfn;
}

/* (B). Inside sync_rcu_enter(). 0: it is ours. -EAGAIN: look again, after a
 * sleep if there is a queue. */
static int lock_rcu(struct look *look, uint64_t pfn, struct wait *wait)
{
	look->place = tree_walk(&look->m->tree, look->index, 0);
	/* Also what has no page yet: it may be about to get this one. */
	if (word_is_locked(look->place.word))
		look->queue = entry_join_queue(
			look->m, look->index, look->place.word, wait);
	else if (has_page(look, pfn) && place_lock_once(&look->place))
		return 0;
	return -EAGAIN;
}

static int look_once(struct dax_pgmap *pgmap, uint64_t pfn, struct look *look,
	struct wait *wait)
{
	int error = 0;

	sync_rcu_enter();
	if (!look->queue || asks_page_again(look->m))
		error = find_mapping_rcu(pgmap, pfn, look);
	look->queue = NULL;
	if (!error)
		error = lock_rcu(look, pfn, wait);
	sync_rcu_leave();
	return error;
}

int dax_lock_page(
	struct dax_pgmap *pgmap, uint64_t pfn, struct dax_page_lock *lock)
{
	struct wait wait = WAIT_INIT(DAX_WAIT_SHARED, NULL);
	struct look look = {0};
	uint64_t word;
	int error;

	DAX_REQUIRE(pgmap && lock);
	while ((error = look_once(pgmap, pfn, &look, &wait)) == -EAGAIN)
		if (look.queue &&
			dax_waitq_sleep(look.queue, &wait.waiter, wait.limit))
			DAX_INVARIANT(!"a wait without limit ended");
	if (error)
		return error;
	word = look.place.word;
	entry_locked(look.m, look.index, word, LOCK_MAY_WAIT);
	slot_remember(look.m, look.index, look.place.slot);
	*lock = (struct dax_page_lock){look.m, look.index, word_entry(word)};
	return 0;
}

void dax_unlock_page(const struct dax_page_lock *lock)
{
	DAX_REQUIRE(lock);
	dax_unlock_entry(lock->m, lock->index, lock->entry);
}

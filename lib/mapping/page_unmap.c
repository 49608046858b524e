/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Taking pages that have gone bad out of all page tables.
 *
 *  a fault                            who says that the page is bad
 *                                     (A) the page is bad; a full barrier
 *  (B) locks its entry; a full barrier
 *  (C) asks whether the page is bad
 *                                     (D) looks at every entry of every owner,
 *                                         and waits for those that are locked
 *  (E) the entry has the page, the leaf shows it
 *  unlocks
 *                                     (F) finds the page, unmaps it
 *
 * A page that is shared has a sum of owners and no names, and a fault names the
 * page only after (C): so all entries are looked at. It is rare enough.
 * Forbidden: (C) before (A), and (F) before (E); so also (C) before (A), and
 * (D) before (B), which only the barriers forbid [MO-14].
 */
#include "mapping/mapping.h"
#include "pgmap/pgmap.h"

/* Where the search of one mapping for pages @first to @last is. */
struct search {
	uint64_t first;
	uint64_t last;
	struct dax_mapping *m;
	dax_pgoff_t next;
	struct tree_place place;
	struct dax_waitq *queue;
	bool over;
};

static bool has_page(const struct search *search, uint64_t word)
{
	return entry_has_page(search->m, word) &&
	       dax_to_pfn(word) <= search->last &&
	       dax_to_pfn(word) + entry_pages(word) > search->first;
}

/* Inside sync_rcu_enter(). True: the entry at @search->next, which has one of
 * the pages, is ours. */
static bool lock_next_rcu(struct search *search, struct wait *wait)
{
	struct dax_mapping *m = search->m;
	struct dax_xas xas;
	uint64_t word;

	dax_xas_init(&xas, &m->tree, search->next, UINT64_MAX);
	dax_xas_for_each (&xas, word) {
		search->next = xas.index;
		if (passes_over(word))
			continue;
		if (word_is_locked(word)) {
			search->queue =
				entry_join_queue(m, xas.index, word, wait);
			return false;
		}
		if (!has_page(search, word))
			continue;
		search->place = tree_walk(&m->tree, xas.index, 0);
		return has_page(search, search->place.word) &&
		       !word_is_locked(search->place.word) &&
		       place_lock_once(&search->place);
	}
	search->over = true;
	return false;
}

static bool look_once(struct dax_pgmap *pgmap, uint32_t id,
	struct search *search, struct wait *wait)
{
	bool locked = false;

	sync_rcu_enter();
	search->m = pgmap_owner_rcu(pgmap, id);
	search->queue = NULL;
	if (search->m)
		locked = lock_next_rcu(search, wait);
	else
		search->over = true;
	sync_rcu_leave();
	return locked;
}

static void unmap_locked(struct search *search)
{
	const dax_pgoff_t index = search->next;
	const uint64_t word = search->place.word;

	entry_locked(search->m, index, word, LOCK_MAY_WAIT);
	slot_forget();
	mapping_unmap(search->m, index, word);
	search->next = dax_entry_start(word, index) + entry_pages(word);
	search->over = !search->next;
	dax_unlock_entry(search->m, index, word_entry(word));
}

static void unmap_from(
	struct dax_pgmap *pgmap, uint32_t id, uint64_t first, uint64_t last)
{
	struct wait wait = WAIT_INIT(DAX_WAIT_SHARED, NULL);
	struct search search = {.first = first, .last = last};

	while (!search.over)
		if (look_once(pgmap, id, &search, &wait))
			unmap_locked(&search);
		else if (search.queue && dax_waitq_sleep(search.queue,
						 &wait.waiter, wait.limit))
			DAX_INVARIANT(!"a wait without limit ended");
}

void dax_unmap_pages(struct dax_pgmap *pgmap, uint64_t pfn, uint64_t nr)
{
	uint32_t last_owner;

	DAX_REQUIRE(pgmap);
	if (!nr)
		return;
	/* [MO-14] (A) before (D). */
	sync_barrier();
	last_owner = pgmap_last_owner(pgmap);
	for (uint32_t id = 1; id <= last_owner; id++)
		unmap_from(pgmap, id, pfn,
			nr > UINT64_MAX - pfn ? UINT64_MAX : pfn + nr - 1);
}

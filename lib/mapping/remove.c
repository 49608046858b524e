/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Dropping entries. An entry goes by one CAS of its word from "unlocked" to
 * nothing; a mark set or a lock taken meanwhile makes the CAS fail. One that
 * has a page of a device is locked first, and goes only once the page is given
 * up: whoever comes from the page finds the entry as long as the page names it.
 */
#include <errno.h>

#include "mapping/mapping.h"

enum drop {
	DROP_CLEAN, /* only without marks */
	DROP_ANY,
	DROP_MOVED, /* and its page stays in use elsewhere */
};

static bool is_kept(uint64_t word, enum drop which)
{
	return which == DROP_CLEAN && word_has(word, WORD_MARKS);
}

/* ---- entries with pages ---- */

/* 1: it is gone; 0: its page is pinned, or it is to stay. */
static int drop_locked(struct dax_mapping *m, dax_pgoff_t index,
	enum drop which, struct tree_place *place)
{
	dax_entry_t entry = word_entry(place->word);
	const enum dax_page_use use =
		which == DROP_MOVED ? DAX_PAGE_SHARED : DAX_PAGE_SOLE;

	/* Relaxed: our own, or what others add to it (MO-5). */
	if (is_kept(sync_load(place->slot, memory_order_relaxed), which))
		return 0;
	if (!dax_is_zapped_entry(entry))
		mapping_unmap(m, index, entry);
	entry = entry_zap(m, place->slot, entry);
	place->word = entry | WORD_LOCKED;
	if (entry_give_page_up(m, index, entry, use))
		return 0;
	/* Others may add WAITERS and marks. */
	while (!tree_clear(place))
		;
	return 1;
}

/* @place's entry is locked by us. */
static int drop_with_page(struct dax_mapping *m, dax_pgoff_t index,
	enum drop which, struct tree_place *place)
{
	const uint64_t word = place->word;
	int dropped;

	entry_locked(m, index, word, LOCK_MAY_WAIT);
	slot_forget();
	dropped = drop_locked(m, index, which, place);
	if (dropped)
		rank_pop(entry_rank(m, index, word));
	else
		dax_unlock_entry(m, index, word_entry(place->word));
	return dropped;
}

/* ---- one entry ---- */

/* 1: dropped; 0: nothing to drop; -EBUSY: locked, as @place says; -EAGAIN. */
static int drop_once(struct dax_mapping *m, dax_pgoff_t index, enum drop which,
	struct tree_place *place)
{
	bool has_page;
	bool taken;

	sync_rcu_enter();
	*place = tree_walk(&m->tree, index, 0);
	has_page = entry_has_page(m, place->word);
	taken = word_is_unlocked(place->word) && !is_kept(place->word, which) &&
		(has_page ? place_lock_once(place) : tree_clear(place));
	sync_rcu_leave();
	if (taken)
		return has_page ? drop_with_page(m, index, which, place) : 1;
	if (word_is_locked(place->word))
		return -EBUSY;
	return !place->word || is_kept(place->word, which) ? 0 : -EAGAIN;
}

/* The word dropped, or 0. */
static uint64_t drop_entry(
	struct dax_mapping *m, dax_pgoff_t index, enum drop which)
{
	struct wait wait = WAIT_INIT(DAX_WAIT_EXCLUSIVE, NULL);
	struct tree_place place;
	int result;

	for (;;) {
		result = drop_once(m, index, which, &place);
		if (result >= 0)
			break;
		if (result == -EBUSY) {
			entry_wait(m, index, place.word, &wait);
			if (!looks_again())
				return 0;
		}
	}
	if (result) {
		tree_cleared(&m->tree, index, &place);
		mapping_account(m, 0, entry_pages(place.word));
		entry_note("removes", index, place.word);
		entry_note_key(KEY_ENDS, m, index, place.word);
		entry_removed(m, index, place.word);
	} else {
		dax_put_unlocked_entry(
			m, index, word_entry(place.word), DAX_WAKE_NEXT);
	}
	return result ? place.word : 0;
}

int dax_invalidate_mapping_entry_sync(struct dax_mapping *m, dax_pgoff_t index)
{
	DAX_REQUIRE(m);
	return drop_entry(m, index, DROP_CLEAN) != 0;
}

int dax_delete_mapping_entry(struct dax_mapping *m, dax_pgoff_t index)
{
	DAX_REQUIRE(m);
	return drop_entry(m, index, DROP_ANY) != 0;
}

/* ---- ranges ---- */

static uint64_t drop_range(struct dax_mapping *m, dax_pgoff_t first,
	dax_pgoff_t last, enum drop which)
{
	uint64_t dropped = 0;
	struct dax_xas xas;
	uint64_t word;

	dax_xas_init(&xas, &m->tree, first, last);
	dax_xas_for_each (&xas, word) {
		const uint64_t gone =
			passes_over(word) ? 0 : drop_entry(m, xas.index, which);

		dropped += gone != 0;
		/* Split while we waited: look at what is left of its range. */
		if (dax_entry_order(gone) < dax_entry_order(word) &&
			xas.index < last)
			dax_xas_init(&xas, &m->tree, xas.index + 1, last);
	}
	return dropped;
}

uint64_t dax_delete_mapping_range(
	struct dax_mapping *m, dax_pgoff_t first, dax_pgoff_t last)
{
	DAX_REQUIRE(m);
	return drop_range(m, first, last, DROP_ANY);
}

void mapping_drop_moved(
	struct dax_mapping *m, dax_pgoff_t first, dax_pgoff_t last)
{
	drop_range(m, first, last, DROP_MOVED);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Dropping entries. An entry goes by one CAS of its word from "unlocked" to
 * nothing; a mark set or a lock taken meanwhile makes the CAS fail. */
#include <errno.h>

#include "mapping/mapping.h"

enum drop {
	DROP_CLEAN, /* only without marks */
	DROP_ANY,
};

/* 1: dropped; 0: nothing to drop; -EBUSY: locked, as @place says; -EAGAIN. */
static int drop_once(struct dax_mapping *m, dax_pgoff_t index, enum drop which,
	struct tree_place *place)
{
	bool cleared;

	sync_rcu_enter();
	*place = tree_walk(&m->tree, index, 0);
	cleared = word_is_unlocked(place->word) &&
		  !(which == DROP_CLEAN && word_has(place->word, WORD_MARKS)) &&
		  tree_clear(place);
	sync_rcu_leave();
	if (cleared)
		return 1;
	if (word_is_locked(place->word))
		return -EBUSY;
	if (!place->word ||
		(which == DROP_CLEAN && word_has(place->word, WORD_MARKS)))
		return 0;
	return -EAGAIN;
}

/* The word dropped, or 0. */
static uint64_t drop_entry(
	struct dax_mapping *m, dax_pgoff_t index, enum drop which)
{
	struct wait wait = WAIT_INIT(DAX_WAIT_EXCLUSIVE, NULL);
	struct tree_place place;
	int result;

	DAX_REQUIRE(m);
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
	return drop_entry(m, index, DROP_CLEAN) != 0;
}

int dax_delete_mapping_entry(struct dax_mapping *m, dax_pgoff_t index)
{
	return drop_entry(m, index, DROP_ANY) != 0;
}

uint64_t dax_delete_mapping_range(
	struct dax_mapping *m, dax_pgoff_t first, dax_pgoff_t last)
{
	uint64_t dropped = 0;
	struct dax_xas xas;
	uint64_t word;

	DAX_REQUIRE(m);
	dax_xas_init(&xas, &m->tree, first, last);
	dax_xas_for_each (&xas, word) {
		const uint64_t gone =
			passes_over(word) ? 0
					  : drop_entry(m, xas.index, DROP_ANY);

		dropped += gone != 0;
		/* Split while we waited: look at what is left of its range. */
		if (dax_entry_order(gone) < dax_entry_order(word) &&
			xas.index < last)
			dax_xas_init(&xas, &m->tree, xas.index + 1, last);
	}
	return dropped;
}

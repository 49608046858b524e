/* SPDX-License-Identifier: BSD-3-Clause */
/* Giving a locked entry its storage. */
#include "mapping/mapping.h"

#define ENTRY_FLAGS (DAX_PMD | DAX_PUD | DAX_ZERO_PAGE)

/* L1: the lock bit, WAITERS and marks stay. */
static void replace(struct tree_place *place, dax_entry_t entry)
{
	while (word_is_locked(place->word))
		/* [MO-2] For those who look without locking. */
		if (sync_cas(place->slot, &place->word,
			    entry | (place->word & WORD_STATE),
			    memory_order_release))
			break;
}

static void mark(struct dax_mapping *m, dax_pgoff_t index,
	const struct tree_place *place, enum dax_mark mark)
{
	if (!word_has(place->word, WORD_MARK(mark)))
		dax_tree_set_mark(&m->tree, index, mark);
}

void dax_insert_entry(struct dax_mapping *m, dax_pgoff_t index,
	dax_entry_t *entry, uint64_t pfn, unsigned int flags)
{
	const bool shared = flags & DAX_COW;
	const bool was_zero = dax_is_zero_entry(*entry);
	struct tree_place place;

	DAX_REQUIRE(m && entry);
	/* Without RCU: our lock bit keeps the way there (G4). */
	place = tree_walk(&m->tree, index, 0);
	entry_require_owned(m, index, place.word, *entry);
	if (shared || (was_zero && !(flags & DAX_ZERO_PAGE)))
		mapping_unmap(m, index, *entry);
	if (shared || was_zero || dax_is_empty_entry(*entry)) {
		const dax_entry_t filled =
			dax_make_entry(pfn, flags & ENTRY_FLAGS);

		DAX_REQUIRE(dax_entry_order(filled) == dax_entry_order(*entry));
		replace(&place, filled);
		*entry = filled;
	}
	if (flags & DAX_DIRTY)
		mark(m, index, &place, DAX_MARK_DIRTY);
	if (flags & DAX_DIRTY && shared)
		mark(m, index, &place, DAX_MARK_TOWRITE);
}

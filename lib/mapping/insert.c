/* SPDX-License-Identifier: BSD-3-Clause */
/* Giving a locked entry its storage. */
#include "mapping/mapping.h"

#define ENTRY_FLAGS (DAX_PMD | DAX_PUD | DAX_ZERO_PAGE | DAX_EMPTY)

/* L1: the lock bit, WAITERS and marks stay. Returns the word before. */
static uint64_t replace(struct sync_u64 *slot, dax_entry_t entry)
{
	/* Relaxed: our own, or what others add to it (MO-5). */
	uint64_t word = sync_load(slot, memory_order_relaxed);

	while (word_is_locked(word))
		/* [MO-2] For those who look without locking. */
		if (sync_cas(slot, &word, entry | (word & kept_state()),
			    memory_order_release))
			break;
	return word;
}

static void mark(struct dax_mapping *m, dax_pgoff_t index,
	const struct sync_u64 *slot, enum dax_mark mark)
{
	/* Relaxed: marks go only under the lock that we hold. */
	if (!word_has(sync_load(slot, memory_order_relaxed), WORD_MARK(mark)))
		dax_tree_set_mark(&m->tree, index, mark);
}

void dax_insert_entry(struct dax_mapping *m, dax_pgoff_t index,
	dax_entry_t *entry, uint64_t pfn, unsigned int flags)
{
	const bool shared = flags & DAX_COW;
	const bool was_zero = dax_is_zero_entry(*entry);
	struct sync_u64 *slot;

	DAX_REQUIRE(m && entry);
	slot = owned_slot(m, index);
	entry_require_owned(m, index, slot, *entry);
	if (!slot)
		return;
	if (shared || (was_zero && !(flags & DAX_ZERO_PAGE)))
		mapping_unmap(m, index, *entry);
	if (shared || was_zero || dax_is_empty_entry(*entry)) {
		const dax_entry_t filled =
			dax_make_entry(pfn, flags & ENTRY_FLAGS);

		DAX_REQUIRE(dax_entry_order(filled) == dax_entry_order(*entry));
		entry_replaced(m, index, replace(slot, filled));
		entry_note("fills", index, filled);
		*entry = filled;
	}
	if (flags & DAX_DIRTY)
		mark(m, index, slot, DAX_MARK_DIRTY);
	if (flags & DAX_DIRTY && shared)
		mark(m, index, slot, DAX_MARK_TOWRITE);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Giving a locked entry its storage. */
#include "mapping/mapping.h"

#define ENTRY_FLAGS (DAX_PMD | DAX_PUD | DAX_ZERO_PAGE | DAX_EMPTY)

uint64_t entry_store(struct sync_u64 *slot, dax_entry_t entry)
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

struct filling {
	struct dax_mapping *m;
	dax_pgoff_t index;
	struct sync_u64 *slot;
	dax_entry_t old;
	unsigned int flags;
};

/* What was there moved, or had no storage; it is unmapped. */
static int fill(const struct filling *f, dax_entry_t filled)
{
	struct dax_mapping *m = f->m;
	const int error = entry_take_page(m, f->index, filled, f->flags);
	dax_entry_t zapped;

	if (error)
		return error;
	if (entry_has_page(m, f->old)) {
		zapped = entry_zap(m, f->slot, f->old);
		/* The others have the storage, pinned or not. */
		entry_give_page_up(m, f->index, zapped, DAX_PAGE_SHARED);
	}
	entry_replaced(m, f->index, entry_store(f->slot, filled));
	entry_note("fills", f->index, filled);
	return 0;
}

/* What is there keeps its storage. */
static int keep(const struct filling *f, dax_entry_t *entry)
{
	int error;

	if (!dax_is_zapped_entry(*entry))
		return 0;
	error = entry_hold_page(f->m, *entry);
	if (error)
		return error;
	*entry &= ~WORD_FLAGS(DAX_ZAP);
	entry_store(f->slot, *entry);
	return 0;
}

static int replace(const struct filling *f, dax_entry_t *entry, uint64_t pfn)
{
	const bool moves = f->flags & DAX_COW;
	const bool was_zero = dax_is_zero_entry(*entry);
	dax_entry_t filled;
	int error;

	if (!moves && !was_zero && !dax_is_empty_entry(*entry))
		return keep(f, entry);
	if (moves || (was_zero && !(f->flags & DAX_ZERO_PAGE)))
		mapping_unmap(f->m, f->index, *entry);
	filled = dax_make_entry(pfn, f->flags & ENTRY_FLAGS);
	DAX_REQUIRE(dax_entry_order(filled) == dax_entry_order(*entry));
	error = fill(f, filled);
	if (!error)
		*entry = filled;
	return error;
}

int dax_insert_entry(struct dax_mapping *m, dax_pgoff_t index,
	dax_entry_t *entry, uint64_t pfn, unsigned int flags)
{
	struct filling f = {.m = m, .index = index, .flags = flags};
	int error;

	DAX_REQUIRE(m && entry);
	f.slot = owned_slot(m, index);
	entry_require_owned(m, index, f.slot, *entry);
	if (!f.slot)
		return 0;
	f.old = *entry;
	error = replace(&f, entry, pfn);
	if (error)
		return error;
	if (flags & DAX_DIRTY)
		mark(m, index, f.slot, DAX_MARK_DIRTY);
	if (flags & DAX_DIRTY && flags & DAX_COW)
		mark(m, index, f.slot, DAX_MARK_TOWRITE);
	return 0;
}

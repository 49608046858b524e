/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Many threads, every call of a mapping, few indices. Each index has a cell of
 * plain words that only the owner of its entry may touch: the cells find two
 * owners, and ThreadSanitizer finds owners that nothing orders.
 */
#ifndef TURMOIL_H
#define TURMOIL_H

#include <errno.h>

#include "base/sync.h"
#include "daxlock/mapping.h"
#include "entry/word.h"
#include "support/crew.h"
#include "support/random.h"

#define PMD_PAGES ((uint64_t)1 << DAX_PMD_ORDER)
#define PUD_PAGES ((uint64_t)1 << DAX_PUD_ORDER)

/* Three PMDs on both sides of a PUD's end; four pages of each are in play. */
enum { PMDS = 3, PAGES = 4, CANCELS = 1024 };
#define FIRST	   (PUD_PAGES - PMD_PAGES)
#define LAST	   (FIRST + PMDS * PMD_PAGES - 1)

#define PFN(index) (0x8000 + ((index)&0xffffffff))

struct cell {
	unsigned int owner; /* a thread's number + 1, or 0 */
	unsigned int unmaps;
	uint64_t visits;
};

/* What became of calls, counted by each thread for itself. */
struct tally {
	unsigned int locked;
	unsigned int fell_back;
	unsigned int downgraded;
	unsigned int gave_up;
	unsigned int dropped;
};

struct turmoil {
	struct dax_mapping *m;
	struct dax_waitq_table *waitqs;
	unsigned int nr_calls; /* of each thread */
	/* Owner: who has locked the entry that covers the page. */
	struct cell cells[PMDS][PAGES];
	struct tally tallies[CREW_MAX]; /* owner: the thread */
	struct dax_cancel cancels[CREW_MAX][CANCELS];
	_Atomic(unsigned int) cancel_in_use[CREW_MAX];
};

struct actor {
	struct crew_member *me;
	struct turmoil *turmoil;
	struct tally *tally;
	struct random random;
};

static const uint64_t page_offsets[PAGES] = {0, 1, 2, PMD_PAGES - 1};

/* ---- cells ---- */

static inline unsigned int pmd_of(dax_pgoff_t index)
{
	return (unsigned int)((index - FIRST) / PMD_PAGES);
}

/* Calls @visit for each cell in the range of an entry at @index. */
static inline void for_cells(struct actor *actor, dax_pgoff_t index,
	uint64_t nr, void (*visit)(struct actor *actor, struct cell *cell))
{
	struct cell *cells = actor->turmoil->cells[pmd_of(index)];

	for (unsigned int i = 0; i < PAGES; i++)
		if (nr > 1 || index % PMD_PAGES == page_offsets[i])
			visit(actor, &cells[i]);
}

static inline void own(struct actor *actor, struct cell *cell)
{
	crew_check(actor->me, !cell->owner);
	cell->owner = actor->me->number + 1;
}

static inline void disown(struct actor *actor, struct cell *cell)
{
	crew_check(actor->me, cell->owner == actor->me->number + 1);
	cell->visits++;
	cell->owner = 0;
}

static inline void count_unmap(struct actor *actor, struct cell *cell)
{
	(void)actor;
	cell->unmaps++;
}

static inline void turmoil_unmap(void *owner, dax_pgoff_t index, uint64_t nr)
{
	struct actor actor = {.turmoil = owner};

	for_cells(&actor, index, nr, count_unmap);
}

/* ---- a turmoil ---- */

static inline void turmoil_open(struct turmoil *turmoil, unsigned int queues)
{
	static const struct dax_mapping_ops ops = {.unmap = turmoil_unmap};
	struct dax_mapping_params params = {.ops = &ops, .owner = turmoil};

	assert_int_equal(dax_waitq_table_new(queues, 1, &turmoil->waitqs), 0);
	params.waitqs = turmoil->waitqs;
	assert_int_equal(dax_mapping_new(&params, &turmoil->m), 0);
	for (unsigned int i = 0; i < CREW_MAX; i++)
		for (unsigned int j = 0; j < CANCELS; j++)
			dax_cancel_init(&turmoil->cancels[i][j]);
}

static inline struct tally turmoil_tally(const struct turmoil *turmoil)
{
	struct tally sum = {0};

	for (unsigned int i = 0; i < CREW_MAX; i++) {
		sum.locked += turmoil->tallies[i].locked;
		sum.fell_back += turmoil->tallies[i].fell_back;
		sum.downgraded += turmoil->tallies[i].downgraded;
		sum.gave_up += turmoil->tallies[i].gave_up;
		sum.dropped += turmoil->tallies[i].dropped;
	}
	return sum;
}

/* What is left is sound, and goes without a trace. */
static inline void turmoil_close(struct turmoil *turmoil)
{
	struct dax_tree *tree = dax_mapping_tree(turmoil->m);
	uint64_t nr_entries = 0, nr_pages = 0;
	struct dax_xas xas;
	uint64_t word;

	assert_null(dax_mapping_verify(turmoil->m));
	dax_xas_init(&xas, tree, 0, UINT64_MAX);
	dax_xas_for_each (&xas, word) {
		nr_entries++;
		nr_pages += (uint64_t)1 << dax_entry_order(word);
	}
	assert_int_equal(dax_mapping_nrpages(turmoil->m), nr_pages);
	for (unsigned int i = 0; i < PMDS * PAGES; i++)
		assert_int_equal(turmoil->cells[i / PAGES][i % PAGES].owner, 0);
	assert_int_equal(dax_delete_mapping_range(turmoil->m, 0, UINT64_MAX),
		nr_entries);
	assert_int_equal(dax_mapping_nrpages(turmoil->m), 0);
	assert_int_equal(dax_tree_nr_nodes(tree), 0);
	assert_false(dax_tree_marked(tree, DAX_MARK_DIRTY));
	assert_false(dax_tree_marked(tree, DAX_MARK_TOWRITE));
	dax_mapping_delete(&turmoil->m);
	dax_waitq_table_delete(&turmoil->waitqs);
}

#endif

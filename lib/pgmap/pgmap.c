/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A device and its end.
 *
 *  associate, request                 dax_pgmap_kill
 *  enters an RCU section
 *  (A) not dying
 *                                     (B) dying
 *                                     (C) a grace period
 *  (D) one reference more
 *  leaves the RCU section
 *                                     (E) looks for what is live
 *
 * Whoever missed (B) at (A) is in its section when (C) begins, so (C) lasts
 * until after (D), and (E) finds the page. Forbidden: (E) before (D). So a
 * device needs no count of its pages' references, which all faults would
 * share; it is only at its end that each page is looked at.
 */
#include "pgmap/pgmap.h"

#include <errno.h>

#define PGMAP_REFS  (PGMAP_WAITERS - 1)
#define PFN_END_MAX ((uint64_t)1 << 52)

static unsigned int largest_level(uint64_t nr)
{
	unsigned int level = level_of_order(DAX_PUD_ORDER);

	while (level > LEVEL_PTE && level_pages(level) > nr)
		level--;
	return level;
}

/* The PMDs that begin below @pfn. */
static uint64_t heads_below(uint64_t pfn)
{
	return (pfn + ((uint64_t)1 << DAX_PMD_ORDER) - 1) >> DAX_PMD_ORDER;
}

/* Of the device's PMDs, of which the first and the last may be cut off. */
static uint64_t nr_heads(const struct dax_pgmap_params *params)
{
	return heads_below(params->first + params->nr) -
	       (params->first >> DAX_PMD_ORDER);
}

static uint64_t nr_pages(const struct dax_pgmap_params *params)
{
	const bool is_cut = params->first % level_pages(LEVEL_PMD);

	return params->nr + is_cut;
}

static void lay_out(struct dax_pgmap *pgmap,
	const struct dax_pgmap_params *params, struct page *pages)
{
	pgmap->first_head = params->first >> DAX_PMD_ORDER;
	pgmap->first_tail = params->first - heads_below(params->first);
	pgmap->heads = pages;
	pgmap->tails = pages + nr_heads(params);
}

static int make(const struct dax_pgmap_params *params,
	struct dax_waitq_table *waitqs, struct dax_pgmap **out)
{
	struct dax_pgmap *pgmap =
		sync_alloc(sizeof(*pgmap), _Alignof(struct dax_pgmap));

	struct page *pages;

	if (!pgmap)
		return -ENOMEM;
	pages = sync_alloc(nr_pages(params) * sizeof(*pages), 16);
	if (!pages) {
		sync_free(pgmap);
		return -ENOMEM;
	}
	pgmap->first = params->first;
	pgmap->nr = params->nr;
	pgmap->largest = largest_level(params->nr);
	lay_out(pgmap, params, pages);
	pgmap->waitqs = waitqs;
	pgmap->ops = params->ops;
	pgmap->owner = params->owner;
	sync_lock_init(&pgmap->sharing, RANK_LEAF);
	owners_init(&pgmap->owners);
	pins_init(&pgmap->pins);
	*out = pgmap;
	return 0;
}

int dax_pgmap_new(const struct dax_pgmap_params *params, struct dax_pgmap **out)
{
	struct dax_waitq_table *waitqs;

	DAX_REQUIRE(params && out);
	*out = NULL;
	if (!params->nr || params->nr > PFN_END_MAX ||
		params->first > PFN_END_MAX - params->nr)
		return -EINVAL;
	waitqs = params->waitqs;
	if (!waitqs) {
		const int error = dax_waitq_table_default(&waitqs);

		if (error)
			return error;
	}
	return make(params, waitqs, out);
}

static bool all_idle(const struct dax_pgmap *pgmap)
{
	for (uint64_t i = 0; i < pgmap->nr; i++)
		if (!dax_page_is_idle(pgmap, pgmap->first + i))
			return false;
	return true;
}

uint64_t pgmap_holders(const struct dax_pgmap *pgmap)
{
	return sync_load(&pgmap->refs, memory_order_relaxed) & PGMAP_REFS;
}

void dax_pgmap_delete(struct dax_pgmap **pgmap)
{
	DAX_REQUIRE(pgmap);
	if (*pgmap) {
		/* A pin may look for a page that it saw before it went, and may
		 * even have it until it looks again. */
		sync_rcu_synchronize();
		DAX_REQUIRE(all_idle(*pgmap));
		DAX_REQUIRE(!pgmap_holders(*pgmap));
		owners_destroy(&(*pgmap)->owners);
		sync_free((*pgmap)->heads);
	}
	sync_free(*pgmap);
	*pgmap = NULL;
}

/* ---- who holds the device ---- */

bool dax_pgmap_get(struct dax_pgmap *pgmap)
{
	uint64_t refs;

	DAX_REQUIRE(pgmap);
	refs = sync_load(&pgmap->refs, memory_order_relaxed);
	while (!(refs & PGMAP_DYING))
		/* [MO-10] */
		if (sync_cas(&pgmap->refs, &refs, refs + 1,
			    memory_order_acquire))
			return true;
	return false;
}

void dax_pgmap_put(struct dax_pgmap *pgmap)
{
	struct dax_waitq_table *waitqs;
	struct sync_u64 *word;
	uint64_t before;

	DAX_REQUIRE(pgmap);
	waitqs = pgmap->waitqs;
	word = &pgmap->refs;
	/* [MO-10] All use of the device before its end. */
	before = sync_sub(word, 1, memory_order_release);
	DAX_INVARIANT(before & PGMAP_REFS);
	if ((before & PGMAP_REFS) == 1 && before & PGMAP_WAITERS)
		wake_all(waitqs, word);
}

/* ---- its end ---- */

bool dax_pgmap_is_dying(const struct dax_pgmap *pgmap)
{
	DAX_REQUIRE(pgmap);
	/* Relaxed: who has to be sure is in an RCU section: (A). */
	return sync_load(&pgmap->refs, memory_order_relaxed) & PGMAP_DYING;
}

void dax_pgmap_kill(struct dax_pgmap *pgmap)
{
	DAX_REQUIRE(pgmap && !dax_pgmap_is_dying(pgmap));
	sync_note("kills the device");
	/* Relaxed: (C) is what orders it. */
	sync_or(&pgmap->refs, PGMAP_DYING, memory_order_relaxed);
	if (kill_waits())
		sync_rcu_synchronize();
}

static int wait_for_pages(struct dax_pgmap *pgmap, struct patience *patience)
{
	int error = 0;

	for (uint64_t i = 0; i < pgmap->nr && !error; i++)
		error = page_wait_idle(pgmap->first + i, patience);
	return error;
}

static bool is_held(uint64_t refs)
{
	return refs & PGMAP_REFS;
}

int dax_pgmap_wait(struct dax_pgmap *pgmap, const struct dax_wait_limit *limit)
{
	struct patience patience;
	int error;

	DAX_REQUIRE(pgmap && dax_pgmap_is_dying(pgmap));
	patience = patience_begin(pgmap, limit);
	error = wait_for_pages(pgmap, &patience);
	patience.pfn = NO_PFN;
	/* [MO-10] */
	while (!error && is_held(sync_load(&pgmap->refs, memory_order_acquire)))
		error = pgmap_sleep_while(pgmap, is_held, &patience);
	return error;
}

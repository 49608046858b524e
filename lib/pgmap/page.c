/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * References to pages.
 *
 *  pin (dax_page_try_get)             last owner, and another after it
 *  (A) finds the head of its page
 *                                     drops the last reference; announces it
 *                                     the range is used anew, in another order
 *  (B) CAS: one reference more
 *
 * The level of the head is in the word of (B), so the CAS fails if (A) is not
 * true any more. And a tail of a live range has no references, so (B) fails
 * where (A) came too early to see its head. Forbidden: a reference to a page
 * that does not count for what is pinned.
 */
#include "pgmap/pgmap.h"

static inline struct head head_at(struct page *page, uint64_t pfn)
{
	/* [MO-9] The references that went before it was as it is. */
	return (struct head){
		page, pfn, sync_load(&page->state, memory_order_acquire)};
}

static inline struct head pmd_head(const struct dax_pgmap *pgmap, uint64_t pmd)
{
	return head_at(
		&pgmap->heads[pmd - pgmap->first_head], pmd << DAX_PMD_ORDER);
}

/* A page that does not begin a PMD. */
static inline struct page *tail_at(const struct dax_pgmap *pgmap, uint64_t pfn)
{
	/* Of the pages below it, so many are no tails. */
	const uint64_t heads = (pfn >> DAX_PMD_ORDER) + 1;

	return &pgmap->tails[pfn - heads - pgmap->first_tail];
}

/* Of the PUD that @pmd is in; @head if there is none. */
static inline struct head pud_head(
	const struct dax_pgmap *pgmap, uint64_t pmd, struct head head)
{
	const uint64_t first = pmd & -PMDS_OF_A_PUD;
	struct head pud;

	if (first < pgmap->first_head)
		return head;
	pud = pmd_head(pgmap, first);
	return state_level(pud.state) > LEVEL_PMD ? pud : head;
}

/*
 * The head of @pfn; state 0: itself, and it has not been asked. The page that
 * begins the PMD is asked first: those lie side by side, so that the caches
 * hold them. If it is 0, it may be a part of a PUD (P1).
 *
 * Inline: what is returned through memory costs as much as all the rest.
 */
static inline __attribute__((always_inline)) struct head find_page(
	const struct dax_pgmap *pgmap, uint64_t pfn)
{
	const uint64_t pmd = pfn >> DAX_PMD_ORDER;
	struct head head;

	DAX_REQUIRE(pfn - pgmap->first < pgmap->nr);
	head = pmd_head(pgmap, pmd);
	if (!head.state)
		head = pud_head(pgmap, pmd, head);
	if (state_level(head.state) > LEVEL_PTE || pfn == head.pfn)
		return head;
	return (struct head){tail_at(pgmap, pfn), pfn, 0};
}

static inline __attribute__((always_inline)) struct head find_head(
	const struct dax_pgmap *pgmap, uint64_t pfn)
{
	const struct head head = find_page(pgmap, pfn);

	return head.state ? head : head_at(head.page, pfn);
}

struct head page_head(const struct dax_pgmap *pgmap, uint64_t pfn)
{
	return find_head(pgmap, pfn);
}

uint64_t page_counts_for(const struct dax_pgmap *pgmap, uint64_t pfn)
{
	const unsigned int level = state_level(find_head(pgmap, pfn).state);

	return level ? level_pages(level) : 0;
}

/* Pins leave room for the reference of each owner that there may be. */
static bool can_get(uint64_t state)
{
	return state_references(state) &&
	       state_references(state) < UINT32_MAX - PAGE_OWNERS_MAX;
}

bool dax_page_try_get(struct dax_pgmap *pgmap, uint64_t pfn)
{
	struct page *page;
	uint64_t state;

	DAX_REQUIRE(pgmap);
	do {
		const struct head head = find_head(pgmap, pfn);

		page = head.page;
		state = head.state;
		if (!can_get(state))
			return false;
		/* [MO-9] Sees what those did who made the page live. */
	} while (!sync_cas(
		&page->state, &state, state + 1, memory_order_acquire));
	sync_note("pins page 0x%llx", (unsigned long long)pfn);
	return true;
}

static void put(struct dax_pgmap *pgmap, uint64_t pfn,
	bool (*is_last)(uint32_t references))
{
	/* Our reference keeps its level as it is. */
	const struct head head = find_page(pgmap, pfn);
	struct page *page = head.page;
	struct dax_waitq_table *waitqs = pgmap->waitqs;
	uint64_t before;

	sync_note("drops a reference to page 0x%llx", (unsigned long long)pfn);
	/* [MO-9] What we did with the page before its end; and, if we are the
	 * last, what the others did. */
	before = sync_sub(&page->state, 1, memory_order_acq_rel);
	DAX_INVARIANT(state_references(before));
	if (is_last(state_references(before)))
		page_announce(pgmap, page, head.pfn);
	else if (before & PAGE_WAITERS && pin_wakes(before))
		/* The device may be gone. */
		wake_all(waitqs, &page->state);
}

void dax_page_put(struct dax_pgmap *pgmap, uint64_t pfn)
{
	DAX_REQUIRE(pgmap);
	put(pgmap, pfn, was_last);
}

void page_put_pin(struct dax_pgmap *pgmap, uint64_t pfn)
{
	put(pgmap, pfn, was_last_pin);
}

bool dax_page_is_idle(const struct dax_pgmap *pgmap, uint64_t pfn)
{
	DAX_REQUIRE(pgmap);
	return !state_is_live(page_head(pgmap, pfn).state);
}

uint64_t dax_page_count(const struct dax_pgmap *pgmap, uint64_t pfn)
{
	DAX_REQUIRE(pgmap);
	return state_references(page_head(pgmap, pfn).state);
}

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

static inline struct page *page_at(const struct dax_pgmap *pgmap, uint64_t pfn)
{
	const uint64_t pmd = pfn >> DAX_PMD_ORDER;

	DAX_REQUIRE(pfn - pgmap->first < pgmap->nr);
	if (pfn == pmd << DAX_PMD_ORDER)
		return &pgmap->heads[pmd - pgmap->first_head];
	/* Of the pages below it, @pmd + 1 are no tails. */
	return &pgmap->tails[pfn - pmd - 1 - pgmap->first_tail];
}

static inline struct head head_at(struct page *page, uint64_t pfn)
{
	/* [MO-9] The references that went before it was as it is. */
	return (struct head){
		page, pfn, sync_load(&page->state, memory_order_acquire)};
}

/* Inline: what is returned through memory costs as much as all the rest. */
static inline __attribute__((always_inline)) struct head find_head(
	const struct dax_pgmap *pgmap, uint64_t pfn)
{
	for (unsigned int level = pgmap->largest; level > LEVEL_PTE; level--) {
		const uint64_t first = pfn & -level_pages(level);
		const uint64_t pmd = first >> DAX_PMD_ORDER;
		struct head head;

		if (pmd < pgmap->first_head)
			continue;
		head = head_at(&pgmap->heads[pmd - pgmap->first_head], first);
		if (state_level(head.state) >= level)
			return head;
	}
	return head_at(page_at(pgmap, pfn), pfn);
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
	const struct head head = find_head(pgmap, pfn);
	struct dax_waitq_table *waitqs = pgmap->waitqs;
	uint64_t before;

	sync_note("drops a reference to page 0x%llx", (unsigned long long)pfn);
	/* [MO-9] What we did with the page before its end; and, if we are the
	 * last, what the others did. */
	before = sync_sub(&head.page->state, 1, memory_order_acq_rel);
	DAX_INVARIANT(state_references(before));
	if (is_last(state_references(before)))
		page_announce(pgmap, &head);
	else if (before & PAGE_WAITERS && pin_wakes(before))
		/* The device may be gone. */
		wake_all(waitqs, &head.page->state);
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

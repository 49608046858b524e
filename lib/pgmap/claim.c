/* SPDX-License-Identifier: BSD-3-Clause */
/* References from 0 on, and who owns a page. */
#include <errno.h>

#include "pgmap/pgmap.h"

/* What an entry wants of a page. */
struct claim {
	uint64_t pfn;
	unsigned int level;
	uint64_t owners; /* PAGE_OWNER, or 0: it has the page already */
	enum dax_page_use use;
};

/* Is no page of the range in use but for its first, which has been looked at?
 */
static bool tails_are_free(
	const struct dax_pgmap *pgmap, uint64_t pfn, unsigned int level)
{
	for (uint64_t i = 1; i < level_pages(level); i++)
		if (page_head(pgmap, pfn + i).state)
			return false;
	return true;
}

/* Of a page that is free. A range that has one owner was free as a whole when
 * its storage was given to that owner: no look at 512 words, but in tests. */
static bool range_is_free(
	const struct dax_pgmap *pgmap, const struct claim *claim)
{
	if (claim->use == DAX_PAGE_SHARED)
		return tails_are_free(pgmap, claim->pfn, claim->level);
	DAX_INVARIANT(
		sync_peek(tails_are_free(pgmap, claim->pfn, claim->level)));
	return true;
}

/* May @claim go on with the page, as it is? */
static bool fits(const struct dax_pgmap *pgmap, const struct claim *claim,
	const struct head *head)
{
	if (!head->state)
		return range_is_free(pgmap, claim);
	if (state_level(head->state) < claim->level)
		return false;
	return !claim->owners ||
	       (claim->use == DAX_PAGE_SHARED &&
		       state_owners(head->state) < PAGE_OWNERS_MAX);
}

static uint64_t claimed(const struct claim *claim, uint64_t state)
{
	if (!state)
		state = level_bits(claim->level);
	return (state | PAGE_LIVE) + claim->owners + entry_references();
}

/* 0; -EAGAIN somebody was faster, or is ending the page's last life. */
static int claim_once(
	struct dax_pgmap *pgmap, const struct claim *claim, struct head *head)
{
	/* Relaxed: dax_pgmap_kill() waits for all who may not see it. */
	if (dax_pgmap_is_dying(pgmap))
		return -EIO;
	*head = page_head(pgmap, claim->pfn);
	if (state_is_ending(head->state))
		return -EAGAIN;
	if (!fits(pgmap, claim, head))
		return -EBUSY;
	/* [MO-9] After the page's last life, before who pins it. */
	if (!sync_cas(&head->page->state, &head->state,
		    claimed(claim, head->state), memory_order_acq_rel))
		return -EAGAIN;
	return 0;
}

/*
 * As dax_pgmap_kill() wants it: from the look at the device to the reference,
 * without a sleep.
 *
 * Files that share blocks may claim them at the same time, one of them a page
 * and the other its whole range, which are two words: so they do it one after
 * the other. The parts of what has one owner are kept apart by its tree.
 */
static int claim_alone(
	struct dax_pgmap *pgmap, const struct claim *claim, struct head *head)
{
	const bool locks = claims_alone(claim->use);
	int error;

	if (locks)
		sync_lock_acquire(&pgmap->sharing);
	enter_device();
	error = claim_once(pgmap, claim, head);
	exit_device();
	if (locks)
		sync_lock_release(&pgmap->sharing);
	return error;
}

static int claim_page(
	struct dax_pgmap *pgmap, const struct claim *claim, struct head *head)
{
	int error;

	for (;;) {
		error = claim_alone(pgmap, claim, head);
		if (error != -EAGAIN)
			return error;
		while (state_is_ending(head->state)) {
			error = page_sleep_while(
				pgmap, claim->pfn, state_is_ending, NULL);
			DAX_INVARIANT(!error);
			*head = page_head(pgmap, claim->pfn);
		}
	}
}

int dax_page_associate(struct dax_pgmap *pgmap, uint64_t pfn,
	unsigned int order, const struct dax_page_owner *owner,
	enum dax_page_use use)
{
	const struct claim claim = {
		.pfn = pfn,
		.level = level_of_order(order),
		.owners = PAGE_OWNER,
		.use = use,
	};
	struct head head;
	int error;

	DAX_REQUIRE(pgmap && owner && owner->id);
	DAX_REQUIRE(order % DAX_PMD_ORDER == 0 &&
		    level_of_order(order) <= pgmap->largest);
	DAX_REQUIRE(!(pfn & (((uint64_t)1 << order) - 1)));
	DAX_REQUIRE(pfn - pgmap->first + ((uint64_t)1 << order) <= pgmap->nr);
	error = claim_page(pgmap, &claim, &head);
	if (!error)
		/* [MO-11] After it was counted. */
		sync_add(&head.page->names, owner_name(owner, pfn - head.pfn),
			memory_order_release);
	return error;
}

int dax_page_request(struct dax_pgmap *pgmap, uint64_t pfn)
{
	const struct claim claim = {.pfn = pfn, .level = level_of_order(0)};
	struct head head;

	DAX_REQUIRE(pgmap);
	DAX_REQUIRE(sync_peek(state_owners(page_head(pgmap, pfn).state)));
	return claim_page(pgmap, &claim, &head);
}

/* Of @state, when one owner has left. */
static uint64_t left_by_one(uint64_t state)
{
	state -= PAGE_OWNER;
	return state_owners(state) || state_is_live(state)
		       ? state
		       : state_without_level(state);
}

int page_dissociate(struct dax_pgmap *pgmap, uint64_t pfn,
	const struct dax_page_owner *owner, enum dax_page_use use)
{
	struct head head;
	uint64_t name;

	DAX_REQUIRE(pgmap && owner && owner->id);
	for (;;) {
		head = page_head(pgmap, pfn);
		DAX_REQUIRE(state_owners(head.state));
		if (!may_be_given_up(head.state, use))
			return -EBUSY;
		name = name_that_goes(
			head.state, owner_name(owner, pfn - head.pfn));
		/* [MO-11] Before it is counted off. */
		sync_sub(&head.page->names, name, memory_order_relaxed);
		/* [MO-9], [MO-11] */
		if (sync_cas(&head.page->state, &head.state,
			    left_by_one(head.state), memory_order_acq_rel))
			return 0;
		sync_add(&head.page->names, name, memory_order_relaxed);
	}
}

int dax_page_dissociate(struct dax_pgmap *pgmap, uint64_t pfn,
	const struct dax_page_owner *owner)
{
	return page_dissociate(pgmap, pfn, owner, DAX_PAGE_SOLE);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The pages of entries. An entry with storage owns its pages for as long as it
 * stands in the tree, and holds them until it is zapped:
 *
 *                 take                 zap              give up
 *    no storage -------> owns, holds -------> owns -------------> gone, or
 * EMPTY ^               |
 *                              +---------------+
 *                                 hold (a fault)
 *
 * Each edge is taken with the entry locked, and the page changes before the
 * word does when it is taken, after it when it is given up: whoever goes from
 * the page to the entry finds it locked meanwhile, and waits.
 */
#include <errno.h>

#include "mapping/mapping.h"
#include "pgmap/pgmap.h"

static struct dax_page_owner owner_of(
	const struct dax_mapping *m, dax_pgoff_t index, dax_entry_t entry)
{
	return (struct dax_page_owner){
		m->page_owner, dax_entry_start(entry, index)};
}

/*
 * What an entry counts: its pages as one, or, if its storage was shared when it
 * took it, each by itself. A page of those may be another file's in another
 * place, alone or in a large entry, and for longer than its neighbours.
 */
struct counted {
	uint64_t pfn;
	uint64_t nr;   /* pages */
	uint64_t step; /* pages that count as one */
};

/* Of an entry that owns its pages. */
static struct counted counted_of(const struct dax_mapping *m, dax_entry_t entry)
{
	const uint64_t pfn = dax_to_pfn(entry);
	const uint64_t nr = entry_pages(entry);

	return (struct counted){
		pfn, nr, nr == 1 ? 1 : page_counts_for(m->pgmap, pfn)};
}

static void put_pages(const struct dax_mapping *m, struct counted counted)
{
	for (uint64_t i = 0; i < counted.nr; i += counted.step)
		dax_page_put(m->pgmap, counted.pfn + i);
}

/* The first page in use that nobody else has, too. */
static bool find_busy_page(
	const struct dax_mapping *m, struct counted counted, uint64_t *pfn)
{
	for (uint64_t i = 0; i < counted.nr; i += counted.step)
		if (page_is_busy(m->pgmap, counted.pfn + i)) {
			*pfn = counted.pfn + i;
			return true;
		}
	return false;
}

/* Pages that count by themselves, pinned or not: whoever frees their storage
 * looks whether each is idle. */
static void leave_pages(const struct dax_mapping *m, struct counted counted,
	struct dax_page_owner owner)
{
	for (uint64_t i = 0; i < counted.nr; i++, owner.index++) {
		const int error = page_dissociate(
			m->pgmap, counted.pfn + i, &owner, DAX_PAGE_SHARED);

		DAX_INVARIANT(!error);
		(void)error;
	}
}

static int take_each_page(const struct dax_mapping *m, dax_entry_t entry,
	struct dax_page_owner first)
{
	struct counted taken = {.pfn = dax_to_pfn(entry), .step = 1};
	struct dax_page_owner owner = first;
	int error = 0;

	for (; taken.nr < entry_pages(entry); taken.nr++, owner.index++) {
		error = dax_page_associate(m->pgmap, taken.pfn + taken.nr,
			DAX_PTE_ORDER, &owner, DAX_PAGE_SHARED);
		if (error)
			break;
	}
	if (error) {
		put_pages(m, taken);
		leave_pages(m, taken, first);
	}
	return error;
}

int entry_take_page(struct dax_mapping *m, dax_pgoff_t index, dax_entry_t entry,
	unsigned int flags)
{
	const struct dax_page_owner owner = owner_of(m, index, entry);

	if (!entry_has_page(m, entry))
		return 0;
	if (owner.index >> DAX_PGMAP_INDEX_BITS)
		return -EFBIG;
	if (flags & DAX_SHARED)
		return take_each_page(m, entry, owner);
	return dax_page_associate(m->pgmap, dax_to_pfn(entry),
		dax_entry_order(entry), &owner, DAX_PAGE_SOLE);
}

int entry_hold_page(struct dax_mapping *m, dax_entry_t entry)
{
	struct counted held = counted_of(m, entry);
	const uint64_t nr = held.nr;
	int error = 0;

	for (held.nr = 0; held.nr < nr; held.nr += held.step) {
		error = dax_page_request(m->pgmap, held.pfn + held.nr);
		if (error)
			break;
	}
	if (error)
		put_pages(m, held);
	return error;
}

dax_entry_t entry_zap(
	struct dax_mapping *m, struct sync_u64 *slot, dax_entry_t entry)
{
	const dax_entry_t zapped = entry | WORD_FLAGS(DAX_ZAP);

	if (entry == zapped)
		return entry;
	entry_store(slot, zapped);
	put_pages(m, counted_of(m, entry));
	return zapped;
}

int entry_give_page_up(struct dax_mapping *m, dax_pgoff_t index,
	dax_entry_t entry, enum dax_page_use use)
{
	const struct dax_page_owner owner = owner_of(m, index, entry);
	const struct counted counted = counted_of(m, entry);
	uint64_t busy;

	if (counted.step == counted.nr)
		return page_dissociate(m->pgmap, counted.pfn, &owner, use);
	if (use == DAX_PAGE_SOLE && find_busy_page(m, counted, &busy))
		return -EBUSY;
	leave_pages(m, counted, owner);
	return 0;
}

/* ---- ranges ---- */

/* Is a page of the entry at @index, which is locked by us, in use? */
static bool zap_locked(struct dax_mapping *m, dax_pgoff_t index,
	dax_entry_t *entry, uint64_t *pfn)
{
	if (!has_page_to_zap(m, *entry))
		return false;
	if (lets_go_of_page())
		*entry = entry_zap(m, owned_slot(m, index), *entry);
	return find_busy_page(m, counted_of(m, *entry), pfn);
}

int dax_zap_mappings_range(struct dax_mapping *m, dax_pgoff_t first,
	dax_pgoff_t last, uint64_t *pfn)
{
	bool busy = false;
	struct dax_xas xas;
	dax_entry_t entry;
	uint64_t word;

	DAX_REQUIRE(m && pfn);
	if (!m->pgmap)
		return 0;
	dax_xas_init(&xas, &m->tree, first, last);
	dax_xas_for_each (&xas, word) {
		if (passes_over(word) || dax_lock_entry(m, xas.index, &entry))
			continue;
		if (zap_locked(m, xas.index, &entry, pfn))
			busy = true;
		dax_unlock_entry(m, xas.index, entry);
	}
	return busy ? -EBUSY : 0;
}

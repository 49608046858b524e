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

int entry_take_page(struct dax_mapping *m, dax_pgoff_t index, dax_entry_t entry,
	unsigned int flags)
{
	const struct dax_page_owner owner = owner_of(m, index, entry);

	if (!entry_has_page(m, entry))
		return 0;
	if (owner.index >> DAX_PGMAP_INDEX_BITS)
		return -EFBIG;
	return dax_page_associate(m->pgmap, dax_to_pfn(entry),
		dax_entry_order(entry), &owner,
		flags & DAX_SHARED ? DAX_PAGE_SHARED : DAX_PAGE_SOLE);
}

int entry_hold_page(struct dax_mapping *m, dax_entry_t entry)
{
	return dax_page_request(m->pgmap, dax_to_pfn(entry));
}

dax_entry_t entry_zap(
	struct dax_mapping *m, struct sync_u64 *slot, dax_entry_t entry)
{
	const dax_entry_t zapped = entry | WORD_FLAGS(DAX_ZAP);

	if (entry == zapped)
		return entry;
	entry_store(slot, zapped);
	dax_page_put(m->pgmap, dax_to_pfn(entry));
	return zapped;
}

int entry_give_page_up(struct dax_mapping *m, dax_pgoff_t index,
	dax_entry_t entry, enum dax_page_use use)
{
	const struct dax_page_owner owner = owner_of(m, index, entry);

	return page_dissociate(m->pgmap, dax_to_pfn(entry), &owner, use);
}

/* ---- ranges ---- */

/* Is the page of the entry at @index, which is locked by us, in use? */
static bool zap_locked(
	struct dax_mapping *m, dax_pgoff_t index, dax_entry_t *entry)
{
	if (!entry_has_page(m, *entry))
		return false;
	*entry = entry_zap(m, owned_slot(m, index), *entry);
	return page_is_busy(m->pgmap, dax_to_pfn(*entry));
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
		if (dax_lock_entry(m, xas.index, &entry))
			continue;
		if (zap_locked(m, xas.index, &entry)) {
			*pfn = dax_to_pfn(entry);
			busy = true;
		}
		dax_unlock_entry(m, xas.index, entry);
	}
	return busy ? -EBUSY : 0;
}

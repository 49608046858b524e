/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Taking storage away from those who use it without page tables.
 *
 *  a pin                              dax_break_layouts, INVALIDATE alone
 *                                     (A) unmaps
 *                                     (B) zaps: entries hold no page
 *                                     (C) a page is not idle
 *                                     (D) joins the queue of that page
 *                                     drops INVALIDATE, sleeps
 *  is dropped, the last one:
 *  wakes whoever waits, even if a
 *  fault made the entry hold the page
 *  again meanwhile
 *                                     INVALIDATE again, back to (A)
 *
 * A pin is taken through a leaf, of a page that somebody holds, and kept only
 * if the leaf is still there (fault/pin.c). After (A) there is no leaf, after
 * (B) nobody holds a page but those who have it pinned: so what is idle at (C)
 * stays so. No pin goes between (C) and (D) unnoticed: what is not busy by
 * then is not waited for. No fault has brought it back, but for one on another
 * file that shares it, and then the page is that file's as well, as at (C).
 * Forbidden: done, and a page in use; asleep, and no pin.
 */
#include <errno.h>

#include "mapping/mapping.h"
#include "pgmap/pgmap.h"
#include "space/space.h"

void space_unmap_all(struct dax_space *space)
{
	if (space_is_shown(space))
		dax_unmap_mapping_pages(space, 0, DAX_TRACE_ALL);
}

/* (A) to (C). -EBUSY: @pfn is in use. */
static int let_go(
	struct dax_space *space, const struct dax_break *how, uint64_t *pfn)
{
	int error = 0;

	if (zaps_first())
		error = dax_zap_mappings_range(
			space->mapping, how->first, how->last, pfn);
	space_unmap_all(space);
	if (drops_first())
		mapping_drop_moved(space->mapping, how->first, how->last);
	if (zaps_first() || skips_pins(space, how))
		return error;
	return dax_zap_mappings_range(
		space->mapping, how->first, how->last, pfn);
}

static int sleep_unlocked(struct dax_space *space, const struct dax_break *how,
	struct patience *patience)
{
	struct dax_waiter waiter = {0};
	struct dax_waitq *queue =
		page_join_queue(space->pgmap, patience->pfn, &waiter);
	int error;

	if (!queue)
		return 0;
	if (how->unlock)
		how->unlock(how->context);
	else
		dax_filemap_invalidate_unlock(space);
	error = patience_sleep(patience, queue, &waiter);
	if (how->lock)
		how->lock(how->context);
	else
		dax_filemap_invalidate_lock(space);
	return error;
}

int dax_break_layouts(struct dax_space *space, const struct dax_break *how)
{
	static const struct dax_break all = {.last = UINT64_MAX};
	const struct dax_break *chosen = how ? how : &all;
	struct patience patience;
	int error = 0;

	DAX_REQUIRE(space && chosen->first <= chosen->last);
	rwsem_assert_held(&space->invalidate);
	patience = patience_begin(space->pgmap, chosen->limit);
	while (!error && let_go(space, chosen, &patience.pfn)) {
		if (chosen->mode == DAX_BREAK_TRY)
			return -ERESTART;
		error = sleep_unlocked(space, chosen, &patience);
		if (!error && trusts_the_wake())
			break;
	}
	return error;
}

void space_break_for_good(struct dax_space *space)
{
	const int error = dax_break_layouts(space, NULL);

	DAX_INVARIANT(!error);
	(void)error;
}

void space_forget_moved(struct dax_space *space, struct space_range range)
{
	rwsem_assert_held(&space->invalidate);
	space_unmap(space, range, DAX_TRUNCATE_KEEP_COPIES);
	mapping_drop_moved(space->mapping, range.first, range.last);
}

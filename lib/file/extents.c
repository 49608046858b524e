/* SPDX-License-Identifier: BSD-3-Clause */
/* A sorted array of extents that do not overlap; what is between is a hole. */
#include <errno.h>
#include <string.h>

#include "file/file.h"

static uint64_t end_of(const struct extent *extent)
{
	return extent->lblk + extent->nr;
}

size_t extents_before(const struct extents *extents, uint64_t lblk)
{
	size_t low = 0, high = extents->nr;

	while (low < high) {
		const size_t middle = low + (high - low) / 2;

		if (extents->list[middle].lblk <= lblk)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct extent cut(struct extent extent, uint64_t lblk)
{
	extent.block += lblk - extent.lblk;
	extent.nr -= lblk - extent.lblk;
	extent.lblk = lblk;
	return extent;
}

struct extent extents_at(const struct extents *extents, uint64_t lblk)
{
	const size_t next = extents_before(extents, lblk);
	uint64_t end = UINT64_MAX;

	if (next && end_of(&extents->list[next - 1]) > lblk)
		return cut(extents->list[next - 1], lblk);
	if (next < extents->nr)
		end = extents->list[next].lblk;
	return (struct extent){
		.lblk = lblk, .nr = end - lblk, .type = DAX_IOMAP_HOLE};
}

int extents_reserve(struct extents *extents, size_t more)
{
	const size_t room = 2 * (extents->nr + more);
	struct extent *list;

	if (extents->nr + more <= extents->room)
		return 0;
	list = sync_alloc(room * sizeof(*list), _Alignof(struct extent));
	if (!list)
		return -ENOMEM;
	if (extents->nr)
		memcpy(list, extents->list, extents->nr * sizeof(*list));
	sync_free(extents->list);
	extents->list = list;
	extents->room = room;
	return 0;
}

static void open_gap(struct extents *extents, size_t at)
{
	DAX_INVARIANT(extents->nr < extents->room);
	memmove(&extents->list[at + 1], &extents->list[at],
		(extents->nr - at) * sizeof(*extents->list));
	extents->nr++;
}

static void close_gap(struct extents *extents, size_t at, size_t nr)
{
	memmove(&extents->list[at], &extents->list[at + nr],
		(extents->nr - at - nr) * sizeof(*extents->list));
	extents->nr -= nr;
}

/* One extent of @at and the one after it, if they are one. */
static void merge(struct extents *extents, size_t at)
{
	struct extent *left = &extents->list[at];
	const struct extent *right = left + 1;

	if (at + 1 >= extents->nr || end_of(left) != right->lblk ||
		left->block + left->nr != right->block ||
		left->type != right->type)
		return;
	left->nr += right->nr;
	close_gap(extents, at + 1, 1);
}

void extents_insert(struct extents *extents, struct extent extent)
{
	const size_t at = extents_before(extents, extent.lblk);

	open_gap(extents, at);
	extents->list[at] = extent;
	merge(extents, at);
	if (at)
		merge(extents, at - 1);
}

/* No extent crosses @lblk any more. */
static void split(struct extents *extents, uint64_t lblk)
{
	const size_t next = extents_before(extents, lblk);
	struct extent *extent;

	if (!next)
		return;
	extent = &extents->list[next - 1];
	if (extent->lblk == lblk || end_of(extent) <= lblk)
		return;
	open_gap(extents, next);
	extents->list[next] = cut(*extent, lblk);
	extent->nr = lblk - extent->lblk;
}

void extents_remove(struct extents *extents, uint64_t lblk, uint64_t nr)
{
	const uint64_t end = nr > UINT64_MAX - lblk ? UINT64_MAX : lblk + nr;
	size_t first, last;

	split(extents, end);
	split(extents, lblk);
	/* No extent begins at UINT64_MAX. */
	last = extents_before(extents, end - 1);
	first = lblk ? extents_before(extents, lblk - 1) : 0;
	close_gap(extents, first, last - first);
}

void extents_collapse(struct extents *extents, uint64_t lblk, uint64_t nr)
{
	size_t at;

	extents_remove(extents, lblk, nr);
	at = extents_before(extents, lblk);
	for (size_t i = at; i < extents->nr; i++)
		extents->list[i].lblk -= nr;
	if (at)
		merge(extents, at - 1);
}

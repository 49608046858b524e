/* SPDX-License-Identifier: BSD-3-Clause */
/* dax_page_try_get() and dax_page_put(). */
#include "peer/pin_daxlock.h"

#include <daxlock.h>
#include <stdlib.h>

static void pin(void *state, uint64_t page)
{
	if (!dax_page_try_get(state, page))
		abort();
}

static void unpin(void *state, uint64_t page)
{
	dax_page_put(state, page);
}

PIN_LOOP(pin, unpin)

static int map_all(struct dax_pgmap *pgmap, const struct pin_shape *shape)
{
	const uint64_t nr = (uint64_t)1 << shape->bits;
	struct dax_page_owner owner = {0};
	int error = dax_pgmap_add_owner(pgmap, pgmap, &owner.id);

	for (; !error && owner.index < nr;
		owner.index += (uint64_t)1 << shape->order)
		error = dax_page_associate(pgmap, owner.index, shape->order,
			&owner, DAX_PAGE_SOLE);
	return error;
}

void *pin_daxlock_open(const struct pin_shape *shape)
{
	const struct dax_pgmap_params params = {
		.nr = (uint64_t)1 << shape->bits};
	struct dax_pgmap *pgmap;

	if (!dax_pgmap_new(&params, &pgmap) && map_all(pgmap, shape))
		dax_pgmap_delete(&pgmap);
	return pgmap;
}

/* The references of map_all(). */
void pin_daxlock_unmap(void *pgmap, const struct pin_shape *shape)
{
	const uint64_t nr = (uint64_t)1 << shape->bits;

	for (uint64_t pfn = 0; pfn < nr; pfn += (uint64_t)1 << shape->order)
		dax_page_put(pgmap, pfn);
}

void pin_daxlock_close(void *state)
{
	struct dax_pgmap *pgmap = state;

	dax_pgmap_delete(&pgmap);
}

const struct pin_subject pin_daxlock = {
	.name = "daxlock",
	.page_bytes = 16,
	.open = pin_daxlock_open,
	.unmap = pin_daxlock_unmap,
	.close = pin_daxlock_close,
	.churn = churn,
};

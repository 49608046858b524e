/* SPDX-License-Identifier: BSD-3-Clause */
/* dax_lock_entry() and dax_unlock_entry() on one mapping. */
#include <daxlock.h>
#include <stdlib.h>

#include "lock_subject.h"

static uint64_t lock(void *state, uint64_t index)
{
	dax_entry_t entry;

	if (dax_lock_entry(state, index, &entry))
		abort();
	return entry;
}

static void unlock(void *state, uint64_t index, uint64_t cookie)
{
	dax_unlock_entry(state, index, cookie);
}

LOCK_LOOPS(lock, unlock)

static bool fill(struct dax_mapping *m, const struct lock_shape *shape)
{
	const unsigned int flags = shape->order ? DAX_PMD : DAX_PTE;

	for (uint64_t i = 0; i < (uint64_t)1 << shape->bits; i++) {
		const uint64_t index = i << shape->order;
		dax_entry_t entry;

		if (dax_grab_mapping_entry(m, index, shape->order, &entry))
			return false;
		dax_insert_entry(m, index, &entry, index, flags);
		dax_unlock_entry(m, index, entry);
	}
	return true;
}

static void *open_mapping(const struct lock_shape *shape)
{
	struct dax_mapping *m;

	if (!dax_mapping_new(NULL, &m) && !fill(m, shape))
		dax_mapping_delete(&m);
	return m;
}

static void close_mapping(void *state)
{
	struct dax_mapping *m = state;

	dax_mapping_delete(&m);
}

const struct lock_subject lock_daxlock = {
	.name = "daxlock",
	.entry_bytes = 8.4,
	.open = open_mapping,
	.close = close_mapping,
	.churn = churn,
	.singly = singly,
	.hand_off = hand_off,
};

/* SPDX-License-Identifier: BSD-3-Clause */
/* As little as is safe: one more unless there are none, by a CAS. No ranges: it
 * knows the size of the entries before. */
#include "peer/counts.h"

static void pin(void *state, uint64_t page)
{
	_Atomic(uint32_t) *count = count_of(state, page);
	uint32_t before = atomic_load_explicit(count, memory_order_relaxed);

	do
		if (!before)
			abort();
	while (!atomic_compare_exchange_weak_explicit(count, &before,
		before + 1, memory_order_acquire, memory_order_relaxed));
}

static void unpin(void *state, uint64_t page)
{
	if (atomic_fetch_sub_explicit(
		    count_of(state, page), 1, memory_order_acq_rel) == 1)
		abort();
}

PIN_LOOP(pin, unpin)

const struct pin_subject pin_not_zero = {
	.name = "not_zero",
	.page_bytes = 16,
	.open = counts_open,
	.close = free,
	.churn = churn,
};

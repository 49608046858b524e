/* SPDX-License-Identifier: BSD-3-Clause */
/* What the hardware takes: one more, one less. A page that is free would be
 * taken, too. */
#include "peer/counts.h"

static void pin(void *state, uint64_t page)
{
	atomic_fetch_add_explicit(
		count_of(state, page), 1, memory_order_acquire);
}

static void unpin(void *state, uint64_t page)
{
	atomic_fetch_sub_explicit(
		count_of(state, page), 1, memory_order_acq_rel);
}

PIN_LOOP(pin, unpin)

const struct pin_subject pin_refcount = {
	.name = "refcount",
	.floor = true,
	.page_bytes = 16,
	.open = counts_open,
	.close = free,
	.churn = churn,
};

/* SPDX-License-Identifier: BSD-3-Clause */
/* dax_pin_get() and dax_pin_put(): a pin that can be listed. */
#include "peer/pin_daxlock.h"

#include <daxlock.h>
#include <stdlib.h>

static _Thread_local struct dax_pin mine;

static void pin(void *state, uint64_t page)
{
	if (!dax_pin_get(state, &mine, page, DAX_PIN_SHORT, "bench"))
		abort();
}

static void unpin(void *state, uint64_t page)
{
	(void)page;
	dax_pin_put(state, &mine);
}

PIN_LOOP(pin, unpin)

const struct pin_subject pin_named = {
	.name = "daxlock-named",
	.page_bytes = 16,
	.open = pin_daxlock_open,
	.unmap = pin_daxlock_unmap,
	.close = pin_daxlock_close,
	.churn = churn,
};

/* SPDX-License-Identifier: BSD-3-Clause */
/* What a scenario says must hold in some execution at least: a proof in which
 * it never does is of nothing. */
#include "explore/engine.h"

#define MAX_SOMETIMES 16

static struct {
	const char *claim;
	bool held;
} sometimes[MAX_SOMETIMES];
static unsigned int nr_sometimes;

void dax_explore_sometimes(bool holds, const char *claim)
{
	unsigned int i = 0;

	while (i < nr_sometimes && sometimes[i].claim != claim)
		i++;
	DAX_REQUIRE(i < MAX_SOMETIMES);
	if (i == nr_sometimes) {
		nr_sometimes++;
		sometimes[i].claim = claim;
		sometimes[i].held = false;
	}
	sometimes[i].held |= holds;
}

const char *sometimes_never(void)
{
	for (unsigned int i = 0; i < nr_sometimes; i++)
		if (!sometimes[i].held)
			return sometimes[i].claim;
	return NULL;
}

void sometimes_reset(void)
{
	nr_sometimes = 0;
}

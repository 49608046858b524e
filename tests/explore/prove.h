/* SPDX-License-Identifier: BSD-3-Clause */
/* Explorations of combinations, for tests: they fail when one cannot be run. */
#ifndef EXPLORE_PROVE_H
#define EXPLORE_PROVE_H

#include "explore/operations.h"

struct dax_explore_report explore_combination(struct combination *combination,
	unsigned int allocs_fail, const struct dax_explore_options *options);

/* And when it is not proved. */
struct dax_explore_report prove(struct combination *combination,
	enum dax_explore_how how, unsigned int allocs_fail);

#endif

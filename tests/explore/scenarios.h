/* SPDX-License-Identifier: BSD-3-Clause */
/* Combinations with a name: what daxlock-explore --list shows, and what the
 * tests prove. */
#ifndef EXPLORE_SCENARIOS_H
#define EXPLORE_SCENARIOS_H

#include <stdint.h>

struct named_scenario {
	const char *name;
	const char *combination;
	const char *claim;
	unsigned int sleepers;
	unsigned int allocs_fail;
	uint64_t executions; /* golden: what a proof takes */
};

extern const struct named_scenario named_scenarios[];
extern const unsigned int nr_named_scenarios;

#endif

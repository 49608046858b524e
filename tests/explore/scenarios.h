/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Combinations with a name: what daxlock-explore --list shows, and what the
 * tests prove. And families: every choice of operations from every state.
 */
#ifndef EXPLORE_SCENARIOS_H
#define EXPLORE_SCENARIOS_H

#include <stdint.h>

#include "explore/operations.h"

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

struct family {
	const char *name;
	const char *claim;
	const char *states[8];	    /* ends with NULL */
	const char *operations[16]; /* ends with NULL */
	unsigned int threads;
	unsigned int queues;
	unsigned int allocs_fail;
	/* What a test gives each combination; how many of them that proves. */
	uint64_t limit;
	unsigned int proved;
};

extern const struct family families[];
extern const unsigned int nr_families;

/* Calls @visit with each state and each choice of @family->threads operations,
 * in which an operation may come again and their order does not matter. */
void family_for_each(const struct family *family,
	void (*visit)(struct combination *combination, void *context),
	void *context);

#endif

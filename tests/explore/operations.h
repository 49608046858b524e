/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What threads do to a mapping in the scenarios, and what it is like before:
 * tables, so that scenarios can be combined from them. Built with a PMD entry
 * of four pages: indices 0 to 3 are one PMD range, FAR and HIGH start others.
 */
#ifndef EXPLORE_OPERATIONS_H
#define EXPLORE_OPERATIONS_H

#include <stdint.h>

#include "base/sync.h"
#include "daxlock/explore.h"
#include "daxlock/mapping.h"

#define PMD_PAGES (1ul << DAX_PMD_ORDER)
#define FAR	  (PMD_PAGES * PMD_PAGES)
#define HIGH	  (1ul << 20)
#define GHOSTS	  (3 * PMD_PAGES)

/* What the scenario's threads share. */
struct world {
	struct dax_mapping *m;
	struct dax_waitq_table *waitqs;
	/* One for each thread that can be cancelled, in their order. */
	struct dax_cancel cancels[DAX_EXPLORE_THREADS];
	unsigned int nr_cancels;
	/* Who has an index locked, as far as the caller knows. */
	struct sync_u64 ghosts[GHOSTS];
	/* What its owner reads and writes, as the page's user does. */
	unsigned int pages[GHOSTS];
	struct sync_u64 unmapped;
	/* Who is first in line for an entry, as far as those know who pass it,
	 * and how often they have. */
	const struct waiter *heir;
	unsigned int passed;
};

struct operation_kind {
	const char *name;
	void (*function)(void *world, long argument);
	long argument;
};

struct combination;

struct state_kind {
	const char *name;
	void (*setup)(struct world *world); /* NULL: the body knows */
	void (*body)(const struct combination *combination);
};

extern const struct operation_kind operation_kinds[];
extern const unsigned int nr_operation_kinds;
extern const struct state_kind state_kinds[];
extern const unsigned int nr_state_kinds;

/* A scenario: @nr operations, one a thread, on a mapping in @state. */
struct combination {
	const struct state_kind *state;
	const struct operation_kind *operations[DAX_EXPLORE_THREADS];
	unsigned int nr;
	unsigned int queues;
	unsigned int sleepers; /* threads that must sleep in some execution */
	bool interchangeable;  /* who does the same is the same */
};

/* The body of a scenario whose context is a struct combination. */
void combination_body(void *combination);
/* What every body does: runs the operations on @world, as threads, and notes
 * whether enough of them slept. */
void combination_run(const struct combination *combination, void *world);
/* "pmd-zero: F0,F0,F1 /1" */
void combination_name(
	const struct combination *combination, char *name, size_t size);
const struct operation_kind *operation_named(const char *name);
const struct state_kind *state_named(const char *name);
/* Of "pmd-zero: F0,F0,F1 /1". False: no such thing. */
bool combination_read(struct combination *combination, const char *name);

#endif

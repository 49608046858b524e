/* SPDX-License-Identifier: BSD-3-Clause */
/* The benches, and what each asks before it runs a case. */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include "machine.h"
#include "measure.h"

typedef void bench_fn(
	const struct options *options, const struct machine *machine);

bench_fn bench_lock;   /* lock.c */
bench_fn bench_wake;   /* wake.c */
bench_fn bench_tree;   /* tree.c */
bench_fn bench_growth; /* growth.c */
bench_fn bench_fault;  /* fault.c */
bench_fn bench_access; /* access.c */
bench_fn bench_pin;    /* pin.c */

/* Was the case asked for, and are there CPUs for its threads? Says so on
 * stderr when only they are missing. */
bool bench_wants(const struct options *options, const struct result *result,
	const struct machine *machine);

/* Is there no point in the case, since daxlock, the first figure, is skipped?
 * Says so on stderr. */
bool bench_gives_up(const struct result *result);

/* ---- memory that the subjects of a case may take together ---- */

struct memory_budget {
	double left;
};

struct memory_budget memory_budget_begin(const struct options *options);

/* False: it is too much, and @figure says so. */
bool memory_budget_take(
	struct memory_budget *budget, double bytes, struct figure *figure);

#endif

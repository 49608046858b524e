/* SPDX-License-Identifier: BSD-3-Clause */
/* The two cases of `daxlock-bench wake`, for any number of sleepers. */
#ifndef BENCH_WAKE_CASE_H
#define BENCH_WAKE_CASE_H

#include "machine.h"
#include "options.h"

/* Measures one with @sleepers, as one of the bench @name, and reports it. */
void wake_all_run(unsigned int sleepers, const char *name,
	const struct options *options, const struct machine *machine);
void wake_chain_run(unsigned int sleepers, const char *name,
	const struct options *options, const struct machine *machine);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* A case of `daxlock-bench lock`, or a point of one of its curves. */
#ifndef BENCH_LOCK_CASE_H
#define BENCH_LOCK_CASE_H

#include "lane.h"
#include "machine.h"

/* Pages are counted as powers of two: 10 bits are 4 MiB, 18 bits 1 GiB. */
struct lock_case {
	const char *name;
	const char *question;
	unsigned int threads;
	unsigned int entry_bits;
	unsigned int order;
	unsigned int lane_page_bits; /* that a lane locks in */
	uint64_t lane_offset;	     /* of lane 1's pages to lane 0's */
	enum window_count count;
	double inside_ns;
	double outside_ns;
	double wait_ns;		  /* not 0: hand-offs, after so long a wait */
	unsigned int nr_subjects; /* the first of all; 0: all */
	const char *curve;	  /* see struct result */
	double x;
};

/* Measures it, as one of the bench @name, and reports it. */
void lock_case_run(const struct lock_case *what, const char *name,
	const struct options *options, const struct machine *machine);

#endif

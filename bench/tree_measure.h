/* SPDX-License-Identifier: BSD-3-Clause */
/* What can be measured of a way to keep a word for each page, and of what one
 * case of `daxlock-bench tree` consists. */
#ifndef BENCH_TREE_MEASURE_H
#define BENCH_TREE_MEASURE_H

#include "measure.h"
#include "tree_subject.h"

#define TREE_SUBJECTS 4

struct tree_bench;

/* A sample, from what is open; called on lane 0. 0: it went wrong. */
typedef double tree_measure_fn(struct tree_bench *bench);

struct tree_case {
	const char *name;
	const char *question;
	const char *unit;
	unsigned int bits; /* 2^bits entries, fewer with --quick */
	unsigned int order;
	uint64_t stride; /* entries between one that is there and the next */
	tree_measure_fn *measure;
	/* Which function of a subject the case is about. */
	tree_steps_fn *(*steps)(const struct tree_subject *subject);
	enum filled {
		FILLED_ALWAYS, /* stays filled from rep to rep */
		FILLED_ANEW,   /* opened, filled, measured, closed */
		FILLED_NOT,    /* opened, measured, closed */
		FILLED_INSIDE, /* measure() does all this by itself */
	} filled;
};

struct tree_bench {
	const struct tree_case *what;
	const struct options *options;
	struct result result;
	struct tree_shape shape;
	const struct tree_subject *subject;  /* measured now */
	void *state;			     /* of @subject */
	void *states[TREE_SUBJECTS];	     /* FILLED_ALWAYS */
	unsigned int numbers[TREE_SUBJECTS]; /* a figure's subject */
	uint64_t round;			     /* of marking */
	double sample;
};

tree_measure_fn measure_lookups;
tree_measure_fn measure_steps; /* those of the case */
tree_measure_fn measure_mark_set;
tree_measure_fn measure_mark_scan;
tree_measure_fn measure_bytes;
tree_measure_fn measure_churn; /* opens and closes by itself */

uint64_t tree_entries(const struct tree_bench *bench);

/* Makes the first @nr entries, or one in @stride of them. */
void tree_subject_fill(const struct tree_subject *subject, void *state,
	uint64_t nr, uint64_t stride);

/* False under a sanitizer, and with a malloc that is not the C library's. */
bool malloc_counts(void);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Repeating and comparing.
 *
 * A subject is daxlock, or a peer: another way to get the same thing done. A
 * floor is a subject that does less than asked for: what the hardware takes; no
 * ratio is to it.
 *
 * A rep measures every subject once. Each rep starts with another subject, so
 * that what disturbs the machine for a while disturbs all alike. What a subject
 * got in a case is its figure: a sample a rep.
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stdbool.h>

#include "options.h"

#define REPS_MAX     99
#define SUBJECTS_MAX 8

/* Ratios of which the middle half of the reps differ by more mean nothing. */
#define RATIO_SPREAD_MAX 1.5

struct figure {
	const char *subject;
	bool floor;
	char skipped[96]; /* why, or empty: then @samples are there */
	double samples[REPS_MAX];
	double p50; /* of single operations; 0: not looked at */
	double p99;
	double p999;
	double fairness; /* ops of the slowest thread by the fastest's; or 0 */
	double passed;	 /* most others served while one waited; or 0 */
	char note[96];	 /* what is to be known of it beside the samples */
};

enum better {
	LESS_IS_BETTER, /* time, memory */
	MORE_IS_BETTER, /* bytes a second */
};

struct result {
	const char *bench;
	const char *name; /* of the case */
	const char *question;
	const char *unit;
	enum better better;
	const char *curve; /* of which this is a point, or NULL */
	double x;	   /* and where: bytes, threads, sleepers */
	unsigned int threads;
	unsigned int reps;
	unsigned int nr_figures;
	struct figure figures[SUBJECTS_MAX];
};

/* Adds a subject. The figure stays where it is. */
struct figure *result_add(
	struct result *result, const char *subject, bool floor);

void figure_skip(struct figure *figure, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

void figure_note(struct figure *figure, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Returns the sample: @subject is the figure's number. What turns out to be
 * something else than asked for may skip its figure. */
typedef double once_fn(void *context, unsigned int subject);

/* Fills in the samples of all figures that are not skipped. */
void measure(struct result *result, once_fn *once, void *context);

struct summary {
	double median;
	double min;
	double max;
};

struct summary summarize(const double *samples, unsigned int nr);

/* The value that @percent of @samples are not above; sorts them. */
double percentile(double *samples, unsigned int nr, unsigned int percent);

/* The mean of the middle half of @samples: as calm as a median, finer than the
 * clock; sorts them. */
double midmean(double *samples, unsigned int nr);

/* The figure of the peer with the best median, or NULL. */
const struct figure *result_best_peer(const struct result *result);

/*
 * How many times @to the figure @of is: the median of what the reps say, each
 * for itself. False: they say too different things, see RATIO_SPREAD_MAX.
 */
bool result_ratio(const struct result *result, const struct figure *of,
	const struct figure *to, double *ratio);

#endif

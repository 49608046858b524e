/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How long single operations took, for the few that take long: no sample is
 * left out, and none is kept. Sixteen buckets to each power of two: a bucket is
 * 6 % wide. What is below 16 has a bucket of its own.
 */
#ifndef BENCH_HISTOGRAM_H
#define BENCH_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_STEPS	  16
#define HISTOGRAM_BUCKETS (HISTOGRAM_STEPS * 61)

struct histogram {
	uint64_t nr;
	uint32_t buckets[HISTOGRAM_BUCKETS];
};

static inline unsigned int histogram_bucket(uint64_t value)
{
	unsigned int shift;

	if (value < HISTOGRAM_STEPS)
		return (unsigned int)value;
	/* The leading one and the four bits behind it. */
	shift = 59 - (unsigned int)__builtin_clzll(value);
	return HISTOGRAM_STEPS * shift + (unsigned int)(value >> shift);
}

static inline void histogram_add(struct histogram *histogram, uint64_t value)
{
	histogram->buckets[histogram_bucket(value)]++;
	histogram->nr++;
}

void histogram_merge(struct histogram *into, const struct histogram *from);

/* What @percent of the values are not above, or 0 when there are none: the
 * middle of its bucket. */
double histogram_percentile(const struct histogram *histogram, double percent);

#endif

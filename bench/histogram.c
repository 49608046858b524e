/* SPDX-License-Identifier: BSD-3-Clause */
#include "histogram.h"

void histogram_merge(struct histogram *into, const struct histogram *from)
{
	into->nr += from->nr;
	for (unsigned int i = 0; i < HISTOGRAM_BUCKETS; i++)
		into->buckets[i] += from->buckets[i];
}

static double bucket_middle(unsigned int bucket)
{
	unsigned int shift;
	double first;

	if (bucket < HISTOGRAM_STEPS)
		return bucket;
	shift = bucket / HISTOGRAM_STEPS - 1;
	first = (double)(bucket - HISTOGRAM_STEPS * shift);
	return (first + 0.5) * (double)((uint64_t)1 << shift);
}

double histogram_percentile(const struct histogram *histogram, double percent)
{
	const double wanted = (double)histogram->nr * percent / 100;
	uint64_t seen = 0;

	for (unsigned int i = 0; i < HISTOGRAM_BUCKETS; i++) {
		seen += histogram->buckets[i];
		if (histogram->buckets[i] && (double)seen >= wanted)
			return bucket_middle(i);
	}
	return 0;
}

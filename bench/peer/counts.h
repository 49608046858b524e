/* SPDX-License-Identifier: BSD-3-Clause */
/* A reference count for each entry, 16 bytes apart, and nothing else. */
#ifndef BENCH_COUNTS_H
#define BENCH_COUNTS_H

#include <stdlib.h>

#include "pin_subject.h"

struct counts {
	unsigned int order;
	struct {
		_Atomic(uint32_t) count;
		uint32_t unused[3];
	} pages[];
};

static inline _Atomic(uint32_t) *count_of(void *state, uint64_t page)
{
	struct counts *counts = state;

	return &counts->pages[page >> counts->order].count;
}

static inline void *counts_open(const struct pin_shape *shape)
{
	const uint64_t nr = (uint64_t)1 << (shape->bits - shape->order);
	struct counts *counts =
		malloc(sizeof(*counts) + nr * sizeof(counts->pages[0]));

	if (!counts)
		return NULL;
	counts->order = shape->order;
	for (uint64_t i = 0; i < nr; i++)
		atomic_init(&counts->pages[i].count, 1);
	return counts;
}

#endif

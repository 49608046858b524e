/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What `daxlock-bench pin` measures: ways to hold a page that an entry maps,
 * and to let it go. As in lock_subject.h, each subject brings its own copy of
 * the loop, with its two functions compiled into it.
 */
#ifndef BENCH_PIN_SUBJECT_H
#define BENCH_PIN_SUBJECT_H

#include "lane.h"

/* 2^bits pages, all mapped, by entries of @order. */
struct pin_shape {
	unsigned int bits;
	unsigned int order;
};

struct pin_load {
	struct lane_run run;
	unsigned int page_bits; /* a lane's range has 2^page_bits pages */
	uint64_t lane_offset;	/* where lane 1's range is */
};

typedef void pin_loop(
	struct lane *lane, const struct pin_load *load, void *state);

struct pin_subject {
	const char *name;
	bool floor;
	double page_bytes;			      /* about */
	void *(*open)(const struct pin_shape *shape); /* NULL: out of memory */
	/* Before close; NULL: nothing to be done. */
	void (*unmap)(void *state, const struct pin_shape *shape);
	void (*close)(void *state);
	pin_loop *churn; /* pin and unpin, for lane_run's time */
};

extern const struct pin_subject pin_daxlock;
extern const struct pin_subject pin_named;
extern const struct pin_subject pin_not_zero;
extern const struct pin_subject pin_refcount;

#define PIN_BATCH 256

/* Defines churn. */
#define PIN_LOOP(pin, unpin)                                                   \
	static void churn(                                                     \
		struct lane *lane, const struct pin_load *load, void *state)   \
	{                                                                      \
		const uint64_t first = lane->number * load->lane_offset;       \
		uint64_t ops = 0;                                              \
                                                                               \
		lane_begin(lane, &load->run);                                  \
		do {                                                           \
			for (unsigned int i = 0; i < PIN_BATCH; i++) {         \
				const uint64_t page =                          \
					first +                                \
					lane_random(lane, load->page_bits);    \
                                                                               \
				pin(state, page);                              \
				unpin(state, page);                            \
			}                                                      \
			ops += PIN_BATCH;                                      \
		} while (lane_goes_on(lane, ops));                             \
	}

#endif

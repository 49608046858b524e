/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lanes: threads that measure, pinned, spread over the CPUs; more of them than
 * CPUs if a bench wants to see that. They live as long as the program, asleep
 * when they have nothing to do: so the process has several threads even while
 * one of them measures alone, and glibc leaves the atomic instructions in its
 * mutexes.
 *
 * A lane does operations in batches and looks at the time after each. It cuts
 * its run into windows, and notes the time an operation took in each: the
 * middle ones are not those in which another process had the CPU.
 */
#ifndef BENCH_LANE_H
#define BENCH_LANE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "histogram.h"
#include "ticks.h"

#define LANES_MAX   64
#define SAMPLES_MAX 8192

/* Whose operations a window's time is divided by. */
enum window_count {
	WINDOW_OWN, /* the lane's: time an operation of one thread */
	WINDOW_ALL, /* all lanes': time an operation of any */
};

struct lane_run {
	double run_ns;
	double window_ns;
	enum window_count count;
};

struct lane {
	/* Relaxed: lane 0 reads the others' now and then, for a figure. */
	_Alignas(128) _Atomic(uint64_t) ops;
	_Alignas(128) unsigned int number;
	uint64_t random; /* state of lane_random() */
	enum window_count count;
	uint64_t run_end;
	uint64_t window_ticks;
	uint64_t window_start;
	uint64_t window_end;
	uint64_t window_ops;	/* at @window_start, those counted */
	uint64_t window_others; /* and the other lanes' */
	unsigned int nr_samples;
	double samples[SAMPLES_MAX]; /* ns: windows, or hand-offs */
	struct histogram singles;    /* ns: operations timed one by one */
	uint64_t passed; /* most others that were served while it waited */
};

/* Starts the lanes. Returns how many CPUs they have, at most LANES_MAX. Every
 * lane is a thread registered with liburcu. */
unsigned int lanes_start(uint64_t seed);
void lanes_stop(void);

typedef void lane_fn(struct lane *lane, void *context);

/* Has the first @nr lanes do @function at the same time; returns when all are
 * done. */
void lanes_run(unsigned int nr, lane_fn *function, void *context);

struct lane *lane_of(unsigned int number);

/* Returns when all the lanes of this run have called it as often as the caller.
 * Spins. */
void lane_meet(void);

/* Operations of the slowest lane by those of the fastest, since they met. */
double lanes_fairness(unsigned int nr);

void lane_begin(struct lane *lane, const struct lane_run *run);
bool lane_close_window(struct lane *lane, uint64_t now);

/* @ops done so far: go on? */
static inline bool lane_goes_on(struct lane *lane, uint64_t ops)
{
	uint64_t now;

	atomic_store_explicit(&lane->ops, ops, memory_order_relaxed);
	now = ticks_now();
	return now < lane->window_end || lane_close_window(lane, now);
}

static inline void lane_sample(struct lane *lane, double ns)
{
	if (lane->nr_samples < SAMPLES_MAX)
		lane->samples[lane->nr_samples++] = ns;
}

/* One operation took so long. */
static inline void lane_single(struct lane *lane, uint64_t ticks)
{
	histogram_add(&lane->singles, (uint64_t)ticks_to_ns(ticks));
}

/* A number below 2^@bits, @bits not 0. A multiplication and a sum: a
 * nanosecond, the same for all subjects. */
static inline uint64_t lane_random(struct lane *lane, unsigned int bits)
{
	lane->random = lane->random * 6364136223846793005 + 1442695040888963407;
	return lane->random >> (64 - bits);
}

#endif

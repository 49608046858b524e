/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What `daxlock-bench wake` measures: ways to wake threads that sleep for the
 * same thing, all at once or one after the other.
 */
#ifndef BENCH_WAKE_SUBJECT_H
#define BENCH_WAKE_SUBJECT_H

#include <stdatomic.h>
#include <stdint.h>

#include "ticks.h"

/* Of a round, at most. */
#define SLEEPERS_MAX 1000

struct wake_subject {
	const char *name;
	void *(*open)(void); /* NULL: out of memory */
	void (*close)(void *state);
	/*
	 * The waker: makes that which sleepers wait for unavailable, calls
	 * sleepers_gather(), makes it available, and returns ticks_now() of
	 * just before that.
	 */
	uint64_t (*round)(void *state);
	/* A sleeper, from sleepers_gather() on: returns when it was woken and
	 * is done. */
	void (*sleep)(void *state, unsigned int number);
};

/* Sends the sleepers to sleep(); returns when all of them are asleep. */
void sleepers_gather(void);

extern const struct wake_subject wake_all_daxlock;
extern const struct wake_subject wake_all_condvar;
extern const struct wake_subject wake_all_futex;

extern const struct wake_subject wake_chain_daxlock;
extern const struct wake_subject wake_chain_mutex;
extern const struct wake_subject wake_chain_futex;

#endif

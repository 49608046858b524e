/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Time in the processor's own ticks, cheap enough to bracket one operation.
 * On x86 the time stamp counter, which modern processors keep equal on all
 * CPUs; elsewhere CLOCK_MONOTONIC, a tick a nanosecond.
 */
#ifndef BENCH_TICKS_H
#define BENCH_TICKS_H

#include <stdint.h>
#include <time.h>

static inline uint64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

#if defined(__x86_64__)

/* All before it is done when the counter is read (rdtscp), and nothing after
 * it has begun (lfence): else a CAS that is still under way would look done. */
static inline uint64_t ticks_now(void)
{
	unsigned int cpu;
	const uint64_t now = __builtin_ia32_rdtscp(&cpu);

	__builtin_ia32_lfence();
	return now;
}

static inline void cpu_relax(void)
{
	__builtin_ia32_pause();
}

#else

static inline uint64_t ticks_now(void)
{
	return clock_ns();
}

static inline void cpu_relax(void)
{
	__atomic_signal_fence(__ATOMIC_SEQ_CST);
}

#endif

/* Measures the tick, and what a turn of work_spin() takes; call it first. */
void ticks_calibrate(void);

double ticks_to_ns(uint64_t ticks);
uint64_t ticks_from_ns(double ns);

/* Turns of work_spin() that take @ns. */
uint64_t work_turns(double ns);

/* Work that touches no memory: a chain of multiplications. */
static inline void work_spin(uint64_t turns)
{
	uint64_t chain = turns;

	for (; turns; turns--) {
		chain *= 0x9e3779b97f4a7c15;
		/* Not to be computed in advance, nor left out. */
		__asm__ volatile("" : "+r"(chain));
	}
}

#endif

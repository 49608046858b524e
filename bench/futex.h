/* SPDX-License-Identifier: BSD-3-Clause */
/* The two system calls that peers sleep and wake by. */
#ifndef BENCH_FUTEX_H
#define BENCH_FUTEX_H

#include <limits.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Sleeps if *@word is @value; may return at any time. */
static inline void futex_wait(_Atomic(uint32_t) *word, uint32_t value)
{
	syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, NULL, NULL, 0);
}

static inline void futex_wake(_Atomic(uint32_t) *word, int nr)
{
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, nr, NULL, NULL, 0);
}

/* ---- a mutex in a word: 0 free, 1 locked, 2 locked and somebody sleeps ----
 */

static inline void futex_mutex_sleep(_Atomic(uint32_t) *word)
{
	while (atomic_exchange_explicit(word, 2, memory_order_acquire))
		futex_wait(word, 2);
}

static inline bool futex_mutex_try(_Atomic(uint32_t) *word)
{
	uint32_t free = 0;

	return atomic_compare_exchange_strong_explicit(
		word, &free, 1, memory_order_acquire, memory_order_relaxed);
}

static inline void futex_mutex_unlock(_Atomic(uint32_t) *word)
{
	if (atomic_exchange_explicit(word, 0, memory_order_release) == 2)
		futex_wake(word, 1);
}

#endif

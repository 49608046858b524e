/* SPDX-License-Identifier: BSD-3-Clause */
/* All: one system call that wakes whoever sleeps on a word. Chain: a mutex in a
 * word, which does not spin. */
#include <stdlib.h>

#include "futex.h"
#include "wake_subject.h"

static void *open_word(void)
{
	return calloc(1, sizeof(_Atomic(uint32_t)));
}

static uint64_t all_round(void *state)
{
	_Atomic(uint32_t) *word = state;
	uint64_t start;

	sleepers_gather();
	start = ticks_now();
	atomic_fetch_add_explicit(word, 1, memory_order_release);
	futex_wake(word, INT_MAX);
	return start;
}

static void all_sleep(void *state, unsigned int number)
{
	_Atomic(uint32_t) *word = state;
	const uint32_t round = atomic_load_explicit(word, memory_order_relaxed);

	(void)number;
	while (atomic_load_explicit(word, memory_order_acquire) == round)
		futex_wait(word, round);
}

static void chain_lock(_Atomic(uint32_t) *word)
{
	if (!futex_mutex_try(word))
		futex_mutex_sleep(word);
}

static uint64_t chain_round(void *state)
{
	uint64_t start;

	chain_lock(state);
	sleepers_gather();
	start = ticks_now();
	futex_mutex_unlock(state);
	return start;
}

static void chain_sleep(void *state, unsigned int number)
{
	(void)number;
	chain_lock(state);
	futex_mutex_unlock(state);
}

const struct wake_subject wake_all_futex = {
	.name = "raw_futex",
	.open = open_word,
	.close = free,
	.round = all_round,
	.sleep = all_sleep,
};

const struct wake_subject wake_chain_futex = {
	.name = "raw_futex",
	.open = open_word,
	.close = free,
	.round = chain_round,
	.sleep = chain_sleep,
};

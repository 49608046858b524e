/* SPDX-License-Identifier: BSD-3-Clause */
/* A futex word a page in one array: the simplest page lock there is, for a file
 * whose size is known and whose holes may cost memory. Spins, then sleeps. */
#include <stdlib.h>

#include "futex.h"
#include "lock_subject.h"

#define SPIN_NS 3000

struct words {
	unsigned int order;
	uint64_t spin_ticks;
	_Atomic(uint32_t) *words;
};

static __attribute__((noinline)) void lock_contended(
	const struct words *all, _Atomic(uint32_t) *word)
{
	const uint64_t until = ticks_now() + all->spin_ticks;

	do
		for (int turn = 0; turn < 8; turn++) {
			cpu_relax();
			if (!atomic_load_explicit(word, memory_order_relaxed) &&
				futex_mutex_try(word))
				return;
		}
	while (ticks_now() < until);
	futex_mutex_sleep(word);
}

static uint64_t lock(void *state, uint64_t index)
{
	const struct words *all = state;
	_Atomic(uint32_t) *word = &all->words[index >> all->order];

	if (!futex_mutex_try(word))
		lock_contended(all, word);
	return (uintptr_t)word;
}

static void unlock(void *state, uint64_t index, uint64_t cookie)
{
	(void)state;
	(void)index;
	futex_mutex_unlock((_Atomic(uint32_t) *)(uintptr_t)cookie);
}

LOCK_LOOPS(lock, unlock)

static void *open_words(const struct lock_shape *shape)
{
	const uint64_t nr = (uint64_t)1 << shape->bits;
	struct words *all = malloc(sizeof(*all));

	if (!all)
		return NULL;
	all->order = shape->order;
	all->spin_ticks = ticks_from_ns(SPIN_NS);
	all->words = malloc(nr * sizeof(*all->words));
	if (!all->words) {
		free(all);
		return NULL;
	}
	for (uint64_t i = 0; i < nr; i++)
		atomic_init(&all->words[i], 0);
	return all;
}

static void close_words(void *state)
{
	struct words *all = state;

	free(all->words);
	free(all);
}

const struct lock_subject lock_flat_futex = {
	.name = "flat_futex",
	.entry_bytes = sizeof(uint32_t),
	.open = open_words,
	.close = close_words,
	.churn = churn,
	.singly = singly,
	.hand_off = hand_off,
};

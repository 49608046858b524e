/* SPDX-License-Identifier: BSD-3-Clause */
/* What the hardware takes: in an array of entry words, a CAS that sets the lock
 * bit and an exchange that clears it. No tree, no sleeping, no waking. */
#include <stdlib.h>

#include "lock_subject.h"

#define LOCKED 2

struct words {
	unsigned int order;
	_Atomic(uint64_t) *words;
};

static uint64_t lock(void *state, uint64_t index)
{
	const struct words *all = state;
	_Atomic(uint64_t) *word = &all->words[index >> all->order];
	uint64_t entry = atomic_load_explicit(word, memory_order_relaxed);

	while ((entry & LOCKED) ||
		!atomic_compare_exchange_weak_explicit(word, &entry,
			entry | LOCKED, memory_order_acquire,
			memory_order_relaxed)) {
		cpu_relax();
		entry = atomic_load_explicit(word, memory_order_relaxed);
	}
	return entry;
}

static void unlock(void *state, uint64_t index, uint64_t cookie)
{
	const struct words *all = state;

	atomic_exchange_explicit(
		&all->words[index >> all->order], cookie, memory_order_release);
}

LOCK_LOOPS(lock, unlock)

static void *open_words(const struct lock_shape *shape)
{
	const uint64_t nr = (uint64_t)1 << shape->bits;
	struct words *all = malloc(sizeof(*all));

	if (!all)
		return NULL;
	all->order = shape->order;
	all->words = malloc(nr * sizeof(*all->words));
	if (!all->words) {
		free(all);
		return NULL;
	}
	for (uint64_t i = 0; i < nr; i++)
		atomic_init(&all->words[i], i << 12 | 1);
	return all;
}

static void close_words(void *state)
{
	struct words *all = state;

	free(all->words);
	free(all);
}

const struct lock_subject lock_cas_xchg = {
	.name = "cas_xchg",
	.floor = true,
	.entry_bytes = sizeof(uint64_t),
	.open = open_words,
	.close = close_words,
	.churn = churn,
	.singly = singly,
	.hand_off = hand_off,
};

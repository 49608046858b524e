/* SPDX-License-Identifier: BSD-3-Clause */
/* 4096 mutexes for the whole file: a page's number, hashed, chooses one. Takes
 * no memory, knows no entries; pages that share a mutex wait for each other. */
#include <pthread.h>
#include <stdlib.h>

#include "lock_subject.h"

#define STRIPE_BITS 12

struct stripe {
	_Alignas(64) pthread_mutex_t mutex;
};

struct stripes {
	struct stripe stripes[1 << STRIPE_BITS];
	unsigned int order;
};

static uint64_t lock(void *state, uint64_t index)
{
	struct stripes *all = state;
	const uint64_t hash = (index >> all->order) * 0x9e3779b97f4a7c15;
	pthread_mutex_t *mutex =
		&all->stripes[hash >> (64 - STRIPE_BITS)].mutex;

	pthread_mutex_lock(mutex);
	return (uintptr_t)mutex;
}

static void unlock(void *state, uint64_t index, uint64_t cookie)
{
	(void)state;
	(void)index;
	pthread_mutex_unlock((pthread_mutex_t *)(uintptr_t)cookie);
}

LOCK_LOOPS(lock, unlock)

static void *open_stripes(const struct lock_shape *shape)
{
	struct stripes *all =
		aligned_alloc(_Alignof(struct stripes), sizeof(*all));

	if (all) {
		all->order = shape->order;
		for (int i = 0; i < 1 << STRIPE_BITS; i++)
			pthread_mutex_init(&all->stripes[i].mutex, NULL);
	}
	return all;
}

const struct lock_subject lock_striped_mutex = {
	.name = "striped_mutex",
	.open = open_stripes,
	.close = free,
	.churn = churn,
	.singly = singly,
	.hand_off = hand_off,
};

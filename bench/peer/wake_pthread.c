/* SPDX-License-Identifier: BSD-3-Clause */
/* All: a broadcast of a condition variable. Chain: a mutex. */
#include <pthread.h>
#include <stdlib.h>

#include "wake_subject.h"

struct condition {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	uint64_t rounds; /* guarded by @mutex */
};

static void *open_condition(void)
{
	struct condition *condition = calloc(1, sizeof(*condition));

	if (condition) {
		pthread_mutex_init(&condition->mutex, NULL);
		pthread_cond_init(&condition->changed, NULL);
	}
	return condition;
}

static uint64_t broadcast_round(void *state)
{
	struct condition *condition = state;
	uint64_t start;

	sleepers_gather();
	start = ticks_now();
	pthread_mutex_lock(&condition->mutex);
	condition->rounds++;
	pthread_cond_broadcast(&condition->changed);
	pthread_mutex_unlock(&condition->mutex);
	return start;
}

static void broadcast_sleep(void *state, unsigned int number)
{
	struct condition *condition = state;
	uint64_t round;

	(void)number;
	pthread_mutex_lock(&condition->mutex);
	round = condition->rounds;
	while (condition->rounds == round)
		pthread_cond_wait(&condition->changed, &condition->mutex);
	pthread_mutex_unlock(&condition->mutex);
}

static uint64_t chain_round(void *state)
{
	struct condition *condition = state;
	uint64_t start;

	pthread_mutex_lock(&condition->mutex);
	sleepers_gather();
	start = ticks_now();
	pthread_mutex_unlock(&condition->mutex);
	return start;
}

static void chain_sleep(void *state, unsigned int number)
{
	struct condition *condition = state;

	(void)number;
	pthread_mutex_lock(&condition->mutex);
	pthread_mutex_unlock(&condition->mutex);
}

const struct wake_subject wake_all_condvar = {
	.name = "condvar",
	.open = open_condition,
	.close = free,
	.round = broadcast_round,
	.sleep = broadcast_sleep,
};

const struct wake_subject wake_chain_mutex = {
	.name = "pthread_mutex",
	.open = open_condition,
	.close = free,
	.round = chain_round,
	.sleep = chain_sleep,
};

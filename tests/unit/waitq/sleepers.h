/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A table of one queue, where every key collides, and threads that sleep in
 * it. That a thread is queued is observed under the queue's lock; the teardown
 * wakes whom a failed test left asleep.
 *
 * Who was chosen can also be asked without a thread: a waiter whose deadline
 * has long passed returns at once, 0 if it was chosen and woken.
 */
#ifndef WAITQ_SLEEPERS_H
#define WAITQ_SLEEPERS_H

#include <errno.h>

#include "support/crew.h"
#include "waitq/queue.h"

#define SLEEPERS_MAX 8

struct sleeper {
	struct dax_waitq_table *table;
	struct dax_wait_key key;
	enum dax_wait_mode mode;
	struct dax_wait_limit limit;
	struct dax_waiter waiter;
	pthread_t thread;
	bool started;	  /* the test's thread */
	atomic_bool done; /* @result is there */
	int result;	  /* of dax_waitq_sleep() */
};

struct sleepers {
	struct dax_waitq_table *table;
	uint64_t live; /* blocks before the table */
	struct dax_cancel cancel;
	struct dax_wait_limit cancellable; /* by @cancel, and never else */
	unsigned int count;
	struct sleeper sleepers[SLEEPERS_MAX];
};

static const struct dax_wait_limit long_past = {.deadline_ns = 1};
static const struct dax_wait_limit no_limit = {.deadline_ns = UINT64_MAX};

/* Two files, and two places in the first. */
static const char owners[2];
static const struct dax_wait_key key_a = {&owners[0], 7};
static const struct dax_wait_key key_b = {&owners[0], 8};
static const struct dax_wait_key key_c = {&owners[1], 7};

/* ---- in the test's own thread ---- */

static inline struct dax_waitq *enqueue(struct dax_waitq_table *table,
	struct dax_waiter *waiter, const struct dax_wait_key *key,
	enum dax_wait_mode mode)
{
	struct dax_waitq *queue = dax_waitq_lock(table, key);

	dax_waitq_enqueue_locked(queue, waiter, key, mode);
	dax_waitq_unlock(queue);
	return queue;
}

/* True: others still sleep on @key. */
static inline bool wake(struct dax_waitq_table *table,
	const struct dax_wait_key *key, enum dax_wake_mode mode)
{
	struct dax_waitq *queue = dax_waitq_lock(table, key);
	struct dax_woken woken;
	bool others;

	others = dax_waitq_take_locked(queue, key, mode, &woken);
	dax_waitq_unlock(queue);
	dax_waitq_wake(&woken);
	return others;
}

static inline unsigned int count_list(
	const struct waiters *list, const struct dax_wait_key *key)
{
	unsigned int count = 0;

	for (const struct waiter *waiter = list->first; waiter;
		waiter = waiter->next)
		count += waiter->key.owner == key->owner &&
			 waiter->key.index == key->index;
	return count;
}

/* How many sleep on @key. */
static inline unsigned int queued(
	struct dax_waitq_table *table, const struct dax_wait_key *key)
{
	struct dax_waitq *queue = dax_waitq_lock(table, key);
	const unsigned int count = count_list(&queue->exclusive, key) +
				   count_list(&queue->shared, key);

	dax_waitq_unlock(queue);
	return count;
}

/* Does somebody want the queue's lock, which the caller holds? */
static inline bool is_contended(const struct dax_waitq *queue)
{
	return atomic_load(&queue->lock.state) == SYNC_CONTENDED;
}

/* ---- threads ---- */

static inline void *sleeper_run(void *argument)
{
	struct sleeper *sleeper = argument;
	struct dax_waitq *queue = enqueue(
		sleeper->table, &sleeper->waiter, &sleeper->key, sleeper->mode);

	sleeper->result =
		dax_waitq_sleep(queue, &sleeper->waiter, &sleeper->limit);
	atomic_store(&sleeper->done, true);
	return NULL;
}

static inline void sleeper_run_in_thread(
	struct sleeper *sleeper, void *(*run)(void *sleeper))
{
	sleeper->started =
		!pthread_create(&sleeper->thread, NULL, run, sleeper);
	assert_true(sleeper->started);
}

static inline struct sleeper *sleeper_new(struct sleepers *all,
	const struct dax_wait_key *key, const struct dax_wait_limit *limit)
{
	struct sleeper *sleeper = &all->sleepers[all->count++];

	assert_true(all->count <= SLEEPERS_MAX);
	*sleeper = (struct sleeper){.table = all->table,
		.key = *key,
		.mode = DAX_WAIT_EXCLUSIVE,
		.limit = *limit};
	return sleeper;
}

/* An exclusive sleeper on @key, queued behind all that are there. */
static inline struct sleeper *sleeper_start(struct sleepers *all,
	const struct dax_wait_key *key, const struct dax_wait_limit *limit)
{
	struct sleeper *sleeper = sleeper_new(all, key, limit);
	const unsigned int before = queued(all->table, key);

	sleeper_run_in_thread(sleeper, sleeper_run);
	crew_await(queued(all->table, key) > before);
	return sleeper;
}

static inline int sleeper_join(struct sleeper *sleeper)
{
	pthread_join(sleeper->thread, NULL);
	sleeper->started = false;
	return sleeper->result;
}

static inline bool is_asleep(const struct sleeper *sleeper)
{
	return !atomic_load(&sleeper->done);
}

/* ---- fixture ---- */

static inline int sleepers_setup(void **state)
{
	static struct sleepers all;

	all = (struct sleepers){.live = sync_alloc_live(),
		.cancellable = {UINT64_MAX, &all.cancel}};
	dax_cancel_init(&all.cancel);
	*state = &all;
	return dax_waitq_table_new(1, 1, &all.table);
}

static inline int sleepers_teardown(void **state)
{
	struct sleepers *all = *state;

	sync_alloc_fail_nth(0);
	for (unsigned int i = 0; i < all->count; i++) {
		struct sleeper *sleeper = &all->sleepers[i];

		if (!sleeper->started)
			continue;
		while (is_asleep(sleeper)) {
			wake(all->table, &sleeper->key, DAX_WAKE_ALL);
			sched_yield();
		}
		sleeper_join(sleeper);
	}
	dax_waitq_table_delete(&all->table);
	assert_int_equal(sync_alloc_live(), all->live);
	return 0;
}

#define SLEEPERS_TEST(test)                                                    \
	cmocka_unit_test_setup_teardown(test, sleepers_setup, sleepers_teardown)

static inline struct dax_waitq_table *table_of(void **state)
{
	return ((struct sleepers *)*state)->table;
}

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* A sleeper sleeps until it is chosen, and a chosen one always wakes. */
#include <signal.h>
#include <string.h>

#include "sleepers.h"
#include "support/death.h"

static void a_sleeper_sleeps_until_it_is_woken(void **state)
{
	struct sleeper *sleeper = sleeper_start(*state, &key_a, &no_limit);

	assert_true(is_asleep(sleeper));
	assert_int_equal(queued(table_of(state), &key_a), 1);
	assert_false(wake(table_of(state), &key_a, DAX_WAKE_NEXT));
	assert_int_equal(sleeper_join(sleeper), 0);
	assert_int_equal(queued(table_of(state), &key_a), 0);
}

static void sleepers_wake_in_order_of_arrival(void **state)
{
	struct sleeper *sleepers[4];

	for (int i = 0; i < 4; i++)
		sleepers[i] = sleeper_start(*state, &key_a, &no_limit);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(
			wake(table_of(state), &key_a, DAX_WAKE_NEXT), i < 3);
		assert_int_equal(sleeper_join(sleepers[i]), 0);
		assert_int_equal(queued(table_of(state), &key_a), 3 - i);
		for (int j = i + 1; j < 4; j++)
			assert_true(is_asleep(sleepers[j]));
	}
}

static void wake_all_wakes_every_thread(void **state)
{
	struct sleeper *sleepers[4];

	for (int i = 0; i < 4; i++)
		sleepers[i] = sleeper_start(*state, &key_a, &no_limit);
	wake(table_of(state), &key_a, DAX_WAKE_ALL);
	for (int i = 0; i < 4; i++)
		assert_int_equal(sleeper_join(sleepers[i]), 0);
}

static void a_wake_of_another_key_leaves_a_thread_asleep(void **state)
{
	struct sleeper *a = sleeper_start(*state, &key_a, &no_limit);
	struct sleeper *b = sleeper_start(*state, &key_b, &no_limit);

	wake(table_of(state), &key_b, DAX_WAKE_ALL);
	assert_int_equal(sleeper_join(b), 0);
	assert_int_equal(queued(table_of(state), &key_a), 1);
	assert_true(is_asleep(a));
}

/* One who is not queued yet as a waker sees it, but chosen before it sleeps. */
static void a_wake_before_the_sleep_is_not_lost(void **state)
{
	struct dax_waiter waiter = {0};
	struct dax_waitq *queue =
		enqueue(table_of(state), &waiter, &key_a, DAX_WAIT_EXCLUSIVE);

	wake(table_of(state), &key_a, DAX_WAKE_NEXT);
	assert_int_equal(dax_waitq_sleep(queue, &waiter, NULL), 0);
}

static void a_record_serves_one_sleep_after_the_other(void **state)
{
	struct dax_waitq_table *table = table_of(state);
	struct dax_waiter waiter = {0};
	struct dax_waitq *queue;

	for (int i = 0; i < 3; i++) {
		queue = enqueue(table, &waiter, i % 2 ? &key_a : &key_b,
			i % 2 ? DAX_WAIT_SHARED : DAX_WAIT_EXCLUSIVE);
		assert_int_equal(dax_waitq_sleep(queue, &waiter, &long_past),
			-ETIMEDOUT);
		queue = enqueue(table, &waiter, &key_a, DAX_WAIT_EXCLUSIVE);
		wake(table, &key_a, DAX_WAKE_NEXT);
		assert_int_equal(dax_waitq_sleep(queue, &waiter, NULL), 0);
	}
}

/* Each passes the wake on, as R1 has it; plain memory goes with it. */
struct chain {
	struct dax_waitq_table *table;
	unsigned int passed; /* owner: whoever was woken last */
};

static void passes_the_wake_on(struct crew_member *me)
{
	struct chain *chain = me->shared;
	struct dax_waiter waiter = {0};
	struct dax_waitq *queue =
		enqueue(chain->table, &waiter, &key_a, DAX_WAIT_EXCLUSIVE);

	crew_check(me, !dax_waitq_sleep(queue, &waiter, NULL));
	chain->passed++;
	wake(chain->table, &key_a, DAX_WAKE_NEXT);
}

static void a_wake_that_is_passed_on_reaches_all(void **state)
{
	struct chain chain = {.table = table_of(state)};
	struct crew crew;

	crew_start(&crew, 8, passes_the_wake_on, &chain);
	crew_await(queued(chain.table, &key_a) == 8);
	wake(chain.table, &key_a, DAX_WAKE_NEXT);
	crew_assert_content(&crew);
	assert_int_equal(chain.passed, 8);
}

struct misuse {
	struct dax_waitq_table *table;
	struct dax_waiter waiter;
	struct dax_woken woken;
};

static void sleep_with_the_queue_locked(void *with)
{
	struct misuse *misuse = with;
	struct dax_waitq *queue = dax_waitq_lock(misuse->table, &key_a);
	int error;

	dax_waitq_enqueue_locked(
		queue, &misuse->waiter, &key_a, DAX_WAIT_EXCLUSIVE);
	error = dax_waitq_sleep(queue, &misuse->waiter, &long_past);
	(void)error;
}

static void wake_with_the_queue_locked(void *with)
{
	struct misuse *misuse = with;

	dax_waitq_lock(misuse->table, &key_a);
	dax_waitq_wake(&misuse->woken);
}

static void lock_two_queues(void *with)
{
	struct misuse *misuse = with;

	dax_waitq_lock(misuse->table, &key_a);
	dax_waitq_lock(misuse->table, &key_b);
}

static void enqueue_twice(void *with)
{
	struct misuse *misuse = with;

	enqueue(misuse->table, &misuse->waiter, &key_a, DAX_WAIT_EXCLUSIVE);
	enqueue(misuse->table, &misuse->waiter, &key_b, DAX_WAIT_SHARED);
}

static void enqueue_unlocked(void *with)
{
	struct misuse *misuse = with;

	dax_waitq_enqueue_locked(&misuse->table->queues[0], &misuse->waiter,
		&key_a, DAX_WAIT_EXCLUSIVE);
}

static void take_unlocked(void *with)
{
	struct misuse *misuse = with;

	dax_waitq_take_locked(&misuse->table->queues[0], &key_a, DAX_WAKE_ALL,
		&misuse->woken);
}

static void misuse_aborts(void **state)
{
	struct misuse misuse = {.table = table_of(state)};
	/* In a child: the queue stays as it is here. */
	assert_aborts_with(
		sleep_with_the_queue_locked, &misuse, "precondition");
	assert_aborts_with(wake_with_the_queue_locked, &misuse, "precondition");
	assert_aborts_with(lock_two_queues, &misuse, "out of rank");
	assert_aborts_with(enqueue_twice, &misuse, "precondition");
	assert_aborts_with(enqueue_unlocked, &misuse, "invariant");
	assert_aborts_with(take_unlocked, &misuse, "invariant");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SLEEPERS_TEST(a_sleeper_sleeps_until_it_is_woken),
		SLEEPERS_TEST(sleepers_wake_in_order_of_arrival),
		SLEEPERS_TEST(wake_all_wakes_every_thread),
		SLEEPERS_TEST(a_wake_of_another_key_leaves_a_thread_asleep),
		SLEEPERS_TEST(a_wake_before_the_sleep_is_not_lost),
		SLEEPERS_TEST(a_record_serves_one_sleep_after_the_other),
		SLEEPERS_TEST(a_wake_that_is_passed_on_reaches_all),
		SLEEPERS_TEST(misuse_aborts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A sleeper that gives up was not chosen: it owes nothing, and the wake that
 * it would have got is still there for the next. One that was chosen has not
 * given up, however late its wake.
 */
#include "sleepers.h"

static void a_sleeper_whose_deadline_has_passed_gives_up(void **state)
{
	struct dax_waiter waiter = {0};
	struct dax_waitq *queue =
		enqueue(table_of(state), &waiter, &key_a, DAX_WAIT_EXCLUSIVE);

	assert_int_equal(
		dax_waitq_sleep(queue, &waiter, &long_past), -ETIMEDOUT);
	assert_int_equal(queued(table_of(state), &key_a), 0);
}

static void a_shared_sleeper_gives_up_as_well(void **state)
{
	struct dax_waiter waiter = {0};
	struct dax_waitq *queue =
		enqueue(table_of(state), &waiter, &key_a, DAX_WAIT_SHARED);

	assert_int_equal(
		dax_waitq_sleep(queue, &waiter, &long_past), -ETIMEDOUT);
	assert_int_equal(queued(table_of(state), &key_a), 0);
}

static void a_sleeper_does_not_give_up_before_its_deadline(void **state)
{
	const struct dax_wait_limit limit = {
		.deadline_ns = sync_now() + 2000000};
	struct dax_waiter waiter = {0};
	struct dax_waitq *queue =
		enqueue(table_of(state), &waiter, &key_a, DAX_WAIT_EXCLUSIVE);

	assert_int_equal(dax_waitq_sleep(queue, &waiter, &limit), -ETIMEDOUT);
	assert_true(sync_now() >= limit.deadline_ns);
}

static void a_sleeper_that_is_woken_in_time_does_not_give_up(void **state)
{
	const struct dax_wait_limit limit = {
		.deadline_ns = sync_now() + (uint64_t)3600 * 1000000000};
	struct sleeper *sleeper = sleeper_start(*state, &key_a, &limit);

	wake(table_of(state), &key_a, DAX_WAKE_NEXT);
	assert_int_equal(sleeper_join(sleeper), 0);
}

static void a_deadline_that_never_comes_does_not_end_a_sleep(void **state)
{
	const struct dax_wait_limit limit = {.deadline_ns = UINT64_MAX};
	struct sleeper *sleeper = sleeper_start(*state, &key_a, &limit);

	assert_int_equal(queued(table_of(state), &key_a), 1);
	wake(table_of(state), &key_a, DAX_WAKE_NEXT);
	assert_int_equal(sleeper_join(sleeper), 0);
}

/* From the head, the middle and the tail of a queue. */
static void one_who_gives_up_leaves_the_others_in_their_order(void **state)
{
	struct dax_waitq_table *table = table_of(state);

	for (int leaver = 0; leaver < 3; leaver++) {
		struct dax_waiter waiters[3] = {0};
		struct dax_waitq *queue;

		for (int i = 0; i < 3; i++)
			queue = enqueue(
				table, &waiters[i], &key_a, DAX_WAIT_EXCLUSIVE);
		assert_int_equal(
			dax_waitq_sleep(queue, &waiters[leaver], &long_past),
			-ETIMEDOUT);
		assert_int_equal(queued(table, &key_a), 2);
		for (int i = 0; i < 3; i++) {
			if (i == leaver)
				continue;
			wake(table, &key_a, DAX_WAKE_NEXT);
			assert_int_equal(
				dax_waitq_sleep(queue, &waiters[i], &long_past),
				0);
		}
	}
}

static void one_who_gives_up_leaves_the_wake_to_the_next(void **state)
{
	struct dax_waitq_table *table = table_of(state);
	struct dax_waiter impatient = {0};
	struct dax_waitq *queue =
		enqueue(table, &impatient, &key_a, DAX_WAIT_EXCLUSIVE);
	struct sleeper *sleeper = sleeper_start(*state, &key_a, &no_limit);

	assert_int_equal(
		dax_waitq_sleep(queue, &impatient, &long_past), -ETIMEDOUT);
	wake(table, &key_a, DAX_WAKE_NEXT);
	assert_int_equal(sleeper_join(sleeper), 0);
}

/* The record was queued, and chosen, by the test. */
static void *sleep_only(void *argument)
{
	struct sleeper *sleeper = argument;

	sleeper->result = dax_waitq_sleep(
		&sleeper->table->queues[0], &sleeper->waiter, &sleeper->limit);
	atomic_store(&sleeper->done, true);
	return NULL;
}

/*
 *  waker (here)                       sleeper
 *  takes it from the queue
 *                                     its deadline is past: wants the queue's
 *                                     lock, to leave the queue
 *  gives the queue's lock back
 *                                     is not queued: was chosen
 *  wakes it
 */
static void one_who_was_chosen_has_not_given_up(void **state)
{
	struct dax_waitq_table *table = table_of(state);
	struct sleeper *sleeper = sleeper_new(*state, &key_a, &long_past);
	struct dax_waitq *queue = dax_waitq_lock(table, &key_a);
	struct dax_woken woken;

	dax_waitq_enqueue_locked(
		queue, &sleeper->waiter, &key_a, DAX_WAIT_EXCLUSIVE);
	sleeper_run_in_thread(sleeper, sleep_only);
	crew_await(is_contended(queue));
	dax_waitq_take_locked(queue, &key_a, DAX_WAKE_NEXT, &woken);
	dax_waitq_unlock(queue);
	dax_waitq_wake(&woken);
	assert_int_equal(sleeper_join(sleeper), 0);
}

/* The same, and the wake comes only after the sleeper has found itself taken.
 */
static void one_who_was_chosen_waits_for_its_wake(void **state)
{
	struct dax_waitq_table *table = table_of(state);
	struct sleeper *sleeper = sleeper_new(*state, &key_a, &long_past);
	struct waiter *waiter = waiter_of(&sleeper->waiter);
	struct dax_waitq *queue = dax_waitq_lock(table, &key_a);
	struct dax_woken woken;
	bool early;

	dax_waitq_enqueue_locked(
		queue, &sleeper->waiter, &key_a, DAX_WAIT_EXCLUSIVE);
	sleeper_run_in_thread(sleeper, sleep_only);
	crew_await(is_contended(queue));
	dax_waitq_take_locked(queue, &key_a, DAX_WAKE_NEXT, &woken);
	dax_waitq_unlock(queue);
	/* It holds no lock and is parked for the second time. */
	crew_await(!is_asleep(sleeper) ||
		   (atomic_load(&waiter->parker.state) &&
			   atomic_load(&queue->lock.state) == SYNC_UNLOCKED));
	early = !is_asleep(sleeper);
	dax_waitq_wake(&woken);
	assert_int_equal(sleeper_join(sleeper), 0);
	assert_false(early);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SLEEPERS_TEST(a_sleeper_whose_deadline_has_passed_gives_up),
		SLEEPERS_TEST(a_shared_sleeper_gives_up_as_well),
		SLEEPERS_TEST(a_sleeper_does_not_give_up_before_its_deadline),
		SLEEPERS_TEST(a_sleeper_that_is_woken_in_time_does_not_give_up),
		SLEEPERS_TEST(a_deadline_that_never_comes_does_not_end_a_sleep),
		SLEEPERS_TEST(
			one_who_gives_up_leaves_the_others_in_their_order),
		SLEEPERS_TEST(one_who_gives_up_leaves_the_wake_to_the_next),
		SLEEPERS_TEST(one_who_was_chosen_has_not_given_up),
		SLEEPERS_TEST(one_who_was_chosen_waits_for_its_wake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

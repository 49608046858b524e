/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A cancel ends the sleep of one that was not chosen, before it begins or
 * under way; it takes no wake from anybody, and disturbs nobody chosen.
 */
#include <signal.h>
#include <string.h>

#include "sleepers.h"
#include "support/death.h"

static void fire_before_the_sleep_ends_it_at_once(void **state)
{
	struct sleepers *all = *state;
	struct dax_waiter waiter = {0};
	struct dax_waitq *queue;

	dax_cancel_fire(&all->cancel);
	queue = enqueue(all->table, &waiter, &key_a, DAX_WAIT_EXCLUSIVE);
	assert_int_equal(
		dax_waitq_sleep(queue, &waiter, &all->cancellable), -ECANCELED);
	assert_int_equal(queued(all->table, &key_a), 0);
}

static void every_later_sleep_ends_as_well(void **state)
{
	struct sleepers *all = *state;
	struct dax_waiter waiter = {0};

	dax_cancel_fire(&all->cancel);
	for (int i = 0; i < 3; i++) {
		struct dax_waitq *queue = enqueue(
			all->table, &waiter, &key_a, DAX_WAIT_EXCLUSIVE);

		assert_int_equal(
			dax_waitq_sleep(queue, &waiter, &all->cancellable),
			-ECANCELED);
	}
}

static void one_who_was_chosen_before_it_slept_is_not_cancelled(void **state)
{
	struct sleepers *all = *state;
	struct dax_waiter waiter = {0};
	struct dax_waitq *queue;

	dax_cancel_fire(&all->cancel);
	queue = enqueue(all->table, &waiter, &key_a, DAX_WAIT_EXCLUSIVE);
	wake(all->table, &key_a, DAX_WAKE_NEXT);
	assert_int_equal(dax_waitq_sleep(queue, &waiter, &all->cancellable), 0);
}

static void init_makes_a_fired_cancel_new(void **state)
{
	struct sleepers *all = *state;
	struct dax_waiter waiter = {0};
	struct dax_waitq *queue;

	dax_cancel_fire(&all->cancel);
	dax_cancel_init(&all->cancel);
	all->cancellable.deadline_ns = 1;
	queue = enqueue(all->table, &waiter, &key_a, DAX_WAIT_EXCLUSIVE);
	assert_int_equal(
		dax_waitq_sleep(queue, &waiter, &all->cancellable), -ETIMEDOUT);
}

static void firing_at_nobody_does_nothing(void **state)
{
	struct sleepers *all = *state;

	dax_cancel_fire(&all->cancel);
	dax_cancel_fire(&all->cancel);
}

/* A sleeper is known to its cancel only after it is queued. */
static bool is_armed(struct dax_cancel *opaque)
{
	struct cancel *cancel = cancel_of(opaque);
	bool armed;

	sync_lock_acquire(&cancel->lock);
	armed = cancel->sleeper;
	sync_lock_release(&cancel->lock);
	return armed;
}

static struct sleeper *start_armed(struct sleepers *all)
{
	struct sleeper *sleeper = sleeper_start(all, &key_a, &all->cancellable);

	crew_await(is_armed(&all->cancel));
	return sleeper;
}

static void fire_ends_the_sleep_under_way(void **state)
{
	struct sleepers *all = *state;
	struct sleeper *sleeper;

	sleeper = start_armed(all);
	dax_cancel_fire(&all->cancel);
	assert_int_equal(sleeper_join(sleeper), -ECANCELED);
	assert_int_equal(queued(all->table, &key_a), 0);
}

static void fire_between_queue_and_sleep_is_not_lost(void **state)
{
	struct sleepers *all = *state;
	struct dax_waiter waiter = {0};
	struct dax_waitq *queue;

	queue = enqueue(all->table, &waiter, &key_a, DAX_WAIT_EXCLUSIVE);
	dax_cancel_fire(&all->cancel);
	assert_int_equal(
		dax_waitq_sleep(queue, &waiter, &all->cancellable), -ECANCELED);
}

static void fire_ends_nobody_elses_sleep(void **state)
{
	struct sleepers *all = *state;
	struct sleeper *sleeper;
	struct sleeper *other = sleeper_start(all, &key_a, &no_limit);

	sleeper = start_armed(all);
	dax_cancel_fire(&all->cancel);
	assert_int_equal(sleeper_join(sleeper), -ECANCELED);
	assert_int_equal(queued(all->table, &key_a), 1);
	assert_true(is_asleep(other));
}

static void one_who_is_cancelled_leaves_the_wake_to_the_next(void **state)
{
	struct sleepers *all = *state;
	struct sleeper *sleeper;
	struct sleeper *next;

	sleeper = start_armed(all);
	next = sleeper_start(all, &key_a, &no_limit);
	dax_cancel_fire(&all->cancel);
	assert_int_equal(sleeper_join(sleeper), -ECANCELED);
	assert_false(wake(all->table, &key_a, DAX_WAKE_NEXT));
	assert_int_equal(sleeper_join(next), 0);
}

static void one_who_was_chosen_is_not_disturbed(void **state)
{
	struct sleepers *all = *state;
	struct dax_woken woken;
	struct sleeper *sleeper;
	struct dax_waitq *queue;

	sleeper = start_armed(all);
	queue = dax_waitq_lock(all->table, &key_a);
	dax_waitq_take_locked(queue, &key_a, DAX_WAKE_NEXT, &woken);
	dax_waitq_unlock(queue);
	dax_cancel_fire(&all->cancel);
	dax_waitq_wake(&woken);
	assert_int_equal(sleeper_join(sleeper), 0);
}

static void fires(struct crew_member *me)
{
	dax_cancel_fire(me->shared);
}

/* The canceller waits for the queue's lock while a waker takes the sleeper. */
static void one_who_is_chosen_while_cancelled_is_chosen(void **state)
{
	struct sleepers *all = *state;
	struct dax_woken woken;
	struct sleeper *sleeper;
	struct dax_waitq *queue;
	struct crew crew;

	sleeper = start_armed(all);
	queue = dax_waitq_lock(all->table, &key_a);
	crew_start(&crew, 1, fires, &all->cancel);
	crew_await(is_contended(queue));
	dax_waitq_take_locked(queue, &key_a, DAX_WAKE_NEXT, &woken);
	dax_waitq_unlock(queue);
	dax_waitq_wake(&woken);
	crew_assert_content(&crew);
	assert_int_equal(sleeper_join(sleeper), 0);
}

static void of_two_who_fire_one_ends_the_sleep(void **state)
{
	struct sleepers *all = *state;
	struct sleeper *sleeper;
	struct crew crew;

	sleeper = start_armed(all);
	crew_start(&crew, 2, fires, &all->cancel);
	crew_assert_content(&crew);
	assert_int_equal(sleeper_join(sleeper), -ECANCELED);
}

static void a_cancel_not_fired_serves_one_sleep_after_the_other(void **state)
{
	struct sleepers *all = *state;

	for (int i = 0; i < 3; i++) {
		struct sleeper *sleeper = start_armed(all);

		wake(all->table, &key_a, DAX_WAKE_NEXT);
		assert_int_equal(sleeper_join(sleeper), 0);
		assert_false(is_armed(&all->cancel));
	}
}

static void a_cancel_in_a_sleep_that_times_out_is_let_go(void **state)
{
	struct sleepers *all = *state;
	struct dax_waiter waiter = {0};
	struct dax_waitq *queue;

	all->cancellable.deadline_ns = 1;
	queue = enqueue(all->table, &waiter, &key_a, DAX_WAIT_EXCLUSIVE);
	assert_int_equal(
		dax_waitq_sleep(queue, &waiter, &all->cancellable), -ETIMEDOUT);
	assert_false(is_armed(&all->cancel));
	dax_cancel_fire(&all->cancel);
}

static void sleep_with_a_cancel_in_use(void *with)
{
	struct sleepers *all = with;
	struct dax_waiter waiter = {0};
	struct dax_waitq *queue =
		enqueue(all->table, &waiter, &key_b, DAX_WAIT_EXCLUSIVE);
	int error = dax_waitq_sleep(queue, &waiter, &all->cancellable);

	(void)error;
}

static void a_cancel_serves_one_sleeper_at_a_time(void **state)
{
	start_armed(*state);
	assert_aborts_with(sleep_with_a_cancel_in_use, *state, "precondition");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SLEEPERS_TEST(fire_before_the_sleep_ends_it_at_once),
		SLEEPERS_TEST(every_later_sleep_ends_as_well),
		SLEEPERS_TEST(
			one_who_was_chosen_before_it_slept_is_not_cancelled),
		SLEEPERS_TEST(init_makes_a_fired_cancel_new),
		SLEEPERS_TEST(firing_at_nobody_does_nothing),
		SLEEPERS_TEST(fire_ends_the_sleep_under_way),
		SLEEPERS_TEST(fire_between_queue_and_sleep_is_not_lost),
		SLEEPERS_TEST(fire_ends_nobody_elses_sleep),
		SLEEPERS_TEST(one_who_is_cancelled_leaves_the_wake_to_the_next),
		SLEEPERS_TEST(one_who_was_chosen_is_not_disturbed),
		SLEEPERS_TEST(one_who_is_chosen_while_cancelled_is_chosen),
		SLEEPERS_TEST(of_two_who_fire_one_ends_the_sleep),
		SLEEPERS_TEST(
			a_cancel_not_fired_serves_one_sleep_after_the_other),
		SLEEPERS_TEST(a_cancel_in_a_sleep_that_times_out_is_let_go),
		SLEEPERS_TEST(a_cancel_serves_one_sleeper_at_a_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

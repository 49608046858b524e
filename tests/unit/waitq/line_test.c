/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who stands in line keeps its place when it is chosen, until it says that it
 * sleeps again or leaves; nobody behind it is chosen meanwhile. Once it was
 * passed often enough it is handed over what it waits for, asleep or awake.
 */
#include "sleepers.h"

#define ORDER 3
#define OTHER 4

struct line {
	struct dax_waitq_table *table;
	struct dax_waiter first;
	struct dax_waiter second;
	struct dax_waitq *queue;
};

static void stand(struct line *line, struct dax_waiter *waiter)
{
	waiter_of(waiter)->order = ORDER;
	line->queue = enqueue(line->table, waiter, &key_a, WAITQ_IN_LINE);
}

/* Two stand in it. */
static struct line *line_of(void **state)
{
	static struct line line;

	line = (struct line){.table = table_of(state)};
	stand(&line, &line.first);
	stand(&line, &line.second);
	return &line;
}

static void leave(struct line *line, struct dax_waiter *waiter)
{
	dax_waitq_lock(line->table, &key_a);
	if (waiter_of(waiter)->queued)
		waitq_remove_locked(line->queue, waiter_of(waiter));
	dax_waitq_unlock(line->queue);
}

static void end(struct line *line)
{
	leave(line, &line->first);
	leave(line, &line->second);
	assert_int_equal(queued(line->table, &key_a), 0);
}

/* Was it woken? Then it has taken that note of. */
static bool was_woken(struct line *line, struct dax_waiter *waiter)
{
	(void)line;
	return sync_park(&waiter_of(waiter)->parker, 1);
}

static bool hand_over(
	struct line *line, unsigned int order, unsigned int passes)
{
	struct dax_waitq *queue = dax_waitq_lock(line->table, &key_a);
	struct dax_woken woken = {NULL};
	bool handed;

	handed = waitq_hand_over_locked(queue, &key_a, order, passes, &woken);
	dax_waitq_unlock(queue);
	dax_waitq_wake(&woken);
	return handed;
}

static void who_is_chosen_keeps_its_place(void **state)
{
	struct line *line = line_of(state);

	for (int i = 0; i < 3; i++) {
		assert_true(wake(line->table, &key_a, DAX_WAKE_NEXT));
		assert_true(was_woken(line, &line->first));
		stand(line, &line->first);
	}
	assert_false(was_woken(line, &line->second));
	end(line);
}

static void while_the_first_is_awake_nobody_is_woken(void **state)
{
	struct line *line = line_of(state);

	wake(line->table, &key_a, DAX_WAKE_NEXT);
	assert_true(was_woken(line, &line->first));
	assert_true(wake(line->table, &key_a, DAX_WAKE_NEXT));
	assert_false(was_woken(line, &line->first));
	assert_false(was_woken(line, &line->second));
	end(line);
}

static void when_the_first_has_left_the_second_is_chosen(void **state)
{
	struct line *line = line_of(state);

	wake(line->table, &key_a, DAX_WAKE_NEXT);
	leave(line, &line->first);
	wake(line->table, &key_a, DAX_WAKE_NEXT);
	assert_true(was_woken(line, &line->second));
	end(line);
}

static void a_wake_of_all_ends_the_line(void **state)
{
	struct line *line = line_of(state);

	wake(line->table, &key_a, DAX_WAKE_NEXT);
	assert_true(was_woken(line, &line->first));
	assert_false(wake(line->table, &key_a, DAX_WAKE_ALL));
	/* It is awake. */
	assert_false(was_woken(line, &line->first));
	assert_true(was_woken(line, &line->second));
	assert_int_equal(queued(line->table, &key_a), 0);
}

static void who_is_chosen_has_not_timed_out(void **state)
{
	struct line *line = line_of(state);
	struct dax_waitq *queue = dax_waitq_lock(line->table, &key_a);
	struct dax_woken woken;

	dax_waitq_take_locked(queue, &key_a, DAX_WAKE_NEXT, &woken);
	dax_waitq_unlock(queue);
	assert_false(waitq_withdraw(queue, waiter_of(&line->first)));
	dax_waitq_wake(&woken);
	assert_int_equal(dax_waitq_sleep(queue, &line->first, &long_past), 0);
	assert_int_equal(
		dax_waitq_sleep(queue, &line->second, &long_past), -ETIMEDOUT);
	end(line);
}

static void who_was_passed_so_often_is_handed_it(void **state)
{
	struct line *line = line_of(state);

	assert_false(hand_over(line, ORDER, 2));
	wake(line->table, &key_a, DAX_WAKE_NEXT);
	assert_false(hand_over(line, ORDER, 2));
	wake(line->table, &key_a, DAX_WAKE_NEXT);
	assert_true(hand_over(line, ORDER, 2));
	assert_true(waiter_of(&line->first)->granted);
	assert_false(waiter_of(&line->first)->queued);
	/* It is the second's turn to be passed. */
	assert_false(hand_over(line, ORDER, 1));
	end(line);
}

static void who_is_handed_it_asleep_is_woken(void **state)
{
	struct line *line = line_of(state);

	assert_true(hand_over(line, ORDER, 0));
	assert_int_equal(
		dax_waitq_sleep(line->queue, &line->first, &long_past), 0);
	assert_true(waiter_of(&line->first)->granted);
	end(line);
}

static void who_is_handed_it_awake_is_not(void **state)
{
	struct line *line = line_of(state);

	wake(line->table, &key_a, DAX_WAKE_NEXT);
	assert_true(was_woken(line, &line->first));
	assert_true(hand_over(line, ORDER, 1));
	assert_false(was_woken(line, &line->first));
	assert_true(waiter_of(&line->first)->granted);
	end(line);
}

/* It chose, and was preempted before it looked whom to unpark after it. */
static void who_is_about_to_wake_it_keeps_its_list(void **state)
{
	struct line *line = line_of(state);
	struct dax_waitq *queue = dax_waitq_lock(line->table, &key_a);
	struct waiter *after = waiter_of(&line->second);
	struct dax_woken woken;

	dax_waitq_take_locked(queue, &key_a, DAX_WAKE_NEXT, &woken);
	dax_waitq_unlock(queue);
	assert_ptr_equal(woken.first, waiter_of(&line->first));
	waiter_of(&line->first)->next_woken = after;
	assert_true(hand_over(line, ORDER, 1));
	assert_ptr_equal(waiter_of(&line->first)->next_woken, after);
	end(line);
}

static void who_slept_on_another_order_is_handed_nothing(void **state)
{
	struct line *line = line_of(state);

	assert_false(hand_over(line, OTHER, 0));
	assert_false(waiter_of(&line->first)->granted);
	end(line);
}

/* All keys share the queue. */
static void who_waits_for_something_else_is_handed_nothing(void **state)
{
	struct line *line = line_of(state);
	struct dax_waiter other = {0};

	end(line);
	waiter_of(&other)->order = ORDER;
	enqueue(line->table, &other, &key_b, WAITQ_IN_LINE);
	assert_false(hand_over(line, ORDER, 0));
	assert_int_equal(
		dax_waitq_sleep(line->queue, &other, &long_past), -ETIMEDOUT);
}

static void who_stands_in_no_line_is_handed_nothing(void **state)
{
	struct line *line = line_of(state);
	struct dax_waiter other = {0};

	end(line);
	enqueue(line->table, &other, &key_a, DAX_WAIT_EXCLUSIVE);
	assert_false(hand_over(line, 0, 0));
	assert_int_equal(
		dax_waitq_sleep(line->queue, &other, &long_past), -ETIMEDOUT);
}

/* Wakes that go to somebody in front of it count as well. */
static void who_waits_behind_others_is_passed(void **state)
{
	struct line *line = line_of(state);
	struct dax_waiter other = {0};

	end(line);
	enqueue(line->table, &other, &key_a, DAX_WAIT_EXCLUSIVE);
	stand(line, &line->first);
	wake(line->table, &key_a, DAX_WAKE_NEXT);
	assert_int_equal(dax_waitq_sleep(line->queue, &other, &long_past), 0);
	assert_false(was_woken(line, &line->first));
	assert_true(hand_over(line, ORDER, 1));
	assert_true(was_woken(line, &line->first));
	end(line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SLEEPERS_TEST(who_is_chosen_keeps_its_place),
		SLEEPERS_TEST(while_the_first_is_awake_nobody_is_woken),
		SLEEPERS_TEST(when_the_first_has_left_the_second_is_chosen),
		SLEEPERS_TEST(a_wake_of_all_ends_the_line),
		SLEEPERS_TEST(who_is_chosen_has_not_timed_out),
		SLEEPERS_TEST(who_was_passed_so_often_is_handed_it),
		SLEEPERS_TEST(who_is_handed_it_asleep_is_woken),
		SLEEPERS_TEST(who_is_handed_it_awake_is_not),
		SLEEPERS_TEST(who_is_about_to_wake_it_keeps_its_list),
		SLEEPERS_TEST(who_slept_on_another_order_is_handed_nothing),
		SLEEPERS_TEST(who_waits_for_something_else_is_handed_nothing),
		SLEEPERS_TEST(who_stands_in_no_line_is_handed_nothing),
		SLEEPERS_TEST(who_waits_behind_others_is_passed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

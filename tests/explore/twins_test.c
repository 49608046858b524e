/* SPDX-License-Identifier: BSD-3-Clause */
/* Of what differs only in which of two threads does what, one is explored. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/sync.h"
#include "daxlock/explore.h"
#include "explore/expect.h"

static struct sync_u64 words[2];
static struct sync_lock lock;

static struct dax_explore_report explore_twins(void (*body)(void *unused),
	bool interchangeable, enum dax_explore_how how)
{
	const struct dax_scenario scenario = {.name = "twins",
		.body = body,
		.interchangeable = interchangeable,
		.snapshots = how == DAX_EXPLORE_STATES};
	const struct dax_explore_options options = {.how = how};
	struct dax_explore_report report;

	assert_int_equal(dax_explore(&scenario, &options, &report), 0);
	return report;
}

/* Of so many executions, so many are left. */
static void expect_left(void (*body)(void *unused), uint64_t all, uint64_t left)
{
	const enum dax_explore_how hows[] = {
		DAX_EXPLORE_ALL, DAX_EXPLORE_SLEEP_SETS};

	for (size_t i = 0; i < 2; i++) {
		struct dax_explore_report report =
			explore_twins(body, false, hows[i]);

		assert_int_equal(report.verdict, DAX_EXPLORE_PROVED);
		assert_int_equal(report.executions, all);
		report = explore_twins(body, true, hows[i]);
		assert_int_equal(report.verdict, DAX_EXPLORE_PROVED);
		assert_int_equal(report.executions, left);
	}
}

static void lock_once(void *unused, long also_unused)
{
	(void)unused;
	(void)also_unused;
	sync_lock_acquire(&lock);
	sync_lock_release(&lock);
}

static void four_on_a_lock(void *unused)
{
	(void)unused;
	sync_lock_init(&lock, RANK_LEAF);
	for (int i = 0; i < 4; i++)
		dax_explore_thread("lock", lock_once, NULL, 0);
	dax_explore_run();
}

static void one_order_of_four_is_left(void **state)
{
	(void)state;
	expect_left(four_on_a_lock, 24, 1);
}

static void two_that_store_twice(void *unused)
{
	(void)unused;
	for (int i = 0; i < 2; i++)
		dax_explore_thread("store", store_often, &words[0], 2);
	dax_explore_run();
}

/* aabb, abab, abba; and those with a and b exchanged. */
static void who_was_first_is_known_from_then_on(void **state)
{
	(void)state;
	expect_left(two_that_store_twice, 6, 3);
}

static void two_that_store_differently(void *unused)
{
	(void)unused;
	dax_explore_thread("once", store_often, &words[0], 1);
	dax_explore_thread("twice", store_often, &words[0], 2);
	dax_explore_run();
}

static void who_does_something_else_is_no_twin(void **state)
{
	(void)state;
	expect_left(two_that_store_differently, 3, 3);
}

static void load_and_store(void *unused, long also_unused)
{
	(void)unused;
	(void)also_unused;
	sync_store(&words[1], sync_load(&words[0], memory_order_relaxed),
		memory_order_relaxed);
}

static void two_that_look_and_one_that_stores(void *unused)
{
	(void)unused;
	dax_explore_thread("look", load_and_store, NULL, 0);
	dax_explore_thread("look", load_and_store, NULL, 0);
	dax_explore_thread("store", store_often, &words[0], 1);
	dax_explore_run();
}

/* Both look before the store, or both after it: who stores first is the same.
 * One before and one after: it is not, but which of them looked first is. */
static void who_was_told_something_else_is_no_twin(void **state)
{
	(void)state;
	expect_left(two_that_look_and_one_that_stores, 8, 4);
}

static void two_increments(void *unused)
{
	(void)unused;
	for (int i = 0; i < 2; i++)
		dax_explore_thread("increment", increment, &words[0], 0);
	dax_explore_run();
	dax_explore_check(sync_load(&words[0], memory_order_relaxed) == 2,
		"none is lost");
}

static void what_twins_do_wrong_is_found(void **state)
{
	const enum dax_explore_how hows[] = {
		DAX_EXPLORE_ALL, DAX_EXPLORE_SLEEP_SETS, DAX_EXPLORE_STATES};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct dax_explore_report report =
			explore_twins(two_increments, true, hows[i]);

		if (!states_are_searched(&report))
			skip();
		assert_int_equal(report.bug, DAX_EXPLORE_FAILED_CHECK);
		dax_explore_report_free(&report);
	}
}

static void states_are_fewer_too(void **state)
{
	const struct dax_explore_report all =
		explore_twins(four_on_a_lock, false, DAX_EXPLORE_STATES);
	const struct dax_explore_report left =
		explore_twins(four_on_a_lock, true, DAX_EXPLORE_STATES);

	(void)state;
	if (!states_are_searched(&all))
		skip();
	assert_int_equal(left.verdict, DAX_EXPLORE_PROVED);
	assert_int_equal(all.states, 15);
	assert_int_equal(left.states, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_order_of_four_is_left),
		cmocka_unit_test(who_was_first_is_known_from_then_on),
		cmocka_unit_test(who_does_something_else_is_no_twin),
		cmocka_unit_test(who_was_told_something_else_is_no_twin),
		cmocka_unit_test(what_twins_do_wrong_is_found),
		cmocka_unit_test(states_are_fewer_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

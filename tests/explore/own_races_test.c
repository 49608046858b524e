/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Data races of a user's own code, which was compiled with -fsanitize=thread
 * and linked with the library that everybody has.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "daxlock/explore.h"
#include "daxlock/sync.h"

struct counter {
	struct dax_sync_lock lock;
	int value;
};

static void count(void *context, long unused)
{
	struct counter *counter = context;

	(void)unused;
	counter->value++;
}

static void count_locked(void *context, long unused)
{
	struct counter *counter = context;

	dax_sync_acquire(&counter->lock);
	count(context, unused);
	dax_sync_release(&counter->lock);
}

static void two_count(void *function)
{
	struct counter counter = {0};

	for (int i = 0; i < 2; i++)
		dax_explore_thread("counts", *(void (**)(void *, long))function,
			&counter, 0);
	dax_explore_run();
}

static struct dax_explore_report explore_two(void (*function)(void *, long))
{
	const struct dax_scenario scenario = {
		.body = two_count, .context = &function};
	const struct dax_explore_options options = {.races = true};
	struct dax_explore_report report;

	assert_int_equal(dax_explore(&scenario, &options, &report), 0);
	return report;
}

static void two_that_count_at_once_race(void **state)
{
	struct dax_explore_report report = explore_two(count);

	(void)state;
	assert_int_equal(report.bug, DAX_EXPLORE_DATA_RACE);
	assert_non_null(strstr(report.message, "own_races_test.c"));
	dax_explore_report_free(&report);
}

static void who_counts_with_a_lock_does_not(void **state)
{
	(void)state;
	assert_int_equal(explore_two(count_locked).verdict, DAX_EXPLORE_PROVED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_that_count_at_once_race),
		cmocka_unit_test(who_counts_with_a_lock_does_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

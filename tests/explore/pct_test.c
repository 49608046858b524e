/* SPDX-License-Identifier: BSD-3-Clause */
/* PCT keeps its promise: no fewer bugs than the theorem says, none that is
 * deeper than asked for, and the same ones for the same seed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/sync.h"
#include "daxlock/explore.h"
#include "explore/operations.h"

#define EXECUTIONS 10000

static struct sync_u64 word;

static void increment(void *unused, long unused_too)
{
	const uint64_t value = sync_load(&word, memory_order_relaxed);

	(void)unused;
	(void)unused_too;
	sync_store(&word, value + 1, memory_order_relaxed);
}

static void two_increments(void *unused)
{
	(void)unused;
	dax_explore_thread("a", increment, NULL, 0);
	dax_explore_thread("b", increment, NULL, 0);
	dax_explore_run();
	dax_explore_check(sync_load(&word, memory_order_relaxed) == 2,
		"no increment is lost");
}

static uint64_t lost_increments(unsigned int depth, uint64_t seed)
{
	const struct dax_scenario scenario = {.body = two_increments};
	const struct dax_explore_options options = {
		.how = DAX_EXPLORE_PCT,
		.depth = depth,
		.seed = seed,
		.max_executions = EXECUTIONS,
		.keep_going = true,
	};
	struct dax_explore_report report;

	assert_int_equal(dax_explore(&scenario, &options, &report), 0);
	assert_int_equal(report.executions, EXECUTIONS);
	return report.bugs;
}

static void depth_1_never_preempts(void **state)
{
	(void)state;
	assert_int_equal(lost_increments(1, 1), 0);
}

/* n = 2, k = 4, d = 2. */
static void depth_2_loses_as_many_as_the_theorem_says(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 4; seed++) {
		const uint64_t bugs = lost_increments(2, seed);

		assert_true(bugs >= EXECUTIONS / (2 * 4));
		assert_int_equal(bugs, lost_increments(2, seed));
	}
}

static struct dax_explore_report explore_downgrade(
	const struct dax_explore_options *options)
{
	struct combination combination;
	const struct dax_scenario scenario = {.body = combination_body,
		.context = &combination,
		.snapshots = true};
	struct dax_explore_report report;

	assert_true(combination_read(&combination, "pmd-zero: F0,F0,F1 /1"));
	assert_int_equal(dax_explore_deviate("downgrade_one"), 0);
	assert_int_equal(dax_explore(&scenario, options, &report), 0);
	assert_int_equal(dax_explore_deviate(NULL), 0);
	return report;
}

static void a_bug_of_the_museum_is_found_and_replayed(void **state)
{
	const struct dax_explore_options options = {
		.how = DAX_EXPLORE_PCT, .max_executions = EXECUTIONS};
	struct dax_explore_options again = {.how = DAX_EXPLORE_REPLAY};
	struct dax_explore_report report = explore_downgrade(&options);
	struct dax_explore_report replayed;

	(void)state;
	assert_int_equal(report.bug, DAX_EXPLORE_LOST_WAKE_UP);
	again.replay = report.token;
	replayed = explore_downgrade(&again);
	assert_int_equal(replayed.bug, DAX_EXPLORE_LOST_WAKE_UP);
	dax_explore_report_free(&replayed);
	dax_explore_report_free(&report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(depth_1_never_preempts),
		cmocka_unit_test(depth_2_loses_as_many_as_the_theorem_says),
		cmocka_unit_test(a_bug_of_the_museum_is_found_and_replayed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

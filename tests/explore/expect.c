/* SPDX-License-Identifier: BSD-3-Clause */
#include "explore/expect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/sync.h"

struct dax_explore_report explore_how(
	void (*body)(void *context), enum dax_explore_how how)
{
	const struct dax_scenario scenario = {.name = "test",
		.body = body,
		.snapshots = how == DAX_EXPLORE_STATES};
	const struct dax_explore_options options = {
		.how = how, .preemptions = -1};
	struct dax_explore_report report;

	assert_int_equal(dax_explore(&scenario, &options, &report), 0);
	return report;
}

bool states_are_searched(const struct dax_explore_report *report)
{
	return report->states || report->verdict != DAX_EXPLORE_CLEAN_WITHIN;
}

void expect_bug(void (*body)(void *context), enum dax_explore_bug bug)
{
	const enum dax_explore_how hows[] = {
		DAX_EXPLORE_ALL, DAX_EXPLORE_STATES};

	for (size_t i = 0; i < 2; i++) {
		struct dax_explore_report report = explore_how(body, hows[i]);

		if (i && !states_are_searched(&report))
			return;
		assert_int_equal(report.verdict, DAX_EXPLORE_BUG);
		assert_int_equal(report.bug, bug);
		assert_non_null(report.token);
		assert_non_null(report.table);
		dax_explore_report_free(&report);
	}
}

void expect_counts(void (*body)(void *context), uint64_t every, uint64_t all)
{
	const enum dax_explore_how hows[] = {
		DAX_EXPLORE_EVERY, DAX_EXPLORE_SLEEP_SETS, DAX_EXPLORE_ALL};
	const uint64_t expected[] = {every, all, all};

	for (size_t i = 0; i < 3; i++) {
		struct dax_explore_report report = explore_how(body, hows[i]);

		assert_int_equal(report.verdict, DAX_EXPLORE_PROVED);
		assert_int_equal(report.executions, expected[i]);
	}
}

void store_often(void *word, long times)
{
	while (times--)
		sync_store((struct sync_u64 *)word, 1, memory_order_relaxed);
}

void increment(void *word, long unused)
{
	const uint64_t value =
		sync_load((struct sync_u64 *)word, memory_order_relaxed);

	(void)unused;
	sync_store((struct sync_u64 *)word, value + 1, memory_order_relaxed);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A test of somebody else's, in the common part of C11 and C++17: explores a
 * counter of its own with the installed libdaxlock-explore.
 */
#include <daxlock/explore.h>
#include <daxlock/sync.h>

#include <stdio.h>

static void count(void *counter, long by)
{
	dax_sync_add((struct dax_sync_word *)counter, (uint64_t)by,
		__ATOMIC_RELAXED);
}

static void two_count(void *unused)
{
	struct dax_sync_word counter = {{0}};

	(void)unused;
	dax_explore_thread("one", count, &counter, 1);
	dax_explore_thread("two", count, &counter, 2);
	dax_explore_run();
	dax_explore_check(dax_sync_load(&counter, __ATOMIC_RELAXED) == 3,
		"nothing is lost");
}

int main(void)
{
	static struct dax_scenario scenario;
	static struct dax_explore_report report;

	scenario.name = "counter";
	scenario.body = two_count;
	if (dax_explore(&scenario, NULL, &report))
		return 1;
	dax_explore_print(stdout, &report);
	dax_explore_report_free(&report);
	return report.verdict != DAX_EXPLORE_PROVED;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* What has no end is stopped, and a livelock told from it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/sync.h"
#include "daxlock/explore.h"
#include "explore/expect.h"

static struct sync_u64 words[2];

/* Gives way when the other has what it wants: for ever, if the other does not
 * run. */
static void polite(void *unused, long mine)
{
	(void)unused;
	for (;;) {
		sync_store(&words[mine], 1, memory_order_relaxed);
		if (!sync_load(&words[!mine], memory_order_relaxed))
			break;
		sync_store(&words[mine], 0, memory_order_relaxed);
	}
	sync_store(&words[mine], 0, memory_order_relaxed);
}

static void two_polite(void *unused)
{
	(void)unused;
	dax_explore_thread("waits", polite, NULL, 0);
	dax_explore_thread("retries", polite, NULL, 1);
	dax_explore_run();
}

static void a_search_without_end_says_who_moves(void **state)
{
	const struct dax_scenario scenario = {.body = two_polite};
	const struct dax_explore_options options = {
		.how = DAX_EXPLORE_ALL, .max_steps = 100};
	struct dax_explore_report report;

	(void)state;
	assert_int_equal(dax_explore(&scenario, &options, &report), 0);
	assert_int_equal(report.bug, DAX_EXPLORE_STEP_LIMIT);
	assert_non_null(strstr(report.message, "still moving: "));
	assert_non_null(strstr(report.message, "retries"));
	assert_null(strstr(report.message, "waits"));
	dax_explore_report_free(&report);
}

/* Both give way, again and again. */
static void a_livelock_is_found_in_states_and_replayed(void **state)
{
	const struct dax_scenario scenario = {
		.body = two_polite, .snapshots = true};
	struct dax_explore_options again = {.how = DAX_EXPLORE_REPLAY};
	struct dax_explore_report report =
		explore_how(two_polite, DAX_EXPLORE_STATES);
	struct dax_explore_report replayed;

	(void)state;
	if (!states_are_searched(&report))
		skip();
	assert_int_equal(report.bug, DAX_EXPLORE_LIVELOCK);
	assert_non_null(strstr(report.message, "waits"));
	assert_non_null(strstr(report.message, "retries"));
	again.replay = report.token;
	assert_int_equal(dax_explore(&scenario, &again, &replayed), 0);
	assert_int_equal(replayed.bug, DAX_EXPLORE_LIVELOCK);
	assert_string_equal(replayed.token, report.token);
	dax_explore_report_free(&replayed);
	dax_explore_report_free(&report);
}

static void loop_on_its_own(void *word, long unused)
{
	(void)unused;
	while (!sync_load((struct sync_u64 *)word, memory_order_relaxed))
		;
}

static void one_that_loops(void *unused)
{
	(void)unused;
	dax_explore_thread("loops", loop_on_its_own, &words[0], 0);
	dax_explore_thread("stores", store_often, &words[1], 1);
	dax_explore_run();
}

/* Nobody else knows the word, so that no operation on it is a step. */
static void a_loop_of_one_thread_comes_to_an_end(void **state)
{
	struct dax_scenario scenario = {.body = one_that_loops};
	const struct dax_explore_options options = {.max_steps = 100};
	struct dax_explore_report report;

	(void)state;
	assert_int_equal(dax_explore(&scenario, &options, &report), 0);
	assert_int_equal(report.bug, DAX_EXPLORE_STEP_LIMIT);
	scenario.snapshots = true;
	assert_int_equal(dax_explore(&scenario, &options, &report), 0);
	assert_int_equal(report.verdict, DAX_EXPLORE_BUG);
	/* AddressSanitizer's stacks cannot be compared. */
	if (report.bug != DAX_EXPLORE_STEP_LIMIT) {
		assert_int_equal(report.bug, DAX_EXPLORE_LIVELOCK);
		assert_non_null(strstr(report.message, "moving: loops"));
		assert_null(strstr(report.message, "stores"));
	}
	dax_explore_report_free(&report);
}

static void one_that_waits_for_a_store(void *unused)
{
	(void)unused;
	dax_explore_thread("waits", loop_on_its_own, &words[0], 0);
	dax_explore_thread("stores", store_often, &words[0], 1);
	dax_explore_run();
}

/* Who waits goes round only while the other is not let run. */
static void waiting_in_a_loop_is_no_livelock(void **state)
{
	struct dax_explore_report report =
		explore_how(one_that_waits_for_a_store, DAX_EXPLORE_STATES);

	(void)state;
	if (!states_are_searched(&report))
		skip();
	assert_int_equal(report.verdict, DAX_EXPLORE_PROVED);
}

static volatile bool stored; /* which the explorer knows nothing of */

static void loop_on_plain_memory(void *word, long unused)
{
	(void)unused;
	sync_store((struct sync_u64 *)word, 1, memory_order_relaxed);
	while (!stored)
		;
}

static void one_that_spins(void *unused)
{
	(void)unused;
	dax_explore_thread("spins", loop_on_plain_memory, &words[0], 0);
	dax_explore_thread("stores", store_often, &words[0], 1);
	dax_explore_run();
}

static void a_loop_without_an_operation_is_left(void **state)
{
	const enum dax_explore_how hows[] = {
		DAX_EXPLORE_AUTO, DAX_EXPLORE_STATES};
	const struct dax_scenario scenario = {
		.body = one_that_spins, .snapshots = true};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		const struct dax_explore_options options = {
			.how = hows[i], .max_pause_ns = 20000000};
		struct dax_explore_report report;

		assert_int_equal(dax_explore(&scenario, &options, &report), 0);
		if (i && !states_are_searched(&report))
			skip();
		assert_int_equal(report.bug, DAX_EXPLORE_STEP_LIMIT);
		assert_string_equal(report.message,
			"spins has run for 20 ms without an operation, perhaps "
			"in a loop");
		assert_non_null(report.token);
		dax_explore_report_free(&report);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_search_without_end_says_who_moves),
		cmocka_unit_test(a_livelock_is_found_in_states_and_replayed),
		cmocka_unit_test(a_loop_of_one_thread_comes_to_an_end),
		cmocka_unit_test(waiting_in_a_loop_is_no_livelock),
		cmocka_unit_test(a_loop_without_an_operation_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

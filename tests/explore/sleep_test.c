/* SPDX-License-Identifier: BSD-3-Clause */
/* Sleeping: whatever ends it comes before and after its deadline, and a mere
 * wake-up finds who does not look again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/sync.h"
#include "daxlock/explore.h"
#include "explore/expect.h"

static struct sync_u64 words[1];
static struct sync_parker parker;

static void park_until(void *unused, long deadline_ns)
{
	(void)unused;
	sync_park(&parker, (uint64_t)deadline_ns);
}

static void unpark(void *unused, long unused_too)
{
	(void)unused;
	(void)unused_too;
	sync_unpark(&parker);
}

static bool unparked_early;
static bool unparked_late;

static void park_and_look(void *unused, long unused_too)
{
	const uint64_t deadline = sync_now() + 5;

	(void)unused;
	(void)unused_too;
	if (!sync_park(&parker, deadline))
		return;
	if (sync_now() < deadline)
		unparked_early = true;
	else
		unparked_late = true;
}

static void unparked_before_a_deadline(void *unused)
{
	(void)unused;
	sync_parker_init(&parker);
	dax_explore_thread("a", park_and_look, NULL, 0);
	dax_explore_thread("b", unpark, NULL, 0);
	dax_explore_run();
}

static void an_unpark_may_come_at_the_very_deadline(void **state)
{
	struct dax_explore_report report =
		explore_how(unparked_before_a_deadline, DAX_EXPLORE_ALL);

	(void)state;
	assert_int_equal(report.verdict, DAX_EXPLORE_PROVED);
	assert_int_equal(report.executions, 3);
	assert_true(unparked_early && unparked_late);
}

static void timed_sleep(void *unused)
{
	(void)unused;
	sync_parker_init(&parker);
	dax_explore_thread("sleeps", park_until, NULL, 5);
	dax_explore_thread("wakes", unpark, NULL, 0);
	dax_explore_run();
}

static void a_timeout_comes_before_and_after_the_wake(void **state)
{
	(void)state;
	expect_counts(timed_sleep, 2, 2);
}

enum recheck {
	RECHECK_NEVER,
	RECHECK_ALWAYS,
};

static void sleep_until_set(void *unused, long recheck)
{
	(void)unused;
	if (recheck == RECHECK_ALWAYS)
		while (!sync_load(&words[0], memory_order_acquire))
			sync_park_once(&parker);
	else if (!sync_load(&words[0], memory_order_acquire))
		sync_park_once(&parker);
	dax_explore_check(sync_load(&words[0], memory_order_acquire),
		"who goes on has been told to");
}

static void set_and_unpark(void *unused, long unused_too)
{
	(void)unused;
	(void)unused_too;
	sync_store(&words[0], 1, memory_order_release);
	sync_unpark(&parker);
}

static void told_to_go_on(void *recheck)
{
	sync_parker_init(&parker);
	dax_explore_thread(
		"sleeps", sleep_until_set, NULL, (long)(intptr_t)recheck);
	dax_explore_thread("wakes", set_and_unpark, NULL, 0);
	dax_explore_run();
}

static enum dax_explore_bug explore_spurious(
	enum recheck recheck, unsigned int spurious)
{
	const struct dax_scenario scenario = {.body = told_to_go_on,
		.context = (void *)(intptr_t)recheck,
		.spurious = spurious};
	const struct dax_explore_options options = {.how = DAX_EXPLORE_ALL};
	struct dax_explore_report report;

	assert_int_equal(dax_explore(&scenario, &options, &report), 0);
	dax_explore_report_free(&report);
	return report.bug;
}

static void a_spurious_wake_finds_who_does_not_look_again(void **state)
{
	(void)state;
	assert_int_equal(
		explore_spurious(RECHECK_NEVER, 0), DAX_EXPLORE_NO_BUG);
	assert_int_equal(
		explore_spurious(RECHECK_NEVER, 1), DAX_EXPLORE_FAILED_CHECK);
	assert_int_equal(
		explore_spurious(RECHECK_ALWAYS, 3), DAX_EXPLORE_NO_BUG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_unpark_may_come_at_the_very_deadline),
		cmocka_unit_test(a_timeout_comes_before_and_after_the_wake),
		cmocka_unit_test(a_spurious_wake_finds_who_does_not_look_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

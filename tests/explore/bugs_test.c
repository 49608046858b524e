/* SPDX-License-Identifier: BSD-3-Clause */
/* Bugs are found, whatever they are, by executions and by states; and what
 * never comes to the point is no proof. */
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

static struct sync_u64 words[1];
static struct sync_lock locks[2];
static struct sync_parker parker;

static void park(void *unused, long unused_too)
{
	(void)unused;
	(void)unused_too;
	sync_park(&parker, SYNC_FOREVER);
}

static void sleep_for_ever(void *unused)
{
	(void)unused;
	sync_parker_init(&parker);
	dax_explore_thread("sleeps", park, NULL, 0);
	dax_explore_run();
}

static void a_lost_wake_up_is_found(void **state)
{
	(void)state;
	expect_bug(sleep_for_ever, DAX_EXPLORE_LOST_WAKE_UP);
}

static void lock_both(void *unused, long first)
{
	(void)unused;
	/* Without ranks, which would find it before it happens. */
	explore_lock(&locks[first], EXPLORE_HERE);
	explore_lock(&locks[!first], EXPLORE_HERE);
	explore_unlock(&locks[!first], EXPLORE_HERE);
	explore_unlock(&locks[first], EXPLORE_HERE);
}

static void crosswise(void *unused)
{
	(void)unused;
	dax_explore_thread("a", lock_both, NULL, 0);
	dax_explore_thread("b", lock_both, NULL, 1);
	dax_explore_run();
}

static void a_deadlock_is_found(void **state)
{
	(void)state;
	expect_bug(crosswise, DAX_EXPLORE_DEADLOCK);
}

static void keep_lock(void *lock, long unused)
{
	(void)unused;
	sync_lock_acquire((struct sync_lock *)lock);
}

static void leaked(void *unused)
{
	(void)unused;
	sync_lock_init(&locks[0], RANK_LEAF);
	dax_explore_thread("keeps", keep_lock, &locks[0], 0);
	dax_explore_run();
}

static void a_leaked_lock_is_found(void **state)
{
	(void)state;
	expect_bug(leaked, DAX_EXPLORE_LEAKED_LOCK);
}

static void leak_memory(void *unused)
{
	(void)unused;
	if (sync_alloc(8, 8))
		dax_explore_run();
}

static void a_leak_is_found(void **state)
{
	(void)state;
	expect_bug(leak_memory, DAX_EXPLORE_LEAK);
}

static void count_racily(void *unused)
{
	(void)unused;
	dax_explore_thread("a", increment, &words[0], 0);
	dax_explore_thread("b", increment, &words[0], 0);
	dax_explore_run();
	dax_explore_check(sync_load(&words[0], memory_order_relaxed) == 2,
		"no increment is lost");
}

static void a_failed_check_is_found_and_replayed(void **state)
{
	const struct dax_scenario scenario = {
		.name = "count", .body = count_racily};
	struct dax_explore_options again = {.how = DAX_EXPLORE_REPLAY};
	struct dax_explore_report report =
		explore_how(count_racily, DAX_EXPLORE_AUTO);
	struct dax_explore_report replayed;

	(void)state;
	assert_int_equal(report.bug, DAX_EXPLORE_FAILED_CHECK);
	again.replay = report.token;
	assert_int_equal(dax_explore(&scenario, &again, &replayed), 0);
	assert_int_equal(replayed.bug, report.bug);
	assert_string_equal(replayed.token, report.token);
	dax_explore_report_free(&replayed);
	again.replay = "1:2u";
	assert_int_equal(dax_explore(&scenario, &again, &replayed), 0);
	assert_int_equal(replayed.verdict, DAX_EXPLORE_NONDETERMINISTIC);
	again.replay = "nonsense";
	assert_int_equal(dax_explore(&scenario, &again, &replayed), -22);
	dax_explore_report_free(&report);
}

static void never_true(void *unused)
{
	(void)unused;
	dax_explore_thread("a", store_often, &words[0], 1);
	dax_explore_run();
	dax_explore_sometimes(false, "pigs fly");
}

static void what_never_gets_there_is_vacuous(void **state)
{
	struct dax_explore_report report =
		explore_how(never_true, DAX_EXPLORE_ALL);

	(void)state;
	assert_int_equal(report.verdict, DAX_EXPLORE_VACUOUS);
}

static void crash(void *unused, long unused_too)
{
	static volatile uintptr_t nowhere = 8;

	(void)unused;
	(void)unused_too;
	*(volatile int *)nowhere = 1;
}

static void crashing(void *unused)
{
	(void)unused;
	dax_explore_thread("crashes", crash, NULL, 0);
	dax_explore_run();
}

static void a_crash_is_a_bug_like_others(void **state)
{
	(void)state;
	expect_bug(crashing, DAX_EXPLORE_CRASH);
	/* And the next search goes on as if nothing had been. */
	expect_bug(count_racily, DAX_EXPLORE_FAILED_CHECK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lost_wake_up_is_found),
		cmocka_unit_test(a_deadlock_is_found),
		cmocka_unit_test(a_leaked_lock_is_found),
		cmocka_unit_test(a_leak_is_found),
		cmocka_unit_test(a_failed_check_is_found_and_replayed),
		cmocka_unit_test(what_never_gets_there_is_vacuous),
		cmocka_unit_test(a_crash_is_a_bug_like_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* What a report says of a bug: who waits for what, since when, and why nobody
 * ends it, in words that come from the execution. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/sync.h"
#include "explore/operations.h"

static struct dax_explore_report explore_body(
	void (*body)(void *context), void *context, unsigned int allocs_fail)
{
	const struct dax_scenario scenario = {.name = "test",
		.body = body,
		.context = context,
		.allocs_fail = allocs_fail};
	struct dax_explore_report report;

	assert_int_equal(dax_explore(&scenario, NULL, &report), 0);
	return report;
}

/* @message: all of it. */
static void expect_message(
	void (*body)(void *context), void *context, const char *message)
{
	struct dax_explore_report report = explore_body(body, context, 0);

	assert_string_equal(report.message, message);
	dax_explore_report_free(&report);
}

/* ---- a protocol of parkers and locks ---- */

static struct sync_parker parker;
static struct sync_lock locks[3];

static void park(void *unused, long unused_too)
{
	(void)unused;
	(void)unused_too;
	sync_parker_init(&parker);
	sync_park(&parker, SYNC_FOREVER);
}

static void unpark(void *unused, long unused_too)
{
	(void)unused;
	(void)unused_too;
	sync_unpark(&parker);
}

static void nobody_unparks(void *unused)
{
	(void)unused;
	dax_explore_thread("sleeper", park, NULL, 0);
	dax_explore_run();
}

static void a_sleeper_that_nobody_unparked(void **state)
{
	(void)state;
	expect_message(nobody_unparks, NULL,
		"sleeper (1) sleeps since step 1. Nobody has unparked "
		"it. "
		"There is no other thread.");
}

static void park_late(void *word, long unused)
{
	sync_store((struct sync_u64 *)word, 1, memory_order_relaxed);
	park(NULL, unused);
}

static void unparked_before(void *unused)
{
	static struct sync_u64 word;

	(void)unused;
	dax_explore_thread("sleeper", park_late, &word, 0);
	dax_explore_thread("waker", unpark, NULL, 0);
	dax_explore_run();
}

static void a_sleeper_that_was_unparked_too_early(void **state)
{
	(void)state;
	expect_message(unparked_before, NULL,
		"sleeper (1) sleeps since step 3. Last unparked by waker (2) "
		"in step 1, before that. All others have ended.");
}

static void lock_two(void *unused, long first)
{
	(void)unused;
	/* Without ranks, which would find it before it happens. */
	explore_lock(&locks[first], EXPLORE_HERE);
	explore_lock(&locks[(first + 1) % 3], EXPLORE_HERE);
	explore_unlock(&locks[(first + 1) % 3], EXPLORE_HERE);
	explore_unlock(&locks[first], EXPLORE_HERE);
}

static void three_in_a_circle(void *unused)
{
	(void)unused;
	dax_explore_thread("a", lock_two, NULL, 0);
	dax_explore_thread("b", lock_two, NULL, 1);
	dax_explore_thread("c", lock_two, NULL, 2);
	dax_explore_run();
}

/* @text with what stands between "_test.c:" and ")" left out. */
static void without_lines(char *text)
{
	char *line = text;

	while ((line = strstr(line, "_test.c:"))) {
		line += strlen("_test.c:");
		memmove(line, strchr(line, ')'), strlen(strchr(line, ')')) + 1);
	}
}

static void expect_message_but_lines(void (*body)(void *context),
	enum dax_explore_bug bug, const char *message)
{
	struct dax_explore_report report = explore_body(body, NULL, 0);

	without_lines(report.message);
	assert_int_equal(report.bug, bug);
	assert_string_equal(report.message, message);
	dax_explore_report_free(&report);
}

static void a_deadlock_is_told_around_its_cycle(void **state)
{
	(void)state;
	expect_message_but_lines(three_in_a_circle, DAX_EXPLORE_DEADLOCK,
		"a (1) waits for a lock of b (2) (taken in step 3: lock_two, "
		"report_test.c:). b (2) waits for a lock of c (3) (taken in "
		"step 2: lock_two, report_test.c:). c (3) waits for a lock of "
		"a (1) (taken in step 1: lock_two, report_test.c:). There are "
		"no others.");
}

static void lock_twice(void *unused, long unused_too)
{
	(void)unused;
	(void)unused_too;
	explore_lock(&locks[0], EXPLORE_HERE);
	explore_lock(&locks[0], EXPLORE_HERE);
}

static void one_with_itself(void *unused)
{
	(void)unused;
	dax_explore_thread("a", lock_twice, NULL, 0);
	dax_explore_run();
}

static void a_thread_that_waits_for_itself(void **state)
{
	(void)state;
	expect_message_but_lines(one_with_itself, DAX_EXPLORE_DEADLOCK,
		"a (1) waits for a lock of its own (taken in step 1: "
		"lock_twice, report_test.c:). There is no other thread.");
}

static void keep(void *unused, long unused_too)
{
	(void)unused;
	(void)unused_too;
	explore_lock(&locks[0], EXPLORE_HERE);
}

static void kept_and_wanted(void *unused)
{
	(void)unused;
	dax_explore_thread("keeps", keep, NULL, 0);
	dax_explore_thread("wants", lock_two, NULL, 0);
	dax_explore_run();
}

static void a_lock_of_a_thread_that_has_ended(void **state)
{
	(void)state;
	expect_message_but_lines(kept_and_wanted, DAX_EXPLORE_LEAKED_LOCK,
		"wants (2) waits for a lock of keeps (1) (taken in step 1: "
		"keep, report_test.c:), which has ended. All others have "
		"ended.");
}

/* The one that sleeps with the lock is at fault, not the one that waits. */
static void park_with_lock(void *unused, long unused_too)
{
	explore_lock(&locks[0], EXPLORE_HERE);
	park(unused, unused_too);
}

static void asleep_with_lock(void *unused)
{
	(void)unused;
	dax_explore_thread("sleeper", park_with_lock, NULL, 0);
	dax_explore_thread("wants", lock_two, NULL, 0);
	dax_explore_run();
}

static void a_sleeper_with_a_lock(void **state)
{
	(void)state;
	expect_message_but_lines(asleep_with_lock, DAX_EXPLORE_LOST_WAKE_UP,
		"sleeper (1) sleeps since step 2. Nobody has unparked it. "
		"wants (2) waits for a lock of sleeper (1) (taken in step 1: "
		"park_with_lock, report_test.c:). There are no others.");
}

static void keep_ranked(void *unused, long unused_too)
{
	(void)unused;
	(void)unused_too;
	sync_lock_acquire(&locks[0]);
}

static void ends_with_lock(void *unused)
{
	(void)unused;
	sync_lock_init(&locks[0], RANK_LEAF);
	dax_explore_thread("keeps", keep_ranked, NULL, 0);
	dax_explore_run();
}

static void a_thread_that_ends_with_a_lock(void **state)
{
	struct dax_explore_report report =
		explore_body(ends_with_lock, NULL, 0);

	(void)state;
	without_lines(report.message);
	assert_non_null(strstr(
		report.message, "keeps (1) has ended with a lock, LEAF 0x"));
	assert_non_null(strstr(report.message,
		"(taken in step 1: keep_ranked, report_test.c:)."));
	dax_explore_report_free(&report);
}

static void unlock_other(void *lock, long unused)
{
	(void)unused;
	explore_unlock((struct sync_lock *)lock, EXPLORE_HERE);
}

/* Releasing is no step: with one before it, the other thread goes first. */
static void unlock_second(void *unused, long unused_too)
{
	static struct sync_u64 word;

	(void)unused;
	sync_store(&word, 1, memory_order_relaxed);
	unlock_other(&locks[0], unused_too);
}

static void unlocks_what_is_free(void *unused)
{
	(void)unused;
	dax_explore_thread("a", unlock_other, &locks[0], 0);
	dax_explore_run();
}

static void unlocks_what_another_holds(void *unused)
{
	(void)unused;
	dax_explore_thread("keeps", keep, NULL, 0);
	dax_explore_thread("a", unlock_second, NULL, 0);
	dax_explore_run();
}

static void a_lock_that_is_unlocked_by_another(void **state)
{
	(void)state;
	expect_message_but_lines(unlocks_what_is_free, DAX_EXPLORE_MISUSED_LOCK,
		"a (1) unlocks what is not locked.");
	expect_message_but_lines(unlocks_what_another_holds,
		DAX_EXPLORE_MISUSED_LOCK,
		"a (2) unlocks a lock of keeps (1) (taken in step 1: keep, "
		"report_test.c:).");
}

/* ---- the museum ---- */

struct told {
	const char *deviation;
	const char *combination;
	unsigned int allocs_fail;
	const char *message;
};

static const struct told museum[] = {
	{"downgrade_one", "pmd-zero: F1,F2,F3 /1", 0,
		"F3 (3) sleeps on the key 0x0 since step N. What had that "
		"key then is gone: F1 (1) splits the PMD entry 0x0 in step "
		"N. Last wake-up of the key: WAKE_NEXT by F1 (1) in step N, "
		"took F2 (2). All others have ended."},
	{"unlock_no_wake", "empty: F0,F0 /1", 0,
		"F0 (2) sleeps on the key 0x0 since step N. Nobody has woken "
		"that key. All others have ended."},
	{"wrong_key", "empty: F1,FP /1", 0,
		"FP (2) sleeps on the key 0x0 since step N. Nobody has woken "
		"that key; a wake-up of the key 0x1 by F1 (1) in step N "
		"found nobody. All others have ended."},
	{"enqueue_late", "empty: F0,F0 /1", 0,
		"F0 (2) sleeps on the key 0x0 since step N. Last wake-up of "
		"the key: WAKE_NEXT by F0 (1) in step N, before that, took "
		"nobody. All others have ended."},
	{"check_before_publish", "empty: F0,F0 /1", 0,
		"F0 (2) sleeps on the key 0x0 since step N. Nobody has woken "
		"that key. All others have ended."},
	{"leak_on_enomem", "pmd-zero: F0 /1", 1,
		"F0 (1) has ended with the entry 0x0 locked. F0 (1) locks the "
		"PMD entry 0x0 in step N and has it still."},
	{"free_at_once", "small0: L0,X0 /1", 0,
		"L0 (1) uses memory of node_new() at tree.c:L after it was "
		"freed by X0 (2) in step N"},
	{"unlock_unowned", "empty: F0 /1", 1,
		"F0: the entry is not locked: index 0x0, the tree has: none, "
		"the caller has: EMPTY pfn 0x0"},
};

/* @text with @letter for each number after @word: it is the library's. */
static void without_numbers(char *text, const char *word, char letter)
{
	while ((text = strstr(text, word))) {
		char *end;

		text += strlen(word);
		strtoul(text, &end, 10);
		*text = letter;
		memmove(text + 1, end, strlen(end) + 1);
	}
}

static void the_bugs_of_the_museum_are_explained(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(museum) / sizeof(museum[0]); i++) {
		struct dax_explore_report report;
		struct combination combination;

		assert_true(
			combination_read(&combination, museum[i].combination));
		assert_int_equal(dax_explore_deviate(museum[i].deviation), 0);
		report = explore_body(
			combination_body, &combination, museum[i].allocs_fail);
		assert_int_equal(dax_explore_deviate(NULL), 0);
		without_numbers(report.message, "step ", 'N');
		without_numbers(report.message, "tree.c:", 'L');
		assert_string_equal(report.message, museum[i].message);
		dax_explore_report_free(&report);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sleeper_that_nobody_unparked),
		cmocka_unit_test(a_sleeper_that_was_unparked_too_early),
		cmocka_unit_test(a_deadlock_is_told_around_its_cycle),
		cmocka_unit_test(a_thread_that_waits_for_itself),
		cmocka_unit_test(a_lock_of_a_thread_that_has_ended),
		cmocka_unit_test(a_sleeper_with_a_lock),
		cmocka_unit_test(a_thread_that_ends_with_a_lock),
		cmocka_unit_test(a_lock_that_is_unlocked_by_another),
		cmocka_unit_test(the_bugs_of_the_museum_are_explained),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

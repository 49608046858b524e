/* SPDX-License-Identifier: BSD-3-Clause */
/* The engine finds what is there, sees each interleaving once, and says of
 * nothing that it is proved when it is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/sync.h"
#include "daxlock/explore.h"

static struct sync_u64 words[2];
static struct sync_lock locks[2];
static struct sync_parker parker;

static struct dax_explore_report explore_how(
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

/* By AddressSanitizer, whose stacks cannot be copied, they are not. */
static bool states_are_searched(const struct dax_explore_report *report)
{
	return report->states || report->verdict != DAX_EXPLORE_CLEAN_WITHIN;
}

static void expect_bug(void (*body)(void *context), enum dax_explore_bug bug)
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

static void expect_counts(
	void (*body)(void *context), uint64_t every, uint64_t all)
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

/* ---- counting ---- */

static void store_often(void *word, long times)
{
	while (times--)
		sync_store((struct sync_u64 *)word, 1, memory_order_relaxed);
}

static char orders[32][8];
static unsigned int nr_orders;
static char order[8];

static void write_order(void *unused, long letters)
{
	const char letter[] = {letters == 2 ? 'a' : 'b', '\0'};

	(void)unused;
	while (letters--) {
		sync_store(&words[0], 1, memory_order_relaxed);
		strcat(order, letter);
	}
}

static bool seen(const char *wanted)
{
	for (unsigned int i = 0; i < nr_orders; i++)
		if (!strcmp(orders[i], wanted))
			return true;
	return false;
}

static void two_and_four(void *unused)
{
	(void)unused;
	order[0] = '\0';
	dax_explore_thread("a", write_order, NULL, 2);
	dax_explore_thread("b", write_order, NULL, 4);
	dax_explore_run();
	if (nr_orders < 32 && !seen(order))
		strcpy(orders[nr_orders++], order);
}

static void each_of_15_interleavings_is_seen_once(void **state)
{
	static const char *const by_hand[] = {"aabbbb", "ababbb", "abbabb",
		"abbbab", "abbbba", "baabbb", "bababb", "babbab", "babbba",
		"bbaabb", "bbabab", "bbabba", "bbbaab", "bbbaba", "bbbbaa"};
	struct dax_explore_report report;

	(void)state;
	nr_orders = 0;
	report = explore_how(two_and_four, DAX_EXPLORE_EVERY);
	assert_int_equal(report.executions, 15);
	assert_int_equal(nr_orders, 15);
	for (size_t i = 0; i < 15; i++)
		assert_true(seen(by_hand[i]));
}

static void on_two_words(void *unused)
{
	(void)unused;
	dax_explore_thread("a", store_often, &words[0], 2);
	dax_explore_thread("b", store_often, &words[1], 4);
	dax_explore_run();
}

static void on_one_word(void *unused)
{
	(void)unused;
	dax_explore_thread("a", store_often, &words[0], 2);
	dax_explore_thread("b", store_often, &words[0], 4);
	dax_explore_run();
}

/* Each thread's beginning is a step, nothing else. */
static void what_is_not_shared_is_no_step(void **state)
{
	(void)state;
	expect_counts(on_two_words, 2, 1);
}

static void store_both(void *unused, long first)
{
	(void)unused;
	sync_store(&words[first], 1, memory_order_relaxed);
	sync_store(&words[1 - first], 1, memory_order_relaxed);
}

static void stores_crosswise(void *unused)
{
	(void)unused;
	dax_explore_thread("a", store_both, NULL, 0);
	dax_explore_thread("b", store_both, NULL, 1);
	dax_explore_run();
}

/* Who is first at each word: 2 x 2, but not b at both of a's or the other way
 * round in a circle. */
static void steps_that_commute_are_one_execution(void **state)
{
	(void)state;
	expect_counts(stores_crosswise, 6, 3);
}

static void steps_that_do_not_commute_are_all_seen(void **state)
{
	(void)state;
	expect_counts(on_one_word, 15, 15);
}

static void increment(void *word, long unused)
{
	const uint64_t value =
		sync_load((struct sync_u64 *)word, memory_order_relaxed);

	(void)unused;
	sync_store((struct sync_u64 *)word, value + 1, memory_order_relaxed);
}

#define MANY 5003

static struct sync_u64 *many;

/* As memory does that does not come from the seam. */
static void on_a_word_that_moves(void *unused)
{
	static unsigned int next;
	struct sync_u64 *word = &many[next++ % MANY];

	(void)unused;
	dax_explore_thread("a", store_often, word, 2);
	dax_explore_thread("b", store_often, word, 4);
	dax_explore_run();
}

static void addresses_may_change(void **state)
{
	(void)state;
	many = calloc(MANY, sizeof(*many));
	assert_non_null(many);
	expect_counts(on_a_word_that_moves, 15, 15);
	free(many);
}

#define TOO_MANY 300

static void on_many_words(void *unused)
{
	static struct sync_u64 own[TOO_MANY];

	(void)unused;
	for (int i = 0; i < TOO_MANY; i++)
		sync_store(&own[i], 1, memory_order_relaxed);
	on_one_word(NULL);
}

/* What is not known cannot be put back, nor tell two states apart. */
static void more_static_words_than_can_be_known_are_no_proof(void **state)
{
	struct dax_explore_report report =
		explore_how(on_many_words, DAX_EXPLORE_ALL);

	(void)state;
	assert_int_equal(report.bug, DAX_EXPLORE_STEP_LIMIT);
	assert_string_equal(report.message, "too many static variables");
	dax_explore_report_free(&report);
}

static void static_words_are_put_back(void **state)
{
	(void)state;
	words[0].value = 7;
	explore_how(on_one_word, DAX_EXPLORE_ALL);
	assert_int_equal(words[0].value, 7);
	words[0].value = 0;
}

static void three_increments(void *unused)
{
	(void)unused;
	for (int i = 0; i < 3; i++)
		dax_explore_thread("increment", increment, &words[0], 0);
	dax_explore_run();
	dax_explore_check(sync_load(&words[0], memory_order_relaxed) <= 3,
		"static words begin each execution as they were");
}

static void loads_commute_with_loads(void **state)
{
	(void)state;
	expect_counts(three_increments, 90, 36);
}

static void add_often(void *word, long times)
{
	while (times--)
		sync_add((struct sync_u64 *)word, 1, memory_order_relaxed);
}

static void count_often(void *word, long times)
{
	while (times--)
		sync_count((struct sync_u64 *)word, 1);
}

static void two_that_add(void *unused)
{
	(void)unused;
	dax_explore_thread("a", add_often, &words[0], 2);
	dax_explore_thread("b", add_often, &words[0], 4);
	dax_explore_run();
}

static void two_that_count(void *unused)
{
	(void)unused;
	dax_explore_thread("a", count_often, &words[0], 2);
	dax_explore_thread("b", count_often, &words[0], 4);
	dax_explore_run();
}

/* An addition says what was there before; a count does not. */
static void counts_commute_and_additions_do_not(void **state)
{
	(void)state;
	expect_counts(two_that_add, 15, 15);
	expect_counts(two_that_count, 2, 1);
}

#define CLOSED ((uint64_t)1 << 63)

static void reserve(void *word, long times)
{
	while (times--)
		(void)sync_reserve(word, CLOSED, memory_order_acq_rel);
}

static void close_word(void *word, long unused)
{
	(void)unused;
	(void)sync_or(word, CLOSED, memory_order_acq_rel);
}

static void two_that_reserve(void *unused)
{
	(void)unused;
	sync_store(&words[0], 0, memory_order_relaxed);
	dax_explore_thread("a", reserve, &words[0], 2);
	dax_explore_thread("b", reserve, &words[0], 4);
	dax_explore_run();
}

static void one_that_closes(void *unused)
{
	(void)unused;
	sync_store(&words[0], 0, memory_order_relaxed);
	dax_explore_thread("a", reserve, &words[0], 2);
	dax_explore_thread("b", close_word, &words[0], 0);
	dax_explore_run();
}

static void reservations_commute_until_it_is_closed(void **state)
{
	(void)state;
	expect_counts(two_that_reserve, 2, 1);
	expect_counts(one_that_closes, 3, 3);
}

static void peek_and_store(void *word, long unused)
{
	(void)unused;
	dax_explore_check(
		sync_peek(sync_load(&words[0], memory_order_relaxed)) <= 1,
		"a value that was stored");
	sync_store((struct sync_u64 *)word, 1, memory_order_relaxed);
}

static void one_that_peeks(void *unused)
{
	(void)unused;
	dax_explore_thread("a", peek_and_store, &words[1], 0);
	dax_explore_thread("b", store_often, &words[0], 2);
	dax_explore_run();
}

static void a_peek_is_no_step(void **state)
{
	(void)state;
	expect_counts(one_that_peeks, 2, 1);
}

static void lock_once(void *lock, long unused)
{
	(void)unused;
	sync_lock_acquire((struct sync_lock *)lock);
	sync_lock_release((struct sync_lock *)lock);
}

static void four_on_a_lock(void *unused)
{
	(void)unused;
	sync_lock_init(&locks[0], RANK_LEAF);
	for (int i = 0; i < 4; i++)
		dax_explore_thread("lock", lock_once, &locks[0], 0);
	dax_explore_run();
}

static void a_lock_is_taken_in_every_order(void **state)
{
	(void)state;
	expect_counts(four_on_a_lock, 24, 24);
}

/* Each of four has had it or not; when all have, that is the end. */
static void states_are_those_of_the_threads(void **state)
{
	const struct dax_scenario scenario = {
		.body = four_on_a_lock, .snapshots = true};
	const struct dax_explore_options options = {.how = DAX_EXPLORE_STATES};
	struct dax_explore_report report;

	(void)state;
	assert_int_equal(dax_explore(&scenario, &options, &report), 0);
	if (!states_are_searched(&report))
		skip();
	assert_int_equal(report.verdict, DAX_EXPLORE_PROVED);
	assert_int_equal(report.states, 15);
}

static void choose(void *unused, long nr)
{
	(void)unused;
	sync_store(&words[0], dax_explore_choose((unsigned int)nr),
		memory_order_relaxed);
}

static void two_choices(void *unused)
{
	(void)unused;
	dax_explore_thread("a", choose, NULL, 3);
	dax_explore_thread("b", choose, NULL, 3);
	dax_explore_run();
}

static void every_value_of_a_choice_is_seen(void **state)
{
	(void)state;
	expect_counts(two_choices, 18, 18);
}

static void park_until(void *unused, long deadline_ns)
{
	(void)unused;
	sync_park(&parker, deadline_ns ? (uint64_t)deadline_ns : SYNC_FOREVER);
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

/* ---- bugs ---- */

static void sleep_for_ever(void *unused)
{
	(void)unused;
	sync_parker_init(&parker);
	dax_explore_thread("sleeps", park_until, NULL, 0);
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

static void note_if_first(void *first, long me)
{
	if (!sync_swap(&words[0], 1, memory_order_relaxed))
		*(long *)first = me;
}

static void first_is_on_the_stack(void *unused)
{
	long first = 0;

	(void)unused;
	dax_explore_thread("a", note_if_first, &first, 1);
	dax_explore_thread("b", note_if_first, &first, 2);
	dax_explore_run();
	dax_explore_check(first == 1, "a is always first");
}

/* Where stacks cannot be read, two ends may differ in nothing that can. */
static void what_the_body_has_on_its_stack_tells_ends_apart(void **state)
{
	const struct dax_scenario scenario = {
		.body = first_is_on_the_stack, .snapshots = true};
	const struct dax_explore_options options = {.how = DAX_EXPLORE_ALL};
	struct dax_explore_report report;

	(void)state;
	assert_int_equal(dax_explore(&scenario, &options, &report), 0);
	assert_int_equal(report.bug, DAX_EXPLORE_FAILED_CHECK);
	dax_explore_report_free(&report);
}

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

static void different_every_time(void *unused)
{
	static long times;

	(void)unused;
	dax_explore_thread("a", store_often, &words[0], 3 + times++ % 2);
	dax_explore_thread("b", increment, &words[0], 0);
	dax_explore_run();
}

static void a_scenario_that_changes_is_not_proved(void **state)
{
	struct dax_explore_report report =
		explore_how(different_every_time, DAX_EXPLORE_ALL);

	(void)state;
	assert_int_equal(report.verdict, DAX_EXPLORE_NONDETERMINISTIC);
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
	expect_counts(stores_crosswise, 6, 3);
}

/* ---- RCU: a link to an object, a reader, a writer that takes it out ---- */

enum rcu_way {
	RCU_RIGHT,
	RCU_FREES_AT_ONCE,
	RCU_LEAVES_EARLY,
	RCU_ENTERS_LATE,
};

struct object {
	struct sync_u64 word;
	struct sync_rcu_head head;
};

static struct sync_u64 the_link;

static void object_free(struct sync_rcu_head *head)
{
	sync_free((char *)head - offsetof(struct object, head));
}

static void rcu_read(void *unused, long way)
{
	struct object *object;

	(void)unused;
	if (way != RCU_ENTERS_LATE)
		sync_rcu_enter();
	object = (struct object *)(uintptr_t)sync_load(
		&the_link, memory_order_acquire);
	if (way == RCU_ENTERS_LATE)
		sync_rcu_enter();
	if (way == RCU_LEAVES_EARLY)
		sync_rcu_leave();
	if (object)
		(void)sync_load(&object->word, memory_order_relaxed);
	if (way != RCU_LEAVES_EARLY)
		sync_rcu_leave();
}

static void rcu_remove(void *unused, long way)
{
	struct object *object = (struct object *)(uintptr_t)sync_swap(
		&the_link, 0, memory_order_acq_rel);

	(void)unused;
	if (way == RCU_FREES_AT_ONCE)
		sync_free(object);
	else
		sync_rcu_call(&object->head, object_free);
}

static void rcu_scenario(long way)
{
	struct object *object = sync_alloc(sizeof(*object), 16);

	sync_store(&the_link, (uintptr_t)object, memory_order_relaxed);
	dax_explore_thread("removes", rcu_remove, NULL, way);
	dax_explore_thread("reads", rcu_read, NULL, way);
	dax_explore_thread("reads", rcu_read, NULL, way);
	dax_explore_run();
}

static void rcu_right(void *unused)
{
	(void)unused;
	rcu_scenario(RCU_RIGHT);
}

static void rcu_frees_at_once(void *unused)
{
	(void)unused;
	rcu_scenario(RCU_FREES_AT_ONCE);
}

static void rcu_leaves_early(void *unused)
{
	(void)unused;
	rcu_scenario(RCU_LEAVES_EARLY);
}

static void rcu_enters_late(void *unused)
{
	(void)unused;
	rcu_scenario(RCU_ENTERS_LATE);
}

static void rcu_protects_who_entered_before(void **state)
{
	(void)state;
	/* Each reader finds the object or not: 2 x 2. */
	struct dax_explore_report report =
		explore_how(rcu_right, DAX_EXPLORE_ALL);

	assert_int_equal(report.verdict, DAX_EXPLORE_PROVED);
	assert_int_equal(report.executions, 4);
}

static void rcu_misused_is_a_use_after_free(void **state)
{
	(void)state;
	expect_bug(rcu_frees_at_once, DAX_EXPLORE_USE_AFTER_FREE);
	expect_bug(rcu_leaves_early, DAX_EXPLORE_USE_AFTER_FREE);
	expect_bug(rcu_enters_late, DAX_EXPLORE_USE_AFTER_FREE);
}

/* ---- waiting for callbacks ---- */

static void remove_and_wait(void *unused, long waits)
{
	struct object *object = (struct object *)(uintptr_t)sync_swap(
		&the_link, 0, memory_order_acq_rel);

	(void)unused;
	sync_rcu_call(&object->head, object_free);
	if (waits)
		sync_rcu_barrier();
	dax_explore_check(
		!sync_alloc_live(), "who has waited finds the object freed");
}

static void remove_while_read(long waits)
{
	struct object *object = sync_alloc(sizeof(*object), 16);

	sync_store(&the_link, (uintptr_t)object, memory_order_relaxed);
	dax_explore_thread("removes", remove_and_wait, NULL, waits);
	dax_explore_thread("reads", rcu_read, NULL, RCU_RIGHT);
	dax_explore_run();
}

static void rcu_waited_for(void *unused)
{
	(void)unused;
	remove_while_read(true);
}

static void rcu_not_waited_for(void *unused)
{
	(void)unused;
	remove_while_read(false);
}

static void read_locked(void *unused, long unused_too)
{
	(void)unused;
	(void)unused_too;
	sync_rcu_enter();
	sync_lock_acquire(&locks[0]);
	sync_lock_release(&locks[0]);
	sync_rcu_leave();
}

static void wait_locked(void *unused, long unused_too)
{
	struct object *object = (struct object *)(uintptr_t)sync_load(
		&the_link, memory_order_relaxed);

	(void)unused;
	(void)unused_too;
	sync_lock_acquire(&locks[0]);
	sync_rcu_call(&object->head, object_free);
	sync_rcu_barrier();
	sync_lock_release(&locks[0]);
}

static void rcu_waited_for_with_a_lock(void *unused)
{
	struct object *object = sync_alloc(sizeof(*object), 16);

	(void)unused;
	sync_lock_init(&locks[0], RANK_LEAF);
	sync_store(&the_link, (uintptr_t)object, memory_order_relaxed);
	dax_explore_thread("waits", wait_locked, NULL, 0);
	dax_explore_thread("reads", read_locked, NULL, 0);
	dax_explore_run();
}

static void a_barrier_returns_after_the_callbacks(void **state)
{
	struct dax_explore_report all =
		explore_how(rcu_waited_for, DAX_EXPLORE_ALL);
	struct dax_explore_report sleep_sets =
		explore_how(rcu_waited_for, DAX_EXPLORE_SLEEP_SETS);

	(void)state;
	assert_int_equal(all.executions, sleep_sets.executions);
	assert_int_equal(all.verdict, DAX_EXPLORE_PROVED);
	/*
	 * The call, and the wait in two steps, among entering and leaving: 10
	 * orders, but the one that waits for a reader which leaves later. In 6
	 * of the 9 the link is changed before it is read; in the others, where
	 * the reader was first, before or after.
	 */
	assert_int_equal(all.executions, 6 + 3 * 2);
	expect_bug(rcu_not_waited_for, DAX_EXPLORE_FAILED_CHECK);
}

static void a_barrier_with_a_lock_that_a_reader_wants_is_a_deadlock(
	void **state)
{
	(void)state;
	expect_bug(rcu_waited_for_with_a_lock, DAX_EXPLORE_DEADLOCK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_of_15_interleavings_is_seen_once),
		cmocka_unit_test(what_is_not_shared_is_no_step),
		cmocka_unit_test(steps_that_commute_are_one_execution),
		cmocka_unit_test(steps_that_do_not_commute_are_all_seen),
		cmocka_unit_test(addresses_may_change),
		cmocka_unit_test(
			more_static_words_than_can_be_known_are_no_proof),
		cmocka_unit_test(static_words_are_put_back),
		cmocka_unit_test(loads_commute_with_loads),
		cmocka_unit_test(counts_commute_and_additions_do_not),
		cmocka_unit_test(reservations_commute_until_it_is_closed),
		cmocka_unit_test(a_peek_is_no_step),
		cmocka_unit_test(an_unpark_may_come_at_the_very_deadline),
		cmocka_unit_test(a_lock_is_taken_in_every_order),
		cmocka_unit_test(states_are_those_of_the_threads),
		cmocka_unit_test(every_value_of_a_choice_is_seen),
		cmocka_unit_test(a_timeout_comes_before_and_after_the_wake),
		cmocka_unit_test(a_spurious_wake_finds_who_does_not_look_again),
		cmocka_unit_test(a_lost_wake_up_is_found),
		cmocka_unit_test(a_deadlock_is_found),
		cmocka_unit_test(a_leaked_lock_is_found),
		cmocka_unit_test(a_leak_is_found),
		cmocka_unit_test(a_failed_check_is_found_and_replayed),
		cmocka_unit_test(
			what_the_body_has_on_its_stack_tells_ends_apart),
		cmocka_unit_test(a_search_without_end_says_who_moves),
		cmocka_unit_test(a_livelock_is_found_in_states_and_replayed),
		cmocka_unit_test(a_loop_of_one_thread_comes_to_an_end),
		cmocka_unit_test(waiting_in_a_loop_is_no_livelock),
		cmocka_unit_test(what_never_gets_there_is_vacuous),
		cmocka_unit_test(a_scenario_that_changes_is_not_proved),
		cmocka_unit_test(a_crash_is_a_bug_like_others),
		cmocka_unit_test(rcu_protects_who_entered_before),
		cmocka_unit_test(rcu_misused_is_a_use_after_free),
		cmocka_unit_test(a_barrier_returns_after_the_callbacks),
		cmocka_unit_test(
			a_barrier_with_a_lock_that_a_reader_wants_is_a_deadlock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

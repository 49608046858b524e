/* SPDX-License-Identifier: BSD-3-Clause */
/* The engine sees each interleaving once, and of those that come to the same
 * only one. */
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
static struct sync_lock locks[1];

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

static void two_and_two(void *unused)
{
	(void)unused;
	for (int i = 0; i < 4; i++)
		dax_explore_thread("store", store_often, &words[i % 2], 1);
	dax_explore_run();
}

/* Of the 16 sets of those who have ended, all but the last; 32 steps lead from
 * one to another. */
static void a_state_is_not_reached_by_steps_that_commute(void **state)
{
	const struct dax_explore_report report =
		explore_how(two_and_two, DAX_EXPLORE_STATES);

	(void)state;
	if (!states_are_searched(&report))
		skip();
	assert_int_equal(report.verdict, DAX_EXPLORE_PROVED);
	assert_int_equal(report.states, 15);
	assert_true(report.steps < 32);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_of_15_interleavings_is_seen_once),
		cmocka_unit_test(what_is_not_shared_is_no_step),
		cmocka_unit_test(steps_that_commute_are_one_execution),
		cmocka_unit_test(steps_that_do_not_commute_are_all_seen),
		cmocka_unit_test(loads_commute_with_loads),
		cmocka_unit_test(counts_commute_and_additions_do_not),
		cmocka_unit_test(reservations_commute_until_it_is_closed),
		cmocka_unit_test(a_peek_is_no_step),
		cmocka_unit_test(a_lock_is_taken_in_every_order),
		cmocka_unit_test(a_state_is_not_reached_by_steps_that_commute),
		cmocka_unit_test(every_value_of_a_choice_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* What tells two states apart, and what is put back before each execution:
 * stacks, words and locks, wherever they are. Without that nothing is proved.
 */
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
#include "explore/expect.h"

static struct sync_u64 words[1];
static struct sync_lock locks[1];

static void on_one_word(void *unused)
{
	(void)unused;
	dax_explore_thread("a", store_often, &words[0], 2);
	dax_explore_thread("b", store_often, &words[0], 4);
	dax_explore_run();
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_may_change),
		cmocka_unit_test(
			more_static_words_than_can_be_known_are_no_proof),
		cmocka_unit_test(static_words_are_put_back),
		cmocka_unit_test(states_are_those_of_the_threads),
		cmocka_unit_test(
			what_the_body_has_on_its_stack_tells_ends_apart),
		cmocka_unit_test(a_scenario_that_changes_is_not_proved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

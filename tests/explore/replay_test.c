/* SPDX-License-Identifier: BSD-3-Clause */
/* A token replays its interleaving, also when the code has changed a little,
 * and says where it does not fit; and it is that of a schedule with as few
 * preemptions as were found. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/sync.h"
#include "explore/operations.h"

/* ---- a counter, of which there are versions ---- */

enum version {
	VERSION_FIRST,
	VERSION_LOADS_MORE, /* before it counts */
	VERSION_SWAPS_NOT,
	VERSION_RIGHT,
	VERSION_ENDS_EARLY,
};

static struct sync_u64 flag, count;

static void count_up(void *unused, long version)
{
	uint64_t before;

	(void)unused;
	if (version != VERSION_SWAPS_NOT)
		(void)sync_swap(&flag, 1, memory_order_relaxed);
	if (version == VERSION_LOADS_MORE)
		(void)sync_load(&flag, memory_order_relaxed);
	if (version == VERSION_ENDS_EARLY)
		return;
	if (version == VERSION_RIGHT) {
		sync_add(&count, 1, memory_order_acq_rel);
		return;
	}
	before = sync_load(&count, memory_order_relaxed);
	sync_store(&count, before + 1, memory_order_relaxed);
}

static void two_count(void *version)
{
	dax_explore_thread("a", count_up, NULL, *(enum version *)version);
	dax_explore_thread("b", count_up, NULL, *(enum version *)version);
	dax_explore_run();
	dax_explore_check(
		sync_load(&count, memory_order_relaxed) != 1, "both count");
}

static struct dax_explore_report explore_version(
	enum version version, const struct dax_explore_options *options)
{
	const struct dax_scenario scenario = {
		.name = "count", .body = two_count, .context = &version};
	struct dax_explore_report report;

	assert_int_equal(dax_explore(&scenario, options, &report), 0);
	return report;
}

static struct dax_explore_report replay_token(
	enum version version, const char *token)
{
	const struct dax_explore_options options = {
		.how = DAX_EXPLORE_REPLAY, .replay = token};

	return explore_version(version, &options);
}

#define TOKEN "1:wl.2:wls.1:s"

static void a_token_is_short_and_replays_its_bug(void **state)
{
	struct dax_explore_report found = explore_version(VERSION_FIRST, NULL);
	struct dax_explore_report replayed;

	(void)state;
	assert_string_equal(found.token, TOKEN);
	replayed = replay_token(VERSION_FIRST, found.token);
	assert_int_equal(replayed.verdict, DAX_EXPLORE_BUG);
	assert_string_equal(replayed.token, found.token);
	assert_string_equal(replayed.table, found.table);
	assert_string_equal(replayed.message, found.message);
	assert_string_equal(replayed.differs, "");
	dax_explore_report_free(&found);
	dax_explore_report_free(&replayed);
}

struct changed {
	enum version version;
	enum dax_explore_verdict verdict;
	const char *differs;
	const char *token; /* of what was replayed */
};

static const struct changed changes[] = {
	{VERSION_LOADS_MORE, DAX_EXPLORE_BUG,
		"step 5: the token's thread 2 did a store, here it does a load",
		"1:w2l.2:w2ls.1:s"},
	{VERSION_SWAPS_NOT, DAX_EXPLORE_BUG,
		"step 1: the token's thread 1 did a swap, here it does a load",
		"1:l.2:ls.1:s"},
	{VERSION_RIGHT, DAX_EXPLORE_NONDETERMINISTIC,
		"step 2: the token's thread 1 did a load, here it does an add",
		NULL},
	{VERSION_ENDS_EARLY, DAX_EXPLORE_NONDETERMINISTIC,
		"step 2: the token's thread 1 did a load, here it cannot go on",
		NULL},
};

static void a_token_outlives_a_change_and_tells_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		struct dax_explore_report report =
			replay_token(changes[i].version, TOKEN);

		assert_int_equal(report.verdict, changes[i].verdict);
		assert_string_equal(report.differs, changes[i].differs);
		if (changes[i].token)
			assert_string_equal(report.token, changes[i].token);
		dax_explore_report_free(&report);
	}
}

static void a_token_that_ends_early_or_late(void **state)
{
	struct dax_explore_report report = replay_token(VERSION_RIGHT, "1:wa");

	(void)state;
	assert_int_equal(report.verdict, DAX_EXPLORE_NONDETERMINISTIC);
	assert_string_equal(report.message, "step 3: the token ends before it");
	report = replay_token(VERSION_RIGHT, "1:wa.2:wa2l");
	assert_int_equal(report.verdict, DAX_EXPLORE_NONDETERMINISTIC);
	assert_string_equal(report.message,
		"step 5: the execution ends before it, the token has a load "
		"of thread 2");
}

static void what_is_no_token_is_refused(void **state)
{
	static const char *const wrong[] = {"", "1", "1:", "1x3.2x3-00ab12",
		"0:l", "9:l", "1:l.", "1:l..2:l", ".1:l", "1:z", "1:=", "1:=8",
		"1:0l", "1:9999l", "1:99999999999999999999l", "1:l 2:l",
		"-1:l"};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		const struct dax_scenario scenario = {.body = two_count};
		const struct dax_explore_options options = {
			.how = DAX_EXPLORE_REPLAY, .replay = wrong[i]};
		struct dax_explore_report report;

		assert_int_equal(
			dax_explore(&scenario, &options, &report), -EINVAL);
	}
}

/* ---- choices ---- */

static void choose_and_store(void *unused, long unused_too)
{
	(void)unused;
	(void)unused_too;
	sync_store(&count, dax_explore_choose(3), memory_order_relaxed);
}

static void chooses(void *unused)
{
	(void)unused;
	dax_explore_thread("a", choose_and_store, NULL, 0);
	dax_explore_run();
	dax_explore_check(
		sync_load(&count, memory_order_relaxed) != 2, "not two");
}

static void a_token_tells_the_values_of_choices(void **state)
{
	const struct dax_scenario scenario = {.name = "a", .body = chooses};
	const struct dax_explore_options options = {
		.how = DAX_EXPLORE_REPLAY, .replay = "1:=2s"};
	struct dax_explore_report report;

	(void)state;
	assert_int_equal(dax_explore(&scenario, NULL, &report), 0);
	assert_string_equal(report.token, "1:=2s");
	dax_explore_report_free(&report);
	assert_int_equal(dax_explore(&scenario, &options, &report), 0);
	assert_int_equal(report.bug, DAX_EXPLORE_FAILED_CHECK);
	assert_string_equal(report.differs, "");
	dax_explore_report_free(&report);
}

/* ---- length ---- */

static struct sync_u64 private_word;

static void store_often(void *unused, long times)
{
	(void)unused;
	while (times--)
		sync_store(&private_word, 1, memory_order_relaxed);
}

static void long_and_wrong(void *times)
{
	dax_explore_thread("a", store_often, NULL, *(long *)times);
	dax_explore_run();
	dax_explore_check(false, "no");
}

/* What nobody else sees is no step, until it is written down. */
static void a_long_bug_is_written_down_if_it_fits(void **state)
{
	long times = 5000;
	const struct dax_scenario scenario = {
		.name = "long", .body = long_and_wrong, .context = &times};
	struct dax_explore_report report;

	(void)state;
	assert_int_equal(dax_explore(&scenario, NULL, &report), 0);
	assert_int_equal(report.bug, DAX_EXPLORE_FAILED_CHECK);
	assert_string_equal(report.token, "1:5000s");
	dax_explore_report_free(&report);
	times = 10000;
	assert_int_equal(dax_explore(&scenario, NULL, &report), 0);
	assert_int_equal(report.verdict, DAX_EXPLORE_BUG);
	assert_int_equal(report.bug, DAX_EXPLORE_FAILED_CHECK);
	assert_null(report.token);
	assert_string_equal(report.message,
		"the body: not \"no\" (too long to be written down)");
}

/* ---- shrinking ---- */

static void a_random_bug_is_shrunk_to_one_preemption(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 50; seed++) {
		const struct dax_explore_options options = {
			.how = DAX_EXPLORE_RANDOM,
			.seed = seed,
			.max_executions = 1000};
		struct dax_explore_report report =
			explore_version(VERSION_FIRST, &options);

		assert_int_equal(report.bug, DAX_EXPLORE_FAILED_CHECK);
		assert_int_equal(report.preemptions, 1);
		dax_explore_report_free(&report);
	}
}

/* Each way to find the bug of 2016 ends with a schedule that is as simple,
 * though what is found first has up to a dozen preemptions. */
static void a_lost_wake_up_is_shrunk_whoever_found_it(void **state)
{
	struct combination combination;
	const struct dax_scenario scenario = {.name = "downgrade",
		.body = combination_body,
		.context = &combination,
		.snapshots = true};

	(void)state;
	assert_true(combination_read(&combination, "pmd-zero: F1,F2,F3 /1"));
	assert_int_equal(dax_explore_deviate("downgrade_one"), 0);
	for (unsigned int how = DAX_EXPLORE_AUTO; how < DAX_EXPLORE_REPLAY;
		how++) {
		const struct dax_explore_options options = {
			.how = (enum dax_explore_how)how, .preemptions = 3};
		struct dax_explore_report report;

		assert_int_equal(dax_explore(&scenario, &options, &report), 0);
		/* Stacks that cannot be copied: no search through states. */
		if (how == DAX_EXPLORE_STATES && !report.states) {
			assert_int_equal(
				report.verdict, DAX_EXPLORE_CLEAN_WITHIN);
			continue;
		}
		assert_int_equal(report.bug, DAX_EXPLORE_LOST_WAKE_UP);
		assert_int_equal(report.preemptions, 1);
		dax_explore_report_free(&report);
	}
	assert_int_equal(dax_explore_deviate(NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_is_short_and_replays_its_bug),
		cmocka_unit_test(a_token_outlives_a_change_and_tells_it),
		cmocka_unit_test(a_token_that_ends_early_or_late),
		cmocka_unit_test(what_is_no_token_is_refused),
		cmocka_unit_test(a_token_tells_the_values_of_choices),
		cmocka_unit_test(a_long_bug_is_written_down_if_it_fits),
		cmocka_unit_test(a_random_bug_is_shrunk_to_one_preemption),
		cmocka_unit_test(a_lost_wake_up_is_shrunk_whoever_found_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

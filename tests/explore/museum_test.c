/* SPDX-License-Identifier: BSD-3-Clause */
/* Every deviation is exposed by its scenario, which the protocol as it is
 * passes (named_test.c); its token replays the bug; and every deviation has an
 * exhibit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "explore/deviations.h"
#include "explore/museum.h"
#include "explore/prove.h"
#include "explore/scenarios.h"

static struct dax_explore_report explore_exhibit(const struct exhibit *exhibit,
	const char *deviation, const struct dax_explore_options *options)
{
	struct combination combination;
	struct dax_explore_report report;

	assert_true(combination_read(&combination, exhibit->scenario));
	assert_int_equal(dax_explore_deviate(deviation), 0);
	report = explore_combination(
		&combination, exhibit->allocs_fail, options);
	assert_int_equal(dax_explore_deviate(NULL), 0);
	return report;
}

static void every_deviation_is_exposed_and_replayed(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < nr_exhibits; i++) {
		const struct exhibit *exhibit = &exhibits[i];
		struct dax_explore_options again = {.how = DAX_EXPLORE_REPLAY};
		struct dax_explore_report report =
			explore_exhibit(exhibit, exhibit->deviation, NULL);
		struct dax_explore_report replayed;

		if (report.bug != exhibit->expected)
			print_message("%s in %s: %s\n", exhibit->deviation,
				exhibit->scenario,
				dax_explore_bug_name(report.bug));
		assert_int_equal(report.bug, exhibit->expected);
		if (!report.bug) {
			assert_int_equal(report.verdict, DAX_EXPLORE_PROVED);
			continue;
		}
		again.replay = report.token;
		replayed = explore_exhibit(exhibit, exhibit->deviation, &again);
		assert_int_equal(replayed.bug, report.bug);
		assert_string_equal(replayed.table, report.table);
		assert_string_equal(replayed.differs, "");
		dax_explore_report_free(&replayed);
		dax_explore_report_free(&report);
	}
}

/* One exhibit, of four threads, has many millions of states. */
#define MAX_STATES 300000

/* Perhaps another one, which the deviation causes as well. */
static void states_show_a_bug_where_executions_do(void **state)
{
	const struct dax_explore_options states = {
		.how = DAX_EXPLORE_STATES, .max_executions = MAX_STATES};
	unsigned int nr_left_out = 0;

	(void)state;
	for (unsigned int i = 0; i < nr_exhibits; i++) {
		const struct exhibit *exhibit = &exhibits[i];
		struct dax_explore_options again = {.how = DAX_EXPLORE_REPLAY};
		struct dax_explore_report report =
			explore_exhibit(exhibit, exhibit->deviation, &states);
		struct dax_explore_report replayed;

		if (report.verdict == DAX_EXPLORE_CLEAN_WITHIN) {
			/* AddressSanitizer's stacks cannot be copied. */
			if (!i)
				skip();
			nr_left_out++;
			dax_explore_report_free(&report);
			continue;
		}
		assert_int_equal(!report.bug, !exhibit->expected);
		if (!report.bug)
			continue;
		again.replay = report.token;
		replayed = explore_exhibit(exhibit, exhibit->deviation, &again);
		assert_int_equal(replayed.bug, report.bug);
		dax_explore_report_free(&replayed);
		dax_explore_report_free(&report);
	}
	assert_true(nr_left_out <= 1);
}

static bool is_of_a_mapping(const struct combination *combination)
{
	for (unsigned int i = 0; i < nr_state_kinds; i++)
		if (combination->state == &state_kinds[i])
			return true;
	return false;
}

static bool has_twins(const struct combination *combination)
{
	for (unsigned int i = 1; i < combination->nr; i++)
		for (unsigned int j = 0; j < i; j++)
			if (combination->operations[i] ==
				combination->operations[j])
				return true;
	return false;
}

static void exchanging_threads_hides_no_bug(void **state)
{
	const enum dax_explore_how hows[] = {
		DAX_EXPLORE_ALL, DAX_EXPLORE_STATES};

	(void)state;
	for (unsigned int i = 0; i < 2 * nr_exhibits; i++) {
		const struct exhibit *exhibit = &exhibits[i / 2];
		const struct dax_explore_options options = {
			.how = hows[i % 2], .max_executions = MAX_STATES};
		struct combination combination;
		struct dax_explore_report report;

		assert_true(combination_read(&combination, exhibit->scenario));
		if (!is_of_a_mapping(&combination) || !has_twins(&combination))
			continue;
		combination.interchangeable = true;
		assert_int_equal(dax_explore_deviate(exhibit->deviation), 0);
		report = explore_combination(
			&combination, exhibit->allocs_fail, &options);
		assert_int_equal(dax_explore_deviate(NULL), 0);
		if (report.verdict != DAX_EXPLORE_CLEAN_WITHIN)
			assert_int_equal(!report.bug, !exhibit->expected);
		dax_explore_report_free(&report);
	}
}

static void every_deviation_has_an_exhibit(void **state)
{
	const struct dax_explore_deviation *deviation;

	(void)state;
	for (unsigned int i = 0; (deviation = dax_explore_deviation(i)); i++) {
		bool shown = false;

		for (unsigned int e = 0; e < nr_exhibits; e++)
			shown |=
				!strcmp(exhibits[e].deviation, deviation->name);
		if (!shown)
			print_message("%s has no exhibit\n", deviation->name);
		assert_true(shown);
	}
}

static void look_for_bug(struct combination *combination, void *found)
{
	const struct dax_explore_options options = {
		.how = DAX_EXPLORE_EVERY, .preemptions = 1};
	struct dax_explore_report report;

	if (*(bool *)found)
		return;
	report = explore_combination(combination, 1, &options);
	*(bool *)found = report.bug;
	dax_explore_report_free(&report);
}

/* So a combination that nobody thought of can find a bug, too. */
static void families_find_what_takes_four_threads_or_no_memory(void **state)
{
	static const char *const deviations[] = {
		"inval_one", "key_brute+inval_one", "leak_on_enomem"};

	(void)state;
	for (size_t i = 0; i < sizeof(deviations) / sizeof(deviations[0]);
		i++) {
		bool found = false;

		assert_int_equal(dax_explore_deviate(deviations[i]), 0);
		for (unsigned int f = 0; f < nr_families; f++)
			if (families[f].threads == 4)
				family_for_each(
					&families[f], look_for_bug, &found);
		assert_int_equal(dax_explore_deviate(NULL), 0);
		assert_true(found);
	}
}

static bool shown_or_explained(const char *exhibit)
{
	static const char *const explained[] = {
#define EXPLAINED(exhibit, reason) exhibit,
		EXPLORE_NO_EXHIBIT(EXPLAINED)
#undef EXPLAINED
	};
	const struct dax_explore_deviation *deviation;

	for (unsigned int i = 0; (deviation = dax_explore_deviation(i)); i++)
		if (!strcmp(deviation->exhibit, exhibit))
			return true;
	for (size_t i = 0; i < sizeof(explained) / sizeof(explained[0]); i++)
		if (!strcmp(explained[i], exhibit))
			return true;
	return false;
}

/* Of the bugs of the entry lock: wakes and keys (A), the lock bit (B), pages
 * and who has them (C), large against small (D), searches (E); and of what is
 * built on it: faults against changes of the file (F), tags, permission and
 * flushes (G), pins (H), the life of devices (I). */
static void every_bug_is_shown_or_explained(void **state)
{
	static const struct {
		char room;
		unsigned int nr;
	} rooms[] = {{'A', 15}, {'B', 16}, {'C', 8}, {'D', 5}, {'E', 7},
		{'F', 13}, {'G', 8}, {'H', 10}, {'I', 6}};
	char exhibit[8];

	(void)state;
	for (size_t r = 0; r < sizeof(rooms) / sizeof(rooms[0]); r++)
		for (unsigned int i = 1; i <= rooms[r].nr; i++) {
			snprintf(exhibit, sizeof(exhibit), "%c%u",
				rooms[r].room, i);
			if (!shown_or_explained(exhibit))
				print_message("%s is missing\n", exhibit);
			assert_true(shown_or_explained(exhibit));
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_deviation_is_exposed_and_replayed),
		cmocka_unit_test(states_show_a_bug_where_executions_do),
		cmocka_unit_test(exchanging_threads_hides_no_bug),
		cmocka_unit_test(every_deviation_has_an_exhibit),
		cmocka_unit_test(
			families_find_what_takes_four_threads_or_no_memory),
		cmocka_unit_test(every_bug_is_shown_or_explained),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

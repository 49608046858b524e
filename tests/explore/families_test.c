/* SPDX-License-Identifier: BSD-3-Clause */
/* Any three operations, and some fours, are clean from any state; of most that
 * is proved. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "explore/expect.h"
#include "explore/operations.h"
#include "explore/prove.h"
#include "explore/scenarios.h"

/* Of one execution of each kind there are a million and more; of states some
 * hundred thousand, how many depends on the compiler. */
static void three_threads_on_a_mapped_file_are_proved(void **state)
{
	static const char *const names[] = {"dirty: load-1,store,fsync /1",
		"dirty: store,fsync,punch /1",
		"pinned: unpin-pages,pin-pages,punch /1"};
	const struct dax_explore_options options = {.how = DAX_EXPLORE_STATES};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct combination combination;
		struct dax_explore_report report;

		assert_true(combination_read(&combination, names[i]));
		report = explore_combination(&combination, 0, &options);
		assert_int_equal(report.bug, DAX_EXPLORE_NO_BUG);
		/* AddressSanitizer's stacks cannot be copied. */
		if (!report.states)
			skip();
		assert_int_equal(report.verdict, DAX_EXPLORE_PROVED);
	}
}

/* By default, executions and states take turns: a million of the former would
 * not be enough. */
static void what_has_few_states_is_proved_by_them(void **state)
{
	const struct dax_explore_options states = {
		.how = DAX_EXPLORE_STATES, .max_executions = 1};
	const struct dax_explore_options defaults = {.how = DAX_EXPLORE_AUTO};
	struct combination combination;
	struct dax_explore_report report;

	(void)state;
	assert_true(
		combination_read(&combination, "dirty: load-1,store,fsync /1"));
	report = explore_combination(&combination, 0, &states);
	/* AddressSanitizer's stacks cannot be copied. */
	if (!report.states)
		skip();
	report = explore_combination(&combination, 0, &defaults);
	assert_int_equal(report.verdict, DAX_EXPLORE_PROVED);
	assert_true(report.states);
	assert_true(report.executions < 100000);
}

struct census {
	const struct family *family;
	unsigned int proved;
	unsigned int all;
};

static enum dax_explore_verdict explore_member(const struct census *census,
	struct combination *combination,
	const struct dax_explore_options *options)
{
	const struct dax_explore_report report = explore_combination(
		combination, census->family->allocs_fail, options);
	char name[128];

	combination_name(combination, name, sizeof(name));
	if (report.bug)
		print_message("%s: %s\n", name, report.token);
	assert_int_equal(report.bug, DAX_EXPLORE_NO_BUG);
	return report.verdict;
}

/* Where the proof takes too long for a test, one preemption, which is enough
 * for each bug of the museum that these operations can show but enqueue_late.
 */
static void prove_member(struct combination *combination, void *context)
{
	struct census *census = context;
	const struct dax_explore_options proof = {
		.how = DAX_EXPLORE_ALL,
		.max_executions = census->family->limit,
	};
	const struct dax_explore_options one_preemption = {
		.how = DAX_EXPLORE_EVERY,
		.preemptions = 1,
	};

	if (explore_member(census, combination, &proof) == DAX_EXPLORE_PROVED)
		census->proved++;
	else
		explore_member(census, combination, &one_preemption);
}

static void families_are_clean(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < nr_families; i++) {
		struct census census = {.family = &families[i]};

		family_for_each(&families[i], prove_member, &census);
		if (census.proved != families[i].proved)
			print_message("%s: %u proved\n", families[i].name,
				census.proved);
		assert_int_equal(census.proved, families[i].proved);
	}
}

static void prove_whole(struct combination *combination, void *context)
{
	struct census *census = context;
	const struct dax_explore_options executions = {
		.how = DAX_EXPLORE_ALL,
		.max_executions = census->family->limit,
	};
	const struct dax_explore_options states = {.how = DAX_EXPLORE_STATES};

	if (explore_member(census, combination, &executions) ==
			DAX_EXPLORE_PROVED ||
		explore_member(census, combination, &states) ==
			DAX_EXPLORE_PROVED)
		census->proved++;
	census->all++;
}

/* With one queue, and with four threads, that takes minutes: proofs.c. */
static void three_threads_with_several_queues_are_proved(void **state)
{
	const struct dax_explore_options options = {.how = DAX_EXPLORE_STATES};
	struct combination pair;
	struct dax_explore_report report;

	(void)state;
	assert_true(combination_read(&pair, "empty: F0,F0 /1"));
	report = explore_combination(&pair, 0, &options);
	/* AddressSanitizer's stacks cannot be copied. */
	if (!states_are_searched(&report))
		skip();
	for (unsigned int i = 0; i < nr_families; i++) {
		struct census census = {.family = &families[i]};

		if (families[i].queues == 1)
			continue;
		family_for_each(&families[i], prove_whole, &census);
		assert_int_equal(census.proved, census.all);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(three_threads_on_a_mapped_file_are_proved),
		cmocka_unit_test(what_has_few_states_is_proved_by_them),
		cmocka_unit_test(families_are_clean),
		cmocka_unit_test(three_threads_with_several_queues_are_proved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

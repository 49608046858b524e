/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The entry lock is right in every interleaving of two operations, from every
 * starting state, with and without memory; and in those of three that have a
 * name, as faults and writeback are. Each count is that of a second, slower way
 * to count.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "explore/operations.h"
#include "explore/scenarios.h"

static struct dax_explore_report explore_combination(
	struct combination *combination, enum dax_explore_how how,
	unsigned int allocs_fail)
{
	char name[128];
	const struct dax_scenario scenario = {
		.name = name,
		.body = combination_body,
		.context = combination,
		.snapshots = true,
		.allocs_fail = allocs_fail,
	};
	const struct dax_explore_options options = {.how = how};
	struct dax_explore_report report;

	combination_name(combination, name, sizeof(name));
	assert_int_equal(dax_explore(&scenario, &options, &report), 0);
	if (report.verdict != DAX_EXPLORE_PROVED)
		print_message("%s: %s %s %s\n%s\nreplay: %s\n", name,
			dax_explore_verdict_name(report.verdict),
			dax_explore_bug_name(report.bug), report.message,
			report.table ? report.table : "",
			report.token ? report.token : "");
	assert_int_equal(report.verdict, DAX_EXPLORE_PROVED);
	return report;
}

static void prove_pairs(unsigned int queues, unsigned int allocs_fail)
{
	struct combination pair = {.nr = 2, .queues = queues};

	for (unsigned int s = 0; s < nr_state_kinds; s++)
		for (unsigned int a = 0; a < nr_operation_kinds; a++)
			for (unsigned int b = a; b < nr_operation_kinds; b++) {
				pair.state = &state_kinds[s];
				pair.operations[0] = &operation_kinds[a];
				pair.operations[1] = &operation_kinds[b];
				explore_combination(
					&pair, DAX_EXPLORE_ALL, allocs_fail);
			}
}

static void all_pairs_are_proved(void **state)
{
	(void)state;
	for (unsigned int queues = 1; queues <= 8; queues *= 2)
		if (queues != 4)
			prove_pairs(queues, 0);
}

static void all_pairs_are_proved_short_of_memory(void **state)
{
	(void)state;
	prove_pairs(1, 1);
}

static void named_scenarios_have_their_counts(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < nr_named_scenarios; i++) {
		const struct named_scenario *named = &named_scenarios[i];
		struct combination combination;
		struct dax_explore_report all, sleep_sets;

		assert_true(combination_read(&combination, named->combination));
		combination.sleepers = named->sleepers;
		all = explore_combination(
			&combination, DAX_EXPLORE_ALL, named->allocs_fail);
		sleep_sets = explore_combination(&combination,
			DAX_EXPLORE_SLEEP_SETS, named->allocs_fail);
		assert_int_equal(all.executions, sleep_sets.executions);
		if (all.executions != named->executions)
			print_message("%s: %llu executions\n", named->name,
				(unsigned long long)all.executions);
		assert_int_equal(all.executions, named->executions);
	}
}

/* Too many interleavings for a proof here; as states, the optimised build has
 * half a million of them, others many times that. */
static void three_threads_on_a_mapped_file_are_clean(void **state)
{
	static const char *const names[] = {
		"dirty: load-1,store,fsync /1", "dirty: store,fsync,punch /1"};
	const struct dax_explore_options options = {
		.how = DAX_EXPLORE_ALL,
		.max_executions = 10000,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct combination combination;
		const struct dax_scenario scenario = {
			.name = names[i],
			.body = combination_body,
			.context = &combination,
			.snapshots = true,
		};
		struct dax_explore_report report;

		assert_true(combination_read(&combination, names[i]));
		assert_int_equal(dax_explore(&scenario, &options, &report), 0);
		assert_int_equal(report.bug, DAX_EXPLORE_NO_BUG);
		assert_true(report.executions > 1000);
	}
}

struct census {
	const struct family *family;
	unsigned int proved;
};

static struct dax_explore_report explore_member(const struct census *census,
	struct combination *combination,
	const struct dax_explore_options *options)
{
	char name[128];
	const struct dax_scenario scenario = {
		.name = name,
		.body = combination_body,
		.context = combination,
		.allocs_fail = census->family->allocs_fail,
		.snapshots = true,
	};
	struct dax_explore_report report;

	combination_name(combination, name, sizeof(name));
	assert_int_equal(dax_explore(&scenario, options, &report), 0);
	if (report.bug)
		print_message("%s: %s\n", name, report.token);
	assert_int_equal(report.bug, DAX_EXPLORE_NO_BUG);
	return report;
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

	if (explore_member(census, combination, &proof).verdict ==
		DAX_EXPLORE_PROVED)
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_pairs_are_proved),
		cmocka_unit_test(all_pairs_are_proved_short_of_memory),
		cmocka_unit_test(named_scenarios_have_their_counts),
		cmocka_unit_test(three_threads_on_a_mapped_file_are_clean),
		cmocka_unit_test(families_are_clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

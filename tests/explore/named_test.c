/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The entry lock, and what is built on it, are right in every interleaving of
 * the scenarios that have a name; each count is that of a second, slower way to
 * count. And in those of the museum, without its bugs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "explore/museum.h"
#include "explore/prove.h"
#include "explore/scenarios.h"

static void named_scenarios_have_their_counts(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < nr_named_scenarios; i++) {
		const struct named_scenario *named = &named_scenarios[i];
		struct combination combination;
		struct dax_explore_report all, sleep_sets;

		assert_true(combination_read(&combination, named->combination));
		combination.sleepers = named->sleepers;
		all = prove(&combination, DAX_EXPLORE_ALL, named->allocs_fail);
		sleep_sets = prove(&combination, DAX_EXPLORE_SLEEP_SETS,
			named->allocs_fail);
		assert_int_equal(all.executions, sleep_sets.executions);
		if (all.executions != named->executions)
			print_message("%s: %llu executions\n", named->name,
				(unsigned long long)all.executions);
		assert_int_equal(all.executions, named->executions);
	}
}

/* Is an earlier one in the same scenario? */
static bool is_passed(unsigned int exhibit)
{
	for (unsigned int i = 0; i < exhibit; i++)
		if (!strcmp(exhibits[i].scenario, exhibits[exhibit].scenario) &&
			exhibits[i].allocs_fail ==
				exhibits[exhibit].allocs_fail)
			return true;
	return false;
}

static void those_of_the_museum_are_passed_without_its_bugs(void **state)
{
	const struct dax_explore_options options = {.max_executions = 100000};

	(void)state;
	for (unsigned int i = 0; i < nr_exhibits; i++) {
		struct combination combination;

		if (is_passed(i))
			continue;
		assert_true(
			combination_read(&combination, exhibits[i].scenario));
		assert_int_equal(explore_combination(&combination,
					 exhibits[i].allocs_fail, &options)
					 .bug,
			DAX_EXPLORE_NO_BUG);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(named_scenarios_have_their_counts),
		cmocka_unit_test(
			those_of_the_museum_are_passed_without_its_bugs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

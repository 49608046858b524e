/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The entry lock is right in every interleaving of two operations, from every
 * starting state, with and without memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "explore/disk_operations.h"
#include "explore/file_operations.h"
#include "explore/page_operations.h"
#include "explore/prove.h"

static void prove_pairs(unsigned int queues, unsigned int allocs_fail)
{
	struct combination pair = {.nr = 2, .queues = queues};

	for (unsigned int s = 0; s < nr_state_kinds; s++)
		for (unsigned int a = 0; a < nr_operation_kinds; a++)
			for (unsigned int b = a; b < nr_operation_kinds; b++) {
				pair.state = &state_kinds[s];
				pair.operations[0] = &operation_kinds[a];
				pair.operations[1] = &operation_kinds[b];
				prove(&pair, DAX_EXPLORE_ALL, allocs_fail);
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

static void expect_own_name(const struct operation_kind *kind)
{
	if (operation_named(kind->name) != kind)
		print_message("two are named %s\n", kind->name);
	assert_ptr_equal(operation_named(kind->name), kind);
}

static void expect_own_state_name(const struct state_kind *kind)
{
	if (state_named(kind->name) != kind)
		print_message("two are named %s\n", kind->name);
	assert_ptr_equal(state_named(kind->name), kind);
}

/* A combination is read by names: those of a mapping, of a file, of pages and
 * of a disk. */
static void each_name_is_of_one_thing(void **unused)
{
	const struct operation_kind *(*const operations[])(unsigned int) = {
		file_operation, page_operation, disk_operation};
	const struct state_kind *(*const states[])(unsigned int) = {
		file_state, page_state, disk_state};

	(void)unused;
	for (unsigned int i = 0; i < nr_operation_kinds; i++)
		expect_own_name(&operation_kinds[i]);
	for (unsigned int i = 0; i < nr_state_kinds; i++)
		expect_own_state_name(&state_kinds[i]);
	for (unsigned int table = 0; table < 3; table++) {
		for (unsigned int i = 0; operations[table](i); i++)
			expect_own_name(operations[table](i));
		for (unsigned int i = 0; states[table](i); i++)
			expect_own_state_name(states[table](i));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_name_is_of_one_thing),
		cmocka_unit_test(all_pairs_are_proved),
		cmocka_unit_test(all_pairs_are_proved_short_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two operations on a file and its clone, from every starting state, in some of
 * their interleavings.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "explore/disk_operations.h"
#include "explore/prove.h"

/* A file system is too much to prove: the first executions, which differ in a
 * few preemptions, of each. */
static void pairs_on_a_file_and_its_clone_find_no_bug(void **unused)
{
	const struct dax_explore_options options = {.max_executions = 50};
	struct combination pair = {.nr = 2, .queues = 1};

	(void)unused;
	for (unsigned int s = 0; (pair.state = disk_state(s)); s++)
		for (unsigned int a = 0;
			(pair.operations[0] = disk_operation(a)); a++)
			for (unsigned int b = a;
				(pair.operations[1] = disk_operation(b)); b++)
				assert_int_equal(
					explore_combination(&pair, 0, &options)
						.bug,
					DAX_EXPLORE_NO_BUG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pairs_on_a_file_and_its_clone_find_no_bug),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

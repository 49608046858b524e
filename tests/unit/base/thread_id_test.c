/* SPDX-License-Identifier: BSD-3-Clause */
/* A thread has the number by which debuggers know it, also after a fork. */
#include <sys/wait.h>
#include <unistd.h>

#include "base/sync.h"
#include "support/cmocka.h"

static void it_is_the_kernels(void **state)
{
	(void)state;
	assert_int_equal(sync_thread_id(), gettid());
	assert_int_equal(sync_thread_id(), gettid());
}

static void the_child_of_a_fork_has_its_own(void **state)
{
	int status;
	pid_t child;

	(void)state;
	assert_int_equal(sync_thread_id(), gettid());
	child = fork();
	if (!child)
		_exit(sync_thread_id() != (uint64_t)getpid());
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_the_kernels),
		cmocka_unit_test(the_child_of_a_fork_has_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

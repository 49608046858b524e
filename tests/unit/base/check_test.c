/* SPDX-License-Identifier: BSD-3-Clause */
/* A broken precondition or invariant says what and where, and aborts. */
#include "base/check.h"

#include <signal.h>
#include <string.h>

#include "base/sync.h"
#include "support/cmocka.h"
#include "support/death.h"

static void require_odd(void *number)
{
	DAX_REQUIRE(*(int *)number % 2 == 1);
}

static void promise_odd(void *number)
{
	DAX_INVARIANT(*(int *)number % 2 == 1);
}

static void what_holds_is_passed_by(void **state)
{
	int number = 7;

	(void)state;
	require_odd(&number);
	promise_odd(&number);
}

static void a_broken_precondition_aborts_and_is_quoted(void **state)
{
	int number = 8;
	struct death death = death_of(require_odd, &number);

	(void)state;
	assert_int_equal(death.signal, SIGABRT);
	assert_non_null(strstr(death.words, "precondition"));
	assert_non_null(strstr(death.words, "% 2 == 1"));
	assert_non_null(strstr(death.words, "require_odd"));
	assert_non_null(strstr(death.words, "check_test.c"));
}

static void a_broken_invariant_aborts(void **state)
{
	int number = 8;

	(void)state;
	assert_aborts_with(promise_odd, &number, "broke an invariant");
}

static void the_locks_held_are_printed(void **state)
{
	struct sync_lock lock;
	int number = 8;

	(void)state;
	sync_lock_init(&lock, RANK_TREE);
	sync_lock_acquire(&lock);
	assert_aborts_with(promise_odd, &number, "holds TREE");
	sync_lock_release(&lock);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_holds_is_passed_by),
		cmocka_unit_test(a_broken_precondition_aborts_and_is_quoted),
		cmocka_unit_test(a_broken_invariant_aborts),
		cmocka_unit_test(the_locks_held_are_printed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

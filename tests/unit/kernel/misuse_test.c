/* SPDX-License-Identifier: BSD-3-Clause */
/* What a kernel with its debugging options would complain of ends the program,
 * in words. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <daxlock/kernel.h>

#include "support/cmocka.h"
#include "support/death.h"

static struct xarray xa;
static DEFINE_SPINLOCK(lock);

static void use_without_lock(void *unused)
{
	XA_STATE(xas, &xa, 0);

	(void)unused;
	xas_load(&xas);
}

static void use_after_unlock(void *unused)
{
	XA_STATE(xas, &xa, 0);

	(void)unused;
	xas_lock(&xas);
	xas_load(&xas);
	xas_unlock(&xas);
	xas_lock(&xas);
	xas_store(&xas, xa_mk_value(1));
}

static void use_after_finding_nothing(void *unused)
{
	XA_STATE(xas, &xa, 0);

	(void)unused;
	xas_lock(&xas);
	xas_find_conflict(&xas);
	xas_unlock(&xas);
	xas_lock(&xas);
	xas_store(&xas, xa_mk_value(1));
}

static void pause_after_unlock(void *unused)
{
	XA_STATE(xas, &xa, 0);

	(void)unused;
	xas_lock(&xas);
	xas_load(&xas);
	xas_unlock(&xas);
	xas_lock(&xas);
	xas_pause(&xas);
}

static void sleep_with_spinlock(void *unused)
{
	(void)unused;
	spin_lock(&lock);
	schedule();
}

static void sleep_on_two_queues(void *unused)
{
	DECLARE_WAIT_QUEUE_HEAD(first);
	DECLARE_WAIT_QUEUE_HEAD(second);
	DEFINE_WAIT(on_first);
	DEFINE_WAIT(on_second);

	(void)unused;
	prepare_to_wait(&first, &on_first, TASK_UNINTERRUPTIBLE);
	prepare_to_wait(&second, &on_second, TASK_UNINTERRUPTIBLE);
}

static void warn(void *unused)
{
	(void)unused;
	WARN_ON_ONCE(2 > 1);
}

static void warn_of_nothing(void *unused)
{
	(void)unused;
	if (WARN_ON_ONCE(1 > 2))
		abort();
	BUG_ON(1 > 2);
}

static void assert_lock_held(void *unused)
{
	(void)unused;
	lockdep_assert_held(&lock);
}

static void misuse_ends_the_program_and_says_why(void **state)
{
	(void)state;
	assert_aborts(use_without_lock, NULL);
	assert_aborts_with(use_after_unlock, NULL, "xas_reset()");
	assert_aborts_with(use_after_finding_nothing, NULL, "xas_reset()");
	assert_aborts_with(pause_after_unlock, NULL, "xas_reset()");
	assert_aborts_with(sleep_with_spinlock, NULL, "a spinlock held");
	assert_aborts(sleep_on_two_queues, NULL);
	assert_aborts_with(warn, NULL, "WARNING: 2 > 1");
	assert_lives(warn_of_nothing, NULL);
	assert_aborts(assert_lock_held, NULL);
}

static void a_lock_that_is_held_is_known_to_be(void **state)
{
	unsigned long flags;

	(void)state;
	spin_lock_irqsave(&lock, flags);
	lockdep_assert_held(&lock);
	spin_unlock_irqrestore(&lock, flags);
	assert_aborts(assert_lock_held, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(misuse_ends_the_program_and_says_why),
		cmocka_unit_test(a_lock_that_is_held_is_known_to_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory that runs out is met by xas_nomem(), nothing half stored; memory is
 * given back, under RCU if asked. And what else a piece of kernel code needs.
 */
#include "base/sync.h"

/* After liburcu, which has names of the kernel, too. */
#include <daxlock/kernel.h>

#include "support/cmocka.h"

static int setup(void **state)
{
	static struct xarray xa;

	xa_init(&xa);
	*state = &xa;
	return 0;
}

static int teardown(void **state)
{
	sync_alloc_fail_nth(0);
	xa_destroy(*state);
	sync_rcu_barrier();
	return sync_alloc_live() != 0;
}

static void a_store_without_memory_is_an_error_of_the_state(void **state)
{
	XA_STATE(xas, *state, 1);

	xas_lock(&xas);
	sync_alloc_fail_nth(1);
	xas_store(&xas, xa_mk_value(1));
	xas_unlock(&xas);
	assert_int_equal(xas_error(&xas), -ENOMEM);
	assert_ptr_equal(xas.xa_node, XA_ERROR(-ENOMEM));
	assert_true(xa_empty(*state));
}

static void when_there_is_memory_again_the_store_is_tried_again(void **state)
{
	XA_STATE(xas, *state, 1);
	unsigned int tries = 0;

	sync_alloc_fail_nth(1);
	do {
		xas_lock(&xas);
		xas_store(&xas, xa_mk_value(1));
		xas_unlock(&xas);
		tries++;
	} while (xas_nomem(&xas, GFP_KERNEL));
	assert_int_equal(xas_error(&xas), 0);
	assert_int_equal(tries, 2);
	assert_ptr_equal(xa_load(*state, 1), xa_mk_value(1));
}

static void when_there_is_none_the_error_stays(void **state)
{
	XA_STATE(xas, *state, 1);

	xas_set_err(&xas, -ENOMEM);
	sync_alloc_fail_nth(1);
	assert_false(xas_nomem(&xas, GFP_KERNEL));
	assert_int_equal(xas_error(&xas), -ENOMEM);
}

static void memory_is_zeroed_and_given_back(void **state)
{
	const uint64_t live = sync_alloc_live();
	char *bytes = kzalloc(64, GFP_KERNEL);

	(void)state;
	assert_non_null(bytes);
	for (unsigned int i = 0; i < 64; i++)
		assert_int_equal(bytes[i], 0);
	assert_int_equal(sync_alloc_live(), live + 1);
	kfree(bytes);
	kfree(NULL);
	assert_int_equal(sync_alloc_live(), live);
}

struct thing {
	int number;
	struct rcu_head rcu;
};

static void free_thing(struct rcu_head *head)
{
	kfree(container_of(head, struct thing, rcu));
}

static void a_callback_runs_when_readers_have_left(void **state)
{
	struct thing *thing = kzalloc(sizeof(*thing), GFP_KERNEL);
	uint64_t live;

	(void)state;
	assert_non_null(thing);
	live = sync_alloc_live();
	rcu_read_lock();
	thing->number = 5;
	call_rcu(&thing->rcu, free_thing);
	assert_int_equal(sync_alloc_live(), live);
	assert_int_equal(thing->number, 5);
	rcu_read_unlock();
	sync_rcu_barrier();
	assert_int_equal(sync_alloc_live(), live - 1);
}

static int calls;

static int __init call_me_first(void)
{
	return ++calls;
}
fs_initcall(call_me_first);
EXPORT_SYMBOL_GPL(call_me_first);

static void an_initcall_is_made_once_before_main(void **state)
{
	(void)state;
	assert_int_equal(calls, 1);
}

static void variables_are_loaded_and_stored(void **state)
{
	unsigned long variable = 3;

	(void)state;
	WRITE_ONCE(variable, READ_ONCE(variable) + 1);
	assert_int_equal(READ_ONCE(variable), 4);
}

#define MEMORY_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		MEMORY_TEST(a_store_without_memory_is_an_error_of_the_state),
		MEMORY_TEST(
			when_there_is_memory_again_the_store_is_tried_again),
		MEMORY_TEST(when_there_is_none_the_error_stays),
		MEMORY_TEST(memory_is_zeroed_and_given_back),
		MEMORY_TEST(a_callback_runs_when_readers_have_left),
		MEMORY_TEST(an_initcall_is_made_once_before_main),
		MEMORY_TEST(variables_are_loaded_and_stored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

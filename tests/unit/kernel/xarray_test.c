/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What an XArray keeps: values and pointers, in entries of three sizes, that
 * are stored, replaced and removed as a whole.
 */
#include <daxlock/kernel.h>

#include "support/cmocka.h"

#define HUGE	 (1UL << PMD_ORDER)
#define GIGANTIC (1UL << PUD_ORDER)

static int setup(void **state)
{
	static struct xarray xa;

	xa_init(&xa);
	*state = &xa;
	return 0;
}

static int teardown(void **state)
{
	xa_destroy(*state);
	return 0;
}

#define XARRAY_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

/* Stores by a state of @order; returns its error. */
static int store(
	struct xarray *xa, unsigned long index, unsigned int order, void *entry)
{
	XA_STATE_ORDER(xas, xa, index, order);

	xas_lock(&xas);
	xas_store(&xas, entry);
	xas_unlock(&xas);
	return xas_error(&xas);
}

/* Loads by a state of @order. */
static void *load(struct xarray *xa, unsigned long index, unsigned int order)
{
	XA_STATE_ORDER(xas, xa, index, order);
	void *entry;

	xas_lock(&xas);
	entry = xas_load(&xas);
	xas_unlock(&xas);
	return entry;
}

static void what_is_stored_is_loaded_with_every_bit(void **state)
{
	static const unsigned long values[] = {
		0, 1, 0x155, (1UL << 51) - 1, 1UL << 50};
	static char pointed_to[4] __attribute__((aligned(4)));
	struct xarray *xa = *state;

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		void *entry = xa_mk_value(values[i]);

		assert_int_equal(store(xa, 7, 0, entry), 0);
		assert_ptr_equal(xa_load(xa, 7), entry);
		assert_true(xa_is_value(entry));
		assert_int_equal(xa_to_value(entry), values[i]);
	}
	assert_int_equal(store(xa, 7, 0, pointed_to), 0);
	assert_ptr_equal(xa_load(xa, 7), pointed_to);
	assert_false(xa_is_value(pointed_to));
}

static void what_does_not_fit_is_refused(void **state)
{
	struct xarray *xa = *state;

	assert_int_equal(store(xa, 7, 0, xa_mk_value(1UL << 51)), -EINVAL);
	assert_int_equal(store(xa, 7, 0, XA_RETRY_ENTRY), -EINVAL);
	assert_int_equal(store(xa, 7, 1, xa_mk_value(1)), -EINVAL);
	assert_int_equal(
		store(xa, 7, PUD_ORDER + PMD_ORDER, xa_mk_value(1)), -EINVAL);
	assert_true(xa_empty(xa));
}

static void an_entry_covers_its_order_and_no_more(void **state)
{
	struct xarray *xa = *state;

	/* Anywhere in it: the state rounds down. */
	assert_int_equal(store(xa, HUGE + 1, PMD_ORDER, xa_mk_value(1)), 0);
	assert_int_equal(store(xa, GIGANTIC + 5, PUD_ORDER, xa_mk_value(2)), 0);
	assert_null(xa_load(xa, HUGE - 1));
	assert_ptr_equal(xa_load(xa, HUGE), xa_mk_value(1));
	assert_ptr_equal(xa_load(xa, 2 * HUGE - 1), xa_mk_value(1));
	assert_null(xa_load(xa, 2 * HUGE));
	assert_ptr_equal(xa_load(xa, 2 * GIGANTIC - 1), xa_mk_value(2));
	assert_int_equal(xa_get_order(xa, HUGE + 1), PMD_ORDER);
	assert_int_equal(xa_get_order(xa, GIGANTIC), PUD_ORDER);
	assert_int_equal(xa_get_order(xa, 0), 0);
}

static void a_small_state_replaces_a_large_entry_as_a_whole(void **state)
{
	struct xarray *xa = *state;

	assert_int_equal(store(xa, 0, PMD_ORDER, xa_mk_value(1)), 0);
	assert_int_equal(store(xa, 3, 0, xa_mk_value(2)), 0);
	assert_ptr_equal(xa_load(xa, 0), xa_mk_value(2));
	assert_int_equal(xa_get_order(xa, 0), PMD_ORDER);
	assert_int_equal(store(xa, 3, 0, NULL), 0);
	assert_true(xa_empty(xa));
}

static void a_large_entry_does_not_replace_small_ones(void **state)
{
	struct xarray *xa = *state;

	assert_int_equal(store(xa, HUGE - 1, 0, xa_mk_value(1)), 0);
	assert_int_equal(store(xa, 0, PMD_ORDER, xa_mk_value(2)), -EEXIST);
	assert_ptr_equal(xa_load(xa, HUGE - 1), xa_mk_value(1));
}

static void a_large_state_removes_small_entries(void **state)
{
	struct xarray *xa = *state;

	assert_int_equal(store(xa, 0, 0, xa_mk_value(1)), 0);
	assert_int_equal(store(xa, HUGE - 1, 0, xa_mk_value(2)), 0);
	assert_int_equal(store(xa, HUGE, 0, xa_mk_value(3)), 0);
	assert_int_equal(store(xa, 0, PMD_ORDER, NULL), 0);
	assert_null(xa_load(xa, 0));
	assert_null(xa_load(xa, HUGE - 1));
	assert_ptr_equal(xa_load(xa, HUGE), xa_mk_value(3));
}

static void a_large_state_loads_no_small_entry(void **state)
{
	struct xarray *xa = *state;

	assert_int_equal(store(xa, 0, 0, xa_mk_value(1)), 0);
	assert_int_equal(store(xa, HUGE, PMD_ORDER, xa_mk_value(2)), 0);
	assert_null(load(xa, 0, PMD_ORDER));
	assert_ptr_equal(load(xa, 0, 0), xa_mk_value(1));
	assert_ptr_equal(load(xa, HUGE + 1, PMD_ORDER), xa_mk_value(2));
	assert_ptr_equal(load(xa, HUGE + 1, 0), xa_mk_value(2));
}

static void a_store_returns_what_was_there(void **state)
{
	struct xarray *xa = *state;

	assert_null(xa_store(xa, 5, xa_mk_value(1), GFP_KERNEL));
	assert_ptr_equal(
		xa_store(xa, 5, xa_mk_value(2), GFP_KERNEL), xa_mk_value(1));
	assert_ptr_equal(xa_erase(xa, 5), xa_mk_value(2));
	assert_null(xa_erase(xa, 5));
}

static void a_result_tells_an_error_from_an_entry(void **state)
{
	struct xarray *xa = *state;
	void *result = xa_store(xa, 5, xa_mk_value(1UL << 51), GFP_KERNEL);

	assert_true(xa_is_err(result));
	assert_int_equal(xa_err(result), -EINVAL);
	assert_false(xa_is_err(NULL));
	assert_false(xa_is_err(xa_mk_value(-1UL)));
	assert_false(xa_is_err(xa_mk_internal(3)));
	assert_int_equal(xa_to_internal(xa_mk_internal(3)), 3);
	assert_true(xa_is_internal(xa_mk_internal(3)));
	assert_false(xa_is_internal(xa_mk_value(1)));
}

static void the_last_index_is_one(void **state)
{
	struct xarray *xa = *state;

	assert_int_equal(store(xa, ULONG_MAX, 0, xa_mk_value(1)), 0);
	assert_ptr_equal(xa_load(xa, ULONG_MAX), xa_mk_value(1));
	assert_int_equal(store(xa, ULONG_MAX, 0, NULL), 0);
	assert_int_equal(store(xa, ULONG_MAX, PUD_ORDER, xa_mk_value(1)), 0);
	assert_ptr_equal(xa_load(xa, ULONG_MAX), xa_mk_value(1));
}

static void an_array_of_zeros_is_ready(void **state)
{
	static DEFINE_XARRAY(xa);

	(void)state;
	assert_true(xa_empty(&xa));
	assert_null(xa_store(&xa, 1, xa_mk_value(1), GFP_KERNEL));
	assert_false(xa_empty(&xa));
	xa_destroy(&xa);
	assert_true(xa_empty(&xa));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		XARRAY_TEST(what_is_stored_is_loaded_with_every_bit),
		XARRAY_TEST(what_does_not_fit_is_refused),
		XARRAY_TEST(an_entry_covers_its_order_and_no_more),
		XARRAY_TEST(a_small_state_replaces_a_large_entry_as_a_whole),
		XARRAY_TEST(a_large_entry_does_not_replace_small_ones),
		XARRAY_TEST(a_large_state_removes_small_entries),
		XARRAY_TEST(a_large_state_loads_no_small_entry),
		XARRAY_TEST(a_store_returns_what_was_there),
		XARRAY_TEST(a_result_tells_an_error_from_an_entry),
		XARRAY_TEST(the_last_index_is_one),
		cmocka_unit_test(an_array_of_zeros_is_ready),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

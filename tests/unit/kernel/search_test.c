/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A search returns each entry once and in order, goes on behind what it found
 * last, and can be paused. A mark is on the entry at the place of the state.
 */
#include <daxlock/kernel.h>

#include "support/cmocka.h"

#define HUGE (1UL << PMD_ORDER)

/* Values 0, 1 and 3 where they say, and a huge 2. */
static int setup(void **state)
{
	static struct xarray xa;
	XA_STATE_ORDER(huge, &xa, HUGE, PMD_ORDER);

	xa_init(&xa);
	xa_store(&xa, 0, xa_mk_value(0), GFP_KERNEL);
	xa_store(&xa, 1, xa_mk_value(1), GFP_KERNEL);
	xa_store(&xa, 2 * HUGE, xa_mk_value(3), GFP_KERNEL);
	xas_lock(&huge);
	xas_store(&huge, xa_mk_value(2));
	xas_unlock(&huge);
	*state = &xa;
	return xas_error(&huge);
}

static int teardown(void **state)
{
	xa_destroy(*state);
	return 0;
}

#define SEARCH_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static const unsigned long start_of[] = {0, 1, HUGE, 2 * HUGE};

static void all_are_found_once_and_in_order(void **state)
{
	XA_STATE(xas, *state, 0);
	unsigned long nr = 0;
	void *entry;

	xas_lock(&xas);
	xas_for_each (&xas, entry, ULONG_MAX) {
		assert_ptr_equal(entry, xa_mk_value(nr));
		assert_int_equal(xas.xa_index, start_of[nr]);
		nr++;
	}
	assert_int_equal(nr, 4);
	/* It stays over. */
	assert_null(xas_find(&xas, ULONG_MAX));
	assert_true(xas_invalid(&xas));
	assert_int_equal(xas_error(&xas), 0);
	xas_unlock(&xas);
}

static void a_search_begins_and_ends_where_it_is_told(void **state)
{
	XA_STATE(xas, *state, HUGE + 1);

	xas_lock(&xas);
	assert_ptr_equal(xas_find(&xas, 2 * HUGE - 1), xa_mk_value(2));
	assert_int_equal(xas.xa_index, HUGE + 1);
	assert_null(xas_find(&xas, 2 * HUGE - 1));
	xas_set(&xas, 2);
	assert_null(xas_find(&xas, HUGE - 1));
	xas_unlock(&xas);
}

static void a_search_goes_on_behind_what_was_loaded(void **state)
{
	XA_STATE(xas, *state, HUGE + 1);

	xas_lock(&xas);
	assert_ptr_equal(xas_load(&xas), xa_mk_value(2));
	assert_ptr_equal(xas_find(&xas, ULONG_MAX), xa_mk_value(3));
	xas_unlock(&xas);
}

static void a_state_that_is_reset_finds_the_same_again(void **state)
{
	XA_STATE(xas, *state, 0);

	xas_lock(&xas);
	assert_ptr_equal(xas_find(&xas, ULONG_MAX), xa_mk_value(0));
	xas_unlock(&xas);
	xas_reset(&xas);
	xas_lock(&xas);
	assert_ptr_equal(xas_find(&xas, ULONG_MAX), xa_mk_value(0));
	xas_unlock(&xas);
}

static void a_search_that_is_paused_goes_on(void **state)
{
	XA_STATE(xas, *state, 0);
	unsigned long nr = 0;
	void *entry;

	xas_lock(&xas);
	xas_for_each (&xas, entry, ULONG_MAX) {
		assert_ptr_equal(entry, xa_mk_value(nr++));
		xas_pause(&xas);
		xas_unlock(&xas);
		xas_lock(&xas);
	}
	xas_unlock(&xas);
	assert_int_equal(nr, 4);
}

static void a_pause_at_the_last_index_is_the_end(void **state)
{
	XA_STATE(xas, *state, ULONG_MAX);

	xa_store(*state, ULONG_MAX, xa_mk_value(9), GFP_KERNEL);
	xas_lock(&xas);
	assert_ptr_equal(xas_find(&xas, ULONG_MAX), xa_mk_value(9));
	xas_pause(&xas);
	assert_null(xas_find(&xas, ULONG_MAX));
	xas_unlock(&xas);
}

static void a_search_ends_behind_the_last_index(void **state)
{
	XA_STATE(xas, *state, ULONG_MAX);

	xa_store(*state, ULONG_MAX, xa_mk_value(9), GFP_KERNEL);
	xas_lock(&xas);
	assert_ptr_equal(xas_find(&xas, ULONG_MAX), xa_mk_value(9));
	assert_null(xas_find(&xas, ULONG_MAX));
	xas_unlock(&xas);
}

static void conflicts_are_looked_for_after_a_search(void **state)
{
	XA_STATE(xas, *state, 0);

	xas_lock(&xas);
	assert_ptr_equal(xas_find(&xas, 0), xa_mk_value(0));
	assert_null(xas_find(&xas, 0));
	assert_ptr_equal(xas_find_conflict(&xas), xa_mk_value(0));
	xas_unlock(&xas);
}

static void conflicts_are_all_entries_of_the_range(void **state)
{
	XA_STATE_ORDER(xas, *state, 3, PMD_ORDER);
	unsigned long nr = 0;
	void *entry;

	xas_lock(&xas);
	xas_for_each_conflict (&xas, entry)
		assert_ptr_equal(entry, xa_mk_value(nr++));
	assert_int_equal(nr, 2);
	assert_int_equal(xas.xa_index, 0);
	xas_set_order(&xas, HUGE + 3, 0);
	assert_ptr_equal(xas_find_conflict(&xas), xa_mk_value(2));
	assert_null(xas_find_conflict(&xas));
	xas_set_order(&xas, 2, 0);
	assert_null(xas_find_conflict(&xas));
	xas_unlock(&xas);
}

static void a_range_without_conflict_can_be_stored_to(void **state)
{
	XA_STATE_ORDER(xas, *state, 3 * HUGE, PMD_ORDER);

	xas_lock(&xas);
	assert_null(xas_find_conflict(&xas));
	assert_null(xas_store(&xas, xa_mk_value(4)));
	assert_int_equal(xas_error(&xas), 0);
	xas_unlock(&xas);
	assert_ptr_equal(xa_load(*state, 4 * HUGE - 1), xa_mk_value(4));
}

static void an_error_stops_everything(void **state)
{
	XA_STATE(xas, *state, 0);

	xas_lock(&xas);
	xas_set_err(&xas, -EIO);
	assert_null(xas_load(&xas));
	assert_null(xas_store(&xas, xa_mk_value(7)));
	assert_null(xas_find(&xas, ULONG_MAX));
	assert_null(xas_find_conflict(&xas));
	assert_int_equal(xas_error(&xas), -EIO);
	assert_ptr_equal(xas.xa_node, XA_ERROR(-EIO));
	xas_unlock(&xas);
	assert_false(xas_nomem(&xas, GFP_KERNEL));
	assert_ptr_equal(xa_load(*state, 0), xa_mk_value(0));
}

/* ---- marks ---- */

static void mark(struct xarray *xa, unsigned long index, xa_mark_t mark)
{
	XA_STATE(xas, xa, index);

	xas_lock(&xas);
	xas_load(&xas);
	xas_set_mark(&xas, mark);
	xas_unlock(&xas);
}

static void a_mark_is_found_and_cleared(void **state)
{
	XA_STATE(xas, *state, 0);
	void *entry;
	unsigned int nr = 0;

	mark(*state, HUGE + 1, PAGECACHE_TAG_DIRTY);
	mark(*state, 1, PAGECACHE_TAG_TOWRITE);
	assert_true(xa_get_mark(*state, HUGE, PAGECACHE_TAG_DIRTY));
	assert_false(xa_get_mark(*state, HUGE, PAGECACHE_TAG_TOWRITE));
	xas_lock(&xas);
	xas_for_each_marked (&xas, entry, ULONG_MAX, PAGECACHE_TAG_DIRTY) {
		assert_ptr_equal(entry, xa_mk_value(2));
		assert_true(xas_get_mark(&xas, PAGECACHE_TAG_DIRTY));
		xas_clear_mark(&xas, PAGECACHE_TAG_DIRTY);
		assert_false(xas_get_mark(&xas, PAGECACHE_TAG_DIRTY));
		nr++;
	}
	xas_unlock(&xas);
	assert_int_equal(nr, 1);
	assert_false(xa_marked(*state, PAGECACHE_TAG_DIRTY));
	assert_true(xa_marked(*state, PAGECACHE_TAG_TOWRITE));
}

static void a_state_without_a_place_marks_nothing(void **state)
{
	XA_STATE(xas, *state, 1);

	xas_lock(&xas);
	xas_set_mark(&xas, PAGECACHE_TAG_DIRTY);
	assert_false(xa_marked(*state, PAGECACHE_TAG_DIRTY));
	xas_load(&xas);
	xas_set_mark(&xas, PAGECACHE_TAG_DIRTY);
	xas_reset(&xas);
	assert_false(xas_get_mark(&xas, PAGECACHE_TAG_DIRTY));
	xas_clear_mark(&xas, PAGECACHE_TAG_DIRTY);
	xas_unlock(&xas);
	assert_true(xa_get_mark(*state, 1, PAGECACHE_TAG_DIRTY));
}

static void marks_stay_with_a_new_value_and_go_with_the_entry(void **state)
{
	mark(*state, HUGE, PAGECACHE_TAG_DIRTY);
	xa_store(*state, HUGE, xa_mk_value(8), GFP_KERNEL);
	assert_true(xa_get_mark(*state, HUGE, PAGECACHE_TAG_DIRTY));
	assert_ptr_equal(xa_load(*state, HUGE), xa_mk_value(8));
	xa_erase(*state, HUGE);
	xa_store(*state, HUGE, xa_mk_value(8), GFP_KERNEL);
	assert_false(xa_get_mark(*state, HUGE, PAGECACHE_TAG_DIRTY));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SEARCH_TEST(all_are_found_once_and_in_order),
		SEARCH_TEST(a_search_begins_and_ends_where_it_is_told),
		SEARCH_TEST(a_search_goes_on_behind_what_was_loaded),
		SEARCH_TEST(a_state_that_is_reset_finds_the_same_again),
		SEARCH_TEST(a_search_that_is_paused_goes_on),
		SEARCH_TEST(a_pause_at_the_last_index_is_the_end),
		SEARCH_TEST(a_search_ends_behind_the_last_index),
		SEARCH_TEST(conflicts_are_looked_for_after_a_search),
		SEARCH_TEST(conflicts_are_all_entries_of_the_range),
		SEARCH_TEST(a_range_without_conflict_can_be_stored_to),
		SEARCH_TEST(an_error_stops_everything),
		SEARCH_TEST(a_mark_is_found_and_cleared),
		SEARCH_TEST(a_state_without_a_place_marks_nothing),
		SEARCH_TEST(marks_stay_with_a_new_value_and_go_with_the_entry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

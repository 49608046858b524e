/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An exclusive sleeper that was chosen, found nothing, and sleeps on the same
 * key again is the next to be chosen; every other newcomer is the last.
 */
#include "sleepers.h"

/* The one who sleeps again, and one who was there meanwhile. */
struct again {
	struct dax_waitq_table *table;
	struct dax_waiter again;
	struct dax_waiter other;
};

static struct again *again_of(void **state)
{
	static struct again again;

	again = (struct again){.table = table_of(state)};
	return &again;
}

static struct dax_waitq *join(struct again *it, struct dax_waiter *waiter,
	const struct dax_wait_key *key)
{
	return enqueue(it->table, waiter, key, DAX_WAIT_EXCLUSIVE);
}

static int result_of(struct again *it, struct dax_waiter *waiter,
	const struct dax_wait_limit *limit)
{
	struct dax_waitq *queue = dax_waitq_lock(it->table, &key_a);

	/* There is but one queue. */
	dax_waitq_unlock(queue);
	return dax_waitq_sleep(queue, waiter, limit);
}

/* Both sleep on @key; who of the two does one wake choose? */
static const struct dax_waiter *next_on(
	struct again *it, const struct dax_wait_key *key)
{
	int again;
	int other;

	wake(it->table, key, DAX_WAKE_NEXT);
	again = result_of(it, &it->again, &long_past);
	other = result_of(it, &it->other, &long_past);
	assert_int_equal(again + other, -ETIMEDOUT);
	return again ? &it->other : &it->again;
}

static void sleep_and_be_chosen(
	struct again *it, const struct dax_wait_key *key)
{
	join(it, &it->again, key);
	wake(it->table, key, DAX_WAKE_NEXT);
	assert_int_equal(result_of(it, &it->again, &long_past), 0);
}

static void one_who_was_chosen_goes_first(void **state)
{
	struct again *it = again_of(state);

	sleep_and_be_chosen(it, &key_a);
	join(it, &it->other, &key_a);
	join(it, &it->again, &key_a);
	assert_ptr_equal(next_on(it, &key_a), &it->again);
}

static void it_goes_first_time_after_time(void **state)
{
	struct again *it = again_of(state);

	sleep_and_be_chosen(it, &key_a);
	join(it, &it->other, &key_a);
	for (int i = 0; i < 3; i++) {
		join(it, &it->again, &key_a);
		wake(it->table, &key_a, DAX_WAKE_NEXT);
		assert_int_equal(result_of(it, &it->again, &long_past), 0);
	}
	join(it, &it->again, &key_a);
	assert_ptr_equal(next_on(it, &key_a), &it->again);
}

static void one_who_comes_new_goes_last(void **state)
{
	struct again *it = again_of(state);

	join(it, &it->other, &key_a);
	join(it, &it->again, &key_a);
	assert_ptr_equal(next_on(it, &key_a), &it->other);
}

static void one_who_was_chosen_for_another_index_goes_last(void **state)
{
	struct again *it = again_of(state);

	sleep_and_be_chosen(it, &key_b);
	join(it, &it->other, &key_a);
	join(it, &it->again, &key_a);
	assert_ptr_equal(next_on(it, &key_a), &it->other);
}

static void one_who_was_chosen_for_another_owner_goes_last(void **state)
{
	struct again *it = again_of(state);

	sleep_and_be_chosen(it, &key_c);
	join(it, &it->other, &key_a);
	join(it, &it->again, &key_a);
	assert_ptr_equal(next_on(it, &key_a), &it->other);
}

static void one_who_timed_out_goes_last(void **state)
{
	struct again *it = again_of(state);

	sleep_and_be_chosen(it, &key_a);
	join(it, &it->again, &key_a);
	assert_int_equal(result_of(it, &it->again, &long_past), -ETIMEDOUT);
	join(it, &it->other, &key_a);
	join(it, &it->again, &key_a);
	assert_ptr_equal(next_on(it, &key_a), &it->other);
}

static void one_who_was_cancelled_goes_last(void **state)
{
	struct again *it = again_of(state);
	struct dax_cancel cancel;
	const struct dax_wait_limit limit = {UINT64_MAX, &cancel};

	sleep_and_be_chosen(it, &key_a);
	dax_cancel_init(&cancel);
	dax_cancel_fire(&cancel);
	join(it, &it->again, &key_a);
	assert_int_equal(result_of(it, &it->again, &limit), -ECANCELED);
	join(it, &it->other, &key_a);
	join(it, &it->again, &key_a);
	assert_ptr_equal(next_on(it, &key_a), &it->other);
}

static void one_who_was_woken_with_all_goes_last(void **state)
{
	struct again *it = again_of(state);

	join(it, &it->again, &key_a);
	wake(it->table, &key_a, DAX_WAKE_ALL);
	assert_int_equal(result_of(it, &it->again, &long_past), 0);
	join(it, &it->other, &key_a);
	join(it, &it->again, &key_a);
	assert_ptr_equal(next_on(it, &key_a), &it->other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SLEEPERS_TEST(one_who_was_chosen_goes_first),
		SLEEPERS_TEST(it_goes_first_time_after_time),
		SLEEPERS_TEST(one_who_comes_new_goes_last),
		SLEEPERS_TEST(one_who_was_chosen_for_another_index_goes_last),
		SLEEPERS_TEST(one_who_was_chosen_for_another_owner_goes_last),
		SLEEPERS_TEST(one_who_timed_out_goes_last),
		SLEEPERS_TEST(one_who_was_cancelled_goes_last),
		SLEEPERS_TEST(one_who_was_woken_with_all_goes_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

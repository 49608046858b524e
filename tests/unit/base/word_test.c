/* SPDX-License-Identifier: BSD-3-Clause */
/* Atomic words return what was there before, and lose no update. */
#include "base/sync.h"
#include "support/crew.h"

#define RELAXED memory_order_relaxed

static void a_cas_that_fails_says_what_it_found(void **state)
{
	struct sync_u64 word = {5};
	uint64_t expected = 4;

	(void)state;
	assert_false(sync_cas(&word, &expected, 9, memory_order_acq_rel));
	assert_int_equal(expected, 5);
	assert_int_equal(sync_load(&word, RELAXED), 5);
}

static void a_cas_that_succeeds_stores(void **state)
{
	struct sync_u64 word = {5};
	uint64_t expected = 5;

	(void)state;
	assert_true(sync_cas(&word, &expected, 9, memory_order_acq_rel));
	assert_int_equal(expected, 5);
	assert_int_equal(sync_load(&word, RELAXED), 9);
}

static void updates_return_the_value_before(void **state)
{
	struct sync_u64 word = {0xc};

	(void)state;
	assert_int_equal(sync_add(&word, 3, RELAXED), 0xc);
	assert_int_equal(sync_sub(&word, 1, RELAXED), 0xf);
	assert_int_equal(sync_or(&word, 0x11, RELAXED), 0xe);
	assert_int_equal(sync_and(&word, 0x3, RELAXED), 0x1f);
	assert_int_equal(sync_swap(&word, UINT64_MAX, RELAXED), 3);
	assert_int_equal(sync_load(&word, RELAXED), UINT64_MAX);
}

static void a_count_goes_up_and_down(void **state)
{
	struct sync_u64 word = {0xc};

	(void)state;
	sync_count(&word, 3);
	assert_int_equal(sync_load(&word, RELAXED), 0xf);
	sync_count(&word, -(uint64_t)0xf);
	assert_int_equal(sync_load(&word, RELAXED), 0);
}

#define THREADS 3
#define TURNS	3000

static void adds_in_every_way(struct crew_member *me)
{
	struct sync_u64 *words = me->shared;

	for (int i = 0; i < TURNS; i++) {
		uint64_t seen = sync_load(&words[0], RELAXED);

		while (!sync_cas(
			&words[0], &seen, seen + 1, memory_order_acq_rel))
			;
		sync_add(&words[1], 1, RELAXED);
		sync_sub(&words[2], 1, RELAXED);
	}
}

static void no_update_of_several_threads_is_lost(void **state)
{
	struct sync_u64 words[3] = {0};
	struct crew crew;

	(void)state;
	crew_start(&crew, THREADS, adds_in_every_way, words);
	crew_assert_content(&crew);
	assert_int_equal(sync_load(&words[0], RELAXED), THREADS * TURNS);
	assert_int_equal(sync_load(&words[1], RELAXED), THREADS * TURNS);
	assert_int_equal(-sync_load(&words[2], RELAXED), THREADS * TURNS);
}

static void flips_its_bit(struct crew_member *me)
{
	const uint64_t bit = (uint64_t)1 << me->number;
	struct sync_u64 *word = me->shared;

	for (int i = 0; i < TURNS; i++) {
		crew_check(me, !(sync_or(word, bit, RELAXED) & bit));
		crew_check(me, sync_and(word, ~bit, RELAXED) & bit);
	}
}

static void bits_do_not_disturb_each_other(void **state)
{
	struct sync_u64 word = {0};
	struct crew crew;

	(void)state;
	crew_start(&crew, THREADS, flips_its_bit, &word);
	crew_assert_content(&crew);
	assert_int_equal(sync_load(&word, RELAXED), 0);
}

static struct sync_once once = SYNC_ONCE_INIT;
static unsigned int times_run; /* by sync_once() */

static void run_once(void)
{
	times_run++;
}

static void wants_it_run(struct crew_member *me)
{
	sync_once(&once, run_once);
	crew_check(me, times_run == 1);
}

static void once_is_once_for_all_threads(void **state)
{
	struct crew crew;

	(void)state;
	crew_start(&crew, THREADS, wants_it_run, NULL);
	crew_assert_content(&crew);
	assert_int_equal(times_run, 1);
}

static void a_spin_comes_to_an_end(void **state)
{
	struct sync_spin spin = SYNC_SPIN_INIT;
	uint64_t turns = 0;

	(void)state;
	while (sync_spin_again(&spin))
		turns++;
	assert_true(turns > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cas_that_fails_says_what_it_found),
		cmocka_unit_test(a_cas_that_succeeds_stores),
		cmocka_unit_test(updates_return_the_value_before),
		cmocka_unit_test(a_count_goes_up_and_down),
		cmocka_unit_test(no_update_of_several_threads_is_lost),
		cmocka_unit_test(bits_do_not_disturb_each_other),
		cmocka_unit_test(once_is_once_for_all_threads),
		cmocka_unit_test(a_spin_comes_to_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

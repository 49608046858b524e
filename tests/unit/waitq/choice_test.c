/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whom a wake chooses: of those with its key, every shared sleeper and the
 * exclusive one that waits longest, or all. Keys are compared, so that it
 * makes no difference whether they share a queue.
 */
#include <string.h>

#include "sleepers.h"

#define WAITERS_MAX 8

/*
 * A letter for each waiter, in order of arrival: e exclusive on key a, s
 * shared on it; E and S the same on key b; X exclusive on key c, whose owner
 * is another. A letter for each wake: n next on key a, a all on it; N and A on
 * key b; X next on key c. Then who was chosen by them all, and whether others
 * were left on the key of the last wake.
 */
struct scenario {
	const char *waiters;
	const char *wakes;
	const char *chosen;
	bool others;
};

static const struct dax_wait_key *key_of(char letter)
{
	if (letter == 'X')
		return &key_c;
	return letter >= 'a' ? &key_a : &key_b;
}

static bool wake_by_letter(struct dax_waitq_table *table, char letter)
{
	return wake(table, key_of(letter),
		letter == 'a' || letter == 'A' ? DAX_WAKE_ALL : DAX_WAKE_NEXT);
}

static void play(struct dax_waitq_table *table, const struct scenario *scenario)
{
	struct dax_waiter waiters[WAITERS_MAX] = {0};
	struct dax_waitq *queues[WAITERS_MAX];
	char chosen[WAITERS_MAX + 1] = {0};
	bool others = false;

	for (int i = 0; scenario->waiters[i]; i++) {
		const char letter = scenario->waiters[i];

		queues[i] = enqueue(table, &waiters[i], key_of(letter),
			letter == 's' || letter == 'S' ? DAX_WAIT_SHARED
						       : DAX_WAIT_EXCLUSIVE);
	}
	for (const char *letter = scenario->wakes; *letter; letter++)
		others = wake_by_letter(table, *letter);
	for (int i = 0; scenario->waiters[i]; i++) {
		const int result =
			dax_waitq_sleep(queues[i], &waiters[i], &long_past);

		chosen[i] = result == 0		   ? '1'
			    : result == -ETIMEDOUT ? '.'
						   : '?';
	}
	if (strcmp(chosen, scenario->chosen) != 0)
		fail_msg("%s woken by %s: %s, not %s", scenario->waiters,
			scenario->wakes, chosen, scenario->chosen);
	if (others != scenario->others)
		fail_msg("%s woken by %s: wrong about others",
			scenario->waiters, scenario->wakes);
}

/* In one queue, and in a table where few keys collide. */
static void play_all(
	void **state, const struct scenario *scenarios, size_t count)
{
	struct dax_waitq_table *large;

	assert_int_equal(dax_waitq_table_new(64, 1, &large), 0);
	for (size_t i = 0; i < count; i++) {
		play(table_of(state), &scenarios[i]);
		play(large, &scenarios[i]);
	}
	dax_waitq_table_delete(&large);
}

static void wake_next_chooses_only_the_first_exclusive(void **state)
{
	static const struct scenario scenarios[] = {
		{"e", "n", "1", false},
		{"ee", "n", "1.", true},
		{"eee", "n", "1..", true},
	};

	play_all(state, scenarios, ARRAY_SIZE(scenarios));
}

static void wakes_choose_in_order_of_arrival(void **state)
{
	static const struct scenario scenarios[] = {
		{"eeee", "nn", "11..", true},
		{"eeee", "nnn", "111.", true},
		{"eeee", "nnnn", "1111", false},
		{"ee", "nnn", "11", false},
	};

	play_all(state, scenarios, ARRAY_SIZE(scenarios));
}

static void wake_next_chooses_every_shared_and_one_exclusive(void **state)
{
	static const struct scenario scenarios[] = {
		{"s", "n", "1", false},
		{"sss", "n", "111", false},
		{"ses", "n", "111", false},
		{"eses", "n", "11.1", true},
		{"sees", "nn", "1111", false},
	};

	play_all(state, scenarios, ARRAY_SIZE(scenarios));
}

static void wake_all_chooses_all(void **state)
{
	static const struct scenario scenarios[] = {
		{"e", "a", "1", false},
		{"eeee", "a", "1111", false},
		{"esse", "a", "1111", false},
	};

	play_all(state, scenarios, ARRAY_SIZE(scenarios));
}

static void a_wake_chooses_nobody_with_another_index(void **state)
{
	static const struct scenario scenarios[] = {
		{"E", "n", ".", false},
		{"S", "n", ".", false},
		{"ES", "a", "..", false},
		{"EeEe", "n", ".1..", true},
		{"EeSs", "a", ".1.1", false},
		{"SsEe", "N", "1.1.", false},
		{"eEeE", "nN", "11..", true},
		{"eEeE", "aA", "1111", false},
	};

	play_all(state, scenarios, ARRAY_SIZE(scenarios));
}

static void a_wake_chooses_nobody_with_another_owner(void **state)
{
	static const struct scenario scenarios[] = {
		{"X", "a", ".", false},
		{"Xe", "n", ".1", false},
		{"eX", "X", ".1", false},
		{"XeX", "nX", "11.", true},
	};

	play_all(state, scenarios, ARRAY_SIZE(scenarios));
}

static void a_wake_of_nobody_does_nothing(void **state)
{
	static const struct scenario scenarios[] = {
		{"", "n", "", false},
		{"", "a", "", false},
	};

	play_all(state, scenarios, ARRAY_SIZE(scenarios));
}

static void a_wake_is_not_kept_for_who_comes_later(void **state)
{
	struct dax_waiter waiter = {0};
	struct dax_waitq *queue;

	wake(table_of(state), &key_a, DAX_WAKE_NEXT);
	wake(table_of(state), &key_a, DAX_WAKE_ALL);
	queue = enqueue(table_of(state), &waiter, &key_a, DAX_WAIT_EXCLUSIVE);
	assert_int_equal(
		dax_waitq_sleep(queue, &waiter, &long_past), -ETIMEDOUT);
}

static void waking_nobody_is_fine(void **state)
{
	struct dax_woken woken = {0};

	(void)state;
	dax_waitq_wake(&woken);
}

static void woken_are_woken_once(void **state)
{
	struct dax_waitq_table *table = table_of(state);
	struct dax_waiter waiter = {0};
	struct dax_woken woken;
	struct dax_waitq *queue;

	queue = enqueue(table, &waiter, &key_a, DAX_WAIT_EXCLUSIVE);
	dax_waitq_lock(table, &key_a);
	dax_waitq_take_locked(queue, &key_a, DAX_WAKE_ALL, &woken);
	dax_waitq_unlock(queue);
	dax_waitq_wake(&woken);
	assert_int_equal(dax_waitq_sleep(queue, &waiter, &long_past), 0);
	/* Nobody is left to be woken, and the record may sleep again. */
	enqueue(table, &waiter, &key_a, DAX_WAIT_EXCLUSIVE);
	dax_waitq_wake(&woken);
	assert_int_equal(
		dax_waitq_sleep(queue, &waiter, &long_past), -ETIMEDOUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SLEEPERS_TEST(wake_next_chooses_only_the_first_exclusive),
		SLEEPERS_TEST(wakes_choose_in_order_of_arrival),
		SLEEPERS_TEST(wake_next_chooses_every_shared_and_one_exclusive),
		SLEEPERS_TEST(wake_all_chooses_all),
		SLEEPERS_TEST(a_wake_chooses_nobody_with_another_index),
		SLEEPERS_TEST(a_wake_chooses_nobody_with_another_owner),
		SLEEPERS_TEST(a_wake_of_nobody_does_nothing),
		SLEEPERS_TEST(a_wake_is_not_kept_for_who_comes_later),
		SLEEPERS_TEST(waking_nobody_is_fine),
		SLEEPERS_TEST(woken_are_woken_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Tables: how many queues, where a key goes, and the one of the process. */
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "sleepers.h"
#include "support/death.h"

static void a_table_has_a_power_of_two_of_queues(void **state)
{
	static const unsigned int wrong[] = {
		0, 3, 6, 4095, 4097, UINT32_MAX, (1u << 31) + 1};
	struct dax_waitq_table *table;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		table = (struct dax_waitq_table *)&table;
		assert_int_equal(
			dax_waitq_table_new(wrong[i], 1, &table), -EINVAL);
		assert_null(table);
	}
	for (unsigned int queues = 1; queues <= 8192; queues *= 2) {
		assert_int_equal(dax_waitq_table_new(queues, 1, &table), 0);
		assert_non_null(table);
		dax_waitq_table_delete(&table);
		assert_null(table);
	}
}

static void a_table_without_memory_is_no_table(void **state)
{
	struct dax_waitq_table *table = (struct dax_waitq_table *)&table;

	(void)state;
	sync_alloc_fail_nth(1);
	assert_int_equal(dax_waitq_table_new(1, 1, &table), -ENOMEM);
	assert_null(table);
}

static void delete_accepts_no_table(void **state)
{
	struct dax_waitq_table *table = NULL;

	(void)state;
	dax_waitq_table_delete(&table);
	assert_null(table);
}

static void delete_table(void *with)
{
	struct dax_waitq_table *table = with;

	dax_waitq_table_delete(&table);
}

static void a_table_in_which_somebody_sleeps_is_not_deleted(void **state)
{
	sleeper_start(*state, &key_a, &no_limit);
	assert_aborts_with(delete_table, table_of(state), "precondition");
}

#define QUEUES 64

/* The number of the queue of @index. */
static size_t queue_number(struct dax_waitq_table *table, uint64_t index)
{
	/* Not the address of anything, so the same in every run. */
	const struct dax_wait_key key = {(void *)0x5500, index};
	struct dax_waitq *queue = dax_waitq_lock(table, &key);

	dax_waitq_unlock(queue);
	return (size_t)(queue - table->queues);
}

static void a_key_has_one_queue_by_seed(void **state)
{
	struct dax_waitq_table *tables[3];
	bool differs = false;

	(void)state;
	assert_int_equal(dax_waitq_table_new(QUEUES, 5, &tables[0]), 0);
	assert_int_equal(dax_waitq_table_new(QUEUES, 5, &tables[1]), 0);
	assert_int_equal(dax_waitq_table_new(QUEUES, 6, &tables[2]), 0);
	for (uint64_t i = 0; i < 1000; i++) {
		const size_t number = queue_number(tables[0], i);

		assert_true(number < QUEUES);
		assert_int_equal(queue_number(tables[0], i), number);
		assert_int_equal(queue_number(tables[1], i), number);
		differs |= queue_number(tables[2], i) != number;
	}
	assert_true(differs);
	for (int i = 0; i < 3; i++)
		dax_waitq_table_delete(&tables[i]);
}

/* Neighbouring pages, and neighbouring huge pages. */
static void assert_spread(struct dax_waitq_table *table, uint64_t stride)
{
	unsigned int loads[QUEUES] = {0};

	for (uint64_t i = 0; i < 16 * QUEUES; i++)
		loads[queue_number(table, i * stride)]++;
	for (size_t i = 0; i < QUEUES; i++) {
		assert_true(loads[i] >= 16 / 4);
		assert_true(loads[i] <= 16 * 4);
	}
}

static void neighbours_spread_over_the_queues(void **state)
{
	struct dax_waitq_table *table;

	(void)state;
	assert_int_equal(dax_waitq_table_new(QUEUES, 1, &table), 0);
	assert_spread(table, 1);
	assert_spread(table, 512);
	assert_spread(table, 512 * 512);
	dax_waitq_table_delete(&table);
}

static void a_table_knows_who_sleeps_in_it(void **state)
{
	struct dax_waitq_table *table = table_of(state);
	struct dax_waiter waiters[2] = {0};
	struct dax_waitq *queue;

	assert_false(waitq_table_sleeps(table, NULL));
	queue = enqueue(table, &waiters[0], &key_b, DAX_WAIT_EXCLUSIVE);
	assert_true(waitq_table_sleeps(table, NULL));
	assert_true(waitq_table_sleeps(table, key_b.owner));
	assert_false(waitq_table_sleeps(table, key_c.owner));
	enqueue(table, &waiters[1], &key_c, DAX_WAIT_SHARED);
	assert_true(waitq_table_sleeps(table, key_c.owner));
	wake(table, &key_b, DAX_WAKE_ALL);
	assert_false(waitq_table_sleeps(table, key_b.owner));
	wake(table, &key_c, DAX_WAKE_ALL);
	assert_false(waitq_table_sleeps(table, NULL));
	for (int i = 0; i < 2; i++)
		assert_int_equal(
			dax_waitq_sleep(queue, &waiters[i], &long_past), 0);
}

/* The first call of a process can fail; the next tries again. */
static void want_default_without_memory(void *untouched)
{
	struct dax_waitq_table *table = untouched;

	sync_alloc_fail_nth(1);
	if (dax_waitq_table_default(&table) != -ENOMEM || table != untouched)
		_exit(1);
	if (dax_waitq_table_default(&table) || table == untouched)
		_exit(2);
	/* It is there: no memory is needed. */
	sync_alloc_fail_nth(1);
	if (dax_waitq_table_default(&table))
		_exit(3);
}

static void the_default_table_without_memory_is_left_for_later(void **state)
{
	assert_lives(want_default_without_memory, *state);
}

#define THREADS 4

static void wants_default(struct crew_member *me)
{
	struct dax_waitq_table **tables = me->shared;

	crew_check(me, !dax_waitq_table_default(&tables[me->number]));
}

/* The first call is once in a process: each race has its own. */
static void race_for_the_default(void *unused)
{
	struct dax_waitq_table *tables[THREADS] = {0};
	const uint64_t live = sync_alloc_live();
	struct crew crew;

	(void)unused;
	crew_start(&crew, THREADS, wants_default, tables);
	if (crew_join(&crew) || !tables[0])
		_exit(1);
	for (int i = 0; i < THREADS; i++)
		if (tables[i] != tables[0])
			_exit(2);
	if (sync_alloc_live() != live + 1)
		_exit(3);
}

static void all_threads_get_the_same_default_table(void **state)
{
	(void)state;
	for (int i = 0; i < 30; i++)
		assert_lives(race_for_the_default, NULL);
}

static void the_default_table_has_many_queues_and_a_seed(void **state)
{
	struct dax_waitq_table *tables[THREADS] = {0};
	struct crew crew;

	(void)state;
	crew_start(&crew, THREADS, wants_default, tables);
	crew_assert_content(&crew);
	for (int i = 0; i < THREADS; i++)
		assert_ptr_equal(tables[i], tables[0]);
	assert_non_null(tables[0]);
	assert_int_equal(
		(uint64_t)1 << (64 - tables[0]->shift), DAX_WAITQ_TABLE_QUEUES);
	assert_int_not_equal(tables[0]->seed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SLEEPERS_TEST(a_table_has_a_power_of_two_of_queues),
		SLEEPERS_TEST(a_table_without_memory_is_no_table),
		SLEEPERS_TEST(delete_accepts_no_table),
		SLEEPERS_TEST(a_table_in_which_somebody_sleeps_is_not_deleted),
		SLEEPERS_TEST(a_key_has_one_queue_by_seed),
		SLEEPERS_TEST(neighbours_spread_over_the_queues),
		SLEEPERS_TEST(a_table_knows_who_sleeps_in_it),
		SLEEPERS_TEST(
			the_default_table_without_memory_is_left_for_later),
		/* No fixture: the default table is never freed. */
		cmocka_unit_test(all_threads_get_the_same_default_table),
		cmocka_unit_test(the_default_table_has_many_queues_and_a_seed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

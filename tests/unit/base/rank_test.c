/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The order of enum rank executes: a lock out of order, and a release of what
 * this thread does not hold, abort and print the chain held. Entries are the
 * exception: of them a thread may hold several, taken in ascending order.
 */
#include <signal.h>
#include <string.h>

#include "base/sync.h"
#include "support/cmocka.h"
#include "support/death.h"

#define FIRST_RANK RANK_INODE
#define LAST_RANK  RANK_LEAF

static char objects[2]; /* ascending addresses */

static int teardown(void **state)
{
	(void)state;
	sync_rank_chain()->depth = 0;
	return 0;
}

static struct rank_lock lock_of(unsigned int rank)
{
	return (struct rank_lock){.object = objects, .rank = (enum rank)rank};
}

static struct rank_lock entry_lock(unsigned int object, uint64_t index)
{
	return (struct rank_lock){
		.object = &objects[object], .index = index, .rank = RANK_ENTRY};
}

static void check(void *lock)
{
	rank_check(*(struct rank_lock *)lock);
}

static void pop(void *lock)
{
	rank_pop(*(struct rank_lock *)lock);
}

static void a_lock_below_every_one_held_is_accepted(void **state)
{
	(void)state;
	for (unsigned int rank = FIRST_RANK; rank <= LAST_RANK; rank++) {
		rank_check(lock_of(rank));
		rank_push(lock_of(rank));
	}
	assert_int_equal(sync_rank_chain()->depth, LAST_RANK - FIRST_RANK + 1);
}

static void every_rank_may_follow_every_lower_one(void **state)
{
	(void)state;
	for (unsigned int held = FIRST_RANK; held < LAST_RANK; held++) {
		rank_push(lock_of(held));
		for (unsigned int next = held + 1; next <= LAST_RANK; next++)
			rank_check(lock_of(next));
		rank_pop(lock_of(held));
	}
}

static void a_lock_of_no_rank_may_be_taken_at_any_time(void **state)
{
	(void)state;
	rank_push(lock_of(RANK_NONE));
	for (unsigned int rank = FIRST_RANK; rank <= LAST_RANK; rank++) {
		rank_check(lock_of(rank));
		rank_push(lock_of(rank));
		rank_check(lock_of(RANK_NONE));
	}
	assert_true(rank_holds(lock_of(RANK_NONE)));
}

static void a_lower_rank_is_refused(void **state)
{
	(void)state;
	for (unsigned int held = FIRST_RANK + 1; held <= LAST_RANK; held++) {
		struct rank_lock lower = lock_of(held - 1);

		rank_push(lock_of(held));
		assert_aborts_with(check, &lower, "out of rank");
		rank_pop(lock_of(held));
	}
}

static void a_second_lock_of_a_rank_is_refused(void **state)
{
	(void)state;
	for (unsigned int rank = FIRST_RANK; rank <= LAST_RANK; rank++) {
		struct rank_lock same = lock_of(rank);

		rank_push(lock_of(rank));
		assert_aborts_with(check, &same, "out of rank");
		/* Another lock, of the same rank. */
		same.object = &objects[1];
		if (rank != RANK_ENTRY && rank != RANK_INODE &&
			rank != RANK_INVALIDATE)
			assert_aborts_with(check, &same, "out of rank");
		rank_pop(lock_of(rank));
	}
}

static void two_files_are_locked_in_order_of_address(void **state)
{
	static const enum rank ranks[] = {RANK_INODE, RANK_INVALIDATE};

	(void)state;
	for (unsigned int i = 0; i < sizeof(ranks) / sizeof(ranks[0]); i++) {
		struct rank_lock low = lock_of(ranks[i]);
		struct rank_lock high = low;

		high.object = &objects[1];
		rank_push(low);
		rank_check(high);
		rank_pop(low);
		rank_push(high);
		assert_aborts_with(check, &low, "out of rank");
		rank_pop(high);
	}
}

static void every_lock_held_is_looked_at_not_only_the_last(void **state)
{
	struct rank_lock between = lock_of(RANK_PTE);

	(void)state;
	rank_push(lock_of(RANK_TREE));
	/* Taken without waiting, so out of order. */
	rank_push(lock_of(RANK_MMAP));
	assert_aborts_with(check, &between, "out of rank");
}

static void an_entry_may_follow_one_of_a_lower_index(void **state)
{
	(void)state;
	rank_push(entry_lock(0, 7));
	rank_check(entry_lock(0, 8));
	rank_push(entry_lock(0, 8));
	rank_check(entry_lock(0, UINT64_MAX));
}

static void an_entry_may_follow_one_of_a_lower_mapping(void **state)
{
	(void)state;
	rank_push(entry_lock(0, 7));
	rank_check(entry_lock(1, 0));
}

static void an_entry_after_one_of_a_higher_index_is_refused(void **state)
{
	struct rank_lock lower = entry_lock(0, 6);

	(void)state;
	rank_push(entry_lock(0, 7));
	assert_aborts_with(check, &lower, "index 0x6");
}

static void an_entry_after_one_of_a_higher_mapping_is_refused(void **state)
{
	struct rank_lock lower = entry_lock(0, 9);

	(void)state;
	rank_push(entry_lock(1, 7));
	assert_aborts_with(check, &lower, "out of rank");
}

static void an_entry_between_two_held_is_refused(void **state)
{
	struct rank_lock between = entry_lock(0, 8);

	(void)state;
	rank_push(entry_lock(0, 7));
	rank_push(entry_lock(0, 9));
	assert_aborts_with(check, &between, "out of rank");
}

static void a_lock_taken_without_waiting_needs_no_order(void **state)
{
	(void)state;
	rank_push(entry_lock(0, 7));
	rank_push(entry_lock(0, 3));
	assert_true(rank_holds(entry_lock(0, 7)));
	assert_true(rank_holds(entry_lock(0, 3)));
}

static void locks_are_released_in_any_order(void **state)
{
	(void)state;
	for (unsigned int rank = RANK_MMAP; rank <= RANK_PTE; rank++)
		rank_push(lock_of(rank));
	rank_pop(lock_of(RANK_ENTRY));
	rank_pop(lock_of(RANK_MMAP));
	rank_pop(lock_of(RANK_EXTENT));
	assert_true(rank_holds(lock_of(RANK_INVALIDATE)));
	assert_true(rank_holds(lock_of(RANK_I_MMAP)));
	assert_true(rank_holds(lock_of(RANK_PTE)));
	assert_false(rank_holds(lock_of(RANK_ENTRY)));
	rank_pop(lock_of(RANK_PTE));
	rank_pop(lock_of(RANK_INVALIDATE));
	rank_pop(lock_of(RANK_I_MMAP));
	assert_int_equal(sync_rank_chain()->depth, 0);
}

static void a_released_lock_is_forgotten(void **state)
{
	(void)state;
	rank_push(lock_of(RANK_LEAF));
	rank_pop(lock_of(RANK_LEAF));
	rank_check(lock_of(RANK_INODE));
	assert_false(rank_holds(lock_of(RANK_LEAF)));
}

static void a_release_of_what_is_not_held_aborts(void **state)
{
	struct rank_lock not_held[] = {
		entry_lock(0, 8), entry_lock(1, 7), lock_of(RANK_TREE)};

	(void)state;
	rank_push(entry_lock(0, 7));
	for (size_t i = 0; i < ARRAY_SIZE(not_held); i++)
		assert_aborts_with(pop, &not_held[i], "does not hold");
}

static void the_chain_held_is_printed(void **state)
{
	struct rank_lock lower = lock_of(RANK_MMAP);
	struct death death;

	(void)state;
	rank_push(lock_of(RANK_INVALIDATE));
	rank_push(entry_lock(0, 0x70));
	death = death_of(check, &lower);
	assert_non_null(strstr(death.words, "holds INVALIDATE"));
	assert_non_null(strstr(death.words, "holds ENTRY"));
	assert_non_null(strstr(death.words, "index 0x70"));
	assert_non_null(strstr(death.words, "wants MMAP"));
}

static void holds_any_asks_for_a_rank(void **state)
{
	(void)state;
	assert_false(rank_holds_any(RANK_ENTRY));
	rank_push(entry_lock(0, 7));
	rank_push(lock_of(RANK_TREE));
	assert_true(rank_holds_any(RANK_ENTRY));
	assert_true(rank_holds_any(RANK_TREE));
	assert_false(rank_holds_any(RANK_WAITQ));
}

static void fill_chain(void *with)
{
	const unsigned int *locks = with;

	for (unsigned int i = 0; i < *locks; i++)
		rank_push(entry_lock(0, i));
}

static void a_chain_holds_as_many_locks_as_it_says(void **state)
{
	unsigned int locks = RANK_CHAIN_MAX;

	(void)state;
	assert_lives(fill_chain, &locks);
	locks++;
	assert_aborts_with(fill_chain, &locks, "precondition");
}

#define RANK_TEST(test) cmocka_unit_test_teardown(test, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RANK_TEST(a_lock_below_every_one_held_is_accepted),
		RANK_TEST(every_rank_may_follow_every_lower_one),
		RANK_TEST(a_lock_of_no_rank_may_be_taken_at_any_time),
		RANK_TEST(a_lower_rank_is_refused),
		RANK_TEST(a_second_lock_of_a_rank_is_refused),
		RANK_TEST(two_files_are_locked_in_order_of_address),
		RANK_TEST(every_lock_held_is_looked_at_not_only_the_last),
		RANK_TEST(an_entry_may_follow_one_of_a_lower_index),
		RANK_TEST(an_entry_may_follow_one_of_a_lower_mapping),
		RANK_TEST(an_entry_after_one_of_a_higher_index_is_refused),
		RANK_TEST(an_entry_after_one_of_a_higher_mapping_is_refused),
		RANK_TEST(an_entry_between_two_held_is_refused),
		RANK_TEST(a_lock_taken_without_waiting_needs_no_order),
		RANK_TEST(locks_are_released_in_any_order),
		RANK_TEST(a_released_lock_is_forgotten),
		RANK_TEST(a_release_of_what_is_not_held_aborts),
		RANK_TEST(the_chain_held_is_printed),
		RANK_TEST(holds_any_asks_for_a_rank),
		RANK_TEST(a_chain_holds_as_many_locks_as_it_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A split puts a small entry in the place of a large one, in one step to
 * every reader, and no mark set meanwhile is lost without a trace.
 */
#include <signal.h>
#include <string.h>

#include "fixture.h"
#include "support/crew.h"
#include "support/death.h"
#include "support/random.h"

#define DIRTY	DAX_MARK_DIRTY
#define TOWRITE DAX_MARK_TOWRITE

struct splitting {
	unsigned int large;
	unsigned int small;
	unsigned int new_nodes;
};

static const struct splitting splittings[] = {
	{DAX_PMD, DAX_PTE, 1},
	{DAX_PUD, DAX_PMD, 1},
	{DAX_PUD, DAX_PTE, 2},
};

static uint64_t large_of(const struct splitting *it)
{
	return dax_make_entry(1, it->large) | WORD_LOCKED;
}

static uint64_t small_of(const struct splitting *it)
{
	return dax_make_entry(2, it->small) | WORD_LOCKED;
}

#define assert_split(tree, index, word, expected_old)                          \
	do {                                                                   \
		uint64_t old_;                                                 \
                                                                               \
		assert_int_equal(tree_split(tree, index, word, &old_), 0);     \
		assert_int_equal(old_, expected_old);                          \
	} while (0)

/* tree_verify() wants nothing locked. */
#define assert_unlock(tree, index)                                             \
	do {                                                                   \
		const uint64_t locked_ = dax_tree_load(tree, index);           \
                                                                               \
		assert_int_equal(dax_tree_replace(tree, index, locked_,        \
					 locked_ & ~WORD_LOCKED),              \
			0);                                                    \
	} while (0)

static void assert_splits_at(
	struct dax_tree *tree, const struct splitting *it, uint64_t index)
{
	const uint64_t start = dax_entry_start(large_of(it), index);
	const uint64_t end =
		start + ((uint64_t)1 << dax_entry_order(large_of(it)));
	size_t nodes;

	assert_insert(tree, start, large_of(it));
	nodes = dax_tree_nr_nodes(tree);
	assert_split(tree, index, small_of(it), large_of(it));
	assert_int_equal(dax_tree_nr_nodes(tree), nodes + it->new_nodes);
	for (uint64_t i = start; i < end; i++)
		assert_load(tree, i,
			dax_entry_start(small_of(it), i) ==
					dax_entry_start(small_of(it), index)
				? small_of(it)
				: 0);
	assert_unlock(tree, index);
	assert_tree(tree, (uint64_t)1 << dax_entry_order(small_of(it)));
	assert_erase(tree, index);
	assert_int_equal(dax_tree_nr_nodes(tree), 0);
}

static void the_small_entry_stands_where_the_large_one_was(void **state)
{
	struct dax_tree *tree = tree_of(state);

	for (size_t i = 0; i < ARRAY_SIZE(splittings); i++) {
		const uint64_t pages = (uint64_t)1 << dax_entry_order(
					       large_of(&splittings[i]));

		if (DAX_PMD_ORDER > 4 && pages > PMD_PAGES)
			continue; /* 2^18 loads; order 2 does it */
		assert_splits_at(tree, &splittings[i], 0);
		assert_splits_at(tree, &splittings[i], 3 * pages + 1);
		assert_splits_at(tree, &splittings[i], -1);
	}
}

static void the_rest_of_the_range_is_free(void **state)
{
	struct dax_tree *tree = tree_of(state);

	assert_insert(tree, 0, pud(1) | WORD_LOCKED);
	assert_split(tree, PMD_PAGES + 1, pte(2) | WORD_LOCKED,
		pud(1) | WORD_LOCKED);
	assert_insert(tree, PMD_PAGES, pte(3));
	assert_insert(tree, 0, pmd(4));
	assert_unlock(tree, PMD_PAGES + 1);
	assert_tree(tree, PMD_PAGES + 2);
}

static void the_old_word_comes_back_as_it_was(void **state)
{
	const uint64_t waited_for = pmd(1) | WORD_LOCKED | WORD_WAITERS;
	struct dax_tree *tree = tree_of(state);

	assert_insert(tree, 0, waited_for);
	assert_split(tree, 1, pte(2) | WORD_LOCKED, waited_for);
}

static void marks_leave_with_the_large_entry(void **state)
{
	struct dax_tree *tree = tree_of(state);

	for (size_t i = 0; i < ARRAY_SIZE(splittings); i++) {
		const struct splitting *it = &splittings[i];
		const uint64_t pages = (uint64_t)1
				       << dax_entry_order(small_of(it));

		assert_insert(tree, 0, large_of(it));
		assert_true(dax_tree_set_mark(tree, 0, DIRTY));
		assert_true(dax_tree_set_mark(tree, 0, TOWRITE));
		assert_split(tree, 0, small_of(it), large_of(it) | WORD_MARKS);
		assert_load(tree, 0, small_of(it));
		assert_false(dax_tree_marked(tree, DIRTY));
		assert_false(dax_tree_marked(tree, TOWRITE));
		assert_unlock(tree, 0);
		assert_tree(tree, pages);
		assert_erase(tree, 0);
	}
}

static void a_neighbours_marks_stay(void **state)
{
	struct dax_tree *tree = tree_of(state);

	assert_insert(tree, 0, pmd(1) | WORD_LOCKED);
	assert_insert(tree, PMD_PAGES, pmd(3));
	assert_true(dax_tree_set_mark(tree, 0, DIRTY));
	assert_true(dax_tree_set_mark(tree, PMD_PAGES, DIRTY));
	assert_split(tree, 1, pte(2) | WORD_LOCKED,
		pmd(1) | WORD_LOCKED | WORD_MARK(DIRTY));
	assert_true(dax_tree_marked(tree, DIRTY));
	assert_true(dax_tree_get_mark(tree, PMD_PAGES, DIRTY));
	assert_unlock(tree, 1);
	assert_tree(tree, PMD_PAGES + 1);
}

struct split_call {
	struct dax_tree *tree;
	uint64_t word;
};

static void split_at_zero(void *with)
{
	const struct split_call *call = with;
	uint64_t old;
	int error = tree_split(call->tree, 0, call->word, &old);

	(void)error;
}

static void only_a_larger_entry_that_is_locked_is_split(void **state)
{
	struct dax_tree *tree = tree_of(state);
	struct split_call small = {tree, pte(2) | WORD_LOCKED};
	struct split_call same = {tree, pmd(2) | WORD_LOCKED};

	assert_insert(tree, 0, pmd(1));
	assert_aborts_with(split_at_zero, &small, "invariant");
	assert_int_equal(
		dax_tree_replace(tree, 0, pmd(1), pmd(1) | WORD_LOCKED), 0);
	assert_aborts_with(split_at_zero, &same, "invariant");
}

#define RANGES 1000

/* Large entries one behind the other; each is split while others look. */
struct race {
	struct dax_tree *tree;
	atomic_uint turn;   /* the range that is split now; RANGES: the end */
	atomic_uint marked; /* ranges that were marked */
	bool set[RANGES];   /* owner: who marks; read after the join */
};

static uint64_t race_index(unsigned int range)
{
	return range * PMD_PAGES + 1;
}

static void race_setup(struct race *race, struct dax_tree *tree)
{
	*race = (struct race){.tree = tree};
	for (unsigned int i = 0; i < RANGES; i++)
		assert_insert(tree, race_index(i), pmd(1) | WORD_LOCKED);
}

static void never_sees_a_gap(struct crew_member *me)
{
	struct race *race = me->shared;
	unsigned int range;

	while ((range = atomic_load(&race->turn)) < RANGES) {
		const uint64_t word =
			dax_tree_load(race->tree, race_index(range));

		crew_check(me, word == (pmd(1) | WORD_LOCKED) ||
				       word == (pte(2) | WORD_LOCKED));
	}
}

static void no_reader_sees_the_range_empty(void **state)
{
	struct race race;
	struct crew crew;

	race_setup(&race, tree_of(state));
	crew_start(&crew, 2, never_sees_a_gap, &race);
	for (unsigned int i = 0; i < RANGES; i++) {
		atomic_store(&race.turn, i);
		sched_yield();
		assert_split(race.tree, race_index(i), pte(2) | WORD_LOCKED,
			pmd(1) | WORD_LOCKED);
	}
	atomic_store(&race.turn, RANGES);
	crew_assert_content(&crew);
}

static void marks_each_range(struct crew_member *me)
{
	struct race *race = me->shared;

	for (unsigned int i = 0; i < RANGES; i++) {
		crew_await(atomic_load(&race->turn) >= i);
		race->set[i] =
			dax_tree_set_mark(race->tree, race_index(i), DIRTY);
		atomic_store(&race->marked, i + 1);
	}
}

/* Until the way down to the entry is being walked, or a little longer. */
static void await_marking(
	struct race *race, unsigned int range, uint64_t longer)
{
	for (unsigned int turns = 1;
		atomic_load(&race->marked) <= range &&
		atomic_load(&race->tree->lock.state) == SYNC_UNLOCKED;
		turns++)
		turns % 256 ? sync_relax() : (void)sched_yield();
	while (longer--)
		sync_relax();
}

static void a_mark_set_meanwhile_is_in_the_old_word_or_the_new(void **state)
{
	static uint64_t old[RANGES];
	struct random random = random_of(1);
	struct race race;
	struct crew crew;

	/* A tall tree: a long way to walk. */
	assert_insert(tree_of(state), LAST_PAGE, pte(3));
	race_setup(&race, tree_of(state));
	crew_start(&crew, 1, marks_each_range, &race);
	for (unsigned int i = 0; i < RANGES; i++) {
		atomic_store(&race.turn, i);
		await_marking(&race, i, random_below(&random, 64));
		assert_int_equal(tree_split(race.tree, race_index(i),
					 pte(2) | WORD_LOCKED, &old[i]),
			0);
	}
	crew_assert_content(&crew);
	for (unsigned int i = 0; i < RANGES; i++) {
		assert_true(race.set[i]);
		assert_int_equal(
			!dax_tree_get_mark(race.tree, race_index(i), DIRTY),
			word_has(old[i], WORD_MARK(DIRTY)));
		assert_unlock(race.tree, race_index(i));
	}
	assert_tree(race.tree, RANGES + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TREE_TEST(the_small_entry_stands_where_the_large_one_was),
		TREE_TEST(the_rest_of_the_range_is_free),
		TREE_TEST(the_old_word_comes_back_as_it_was),
		TREE_TEST(marks_leave_with_the_large_entry),
		TREE_TEST(a_neighbours_marks_stay),
		TREE_TEST(only_a_larger_entry_that_is_locked_is_split),
		TREE_TEST(no_reader_sees_the_range_empty),
		TREE_TEST(a_mark_set_meanwhile_is_in_the_old_word_or_the_new),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

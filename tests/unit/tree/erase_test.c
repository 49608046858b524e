/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An erase takes the entry that the caller saw, once; nodes left empty leave
 * the tree with it, and their memory comes back after a grace period.
 */
#include "fixture.h"
#include "support/crew.h"

static void an_erase_by_any_index_takes_the_whole_entry(void **state)
{
	struct dax_tree *tree = tree_of(state);

	for (size_t i = 0; i < ENTRY_SIZES; i++) {
		const uint64_t pages = pages_of(&entry_sizes[i]);
		const uint64_t word = dax_make_entry(1, entry_sizes[i].flag);

		assert_insert(tree, 2 * pages, word);
		assert_int_equal(
			dax_tree_erase(tree, 2 * pages + pages / 2, word), 0);
		assert_load(tree, 2 * pages, 0);
		assert_load(tree, 3 * pages - 1, 0);
		assert_tree(tree, 0);
	}
}

static void an_erase_of_another_word_does_nothing(void **state)
{
	struct dax_tree *tree = tree_of(state);

	assert_insert(tree, 1, pte(1));
	assert_int_equal(dax_tree_erase(tree, 1, pte(2)), -EAGAIN);
	assert_int_equal(
		dax_tree_erase(tree, 1, pte(1) | WORD_LOCKED), -EAGAIN);
	assert_load(tree, 1, pte(1));
	assert_tree(tree, 1);
}

static void an_erase_where_nothing_is_does_nothing(void **state)
{
	struct dax_tree *tree = tree_of(state);

	assert_int_equal(dax_tree_erase(tree, 1, pte(1)), -EAGAIN);
	assert_insert(tree, 0, pte(1));
	assert_int_equal(dax_tree_erase(tree, 1, pte(1)), -EAGAIN);
	assert_int_equal(dax_tree_erase(tree, LAST_PAGE, pte(1)), -EAGAIN);
	assert_tree(tree, 1);
}

static void an_entry_is_erased_once(void **state)
{
	struct dax_tree *tree = tree_of(state);

	assert_insert(tree, 1, pte(1));
	assert_int_equal(dax_tree_erase(tree, 1, pte(1)), 0);
	assert_int_equal(dax_tree_erase(tree, 1, pte(1)), -EAGAIN);
}

static void neighbours_of_an_erased_entry_stay(void **state)
{
	struct dax_tree *tree = tree_of(state);

	for (uint64_t i = 0; i < 3; i++)
		assert_insert(tree, i, pte(i + 1));
	assert_erase(tree, 1);
	assert_load(tree, 0, pte(1));
	assert_load(tree, 1, 0);
	assert_load(tree, 2, pte(3));
	assert_tree(tree, 2);
}

static const uint64_t far_apart[] = {0, 1, PMD_PAGES, PUD_PAGES - 1,
	5 * PUD_PAGES, (uint64_t)1 << 40, LAST_PAGE / 2, LAST_PAGE};

static void nodes_leave_with_their_last_entry(void **state)
{
	struct tree_fixture *fixture = *state;
	struct dax_tree *tree = fixture->tree;

	for (size_t i = 0; i < ARRAY_SIZE(far_apart); i++)
		assert_insert(tree, far_apart[i], pte(i + 1));
	for (size_t i = 0; i < ARRAY_SIZE(far_apart); i++) {
		const size_t nodes = dax_tree_nr_nodes(tree);

		assert_erase(tree, far_apart[i]);
		assert_tree(tree, ARRAY_SIZE(far_apart) - i - 1);
		assert_true(dax_tree_nr_nodes(tree) <= nodes);
	}
	assert_int_equal(dax_tree_nr_nodes(tree), 0);
	assert_int_equal(tree_blocks(fixture), 0);
}

static void memory_comes_back_after_the_barrier(void **state)
{
	struct tree_fixture *fixture = *state;

	for (int round = 0; round < 20; round++)
		for (size_t i = 0; i < ARRAY_SIZE(far_apart); i++) {
			assert_insert(fixture->tree, far_apart[i], pte(1));
			assert_erase(fixture->tree, far_apart[i]);
		}
	assert_int_equal(dax_tree_nr_nodes(fixture->tree), 0);
	assert_int_equal(tree_blocks(fixture), 0);
}

static void delete_frees_a_full_tree(void **state)
{
	struct dax_tree *tree = tree_of(state);

	for (size_t i = 0; i < ARRAY_SIZE(far_apart); i++)
		assert_insert(tree, far_apart[i], pte(i + 1));
	assert_insert(tree, 9 * PUD_PAGES, pud(1));
	/* The teardown counts. */
}

static void delete_accepts_no_tree(void **state)
{
	struct dax_tree *tree = NULL;

	(void)state;
	dax_tree_delete(&tree);
	assert_null(tree);
}

static void delete_forgets_the_tree(void **state)
{
	struct dax_tree *tree;

	(void)state;
	assert_int_equal(dax_tree_new(&tree), 0);
	dax_tree_delete(&tree);
	assert_null(tree);
}

#define THREADS 3
#define ENTRIES 64

struct race {
	struct dax_tree *tree;
	uint64_t erased[THREADS]; /* owner: the thread; read after the join */
};

static void erases_all(struct crew_member *me)
{
	struct race *race = me->shared;

	for (uint64_t i = 0; i < ENTRIES; i++)
		race->erased[me->number] +=
			!dax_tree_erase(race->tree, i * PMD_PAGES, pte(i + 1));
}

static void of_several_threads_one_erases_an_entry(void **state)
{
	struct race race = {.tree = tree_of(state)};
	uint64_t erased = 0;
	struct crew crew;

	for (int round = 0; round < 10; round++) {
		for (uint64_t i = 0; i < ENTRIES; i++)
			assert_insert(race.tree, i * PMD_PAGES, pte(i + 1));
		crew_start(&crew, THREADS, erases_all, &race);
		crew_assert_content(&crew);
		assert_int_equal(dax_tree_nr_nodes(race.tree), 0);
	}
	for (int i = 0; i < THREADS; i++)
		erased += race.erased[i];
	assert_int_equal(erased, 10 * ENTRIES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TREE_TEST(an_erase_by_any_index_takes_the_whole_entry),
		TREE_TEST(an_erase_of_another_word_does_nothing),
		TREE_TEST(an_erase_where_nothing_is_does_nothing),
		TREE_TEST(an_entry_is_erased_once),
		TREE_TEST(neighbours_of_an_erased_entry_stay),
		TREE_TEST(nodes_leave_with_their_last_entry),
		TREE_TEST(memory_comes_back_after_the_barrier),
		TREE_TEST(delete_frees_a_full_tree),
		TREE_TEST(delete_accepts_no_tree),
		TREE_TEST(delete_forgets_the_tree),
		TREE_TEST(of_several_threads_one_erases_an_entry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

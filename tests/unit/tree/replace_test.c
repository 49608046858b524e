/* SPDX-License-Identifier: BSD-3-Clause */
/* A replace is a compare and swap of a whole entry, whatever its size. */
#include <signal.h>
#include <string.h>

#include "fixture.h"
#include "support/crew.h"
#include "support/death.h"

static void a_replace_changes_the_word_at_every_index(void **state)
{
	struct dax_tree *tree = tree_of(state);

	for (size_t i = 0; i < ENTRY_SIZES; i++) {
		const uint64_t pages = pages_of(&entry_sizes[i]);
		const uint64_t one = dax_make_entry(1, entry_sizes[i].flag);
		const uint64_t two = dax_make_entry(2, entry_sizes[i].flag);

		assert_insert(tree, 2 * pages, one);
		assert_int_equal(
			dax_tree_replace(tree, 3 * pages - 1, one, two), 0);
		assert_load(tree, 2 * pages, two);
		assert_load(tree, 3 * pages - 1, two);
		assert_tree(tree, pages);
		assert_erase(tree, 2 * pages);
	}
}

static void a_replace_of_another_word_changes_nothing(void **state)
{
	struct dax_tree *tree = tree_of(state);

	assert_insert(tree, 1, pte(1));
	assert_int_equal(dax_tree_replace(tree, 1, pte(2), pte(3)), -EAGAIN);
	assert_int_equal(
		dax_tree_replace(tree, 1, pte(1) | WORD_LOCKED, pte(3)),
		-EAGAIN);
	assert_load(tree, 1, pte(1));
}

static void a_replace_where_nothing_is_does_nothing(void **state)
{
	struct dax_tree *tree = tree_of(state);

	assert_int_equal(dax_tree_replace(tree, 1, pte(1), pte(2)), -EAGAIN);
	assert_insert(tree, 0, pte(1));
	assert_int_equal(dax_tree_replace(tree, 1, pte(1), pte(2)), -EAGAIN);
	assert_int_equal(
		dax_tree_replace(tree, LAST_PAGE, pte(1), pte(2)), -EAGAIN);
	assert_load(tree, 1, 0);
	assert_tree(tree, 1);
}

static void a_replace_of_another_size_does_nothing(void **state)
{
	struct dax_tree *tree = tree_of(state);

	assert_insert(tree, 0, pmd(1));
	assert_int_equal(dax_tree_replace(tree, 0, pte(1), pte(2)), -EAGAIN);
	assert_load(tree, 0, pmd(1));
}

static void a_replace_flips_the_lock_bit(void **state)
{
	struct dax_tree *tree = tree_of(state);

	assert_insert(tree, 0, pmd(1));
	assert_int_equal(
		dax_tree_replace(tree, 1, pmd(1), pmd(1) | WORD_LOCKED), 0);
	assert_true(dax_is_locked_entry(dax_tree_load(tree, 0)));
	assert_int_equal(
		dax_tree_replace(tree, 1, pmd(1) | WORD_LOCKED, pmd(1)), 0);
	assert_load(tree, 0, pmd(1));
}

static void a_replace_keeps_marks(void **state)
{
	struct dax_tree *tree = tree_of(state);

	assert_insert(tree, 3, pte(1));
	assert_true(dax_tree_set_mark(tree, 3, DAX_MARK_DIRTY));
	assert_int_equal(dax_tree_replace(tree, 3, pte(1) | WORD_MARK(0),
				 pte(2) | WORD_MARK(0)),
		0);
	assert_true(dax_tree_get_mark(tree, 3, DAX_MARK_DIRTY));
	assert_tree(tree, 1);
}

static void a_replace_that_does_not_know_of_a_mark_fails(void **state)
{
	struct dax_tree *tree = tree_of(state);

	assert_insert(tree, 3, pte(1));
	assert_true(dax_tree_set_mark(tree, 3, DAX_MARK_TOWRITE));
	assert_int_equal(dax_tree_replace(tree, 3, pte(1), pte(2)), -EAGAIN);
	assert_true(dax_tree_get_mark(tree, 3, DAX_MARK_TOWRITE));
}

struct replacement {
	struct dax_tree *tree;
	uint64_t old;
	uint64_t word;
};

static void replace(void *with)
{
	const struct replacement *it = with;
	int error = dax_tree_replace(it->tree, 0, it->old, it->word);

	(void)error;
}

static void a_replace_changes_neither_size_nor_marks(void **state)
{
	struct dax_tree *tree = tree_of(state);
	struct replacement wrong[] = {
		{tree, pte(1), pmd(1)},
		{tree, pmd(1), pud(1)},
		{tree, pte(1), pte(1) | WORD_MARK(0)},
		{tree, pte(1) | WORD_MARK(1), pte(1)},
		{tree, pte(1), 0},
		{tree, 0, pte(1)},
	};

	assert_insert(tree, 0, pte(1));
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_aborts_with(replace, &wrong[i], "precondition");
}

#define THREADS 3
#define TURNS	1500

/* Counts in the entry's pfn. */
static void counts_up(struct crew_member *me)
{
	struct dax_tree *tree = me->shared;

	for (int done = 0; done < TURNS;) {
		const uint64_t word = dax_tree_load(tree, PMD_PAGES + 1);

		done += !dax_tree_replace(
			tree, PMD_PAGES + 1, word, pmd(dax_to_pfn(word) + 1));
	}
}

static void no_replace_of_several_threads_is_lost(void **state)
{
	struct dax_tree *tree = tree_of(state);
	struct crew crew;

	assert_insert(tree, PMD_PAGES, pmd(0));
	crew_start(&crew, THREADS, counts_up, tree);
	crew_assert_content(&crew);
	assert_load(tree, PMD_PAGES, pmd(THREADS * TURNS));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TREE_TEST(a_replace_changes_the_word_at_every_index),
		TREE_TEST(a_replace_of_another_word_changes_nothing),
		TREE_TEST(a_replace_where_nothing_is_does_nothing),
		TREE_TEST(a_replace_of_another_size_does_nothing),
		TREE_TEST(a_replace_flips_the_lock_bit),
		TREE_TEST(a_replace_keeps_marks),
		TREE_TEST(a_replace_that_does_not_know_of_a_mark_fails),
		TREE_TEST(a_replace_changes_neither_size_nor_marks),
		TREE_TEST(no_replace_of_several_threads_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

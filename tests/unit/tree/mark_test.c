/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A mark belongs to an entry: it comes and goes with it, whatever its size,
 * and each node above knows of it for as long as it is there (G5).
 */
#include "fixture.h"
#include "support/crew.h"

#define DIRTY	DAX_MARK_DIRTY
#define TOWRITE DAX_MARK_TOWRITE

static void a_new_entry_has_no_mark(void **state)
{
	struct dax_tree *tree = tree_of(state);

	assert_insert(tree, 1, pte(1));
	assert_false(dax_tree_get_mark(tree, 1, DIRTY));
	assert_false(dax_tree_get_mark(tree, 1, TOWRITE));
	assert_false(dax_tree_marked(tree, DIRTY));
	assert_false(dax_tree_marked(tree, TOWRITE));
}

static void a_mark_is_set_and_cleared_at_any_index(void **state)
{
	struct dax_tree *tree = tree_of(state);

	for (size_t i = 0; i < ENTRY_SIZES; i++) {
		const uint64_t pages = pages_of(&entry_sizes[i]);
		const uint64_t word = dax_make_entry(1, entry_sizes[i].flag);
		const uint64_t first = 2 * pages;
		const uint64_t last = 3 * pages - 1;

		assert_insert(tree, first, word);
		assert_true(dax_tree_set_mark(tree, last, DIRTY));
		assert_true(dax_tree_get_mark(tree, first, DIRTY));
		assert_true(dax_tree_get_mark(tree, last, DIRTY));
		assert_load(tree, first, word | WORD_MARK(DIRTY));
		assert_true(dax_tree_marked(tree, DIRTY));
		assert_tree(tree, pages);
		dax_tree_clear_mark(tree, first + pages / 2, DIRTY);
		assert_load(tree, first, word);
		assert_false(dax_tree_marked(tree, DIRTY));
		assert_tree(tree, pages);
		assert_erase(tree, first);
	}
}

static void the_marks_are_independent(void **state)
{
	struct dax_tree *tree = tree_of(state);

	assert_insert(tree, 1, pte(1));
	assert_true(dax_tree_set_mark(tree, 1, TOWRITE));
	assert_false(dax_tree_get_mark(tree, 1, DIRTY));
	assert_false(dax_tree_marked(tree, DIRTY));
	assert_true(dax_tree_set_mark(tree, 1, DIRTY));
	dax_tree_clear_mark(tree, 1, TOWRITE);
	assert_true(dax_tree_get_mark(tree, 1, DIRTY));
	assert_true(dax_tree_marked(tree, DIRTY));
	assert_false(dax_tree_marked(tree, TOWRITE));
	assert_tree(tree, 1);
}

static void setting_twice_is_setting_once(void **state)
{
	struct dax_tree *tree = tree_of(state);

	assert_insert(tree, 1, pte(1));
	assert_true(dax_tree_set_mark(tree, 1, DIRTY));
	assert_true(dax_tree_set_mark(tree, 1, DIRTY));
	dax_tree_clear_mark(tree, 1, DIRTY);
	assert_false(dax_tree_get_mark(tree, 1, DIRTY));
	assert_tree(tree, 1);
}

static void where_nothing_is_nothing_is_marked(void **state)
{
	struct dax_tree *tree = tree_of(state);

	assert_false(dax_tree_set_mark(tree, 1, DIRTY));
	dax_tree_clear_mark(tree, 1, DIRTY);
	assert_insert(tree, 0, pte(1));
	assert_false(dax_tree_set_mark(tree, 1, DIRTY));
	assert_false(dax_tree_set_mark(tree, LAST_PAGE, DIRTY));
	dax_tree_clear_mark(tree, 1, DIRTY);
	assert_false(dax_tree_get_mark(tree, 1, DIRTY));
	assert_false(dax_tree_marked(tree, DIRTY));
	assert_tree(tree, 1);
}

static void clearing_what_is_not_set_does_nothing(void **state)
{
	struct dax_tree *tree = tree_of(state);

	assert_insert(tree, 0, pte(1));
	assert_insert(tree, 1, pte(2));
	assert_true(dax_tree_set_mark(tree, 1, DIRTY));
	dax_tree_clear_mark(tree, 0, DIRTY);
	assert_true(dax_tree_marked(tree, DIRTY));
	assert_true(dax_tree_get_mark(tree, 1, DIRTY));
	assert_tree(tree, 2);
}

static void a_neighbours_mark_survives_a_clear(void **state)
{
	struct dax_tree *tree = tree_of(state);
	/* In the same group, in another of the same node, in another node. */
	const uint64_t neighbours[] = {
		1, PMD_PAGES - 1, PMD_PAGES, PUD_PAGES, LAST_PAGE};

	assert_insert(tree, 0, pte(1));
	for (size_t i = 0; i < ARRAY_SIZE(neighbours); i++) {
		assert_insert(tree, neighbours[i], pte(2));
		assert_true(dax_tree_set_mark(tree, 0, DIRTY));
		assert_true(dax_tree_set_mark(tree, neighbours[i], DIRTY));
		assert_tree(tree, 2);
		dax_tree_clear_mark(tree, 0, DIRTY);
		assert_true(dax_tree_get_mark(tree, neighbours[i], DIRTY));
		assert_true(dax_tree_marked(tree, DIRTY));
		assert_tree(tree, 2);
		assert_erase(tree, neighbours[i]);
		assert_tree(tree, 1);
	}
}

static void marks_go_with_the_entry(void **state)
{
	struct dax_tree *tree = tree_of(state);

	for (size_t i = 0; i < ENTRY_SIZES; i++) {
		const uint64_t word = dax_make_entry(1, entry_sizes[i].flag);

		assert_insert(tree, PUD_PAGES, word);
		assert_insert(tree, 0, pte(2));
		assert_true(dax_tree_set_mark(tree, PUD_PAGES, DIRTY));
		assert_true(dax_tree_set_mark(tree, PUD_PAGES, TOWRITE));
		assert_erase(tree, PUD_PAGES);
		assert_false(dax_tree_marked(tree, DIRTY));
		assert_false(dax_tree_marked(tree, TOWRITE));
		assert_tree(tree, 1);
		assert_insert(tree, PUD_PAGES, word);
		assert_load(tree, PUD_PAGES, word);
		assert_tree(tree, 1 + pages_of(&entry_sizes[i]));
		assert_erase(tree, PUD_PAGES);
		assert_erase(tree, 0);
	}
}

static void marks_survive_the_growth_of_the_root(void **state)
{
	struct dax_tree *tree = tree_of(state);
	uint64_t pages = 2;

	assert_insert(tree, 0, pte(1));
	assert_insert(tree, 1, pte(2));
	assert_true(dax_tree_set_mark(tree, 1, DIRTY));
	for (unsigned int bit = DAX_PMD_ORDER; bit < 64; bit++) {
		assert_insert(tree, (uint64_t)1 << bit, pte(bit));
		assert_true(dax_tree_marked(tree, DIRTY));
		assert_false(dax_tree_marked(tree, TOWRITE));
		assert_true(dax_tree_get_mark(tree, 1, DIRTY));
		assert_tree(tree, ++pages);
	}
	dax_tree_clear_mark(tree, 1, DIRTY);
	assert_false(dax_tree_marked(tree, DIRTY));
	assert_tree(tree, pages);
}

static void every_entry_of_a_node_can_be_marked(void **state)
{
	struct dax_tree *tree = tree_of(state);

	for (uint64_t i = 0; i < PMD_PAGES; i++) {
		assert_insert(tree, i, pte(i + 1));
		assert_true(dax_tree_set_mark(tree, i, DIRTY));
	}
	assert_tree(tree, PMD_PAGES);
	for (uint64_t i = 0; i < PMD_PAGES; i++) {
		assert_true(dax_tree_marked(tree, DIRTY));
		dax_tree_clear_mark(tree, i, DIRTY);
		assert_tree(tree, PMD_PAGES);
	}
	assert_false(dax_tree_marked(tree, DIRTY));
}

#define THREADS 3
#define TURNS	1000

/* Threads mark and clear in one group, each its own entry. */
static void marks_its_own(struct crew_member *me)
{
	struct dax_tree *tree = me->shared;

	for (int i = 0; i < TURNS; i++) {
		const enum dax_mark mark = i % 2 ? DIRTY : TOWRITE;

		crew_check(me, dax_tree_set_mark(tree, me->number, mark));
		crew_check(me, dax_tree_get_mark(tree, me->number, mark));
		crew_check(me, dax_tree_marked(tree, mark));
		dax_tree_clear_mark(tree, me->number, mark);
		crew_check(me, !dax_tree_get_mark(tree, me->number, mark));
	}
}

static void threads_do_not_lose_each_others_marks(void **state)
{
	struct dax_tree *tree = tree_of(state);
	struct crew crew;

	for (uint64_t i = 0; i < THREADS; i++)
		assert_insert(tree, i, pte(i + 1));
	crew_start(&crew, THREADS, marks_its_own, tree);
	crew_assert_content(&crew);
	assert_false(dax_tree_marked(tree, DIRTY));
	assert_false(dax_tree_marked(tree, TOWRITE));
	assert_tree(tree, THREADS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TREE_TEST(a_new_entry_has_no_mark),
		TREE_TEST(a_mark_is_set_and_cleared_at_any_index),
		TREE_TEST(the_marks_are_independent),
		TREE_TEST(setting_twice_is_setting_once),
		TREE_TEST(where_nothing_is_nothing_is_marked),
		TREE_TEST(clearing_what_is_not_set_does_nothing),
		TREE_TEST(a_neighbours_mark_survives_a_clear),
		TREE_TEST(marks_go_with_the_entry),
		TREE_TEST(marks_survive_the_growth_of_the_root),
		TREE_TEST(every_entry_of_a_node_can_be_marked),
		TREE_TEST(threads_do_not_lose_each_others_marks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

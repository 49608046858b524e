/* SPDX-License-Identifier: BSD-3-Clause */
/* A search for a mark returns the marked entries of its range, and no other. */
#include "fixture.h"

#define DIRTY	DAX_MARK_DIRTY
#define TOWRITE DAX_MARK_TOWRITE

static void mark(struct dax_tree *tree, uint64_t index, enum dax_mark which)
{
	assert_true(dax_tree_set_mark(tree, index, which));
}

/* The next entry is at @index_, or there is none. */
#define assert_next(xas, which, index_)                                        \
	do {                                                                   \
		assert_int_not_equal(dax_xas_next_marked(xas, which), 0);      \
		assert_int_equal((xas)->index, index_);                        \
	} while (0)
#define assert_end(xas, which)                                                 \
	assert_int_equal(dax_xas_next_marked(xas, which), 0)

static void nothing_is_found_where_nothing_is_marked(void **state)
{
	struct dax_tree *tree = tree_of(state);
	struct dax_xas xas;

	dax_xas_init(&xas, tree, 0, LAST_PAGE);
	assert_end(&xas, DIRTY);
	assert_insert(tree, 0, pte(1));
	assert_insert(tree, LAST_PAGE, pte(1));
	dax_xas_init(&xas, tree, 0, LAST_PAGE);
	assert_end(&xas, DIRTY);
}

static void only_the_mark_asked_for_counts(void **state)
{
	struct dax_tree *tree = tree_of(state);
	struct dax_xas xas;

	for (uint64_t i = 0; i < 4; i++)
		assert_insert(tree, i, pte(i));
	mark(tree, 0, DIRTY);
	mark(tree, 1, TOWRITE);
	mark(tree, 2, DIRTY);
	mark(tree, 2, TOWRITE);
	dax_xas_init(&xas, tree, 0, LAST_PAGE);
	assert_next(&xas, DIRTY, 0);
	assert_next(&xas, DIRTY, 2);
	assert_end(&xas, DIRTY);
	dax_xas_init(&xas, tree, 0, LAST_PAGE);
	assert_next(&xas, TOWRITE, 1);
	assert_next(&xas, TOWRITE, 2);
	assert_end(&xas, TOWRITE);
}

static void the_word_found_has_its_marks(void **state)
{
	struct dax_tree *tree = tree_of(state);
	struct dax_xas xas;

	assert_insert(tree, 1, pte(1));
	mark(tree, 1, DIRTY);
	dax_xas_init(&xas, tree, 0, LAST_PAGE);
	assert_int_equal(
		dax_xas_next_marked(&xas, DIRTY), pte(1) | WORD_MARK(DIRTY));
}

/* Every slot of a full node in turn: alone in its group, and at its ends. */
static void a_lone_mark_is_found_in_every_slot(void **state)
{
	struct dax_tree *tree = tree_of(state);

	for (uint64_t i = 0; i < PMD_PAGES; i++)
		assert_insert(tree, i, pte(i));
	for (uint64_t i = 0; i < PMD_PAGES; i++) {
		struct dax_xas xas;

		mark(tree, i, DIRTY);
		dax_xas_init(&xas, tree, 0, LAST_PAGE);
		assert_next(&xas, DIRTY, i);
		assert_end(&xas, DIRTY);
		dax_tree_clear_mark(tree, i, DIRTY);
	}
}

/* With the marked entry behind the start of the search, in the same group. */
static void a_mark_before_the_start_is_not_found(void **state)
{
	struct dax_tree *tree = tree_of(state);
	struct dax_xas xas;

	for (uint64_t i = 1; i < PMD_PAGES; i++) {
		assert_insert(tree, i - 1, pte(i));
		mark(tree, i - 1, DIRTY);
		dax_xas_init(&xas, tree, i, LAST_PAGE);
		assert_end(&xas, DIRTY);
	}
}

static void marks_in_two_nodes_are_found_in_order(void **state)
{
	struct dax_tree *tree = tree_of(state);
	/* The last group of one node, and the first and last of the next. */
	const uint64_t marked[] = {PMD_PAGES - 2, PMD_PAGES, 2 * PMD_PAGES - 1,
		PUD_PAGES, LAST_PAGE - 1};
	struct dax_xas xas;

	for (size_t i = 0; i < ARRAY_SIZE(marked); i++) {
		assert_insert(tree, marked[i], pte(i));
		assert_insert(
			tree, marked[i] + 1 - 2 * (marked[i] % 2), pte(100));
		mark(tree, marked[i], DIRTY);
	}
	dax_xas_init(&xas, tree, 0, LAST_PAGE);
	for (size_t i = 0; i < ARRAY_SIZE(marked); i++)
		assert_next(&xas, DIRTY, marked[i]);
	assert_end(&xas, DIRTY);
}

static void a_marked_large_entry_is_found_once_from_any_index(void **state)
{
	struct dax_tree *tree = tree_of(state);

	for (size_t i = 1; i < ENTRY_SIZES; i++) {
		const uint64_t pages = pages_of(&entry_sizes[i]);
		struct dax_xas xas;

		assert_insert(
			tree, pages, dax_make_entry(1, entry_sizes[i].flag));
		mark(tree, pages, TOWRITE);
		dax_xas_init(&xas, tree, 0, LAST_PAGE);
		assert_next(&xas, TOWRITE, pages);
		assert_end(&xas, TOWRITE);
		dax_xas_init(&xas, tree, 2 * pages - 1, LAST_PAGE);
		assert_next(&xas, TOWRITE, 2 * pages - 1);
		assert_end(&xas, TOWRITE);
		assert_erase(tree, pages);
	}
}

static void a_marked_entry_outside_the_range_is_not_found(void **state)
{
	struct dax_tree *tree = tree_of(state);
	struct dax_xas xas;

	assert_insert(tree, 0, pte(1));
	assert_insert(tree, 2, pte(1));
	assert_insert(tree, PUD_PAGES, pmd(1));
	mark(tree, 0, DIRTY);
	mark(tree, 2, DIRTY);
	mark(tree, PUD_PAGES, DIRTY);
	dax_xas_init(&xas, tree, 1, 1);
	assert_end(&xas, DIRTY);
	dax_xas_init(&xas, tree, 3, PUD_PAGES - 1);
	assert_end(&xas, DIRTY);
	dax_xas_init(&xas, tree, 2, 1);
	assert_end(&xas, DIRTY);
	dax_xas_init(&xas, tree, PUD_PAGES + PMD_PAGES, LAST_PAGE);
	assert_end(&xas, DIRTY);
}

static void the_mark_of_the_last_page_is_found(void **state)
{
	struct dax_tree *tree = tree_of(state);
	struct dax_xas xas;

	assert_insert(tree, LAST_PAGE, pte(1));
	mark(tree, LAST_PAGE, DIRTY);
	dax_xas_init(&xas, tree, 0, LAST_PAGE);
	assert_next(&xas, DIRTY, LAST_PAGE);
	assert_end(&xas, DIRTY);
}

/* As a writeback does it. */
static void a_mark_may_be_taken_from_the_entry_just_found(void **state)
{
	struct dax_tree *tree = tree_of(state);
	uint64_t found = 0;
	struct dax_xas xas;
	uint64_t word;

	for (uint64_t i = 0; i < 4 * PMD_PAGES; i += 3) {
		assert_insert(tree, i, pte(i));
		mark(tree, i, TOWRITE);
	}
	dax_xas_init(&xas, tree, 0, LAST_PAGE);
	dax_xas_for_each_marked (&xas, word, TOWRITE) {
		assert_int_equal(xas.index, 3 * found++);
		dax_tree_clear_mark(tree, xas.index, TOWRITE);
	}
	assert_int_equal(found, (4 * PMD_PAGES + 2) / 3);
	assert_false(dax_tree_marked(tree, TOWRITE));
}

static void a_mark_set_before_its_turn_is_found(void **state)
{
	struct dax_tree *tree = tree_of(state);
	struct dax_xas xas;

	for (uint64_t i = 0; i < 4; i++)
		assert_insert(tree, i * PMD_PAGES, pte(i));
	mark(tree, 0, DIRTY);
	dax_xas_init(&xas, tree, 0, LAST_PAGE);
	assert_next(&xas, DIRTY, 0);
	mark(tree, 2 * PMD_PAGES, DIRTY);
	assert_next(&xas, DIRTY, 2 * PMD_PAGES);
	mark(tree, PMD_PAGES, DIRTY);
	assert_end(&xas, DIRTY);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TREE_TEST(nothing_is_found_where_nothing_is_marked),
		TREE_TEST(only_the_mark_asked_for_counts),
		TREE_TEST(the_word_found_has_its_marks),
		TREE_TEST(a_lone_mark_is_found_in_every_slot),
		TREE_TEST(a_mark_before_the_start_is_not_found),
		TREE_TEST(marks_in_two_nodes_are_found_in_order),
		TREE_TEST(a_marked_large_entry_is_found_once_from_any_index),
		TREE_TEST(a_marked_entry_outside_the_range_is_not_found),
		TREE_TEST(the_mark_of_the_last_page_is_found),
		TREE_TEST(a_mark_may_be_taken_from_the_entry_just_found),
		TREE_TEST(a_mark_set_before_its_turn_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

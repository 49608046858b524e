/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Indices are 64 bit, and the last page is a page like any other. The tree
 * grows upwards to reach an index, without disturbing what is in it.
 */
#include "fixture.h"

static void both_ends_hold_an_entry_of_every_size(void **state)
{
	struct dax_tree *tree = tree_of(state);

	for (size_t i = 0; i < ENTRY_SIZES; i++) {
		const uint64_t pages = pages_of(&entry_sizes[i]);
		const uint64_t first = dax_make_entry(1, entry_sizes[i].flag);
		const uint64_t last = dax_make_entry(2, entry_sizes[i].flag);

		assert_insert(tree, 0, first);
		assert_insert(tree, LAST_PAGE, last);
		assert_load(tree, 0, first);
		assert_load(tree, pages - 1, first);
		assert_load(tree, pages, 0);
		assert_load(tree, -pages - 1, 0);
		assert_load(tree, -pages, last);
		assert_load(tree, LAST_PAGE, last);
		assert_tree(tree, 2 * pages);
		assert_erase(tree, LAST_PAGE);
		assert_erase(tree, 0);
		assert_int_equal(dax_tree_nr_nodes(tree), 0);
	}
}

static void the_last_page_alone_makes_a_whole_path(void **state)
{
	struct dax_tree *tree = tree_of(state);

	for (size_t i = 0; i < ENTRY_SIZES; i++) {
		assert_insert(tree, LAST_PAGE,
			dax_make_entry(1, entry_sizes[i].flag));
		assert_int_equal(dax_tree_nr_nodes(tree),
			TREE_LEVELS - entry_sizes[i].level);
		assert_erase(tree, LAST_PAGE - pages_of(&entry_sizes[i]) + 1);
		assert_int_equal(dax_tree_nr_nodes(tree), 0);
	}
}

static void the_last_page_is_replaced_and_marked_as_any(void **state)
{
	struct dax_tree *tree = tree_of(state);

	assert_insert(tree, LAST_PAGE, pte(1));
	assert_int_equal(dax_tree_replace(tree, LAST_PAGE, pte(1), pte(2)), 0);
	assert_true(dax_tree_set_mark(tree, LAST_PAGE, DAX_MARK_DIRTY));
	assert_true(dax_tree_get_mark(tree, LAST_PAGE, DAX_MARK_DIRTY));
	assert_true(dax_tree_marked(tree, DAX_MARK_DIRTY));
	assert_tree(tree, 1);
	dax_tree_clear_mark(tree, LAST_PAGE, DAX_MARK_DIRTY);
	assert_load(tree, LAST_PAGE, pte(2));
	assert_tree(tree, 1);
}

/* One entry at 0, then one at each power of two. */
static void the_root_grows_one_level_after_the_other(void **state)
{
	struct dax_tree *tree = tree_of(state);

	assert_insert(tree, 0, pte(100));
	for (unsigned int bit = 0; bit < 64; bit++) {
		const uint64_t index = (uint64_t)1 << bit;
		const uint64_t levels = bit / DAX_PMD_ORDER + 1;

		assert_load(tree, index, 0);
		assert_insert(tree, index, pte(bit));
		assert_int_equal(root_level(sync_load(
					 &tree->root, memory_order_relaxed)) +
					 1,
			levels);
	}
	assert_load(tree, 0, pte(100));
	for (unsigned int bit = 0; bit < 64; bit++)
		assert_load(tree, (uint64_t)1 << bit, pte(bit));
	assert_tree(tree, 65);
}

static void the_root_grows_several_levels_at_once(void **state)
{
	struct dax_tree *tree = tree_of(state);

	assert_insert(tree, 0, pmd(1));
	assert_insert(tree, LAST_PAGE, pte(2));
	assert_load(tree, PMD_PAGES - 1, pmd(1));
	assert_load(tree, LAST_PAGE, pte(2));
	/* The way down to each: they meet in the root alone. */
	assert_int_equal(dax_tree_nr_nodes(tree), 2 * TREE_LEVELS - 2);
	assert_tree(tree, PMD_PAGES + 1);
}

static void a_root_stays_tall_until_the_tree_is_empty(void **state)
{
	struct dax_tree *tree = tree_of(state);
	uint64_t root;

	assert_insert(tree, 0, pte(1));
	assert_insert(tree, LAST_PAGE, pte(2));
	root = sync_load(&tree->root, memory_order_relaxed);
	assert_erase(tree, LAST_PAGE);
	assert_int_equal(sync_load(&tree->root, memory_order_relaxed), root);
	assert_load(tree, 0, pte(1));
	assert_int_equal(dax_tree_nr_nodes(tree), TREE_LEVELS);
	assert_erase(tree, 0);
	assert_int_equal(sync_load(&tree->root, memory_order_relaxed), 0);
}

static void an_insert_that_is_refused_grows_nothing_it_needs_not(void **state)
{
	struct dax_tree *tree = tree_of(state);
	size_t nodes;

	assert_insert(tree, 0, pte(1));
	assert_insert(tree, LAST_PAGE, pte(2));
	nodes = dax_tree_nr_nodes(tree);
	assert_int_equal(dax_tree_insert(tree, LAST_PAGE, pmd(3)), -EEXIST);
	assert_int_equal(dax_tree_insert(tree, LAST_PAGE, pte(3)), -EEXIST);
	assert_int_equal(dax_tree_insert(tree, 0, pud(3)), -EEXIST);
	assert_int_equal(dax_tree_nr_nodes(tree), nodes);
}

static void a_reader_does_not_mistake_an_index_beyond_the_root(void **state)
{
	struct dax_tree *tree = tree_of(state);

	/* The same slots, were the high bits not looked at. */
	assert_insert(tree, 1, pte(1));
	for (unsigned int bit = DAX_PMD_ORDER; bit < 64; bit++) {
		const uint64_t index = ((uint64_t)1 << bit) + 1;

		assert_load(tree, index, 0);
		assert_int_equal(dax_tree_erase(tree, index, pte(1)), -EAGAIN);
		assert_int_equal(
			dax_tree_replace(tree, index, pte(1), pte(2)), -EAGAIN);
		assert_false(dax_tree_set_mark(tree, index, DAX_MARK_DIRTY));
		dax_tree_clear_mark(tree, index, DAX_MARK_DIRTY);
	}
	assert_load(tree, 1, pte(1));
	assert_tree(tree, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TREE_TEST(both_ends_hold_an_entry_of_every_size),
		TREE_TEST(the_last_page_alone_makes_a_whole_path),
		TREE_TEST(the_last_page_is_replaced_and_marked_as_any),
		TREE_TEST(the_root_grows_one_level_after_the_other),
		TREE_TEST(the_root_grows_several_levels_at_once),
		TREE_TEST(a_root_stays_tall_until_the_tree_is_empty),
		TREE_TEST(an_insert_that_is_refused_grows_nothing_it_needs_not),
		TREE_TEST(a_reader_does_not_mistake_an_index_beyond_the_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

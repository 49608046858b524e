/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An entry goes in where nothing is, of whatever size, and is found at every
 * index that it covers and at no other.
 */
#include <signal.h>
#include <string.h>

#include "fixture.h"
#include "support/death.h"

static void an_empty_tree_has_no_entry_and_no_node(void **state)
{
	struct dax_tree *tree = tree_of(state);

	assert_load(tree, 0, 0);
	assert_load(tree, LAST_PAGE, 0);
	assert_int_equal(dax_tree_nr_nodes(tree), 0);
	assert_tree(tree, 0);
}

static void assert_covers(struct dax_tree *tree, uint64_t start,
	const struct entry_size *size, uint64_t word)
{
	const uint64_t last = start + pages_of(size) - 1;

	assert_load(tree, start, word);
	assert_load(tree, start + pages_of(size) / 2, word);
	assert_load(tree, last, word);
	assert_load(tree, start - 1, 0);
	assert_load(tree, last + 1, 0);
}

static void an_entry_is_found_at_every_index_that_it_covers(void **state)
{
	struct dax_tree *tree = tree_of(state);

	for (size_t i = 0; i < ENTRY_SIZES; i++) {
		const struct entry_size *size = &entry_sizes[i];
		const uint64_t word = dax_make_entry(7, size->flag);

		assert_insert(tree, 3 * pages_of(size), word);
		assert_covers(tree, 3 * pages_of(size), size, word);
		assert_tree(tree, pages_of(size));
		assert_erase(tree, 3 * pages_of(size));
	}
}

static void an_insert_anywhere_in_its_range_stands_at_its_start(void **state)
{
	struct dax_tree *tree = tree_of(state);

	for (size_t i = 1; i < ENTRY_SIZES; i++) {
		const struct entry_size *size = &entry_sizes[i];
		const uint64_t word = dax_make_entry(7, size->flag);
		const uint64_t start = 5 * pages_of(size);

		assert_insert(tree, start + pages_of(size) - 1, word);
		assert_covers(tree, start, size, word);
		assert_tree(tree, pages_of(size));
		assert_erase(tree, start + 1);
	}
}

static void an_entry_takes_one_slot_of_its_own_level(void **state)
{
	struct dax_tree *tree = tree_of(state);

	for (size_t i = 0; i < ENTRY_SIZES; i++) {
		const uint64_t word = dax_make_entry(7, entry_sizes[i].flag);

		/* A lone node, whose level the root word knows. */
		assert_insert(tree, 0, word);
		assert_int_equal(dax_tree_nr_nodes(tree), 1);
		assert_int_equal(root_level(sync_load(
					 &tree->root, memory_order_relaxed)),
			entry_sizes[i].level);
		assert_erase(tree, 0);
	}
}

static void neighbours_of_all_sizes_stand_side_by_side(void **state)
{
	struct dax_tree *tree = tree_of(state);

	assert_insert(tree, PUD_PAGES, pud(1));
	assert_insert(tree, PUD_PAGES - PMD_PAGES, pmd(2));
	assert_insert(tree, PUD_PAGES - PMD_PAGES - 1, pte(3));
	assert_insert(tree, 2 * PUD_PAGES, pte(4));
	assert_insert(tree, 2 * PUD_PAGES + PMD_PAGES, pmd(5));
	assert_load(tree, PUD_PAGES - PMD_PAGES - 1, pte(3));
	assert_load(tree, PUD_PAGES - PMD_PAGES, pmd(2));
	assert_load(tree, PUD_PAGES - 1, pmd(2));
	assert_load(tree, PUD_PAGES, pud(1));
	assert_load(tree, 2 * PUD_PAGES - 1, pud(1));
	assert_load(tree, 2 * PUD_PAGES, pte(4));
	assert_load(tree, 2 * PUD_PAGES + PMD_PAGES, pmd(5));
	assert_tree(tree, PUD_PAGES + 2 * PMD_PAGES + 2);
}

static void every_slot_of_a_node_holds_an_entry(void **state)
{
	struct dax_tree *tree = tree_of(state);

	for (uint64_t i = 0; i < PMD_PAGES; i++)
		assert_insert(tree, PMD_PAGES + i, pte(i + 1));
	for (uint64_t i = 0; i < PMD_PAGES; i++)
		assert_load(tree, PMD_PAGES + i, pte(i + 1));
	assert_tree(tree, PMD_PAGES);
}

static void a_second_insert_in_the_same_place_is_refused(void **state)
{
	struct dax_tree *tree = tree_of(state);

	for (size_t i = 0; i < ENTRY_SIZES; i++) {
		const uint64_t pages = pages_of(&entry_sizes[i]);
		const unsigned int flag = entry_sizes[i].flag;

		assert_insert(tree, 0, dax_make_entry(1, flag));
		assert_int_equal(
			dax_tree_insert(tree, 0, dax_make_entry(2, flag)),
			-EEXIST);
		assert_int_equal(dax_tree_insert(tree, pages - 1,
					 dax_make_entry(2, flag)),
			-EEXIST);
		assert_load(tree, 0, dax_make_entry(1, flag));
		assert_tree(tree, pages);
		assert_erase(tree, 0);
	}
}

/* @there at @at, then @wanted, over or under it, at @index. */
struct clash {
	unsigned int there;
	uint64_t at;
	unsigned int wanted;
	uint64_t index;
};

static void assert_refused(
	struct dax_tree *tree, const struct clash *clash, uint64_t at)
{
	const uint64_t word = dax_make_entry(1, clash->there);

	assert_insert(tree, at + clash->at, word);
	assert_int_equal(dax_tree_insert(tree, at + clash->index,
				 dax_make_entry(2, clash->wanted)),
		-EEXIST);
	assert_load(tree, at + clash->at, word);
	assert_tree(tree, (uint64_t)1 << dax_entry_order(word));
	assert_erase(tree, at + clash->at);
}

/* In a tree of one node, and far out in a deep one. */
static void assert_all_refused(
	void **state, const struct clash *clashes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		assert_refused(tree_of(state), &clashes[i], 0);
		assert_refused(tree_of(state), &clashes[i], 9 * PUD_PAGES);
		assert_refused(tree_of(state), &clashes[i], -PUD_PAGES);
	}
}

static void a_larger_entry_over_a_smaller_is_refused(void **state)
{
	static const struct clash clashes[] = {
		{DAX_PTE, 0, DAX_PMD, 0},
		{DAX_PTE, PMD_PAGES - 1, DAX_PMD, 0},
		{DAX_PTE, 1, DAX_PMD, PMD_PAGES - 1},
		{DAX_PTE, 0, DAX_PUD, 0},
		{DAX_PTE, PUD_PAGES - 1, DAX_PUD, 0},
		{DAX_PTE, 1, DAX_PUD, PUD_PAGES - 1},
		{DAX_PMD, 0, DAX_PUD, 0},
		{DAX_PMD, PUD_PAGES - 1, DAX_PUD, 0},
		{DAX_PMD, 0, DAX_PUD, PUD_PAGES - 1},
	};

	assert_all_refused(state, clashes, ARRAY_SIZE(clashes));
}

static void a_smaller_entry_under_a_larger_is_refused(void **state)
{
	static const struct clash clashes[] = {
		{DAX_PMD, 0, DAX_PTE, 0},
		{DAX_PMD, 0, DAX_PTE, PMD_PAGES - 1},
		{DAX_PUD, 0, DAX_PTE, 0},
		{DAX_PUD, 0, DAX_PTE, PUD_PAGES - 1},
		{DAX_PUD, 0, DAX_PMD, 0},
		{DAX_PUD, 0, DAX_PMD, PUD_PAGES - 1},
	};

	assert_all_refused(state, clashes, ARRAY_SIZE(clashes));
}

static void a_large_entry_fits_where_small_ones_were(void **state)
{
	struct dax_tree *tree = tree_of(state);

	for (uint64_t i = 0; i < PMD_PAGES; i++)
		assert_insert(tree, i, pte(i + 1));
	assert_insert(tree, PMD_PAGES, pmd(1));
	for (uint64_t i = 0; i < PMD_PAGES; i++)
		assert_erase(tree, i);
	assert_insert(tree, 0, pmd(2));
	assert_erase(tree, 0);
	assert_erase(tree, PMD_PAGES);
	assert_insert(tree, 0, pud(3));
	assert_tree(tree, PUD_PAGES);
}

static void small_entries_fit_where_a_large_one_was(void **state)
{
	struct dax_tree *tree = tree_of(state);

	assert_insert(tree, PUD_PAGES, pud(1));
	assert_erase(tree, PUD_PAGES);
	assert_insert(tree, PUD_PAGES, pmd(1));
	assert_insert(tree, PUD_PAGES + PMD_PAGES, pte(2));
	assert_erase(tree, PUD_PAGES);
	assert_insert(tree, PUD_PAGES, pte(3));
	assert_tree(tree, 2);
}

static void a_word_may_be_inserted_locked_and_waited_for(void **state)
{
	const uint64_t word = pmd(1) | WORD_LOCKED | WORD_WAITERS;
	struct dax_tree *tree = tree_of(state);

	assert_insert(tree, 0, word);
	assert_load(tree, 1, word);
}

struct insertion {
	struct dax_tree *tree;
	uint64_t word;
};

static void insert_at_zero(void *with)
{
	const struct insertion *insertion = with;
	int error = dax_tree_insert(insertion->tree, 0, insertion->word);

	(void)error;
}

static void what_is_no_value_or_marked_cannot_be_inserted(void **state)
{
	const uint64_t wrong[] = {0, 2, (uintptr_t)&wrong,
		pte(1) | WORD_MARK(0), pmd(1) | WORD_MARK(1)};

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct insertion insertion = {tree_of(state), wrong[i]};

		assert_aborts_with(insert_at_zero, &insertion, "precondition");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TREE_TEST(an_empty_tree_has_no_entry_and_no_node),
		TREE_TEST(an_entry_is_found_at_every_index_that_it_covers),
		TREE_TEST(an_insert_anywhere_in_its_range_stands_at_its_start),
		TREE_TEST(an_entry_takes_one_slot_of_its_own_level),
		TREE_TEST(neighbours_of_all_sizes_stand_side_by_side),
		TREE_TEST(every_slot_of_a_node_holds_an_entry),
		TREE_TEST(a_second_insert_in_the_same_place_is_refused),
		TREE_TEST(a_larger_entry_over_a_smaller_is_refused),
		TREE_TEST(a_smaller_entry_under_a_larger_is_refused),
		TREE_TEST(a_large_entry_fits_where_small_ones_were),
		TREE_TEST(small_entries_fit_where_a_large_one_was),
		TREE_TEST(a_word_may_be_inserted_locked_and_waited_for),
		TREE_TEST(what_is_no_value_or_marked_cannot_be_inserted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

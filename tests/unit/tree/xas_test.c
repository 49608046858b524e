/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A search returns every entry of its range once, in order; a position is a
 * number, so that anything may happen between two steps.
 */
#include "fixture.h"

struct planted {
	uint64_t index; /* its first */
	uint64_t word;
};

/* What a search of @first to @last returns: up to four, in order. */
struct expected_search {
	uint64_t first;
	uint64_t last;
	size_t count;
	struct planted found[4];
};

static void plant(
	struct dax_tree *tree, const struct planted *planted, size_t count)
{
	for (size_t i = 0; i < count; i++)
		assert_insert(tree, planted[i].index, planted[i].word);
}

static void assert_search(
	const struct dax_tree *tree, const struct expected_search *expected)
{
	struct dax_xas xas;
	uint64_t word;
	size_t count = 0;

	dax_xas_init(&xas, tree, expected->first, expected->last);
	dax_xas_for_each (&xas, word) {
		assert_true(count < expected->count);
		assert_int_equal(word, expected->found[count].word);
		assert_int_equal(xas.index, expected->found[count].index);
		count++;
	}
	assert_int_equal(count, expected->count);
	/* At the end it stays at the end. */
	assert_int_equal(dax_xas_next(&xas), 0);
	assert_int_equal(dax_xas_next_marked(&xas, DAX_MARK_DIRTY), 0);
}

static void assert_searches(const struct dax_tree *tree,
	const struct expected_search *expected, size_t count)
{
	for (size_t i = 0; i < count; i++)
		assert_search(tree, &expected[i]);
}

static void an_empty_tree_ends_at_once(void **state)
{
	static const struct expected_search searches[] = {
		{0, LAST_PAGE, 0, {{0}}},
		{5, 5, 0, {{0}}},
		{LAST_PAGE, LAST_PAGE, 0, {{0}}},
	};

	assert_searches(tree_of(state), searches, ARRAY_SIZE(searches));
}

static void a_range_is_inclusive_at_both_ends(void **state)
{
	const struct planted planted[] = {
		{2, pte(1)}, {3, pte(2)}, {PMD_PAGES, pte(3)}};
	const struct expected_search searches[] = {
		{2, 3, 2, {planted[0], planted[1]}},
		{3, PMD_PAGES, 2, {planted[1], planted[2]}},
		{3, 3, 1, {planted[1]}},
		{3, PMD_PAGES - 1, 1, {planted[1]}},
		{0, 1, 0, {{0}}},
		{PMD_PAGES + 1, LAST_PAGE, 0, {{0}}},
	};

	plant(tree_of(state), planted, ARRAY_SIZE(planted));
	assert_searches(tree_of(state), searches, ARRAY_SIZE(searches));
}

static void a_range_from_first_to_before_it_is_empty(void **state)
{
	const struct planted planted[] = {{0, pte(1)}, {1, pte(2)}};
	const struct expected_search searches[] = {
		{1, 0, 0, {{0}}},
		{LAST_PAGE, 0, 0, {{0}}},
		{LAST_PAGE, LAST_PAGE - 1, 0, {{0}}},
	};

	plant(tree_of(state), planted, ARRAY_SIZE(planted));
	assert_searches(tree_of(state), searches, ARRAY_SIZE(searches));
}

static void a_large_entry_is_stepped_over_as_a_whole(void **state)
{
	const struct planted planted[] = {{PMD_PAGES - 1, pte(1)},
		{PMD_PAGES, pmd(2)}, {2 * PMD_PAGES, pte(3)},
		{PUD_PAGES, pud(4)}};
	const struct expected_search searches[] = {
		{0, LAST_PAGE, 4,
			{planted[0], planted[1], planted[2], planted[3]}},
		{PMD_PAGES, 2 * PMD_PAGES - 1, 1, {planted[1]}},
		{PUD_PAGES, 2 * PUD_PAGES, 1, {planted[3]}},
	};

	plant(tree_of(state), planted, ARRAY_SIZE(planted));
	assert_searches(tree_of(state), searches, ARRAY_SIZE(searches));
}

static void an_entry_that_reaches_into_the_range_is_found(void **state)
{
	const struct planted planted[] = {
		{PMD_PAGES, pmd(1)}, {PUD_PAGES, pud(2)}};
	/* Where the search stands: not before its start. */
	const struct expected_search searches[] = {
		{PMD_PAGES + 1, PUD_PAGES, 2,
			{{PMD_PAGES + 1, pmd(1)}, {PUD_PAGES, pud(2)}}},
		{2 * PMD_PAGES - 1, 2 * PMD_PAGES - 1, 1,
			{{2 * PMD_PAGES - 1, pmd(1)}}},
		{2 * PUD_PAGES - 1, LAST_PAGE, 1,
			{{2 * PUD_PAGES - 1, pud(2)}}},
		{0, PMD_PAGES, 1, {{PMD_PAGES, pmd(1)}}},
		{0, PMD_PAGES - 1, 0, {{0}}},
	};

	plant(tree_of(state), planted, ARRAY_SIZE(planted));
	assert_searches(tree_of(state), searches, ARRAY_SIZE(searches));
}

static void the_last_page_is_found_once(void **state)
{
	for (size_t i = 0; i < ENTRY_SIZES; i++) {
		const uint64_t start = -pages_of(&entry_sizes[i]);
		const uint64_t word = dax_make_entry(1, entry_sizes[i].flag);
		const struct expected_search searches[] = {
			{0, LAST_PAGE, 1, {{start, word}}},
			{LAST_PAGE, LAST_PAGE, 1, {{LAST_PAGE, word}}},
			{0, start - 1, 0, {{0}}},
		};

		assert_insert(tree_of(state), start, word);
		assert_searches(tree_of(state), searches, ARRAY_SIZE(searches));
		assert_erase(tree_of(state), start);
	}
}

static void holes_of_every_size_are_crossed(void **state)
{
	struct dax_tree *tree = tree_of(state);
	uint64_t found = 0;
	struct dax_xas xas;
	uint64_t word;

	for (unsigned int bit = 0; bit < 64; bit++)
		assert_insert(tree, (uint64_t)1 << bit, pte(bit));
	dax_xas_init(&xas, tree, 0, LAST_PAGE);
	dax_xas_for_each (&xas, word) {
		assert_int_equal(dax_to_pfn(word), found);
		assert_int_equal(xas.index, (uint64_t)1 << found);
		found++;
	}
	assert_int_equal(found, 64);
}

static void a_full_node_is_returned_slot_by_slot(void **state)
{
	struct dax_tree *tree = tree_of(state);
	uint64_t found = 0;
	struct dax_xas xas;
	uint64_t word;

	for (uint64_t i = 0; i < 2 * PMD_PAGES; i++)
		assert_insert(tree, i, pte(i));
	dax_xas_init(&xas, tree, 0, LAST_PAGE);
	dax_xas_for_each (&xas, word)
		assert_int_equal(dax_to_pfn(word), found++);
	assert_int_equal(found, 2 * PMD_PAGES);
}

static void an_entry_erased_before_its_turn_is_not_found(void **state)
{
	struct dax_tree *tree = tree_of(state);
	struct dax_xas xas;

	for (uint64_t i = 0; i < 3; i++)
		assert_insert(tree, i * PMD_PAGES, pte(i));
	dax_xas_init(&xas, tree, 0, LAST_PAGE);
	assert_int_equal(dax_xas_next(&xas), pte(0));
	assert_erase(tree, PMD_PAGES);
	assert_int_equal(dax_xas_next(&xas), pte(2));
	assert_int_equal(dax_xas_next(&xas), 0);
}

static void an_entry_inserted_before_its_turn_is_found(void **state)
{
	struct dax_tree *tree = tree_of(state);
	struct dax_xas xas;

	assert_insert(tree, 1, pte(1));
	dax_xas_init(&xas, tree, 0, LAST_PAGE);
	assert_int_equal(dax_xas_next(&xas), pte(1));
	assert_insert(tree, 0, pte(9));
	assert_insert(tree, 2, pte(2));
	/* The root grows under the search. */
	assert_insert(tree, LAST_PAGE, pte(3));
	assert_int_equal(dax_xas_next(&xas), pte(2));
	assert_int_equal(dax_xas_next(&xas), pte(3));
	assert_int_equal(dax_xas_next(&xas), 0);
}

static void the_entry_just_found_may_be_erased(void **state)
{
	struct dax_tree *tree = tree_of(state);
	uint64_t found = 0;
	struct dax_xas xas;
	uint64_t word;

	for (uint64_t i = 0; i < 8; i++)
		assert_insert(tree, i * PMD_PAGES, pmd(i));
	dax_xas_init(&xas, tree, 0, LAST_PAGE);
	dax_xas_for_each (&xas, word) {
		assert_int_equal(dax_to_pfn(word), found++);
		assert_int_equal(dax_tree_erase(tree, xas.index, word), 0);
	}
	assert_int_equal(found, 8);
	assert_int_equal(dax_tree_nr_nodes(tree), 0);
}

static void a_large_entry_replaced_by_small_ones_is_not_seen_twice(void **state)
{
	struct dax_tree *tree = tree_of(state);
	struct dax_xas xas;

	assert_insert(tree, PMD_PAGES, pmd(1));
	dax_xas_init(&xas, tree, 0, LAST_PAGE);
	assert_int_equal(dax_xas_next(&xas), pmd(1));
	assert_erase(tree, PMD_PAGES);
	for (uint64_t i = 0; i <= PMD_PAGES; i++)
		assert_insert(tree, PMD_PAGES + i, pte(i));
	assert_int_equal(dax_xas_next(&xas), pte(PMD_PAGES));
	assert_int_equal(xas.index, 2 * PMD_PAGES);
	assert_int_equal(dax_xas_next(&xas), 0);
}

static void a_large_entry_that_takes_the_place_begins_where_we_are(void **state)
{
	struct dax_tree *tree = tree_of(state);
	struct dax_xas xas;

	assert_insert(tree, 0, pte(1));
	dax_xas_init(&xas, tree, 0, LAST_PAGE);
	assert_int_equal(dax_xas_next(&xas), pte(1));
	assert_erase(tree, 0);
	assert_insert(tree, 0, pmd(2));
	/* Its first index was passed; the rest of it was not. */
	assert_int_equal(dax_xas_next(&xas), pmd(2));
	assert_int_equal(xas.index, 1);
	assert_int_equal(dax_xas_next(&xas), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TREE_TEST(an_empty_tree_ends_at_once),
		TREE_TEST(a_range_is_inclusive_at_both_ends),
		TREE_TEST(a_range_from_first_to_before_it_is_empty),
		TREE_TEST(a_large_entry_is_stepped_over_as_a_whole),
		TREE_TEST(an_entry_that_reaches_into_the_range_is_found),
		TREE_TEST(the_last_page_is_found_once),
		TREE_TEST(holes_of_every_size_are_crossed),
		TREE_TEST(a_full_node_is_returned_slot_by_slot),
		TREE_TEST(an_entry_erased_before_its_turn_is_not_found),
		TREE_TEST(an_entry_inserted_before_its_turn_is_found),
		TREE_TEST(the_entry_just_found_may_be_erased),
		TREE_TEST(
			a_large_entry_replaced_by_small_ones_is_not_seen_twice),
		TREE_TEST(
			a_large_entry_that_takes_the_place_begins_where_we_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

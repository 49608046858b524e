/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whichever allocation fails, the call says so, the entries are as they were,
 * nothing is lost, and the same call succeeds when there is memory again.
 */
#include "fixture.h"

struct planted {
	uint64_t index;
	uint64_t word;
};

/* @there in the tree; then one more, whose allocations fail in turn. */
struct scarcity {
	struct planted there[3]; /* ends before a word of 0 */
	struct planted more;
	unsigned int least_failures;
};

#define HIGH ((uint64_t)1 << 63)

static const struct scarcity inserts[] = {
	/* The first node; a whole path; a root that must grow; both. */
	{{{0}}, {0, 1}, 1},
	{{{0}}, {LAST_PAGE, 1}, TREE_LEVELS},
	{{{0, 1}}, {LAST_PAGE, 1}, 2 * TREE_LEVELS - 2},
	{{{0, 1}}, {PMD_PAGES, 1}, 2},
	{{{0, 1}, {LAST_PAGE, 1}}, {HIGH, 1}, TREE_LEVELS - 2},
	{{{2 * PMD_PAGES, 1}, {PUD_PAGES, 1}}, {HIGH - 1, 1}, TREE_LEVELS - 2},
};

static size_t plant_all(struct dax_tree *tree, const struct scarcity *it)
{
	size_t count = 0;

	for (; count < ARRAY_SIZE(it->there) && it->there[count].word; count++)
		assert_insert(
			tree, it->there[count].index, it->there[count].word);
	return count;
}

/* What is there is there, and nothing else. */
static void assert_content(
	struct dax_tree *tree, const struct scarcity *it, size_t count)
{
	struct dax_xas xas;

	dax_xas_init(&xas, tree, 0, LAST_PAGE);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(dax_xas_next(&xas), it->there[i].word);
		assert_int_equal(xas.index, it->there[i].index);
	}
	assert_int_equal(dax_xas_next(&xas), 0);
	assert_tree(tree, count);
}

/* True: the @nth allocation failed. False: there were fewer. */
static bool insert_fails(const struct tree_fixture *fixture,
	const struct scarcity *it, uint64_t nth)
{
	struct dax_tree *tree = fixture->tree;
	const size_t count = plant_all(tree, it);
	int error;

	sync_alloc_fail_nth(nth);
	error = dax_tree_insert(tree, it->more.index, it->more.word);
	sync_alloc_fail_nth(0);
	if (error) {
		assert_int_equal(error, -ENOMEM);
		assert_content(tree, it, count);
		assert_int_equal(tree_blocks(fixture), dax_tree_nr_nodes(tree));
		assert_insert(tree, it->more.index, it->more.word);
	}
	assert_tree(tree, count + 1);
	assert_erase(tree, it->more.index);
	for (size_t i = 0; i < count; i++)
		assert_erase(tree, it->there[i].index);
	assert_int_equal(tree_blocks(fixture), 0);
	return error;
}

static void an_insert_without_memory_changes_nothing(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(inserts); i++) {
		uint64_t nth = 1;

		while (insert_fails(*state, &inserts[i], nth))
			nth++;
		assert_true(nth - 1 >= inserts[i].least_failures);
	}
}

static void large_entries_at_the_far_end_fail_cleanly_as_well(void **state)
{
	const struct tree_fixture *fixture = *state;

	for (size_t i = 1; i < ENTRY_SIZES; i++) {
		const uint64_t word = dax_make_entry(1, entry_sizes[i].flag);
		const uint64_t needed = TREE_LEVELS - i;

		for (uint64_t nth = 1; nth <= needed; nth++) {
			sync_alloc_fail_nth(nth);
			assert_int_equal(
				dax_tree_insert(fixture->tree, LAST_PAGE, word),
				-ENOMEM);
			assert_int_equal(dax_tree_nr_nodes(fixture->tree), 0);
			assert_int_equal(tree_blocks(fixture), 0);
		}
		sync_alloc_fail_nth(needed + 1);
		assert_insert(fixture->tree, LAST_PAGE, word);
		sync_alloc_fail_nth(0);
		assert_erase(fixture->tree, LAST_PAGE);
	}
}

static void marks_survive_a_growth_that_fails(void **state)
{
	const struct tree_fixture *fixture = *state;
	struct dax_tree *tree = fixture->tree;

	for (uint64_t nth = 1; nth <= TREE_LEVELS; nth++) {
		assert_insert(tree, 1, pte(1));
		assert_true(dax_tree_set_mark(tree, 1, DAX_MARK_DIRTY));
		sync_alloc_fail_nth(nth);
		assert_int_equal(
			dax_tree_insert(tree, LAST_PAGE, pte(2)), -ENOMEM);
		assert_true(dax_tree_get_mark(tree, 1, DAX_MARK_DIRTY));
		assert_true(dax_tree_marked(tree, DAX_MARK_DIRTY));
		assert_tree(tree, 1);
		assert_erase(tree, 1);
		assert_int_equal(dax_tree_nr_nodes(tree), 0);
	}
}

static void assert_split_fails(const struct tree_fixture *fixture,
	uint64_t large, uint64_t small, uint64_t allocations)
{
	struct dax_tree *tree = fixture->tree;
	const uint64_t marked = large | WORD_LOCKED | WORD_MARK(DAX_MARK_DIRTY);
	uint64_t old = 0;

	assert_insert(tree, 0, large | WORD_LOCKED);
	assert_true(dax_tree_set_mark(tree, 0, DAX_MARK_DIRTY));
	for (uint64_t nth = 1; nth <= allocations; nth++) {
		const size_t nodes = dax_tree_nr_nodes(tree);

		sync_alloc_fail_nth(nth);
		assert_int_equal(tree_split(tree, 1, small | WORD_LOCKED, &old),
			-ENOMEM);
		assert_int_equal(old, 0);
		assert_load(tree, 0, marked);
		assert_true(dax_tree_marked(tree, DAX_MARK_DIRTY));
		assert_int_equal(dax_tree_nr_nodes(tree), nodes);
		assert_int_equal(tree_blocks(fixture), nodes);
	}
	sync_alloc_fail_nth(allocations + 1);
	assert_int_equal(tree_split(tree, 1, small | WORD_LOCKED, &old), 0);
	sync_alloc_fail_nth(0);
	assert_int_equal(old, marked);
	assert_erase(tree, 1);
}

static void a_split_without_memory_changes_nothing(void **state)
{
	assert_split_fails(*state, pmd(1), pte(2), 1);
	assert_split_fails(*state, pud(1), pmd(2), 1);
	assert_split_fails(*state, pud(1), pte(2), 2);
}

static void a_tree_without_memory_is_no_tree(void **state)
{
	struct dax_tree *tree = tree_of(state);

	sync_alloc_fail_nth(1);
	assert_int_equal(dax_tree_new(&tree), -ENOMEM);
	assert_null(tree);
}

static void what_makes_no_node_needs_no_memory(void **state)
{
	struct dax_tree *tree = tree_of(state);
	struct dax_xas xas;

	assert_insert(tree, 1, pte(1));
	sync_alloc_fail_nth(1);
	assert_insert(tree, 2, pte(2));
	assert_true(dax_tree_set_mark(tree, 2, DAX_MARK_DIRTY));
	assert_int_equal(dax_tree_replace(tree, 1, pte(1), pte(3)), 0);
	dax_xas_init(&xas, tree, 0, LAST_PAGE);
	assert_int_equal(dax_xas_next(&xas), pte(3));
	assert_erase(tree, 1);
	assert_erase(tree, 2);
	/* It is still to come. */
	assert_int_equal(dax_tree_insert(tree, 1, pte(1)), -ENOMEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TREE_TEST(an_insert_without_memory_changes_nothing),
		TREE_TEST(large_entries_at_the_far_end_fail_cleanly_as_well),
		TREE_TEST(marks_survive_a_growth_that_fails),
		TREE_TEST(a_split_without_memory_changes_nothing),
		TREE_TEST(a_tree_without_memory_is_no_tree),
		TREE_TEST(what_makes_no_node_needs_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

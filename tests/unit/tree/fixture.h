/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A tree for one test, and words to put into it. The teardown frees the tree
 * and finds no block left over.
 */
#ifndef TREE_FIXTURE_H
#define TREE_FIXTURE_H

#include <errno.h>

#include "support/cmocka.h"
#include "tree/node.h"

#define PMD_PAGES ((uint64_t)1 << DAX_PMD_ORDER)
#define PUD_PAGES ((uint64_t)1 << DAX_PUD_ORDER)
#define LAST_PAGE UINT64_MAX

struct tree_fixture {
	struct dax_tree *tree;
	uint64_t live; /* blocks before the tree */
};

static inline int tree_setup(void **state)
{
	static struct tree_fixture fixture;

	sync_rcu_barrier();
	fixture.live = sync_alloc_live();
	*state = &fixture;
	return dax_tree_new(&fixture.tree);
}

/* Blocks that belong to the tree, besides the tree itself. */
static inline uint64_t tree_blocks(const struct tree_fixture *fixture)
{
	sync_rcu_barrier();
	return sync_alloc_live() - fixture->live - 1;
}

static inline int tree_teardown(void **state)
{
	struct tree_fixture *fixture = *state;

	sync_alloc_fail_nth(0);
	dax_tree_delete(&fixture->tree);
	sync_rcu_barrier();
	assert_int_equal(sync_alloc_live(), fixture->live);
	return 0;
}

#define TREE_TEST(test)                                                        \
	cmocka_unit_test_setup_teardown(test, tree_setup, tree_teardown)

static inline struct dax_tree *tree_of(void **state)
{
	return ((struct tree_fixture *)*state)->tree;
}

static inline uint64_t pte(uint64_t pfn)
{
	return dax_make_entry(pfn, DAX_PTE);
}

static inline uint64_t pmd(uint64_t pfn)
{
	return dax_make_entry(pfn, DAX_PMD);
}

static inline uint64_t pud(uint64_t pfn)
{
	return dax_make_entry(pfn, DAX_PUD);
}

/* The three sizes, smallest first. */
static const struct entry_size {
	const char *name;
	unsigned int flag;
	unsigned int order;
	unsigned int level;
} entry_sizes[] = {
	{"PTE", DAX_PTE, DAX_PTE_ORDER, 0},
	{"PMD", DAX_PMD, DAX_PMD_ORDER, 1},
	{"PUD", DAX_PUD, DAX_PUD_ORDER, 2},
};
#define ENTRY_SIZES ARRAY_SIZE(entry_sizes)

static inline uint64_t pages_of(const struct entry_size *size)
{
	return (uint64_t)1 << size->order;
}

/* Every guarantee of tree/node.h holds, and the entries cover @pages. */
#define assert_tree(tree, pages)                                               \
	do {                                                                   \
		uint64_t pages_;                                               \
		const char *wrong_ = tree_verify(tree, &pages_);               \
                                                                               \
		if (wrong_)                                                    \
			fail_msg("%s", wrong_);                                \
		assert_int_equal(pages_, pages);                               \
	} while (0)

#define assert_insert(tree, index, word)                                       \
	assert_int_equal(dax_tree_insert(tree, index, word), 0)

#define assert_load(tree, index, word)                                         \
	assert_int_equal(dax_tree_load(tree, index), word)

/* Whatever stands there. */
#define assert_erase(tree, index)                                              \
	assert_int_equal(                                                      \
		dax_tree_erase(tree, index, dax_tree_load(tree, index)), 0)

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A node without entries, still in the tree or just leaving it, is nothing
 * that an insert may run into. The moments in the middle of an erase are set
 * up by hand, since no schedule of whole calls stops there.
 */
#include "fixture.h"
#include "support/crew.h"

/* An erase up to where the slot is clear, but still counts as used. */
static void erase_half(
	struct dax_tree *tree, uint64_t index, struct tree_place *place)
{
	sync_rcu_enter();
	*place = tree_walk(tree, index, 0);
	assert_true(tree_clear(place));
	sync_rcu_leave();
}

/* And on, to where the node is empty, but not yet taken out. */
static void erase_but_for_the_node(
	struct dax_tree *tree, uint64_t index, struct tree_place *place)
{
	erase_half(tree, index, place);
	assert_int_equal(
		sync_sub(&place->node->live, 1, memory_order_acq_rel), 1);
}

static void a_node_stays_while_a_cleared_slot_still_counts(void **state)
{
	struct dax_tree *tree = tree_of(state);
	struct tree_place place;

	assert_insert(tree, 0, pte(1));
	erase_half(tree, 0, &place);
	tree_prune(tree, 0);
	assert_int_equal(dax_tree_nr_nodes(tree), 1);
	tree_cleared(tree, 0, &place);
	assert_int_equal(dax_tree_nr_nodes(tree), 0);
}

static void an_empty_node_makes_way_for_a_larger_entry(void **state)
{
	struct dax_tree *tree = tree_of(state);
	struct tree_place place;

	assert_insert(tree, 1, pte(1));
	assert_insert(tree, PMD_PAGES, pte(2));
	erase_but_for_the_node(tree, 1, &place);
	assert_insert(tree, 0, pmd(3));
	assert_load(tree, 1, pmd(3));
	assert_tree(tree, PMD_PAGES + 1);
}

static void an_empty_root_makes_way_for_a_larger_entry(void **state)
{
	struct dax_tree *tree = tree_of(state);
	struct tree_place place;

	assert_insert(tree, 1, pte(1));
	erase_but_for_the_node(tree, 1, &place);
	assert_insert(tree, 0, pud(3));
	assert_tree(tree, PUD_PAGES);
}

static void an_empty_node_takes_an_entry_again(void **state)
{
	struct dax_tree *tree = tree_of(state);
	struct tree_place place;

	assert_insert(tree, 1, pte(1));
	erase_but_for_the_node(tree, 1, &place);
	assert_insert(tree, 2, pte(2));
	/* What the erase does next comes too late. */
	tree_prune(tree, 1);
	assert_load(tree, 2, pte(2));
	assert_tree(tree, 1);
}

static void pruning_a_node_in_use_does_nothing(void **state)
{
	struct dax_tree *tree = tree_of(state);

	assert_insert(tree, 1, pte(1));
	assert_insert(tree, LAST_PAGE, pte(2));
	tree_prune(tree, 1);
	tree_prune(tree, 2);
	tree_prune(tree, PUD_PAGES);
	assert_tree(tree, 2);
}

static void pruning_an_empty_tree_does_nothing(void **state)
{
	tree_prune(tree_of(state), 0);
	tree_prune(tree_of(state), LAST_PAGE);
	assert_tree(tree_of(state), 0);
}

static void a_search_goes_on_behind_an_empty_node(void **state)
{
	struct dax_tree *tree = tree_of(state);
	struct tree_place place;
	struct dax_xas xas;

	assert_insert(tree, 1, pte(1));
	assert_insert(tree, PMD_PAGES, pte(2));
	erase_but_for_the_node(tree, 1, &place);
	dax_xas_init(&xas, tree, 0, LAST_PAGE);
	assert_int_equal(dax_xas_next(&xas), pte(2));
	assert_int_equal(xas.index, PMD_PAGES);
	assert_int_equal(dax_xas_next(&xas), 0);
	tree_prune(tree, 1);
}

struct late_insert {
	struct dax_tree *tree;
	uint64_t index;
	uint64_t word;
	atomic_int error;
};

#define NOT_YET 1

static void inserts(struct crew_member *me)
{
	struct late_insert *it = me->shared;

	atomic_store(
		&it->error, dax_tree_insert(it->tree, it->index, it->word));
}

/*
 * The node that an insert meets is dead, and its killer holds the tree's lock,
 * about to unlink it: the insert waits for that.
 */
static void assert_waits_for_a_dead_node(
	struct dax_tree *tree, uint64_t index, uint64_t word)
{
	struct late_insert late = {tree, index, word, NOT_YET};
	struct tree_place place;
	struct crew crew;
	int early;

	assert_insert(tree, 1, pte(1));
	assert_insert(tree, PMD_PAGES, pte(2));
	erase_but_for_the_node(tree, 1, &place);
	sync_lock_acquire(&tree->lock);
	sync_store(&place.node->live, NODE_DEAD, memory_order_relaxed);
	crew_start(&crew, 1, inserts, &late);
	crew_await(atomic_load(&late.error) != NOT_YET ||
		   atomic_load(&tree->lock.state) == SYNC_CONTENDED);
	early = atomic_load(&late.error);
	/* Alive again, but for the insert to prune: it makes no difference. */
	sync_store(&place.node->live, 0, memory_order_relaxed);
	sync_lock_release(&tree->lock);
	crew_assert_content(&crew);
	assert_int_equal(early, NOT_YET);
	assert_int_equal(atomic_load(&late.error), 0);
	assert_load(tree, index, word);
	assert_tree(tree, ((uint64_t)1 << dax_entry_order(word)) + 1);
}

static void a_small_entry_waits_for_a_dead_node_to_go(void **state)
{
	assert_waits_for_a_dead_node(tree_of(state), 2, pte(3));
}

static void a_large_entry_waits_for_a_dead_node_to_go(void **state)
{
	assert_waits_for_a_dead_node(tree_of(state), 0, pmd(3));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TREE_TEST(a_node_stays_while_a_cleared_slot_still_counts),
		TREE_TEST(an_empty_node_makes_way_for_a_larger_entry),
		TREE_TEST(an_empty_root_makes_way_for_a_larger_entry),
		TREE_TEST(an_empty_node_takes_an_entry_again),
		TREE_TEST(pruning_a_node_in_use_does_nothing),
		TREE_TEST(pruning_an_empty_tree_does_nothing),
		TREE_TEST(a_search_goes_on_behind_an_empty_node),
		TREE_TEST(a_small_entry_waits_for_a_dead_node_to_go),
		TREE_TEST(a_large_entry_waits_for_a_dead_node_to_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

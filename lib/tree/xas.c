/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Searches. Each step goes down from the root to the first entry at or after
 * @next, so a position is a number and stays valid whatever happens between
 * two steps. A step costs a walk, three loads in a file of up to 512 GiB, and
 * a look at each node that it passes over.
 */
#include "base/check.h"
#include "daxlock/tree.h"
#include "tree/node.h"

/* What a search asks of a slot. */
enum want {
	WANT_DIRTY = DAX_MARK_DIRTY,
	WANT_TOWRITE = DAX_MARK_TOWRITE,
	WANT_ANY,
};

void dax_xas_init(struct dax_xas *xas, const struct dax_tree *tree,
	dax_pgoff_t first, dax_pgoff_t last)
{
	DAX_REQUIRE(xas && tree);
	*xas = (struct dax_xas){
		.index = first,
		.tree = tree,
		.next = first,
		.last = last,
		.done = first > last,
	};
}

/* The first offset from @offset on that may lead to what is wanted. */
static unsigned int next_offset(
	const struct tree_node *node, unsigned int offset, enum want want)
{
	uint64_t groups;

	/* Behind the last slot there is no group to ask for. */
	if (want == WANT_ANY || offset >= NODE_SLOTS)
		return offset;
	/* [MO-4] Sees the group bits of every mark set before the search. */
	groups = sync_load(&node->marks[want], memory_order_acquire) &
		 -group_bit(offset);
	if (!groups)
		return NODE_SLOTS;
	if (groups & group_bit(offset))
		return offset;
	return (unsigned int)__builtin_ctzll(groups) << GROUP_SHIFT;
}

static bool slot_wanted(uint64_t word, enum want want)
{
	return want == WANT_ANY || word_has(word, WORD_MARK(want));
}

struct search {
	enum want want;
	dax_pgoff_t index; /* where it stands; only grows */
	dax_pgoff_t last;
};

static bool worth_a_visit(const struct tree_node *node, enum want want)
{
	/* [MO-4] As above. */
	return want == WANT_ANY ||
	       sync_load(&node->marks[want], memory_order_acquire);
}

/* The first entry wanted under @node, which is of @level. 0: there is none. */
static uint64_t search_node(
	const struct tree_node *node, unsigned int level, struct search *search)
{
	const uint64_t slot_pages = (uint64_t)1 << level_shift(level);
	const unsigned int start = slot_offset(search->index, level);
	const dax_pgoff_t start_index = search->index & -slot_pages;

	for (unsigned int i = start;
		(i = next_offset(node, i, search->want)) < NODE_SLOTS; i++) {
		const uint64_t word = slot_load(&node->slots[i]);
		uint64_t found = 0;

		if (i != start)
			search->index = start_index + (i - start) * slot_pages;
		if (search->index > search->last)
			return 0;
		if (!word_is_node(word))
			found = slot_wanted(word, search->want) ? word : 0;
		else if (worth_a_visit(word_node(word), search->want))
			found = search_node(word_node(word), level - 1, search);
		if (found)
			return found;
	}
	return 0;
}

static uint64_t search_tree(const struct dax_tree *tree, struct search *search)
{
	const uint64_t root = slot_load(&tree->root);

	if (!root || !level_reaches(root_level(root), search->index))
		return 0;
	return search_node(root_node(root), root_level(root), search);
}

/* The last index of the entry found at @index. */
static dax_pgoff_t end_of(uint64_t word, dax_pgoff_t index)
{
	if (SYNC_DEVIATION(step_by_one))
		return index;
	return index | (((uint64_t)1 << dax_entry_order(word)) - 1);
}

static uint64_t next_wanted(struct dax_xas *xas, enum want want)
{
	struct search search;
	uint64_t word = 0;

	DAX_REQUIRE(xas);
	search = (struct search){want, xas->next, xas->last};
	if (!xas->done) {
		sync_rcu_enter();
		word = search_tree(xas->tree, &search);
		sync_rcu_leave();
	}
	if (!word) {
		xas->done = true;
		return 0;
	}
	xas->index = search.index;
	xas->next = end_of(word, search.index);
	xas->done = xas->next >= xas->last;
	xas->next++;
	return word;
}

uint64_t dax_xas_next(struct dax_xas *xas)
{
	return next_wanted(xas, WANT_ANY);
}

uint64_t dax_xas_next_marked(struct dax_xas *xas, enum dax_mark mark)
{
	return next_wanted(xas, (enum want)mark);
}

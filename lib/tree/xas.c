/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Searches. Each step walks from the root to the first entry at or after
 * @next, so a position is a number and stays valid whatever happens between
 * two steps. A step costs a walk, three loads in a file of up to 512 GiB; what
 * is skipped costs nothing where a node has no mark below it.
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
	if (want == WANT_ANY || word_is_node(word))
		return word;
	return word_has(word, WORD_MARK(want));
}

/*
 * The first slot of @node, which is of @level, from *@index on. Moves *@index
 * there, if it was before. 0: there is none.
 */
static uint64_t search_node(const struct tree_node *node, unsigned int level,
	uint64_t *index, enum want want)
{
	const unsigned int start = slot_offset(*index, level);
	const uint64_t slot_pages = (uint64_t)1 << level_shift(level);

	for (unsigned int i = start;
		(i = next_offset(node, i, want)) < NODE_SLOTS; i++) {
		const uint64_t word = slot_load(&node->slots[i]);

		if (!slot_wanted(word, want))
			continue;
		if (i != start)
			*index = (*index & -slot_pages) +
				 (i - start) * slot_pages;
		return word;
	}
	return 0;
}

/* The last index of the node of @level that covers @index. */
static uint64_t node_last(unsigned int level, uint64_t index)
{
	if (level >= TREE_LEVELS - 1)
		return UINT64_MAX;
	return index | (((uint64_t)1 << level_shift(level + 1)) - 1);
}

enum found {
	FOUND_ENTRY,
	FOUND_END,  /* nothing from *@index on */
	FOUND_HOLE, /* nothing in this node: go on at *@index */
};

static enum found search_once(const struct dax_tree *tree, uint64_t *index,
	enum want want, uint64_t *word)
{
	const uint64_t root = slot_load(&tree->root);
	unsigned int level = root_level(root);

	if (!root || !level_reaches(level, *index))
		return FOUND_END;
	for (*word = node_word(root_node(root)); word_is_node(*word); level--) {
		const struct tree_node *node = word_node(*word);

		*word = search_node(node, level, index, want);
		if (!*word) {
			*index = node_last(level, *index) + 1;
			return *index ? FOUND_HOLE : FOUND_END;
		}
	}
	return FOUND_ENTRY;
}

static uint64_t search(struct dax_xas *xas, enum want want)
{
	enum found found = FOUND_HOLE;
	uint64_t index = xas->next;
	uint64_t word = 0;

	DAX_REQUIRE(xas);
	if (xas->done)
		return 0;
	sync_rcu_enter();
	while (found == FOUND_HOLE && index <= xas->last)
		found = search_once(xas->tree, &index, want, &word);
	sync_rcu_leave();
	if (found != FOUND_ENTRY || index > xas->last) {
		xas->done = true;
		return 0;
	}
	xas->index = index;
	xas->next =
		SYNC_DEVIATION(step_by_one)
			? index
			: index | (((uint64_t)1 << dax_entry_order(word)) - 1);
	xas->done = xas->next >= xas->last;
	xas->next++;
	return word;
}

uint64_t dax_xas_next(struct dax_xas *xas)
{
	return search(xas, WANT_ANY);
}

uint64_t dax_xas_next_marked(struct dax_xas *xas, enum dax_mark mark)
{
	return search(xas, (enum want)mark);
}

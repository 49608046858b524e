/* SPDX-License-Identifier: BSD-3-Clause */
/* The guarantees of tree/node.h, checked on a tree that nobody else uses. */
#include "tree/node.h"

struct census {
	uint64_t nr_pages;
	uint64_t nr_nodes;
	const char *wrong;
};

static const char *entry_wrong(uint64_t word, unsigned int level)
{
	if (word_level(word) != level)
		return "an entry stands on a level that is not its order's";
	if (word_has(word, WORD_LOCKED))
		return "an entry is locked";
	return NULL;
}

static void count_node(const struct tree_node *node, unsigned int level,
	struct census *census);

/* Adds what @word holds to @census; returns its marks, bit 0 for mark 0. */
static unsigned int count_slot(
	uint64_t word, unsigned int level, struct census *census)
{
	unsigned int marks = 0;

	if (word_is_node(word)) {
		if (level)
			count_node(word_node(word), level - 1, census);
		else
			census->wrong = "a node hangs under a PTE slot";
		for (int mark = 0; level && mark < NR_MARKS; mark++)
			if (sync_load(&word_node(word)->marks[mark],
				    memory_order_relaxed))
				marks |= 1u << mark;
		return marks;
	}
	if (entry_wrong(word, level))
		census->wrong = entry_wrong(word, level);
	census->nr_pages += (uint64_t)1 << dax_entry_order(word);
	return (word & WORD_MARKS) >> WORD_MARK_SHIFT;
}

static void count_node(
	const struct tree_node *node, unsigned int level, struct census *census)
{
	const uint64_t live = sync_load(&node->live, memory_order_relaxed);
	uint64_t groups[NR_MARKS] = {0};
	uint64_t used = 0;

	census->nr_nodes++;
	for (unsigned int i = 0; i < NODE_SLOTS; i++) {
		const uint64_t word =
			sync_load(&node->slots[i], memory_order_relaxed);
		unsigned int marks;

		if (!word)
			continue;
		used++;
		marks = count_slot(word, level, census);
		for (int mark = 0; mark < NR_MARKS; mark++)
			if (marks & 1u << mark)
				groups[mark] |= group_bit(i);
	}
	if (!used)
		census->wrong = "an empty node was left";
	if (live != used)
		census->wrong = "a node's count is not its used slots (G1)";
	for (int mark = 0; mark < NR_MARKS; mark++)
		if (sync_load(&node->marks[mark], memory_order_relaxed) !=
			groups[mark])
			census->wrong = "group bits do not fit the marks (G5)";
}

const char *tree_verify(const struct dax_tree *tree, uint64_t *nr_pages)
{
	const uint64_t root = slot_load(&tree->root);
	struct census census = {0};

	if (root)
		count_node(root_node(root), root_level(root), &census);
	if (!census.wrong && census.nr_nodes != dax_tree_nr_nodes(tree))
		census.wrong = "the tree's count of nodes is wrong";
	*nr_pages = census.nr_pages;
	return census.wrong;
}

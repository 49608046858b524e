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

/* A slot of a node, and what was found there. */
struct step {
	unsigned int offset;
	uint64_t word;
};

static bool word_wanted(uint64_t word, enum want want)
{
	if (!word_is_node(word))
		return word_has(word, WORD_MARK(want));
	/* [MO-4] Sees the group bits of every mark set before the search. */
	return sync_load(&word_node(word)->marks[want], memory_order_acquire);
}

/* The children of a group are asked one after the other, but their group bits
 * can be fetched all at once. Where a group is one slot there is nothing to
 * gain. */
static void prefetch_children(
	const struct tree_node *node, unsigned int first, enum want want)
{
	for (unsigned int i = 0; GROUP_SLOTS > 1 && i < GROUP_SLOTS; i++) {
		const uint64_t word = slot_load(&node->slots[first + i]);

		if (word_is_node(word))
			__builtin_prefetch(&word_node(word)->marks[want]);
	}
}

/* In the group of @step, from there on. False: @step is behind it. */
static bool step_in_group(
	const struct tree_node *node, enum want want, struct step *step)
{
	do {
		step->word = slot_load(&node->slots[step->offset]);
		if (word_wanted(step->word, want))
			return true;
	} while (++step->offset % GROUP_SLOTS);
	return false;
}

static bool step_to_marked(const struct tree_node *node, unsigned int level,
	enum want want, struct step *step)
{
	while (step->offset < NODE_SLOTS) {
		/* [MO-4] As above. */
		const uint64_t groups =
			sync_load(&node->marks[want], memory_order_acquire) &
			-group_bit(step->offset);

		if (!groups)
			return false;
		if (!(groups & group_bit(step->offset)))
			step->offset = (unsigned int)__builtin_ctzll(groups)
				       << GROUP_SHIFT;
		if (level && !(step->offset % GROUP_SLOTS))
			prefetch_children(node, step->offset, want);
		if (step_in_group(node, want, step))
			return true;
	}
	return false;
}

/* From @step on to the first slot that may lead to what is wanted. */
static bool step_to(const struct tree_node *node, unsigned int level,
	enum want want, struct step *step)
{
	if (want != WANT_ANY)
		return step_to_marked(node, level, want, step);
	if (step->offset >= NODE_SLOTS)
		return false;
	step->word = slot_load(&node->slots[step->offset]);
	return true;
}

struct search {
	enum want want;
	dax_pgoff_t index; /* where it stands; only grows */
	dax_pgoff_t last;
};

/* The first entry wanted under @node, which is of @level. 0: there is none. */
static uint64_t search_node(
	const struct tree_node *node, unsigned int level, struct search *search)
{
	const uint64_t slot_pages = (uint64_t)1 << level_shift(level);
	const unsigned int start = slot_offset(search->index, level);
	const dax_pgoff_t start_index = search->index & -slot_pages;
	struct step step = {.offset = start};

	for (; step_to(node, level, search->want, &step); step.offset++) {
		uint64_t found = step.word;

		if (step.offset != start)
			search->index = start_index +
					(step.offset - start) * slot_pages;
		if (search->index > search->last)
			return 0;
		if (word_is_node(step.word))
			found = search_node(
				word_node(step.word), level - 1, search);
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

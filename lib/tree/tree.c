/* SPDX-License-Identifier: BSD-3-Clause */
/* The shape of the tree: nodes come, nodes go. Guarantees: see tree/node.h. */
#include "daxlock/tree.h"

#include <errno.h>

#include "base/check.h"
#include "tree/node.h"

_Static_assert(TREE_LEVELS - 1 <= ROOT_LEVEL_MASK, "level fits the root word");
_Static_assert(NODE_SLOTS / GROUP_SLOTS <= 64, "a bit for each group");

/* ---- nodes ---- */

/* Of all trees. */
static struct sync_cache nodes =
	SYNC_CACHE_INIT(nodes, sizeof(struct tree_node), NODE_ALIGN);

static struct tree_node *node_new(struct dax_tree *tree)
{
	struct tree_node *node = sync_cache_alloc(&nodes);

	if (node)
		sync_count(&tree->nr_nodes, 1);
	return node;
}

/* A node that nobody else has seen. */
static void node_discard(struct dax_tree *tree, struct tree_node *node)
{
	sync_count(&tree->nr_nodes, -(uint64_t)1);
	sync_cache_free(&nodes, node);
}

static void node_reclaim(struct sync_rcu_head *head)
{
	sync_cache_free(&nodes, (char *)head - offsetof(struct tree_node, rcu));
}

/* A node that was unlinked (G3). */
static void node_retire(struct dax_tree *tree, struct tree_node *node)
{
	sync_count(&tree->nr_nodes, -(uint64_t)1);
	if (SYNC_DEVIATION(free_at_once))
		sync_cache_free(&nodes, node);
	else
		sync_rcu_call(&node->rcu, node_reclaim);
}

/* G1: before a slot is filled. False: the node is dead (G2). */
static bool node_reserve(struct tree_node *node)
{
	/* [MO-3] Either we are counted, or we see that the node is dead. */
	return sync_reserve(&node->live, NODE_DEAD, memory_order_acq_rel);
}

/* G1: after a slot was cleared, or was not filled. True: it was the last. */
static bool node_release(struct tree_node *node)
{
	/* [MO-3] The cleared slot before the count that lets the node die. */
	return sync_sub(&node->live, 1, memory_order_acq_rel) == 1;
}

/* G2: true when @live was @from, and the node is dead now. */
static bool node_kill(struct tree_node *node, uint64_t from)
{
	/* [MO-3] Sees each slot as cleared as the count says it is. */
	return sync_cas(&node->live, &from, NODE_DEAD, memory_order_acq_rel);
}

/* Sets up the only slot of a node that nobody else has seen. */
static void node_start(
	struct tree_node *node, unsigned int offset, uint64_t word)
{
	/* Relaxed: whoever links the node releases it [MO-1]. */
	sync_store(&node->slots[offset], word, memory_order_relaxed);
	sync_store(&node->live, 1, memory_order_relaxed);
}

/* ---- chains: nodes down to one entry that nobody else has seen ---- */

/* @link: the chain; its first node is of @level. */
static void chain_discard(struct dax_tree *tree, uint64_t index, uint64_t link,
	unsigned int level)
{
	while (word_is_node(link)) {
		struct tree_node *node = word_node(link);

		link = sync_load(&node->slots[slot_offset(index, level--)],
			memory_order_relaxed);
		node_discard(tree, node);
	}
}

/* @height nodes above @word; with none, the chain is @word. Returns what to
 * link, or 0 when out of memory. */
static uint64_t chain_new(struct dax_tree *tree, uint64_t index,
	unsigned int height, uint64_t word)
{
	unsigned int level = word_level(word);
	uint64_t link = word;

	for (; height; height--, level++) {
		struct tree_node *node = node_new(tree);

		if (!node) {
			chain_discard(tree, index, link, level - 1);
			return 0;
		}
		node_start(node, slot_offset(index, level), link);
		link = node_word(node);
	}
	return link;
}

/* ---- filling ---- */

enum fill {
	FILL_DONE,
	FILL_AGAIN,   /* somebody was faster: walk again */
	FILL_PRUNE,   /* a dead or empty node is in the way */
	FILL_RAISE,   /* the root does not reach */
	FILL_EXISTS,  /* an entry at least as large is there */
	FILL_SMALLER, /* smaller entries are in the range */
	FILL_NOMEM,
};

/* What the walk found in a slot, and the CAS that fills it expects. */
static uint64_t nothing_in(const struct sync_u64 *slot)
{
	return SYNC_DEVIATION(insert_gap)
		       ? sync_load(slot, memory_order_relaxed)
		       : 0;
}

/* The first node of an empty tree, with all down to @word. */
static enum fill fill_root(struct dax_tree *tree, uint64_t index, uint64_t word)
{
	unsigned int level = word_level(word);
	uint64_t empty;
	uint64_t link;

	while (!level_reaches(level, index))
		level++;
	link = chain_new(tree, index, level - word_level(word) + 1, word);
	if (!link)
		return FILL_NOMEM;
	empty = nothing_in(&tree->root);
	/* [MO-1] The chain's contents before the link to it.
	 * [MO-2] Sees what the owners of entries that were here did. */
	if (sync_cas(&tree->root, &empty, root_word(word_node(link), level),
		    memory_order_acq_rel))
		return FILL_DONE;
	chain_discard(tree, index, link, level);
	return FILL_AGAIN;
}

/* The empty slot of @place, with whatever it takes to get down to @word. */
static enum fill fill_slot(struct dax_tree *tree, uint64_t index,
	const struct tree_place *place, uint64_t word)
{
	const unsigned int height = place->level - word_level(word);
	const uint64_t link = chain_new(tree, index, height, word);
	enum fill result = FILL_PRUNE;
	uint64_t empty;

	if (!link)
		return FILL_NOMEM;
	if (node_reserve(place->node)) {
		empty = nothing_in(place->slot);
		/* [MO-1] The chain's contents before the link to it.
		 * [MO-2] Sees what the owners of entries that were here did. */
		if (sync_cas(place->slot, &empty, link, memory_order_acq_rel))
			return FILL_DONE;
		if (!node_release(place->node))
			result = FILL_AGAIN;
	}
	chain_discard(tree, index, link, place->level - 1);
	return result;
}

/* A node of smaller entries stands where ours would. */
static enum fill obstructed_by(const struct tree_node *node)
{
	return tree_node_is_empty(node) ? FILL_PRUNE : FILL_SMALLER;
}

static enum fill fill_once(struct dax_tree *tree, uint64_t index, uint64_t word,
	struct sync_u64 **slot)
{
	const unsigned int level = word_level(word);
	const struct tree_place place = tree_walk(tree, index, level);

	*slot = place.level == level ? place.slot : NULL;
	if (word_is_value(place.word))
		return FILL_EXISTS;
	if (place.word)
		return obstructed_by(word_node(place.word));
	if (place.node)
		return fill_slot(tree, index, &place, word);
	/* Relaxed: a hint, each branch decides by a CAS or under the lock. */
	if (sync_load(&tree->root, memory_order_relaxed))
		return FILL_RAISE;
	return fill_root(tree, index, word);
}

/* One level more, while the root does not reach @index. */
static enum fill fill_raise(struct dax_tree *tree, uint64_t index)
{
	struct tree_node *node = node_new(tree);
	unsigned int level;
	uint64_t root;

	if (!node)
		return FILL_NOMEM;
	sync_lock_acquire(&tree->lock);
	/* The first node comes by a CAS without this lock, and readers will
	 * get to it by what we link. */
	root = slot_load(&tree->root);
	level = root_level(root);
	if (root && !level_reaches(level, index)) {
		node_start(node, 0, node_word(root_node(root)));
		for (int mark = 0; mark < NR_MARKS; mark++)
			if (sync_load(&root_node(root)->marks[mark],
				    memory_order_relaxed))
				sync_store(&node->marks[mark], group_bit(0),
					memory_order_relaxed);
		/* [MO-1] The node's contents before the link to it. */
		sync_store(&tree->root, root_word(node, level + 1),
			memory_order_release);
		node = NULL;
	}
	sync_lock_release(&tree->lock);
	if (node)
		node_discard(tree, node);
	return FILL_AGAIN;
}

int tree_fill(struct dax_tree *tree, uint64_t index, uint64_t word,
	struct sync_u64 **slot)
{
	for (;;) {
		enum fill result;

		sync_rcu_enter();
		result = fill_once(tree, index, word, slot);
		sync_rcu_leave();
		if (result == FILL_RAISE)
			result = fill_raise(tree, index);
		switch (result) {
		case FILL_DONE:
			return 0;
		case FILL_EXISTS:
			return -EEXIST;
		case FILL_SMALLER:
			return -ENOTEMPTY;
		case FILL_NOMEM:
			return -ENOMEM;
		case FILL_PRUNE:
			tree_prune(tree, index);
			break;
		case FILL_AGAIN:
		case FILL_RAISE:
			break;
		}
	}
}

/*
 *  owner of the PMD entry (here)        sleeper, or whoever sets a mark
 *  (A) builds the node, @word in it
 *                                       (B) CAS: adds a bit to the PMD word
 *  (C) swaps the node in, gets the word
 *      with the bit, if (B) was first
 *                                       (B) after (C): the CAS fails, and he
 *                                       walks on, into the node
 *
 * Forbidden: a bit set in a word that is gone, known to nobody.
 */
int tree_split(
	struct dax_tree *tree, uint64_t index, uint64_t word, uint64_t *old)
{
	struct tree_place place;
	uint64_t link;

	/* Without RCU: the caller's lock bit keeps the way there (G4). */
	place = tree_walk(tree, index, 0);
	DAX_INVARIANT(word_has(place.word, WORD_LOCKED) ||
		      SYNC_DEVIATION(downgrade_nolock));
	DAX_INVARIANT(place.level > word_level(word));
	link = chain_new(tree, index, place.level - word_level(word), word);
	if (!link)
		return -ENOMEM;
	/* [MO-1] The chain's contents before the link to it. */
	*old = sync_swap(place.slot, link, memory_order_acq_rel);
	if (word_has(*old, WORD_MARKS))
		tree_marks_settle(tree, index);
	return 0;
}

/* ---- emptying ---- */

void tree_cleared(
	struct dax_tree *tree, uint64_t index, const struct tree_place *place)
{
	/* Before the count is given up: an empty node has no marks. */
	if (word_has(place->word, WORD_MARKS))
		tree_marks_settle(tree, index);
	if (node_release(place->node))
		tree_prune(tree, index);
}

void tree_path_walk_locked(
	const struct dax_tree *tree, uint64_t index, struct tree_path *path)
{
	const uint64_t root = slot_load(&tree->root);
	uint64_t word = node_word(root_node(root));

	sync_lock_assert_held(&tree->lock);
	path->root_level = root_level(root);
	path->depth = 0;
	path->slot = NULL;
	if (!level_reaches(path->root_level, index))
		return;
	while (word_is_node(word)) {
		const unsigned int level = path_level(path, path->depth);
		struct tree_node *node = word_node(word);

		path->nodes[path->depth++] = node;
		path->slot = &node->slots[slot_offset(index, level)];
		word = slot_load(path->slot);
	}
}

/* Takes the last node of @path, which is dead, out of the tree. */
static void unlink_last_locked(
	struct dax_tree *tree, uint64_t index, const struct tree_path *path)
{
	const unsigned int last = path->depth - 1;
	struct tree_node *node = path->nodes[last];
	struct sync_u64 *link = &tree->root;

	sync_lock_assert_held(&tree->lock);
	if (last)
		link = &path->nodes[last - 1]->slots[slot_offset(
			index, path_level(path, last - 1))];
	/* [MO-2] All that the owners of its entries did, which [MO-3] made
	 * known to us, before whoever fills this slot next. */
	sync_store(link, 0, memory_order_release);
	node_retire(tree, node);
}

void tree_prune(struct dax_tree *tree, uint64_t index)
{
	struct tree_path path;

	sync_lock_acquire(&tree->lock);
	tree_path_walk_locked(tree, index, &path);
	while (path.depth && node_kill(path.nodes[path.depth - 1], 0)) {
		unlink_last_locked(tree, index, &path);
		/* The parent's slot was cleared; perhaps its last (G1). */
		if (--path.depth)
			node_release(path.nodes[path.depth - 1]);
	}
	sync_lock_release(&tree->lock);
	sync_rcu_relieve();
}

/* ---- life ---- */

void tree_init(struct dax_tree *tree)
{
	sync_lock_init(&tree->lock, RANK_TREE);
}

static void destroy_below(struct tree_node *node, unsigned int level)
{
	for (unsigned int i = 0; level && i < NODE_SLOTS; i++) {
		const uint64_t word =
			sync_load(&node->slots[i], memory_order_relaxed);

		if (word_is_node(word))
			destroy_below(word_node(word), level - 1);
	}
	sync_cache_free(&nodes, node);
}

void tree_destroy(struct dax_tree *tree)
{
	const uint64_t root = slot_load(&tree->root);

	if (root)
		destroy_below(root_node(root), root_level(root));
	sync_store(&tree->root, 0, memory_order_relaxed);
}

int dax_tree_new(struct dax_tree **out)
{
	DAX_REQUIRE(out);
	*out = sync_alloc(sizeof(**out), _Alignof(struct dax_tree));
	if (!*out)
		return -ENOMEM;
	tree_init(*out);
	return 0;
}

void dax_tree_delete(struct dax_tree **tree)
{
	DAX_REQUIRE(tree);
	if (*tree)
		tree_destroy(*tree);
	sync_free(*tree);
	*tree = NULL;
}

size_t dax_tree_nr_nodes(const struct dax_tree *tree)
{
	return sync_load(&tree->nr_nodes, memory_order_relaxed);
}

size_t dax_tree_node_size(void)
{
	return nodes.size;
}

/* ---- one entry ---- */

static __attribute__((noinline, cold)) uint64_t load_by_call(
	const struct dax_tree *tree, uint64_t index)
{
	uint64_t word;

	sync_rcu_enter();
	word = tree_walk(tree, index, 0).word;
	sync_rcu_leave();
	return word;
}

uint64_t dax_tree_load(const struct dax_tree *tree, dax_pgoff_t index)
{
	uint64_t word;
	void *reader;

	DAX_REQUIRE(tree);
	reader = sync_rcu_try_enter();
	if (!reader)
		return load_by_call(tree, index);
	word = tree_walk(tree, index, 0).word;
	sync_rcu_leave_quickly(reader);
	return word;
}

int dax_tree_insert(struct dax_tree *tree, dax_pgoff_t index, uint64_t word)
{
	struct sync_u64 *slot;
	int error;

	DAX_REQUIRE(tree);
	DAX_REQUIRE(word_is_value(word) && !word_has(word, WORD_MARKS));
	error = tree_fill(tree, index, word, &slot);
	return error == -ENOTEMPTY ? -EEXIST : error;
}

int dax_tree_replace(
	struct dax_tree *tree, dax_pgoff_t index, uint64_t old, uint64_t word)
{
	struct tree_place place;
	bool replaced;

	DAX_REQUIRE(tree);
	DAX_REQUIRE(word_is_value(old) && word_is_value(word));
	DAX_REQUIRE(word_level(old) == word_level(word));
	DAX_REQUIRE(!((old ^ word) & WORD_MARKS));
	sync_rcu_enter();
	place = tree_walk(tree, index, 0);
	/* [MO-2] What the caller knows before its entry. */
	replaced = place.word == old &&
		   sync_cas(place.slot, &old, word, memory_order_acq_rel);
	sync_rcu_leave();
	return replaced ? 0 : -EAGAIN;
}

int dax_tree_erase(struct dax_tree *tree, dax_pgoff_t index, uint64_t old)
{
	struct tree_place place;
	bool cleared;

	DAX_REQUIRE(tree);
	DAX_REQUIRE(word_is_value(old));
	sync_rcu_enter();
	place = tree_walk(tree, index, 0);
	cleared = place.word == old && tree_clear(&place);
	sync_rcu_leave();
	if (!cleared)
		return -EAGAIN;
	tree_cleared(tree, index, &place);
	return 0;
}

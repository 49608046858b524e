/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Nodes of the tree and how a reader walks them.
 *
 *   index	page offset in the file, the tree's key
 *   level	0 has one slot a page, each level above covers 2^DAX_PMD_ORDER
 *		times as much: level 1 holds PMD entries, level 2 PUD entries
 *   word	what a slot holds: 0, an entry word (bit 0 set), or the address
 *		of the node one level down
 *   place	where a walk ended: slot, level and the word found there
 *
 * The tree is a page table: the slots of a level-0 node are 4 KiB of words for
 * 2 MiB of file.
 *
 * Guarantees
 *
 * G1  A node's @live counts its used slots, and is raised before a slot is
 *     filled and lowered after it is cleared. So a node with @live == 0 has no
 *     used slot and nobody about to fill one.
 * G2  A node is killed by one CAS of @live from 0 to NODE_DEAD. A reservation
 *     in a dead node fails, so its slots never change again; a CAS held back
 *     since before finds 0 and fails too. No slot needs to be frozen.
 * G3  A node is freed a grace period after it was unlinked; whoever is inside
 *     sync_rcu_enter() may touch any node it reached.
 * G4  An entry pins every node above it: each has @live of at least 1. So the
 *     owner of a locked entry walks to it, and keeps its slot, without RCU.
 *     That is also why a root stays tall until the tree is empty.
 * G5  Marked entry => the bit of its group is set in each node above it.
 *     Exactly so whenever nobody holds the tree's lock.
 *
 * Progress: look-ups are wait-free, bounded by the number of levels. Filling
 * and clearing a slot are lock-free. Changing marks, raising the root and
 * removing a node take the tree's lock.
 */
#ifndef TREE_NODE_H
#define TREE_NODE_H

#include "base/sync.h"
#include "daxlock/tree.h"
#include "entry/word.h"

#define NODE_SLOTS ((unsigned int)1 << DAX_PMD_ORDER)

/* Levels it takes for 64-bit indices; the topmost uses few of its slots. */
#define TREE_LEVELS ((64 + DAX_PMD_ORDER - 1) / DAX_PMD_ORDER)

/* One bit of a node's @marks stands for the slots of a group: eight of them,
 * a cache line, in a node of 512. */
#define GROUP_SHIFT (DAX_PMD_ORDER > 6 ? DAX_PMD_ORDER - 6 : 0)
#define GROUP_SLOTS (1u << GROUP_SHIFT)

#define NODE_DEAD   ((uint64_t)1 << 63)

#define NR_MARKS    2

struct tree_node {
	/* CAS; filled after reserving in @live (G1). An entry word is also
	 * changed by the owner of its lock bit; its marks under tree->lock. */
	struct sync_u64 slots[NODE_SLOTS];
	struct sync_u64 live;		 /* used slots, or NODE_DEAD (G2) */
	struct sync_u64 marks[NR_MARKS]; /* written under tree->lock */
	struct sync_rcu_head rcu;	 /* after the node is dead */
};

/* The root word is a node's address with its level in the low bits. */
#define ROOT_LEVEL_MASK ((uint64_t)(TREE_LEVELS <= 16 ? 15 : 31))
#define NODE_ALIGN	((size_t)ROOT_LEVEL_MASK + 1)

struct dax_tree {
	struct sync_u64 root;	  /* 0 or a root word; written under @lock,
				   * but for 0 -> first node, a CAS */
	struct sync_lock lock;	  /* raising, pruning, marks */
	struct sync_u64 nr_nodes; /* relaxed: a statistic */
};

struct tree_place {
	struct tree_node *node; /* NULL: the tree does not reach to the index */
	struct sync_u64 *slot;
	uint64_t word;
	unsigned int level;
};

static inline unsigned int level_shift(unsigned int level)
{
	return level * DAX_PMD_ORDER;
}

static inline unsigned int slot_offset(uint64_t index, unsigned int level)
{
	return (index >> level_shift(level)) & (NODE_SLOTS - 1);
}

/* Does a node of @level that starts at index 0 cover @index? */
static inline bool level_reaches(unsigned int level, uint64_t index)
{
	return level >= TREE_LEVELS - 1 || !(index >> level_shift(level + 1));
}

static inline struct tree_node *root_node(uint64_t root)
{
	return (struct tree_node *)(uintptr_t)(root & ~ROOT_LEVEL_MASK);
}

static inline unsigned int root_level(uint64_t root)
{
	return root & ROOT_LEVEL_MASK;
}

static inline uint64_t root_word(
	const struct tree_node *node, unsigned int level)
{
	return (uintptr_t)node | level;
}

static inline struct tree_node *word_node(uint64_t word)
{
	return (struct tree_node *)(uintptr_t)word;
}

static inline uint64_t node_word(const struct tree_node *node)
{
	return (uintptr_t)node;
}

static inline unsigned int word_level(uint64_t word)
{
	return word_order(word) / DAX_PMD_ORDER;
}

/* What a slot, or the root, leads to. */
static inline uint64_t slot_load(const struct sync_u64 *slot)
{
	/* [MO-1] The contents of the node or entry before the link to it. */
	return sync_load(slot, memory_order_acquire);
}

static inline struct tree_place walk_step(
	struct tree_node *node, unsigned int level, uint64_t index)
{
	struct sync_u64 *slot = &node->slots[slot_offset(index, level)];

	return (struct tree_place){node, slot, slot_load(slot), level};
}

/* From @node, which covers @index. Inlined where @level is a constant, it is
 * as many loads and no loop. */
static inline __attribute__((always_inline)) struct tree_place walk_down(
	struct tree_node *node, unsigned int level, uint64_t index,
	unsigned int floor)
{
	for (;; level--) {
		const struct tree_place place = walk_step(node, level, index);

		if (!word_is_node(place.word) || level == floor)
			return place;
		node = word_node(place.word);
	}
}

/* From a root of any level. */
static inline struct tree_place walk_from_root(
	uint64_t root, uint64_t index, unsigned int floor)
{
	struct tree_node *node = root_node(root);
	const unsigned int level = root_level(root);

	if (!root || !level_reaches(level, index))
		return (struct tree_place){.level = level};
	if (level < floor)
		/* All that is in the tree is below @floor, in @index's slot. */
		return (struct tree_place){node, NULL, node_word(node), level};
	return walk_down(node, level, index, floor);
}

/*
 * Walks towards @index, down to level @floor at most: to an entry, to an empty
 * slot, or to whatever stands at @floor. Inside sync_rcu_enter(), under
 * tree->lock, or owning the lock bit of the entry at @index (G4).
 */
static inline struct tree_place tree_walk(
	const struct dax_tree *tree, uint64_t index, unsigned int floor)
{
	const uint64_t root = slot_load(&tree->root);
	struct tree_place place;

	/* Most files: up to 1 GiB, and up to 512 GiB. */
	if (root_level(root) == 1 && floor <= 1 && level_reaches(1, index))
		return walk_down(root_node(root), 1, index, floor);
	if (root_level(root) != 2 || floor > 1 || !level_reaches(2, index))
		return walk_from_root(root, index, floor);
	place = walk_step(root_node(root), 2, index);
	if (!word_is_node(place.word))
		return place;
	return walk_down(word_node(place.word), 1, index, floor);
}

/* ---- under tree->lock ---- */

/* The nodes from the root towards an index. */
struct tree_path {
	struct tree_node *nodes[TREE_LEVELS]; /* the root first */
	unsigned int depth;		      /* how many */
	unsigned int root_level;
	struct sync_u64 *slot; /* in the last of them */
};

void tree_path_walk_locked(
	const struct dax_tree *tree, uint64_t index, struct tree_path *path);

static inline unsigned int path_level(
	const struct tree_path *path, unsigned int i)
{
	return path->root_level - i;
}

static inline uint64_t group_bit(unsigned int offset)
{
	return (uint64_t)1 << (offset >> GROUP_SHIFT);
}

/* ---- what the mapping needs beyond daxlock/tree.h ---- */

void tree_init(struct dax_tree *tree);
/* Nobody else may be in the tree. Frees every node at once. */
void tree_destroy(struct dax_tree *tree);

/*
 * Puts @word where nothing is. 0; -EEXIST an entry at least as large covers
 * @index; -ENOTEMPTY smaller entries are in the range; -ENOMEM, the tree is as
 * it was. @slot is where it stands; NULL where nodes had to come, too.
 */
int tree_fill(struct dax_tree *tree, uint64_t index, uint64_t word,
	struct sync_u64 **slot);

/*
 * Replaces the entry that covers @index, whose lock the caller owns, by nodes
 * down to the level of @word, with @word at @index. One step to every reader.
 * @old is the word replaced, with its waiters. 0 or -ENOMEM, nothing changed.
 */
int tree_split(
	struct dax_tree *tree, uint64_t index, uint64_t word, uint64_t *old);

/*
 * Clears the slot of @place if it still holds @place->word. Inside
 * sync_rcu_enter(). When it did, the caller goes on to tree_cleared(), in or
 * out of RCU: until then the slot counts as used and pins its node (G1, G4).
 */
static inline bool tree_clear(struct tree_place *place)
{
	/* [MO-2] Takes the entry away from whoever locks it next. */
	return sync_cas(place->slot, &place->word, 0, memory_order_acq_rel);
}

/* Gives up the slot cleared, and with it the nodes that are empty now. */
void tree_cleared(
	struct dax_tree *tree, uint64_t index, const struct tree_place *place);

/* Puts the group bits above @index right after a mark went. Takes the lock. */
void tree_marks_settle(struct dax_tree *tree, uint64_t index);

/* Removes the empty nodes on the way to @index. */
void tree_prune(struct dax_tree *tree, uint64_t index);

/* Is the node in the way of a larger entry without entries, to be pruned? */
static inline bool tree_node_is_empty(const struct tree_node *node)
{
	/* Relaxed: a hint. tree_prune() decides, by a CAS on the same word; of
	 * a dead node it waits, on the lock, until it is unlinked. */
	const uint64_t live = sync_load(&node->live, memory_order_relaxed);

	return !live || live & NODE_DEAD;
}

/* Under no lock, nobody else in the tree: every guarantee above, or a sentence
 * of what is wrong. @nr_pages: what the entries cover. */
const char *tree_verify(const struct dax_tree *tree, uint64_t *nr_pages);

#endif

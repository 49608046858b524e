/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Marks. The mark itself is a bit of the entry's word, as the dirty bit is one
 * of a page table entry; so it goes when the word goes, and one CAS can ask
 * "still clean?" and act on it. What a node adds is a bit a group of slots,
 * so that a search reads only what has marks below it.
 *
 * Group bits are set before the mark and cleared after it (G5), both under the
 * tree's lock, so that no moment exists in which a search can miss a marked
 * entry:
 *
 *  sets a mark (lock)          clears another (lock)       searches (no lock)
 *  sets the group bit
 *  sets the mark
 *                              clears its mark
 *                              looks at the whole group:
 *                              something is marked: the
 *                              group bit stays
 *                                                          sees the bit, finds
 *                                                          the mark
 */
#include "base/check.h"
#include "daxlock/tree.h"
#include "tree/node.h"

static bool slot_marked(const struct sync_u64 *slot, enum dax_mark mark)
{
	const uint64_t word = slot_load(slot);

	if (word_is_node(word))
		/* Relaxed: written under the lock that we hold. */
		return sync_load(
			&word_node(word)->marks[mark], memory_order_relaxed);
	return word_has(word, WORD_MARK(mark));
}

static bool group_marked(
	const struct tree_node *node, unsigned int offset, enum dax_mark mark)
{
	const unsigned int first = offset & ~(GROUP_SLOTS - 1);

	for (unsigned int i = first; i < first + GROUP_SLOTS; i++)
		if (slot_marked(&node->slots[i], mark))
			return true;
	return false;
}

/* Clears the group bits along @path under which nothing is marked any more. */
static void settle_locked(
	const struct tree_path *path, uint64_t index, enum dax_mark mark)
{
	for (unsigned int i = path->depth; i--;) {
		struct tree_node *node = path->nodes[i];
		const unsigned int offset =
			slot_offset(index, path_level(path, i));

		if (group_marked(node, offset, mark))
			return;
		sync_and(&node->marks[mark], ~group_bit(offset),
			memory_order_relaxed);
	}
}

void tree_marks_settle(struct dax_tree *tree, uint64_t index)
{
	struct tree_path path;

	sync_lock_acquire(&tree->lock);
	tree_path_walk_locked(tree, index, &path);
	for (int mark = 0; mark < NR_MARKS; mark++)
		settle_locked(&path, index, (enum dax_mark)mark);
	sync_lock_release(&tree->lock);
}

/* @word was loaded from @slot. True: it is an entry, and has the mark now.
 * False: @word is what stands there, and no entry (any more). */
static bool mark_entry(
	struct sync_u64 *slot, uint64_t *word, enum dax_mark mark)
{
	while (word_is_value(*word))
		/* [MO-4] The group bits before the mark. */
		if (word_has(*word, WORD_MARK(mark)) ||
			sync_cas(slot, word, *word | WORD_MARK(mark),
				memory_order_acq_rel))
			return true;
	return false;
}

/* @groups is of a node above what is to be marked. */
static void mark_group_locked(struct sync_u64 *groups, uint64_t bit)
{
	/* Relaxed: written under the lock that we hold; [MO-4] orders them all
	 * before the mark. High up they are mostly set. */
	if (!word_has(sync_load(groups, memory_order_relaxed), bit))
		sync_or(groups, bit, memory_order_relaxed);
}

/* Groups on the way down, and then the entry. One walk and few instructions:
 * what misses the caches is waited for while the next mark is set, if that is
 * near enough. False: there is no entry, and groups may be marked for none. */
static bool mark_below_locked(
	struct dax_tree *tree, uint64_t index, enum dax_mark mark)
{
	const uint64_t root = slot_load(&tree->root);
	struct tree_node *node = root_node(root);
	unsigned int level = root_level(root);

	if (!root || !level_reaches(level, index))
		return false;
	for (;; level--) {
		const unsigned int offset = slot_offset(index, level);
		struct sync_u64 *slot = &node->slots[offset];
		uint64_t word;

		mark_group_locked(&node->marks[mark], group_bit(offset));
		word = slot_load(slot);
		/* An entry may be split before or while we mark it: then walk
		 * on, down to what took its place. */
		if (mark_entry(slot, &word, mark))
			return true;
		if (!word)
			return false;
		node = word_node(word);
	}
}

/* Groups were marked for an entry that is not there. */
static void unmark_groups_locked(
	struct dax_tree *tree, uint64_t index, enum dax_mark mark)
{
	struct tree_path path;

	tree_path_walk_locked(tree, index, &path);
	settle_locked(&path, index, mark);
}

bool dax_tree_set_mark(
	struct dax_tree *tree, dax_pgoff_t index, enum dax_mark mark)
{
	bool marked;

	DAX_REQUIRE(tree);
	sync_lock_acquire(&tree->lock);
	marked = mark_below_locked(tree, index, mark);
	if (!marked)
		unmark_groups_locked(tree, index, mark);
	sync_lock_release(&tree->lock);
	return marked;
}

void dax_tree_clear_mark(
	struct dax_tree *tree, dax_pgoff_t index, enum dax_mark mark)
{
	struct tree_path path;
	uint64_t word = 0;

	DAX_REQUIRE(tree);
	sync_lock_acquire(&tree->lock);
	tree_path_walk_locked(tree, index, &path);
	if (path.slot)
		word = slot_load(path.slot);
	while (word_is_value(word) && word_has(word, WORD_MARK(mark)))
		/* [MO-4] What was written back before the mark goes. */
		if (sync_cas(path.slot, &word, word & ~WORD_MARK(mark),
			    memory_order_acq_rel)) {
			settle_locked(&path, index, mark);
			break;
		}
	sync_lock_release(&tree->lock);
}

bool dax_tree_get_mark(
	const struct dax_tree *tree, dax_pgoff_t index, enum dax_mark mark)
{
	return word_has(dax_tree_load(tree, index), WORD_MARK(mark));
}

bool dax_tree_marked(const struct dax_tree *tree, enum dax_mark mark)
{
	uint64_t root;
	bool marked = false;

	DAX_REQUIRE(tree);
	sync_rcu_enter();
	root = slot_load(&tree->root);
	if (root)
		/* [MO-4] Sees the group bits of every mark set before. */
		marked = sync_load(
			&root_node(root)->marks[mark], memory_order_acquire);
	sync_rcu_leave();
	return marked;
}

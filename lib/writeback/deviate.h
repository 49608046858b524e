/* SPDX-License-Identifier: BSD-3-Clause */
/* What writeback does, or what it does instead when it is told to err; as in
 * mapping/deviate.h. Included by writeback/writeback.c. */
#ifndef WRITEBACK_DEVIATE_H
#define WRITEBACK_DEVIATE_H

/* No: whoever has the entry is waited for. */
static inline bool gives_up(struct dax_tree *tree, dax_pgoff_t index)
{
	return SYNC_DEVIATION(wb_cmp_word) &&
	       dax_is_locked_entry(dax_tree_load(tree, index));
}

/* It stays locked until it is clean. */
static inline void keep_locked(
	struct dax_space *space, dax_pgoff_t index, dax_entry_t entry)
{
	if (SYNC_DEVIATION(wb_nolock))
		dax_unlock_entry(space->mapping, index, entry);
}

static inline void cleaned(
	struct dax_space *space, dax_pgoff_t index, dax_entry_t entry)
{
	if (!SYNC_DEVIATION(wb_nolock))
		dax_unlock_entry(space->mapping, index, entry);
}

/* Neither tag, before what it stands for is done. */
static inline void clear_early(struct dax_tree *tree, dax_pgoff_t index)
{
	if (SYNC_DEVIATION(towrite_first))
		dax_tree_clear_mark(tree, index, DAX_MARK_TOWRITE);
	if (SYNC_DEVIATION(tag_first))
		dax_tree_clear_mark(tree, index, DAX_MARK_DIRTY);
}

static inline bool protects_late(void)
{
	return SYNC_DEVIATION(flush_first);
}

/* What is write-protected of an entry of @nr pages. */
static inline uint64_t protected_pages(uint64_t nr)
{
	return SYNC_DEVIATION(mkclean_one) ? 1 : nr;
}

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
#include "writeback/writeback.h"

#include <errno.h>

#include "space/space.h"
#include "writeback/deviate.h"

static void trace(struct dax_space *space, enum dax_trace_id id,
	dax_pgoff_t first, uint64_t nr)
{
	trace_emit(space->trace, &(struct dax_trace_event){
					 .id = id,
					 .ino = space->ino,
					 .index = first,
					 .nr = nr,
				 });
}

static bool has_storage(dax_entry_t entry)
{
	return !dax_is_zero_entry(entry) && !dax_is_empty_entry(entry);
}

/* The entry at @index is locked by us; (C) and (D) of the header. */
static int clean_locked(
	struct dax_space *space, dax_pgoff_t index, dax_entry_t entry)
{
	const uint64_t nr = (uint64_t)1 << dax_entry_order(entry);
	const dax_pgoff_t first = dax_entry_start(entry, index);
	const struct space_range range = {
		first, first + protected_pages(nr) - 1};
	int error = 0;

	if (!protects_late())
		space_write_protect(space, range);
	if (has_storage(entry))
		error = space->ops->flush(space->owner, dax_to_pfn(entry), nr);
	if (protects_late())
		space_write_protect(space, range);
	return error;
}

/* TOWRITE as late as DIRTY: another writeback that finds neither does not wait
 * for the lock, and must not return before us. */
static void clear_tags(struct dax_tree *tree, dax_pgoff_t index)
{
	dax_tree_clear_mark(tree, index, DAX_MARK_DIRTY);
	dax_tree_clear_mark(tree, index, DAX_MARK_TOWRITE);
}

int writeback_locked(
	struct dax_space *space, dax_pgoff_t index, dax_entry_t entry)
{
	const int error = clean_locked(space, index, entry);

	if (!error)
		clear_tags(dax_mapping_tree(space->mapping), index);
	else
		/* Relaxed: see the field. */
		sync_store(&space->wb_error, (uint64_t)-error,
			memory_order_relaxed);
	return error;
}

int writeback_entry(struct dax_space *space, dax_pgoff_t index)
{
	dax_entry_t entry;
	int error = 0;

	if (dax_lock_entry(space->mapping, index, &entry))
		return 0;
	if (dax_tree_get_mark(
		    dax_mapping_tree(space->mapping), index, DAX_MARK_DIRTY))
		error = writeback_locked(space, index, entry);
	dax_unlock_entry(space->mapping, index, entry);
	return error;
}

static int writeback_one(struct dax_space *space, dax_pgoff_t index)
{
	struct dax_tree *tree = dax_mapping_tree(space->mapping);
	dax_entry_t entry;
	int error;

	if (gives_up(tree, index))
		return 0;
	/* Punched while we waited: nothing to write. */
	if (dax_lock_entry(space->mapping, index, &entry))
		return 0;
	/* Another writeback was faster: what was tagged is clean, or gone. */
	if (!dax_tree_get_mark(tree, index, DAX_MARK_TOWRITE)) {
		dax_unlock_entry(space->mapping, index, entry);
		return 0;
	}
	keep_locked(space, index, entry);
	clear_early(tree, index);
	error = writeback_locked(space, index, entry);
	if (!error)
		trace(space, DAX_TRACE_WRITEBACK_ONE,
			dax_entry_start(entry, index),
			(uint64_t)1 << dax_entry_order(entry));
	cleaned(space, index, entry);
	return error;
}

/* Pages that become dirty from now on are left to the next writeback, so that
 * this one ends. */
static void tag_pages_for_writeback(
	struct dax_space *space, dax_pgoff_t first, dax_pgoff_t last)
{
	struct dax_tree *tree = dax_mapping_tree(space->mapping);
	struct dax_xas xas;
	uint64_t word;

	dax_xas_init(&xas, tree, first, last);
	dax_xas_for_each_marked (&xas, word, DAX_MARK_DIRTY)
		dax_tree_set_mark(tree, xas.index, DAX_MARK_TOWRITE);
}

int dax_writeback_mapping_range(
	struct dax_space *space, dax_pgoff_t first, dax_pgoff_t last)
{
	struct dax_xas xas;
	uint64_t word;
	int error = 0;

	DAX_REQUIRE(space && first <= last);
	if (!dax_mapping_nrpages(space->mapping))
		return 0;
	trace(space, DAX_TRACE_WRITEBACK_RANGE, first, last - first + 1);
	tag_pages_for_writeback(space, first, last);
	dax_xas_init(&xas, dax_mapping_tree(space->mapping), first, last);
	dax_xas_for_each_marked (&xas, word, DAX_MARK_TOWRITE) {
		error = writeback_one(space, xas.index);
		if (error)
			break;
	}
	trace(space, DAX_TRACE_WRITEBACK_RANGE_DONE, first, last - first + 1);
	return error;
}

int dax_filemap_write_and_wait_range(
	struct dax_space *space, dax_pgoff_t first, dax_pgoff_t last)
{
	DAX_REQUIRE(space);
	if (!dax_tree_marked(dax_mapping_tree(space->mapping), DAX_MARK_DIRTY))
		return 0;
	return dax_writeback_mapping_range(space, first, last);
}

int dax_fsync_range(
	struct dax_space *space, dax_pgoff_t first, dax_pgoff_t last)
{
	const int written =
		dax_filemap_write_and_wait_range(space, first, last);
	const int synced = space->ops->sync(space->owner);
	/* Relaxed: see the field. */
	const int kept =
		-(int)sync_swap(&space->wb_error, 0, memory_order_relaxed);

	if (written)
		return written;
	return kept ? kept : synced;
}

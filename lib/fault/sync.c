/* SPDX-License-Identifier: BSD-3-Clause */
/* MAP_SYNC: the leaf is set only when a crash would not lose the way to the
 * block. */
#include "fault/mm.h"

/* False: somebody has split or replaced what we inserted. */
static bool lock_inserted(struct fault *f)
{
	struct dax_mapping *mapping = f->vma->space->mapping;

	if (dax_lock_entry(mapping, f->index, &f->entry))
		return false;
	if (dax_entry_order(f->entry) == f->order &&
		!dax_is_empty_entry(f->entry) && !dax_is_zero_entry(f->entry) &&
		!dax_is_zapped_entry(f->entry) &&
		dax_to_pfn(f->entry) == f->pfn)
		return true;
	fault_unlock(f);
	return false;
}

static unsigned int insert_pfn_mkwrite(struct fault *f)
{
	struct dax_space *space = f->vma->space;
	unsigned int result;
	void *address;
	int error;

	if (!lock_inserted(f)) {
		fault_trace(f, DAX_TRACE_INSERT_PFN_MKWRITE_NO_ENTRY,
			DAX_FAULT_NOPAGE);
		return DAX_FAULT_NOPAGE;
	}
	dax_tree_set_mark(
		dax_mapping_tree(space->mapping), f->index, DAX_MARK_DIRTY);
	error = space->ops->direct_access(
		space->owner, f->pfn, fault_pages(f), &address);
	/* Meanwhile a page may have failed, and not the one asked for. */
	result = error ? fault_refused(f, error)
		       : fault_insert_pfn(f, f->pfn, address);
	fault_unlock(f);
	fault_trace(f, DAX_TRACE_INSERT_PFN_MKWRITE, result);
	return result;
}

/* The block is there, but a crash would lose the way to it. */
unsigned int fault_finish_sync(struct fault *f)
{
	/* From the page of the fault on, as the kernel does, though a PMD may
	 * begin before it: what counts is the metadata. */
	if (dax_fsync_range(
		    f->vma->space, f->index, f->index + fault_pages(f) - 1))
		return DAX_FAULT_SIGBUS;
	return insert_pfn_mkwrite(f);
}

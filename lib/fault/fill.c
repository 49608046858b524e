/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a fault puts in place while it has the entry locked: it asks the file
 * for the block, stores the entry, and sets the leaf. fault_iter() decides.
 */
#include <errno.h>

#include "fault/mm.h"
#include "writeback/writeback.h"

/* Nobody stores to it, but for the explorer, which numbers what is loaded. */
static char zero_page[DAX_PAGE_SIZE] __attribute__((aligned(64)));

/* ---- page tables ---- */

static bool may_write(const struct fault *f)
{
	return fault_is_write(f) && (f->vma->flags & DAX_VMA_WRITE);
}

static struct leaf make_leaf(const struct fault *f, uint64_t pfn, char *address)
{
	return (struct leaf){
		.flags = DAX_LEAF_PRESENT | (pfn ? 0 : DAX_LEAF_ZERO) |
			 (may_write(f) ? DAX_LEAF_WRITE | DAX_LEAF_DIRTY : 0),
		.pfn = pfn,
		.address = address,
	};
}

unsigned int fault_insert_pfn(struct fault *f, uint64_t pfn, char *address)
{
	bool set;

	keep_until_set(f);
	if (table_set(f->vma, f->address, f->order, make_leaf(f, pfn, address),
		    &set))
		return DAX_FAULT_OOM;
	return DAX_FAULT_NOPAGE;
}

/* ---- entries ---- */

static unsigned int order_flags(unsigned int order)
{
	if (order == DAX_PUD_ORDER)
		return DAX_PUD;
	return order ? DAX_PMD : DAX_PTE;
}

unsigned int fault_of_errno(int error)
{
	switch (error) {
	case 0:
		return DAX_FAULT_NOPAGE;
	case -ENOMEM:
		return DAX_FAULT_OOM;
	case -EHWPOISON:
		return DAX_FAULT_HWPOISON;
	default:
		return DAX_FAULT_SIGBUS;
	}
}

/* Must a store wait until the block can be found after a crash? */
static bool is_synchronous(const struct fault *f, const struct dax_iomap *iomap)
{
	return fault_is_write(f) && (f->vma->flags & DAX_VMA_SYNC) &&
	       (iomap->flags & DAX_IOMAP_DIRTY);
}

static int insert_entry(struct fault *f, const struct dax_iomap *iomap,
	uint64_t pfn, unsigned int flags)
{
	struct dax_space *space = f->vma->space;
	const bool wants_dirty = tags(f) || space->profile->reads_dirty;

	if (wants_dirty && !is_synchronous(f, iomap))
		flags |= DAX_DIRTY;
	if (iomap->flags & DAX_IOMAP_SHARED)
		flags |= DAX_COW;
	if (iomap->flags & DAX_IOMAP_REFLINK)
		flags |= DAX_SHARED;
	return dax_insert_entry(space->mapping, f->index, &f->entry, pfn,
		flags | order_flags(dax_entry_order(f->entry)));
}

/* ---- holes ---- */

static unsigned int load_hole(struct fault *f, const struct dax_iomap *iomap)
{
	unsigned int result;

	insert_entry(f, iomap, 0, DAX_ZERO_PAGE);
	result = fault_insert_pfn(f, 0, zero_page);
	fault_trace(f, DAX_TRACE_LOAD_HOLE, result);
	return result;
}

static unsigned int pmd_load_hole(
	struct fault *f, const struct dax_iomap *iomap)
{
	char *zero = table_huge_zero(f->vma->mm);
	unsigned int result = DAX_FAULT_OOM;

	if (zero) {
		insert_entry(f, iomap, 0, DAX_ZERO_PAGE);
		result = fault_insert_pfn(f, 0, zero);
	}
	if (result & DAX_FAULT_ERROR) {
		f->cause = DAX_CAUSE_NO_MEMORY;
		result = DAX_FAULT_FALLBACK;
	}
	fault_trace(f,
		result == DAX_FAULT_FALLBACK ? DAX_TRACE_PMD_LOAD_HOLE_FALLBACK
					     : DAX_TRACE_PMD_LOAD_HOLE,
		result);
	return result;
}

/* ---- storage ---- */

static enum dax_cause cause_of_errno(int error)
{
	switch (error) {
	case -ENOSPC:
		return DAX_CAUSE_NO_SPACE;
	case -ENOMEM:
		return DAX_CAUSE_NO_MEMORY;
	case -EHWPOISON:
		return DAX_CAUSE_POISON;
	default:
		return DAX_CAUSE_DEVICE;
	}
}

unsigned int fault_refused(struct fault *f, int error)
{
	f->error = error;
	if (f->order)
		f->cause = cause_of_errno(error);
	return f->order > f->vma->space->limits.min_order
		       ? DAX_FAULT_FALLBACK
		       : fault_of_errno(error);
}

static int direct_access(
	struct fault *f, const struct dax_iomap *iomap, char **address)
{
	const struct dax_space *space = f->vma->space;
	void *start;
	const int error = space->ops->direct_access(
		space->owner, iomap->pfn, fault_pages(f), &start);

	if (!error)
		*address = start;
	return error;
}

static unsigned int map_storage(struct fault *f, const struct dax_iomap *iomap)
{
	const uint64_t skip =
		fault_first(f) - dax_entry_start(f->entry, f->index);
	char *address;
	int error;

	if (iomap->pfn % fault_pages(f)) {
		f->cause = DAX_CAUSE_MISALIGNED;
		return DAX_FAULT_FALLBACK;
	}
	error = direct_access(f, iomap, &address);
	if (error)
		return fault_refused(f, error);
	/* One page of the entry has moved: it is split when we come again. */
	if ((iomap->flags & DAX_IOMAP_SHARED) &&
		dax_entry_order(f->entry) > f->order)
		return DAX_FAULT_NOPAGE;
	error = insert_entry(f, iomap, iomap->pfn - skip, 0);
	if (error)
		return fault_refused(f, error);
	f->pfn = iomap->pfn;
	if (is_synchronous(f, iomap))
		return DAX_FAULT_NEEDDSYNC;
	return fault_insert_pfn(f, iomap->pfn, address);
}

static unsigned int fill_copy(struct fault *f, const struct dax_iomap *iomap)
{
	struct leaf leaf = {
		.flags = DAX_LEAF_PRESENT | DAX_LEAF_WRITE | DAX_LEAF_DIRTY |
			 DAX_LEAF_COPY,
		.address = f->copy->bytes,
		.copy = f->copy,
	};
	char *address;
	bool set;

	/* Made zeroed, which is what a hole reads as. */
	if (iomap->type == DAX_IOMAP_MAPPED) {
		const int error = direct_access(f, iomap, &address);

		if (error)
			return fault_refused(f, error);
		space_bytes_load(address, f->copy->bytes, DAX_PAGE_SIZE);
	}
	if (table_set(f->vma, f->address, DAX_PTE_ORDER, leaf, &set))
		return DAX_FAULT_OOM;
	if (!set)
		return DAX_FAULT_NOPAGE;
	f->copy = NULL;
	return DAX_FAULT_DONE_COW;
}

/* ---- the fault ---- */

/*
 * Pages of the entry have moved, and what came of it is not in the entry, which
 * names the old place: it becomes empty, and page tables show nothing of it.
 * Its other pages may be dirty, so not before they are clean. All of that while
 * it is locked: whoever waits for it asks the file where the pages are.
 */
static void empty_entry(struct fault *f)
{
	struct dax_space *space = f->vma->space;

	/* What went wrong is for the next fsync to say. */
	if (dax_tree_get_mark(
		    dax_mapping_tree(space->mapping), f->index, DAX_MARK_DIRTY))
		(void)writeback_locked(space, f->index, f->entry);
	dax_insert_entry(space->mapping, f->index, &f->entry, 0,
		DAX_COW | DAX_EMPTY | order_flags(dax_entry_order(f->entry)));
}

/* The entry is locked, and @iomap is what the file has there. */
static unsigned int fault_iter(struct fault *f, const struct dax_iomap *iomap)
{
	if (f->copy)
		return fill_copy(f, iomap);
	if (iomap->type == DAX_IOMAP_MAPPED)
		return map_storage(f, iomap);
	if (f->order == DAX_PUD_ORDER)
		return DAX_FAULT_FALLBACK; /* no zero page is as large */
	return f->order ? pmd_load_hole(f, iomap) : load_hole(f, iomap);
}

unsigned int fault_with_iomap(struct fault *f, unsigned int *new)
{
	const struct dax_space *space = f->vma->space;
	const uint64_t len = DAX_PAGE_SIZE << f->order;
	struct dax_iomap iomap = {
		.pos = fault_first(f) << DAX_PAGE_SHIFT,
		.len = len,
	};
	unsigned int result;
	const int error = space->ops->iomap_begin(space->owner,
		fault_is_write(f) ? DAX_IOMAP_WRITE : DAX_IOMAP_READ, &iomap);

	if (error)
		return fault_refused(f, error);
	f->pfn = 0;
	keep_asked(f);
	*new = iomap.flags &DAX_IOMAP_NEW;
	if (iomap.len < len) {
		f->cause = DAX_CAUSE_SHORT_EXTENT;
		result = DAX_FAULT_FALLBACK;
	} else {
		result = fault_iter(f, &iomap);
	}
	if ((iomap.flags & DAX_IOMAP_SHARED) && !f->pfn)
		empty_entry(f);
	space->ops->iomap_end(space->owner, &iomap);
	return result;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Faults of DAX files: the checks, in the kernel's order, and the locks. What
 * is done under the entry's lock is in fill.c; INVALIDATE is held shared
 * throughout, so no block goes away under us.
 */
#include <errno.h>

#include "fault/mm.h"

/* ---- traces ---- */

void fault_trace(
	const struct fault *f, enum dax_trace_id id, unsigned int result)
{
	const struct vma *vma = f->vma;
	const bool shared = vma->flags & DAX_VMA_SHARED;
	const bool pmd = f->order != DAX_PTE_ORDER;

	/* Not to ask for the size for nothing. The kernel has no tracepoint in
	 * faults for a PUD. */
	if (!trace_is_on(vma->space->trace) || f->order == DAX_PUD_ORDER)
		return;
	trace_record(vma->space->trace,
		&(struct dax_trace_event){
			.id = id,
			.flags = (shared ? DAX_TRACE_SHARED : 0) |
				 (f->store ? DAX_TRACE_WRITE : 0) |
				 (f->mkwrite ? DAX_TRACE_MKWRITE : 0),
			.result = result,
			.cause = result & DAX_FAULT_FALLBACK ? f->cause : 0,
			.ino = vma->space->ino,
			.index = f->index,
			.max_pgoff = pmd ? space_pages(vma->space) : 0,
			.address = f->address,
			.vm_start = vma->start,
			.vm_end = vma->end,
			.entry = f->entry,
		});
}

/* ---- entries ---- */

/* 0, or the result of the fault. */
static unsigned int grab(struct fault *f)
{
	struct dax_space *space = f->vma->space;
	const int error = dax_grab_mapping_entry(
		space->mapping, f->index, f->order, &f->entry);

	/* [MO-14] Before the question whether the page is bad: (B) and (C) in
	 * mapping/page_unmap.c. Here it costs x86 nothing at all: to the
	 * compiler, the call is as much of a barrier. */
	sync_barrier_after_rmw();
	trace_emit(space->trace, &(struct dax_trace_event){
					 .id = DAX_TRACE_GRAB,
					 .ino = space->ino,
					 .index = f->index,
					 .error = error,
					 .entry = error ? 0 : f->entry,
				 });
	if (error == -EEXIST) {
		f->cause = DAX_CAUSE_PTE_ENTRY;
		return DAX_FAULT_FALLBACK;
	}
	if (error)
		f->cause = DAX_CAUSE_NO_MEMORY;
	return error ? fault_of_errno(error) : 0;
}

void fault_unlock(struct fault *f)
{
	dax_unlock_entry(f->vma->space->mapping, f->index, f->entry);
	f->entry = 0;
}

/* ---- PMD and PUD ---- */

/* What can be known before anything is locked, cheapest first. */
static enum dax_cause check_fallback(const struct fault *f, uint64_t max_pgoff)
{
	const struct vma *vma = f->vma;
	const uint64_t start = leaf_start(f->address, f->order);

	if ((f->index ^ (f->address >> DAX_PAGE_SHIFT)) % fault_pages(f))
		return DAX_CAUSE_COLOUR;
	if (f->store && !(vma->flags & DAX_VMA_SHARED))
		return DAX_CAUSE_PRIVATE_WRITE;
	if (start < vma->start || start + leaf_bytes(f->order) > vma->end)
		return DAX_CAUSE_OUTSIDE_VMA;
	if (fault_first(f) + fault_pages(f) > max_pgoff)
		return DAX_CAUSE_END_OF_FILE;
	return DAX_CAUSE_NONE;
}

/* A fault of another order was faster: the access is tried again. */
static bool is_outrun(const struct fault *f)
{
	struct leaf leaf;
	unsigned int order;

	if (!looks_at_table_again())
		return false;
	order = table_look(f->vma->mm, f->address, &leaf);
	return order < f->order || (order > f->order && leaf.flags);
}

static unsigned int huge_fault_locked(struct fault *f)
{
	unsigned int new;

	if (is_outrun(f))
		return DAX_FAULT_NOPAGE;
	return fault_with_iomap(f, &new);
}

static unsigned int huge_fault_unlocked(struct fault *f)
{
	const uint64_t max_pgoff = space_pages(f->vma->space);
	unsigned int result;

	if (fault_first(f) >= max_pgoff)
		return DAX_FAULT_SIGBUS;
	f->cause = check_fallback(f, max_pgoff);
	if (f->cause)
		return DAX_FAULT_FALLBACK;
	result = grab(f);
	if (!result)
		result = huge_fault_locked(f);
	if (f->entry)
		fault_unlock(f);
	return result;
}

/* Models: fs/dax.c dax_iomap_pmd_fault(), v6.12; for a PUD, too. */
static unsigned int dax_iomap_huge_fault(struct fault *f)
{
	unsigned int result;

	fault_trace(f, DAX_TRACE_PMD_FAULT, 0);
	result = huge_fault_unlocked(f);
	fault_trace(f, DAX_TRACE_PMD_FAULT_DONE, result);
	return result;
}

/* ---- PTE ---- */

static unsigned int pte_fault_locked(struct fault *f)
{
	unsigned int new = 0;
	unsigned int result;

	if (is_outrun(f))
		return DAX_FAULT_NOPAGE;
	result = fault_with_iomap(f, &new);
	if (new &&result != DAX_FAULT_SIGBUS)
		result |= DAX_FAULT_MAJOR;
	return result;
}

static unsigned int dax_iomap_pte_fault(struct fault *f)
{
	unsigned int result;

	fault_trace(f, DAX_TRACE_PTE_FAULT, 0);
	if (f->index << DAX_PAGE_SHIFT >= space_size(f->vma->space)) {
		result = DAX_FAULT_SIGBUS;
	} else {
		result = grab(f);
		if (!result)
			result = pte_fault_locked(f);
		if (f->entry)
			fault_unlock(f);
	}
	fault_trace(f, DAX_TRACE_PTE_FAULT_DONE, result);
	return result;
}

/* ---- the file system's part ---- */

static bool may_try_again(const struct fault *f, unsigned int result)
{
	const struct dax_space *space = f->vma->space;

	return (result & DAX_FAULT_ERROR) && f->error == -ENOSPC &&
	       space->ops->make_room(space->owner);
}

/* Holds INVALIDATE. */
static unsigned int serve(struct fault *f)
{
	unsigned int result;

	if (f->vma->space->is_dead) {
		f->cause = DAX_CAUSE_DEVICE;
		return DAX_FAULT_SIGBUS;
	}
	keep_alive(f->vma->space);
	do {
		f->error = 0;
		result = f->order ? dax_iomap_huge_fault(f)
				  : dax_iomap_pte_fault(f);
	} while (may_try_again(f, result));
	if (result & DAX_FAULT_NEEDDSYNC)
		result = fault_finish_sync(f);
	if (result & DAX_FAULT_FALLBACK)
		split_for_fallback(f);
	return result;
}

unsigned int iomap_fault(struct fault *f, unsigned int order)
{
	struct dax_space *space = f->vma->space;
	unsigned int result;

	if (order < space->limits.min_order)
		return DAX_FAULT_SIGBUS;
	f->order = order;
	if (keeps_blocks())
		rwsem_acquire(&space->invalidate, RWSEM_SHARED);
	result = serve(f);
	if (keeps_blocks())
		rwsem_release(&space->invalidate, RWSEM_SHARED);
	return result;
}

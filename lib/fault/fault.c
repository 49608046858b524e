/* SPDX-License-Identifier: BSD-3-Clause */
/* What kind of fault it is: the part that knows page tables and not DAX. */
#include <errno.h>

#include "fault/mm.h"

/* ---- PMD and PUD ---- */

/* A leaf is there, and the access may want more than it allows. */
static unsigned int wp_huge(
	struct fault *f, unsigned int order, const struct leaf *leaf)
{
	if (!f->store || (leaf->flags & DAX_LEAF_WRITE))
		return 0;
	/* A private copy is made of a page. */
	if (!(f->vma->flags & DAX_VMA_SHARED))
		split_for_fallback(f);
	return iomap_fault(f, order);
}

/* What rules a leaf of @order out before the page table is looked at. */
static enum dax_cause rule_out(const struct vma *vma, unsigned int order)
{
	if (vma->flags & DAX_VMA_NOHUGEPAGE)
		return DAX_CAUSE_HUGE_DISABLED;
	return order > vma->space->limits.max_order ? DAX_CAUSE_OTHER_SIZE
						    : DAX_CAUSE_NONE;
}

static unsigned int handle_huge(struct fault *f, unsigned int order)
{
	struct leaf leaf;
	unsigned int found;

	f->cause = rule_out(f->vma, order);
	if (f->cause)
		return DAX_FAULT_FALLBACK;
	found = table_look(f->vma->mm, f->address, &leaf);
	if (found < order) {
		f->cause = DAX_CAUSE_PTE_TABLE;
		return DAX_FAULT_FALLBACK;
	}
	if (!leaf.flags)
		return iomap_fault(f, order);
	/* A fault for a larger one was faster: the access is tried again. */
	return found == order ? wp_huge(f, order, &leaf) : 0;
}

/* ---- PTE ---- */

static unsigned int do_cow_fault(struct fault *f)
{
	unsigned int result;

	f->copy = copy_new();
	if (!f->copy)
		return DAX_FAULT_OOM;
	result = iomap_fault(f, DAX_PTE_ORDER);
	copy_put(f->copy);
	f->copy = NULL;
	return result;
}

static unsigned int do_fault(struct fault *f)
{
	if (f->store && !(f->vma->flags & DAX_VMA_SHARED))
		return do_cow_fault(f);
	return iomap_fault(f, DAX_PTE_ORDER);
}

/* A store to a page that is shown read-only. */
static unsigned int do_wp_page(struct fault *f)
{
	if (!(f->vma->flags & DAX_VMA_SHARED))
		return table_copy_page(f->vma, f->address) ? DAX_FAULT_OOM : 0;
	f->mkwrite = true;
	return iomap_fault(f, DAX_PTE_ORDER);
}

static unsigned int handle_pte(struct fault *f)
{
	struct leaf leaf;

	const unsigned int order = table_look(f->vma->mm, f->address, &leaf);

	if (!leaf.flags)
		return do_fault(f);
	/* A PMD fault was faster: the access is tried again. */
	if (order > DAX_PTE_ORDER)
		return 0;
	if (f->store && !(leaf.flags & DAX_LEAF_WRITE))
		return do_wp_page(f);
	return 0;
}

static unsigned int handle_mm_fault(struct fault *f)
{
	unsigned int result = DAX_FAULT_FALLBACK;

	for (unsigned int order = DAX_PUD_ORDER;
		order && result & DAX_FAULT_FALLBACK; order -= DAX_PMD_ORDER)
		result = handle_huge(f, order);
	return result & DAX_FAULT_FALLBACK ? handle_pte(f) : result;
}

/* ---- any ---- */

/* Of the one order that was asked for. */
static unsigned int handle_order(struct fault *f)
{
	return f->order ? handle_huge(f, f->order) : handle_pte(f);
}

static unsigned int fault_at(struct dax_mm *mm, struct fault *f,
	unsigned int (*handle)(struct fault *f))
{
	unsigned int result = DAX_FAULT_SIGSEGV;

	DAX_REQUIRE(mm);
	rwsem_acquire(&mm->lock, RWSEM_SHARED);
	f->vma = mm_find_vma(mm, f->address);
	if (f->vma && (!f->store || (f->vma->flags & DAX_VMA_WRITE))) {
		f->index = vma_index(f->vma, f->address);
		result = handle(f);
	}
	rwsem_release(&mm->lock, RWSEM_SHARED);
	return result;
}

static struct fault fault_of(uint64_t address, enum dax_access_type access)
{
	return (struct fault){
		.address = address & -DAX_PAGE_SIZE,
		.store = access == DAX_STORE,
	};
}

unsigned int dax_fault(struct dax_mm *mm, uint64_t address,
	enum dax_access_type access, enum dax_cause *cause)
{
	struct fault f = fault_of(address, access);
	const unsigned int result = fault_at(mm, &f, handle_mm_fault);

	if (cause)
		*cause = f.cause;
	return result;
}

unsigned int dax_fault_order(struct dax_mm *mm, uint64_t address,
	enum dax_access_type access, unsigned int order, enum dax_cause *cause)
{
	struct fault f = fault_of(address, access);
	unsigned int result;

	DAX_REQUIRE(order <= DAX_PUD_ORDER && order % DAX_PMD_ORDER == 0);
	f.order = order;
	result = fault_at(mm, &f, handle_order);
	if (cause)
		*cause = f.cause;
	return result;
}

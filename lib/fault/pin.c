/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Pins. A page is pinned under the lock of the page table that shows it: the
 * leaf goes before the entry lets go of the page, so what a leaf shows somebody
 * holds, and it is the file's. Whoever takes the leaf away looks for pins after
 * that (space/layout.c).
 */
#include <errno.h>

#include "fault/mm.h"

/* One page of a call. */
struct pin_one {
	struct dax_mm *mm;
	const struct dax_pin_params *params;
	uint64_t address;
};

static bool get_page(
	const struct dax_pin_params *params, struct dax_pinned *page)
{
	page->has_name = params->holder;
	if (!page->has_name)
		return dax_page_try_get(page->pgmap, page->pfn);
	return dax_pin_get(page->pgmap, &page->pin, page->pfn, params->term,
		params->holder);
}

/* What the leaf shows at @skip bytes. -EAGAIN: it does not allow it. */
static int pin_leaf_locked(const struct pin_one *one, struct leaf *leaf,
	uint64_t skip, struct dax_pinned *page)
{
	skip &= -DAX_PAGE_SIZE;
	if (!leaf || !leaf->flags)
		return -EAGAIN;
	if (pins_for_writing(one->params)) {
		if (!(leaf->flags & DAX_LEAF_WRITE))
			return -EAGAIN;
		leaf->flags |= DAX_LEAF_DIRTY;
	}
	if (!leaf->pfn)
		return -EOPNOTSUPP;
	page->pfn = leaf->pfn + (skip >> DAX_PAGE_SHIFT);
	page->bytes = leaf->address + skip;
	keep_leaf(one->mm);
	return get_page(one->params, page) ? 0 : -EBUSY;
}

static int pin_shown(const struct pin_one *one, struct dax_pinned *page)
{
	struct leaf *leaf;
	uint64_t skip;
	int error;

	sync_lock_acquire(&one->mm->page_lock);
	leaf = table_leaf_locked(one->mm, one->address, &skip);
	error = pin_leaf_locked(one, leaf, skip, page);
	sync_lock_release(&one->mm->page_lock);
	return error;
}

static int check_area(
	const struct vma *vma, const struct dax_pin_params *params)
{
	if (!vma || (params->flags & DAX_PIN_WRITE &&
			    !(vma->flags & DAX_VMA_WRITE)))
		return -EFAULT;
	if (!vma->space->pgmap || (params->term == DAX_PIN_LONGTERM &&
					  refuses_longterm(vma->space)))
		return -EOPNOTSUPP;
	return 0;
}

static int pin_once(const struct pin_one *one, struct dax_pinned *page)
{
	const struct vma *vma;
	int error;

	rwsem_acquire(&one->mm->lock, RWSEM_SHARED);
	vma = mm_find_vma(one->mm, one->address);
	error = check_area(vma, one->params);
	if (!error) {
		page->pgmap = vma->space->pgmap;
		error = pin_shown(one, page);
	}
	rwsem_release(&one->mm->lock, RWSEM_SHARED);
	return error;
}

static int pin_page(const struct pin_one *one, struct dax_pinned *page)
{
	const unsigned int flags = one->params->flags;
	int error;

	while ((error = pin_once(one, page)) == -EAGAIN) {
		if (flags & DAX_PIN_FAST)
			break;
		error = fault_errno(dax_fault(one->mm, one->address,
			flags & DAX_PIN_WRITE ? DAX_STORE : DAX_LOAD, NULL));
		if (error)
			break;
	}
	return error;
}

int dax_pin_pages(struct dax_mm *mm, const struct dax_pin_params *params,
	struct dax_pinned *pages, size_t *done)
{
	struct pin_one one = {mm, params, 0};
	int error = 0;
	size_t nr = 0;

	DAX_REQUIRE(mm && params && pages && done);
	for (; nr < params->nr; nr++) {
		one.address =
			(params->address & -DAX_PAGE_SIZE) + nr * DAX_PAGE_SIZE;
		error = pin_page(&one, &pages[nr]);
		if (error)
			break;
	}
	*done = nr;
	return nr ? 0 : error;
}

void dax_unpin_pages(struct dax_pinned *pages, size_t nr)
{
	DAX_REQUIRE(pages || !nr);
	for (size_t i = 0; i < nr; i++)
		if (pages[i].has_name)
			dax_pin_put(pages[i].pgmap, &pages[i].pin);
		else
			dax_page_put(pages[i].pgmap, pages[i].pfn);
}

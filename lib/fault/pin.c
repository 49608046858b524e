/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Pins, which take no lock to find their page.
 *
 *  pin                                whoever takes the page away
 *  (A) reads what the leaf shows
 *                                     (B) the leaf goes
 *                                     (C) the entry lets go of the page
 *  (D) one reference more, if there are any
 *                                     (E) looks whether there are pins
 *  (F) reads the leaf again
 *
 * (C) and (D) change one word. (D) before (C): (E) sees the reference. (C)
 * before (D): (D) acquires what (C) released [MO-9], so that (F) finds the leaf
 * gone, and the reference is dropped; by then the page may be another file's,
 * whose breaker waits for a moment. Forbidden: pinned, and (E) saw nothing.
 *
 * From (A) to (F) nobody else keeps the device: RCU does (dax_pgmap_delete()).
 *
 * A pin that fails at (F) has woken that breaker, which lets faults in while it
 * waits: the two could send each other round for ever. So after a fault a page
 * is pinned under the lock of the page table, where no leaf goes.
 */
#include <errno.h>

#include "fault/mm.h"
#include "pgmap/pgmap.h"

/* One page of a call. */
struct pin_one {
	struct dax_mm *mm;
	const struct dax_pin_params *params;
	uint64_t address;
};

/* ---- without a fault ---- */

static bool can_pin(uint64_t word, const struct dax_pin_params *params)
{
	unsigned int wanted = LEAF_COUNTED;

	if (pins_for_writing(params))
		wanted |= DAX_LEAF_WRITE;
	if (params->term == DAX_PIN_LONGTERM)
		wanted |= LEAF_LONGTERM;
	return (word & wanted) == wanted;
}

static void read_shown(const struct shown *shown, struct dax_pinned *page)
{
	const struct cell *cell = shown->cell;

	/* Relaxed: never another one. */
	page->pgmap = (struct dax_pgmap *)(uintptr_t)sync_load(
		&cell->pgmap, memory_order_relaxed);
	page->pfn = (shown->word + shown->skip) >> DAX_PAGE_SHIFT;
	/* [MO-13] If they are a later leaf's, (F) sees that ours went. */
	page->bytes = (char *)(uintptr_t)sync_load(
			      &cell->bytes, memory_order_acquire) +
		      (shown->skip & -DAX_PAGE_SIZE);
}

/* -EAGAIN: no leaf that allows it; -EBUSY: one, but the page is full of pins.
 */
static int pin_shown_rcu(const struct pin_one *one, struct dax_pinned *page)
{
	const struct shown shown = table_shown(one->mm, one->address);
	bool pinned;

	if (!can_pin(shown.word, one->params))
		return -EAGAIN;
	read_shown(&shown, page);
	pinned = dax_page_try_get(page->pgmap, page->pfn);
	if (leaf_is_there(&shown))
		return pinned ? 0 : -EBUSY;
	if (pinned)
		dax_page_put(page->pgmap, page->pfn);
	return -EAGAIN;
}

static int pin_shown(const struct pin_one *one, struct dax_pinned *page)
{
	int error;

	sync_rcu_enter();
	error = pin_shown_rcu(one, page);
	sync_rcu_leave();
	page->has_name = one->params->holder;
	if (!error && page->has_name)
		pin_name(page->pgmap, &page->pin, page->pfn, one->params->term,
			one->params->holder);
	return error;
}

/* ---- with one ---- */

static int pin_shown_locked(const struct pin_one *one, struct dax_pinned *page)
{
	int error;

	sync_lock_acquire(&one->mm->page_lock);
	error = pin_shown(one, page);
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

static bool is_no_page_of_the_device(const struct pin_one *one)
{
	const bool write = one->params->flags & DAX_PIN_WRITE;
	struct leaf leaf;

	table_look(one->mm, one->address, &leaf);
	return leaf.flags && !leaf.pfn &&
	       (!write || leaf.flags & DAX_LEAF_WRITE);
}

/* Why no fault would help; 0: one may. */
static int refusal(const struct pin_one *one)
{
	int error;

	rwsem_acquire(&one->mm->lock, RWSEM_SHARED);
	error = check_area(mm_find_vma(one->mm, one->address), one->params);
	rwsem_release(&one->mm->lock, RWSEM_SHARED);
	if (!error && is_no_page_of_the_device(one))
		error = -EOPNOTSUPP;
	return error;
}

static int pin_page(const struct pin_one *one, struct dax_pinned *page)
{
	const unsigned int flags = one->params->flags;
	int error = pin_shown(one, page);

	while (error == -EAGAIN) {
		error = refusal(one);
		if (error)
			break;
		if (flags & DAX_PIN_FAST)
			return -EAGAIN;
		error = fault_errno(dax_fault(one->mm, one->address,
			flags & DAX_PIN_WRITE ? DAX_STORE : DAX_LOAD, NULL));
		if (error)
			break;
		error = pin_shown_locked(one, page);
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

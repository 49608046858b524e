/* SPDX-License-Identifier: BSD-3-Clause */
/* What is done to all leaves of a range: zapping, protecting, copying. */
#include <errno.h>

#include "fault/table.h"

/* ---- ranges ---- */

/* What is done to each leaf that reaches into a range. */
struct sweep {
	uint64_t start;
	uint64_t end;
	table_visit *visit;
	void *context;
};

/* @place begins at @address. */
static void sweep_place(
	const struct sweep *sweep, struct place place, uint64_t address)
{
	const uint64_t stop = address + leaf_bytes(place.order);
	const uint64_t end = sweep->end < stop ? sweep->end : stop;
	uint64_t at = sweep->start > address ? sweep->start : address;
	struct place below;

	DAX_INVARIANT(!place.cell->leaf.flags || !place.cell->table);
	if (place.cell->leaf.flags) {
		sweep->visit(sweep->context, address, &place.cell->leaf,
			place.order);
		cell_show(place.cell);
	}
	while (place.cell->table && at < end) {
		below = place_below(place, at);
		at = leaf_start(at, below.order);
		sweep_place(sweep, below, at);
		at += leaf_bytes(below.order);
	}
}

static void sweep_range(struct dax_mm *mm, struct sweep sweep)
{
	struct place top;

	sync_lock_acquire(&mm->page_lock);
	for (uint64_t at = leaf_start(sweep.start, DAX_PUD_ORDER);
		at < sweep.end; at += leaf_bytes(DAX_PUD_ORDER)) {
		top = table_top(mm, at);
		if (top.cell)
			sweep_place(&sweep, top, at);
	}
	sync_lock_release(&mm->page_lock);
}

void table_for_each(struct dax_mm *mm, table_visit *visit, void *context)
{
	const struct sweep sweep = {0, UINT64_MAX, visit, context};

	for (size_t i = 0; i < PUD_BUCKETS; i++)
		for (struct pud *pud = table_puds(mm, i); pud; pud = pud->next)
			sweep_place(&sweep,
				(struct place){&pud->cell, DAX_PUD_ORDER},
				pud->start);
}

/* ---- zapping ---- */

static void zap(
	void *context, uint64_t address, struct leaf *leaf, unsigned int order)
{
	const enum dax_truncate_mode *mode = context;

	(void)address;
	(void)order;
	if (!leaf->copy || *mode == DAX_TRUNCATE_ALL)
		table_clear_leaf(leaf);
}

void table_zap(struct dax_mm *mm, uint64_t start, uint64_t end,
	enum dax_truncate_mode mode)
{
	sweep_range(mm, (struct sweep){start, end, zap, &mode});
}

static void clear_cell(struct cell *cell)
{
	table_clear_leaf(&cell->leaf);
	cell_show(cell);
}

void table_split(struct dax_mm *mm, uint64_t address)
{
	struct place place;

	sync_lock_acquire(&mm->page_lock);
	place = table_find(mm, address);
	if (place.cell && place.order)
		clear_cell(place.cell);
	sync_lock_release(&mm->page_lock);
}

void table_split_at(struct dax_mm *mm, uint64_t address)
{
	struct place place;

	sync_lock_acquire(&mm->page_lock);
	place = table_find(mm, address);
	if (place.cell && leaf_start(address, place.order) != address)
		clear_cell(place.cell);
	sync_lock_release(&mm->page_lock);
}

/* ---- protecting ---- */

static void write_protect(
	void *context, uint64_t address, struct leaf *leaf, unsigned int order)
{
	(void)context;
	(void)address;
	if (!leaf->copy && (!order || protects_large()))
		leaf->flags &= ~(DAX_LEAF_WRITE | DAX_LEAF_DIRTY);
}

void table_write_protect(struct dax_mm *mm, uint64_t start, uint64_t end)
{
	sweep_range(mm, (struct sweep){start, end, write_protect, NULL});
}

/* Only what is known to be dirty need not fault to say so. */
static void allow_stores(struct leaf *leaf)
{
	if (leaf->copy)
		table_reuse_copy(leaf);
	else if (leaf->flags & DAX_LEAF_DIRTY)
		leaf->flags |= DAX_LEAF_WRITE;
}

static void forbid(
	void *context, uint64_t address, struct leaf *leaf, unsigned int order)
{
	(void)context;
	(void)address;
	(void)order;
	leaf->flags &= ~DAX_LEAF_WRITE;
}

static void allow(
	void *context, uint64_t address, struct leaf *leaf, unsigned int order)
{
	const struct dax_profile *profile = context;

	(void)address;
	if (!order || profile->mprotect_restores_pmd)
		allow_stores(leaf);
}

void table_change_protection(
	struct vma *vma, uint64_t start, uint64_t end, enum dax_prot prot)
{
	sweep_range(vma->mm, (struct sweep){start, end,
				     prot == DAX_PROT_READ ? forbid : allow,
				     (void *)vma->mm->profile});
}

/* ---- fork and the end ---- */

/* What the child is to show at *@address: what the parent does, read-only in
 * both. *@address becomes that of the next leaf. */
static struct leaf share_leaf(struct dax_mm *mm, uint64_t *address)
{
	struct leaf leaf = {0};
	struct place place;

	sync_lock_acquire(&mm->page_lock);
	place = table_find(mm, *address);
	if (place.cell && !place.order) {
		place.cell->leaf.flags &= ~DAX_LEAF_WRITE;
		cell_show(place.cell);
		leaf = place.cell->leaf;
	}
	/* Relaxed: the parent's is there, so it is not the last. */
	if (leaf.copy)
		sync_add(&leaf.copy->refs, 1, memory_order_relaxed);
	sync_lock_release(&mm->page_lock);
	*address = leaf_start(*address, place.order) + leaf_bytes(place.order);
	return leaf;
}

/* One page at a time: the two page tables have locks of one rank. No fault of
 * either runs, and I_MMAP keeps an unmap from falling between a parent's leaf
 * and its child's; but one of another file may be in the child's table. */
int table_copy(struct vma *from, struct vma *to)
{
	uint64_t next = from->start;
	int error = 0;

	sync_lock_acquire(&from->space->i_mmap);
	while (from->has_copies && next < from->end && !error) {
		const uint64_t address = next;
		const struct leaf leaf = share_leaf(from->mm, &next);
		bool set;

		if (!leaf.flags)
			continue;
		error = table_set(to, address, DAX_PTE_ORDER, leaf, &set);
		if (error)
			copy_put(leaf.copy);
	}
	sync_lock_release(&from->space->i_mmap);
	return error;
}

static void free_cell(struct cell *cell)
{
	table_clear_leaf(&cell->leaf);
	for (size_t n = 0; cell->table && n < PMD_PAGES; n++)
		free_cell(&cell->table[n]);
	sync_free(cell->table);
}

void table_free(struct dax_mm *mm)
{
	struct pud *pud, *next;

	for (size_t i = 0; i < PUD_BUCKETS; i++)
		for (pud = table_puds(mm, i); pud; pud = next) {
			next = pud->next;
			free_cell(&pud->cell);
			sync_free(pud);
		}
	sync_free(mm->huge_zero);
}

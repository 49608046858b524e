/* SPDX-License-Identifier: BSD-3-Clause */
/* What is done to all leaves of a range: zapping, protecting, copying. */
#include <errno.h>

#include "fault/table.h"

/* The part of a range that is in one PMD cell. */
struct span {
	struct pmd *pmd;
	uint64_t start;
	uint64_t end;
};

/* The next cell of @start to @end that exists; false: there is none. */
static bool next_span(
	struct dax_mm *mm, uint64_t *start, uint64_t end, struct span *span)
{
	while (*start < end) {
		const uint64_t stop = pmd_start(*start) + PMD_BYTES;

		*span = (struct span){table_find_pmd(mm, *start), *start,
			stop < end ? stop : end};
		*start = stop;
		if (span->pmd)
			return true;
	}
	return false;
}

static void zap_span(struct span span, enum dax_truncate_mode mode)
{
	table_clear_leaf(&span.pmd->leaf);
	for (uint64_t at = span.start; span.pmd->ptes && at < span.end;
		at += DAX_PAGE_SIZE) {
		struct leaf *pte = pte_of(span.pmd, at);

		if (!pte->copy || mode == DAX_TRUNCATE_ALL)
			table_clear_leaf(pte);
	}
}

void table_zap(struct dax_mm *mm, uint64_t start, uint64_t end,
	enum dax_truncate_mode mode)
{
	struct span span;

	sync_lock_acquire(&mm->page_lock);
	while (next_span(mm, &start, end, &span))
		zap_span(span, mode);
	sync_lock_release(&mm->page_lock);
}

/* A file's PMD leaf is not split into PTE leaves: faults will bring them. */
void table_split(struct dax_mm *mm, uint64_t address)
{
	struct pmd *pmd;

	sync_lock_acquire(&mm->page_lock);
	pmd = table_find_pmd(mm, address);
	if (pmd)
		table_clear_leaf(&pmd->leaf);
	sync_lock_release(&mm->page_lock);
}

static void write_protect(struct leaf *leaf)
{
	if (!leaf->copy)
		leaf->flags &= ~(DAX_LEAF_WRITE | DAX_LEAF_DIRTY);
}

void table_write_protect(struct dax_mm *mm, uint64_t start, uint64_t end)
{
	struct span span;

	sync_lock_acquire(&mm->page_lock);
	while (next_span(mm, &start, end, &span)) {
		if (protects_pmd())
			write_protect(&span.pmd->leaf);
		for (uint64_t at = span.start; span.pmd->ptes && at < span.end;
			at += DAX_PAGE_SIZE)
			write_protect(pte_of(span.pmd, at));
	}
	sync_lock_release(&mm->page_lock);
}

/* Only what is known to be dirty need not fault to say so. */
static void allow_stores(struct leaf *leaf)
{
	if (leaf->copy)
		table_reuse_copy(leaf);
	else if (leaf->flags & DAX_LEAF_DIRTY)
		leaf->flags |= DAX_LEAF_WRITE;
}

static void change_leaf(struct leaf *leaf, enum dax_prot prot)
{
	if (prot == DAX_PROT_READ)
		leaf->flags &= ~DAX_LEAF_WRITE;
	else
		allow_stores(leaf);
}

void table_change_protection(
	struct vma *vma, uint64_t start, uint64_t end, enum dax_prot prot)
{
	struct dax_mm *mm = vma->mm;
	struct span span;

	sync_lock_acquire(&mm->page_lock);
	while (next_span(mm, &start, end, &span)) {
		if (prot == DAX_PROT_READ || mm->profile->mprotect_restores_pmd)
			change_leaf(&span.pmd->leaf, prot);
		for (uint64_t at = span.start; span.pmd->ptes && at < span.end;
			at += DAX_PAGE_SIZE)
			change_leaf(pte_of(span.pmd, at), prot);
	}
	sync_lock_release(&mm->page_lock);
}

/* ---- fork and the end ---- */

/* The child's lock is not needed: only an unmap could find its table, and that
 * is kept out by I_MMAP. */
static int copy_span(struct vma *to, struct span span)
{
	for (uint64_t at = span.start; span.pmd->ptes && at < span.end;
		at += DAX_PAGE_SIZE) {
		struct leaf *pte = pte_of(span.pmd, at);
		struct leaf *new;

		if (!pte->flags)
			continue;
		new = table_make_pte(to->mm, at);
		if (!new)
			return -ENOMEM;
		pte->flags &= ~DAX_LEAF_WRITE;
		*new = *pte;
		/* Relaxed: ours is there, so it is not the last. */
		if (pte->copy)
			sync_add(&pte->copy->refs, 1, memory_order_relaxed);
	}
	return 0;
}

int table_copy(struct vma *from, struct vma *to)
{
	uint64_t start = from->start;
	struct span span;
	int error = 0;

	sync_lock_acquire(&from->space->i_mmap);
	sync_lock_acquire(&from->mm->page_lock);
	to->has_copies = from->has_copies;
	while (from->has_copies && !error &&
		next_span(from->mm, &start, from->end, &span))
		error = copy_span(to, span);
	sync_lock_release(&from->mm->page_lock);
	sync_lock_release(&from->space->i_mmap);
	return error;
}

static void free_pmd(struct pmd *pmd)
{
	for (size_t n = 0; pmd->ptes && n < PMD_PAGES; n++)
		table_clear_leaf(&pmd->ptes[n]);
	sync_free(pmd->ptes);
	sync_free(pmd);
}

void table_free(struct dax_mm *mm)
{
	for (size_t i = 0; i < PMD_BUCKETS; i++)
		while (mm->pmds[i]) {
			struct pmd *pmd = mm->pmds[i];

			mm->pmds[i] = pmd->next;
			free_pmd(pmd);
		}
	sync_free(mm->huge_zero);
}

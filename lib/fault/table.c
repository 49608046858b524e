/* SPDX-License-Identifier: BSD-3-Clause */
/* The page table: a hash of PMD cells. */
#include <errno.h>
#include <string.h>

#include "fault/table.h"

/* ---- cells ---- */

static struct pmd **bucket(struct dax_mm *mm, uint64_t address)
{
	return &mm->pmds[address / PMD_BYTES % PMD_BUCKETS];
}

struct pmd *table_find_pmd(struct dax_mm *mm, uint64_t address)
{
	struct pmd *pmd = *bucket(mm, address);

	while (pmd && pmd->start != pmd_start(address))
		pmd = pmd->next;
	return pmd;
}

static struct pmd *make_pmd(struct dax_mm *mm, uint64_t address)
{
	struct pmd **head = bucket(mm, address);
	struct pmd *pmd = table_find_pmd(mm, address);

	if (pmd)
		return pmd;
	pmd = sync_alloc(sizeof(*pmd), _Alignof(struct pmd));
	if (!pmd)
		return NULL;
	pmd->start = pmd_start(address);
	pmd->next = *head;
	*head = pmd;
	return pmd;
}

struct leaf *table_make_pte(struct dax_mm *mm, uint64_t address)
{
	struct pmd *pmd = make_pmd(mm, address);

	if (pmd && !pmd->ptes)
		pmd->ptes = sync_alloc(
			PMD_PAGES * sizeof(*pmd->ptes), _Alignof(struct leaf));
	return pmd && pmd->ptes ? pte_of(pmd, address) : NULL;
}

/* ---- private copies ---- */

struct copy *copy_new(void)
{
	struct copy *copy = sync_alloc(sizeof(*copy), _Alignof(struct copy));

	if (copy)
		sync_store(&copy->refs, 1, memory_order_relaxed);
	return copy;
}

void copy_put(struct copy *copy)
{
	/* [MO-8] Our loads and stores before the memory is given back. */
	if (copy && sync_sub(&copy->refs, 1, memory_order_acq_rel) == 1)
		sync_free(copy);
}

void table_clear_leaf(struct leaf *leaf)
{
	copy_put(leaf->copy);
	*leaf = (struct leaf){0};
}

/* ---- looking ---- */

struct leaf *table_leaf_locked(
	struct dax_mm *mm, uint64_t address, uint64_t *skip)
{
	struct pmd *pmd = table_find_pmd(mm, address);

	sync_lock_assert_held(&mm->page_lock);
	if (!pmd)
		return NULL;
	if (pmd->ptes) {
		*skip = address % DAX_PAGE_SIZE;
		return pte_of(pmd, address);
	}
	*skip = address - pmd->start;
	return &pmd->leaf;
}

static enum pmd_state look_locked(
	struct dax_mm *mm, uint64_t address, struct leaf *leaf)
{
	struct pmd *pmd = table_find_pmd(mm, address);

	*leaf = (struct leaf){0};
	if (!pmd || (!pmd->ptes && !pmd->leaf.flags))
		return PMD_STATE_NONE;
	if (pmd->ptes) {
		*leaf = *pte_of(pmd, address);
		return PMD_STATE_TABLE;
	}
	*leaf = pmd->leaf;
	return PMD_STATE_LEAF;
}

enum pmd_state table_look(
	struct dax_mm *mm, uint64_t address, struct leaf *leaf)
{
	enum pmd_state state;

	sync_lock_acquire(&mm->page_lock);
	state = look_locked(mm, address, leaf);
	sync_lock_release(&mm->page_lock);
	return state;
}

void dax_mm_leaf(struct dax_mm *mm, uint64_t address, struct dax_leaf *out)
{
	struct leaf leaf;
	enum pmd_state state;

	DAX_REQUIRE(mm && out);
	state = table_look(mm, address, &leaf);
	*out = (struct dax_leaf){.flags = leaf.flags, .pfn = leaf.pfn};
	if (state != PMD_STATE_LEAF)
		return;
	out->flags |= DAX_LEAF_PMD;
	if (leaf.pfn)
		out->pfn += (address - pmd_start(address)) >> DAX_PAGE_SHIFT;
}

void table_for_each(struct dax_mm *mm,
	void (*visit)(void *context, uint64_t address, const struct leaf *leaf),
	void *context)
{
	for (size_t i = 0; i < PMD_BUCKETS; i++)
		for (struct pmd *pmd = mm->pmds[i]; pmd; pmd = pmd->next) {
			DAX_INVARIANT(!pmd->leaf.flags || !pmd->ptes);
			if (pmd->leaf.flags)
				visit(context, pmd->start, &pmd->leaf);
			for (size_t n = 0; pmd->ptes && n < PMD_PAGES; n++)
				if (pmd->ptes[n].flags)
					visit(context,
						pmd->start + n * DAX_PAGE_SIZE,
						&pmd->ptes[n]);
		}
}

/* ---- setting ---- */

/* Something is there. What shows the same page may become writable. */
static void upgrade(struct leaf *there, const struct leaf *leaf)
{
	if (upgrades() && there->pfn && there->pfn == leaf->pfn &&
		(leaf->flags & DAX_LEAF_WRITE))
		there->flags |= DAX_LEAF_WRITE | DAX_LEAF_DIRTY;
}

int table_set_pte(
	struct vma *vma, uint64_t address, struct leaf leaf, bool *set)
{
	struct dax_mm *mm = vma->mm;
	struct pmd *pmd;
	struct leaf *pte = NULL;

	*set = false;
	sync_lock_acquire(&mm->page_lock);
	pmd = table_find_pmd(mm, address);
	if (pmd && pmd->leaf.flags && looks_at_table_again()) {
		/* A PMD fault was faster: the access is tried again. */
		sync_lock_release(&mm->page_lock);
		return 0;
	}
	pte = table_make_pte(mm, address);
	if (pte && pte->flags) {
		upgrade(pte, &leaf);
	} else if (pte) {
		*pte = leaf;
		*set = true;
		vma->has_copies |= leaf.copy != NULL;
	}
	sync_lock_release(&mm->page_lock);
	return pte ? 0 : -ENOMEM;
}

int table_set_pmd(struct vma *vma, uint64_t address, struct leaf leaf)
{
	struct dax_mm *mm = vma->mm;
	struct pmd *pmd;

	sync_lock_acquire(&mm->page_lock);
	pmd = make_pmd(mm, address);
	/* A table that appeared meanwhile wins; the access is tried again. */
	if (pmd && pmd->leaf.flags)
		upgrade(&pmd->leaf, &leaf);
	else if (pmd && (!pmd->ptes || !looks_at_table_again()))
		pmd->leaf = leaf;
	sync_lock_release(&mm->page_lock);
	return pmd ? 0 : -ENOMEM;
}

char *table_huge_zero(struct dax_mm *mm)
{
	char *zero;

	sync_lock_acquire(&mm->page_lock);
	if (!mm->huge_zero)
		mm->huge_zero = sync_alloc(PMD_BYTES, DAX_PAGE_SIZE);
	zero = mm->huge_zero;
	sync_lock_release(&mm->page_lock);
	return zero;
}

/* A copy that nobody else has is simply made writable. */
bool table_reuse_copy(struct leaf *pte)
{
	/* Relaxed: see the field. */
	if (!pte->copy || sync_load(&pte->copy->refs, memory_order_relaxed) > 1)
		return false;
	pte->flags |= DAX_LEAF_WRITE | DAX_LEAF_DIRTY;
	return true;
}

static void copy_page_locked(struct leaf *pte, struct copy *copy)
{
	space_bytes_load(pte->address, copy->bytes, DAX_PAGE_SIZE);
	copy_put(pte->copy);
	*pte = (struct leaf){
		.flags = DAX_LEAF_PRESENT | DAX_LEAF_WRITE | DAX_LEAF_DIRTY |
			 DAX_LEAF_COPY,
		.address = copy->bytes,
		.copy = copy,
	};
}

int table_copy_page(struct vma *vma, uint64_t address)
{
	struct dax_mm *mm = vma->mm;
	struct copy *copy = copy_new();
	struct leaf leaf, *pte;

	if (!copy)
		return -ENOMEM;
	sync_lock_acquire(&mm->page_lock);
	if (look_locked(mm, address, &leaf) == PMD_STATE_TABLE && leaf.flags &&
		!(leaf.flags & DAX_LEAF_WRITE)) {
		pte = pte_of(table_find_pmd(mm, address), address);
		if (!table_reuse_copy(pte)) {
			copy_page_locked(pte, copy);
			copy = NULL;
		}
		vma->has_copies = true;
	}
	sync_lock_release(&mm->page_lock);
	copy_put(copy);
	return 0;
}

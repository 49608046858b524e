/* SPDX-License-Identifier: BSD-3-Clause */
/* The page table: a tree of cells under each PUD, and a hash of those. */
#include <errno.h>
#include <string.h>

#include "fault/table.h"

/* ---- cells ---- */

static size_t bucket_of(uint64_t address)
{
	return address / leaf_bytes(DAX_PUD_ORDER) % PUD_BUCKETS;
}

struct pud *table_puds(const struct dax_mm *mm, size_t bucket)
{
	/* [MO-13] A PUD before the link to it. */
	return (struct pud *)(uintptr_t)sync_load(
		&mm->puds[bucket], memory_order_acquire);
}

static struct pud *find_pud(const struct dax_mm *mm, uint64_t address)
{
	struct pud *pud = table_puds(mm, bucket_of(address));

	while (pud && pud->start != leaf_start(address, DAX_PUD_ORDER))
		pud = pud->next;
	return pud;
}

struct place table_top(struct dax_mm *mm, uint64_t address)
{
	struct pud *pud;

	sync_lock_assert_held(&mm->page_lock);
	pud = find_pud(mm, address);
	return (struct place){pud ? &pud->cell : NULL, DAX_PUD_ORDER};
}

struct place table_find(struct dax_mm *mm, uint64_t address)
{
	struct place place = table_top(mm, address);

	while (place.cell && place.cell->table)
		place = place_below(place, address);
	return place;
}

static struct cell *make_pud(struct dax_mm *mm, uint64_t address)
{
	const size_t bucket = bucket_of(address);
	struct pud *pud = sync_alloc(sizeof(*pud), _Alignof(struct pud));

	if (!pud)
		return NULL;
	pud->start = leaf_start(address, DAX_PUD_ORDER);
	pud->next = table_puds(mm, bucket);
	/* [MO-13] */
	sync_store(&mm->puds[bucket], (uintptr_t)pud, memory_order_release);
	return &pud->cell;
}

static bool make_table(struct cell *cell)
{
	if (cell->table)
		return true;
	cell->table = sync_alloc(
		PMD_PAGES * sizeof(struct cell), _Alignof(struct cell));
	/* [MO-13] Cells that are 0 before the link to them. */
	sync_store(&cell->shown, (uintptr_t)cell->table, memory_order_release);
	return cell->table;
}

/* The cell of @order on the way to @address, or the larger leaf that is in its
 * way. A NULL cell: no memory. */
static struct place make_place(
	struct dax_mm *mm, uint64_t address, unsigned int order)
{
	struct place place = table_top(mm, address);

	if (!place.cell)
		place.cell = make_pud(mm, address);
	while (place.cell && place.order > order) {
		if (place.cell->leaf.flags && looks_at_table_again())
			break;
		if (make_table(place.cell))
			place = place_below(place, address);
		else
			place.cell = NULL;
	}
	return place;
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

/* ---- what pins see ---- */

#define SHOWN_FLAGS                                                            \
	(DAX_LEAF_PRESENT | DAX_LEAF_WRITE | LEAF_COUNTED | LEAF_LONGTERM)

void cell_show(struct cell *cell)
{
	const struct leaf *leaf = &cell->leaf;
	uint64_t word = 0;

	if (leaf->flags & LEAF_COUNTED)
		word = leaf->pfn << DAX_PAGE_SHIFT |
		       (leaf->flags & SHOWN_FLAGS);
	/* [MO-13] The leaf's bytes and device. */
	sync_store(&cell->shown, word, memory_order_release);
}

static void show_new(struct cell *cell, const struct dax_space *space)
{
	/* Relaxed: never another one. */
	sync_store(&cell->pgmap, (uintptr_t)space->pgmap, memory_order_relaxed);
	/* [MO-13] After the leaf before this one went. */
	sync_store(&cell->bytes, (uintptr_t)cell->leaf.address,
		memory_order_release);
	cell_show(cell);
}

struct shown table_shown(const struct dax_mm *mm, uint64_t address)
{
	const struct pud *pud = find_pud(mm, address);
	const struct cell *cell = pud ? &pud->cell : NULL;
	unsigned int order = DAX_PUD_ORDER;
	uint64_t word = 0;

	while (cell) {
		/* [MO-13] */
		word = sync_load(&cell->shown, memory_order_acquire);
		if (!word || word & DAX_LEAF_PRESENT)
			break;
		order -= DAX_PMD_ORDER;
		cell = (const struct cell *)(uintptr_t)word +
		       address / leaf_bytes(order) % PMD_PAGES;
	}
	return (struct shown){cell, word, address - leaf_start(address, order)};
}

bool table_still_shows(const struct shown *shown)
{
	/* Relaxed: what took the leaf away is before what we acquired. */
	return sync_load(&shown->cell->shown, memory_order_relaxed) ==
	       shown->word;
}

/* ---- looking ---- */

struct leaf *table_leaf_locked(
	struct dax_mm *mm, uint64_t address, uint64_t *skip)
{
	const struct place place = table_find(mm, address);

	*skip = address - leaf_start(address, place.order);
	return place.cell ? &place.cell->leaf : NULL;
}

unsigned int table_look(struct dax_mm *mm, uint64_t address, struct leaf *leaf)
{
	struct place place;

	sync_lock_acquire(&mm->page_lock);
	place = table_find(mm, address);
	*leaf = place.cell ? place.cell->leaf : (struct leaf){0};
	sync_lock_release(&mm->page_lock);
	return place.order;
}

static unsigned int size_flag(unsigned int order)
{
	if (order == DAX_PUD_ORDER)
		return DAX_LEAF_PUD;
	return order == DAX_PMD_ORDER ? DAX_LEAF_PMD : 0;
}

void dax_mm_leaf(struct dax_mm *mm, uint64_t address, struct dax_leaf *out)
{
	struct leaf leaf;
	unsigned int order;

	DAX_REQUIRE(mm && out);
	order = table_look(mm, address, &leaf);
	*out = (struct dax_leaf){
		.flags = leaf.flags & (LEAF_COUNTED - 1),
		.pfn = leaf.pfn,
	};
	if (leaf.flags)
		out->flags |= size_flag(order);
	if (leaf.pfn)
		out->pfn += (address - leaf_start(address, order)) >>
			    DAX_PAGE_SHIFT;
}

/* ---- setting ---- */

/* Something is there. What shows the same page may become writable. */
static void upgrade(struct leaf *there, const struct leaf *leaf)
{
	if (upgrades() && there->pfn && there->pfn == leaf->pfn &&
		(leaf->flags & DAX_LEAF_WRITE))
		there->flags |= DAX_LEAF_WRITE | DAX_LEAF_DIRTY;
}

/* Where another fault was faster, the access is tried again. */
static bool set_leaf(struct cell *cell, const struct leaf *leaf)
{
	if (cell->leaf.flags) {
		upgrade(&cell->leaf, leaf);
		cell_show(cell);
		return false;
	}
	if (cell->table && looks_at_table_again())
		return false;
	cell->leaf = *leaf;
	return true;
}

/* Of a leaf with @pfn. */
static unsigned int pin_flags(const struct dax_space *space, uint64_t pfn)
{
	if (!pfn || !space->pgmap)
		return 0;
	return LEAF_COUNTED | (refuses_longterm(space) ? 0 : LEAF_LONGTERM);
}

int table_set(struct vma *vma, uint64_t address, unsigned int order,
	struct leaf leaf, bool *set)
{
	struct dax_mm *mm = vma->mm;
	struct place place;

	leaf.flags |= pin_flags(vma->space, leaf.pfn);
	sync_lock_acquire(&mm->page_lock);
	place = make_place(mm, address, order);
	*set = place.cell && place.order == order &&
	       set_leaf(place.cell, &leaf);
	if (*set && leaf.flags & LEAF_COUNTED)
		show_new(place.cell, vma->space);
	vma->has_copies |= *set && leaf.copy;
	sync_lock_release(&mm->page_lock);
	return place.cell ? 0 : -ENOMEM;
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

/* A page that is shown, by a leaf of its own, and read-only. */
static bool can_copy(struct place place)
{
	return place.cell && !place.order && place.cell->leaf.flags &&
	       !(place.cell->leaf.flags & DAX_LEAF_WRITE);
}

int table_copy_page(struct vma *vma, uint64_t address)
{
	struct dax_mm *mm = vma->mm;
	struct copy *copy = copy_new();
	struct place place;

	if (!copy)
		return -ENOMEM;
	sync_lock_acquire(&mm->page_lock);
	place = table_find(mm, address);
	if (can_copy(place)) {
		if (!table_reuse_copy(&place.cell->leaf)) {
			copy_page_locked(&place.cell->leaf, copy);
			copy = NULL;
		}
		cell_show(place.cell);
		vma->has_copies = true;
	}
	sync_lock_release(&mm->page_lock);
	copy_put(copy);
	return 0;
}

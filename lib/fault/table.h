/* SPDX-License-Identifier: BSD-3-Clause */
/* The inside of the page table, guarded by page_lock but for what is shown to
 * pins: table.c looks and sets, table_range.c works on ranges. */
#ifndef FAULT_TABLE_H
#define FAULT_TABLE_H

#include "fault/mm.h"

/* Where a walk for an address is. */
struct place {
	struct cell *cell; /* NULL: there is no such pud */
	unsigned int order;
};

static inline struct place place_below(struct place place, uint64_t address)
{
	const unsigned int order = place.order - DAX_PMD_ORDER;

	return (struct place){
		&place.cell->table[address / leaf_bytes(order) % PMD_PAGES],
		order,
	};
}

/* The top of the way to @address, and its end: where no table is. */
struct place table_top(struct dax_mm *mm, uint64_t address);
struct place table_find(struct dax_mm *mm, uint64_t address);
void table_clear_leaf(struct leaf *leaf);
/* After each change of a leaf: shows it to pins, as far as it can be pinned. */
void cell_show(struct cell *cell);
/* Those of one bucket. */
struct pud *table_puds(const struct dax_mm *mm, size_t bucket);
/* A copy that nobody else has is made writable; false: somebody has. */
bool table_reuse_copy(struct leaf *pte);

#endif

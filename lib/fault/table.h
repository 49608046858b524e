/* SPDX-License-Identifier: BSD-3-Clause */
/* The inside of the page table, all of it guarded by page_lock: table.c looks
 * and sets, table_range.c works on ranges. */
#ifndef FAULT_TABLE_H
#define FAULT_TABLE_H

#include "fault/mm.h"

static inline struct leaf *pte_of(struct pmd *pmd, uint64_t address)
{
	return &pmd->ptes[(address - pmd->start) >> DAX_PAGE_SHIFT];
}

/* NULL: there is none. */
struct pmd *table_find_pmd(struct dax_mm *mm, uint64_t address);
/* Made if there is none; NULL: no memory. */
struct leaf *table_make_pte(struct dax_mm *mm, uint64_t address);
void table_clear_leaf(struct leaf *leaf);
/* A copy that nobody else has is made writable; false: somebody has. */
bool table_reuse_copy(struct leaf *pte);

#endif

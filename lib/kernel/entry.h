/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An entry of an XArray is kept in a word of ours (entry/word.h) as if it were
 * a pfn: it has 52 bits, the tree reads the word's size and adds its marks.
 */
#ifndef KERNEL_ENTRY_H
#define KERNEL_ENTRY_H

#include "entry/word.h"
#include "kernel/opaque.h"

#define ENTRY_BITS (64 - WORD_PFN_SHIFT)

static inline bool entry_fits(const void *entry)
{
	return !((uintptr_t)entry >> ENTRY_BITS) && !xa_is_internal(entry);
}

static inline bool order_fits(unsigned int order)
{
	return order == DAX_PTE_ORDER || order == DAX_PMD_ORDER ||
	       order == DAX_PUD_ORDER;
}

/* Both fit. */
static inline uint64_t entry_word(const void *entry, unsigned int order)
{
	return dax_make_entry((uintptr_t)entry, order == DAX_PUD_ORDER ? DAX_PUD
						: order == DAX_PMD_ORDER
							? DAX_PMD
							: DAX_PTE);
}

/* NULL for no word. */
static inline void *word_to_entry(uint64_t word)
{
	return (void *)(uintptr_t)dax_to_pfn(word);
}

/* The last index of the range of @order that @index is in. */
static inline uint64_t last_index(uint64_t index, unsigned int order)
{
	return index | (((uint64_t)1 << order) - 1);
}

static inline enum dax_mark tree_mark(xa_mark_t mark)
{
	return mark == XA_MARK_0 ? DAX_MARK_DIRTY : DAX_MARK_TOWRITE;
}

#endif

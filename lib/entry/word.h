/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The bits of an entry word, as drawn in daxlock/entry.h. Entry words have
 * bit 0 set; a tree keeps node pointers and 0 in the same slots.
 */
#ifndef ENTRY_WORD_H
#define ENTRY_WORD_H

#include <stdbool.h>
#include <stdint.h>

#include "daxlock/entry.h"

#define WORD_VALUE   ((uint64_t)1 << 0)
#define WORD_LOCKED  ((uint64_t)1 << 1)
#define WORD_WAITERS ((uint64_t)1 << 2)

/* enum dax_entry_flags stand here, in their order. */
#define WORD_FLAGS_SHIFT 3
#define WORD_FLAGS(flags) ((uint64_t)(flags) << WORD_FLAGS_SHIFT)
#define WORD_FLAGS_MASK	 WORD_FLAGS(0x1f)

#define WORD_MARK_SHIFT	 8
#define WORD_MARK(mark)	 ((uint64_t)1 << (WORD_MARK_SHIFT + (mark)))
#define WORD_MARKS	 ((uint64_t)3 << WORD_MARK_SHIFT)

/* Of a mapping with statistics: the quick ways are closed (mapping/stats.h). */
#define WORD_COUNTED	 ((uint64_t)1 << 10)

/* What a word has and a value (dax_entry_t) has not. */
#define WORD_STATE (WORD_LOCKED | WORD_WAITERS | WORD_MARKS | WORD_COUNTED)

#define WORD_PFN_SHIFT 12

static inline bool word_is_value(uint64_t word)
{
	return word & WORD_VALUE;
}

static inline bool word_is_node(uint64_t word)
{
	return word && !(word & WORD_VALUE);
}

/* dax_entry_order(), inline. */
static inline unsigned int word_order(uint64_t word)
{
	if (word & WORD_FLAGS(DAX_PMD))
		return DAX_PMD_ORDER;
	return word & WORD_FLAGS(DAX_PUD) ? DAX_PUD_ORDER : DAX_PTE_ORDER;
}

/* The value in a word. */
static inline dax_entry_t word_entry(uint64_t word)
{
	return word & ~WORD_STATE;
}

static inline bool word_has(uint64_t word, uint64_t bits)
{
	return word & bits;
}

#endif

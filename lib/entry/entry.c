/* SPDX-License-Identifier: BSD-3-Clause */
#include "daxlock/entry.h"

#include <inttypes.h>

#include "base/check.h"
#include "base/text.h"
#include "entry/word.h"

dax_entry_t dax_make_entry(uint64_t pfn, unsigned int flags)
{
	DAX_REQUIRE(!(pfn >> (64 - WORD_PFN_SHIFT)));
	DAX_REQUIRE(!(WORD_FLAGS(flags) & ~WORD_FLAGS_MASK));
	DAX_REQUIRE((flags & (DAX_PMD | DAX_PUD)) != (DAX_PMD | DAX_PUD));
	return pfn << WORD_PFN_SHIFT | WORD_FLAGS(flags) | WORD_VALUE;
}

uint64_t dax_to_pfn(dax_entry_t entry)
{
	return entry >> WORD_PFN_SHIFT;
}

unsigned int dax_entry_order(dax_entry_t entry)
{
	return word_order(entry);
}

dax_pgoff_t dax_entry_start(dax_entry_t entry, dax_pgoff_t index)
{
	return index >> dax_entry_order(entry) << dax_entry_order(entry);
}

bool dax_is_pte_entry(dax_entry_t entry)
{
	return entry && !word_has(entry, WORD_FLAGS(DAX_PMD | DAX_PUD));
}

bool dax_is_pmd_entry(dax_entry_t entry)
{
	return word_has(entry, WORD_FLAGS(DAX_PMD));
}

bool dax_is_pud_entry(dax_entry_t entry)
{
	return word_has(entry, WORD_FLAGS(DAX_PUD));
}

bool dax_is_zero_entry(dax_entry_t entry)
{
	return word_has(entry, WORD_FLAGS(DAX_ZERO_PAGE));
}

bool dax_is_empty_entry(dax_entry_t entry)
{
	return word_has(entry, WORD_FLAGS(DAX_EMPTY));
}

bool dax_is_zapped_entry(dax_entry_t entry)
{
	return word_has(entry, WORD_FLAGS(DAX_ZAP));
}

bool dax_is_locked_entry(uint64_t word)
{
	return word_has(word, WORD_LOCKED);
}

dax_entry_t dax_entry_from_word(uint64_t word)
{
	return word_entry(word);
}

/* ---- decoding ---- */

struct bit_name {
	uint64_t bit;
	const char *name;
};

struct word_layout {
	struct bit_name bits[10];
	unsigned int pfn_shift;
	uint64_t tag_mask; /* these bits of a value are @tag */
	uint64_t tag;
	const char *number; /* what stands above the flags */
};

#define RADIX_BITS                                                             \
	{                                                                      \
		{1 << 2, "LOCKED"},                                            \
		{1 << 3, "PMD"},                                               \
		{1 << 4, "ZERO_PAGE"},                                         \
		{1 << 5, "EMPTY"},                                             \
	}

static const struct word_layout layouts[] = {
	[DAX_WORD_DAXLOCK] = {
		.bits = {
			{WORD_LOCKED, "LOCKED"},
			{WORD_WAITERS, "WAITERS"},
			{WORD_FLAGS(DAX_PUD), "PUD"},
			{WORD_FLAGS(DAX_PMD), "PMD"},
			{WORD_FLAGS(DAX_ZERO_PAGE), "ZERO_PAGE"},
			{WORD_FLAGS(DAX_EMPTY), "EMPTY"},
			{WORD_FLAGS(DAX_ZAP), "ZAP"},
			{WORD_MARK(0), "DIRTY"},
			{WORD_MARK(1), "TOWRITE"},
		},
		.pfn_shift = WORD_PFN_SHIFT,
		.tag_mask = 1,
		.tag = 1,
		.number = "pfn",
	},
	/* fs/dax.c: an XArray value is shifted left by one; four flags, then
	 * the pfn. */
	[DAX_WORD_XARRAY] = {
		.bits = {
			{1 << 1, "LOCKED"},
			{1 << 2, "PMD"},
			{1 << 3, "ZERO_PAGE"},
			{1 << 4, "EMPTY"},
		},
		.pfn_shift = 5,
		.tag_mask = 1,
		.tag = 1,
		.number = "pfn",
	},
	/* Before the XArray two bits told a value from a node. */
	[DAX_WORD_RADIX_PFN] = {
		.bits = RADIX_BITS,
		.pfn_shift = 6,
		.tag_mask = 3,
		.tag = 2,
		.number = "pfn",
	},
	[DAX_WORD_RADIX_SECTOR] = {
		.bits = RADIX_BITS,
		.pfn_shift = 6,
		.tag_mask = 3,
		.tag = 2,
		.number = "sector",
	},
};

static void decode_value(
	uint64_t word, const struct word_layout *layout, struct text *text)
{
	const char *separator = "";

	for (const struct bit_name *bit = layout->bits; bit->name; bit++) {
		if (!word_has(word, bit->bit))
			continue;
		text_add(text, "%s%s", separator, bit->name);
		separator = "|";
	}
	if (!*separator)
		text_add(text, "PTE");
	text_add(text, " %s 0x%" PRIx64, layout->number,
		word >> layout->pfn_shift);
}

size_t dax_entry_decode(uint64_t word, enum dax_word_format format,
	char *buffer, size_t size)
{
	struct text text = text_in(buffer, size);
	const struct word_layout *layout;

	DAX_REQUIRE(format <= DAX_WORD_RADIX_SECTOR);
	layout = &layouts[format];
	if (!word)
		text_add(&text, "none");
	else if ((word & layout->tag_mask) != layout->tag)
		text_add(&text, "node 0x%" PRIx64, word);
	else
		decode_value(word, layout, &text);
	return text.length;
}

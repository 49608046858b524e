/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: daxlock/entry.h - the entry word
 *
 * A mapping keeps one 64-bit word for each page or huge page of a file. The
 * word is a value: it says which page of the device stands there, how large it
 * is, and what is known about it. In the tree it also carries the entry's lock
 * bit, the fact that somebody sleeps on it, and its marks:
 *
 *   63 - 12  pfn        the entry's first page on the device
 *       10  COUNTED    the mapping has statistics; not decoded
 *        9  TOWRITE    mark: chosen by a writeback that runs
 *        8  DIRTY      mark: written since the last writeback
 *        7  ZAP        unmapped for good, no new pins
 *        6  EMPTY      a placeholder that exists to be locked
 *        5  ZERO_PAGE  reads as zeros, has no storage
 *        4  PUD        covers 1 GiB
 *        3  PMD        covers 2 MiB
 *        2  WAITERS    somebody sleeps on the entry
 *        1  LOCKED     the lock bit
 *        0  VALUE      always set; a tree keeps nodes and 0 in the same slots
 *
 * A &dax_entry_t, which is what calls take and return, never has LOCKED,
 * WAITERS, DIRTY, TOWRITE or COUNTED: who locks, who waits and what is dirty
 * are states of the mapping, not of the value. 0 is "no entry".
 *
 * Everything here is a pure function: no context, any number of threads, no
 * ordering, unless a comment says otherwise.
 *
 * Models: fs/dax.c dax_to_pfn() ... dax_is_empty_entry(), v6.12; the bits
 * stand elsewhere, dax_entry_decode() knows both.
 */
#ifndef DAXLOCK_ENTRY_H
#define DAXLOCK_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <daxlock/attributes.h>
#include <daxlock/order.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/** typedef dax_pgoff_t - an offset in a file, in pages */
typedef uint64_t dax_pgoff_t;

/** typedef dax_entry_t - an entry's value; 0 is "no entry" */
typedef uint64_t dax_entry_t;

#define DAX_NO_ENTRY ((dax_entry_t)0)

/**
 * enum dax_entry_flags - what an entry is, besides its pfn
 * @DAX_PTE: one page; the absence of the others
 * @DAX_PMD: 2 MiB
 * @DAX_PUD: 1 GiB
 * @DAX_ZERO_PAGE: reads as zeros, has no storage; the page tables map the
 *	shared zero page
 * @DAX_EMPTY: a placeholder that exists to be locked
 * @DAX_ZAP: unmapped for good, no new pins
 */
enum dax_entry_flags {
	DAX_PTE = 0,
	DAX_PMD = 1 << 0,
	DAX_PUD = 1 << 1,
	DAX_ZERO_PAGE = 1 << 2,
	DAX_EMPTY = 1 << 3,
	DAX_ZAP = 1 << 4,
};

/**
 * dax_make_entry() - build an entry
 * @pfn: page number on the device, below 2^52; 0 for zero and empty entries
 * @flags: of &enum dax_entry_flags; not both DAX_PMD and DAX_PUD
 *
 * Return: the entry.
 */
dax_entry_t dax_make_entry(uint64_t pfn, unsigned int flags) DAX_CONST;

/** dax_to_pfn() - page number on the device of the entry's first page */
uint64_t dax_to_pfn(dax_entry_t entry) DAX_CONST;

/** dax_entry_order() - log2 of the pages @entry covers; 0 for no entry */
unsigned int dax_entry_order(dax_entry_t entry) DAX_CONST;

/** dax_entry_start() - the first index of @entry, given any index it covers */
dax_pgoff_t dax_entry_start(dax_entry_t entry, dax_pgoff_t index) DAX_CONST;

/** dax_is_pte_entry() - which kind an entry is of; no entry is of none */
bool dax_is_pte_entry(dax_entry_t entry) DAX_CONST;
bool dax_is_pmd_entry(dax_entry_t entry) DAX_CONST;
bool dax_is_pud_entry(dax_entry_t entry) DAX_CONST;
bool dax_is_zero_entry(dax_entry_t entry) DAX_CONST;
bool dax_is_empty_entry(dax_entry_t entry) DAX_CONST;
bool dax_is_zapped_entry(dax_entry_t entry) DAX_CONST;

/**
 * dax_is_locked_entry() - is the lock bit set in a raw word
 * @word: a raw word of the tree, as dax_tree_load() returns it
 */
bool dax_is_locked_entry(uint64_t word) DAX_CONST;

/**
 * dax_entry_from_word() - the value in a raw word of the tree
 * @word: a raw word, as dax_tree_load() returns it
 *
 * Return: @word without LOCKED, WAITERS and marks.
 */
dax_entry_t dax_entry_from_word(uint64_t word) DAX_CONST;

/**
 * enum dax_word_format - whose words dax_entry_decode() reads
 * @DAX_WORD_DAXLOCK: this library's
 * @DAX_WORD_XARRAY: a kernel's from v4.20 on (XArray values; fs/dax.c
 *	DAX_LOCKED, DAX_PMD, DAX_ZERO_PAGE, DAX_EMPTY)
 * @DAX_WORD_RADIX_PFN: a kernel's from v4.17 to v4.19 (exceptional radix tree
 *	entries, two low bits 10; RADIX_DAX_ENTRY_LOCK and so on)
 * @DAX_WORD_RADIX_SECTOR: a kernel's from v4.10 to v4.16: the same, but with
 *	the 512 byte sector of the block device instead of the pfn
 */
enum dax_word_format {
	DAX_WORD_DAXLOCK,
	DAX_WORD_XARRAY,
	DAX_WORD_RADIX_PFN,
	DAX_WORD_RADIX_SECTOR,
};

/**
 * dax_entry_decode() - print a raw word for people
 * @word: a raw word
 * @format: whose
 * @buffer: result, always terminated when @size is not 0
 * @size: of @buffer in bytes; 80 always suffices
 *
 * For example ``PMD|ZERO_PAGE pfn 0x8e00`` for the kernel's 0x11c00d.
 *
 * Return: the length of the full text in bytes, as snprintf().
 */
size_t dax_entry_decode(uint64_t word, enum dax_word_format format,
	char *buffer, size_t size);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif

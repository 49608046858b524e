/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the kernel shows of this process's page tables.
 */
#ifndef PMEM_PAGE_TABLES_H
#define PMEM_PAGE_TABLES_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "pmem/map.h"

/* Bytes that are in the page table. */
struct pmem_present {
	uint64_t pmd_bytes;	/* by entries of 2 MiB or more */
	uint64_t pte_bytes;
};

/* From the page tables themselves, for any range and any file. false: the
 * kernel is older than 6.7, or there is no /proc. */
bool pmem_pagemap_scan(struct pmem_range range, struct pmem_present *present);

/* From /proc/self/smaps, for a range of whole VMAs. Kernels differ in whether
 * pages of a DAX file count there. false: there is no /proc, or the range is
 * not what the VMAs in it cover. */
bool pmem_smaps_scan(struct pmem_range range, struct pmem_present *present);

/* The same, from a text in the form of smaps. */
bool pmem_smaps_parse(FILE *smaps, struct pmem_range range,
	struct pmem_present *present);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How the kernel maps a range, from the best witness there is: the page
 * tables; else smaps, which is silent about DAX files on many kernels; for
 * those, the faults that populating took.
 */
#include "base/check.h"
#include "pmem/map.h"
#include "pmem/page_tables.h"

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static bool from_faults(
	const struct dax_pmem_map *map, struct pmem_present *present)
{
	const uint64_t pmd_bytes =
		sync_load(&map->pmd_bytes_by_faults, memory_order_relaxed);

	if (pmd_bytes == PMEM_NOT_COUNTED)
		return false;
	present->pmd_bytes = min_u64(pmd_bytes, pmem_map_eligible(map).len);
	present->pte_bytes = map->len - present->pmd_bytes;
	return true;
}

static enum dax_evidence look(
	const struct dax_pmem_map *map, struct pmem_present *present)
{
	const struct pmem_range all = {map->address, map->len};
	const enum dax_backing backing = map->dev->info.backing;

	if (pmem_pagemap_scan(all, present))
		return DAX_EVIDENCE_PAGEMAP;
	if (backing == DAX_BACKING_FSDAX || backing == DAX_BACKING_DEVDAX)
		return from_faults(map, present) ? DAX_EVIDENCE_FAULTS
						 : DAX_EVIDENCE_NONE;
	return pmem_smaps_scan(all, present) ? DAX_EVIDENCE_SMAPS
					     : DAX_EVIDENCE_NONE;
}

void dax_pmem_map_verify(
	const struct dax_pmem_map *map, struct dax_map_report *report)
{
	struct pmem_present present = {0};

	DAX_REQUIRE(map && report);
	*report = (struct dax_map_report){
		.len = map->len,
		.eligible_bytes = map->flags & DAX_MAP_PMD
			? pmem_map_eligible(map).len
			: 0,
		.evidence = look(map, &present),
	};
	if (report->evidence == DAX_EVIDENCE_NONE) {
		report->unknown_bytes = map->len;
		return;
	}
	report->pmd_bytes = present.pmd_bytes;
	report->pte_bytes = present.pte_bytes;
	report->absent_bytes =
		map->len - present.pmd_bytes - present.pte_bytes;
}

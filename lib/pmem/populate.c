/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Filling page tables without raising signals, and as large as was asked for.
 *
 * How a huge page comes about differs by what is behind the map:
 *   hugetlb, device DAX	always; the first fault takes one
 *   fsdax			a fault takes 2 MiB if the extent is aligned
 *   page cache			a fault takes 2 MiB if the file's folio is
 *				that large: MADV_HUGEPAGE asked for it
 *   shmem			small pages first; MADV_COLLAPSE (Linux 6.1)
 *				makes them one huge page
 */
#include "pmem/map.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "base/check.h"
#include "pmem/errormsg.h"
#include "pmem/page_tables.h"

/* Younger than the C library's headers on some systems. */
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

/* The kernel says EAGAIN when it met a page that is just being moved. */
#define COLLAPSE_TRIES 3

#define PAGES_IN_PMD (PMEM_PMD_SIZE / PMEM_PTE_SIZE)

struct pmem_range pmem_map_eligible(const struct dax_pmem_map *map)
{
	const uintptr_t start = (uintptr_t)map->address;
	const uint64_t head = -start % PMEM_PMD_SIZE;
	struct pmem_range range = {.start = map->address, .len = 0};

	/* Page table entries are where the address says. Those of a PTE map
	 * would not have aligned file offsets. */
	if (start % PMEM_PMD_SIZE != map->offset % PMEM_PMD_SIZE ||
		head >= map->len)
		return range;
	range.start += head;
	range.len = map->len - head;
	range.len -= range.len % PMEM_PMD_SIZE;
	return range;
}

uint64_t pmem_pmds_from_faults(uint64_t pages, uint64_t faults)
{
	/* 512 * pmds + ptes = pages, pmds + ptes = faults. A fault that was
	 * somebody else's makes pmds smaller. No fault at all: the kernel does
	 * not count them. */
	if (!faults || faults >= pages)
		return 0;
	return (pages - faults) / (PAGES_IN_PMD - 1);
}

static int populate_range(
	const struct dax_pmem_map *map, struct pmem_range range)
{
	const int advice = map->dev->info.access == DAX_ACCESS_READ_ONLY
		? MADV_POPULATE_READ
		: MADV_POPULATE_WRITE;
	int ret;

	/* EINTR, EAGAIN: part of it is done, and quickly passed next time. */
	do {
		ret = madvise(range.start, range.len, advice) ? -errno : 0;
	} while (ret == -EINTR || ret == -EAGAIN);
	switch (ret) {
	case 0:
		return 0;
	case -EFAULT:
		return pmem_fail(ret, "a page of the map has no storage: the "
				      "file is smaller now, or the disk full");
	case -EINVAL:
		return pmem_fail(-EOPNOTSUPP,
			"the kernel cannot populate: Linux 5.14 can");
	default:
		return pmem_fail(ret, "a page of the map cannot be read");
	}
}

static void collapse(struct pmem_range range)
{
	for (int i = 0; i < COLLAPSE_TRIES; i++)
		if (!madvise(range.start, range.len, MADV_COLLAPSE) ||
			errno != EAGAIN)
			return;
}

/* One small page in each 2 MiB is enough for the kernel to collapse it; the
 * other 511 need not be made only to be copied. */
static int populate_sparsely(
	const struct dax_pmem_map *map, struct pmem_range range)
{
	for (uint64_t at = 0; at < range.len; at += PMEM_PMD_SIZE) {
		const struct pmem_range first = {
			.start = range.start + at,
			.len = PMEM_PTE_SIZE,
		};
		const int ret = populate_range(map, first);

		if (ret)
			return ret;
	}
	return 0;
}

static int populate_shmem(const struct dax_pmem_map *map)
{
	const struct pmem_range eligible = pmem_map_eligible(map);
	int ret;

	if (!eligible.len)
		return 0;
	ret = populate_sparsely(map, eligible);
	if (!ret)
		collapse(eligible);
	return ret;
}

static uint64_t faults_of_process(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (uint64_t)usage.ru_minflt + (uint64_t)usage.ru_majflt;
}

/* Older kernels do not show how they map a DAX file, but count its faults.
 * Each page must be absent first, or it would need none. Another thread that
 * faults on the map meanwhile is in the count; one that takes pages out again
 * makes more faults. */
static int populate_counting(
	struct dax_pmem_map *map, struct pmem_range all)
{
	const uint64_t pages = map->len / PMEM_PTE_SIZE;
	uint64_t before;
	int ret;

	if (madvise(all.start, all.len, MADV_DONTNEED))
		return populate_range(map, all);
	before = faults_of_process();
	ret = populate_range(map, all);
	if (ret)
		return ret;
	sync_store(&map->pmd_bytes_by_faults,
		PMEM_PMD_SIZE * pmem_pmds_from_faults(pages,
					faults_of_process() - before),
		memory_order_relaxed);
	return 0;
}

static bool only_faults_tell(const struct dax_pmem_map *map)
{
	const struct pmem_range first = {map->address, PMEM_PTE_SIZE};
	struct pmem_present present;

	return map->dev->info.backing == DAX_BACKING_FSDAX &&
	       !pmem_pagemap_scan(first, &present);
}

int dax_pmem_map_populate(struct dax_pmem_map *map)
{
	const struct pmem_range all = {map->address, map->len};
	int ret;

	DAX_REQUIRE(map);
	if (map->flags & DAX_MAP_PMD &&
		map->dev->info.backing == DAX_BACKING_SHMEM) {
		ret = populate_shmem(map);
		if (ret)
			return ret;
	}
	if (only_faults_tell(map))
		return populate_counting(map, all);
	return populate_range(map, all);
}

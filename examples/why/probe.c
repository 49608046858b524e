/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One range, mapped for reading, populated, and looked up in the page tables.
 *
 * A file in memory is another case: to populate it would allocate its holes,
 * and the library would have it made huge. Here one page that is there already
 * is touched; the kernel maps all of a huge page that it is a part of.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "why.h"

/* Younger than the C library's headers on some systems. */
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

static bool touch_data(int fd, struct dax_pmem_map *map)
{
	const uint64_t start = dax_pmem_map_offset(map);
	const off_t data = lseek(fd, (off_t)start, SEEK_DATA);
	char *address = dax_pmem_map_address(map);

	if (data < 0 || (uint64_t)data >= start + WHY_RANGE)
		return false;
	address += ((uint64_t)data - start) / WHY_PAGE * WHY_PAGE;
	return !madvise(address, WHY_PAGE, MADV_POPULATE_READ);
}

static enum why_probe read_report(const struct dax_map_report *report)
{
	if (report->pmd_bytes == WHY_RANGE)
		return WHY_PROBE_PMD;
	return report->pte_bytes ? WHY_PROBE_PTE : WHY_PROBE_BLIND;
}

void why_probe_piece(int fd, struct dax_device *dev, struct why_piece *piece)
{
	struct dax_device_info info;
	struct dax_map_report report;
	struct dax_pmem_map *map;
	bool populated;

	piece->probe = WHY_PROBE_BLIND;
	if (dax_pmem_map_new(dev, piece->start, WHY_RANGE, DAX_MAP_PMD, &map))
		return;
	dax_device_describe(dev, &info);
	populated = info.backing == DAX_BACKING_SHMEM
			    ? touch_data(fd, map)
			    : !dax_pmem_map_populate(map);
	if (populated) {
		dax_pmem_map_verify(map, &report);
		piece->evidence = report.evidence;
		piece->probe = read_report(&report);
	}
	dax_pmem_map_delete(&map);
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "pmem/page_tables.h"

#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* ---- PAGEMAP_SCAN, Linux 6.7 ---- */

/* Younger than the kernel headers of most distributions; kernel ABI. */
struct scan_region {
	uint64_t start;
	uint64_t end;
	uint64_t categories;
};

struct scan_request {
	uint64_t size;
	uint64_t flags;
	uint64_t start;
	uint64_t end;
	uint64_t walk_end;	/* result */
	uint64_t regions;
	uint64_t regions_len;
	uint64_t max_pages;
	uint64_t category_inverted;
	uint64_t category_mask;
	uint64_t category_anyof_mask;
	uint64_t return_mask;
};

#define SCAN_IOCTL   _IOWR('f', 16, struct scan_request)
#define SCAN_PRESENT ((uint64_t)1 << 3)
#define SCAN_HUGE    ((uint64_t)1 << 6)
#define SCAN_REGIONS 64

static void count_regions(const struct scan_region *regions, int count,
	struct pmem_present *present)
{
	for (int i = 0; i < count; i++) {
		const uint64_t bytes = regions[i].end - regions[i].start;

		if (regions[i].categories & SCAN_HUGE)
			present->pmd_bytes += bytes;
		else
			present->pte_bytes += bytes;
	}
}

static bool scan(int fd, struct pmem_range range, struct pmem_present *present)
{
	struct scan_region regions[SCAN_REGIONS] = {0};
	struct scan_request request = {
		.size = sizeof(request),
		.start = (uintptr_t)range.start,
		.end = (uintptr_t)range.start + range.len,
		.regions = (uintptr_t)regions,
		.regions_len = SCAN_REGIONS,
		.category_mask = SCAN_PRESENT,
		.return_mask = SCAN_PRESENT | SCAN_HUGE,
	};

	/* A full array ends a walk early; the next one starts there. */
	while (request.start < request.end) {
		const int count = ioctl(fd, SCAN_IOCTL, &request);

		if (count < 0 || request.walk_end <= request.start)
			return false;
		count_regions(regions, count, present);
		request.start = request.walk_end;
	}
	return true;
}

bool pmem_pagemap_scan(struct pmem_range range, struct pmem_present *present)
{
	const int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	bool known;

	*present = (struct pmem_present){0};
	if (fd < 0)
		return false;
	known = scan(fd, range, present);
	close(fd);
	return known;
}

/* ---- smaps ---- */

/* Where a reader of smaps is, and what it has summed up, in bytes. */
struct smaps_reader {
	struct pmem_range range;
	bool inside;		/* this VMA is in range */
	bool overlaps;		/* some VMA is only partly in range */
	uint64_t covered;	/* by VMAs in range */
	uint64_t resident;
	uint64_t huge;
	uint64_t page_size;	/* of this VMA */
};

static void read_vma(struct smaps_reader *reader, uint64_t start, uint64_t end)
{
	const uint64_t range_start = (uintptr_t)reader->range.start;
	const uint64_t range_end = range_start + reader->range.len;

	reader->inside = start >= range_start && end <= range_end;
	if (reader->inside)
		reader->covered += end - start;
	else if (start < range_end && end > range_start)
		reader->overlaps = true;
}

static void read_field(
	struct smaps_reader *reader, const char *name, uint64_t bytes)
{
	if (!strcmp(name, "KernelPageSize"))
		reader->page_size = bytes;
	else if (!strcmp(name, "Rss"))
		reader->resident += bytes;
	else if (!strcmp(name, "ShmemPmdMapped") ||
		!strcmp(name, "FilePmdMapped") ||
		!strcmp(name, "AnonHugePages"))
		reader->huge += bytes;
	else if (!strcmp(name, "Shared_Hugetlb") ||
		!strcmp(name, "Private_Hugetlb")) {
		/* Not part of Rss. Some machines have hugetlb below 2 MiB. */
		reader->resident += bytes;
		if (reader->page_size >= PMEM_PMD_SIZE)
			reader->huge += bytes;
	}
}

static void read_line(struct smaps_reader *reader, const char *line)
{
	unsigned long long start, end, kib;
	char name[32], permissions[8];

	if (sscanf(line, "%llx-%llx %7[-rwxsp] ", &start, &end, permissions) ==
		3)
		read_vma(reader, start, end);
	else if (reader->inside &&
		sscanf(line, "%31[^: ]: %llu kB", name, &kib) == 2)
		read_field(reader, name, kib * 1024);
}

bool pmem_smaps_parse(FILE *smaps, struct pmem_range range,
	struct pmem_present *present)
{
	struct smaps_reader reader = {.range = range};
	bool at_line_start = true;
	char line[256];

	/* The rest of a line too long for us is the end of a path: skipped, as
	 * it may look like anything. */
	while (fgets(line, sizeof(line), smaps)) {
		if (at_line_start)
			read_line(&reader, line);
		at_line_start = strchr(line, '\n') != NULL;
	}
	if (ferror(smaps) || reader.overlaps || reader.covered != range.len ||
		reader.huge > reader.resident)
		return false;
	present->pmd_bytes = reader.huge;
	present->pte_bytes = reader.resident - reader.huge;
	return true;
}

bool pmem_smaps_scan(struct pmem_range range, struct pmem_present *present)
{
	FILE *smaps = fopen("/proc/self/smaps", "re");
	bool known;

	if (!smaps)
		return false;
	known = pmem_smaps_parse(smaps, range, present);
	fclose(smaps);
	return known;
}

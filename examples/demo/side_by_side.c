/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The job of 2016: random 4 KiB reads and writes, half and half, through a
 * fresh map of the file, until each page was touched; once with 4 KiB page
 * table entries and once with 2 MiB ones. The kernel patch printed 557,610
 * against 1,406,700 KB/s. What the kernel really mapped is looked up.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "demo.h"

#define ROUNDS 5

struct result {
	const char *name;
	unsigned int flags;
	double kb_per_s[ROUNDS];
	uint64_t faults;
	struct dax_map_report report;
};

static uint64_t minor_faults(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (uint64_t)usage.ru_minflt;
}

/* Every page once, in an order that strides through the file: multiplying by
 * an odd number permutes the pages of a file of 2^n of them. */
static void touch_all(struct dax_pmem_map *map, char *buffer)
{
	const uint64_t nr = dax_pmem_map_len(map) >> DAX_PAGE_SHIFT;
	char *base = dax_pmem_map_address(map);

	for (uint64_t i = 0; i < nr; i++) {
		char *page = base + (i * UINT64_C(0x9e3779b1) % nr
					    << DAX_PAGE_SHIFT);

		if (i & 1)
			memcpy(page + 64, buffer, DAX_PAGE_SIZE - 64);
		else
			memcpy(buffer, page, DAX_PAGE_SIZE);
	}
}

static int run_once(const struct demo *demo, uint64_t len, char *buffer,
	struct result *result, int round)
{
	struct dax_pmem_map *map;
	uint64_t start;
	int error = dax_pmem_map_new(demo->dev, 0, len, result->flags, &map);

	if (error)
		return demo_failed("mapping the file", error);
	result->faults = minor_faults();
	start = demo_now();
	touch_all(map, buffer);
	result->kb_per_s[round] =
		(double)len / 1024 / ((double)(demo_now() - start) / 1e9);
	result->faults = minor_faults() - result->faults;
	dax_pmem_map_verify(map, &result->report);
	dax_pmem_map_delete(&map);
	return 0;
}

static int by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(struct result *result)
{
	qsort(result->kb_per_s, ROUNDS, sizeof(double), by_value);
	return result->kb_per_s[ROUNDS / 2];
}

/* Storage for each page, in huge pages where the kernel has them. */
static int populate(const struct demo *demo, uint64_t len)
{
	struct dax_pmem_map *map;
	int error = dax_pmem_map_new(demo->dev, 0, len, DAX_MAP_PMD, &map);

	if (!error)
		error = dax_pmem_map_populate(map);
	dax_pmem_map_delete(&map);
	return error ? demo_failed("populating the file", error) : 0;
}

static void print(struct result *result)
{
	printf("  %s  %12.0f KB/s  %8" PRIu64 " faults   mapped: %4" PRIu64
	       " MiB at 2M, %4" PRIu64 " MiB at 4K (%s)\n",
		result->name, median(result), result->faults,
		result->report.pmd_bytes >> 20, result->report.pte_bytes >> 20,
		dax_evidence_name(result->report.evidence));
}

static int print_all(struct result *pte, struct result *pmd, uint64_t len)
{
	print(pte);
	print(pmd);
	if (pte->report.pte_bytes < len / 10 * 9)
		printf("  no ratio: the first is not mapped at 4K\n");
	else if (pmd->report.pmd_bytes < len / 10 * 9)
		printf("  no ratio: the kernel does not map this file at 2M\n");
	else
		printf("  ratio %.2f   (2016: 1,406,700 : 557,610 = 2.52)\n",
			median(pmd) / median(pte));
	return 0;
}

int demo_side_by_side(const struct demo *demo)
{
	struct result pte = {.name = "4 KiB", .flags = DAX_MAP_PTE};
	struct result pmd = {.name = "2 MiB", .flags = DAX_MAP_PMD};
	uint64_t len = PMD_SIZE;
	char *buffer;
	int error;

	while (len * 2 <= demo->info.size)
		len *= 2;
	error = populate(demo, len);
	buffer = malloc(DAX_PAGE_SIZE);
	if (!buffer)
		error = demo_failed("malloc", 0);
	else
		memset(buffer, 0, DAX_PAGE_SIZE);
	for (int round = 0; !error && round < ROUNDS; round++) {
		error = run_once(demo, len, buffer, &pte, round);
		if (!error)
			error = run_once(demo, len, buffer, &pmd, round);
	}
	free(buffer);
	return error ? error : print_all(&pte, &pmd, len);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The witnesses of a report agree with each other, and smaps is read right
 * also where this machine's kernel would not have written it.
 */
#include "ground.h"

#include <inttypes.h>
#include <sys/resource.h>

#include "pmem/map.h"
#include "pmem/page_tables.h"

struct text {
	const char *smaps;
	bool known;
	uint64_t pmd_kib, pte_kib;
};

/* The range that the texts are about: 4 MiB. */
static const struct pmem_range range = {(char *)0x600000, 0x400000};

static const struct text shmem_half_huge = {
	.smaps = "00400000-00600000 rw-s 00000000 00:01 5 /memfd:x (deleted)\n"
		 "Rss:                2048 kB\n"
		 "00600000-00a00000 rw-s 00000000 00:01 7 /memfd:y (deleted)\n"
		 "Size:               4096 kB\n"
		 "KernelPageSize:        4 kB\n"
		 "MMUPageSize:           4 kB\n"
		 "Rss:                3000 kB\n"
		 "Pss:                3000 kB\n"
		 "ShmemPmdMapped:     2048 kB\n"
		 "FilePmdMapped:         0 kB\n"
		 "VmFlags: rd wr sh mr mw me ms hg \n"
		 "00a00000-00c00000 rw-s 00000000 00:01 5 /memfd:x (deleted)\n"
		 "Rss:                2048 kB\n",
	.known = true,
	.pmd_kib = 2048,
	.pte_kib = 952,
};

static const struct text page_cache_in_two_vmas = {
	.smaps = "600000-800000 r--s 00000000 fe:00 7 /a file\n"
		 "Rss:                2048 kB\n"
		 "FilePmdMapped:      2048 kB\n"
		 "800000-a00000 rw-s 00200000 fe:00 7 /a file\n"
		 "Rss:                   4 kB\n"
		 "FilePmdMapped:         0 kB\n",
	.known = true,
	.pmd_kib = 2048,
	.pte_kib = 4,
};

static const struct text hugetlb = {
	.smaps = "600000-a00000 rw-s 00000000 00:0f 7 /anon_hugepage\n"
		 "KernelPageSize:     2048 kB\n"
		 "Rss:                   0 kB\n"
		 "Shared_Hugetlb:     2048 kB\n"
		 "Private_Hugetlb:    2048 kB\n",
	.known = true,
	.pmd_kib = 4096,
};

static const struct text hugetlb_of_64k_pages = {
	.smaps = "600000-a00000 rw-s 00000000 00:0f 7 /anon_hugepage\n"
		 "KernelPageSize:       64 kB\n"
		 "Rss:                   0 kB\n"
		 "Shared_Hugetlb:        0 kB\n"
		 "Private_Hugetlb:    4096 kB\n",
	.known = true,
	.pte_kib = 4096,
};

/* A path may say anything, and be longer than a line is read at once. */
#define X64 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
static const struct text hostile_path = {
	.smaps = "600000-a00000 rw-s 00000000 fe:00 7 /" X64 X64 X64
		 "600000-a00000 rw-s Rss: 999 kB Rss: 999 kB\n"
		 "Rss:                   8 kB\n",
	.known = true,
	.pte_kib = 8,
};

static const struct text merged_with_a_neighbour = {
	.smaps = "500000-a00000 rw-s 00000000 fe:00 7 /a\n"
		 "Rss:                2048 kB\n",
};

static const struct text partly_unmapped = {
	.smaps = "600000-800000 rw-s 00000000 fe:00 7 /a\n"
		 "Rss:                2048 kB\n",
};

static const struct text empty = {.smaps = "\n"};

static void smaps_is_read_as_the_kernel_means_it(void **state)
{
	const struct text *texts[] = {&shmem_half_huge,
		&page_cache_in_two_vmas, &hugetlb, &hugetlb_of_64k_pages,
		&hostile_path, &merged_with_a_neighbour, &partly_unmapped,
		&empty};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct pmem_present present = {0};
		FILE *smaps = fmemopen((void *)texts[i]->smaps,
			strlen(texts[i]->smaps), "r");

		assert_non_null(smaps);
		assert_int_equal(pmem_smaps_parse(smaps, range, &present),
			texts[i]->known);
		assert_int_equal(present.pmd_bytes, texts[i]->pmd_kib * KIB);
		assert_int_equal(present.pte_bytes, texts[i]->pte_kib * KIB);
		fclose(smaps);
	}
}

/* Both witnesses on @map, populated or not; false if one is missing. */
static bool ask_both(const struct dax_pmem_map *map,
	struct pmem_present *pagemap, struct pmem_present *smaps)
{
	const struct pmem_range all = {map->address, map->len};

	return pmem_pagemap_scan(all, pagemap) && pmem_smaps_scan(all, smaps);
}

static void pagemap_and_smaps_agree(void **state)
{
	static const unsigned int kinds[] = {DAX_MAP_PTE, DAX_MAP_PMD};
	struct pmem_present pagemap, smaps;
	struct dax_pmem_map *map;
	struct dax_device *dev;

	(void)state;
	for (int i = 0; i < 4; i++) {
		assert_true(ground_device(GROUND_MEMORY, 6 * MIB, &dev));
		map = ground_map(dev, kinds[i / 2]);
		if (i % 2)
			assert_int_equal(dax_pmem_map_populate(map), 0);
		else
			map->address[0] = 1;
		if (ask_both(map, &pagemap, &smaps)) {
			assert_int_equal(pagemap.pmd_bytes, smaps.pmd_bytes);
			assert_int_equal(pagemap.pte_bytes, smaps.pte_bytes);
		}
		dax_pmem_map_delete(&map);
		dax_device_delete(&dev);
	}
}

/* More runs of pages than one PAGEMAP_SCAN returns. */
static void every_second_page_is_counted(void **state)
{
	struct pmem_present pagemap, smaps;
	struct dax_pmem_map *map;
	struct dax_device *dev;

	(void)state;
	assert_true(ground_device(GROUND_MEMORY, 2 * MIB, &dev));
	map = ground_map(dev, DAX_MAP_PTE);
	/* Else a fault may take neighbours along. */
	madvise(map->address, map->len, MADV_NOHUGEPAGE);
	for (size_t at = 0; at < 2 * MIB; at += 8192)
		map->address[at] = 1;
	if (ask_both(map, &pagemap, &smaps)) {
		assert_int_equal(pagemap.pmd_bytes, 0);
		assert_int_equal(pagemap.pte_bytes, smaps.pte_bytes);
		assert_in_range(pagemap.pte_bytes, MIB, 2 * MIB);
	}
	dax_pmem_map_delete(&map);
	dax_device_delete(&dev);
}

/* The arithmetic of DAX_EVIDENCE_FAULTS, on faults of a kernel: memory of
 * small pages needs one for each, collapsed memory one for each 2 MiB. */
static void faults_agree_with_the_page_tables(void **state)
{
	static const unsigned int kinds[] = {DAX_MAP_PTE, DAX_MAP_PMD};
	struct pmem_present pagemap, smaps;
	struct rusage before, after;
	struct dax_pmem_map *map;
	struct dax_device *dev;
	uint64_t faults;

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_true(ground_device(GROUND_MEMORY, 4 * MIB, &dev));
		map = ground_map(dev, kinds[i]);
		if (kinds[i] == DAX_MAP_PTE)
			madvise(map->address, map->len, MADV_NOHUGEPAGE);
		assert_int_equal(dax_pmem_map_populate(map), 0);
		madvise(map->address, map->len, MADV_DONTNEED);
		getrusage(RUSAGE_SELF, &before);
		assert_int_equal(dax_pmem_map_populate(map), 0);
		getrusage(RUSAGE_SELF, &after);
		faults = (uint64_t)(after.ru_minflt - before.ru_minflt);
		if (ask_both(map, &pagemap, &smaps))
			assert_true(PMEM_PMD_SIZE * pmem_pmds_from_faults(1024,
					    faults) <= pagemap.pmd_bytes);
		print_message("# %" PRIu64 " faults for 4 MiB\n", faults);
		dax_pmem_map_delete(&map);
		dax_device_delete(&dev);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(smaps_is_read_as_the_kernel_means_it),
		cmocka_unit_test(pagemap_and_smaps_agree),
		cmocka_unit_test(every_second_page_is_counted),
		cmocka_unit_test(faults_agree_with_the_page_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A 4 KiB map is one on every kernel; a 2 MiB map is one where the kernel
 * says so, and reported as what it is where it does not.
 */
#include "ground.h"

#include "pmem/map.h"
#include "pmem/page_tables.h"

/* Odd sizes: a tail of 4 KiB entries after, and no 2 MiB at all. */
static const uint64_t sizes[] = {8 * 1024 * 1024, 5 * 1024 * 1024 + 4096,
	1024 * 1024, 4096};
#define SIZES (sizeof(sizes) / sizeof(sizes[0]))

static void verify(struct dax_pmem_map *map, struct dax_map_report *report)
{
	dax_pmem_map_verify(map, report);
	ground_assert_report_adds_up(report);
	assert_int_equal(report->len, dax_pmem_map_len(map));
}

static void a_new_map_is_not_populated(void **state)
{
	struct dax_map_report report;
	struct dax_pmem_map *map;
	struct dax_device *dev;

	(void)state;
	assert_true(ground_device(GROUND_MEMORY, 8 * MIB, &dev));
	map = ground_map(dev, DAX_MAP_PMD);
	verify(map, &report);
	if (report.evidence != DAX_EVIDENCE_NONE)
		assert_int_equal(report.absent_bytes, 8 * MIB);
	dax_pmem_map_delete(&map);
	dax_device_delete(&dev);
}

static void assert_pte_map_is_small(struct dax_device *dev)
{
	struct dax_map_report report;
	struct dax_pmem_map *map = ground_map(dev, DAX_MAP_PTE);

	assert_int_equal((uintptr_t)dax_pmem_map_address(map) % (2 * MIB),
		4 * KIB);
	assert_int_equal(dax_pmem_map_populate(map), 0);
	verify(map, &report);
	assert_int_equal(report.pmd_bytes, 0);
	assert_int_equal(report.eligible_bytes, 0);
	dax_pmem_map_delete(&map);
}

static void a_pte_map_has_4k_entries_everywhere(void **state)
{
	struct dax_device *dev;

	(void)state;
	for (int ground = 0; ground < GROUNDS; ground++)
		for (size_t i = 0; i < SIZES; i++) {
			if (ground == GROUND_HUGETLB ||
				!ground_device(ground, sizes[i], &dev))
				continue;
			assert_pte_map_is_small(dev);
			dax_device_delete(&dev);
		}
}

/* What smaps says of a populated map agrees with what it was reported as. */
static void assert_smaps_agrees(
	struct dax_pmem_map *map, const struct dax_map_report *report)
{
	const struct pmem_range all = {
		dax_pmem_map_address(map), dax_pmem_map_len(map)};
	struct pmem_present present;

	if (map->dev->info.backing == DAX_BACKING_FSDAX ||
		!pmem_smaps_scan(all, &present))
		return;
	assert_int_equal(present.pmd_bytes, report->pmd_bytes);
	assert_int_equal(present.pte_bytes, report->pte_bytes);
}

static void assert_pmd_map_is_what_it_says(struct dax_device *dev)
{
	struct dax_map_report report;
	struct dax_pmem_map *map = ground_map(dev, DAX_MAP_PMD);
	const uint64_t len = dax_pmem_map_len(map);

	assert_int_equal((uintptr_t)dax_pmem_map_address(map) % (2 * MIB), 0);
	assert_int_equal(dax_pmem_map_populate(map), 0);
	verify(map, &report);
	assert_int_equal(report.eligible_bytes, len - len % (2 * MIB));
	assert_true(report.pmd_bytes <= report.eligible_bytes);
	assert_int_equal(report.absent_bytes, 0);
	assert_smaps_agrees(map, &report);
	print_message("# %s, %llu KiB: %llu KiB by 2 MiB entries (%s)\n",
		dax_backing_name(map->dev->info.backing),
		(unsigned long long)(len / KIB),
		(unsigned long long)(report.pmd_bytes / KIB),
		dax_evidence_name(report.evidence));
	dax_pmem_map_delete(&map);
}

static void a_pmd_map_reports_what_the_kernel_made_of_it(void **state)
{
	struct dax_device *dev;

	(void)state;
	for (int ground = 0; ground < GROUNDS; ground++)
		for (size_t i = 0; i < SIZES; i++) {
			if (!ground_device(ground, sizes[i], &dev))
				continue;
			assert_pmd_map_is_what_it_says(dev);
			dax_device_delete(&dev);
		}
}

static void a_strict_map_is_it_or_is_not_made(void **state)
{
	struct dax_map_report report;
	struct dax_pmem_map *map;
	struct dax_device *dev;
	int ret;

	(void)state;
	for (int ground = 0; ground < GROUNDS; ground++) {
		if (!ground_device(ground, 4 * MIB, &dev))
			continue;
		ret = dax_pmem_map_new(dev, 0, 4 * MIB,
			DAX_MAP_PMD | DAX_MAP_STRICT, &map);
		if (ret) {
			assert_int_equal(ret, -EOPNOTSUPP);
			assert_null(map);
			assert_true(dax_pmem_errormsg()[0] != '\0');
		} else {
			verify(map, &report);
			assert_int_equal(report.pmd_bytes, 4 * MIB);
		}
		dax_pmem_map_delete(&map);
		dax_device_delete(&dev);
	}
}

static void a_strict_pte_map_is_never_huge(void **state)
{
	struct dax_device *dev;
	struct dax_pmem_map *map;
	int ret;

	(void)state;
	for (int ground = 0; ground < GROUNDS; ground++) {
		if (!ground_device(ground, 4 * MIB, &dev))
			continue;
		ret = dax_pmem_map_new(dev, 0, 4 * MIB,
			DAX_MAP_PTE | DAX_MAP_STRICT, &map);
		if (ret || ground == GROUND_HUGETLB)
			assert_int_equal(ret, -EOPNOTSUPP);
		dax_pmem_map_delete(&map);
		dax_device_delete(&dev);
	}
}

static void a_strict_pmd_map_needs_a_whole_aligned_2m(void **state)
{
	static const struct {
		uint64_t offset, len;
	} rows[] = {
		{.offset = 0, .len = 1024 * 1024},
		{.offset = 4096, .len = 2 * 1024 * 1024},
		{.offset = 1024 * 1024, .len = 2 * 1024 * 1024},
	};
	struct dax_pmem_map *map;
	struct dax_device *dev;

	(void)state;
	assert_true(ground_device(GROUND_MEMORY, 8 * MIB, &dev));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(dax_pmem_map_new(dev, rows[i].offset,
					 rows[i].len,
					 DAX_MAP_PMD | DAX_MAP_STRICT, &map),
			-EOPNOTSUPP);
		assert_null(map);
	}
	dax_device_delete(&dev);
}

static void a_misaligned_head_and_tail_have_4k_entries(void **state)
{
	struct dax_map_report report;
	struct dax_pmem_map *map;
	struct dax_device *dev;

	(void)state;
	assert_true(ground_device(GROUND_MEMORY, 8 * MIB, &dev));
	assert_int_equal(dax_pmem_map_new(dev, MIB, 6 * MIB, DAX_MAP_PMD,
				 &map), 0);
	assert_int_equal(dax_pmem_map_offset(map), MIB);
	assert_int_equal(
		(uintptr_t)dax_pmem_map_address(map) % (2 * MIB), MIB);
	assert_int_equal(dax_pmem_map_populate(map), 0);
	verify(map, &report);
	assert_int_equal(report.eligible_bytes, 4 * MIB);
	assert_true(report.pmd_bytes <= 4 * MIB);
	if (report.evidence != DAX_EVIDENCE_NONE)
		assert_true(report.pte_bytes >= 2 * MIB);
	dax_pmem_map_delete(&map);
	dax_device_delete(&dev);
}

static void a_pte_map_stays_small_on_huge_pages_of_the_file(void **state)
{
	struct dax_map_report report;
	struct dax_pmem_map *large, *small;
	struct dax_device *dev;
	char *bytes;

	(void)state;
	assert_true(ground_device(GROUND_MEMORY, 4 * MIB, &dev));
	large = ground_map(dev, DAX_MAP_PMD);
	assert_int_equal(dax_pmem_map_populate(large), 0);
	small = ground_map(dev, DAX_MAP_PTE);
	assert_int_equal(dax_pmem_map_populate(small), 0);
	verify(small, &report);
	assert_int_equal(report.pmd_bytes, 0);

	bytes = dax_pmem_map_address(large);
	bytes[3 * MIB + 17] = 42;
	bytes = dax_pmem_map_address(small);
	assert_int_equal(bytes[3 * MIB + 17], 42);
	dax_pmem_map_delete(&small);
	dax_pmem_map_delete(&large);
	dax_device_delete(&dev);
}

static void ranges_outside_of_the_device_are_refused(void **state)
{
	static const struct {
		uint64_t offset, len;
	} rows[] = {
		{.offset = 0, .len = 0},
		{.offset = 0, .len = 4095},
		{.offset = 1, .len = 4096},
		{.offset = 0, .len = 1024 * 1024 + 4096},
		{.offset = 1024 * 1024, .len = 4096},
		{.offset = 2 * 1024 * 1024, .len = 4096},
		{.offset = 4096, .len = 1024 * 1024},
		{.offset = 4096, .len = UINT64_MAX - 4095},
		{.offset = UINT64_MAX - 4095, .len = 8192},
	};
	struct dax_pmem_map *map;
	struct dax_device *dev;

	(void)state;
	assert_true(ground_device(GROUND_MEMORY, MIB, &dev));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		map = (void *)1;
		assert_int_equal(dax_pmem_map_new(dev, rows[i].offset,
					 rows[i].len, DAX_MAP_PTE, &map),
			-EINVAL);
		assert_null(map);
	}
	dax_device_delete(&dev);
}

static void a_map_is_of_one_kind(void **state)
{
	static const unsigned int flags[] = {0, DAX_MAP_STRICT,
		DAX_MAP_PTE | DAX_MAP_PMD, DAX_MAP_PMD | 1 << 7};
	struct dax_pmem_map *map;
	struct dax_device *dev;

	(void)state;
	assert_true(ground_device(GROUND_MEMORY, MIB, &dev));
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		assert_int_equal(
			dax_pmem_map_new(dev, 0, MIB, flags[i], &map),
			-EINVAL);
	dax_device_delete(&dev);
}

static void the_last_partial_page_is_never_touched(void **state)
{
	struct dax_pmem_map *map;
	struct dax_device *dev;
	const int fd = ground_memfd(4096 + 4);
	char tail[4];

	(void)state;
	assert_int_equal(pwrite(fd, "tail", 4, 4096), 4);
	assert_int_equal(dax_device_open_fd(fd, 0, &dev), 0);
	map = ground_map(dev, DAX_MAP_PMD);
	assert_int_equal(dax_pmem_map_len(map), 4096);
	memset(dax_pmem_map_address(map), 0xff, 4096);
	assert_int_equal(
		dax_pmem_persist(map, dax_pmem_map_address(map), 4096), 0);
	dax_pmem_map_delete(&map);
	dax_device_delete(&dev);
	assert_int_equal(pread(fd, tail, 4, 4096), 4);
	assert_memory_equal(tail, "tail", 4);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_map_is_not_populated),
		cmocka_unit_test(a_pte_map_has_4k_entries_everywhere),
		cmocka_unit_test(a_pmd_map_reports_what_the_kernel_made_of_it),
		cmocka_unit_test(a_strict_map_is_it_or_is_not_made),
		cmocka_unit_test(a_strict_pte_map_is_never_huge),
		cmocka_unit_test(a_strict_pmd_map_needs_a_whole_aligned_2m),
		cmocka_unit_test(a_misaligned_head_and_tail_have_4k_entries),
		cmocka_unit_test(
			a_pte_map_stays_small_on_huge_pages_of_the_file),
		cmocka_unit_test(ranges_outside_of_the_device_are_refused),
		cmocka_unit_test(a_map_is_of_one_kind),
		cmocka_unit_test(the_last_partial_page_is_never_touched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

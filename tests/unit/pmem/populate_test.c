/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Populating puts every page in the page table, changes no byte, and where
 * faults are the only witness, counts them right.
 */
#include "ground.h"

#include <sys/syscall.h>

#include "pmem/map.h"
#include "pmem/page_tables.h"

/* madvise() as the kernel does it, after @times failures for @advice. */
static struct {
	int advice;
	int error;
	int times;
} refuse;

int madvise(void *address, size_t len, int advice)
{
	if (refuse.times && advice == refuse.advice) {
		refuse.times--;
		errno = refuse.error;
		return -1;
	}
	return (int)syscall(SYS_madvise, address, len, advice);
}

static void nothing_is_absent_after_populate(void **state)
{
	static const unsigned int kinds[] = {DAX_MAP_PTE, DAX_MAP_PMD};
	struct dax_map_report report;
	struct dax_pmem_map *map;
	struct dax_device *dev;

	(void)state;
	for (int ground = 0; ground < GROUNDS; ground++)
		for (int i = 0; i < 2; i++) {
			if (!ground_device(ground, 6 * MIB, &dev))
				continue;
			map = ground_map(dev, kinds[i]);
			assert_int_equal(dax_pmem_map_populate(map), 0);
			dax_pmem_map_verify(map, &report);
			assert_int_equal(report.absent_bytes, 0);
			dax_pmem_map_delete(&map);
			dax_device_delete(&dev);
		}
}

static void populate_changes_no_byte(void **state)
{
	struct dax_pmem_map *map;
	struct dax_device *dev;
	char *bytes;

	(void)state;
	for (int ground = 0; ground < GROUNDS; ground++) {
		if (!ground_device(ground, 4 * MIB, &dev))
			continue;
		map = ground_map(dev, DAX_MAP_PTE);
		bytes = dax_pmem_map_address(map);
		for (size_t at = 0; at < 4 * MIB; at += 4096)
			memcpy(bytes + at, &at, sizeof(at));
		dax_pmem_map_delete(&map);

		map = ground_map(dev, DAX_MAP_PMD);
		assert_int_equal(dax_pmem_map_populate(map), 0);
		bytes = dax_pmem_map_address(map);
		for (size_t at = 0; at < 4 * MIB; at += 4096)
			assert_memory_equal(bytes + at, &at, sizeof(at));
		dax_pmem_map_delete(&map);
		dax_device_delete(&dev);
	}
}

static void populate_may_be_repeated(void **state)
{
	struct dax_pmem_map *map;
	struct dax_device *dev;

	(void)state;
	assert_true(ground_device(GROUND_MEMORY, 4 * MIB, &dev));
	map = ground_map(dev, DAX_MAP_PMD);
	for (int i = 0; i < 3; i++)
		assert_int_equal(dax_pmem_map_populate(map), 0);
	dax_pmem_map_delete(&map);
	dax_device_delete(&dev);
}

static void a_read_only_map_is_populated_for_reading(void **state)
{
	struct dax_map_report report;
	struct dax_pmem_map *map;
	struct dax_device *dev;
	const int fd = ground_memfd(4 * MIB);

	(void)state;
	assert_int_equal(
		dax_device_open_fd(fd, DAX_DEVICE_READ_ONLY, &dev), 0);
	map = ground_map(dev, DAX_MAP_PMD);
	assert_int_equal(dax_pmem_map_populate(map), 0);
	dax_pmem_map_verify(map, &report);
	assert_int_equal(report.absent_bytes, 0);
	dax_pmem_map_delete(&map);
	dax_device_delete(&dev);
	close(fd);
}

static void what_the_kernel_refuses_is_retried_or_reported(void **state)
{
	enum { POPULATE_WRITE = 23, COLLAPSE = 25, ALWAYS = 1 << 20 };
	static const struct {
		int advice, error, times, expect;
	} rows[] = {
		{POPULATE_WRITE, EINTR, 5, 0},
		{POPULATE_WRITE, EAGAIN, 5, 0},
		{POPULATE_WRITE, EINVAL, ALWAYS, -EOPNOTSUPP},
		{POPULATE_WRITE, EFAULT, ALWAYS, -EFAULT},
		{POPULATE_WRITE, ENOMEM, ALWAYS, -ENOMEM},
		{POPULATE_WRITE, EHWPOISON, ALWAYS, -EHWPOISON},
		/* No huge page: small ones do. */
		{COLLAPSE, EAGAIN, ALWAYS, 0},
		{COLLAPSE, EINVAL, ALWAYS, 0},
		{MADV_HUGEPAGE, EINVAL, ALWAYS, 0},
	};
	struct dax_pmem_map *map;
	struct dax_device *dev;

	(void)state;
	assert_true(ground_device(GROUND_MEMORY, 4 * MIB, &dev));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		refuse.advice = rows[i].advice;
		refuse.error = rows[i].error;
		refuse.times = rows[i].times;
		map = ground_map(dev, DAX_MAP_PMD);
		assert_int_equal(dax_pmem_map_populate(map), rows[i].expect);
		dax_pmem_map_delete(&map);
		refuse.times = 0;
	}
	dax_device_delete(&dev);
}

static void faults_tell_how_many_entries_are_huge(void **state)
{
	static const struct {
		uint64_t pages, faults, pmds;
	} rows[] = {
		{.pages = 512, .faults = 1, .pmds = 1},
		{.pages = 512, .faults = 512, .pmds = 0},
		{.pages = 1024, .faults = 2, .pmds = 2},
		{.pages = 1024, .faults = 513, .pmds = 1},
		{.pages = 700, .faults = 189, .pmds = 1},
		{.pages = 1, .faults = 1, .pmds = 0},
		/* Faults of others: fewer, never more. */
		{.pages = 1024, .faults = 3, .pmds = 1},
		{.pages = 512, .faults = 600, .pmds = 0},
		/* Faults are not counted at all. */
		{.pages = 512, .faults = 0, .pmds = 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(pmem_pmds_from_faults(
					 rows[i].pages, rows[i].faults),
			rows[i].pmds);
}

/* Where a range can have 2 MiB entries, by address and offset alone. */
static void eligible_is_what_is_whole_and_aligned_in_the_file(void **state)
{
	static const struct {
		uintptr_t address;
		uint64_t offset, len, start, eligible;
	} rows[] = {
		{.address = 0x200000, .offset = 0, .len = 0x400000,
			.start = 0x200000, .eligible = 0x400000},
		{.address = 0x201000, .offset = 0, .len = 0x400000,
			.start = 0x201000, .eligible = 0},
		{.address = 0x300000, .offset = 0x100000, .len = 0x400000,
			.start = 0x400000, .eligible = 0x200000},
		{.address = 0x3ff000, .offset = 0x1ff000, .len = 0x1000,
			.start = 0x3ff000, .eligible = 0},
		{.address = 0x200000, .offset = 0x200000, .len = 0x3ff000,
			.start = 0x200000, .eligible = 0x200000},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct dax_pmem_map map = {
			.address = (char *)rows[i].address,
			.offset = rows[i].offset,
			.len = rows[i].len,
		};
		const struct pmem_range range = pmem_map_eligible(&map);

		assert_int_equal(range.len, rows[i].eligible);
		if (range.len)
			assert_int_equal(
				(uintptr_t)range.start, rows[i].start);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_absent_after_populate),
		cmocka_unit_test(populate_changes_no_byte),
		cmocka_unit_test(populate_may_be_repeated),
		cmocka_unit_test(a_read_only_map_is_populated_for_reading),
		cmocka_unit_test(
			what_the_kernel_refuses_is_retried_or_reported),
		cmocka_unit_test(faults_tell_how_many_entries_are_huge),
		cmocka_unit_test(
			eligible_is_what_is_whole_and_aligned_in_the_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

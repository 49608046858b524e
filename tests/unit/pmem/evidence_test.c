/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A report says by what witness it was found out, and takes the next one where
 * the best is missing. Kernels without PAGEMAP_SCAN, and DAX file systems on
 * them, are played: ioctl() fails, and a memory device passes for another.
 */
#include "ground.h"

#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "pmem/map.h"
#include "pmem/page_tables.h"

static bool old_kernel;

int ioctl(int fd, unsigned long request, ...)
{
	va_list arguments;
	void *argument;

	if (old_kernel) {
		errno = ENOTTY;
		return -1;
	}
	va_start(arguments, request);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	return (int)syscall(SYS_ioctl, fd, request, argument);
}

static int setup(void **state)
{
	struct dax_device *dev;

	assert_true(ground_device(GROUND_MEMORY, 4 * MIB, &dev));
	old_kernel = true;
	*state = dev;
	return 0;
}

static int teardown(void **state)
{
	struct dax_device *dev = *state;

	old_kernel = false;
	dax_device_delete(&dev);
	return 0;
}

/* What the page tables of @map really are; false: nobody can tell. */
static bool truth(const struct dax_pmem_map *map, struct pmem_present *present)
{
	const struct pmem_range all = {map->address, map->len};
	bool known;

	old_kernel = false;
	known = pmem_pagemap_scan(all, present);
	old_kernel = true;
	return known || pmem_smaps_scan(all, present);
}

static void assert_true_and_from(
	struct dax_pmem_map *map, enum dax_evidence evidence)
{
	struct dax_map_report report;
	struct pmem_present present;

	dax_pmem_map_verify(map, &report);
	ground_assert_report_adds_up(&report);
	assert_int_equal(report.evidence, evidence);
	if (!truth(map, &present))
		return;
	assert_int_equal(report.pmd_bytes, present.pmd_bytes);
	assert_int_equal(report.pte_bytes, present.pte_bytes);
}

/* A fault elsewhere in this program spoils a count, in one direction. Without
 * one, in one of some attempts, it is exact. */
static void assert_faults_tell_the_truth(struct dax_pmem_map *map)
{
	struct dax_map_report report;
	struct pmem_present present;

	for (int i = 0; i < 20; i++) {
		assert_int_equal(dax_pmem_map_populate(map), 0);
		dax_pmem_map_verify(map, &report);
		assert_int_equal(report.evidence, DAX_EVIDENCE_FAULTS);
		ground_assert_report_adds_up(&report);
		if (!truth(map, &present) ||
			report.pmd_bytes == present.pmd_bytes)
			return;
		assert_true(report.pmd_bytes < present.pmd_bytes);
	}
	fail_msg("no count of 20 was exact");
}

static void without_pagemap_smaps_is_asked(void **state)
{
	static const unsigned int kinds[] = {DAX_MAP_PTE, DAX_MAP_PMD};

	for (int i = 0; i < 2; i++) {
		struct dax_pmem_map *map = ground_map(*state, kinds[i]);

		assert_true_and_from(map, DAX_EVIDENCE_SMAPS);
		assert_int_equal(dax_pmem_map_populate(map), 0);
		assert_true_and_from(map, DAX_EVIDENCE_SMAPS);
		dax_pmem_map_delete(&map);
	}
}

static void of_a_dax_file_only_populating_tells(void **state)
{
	struct dax_device *dev = *state;
	struct dax_map_report report;
	struct dax_pmem_map *map;

	dev->info.backing = DAX_BACKING_FSDAX;
	map = ground_map(dev, DAX_MAP_PTE);
	dax_pmem_map_verify(map, &report);
	assert_int_equal(report.evidence, DAX_EVIDENCE_NONE);
	assert_int_equal(report.unknown_bytes, 4 * MIB);

	/* Touched before: populating must not count what is there already. */
	memset(dax_pmem_map_address(map), 0x11, 4 * MIB);
	assert_faults_tell_the_truth(map);
	assert_int_equal(*(char *)dax_pmem_map_address(map), 0x11);
	dax_pmem_map_delete(&map);
}

static void faults_of_huge_entries_are_few(void **state)
{
	struct dax_device *dev = *state;
	struct dax_pmem_map *huge, *map;

	/* The file's pages are huge before it passes for a DAX file. */
	huge = ground_map(dev, DAX_MAP_PMD);
	assert_int_equal(dax_pmem_map_populate(huge), 0);
	dev->info.backing = DAX_BACKING_FSDAX;
	map = ground_map(dev, DAX_MAP_PMD);
	assert_faults_tell_the_truth(map);
	dax_pmem_map_delete(&map);
	dax_pmem_map_delete(&huge);
}

static void without_a_witness_strict_is_refused(void **state)
{
	static const unsigned int kinds[] = {DAX_MAP_PTE, DAX_MAP_PMD};
	struct dax_device *dev = *state;
	struct dax_pmem_map *map;

	dev->info.backing = DAX_BACKING_DEVDAX;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(dax_pmem_map_new(dev, 0, 4 * MIB,
					 kinds[i] | DAX_MAP_STRICT, &map),
			-EOPNOTSUPP);
		assert_null(map);
	}
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		test(without_pagemap_smaps_is_asked),
		test(of_a_dax_file_only_populating_tells),
		test(faults_of_huge_entries_are_few),
		test(without_a_witness_strict_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

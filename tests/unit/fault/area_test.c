/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Areas: what mprotect, munmap, madvise and fork do to leaves, and that areas
 * are split and merged without ever hiding a page from its file.
 */
#include "support/disk.h"

static void read_only_areas_are_not_stored_to(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, 0);

	disk_store(disk, a, 1);
	assert_int_equal(dax_mprotect(disk->mm, a, 4 * PMD, DAX_PROT_READ), 0);
	assert_int_equal(dax_store(disk->mm, a, "x", 1), -EFAULT);
	assert_int_equal(disk_load(disk, a), 1);
	assert_int_equal(
		dax_mprotect(disk->mm, a, 4 * PMD, DAX_PROT_READ_WRITE), 0);
	/* Known to be dirty: no fault is needed to say so. */
	assert_true(disk_leaf(disk, a) & DAX_LEAF_WRITE);
}

static void what_was_cleaned_faults_after_mprotect(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, 0);

	disk_store(disk, a, 1);
	assert_int_equal(dax_mprotect(disk->mm, a, 4 * PMD, DAX_PROT_READ), 0);
	disk_sync(disk);
	assert_int_equal(
		dax_mprotect(disk->mm, a, 4 * PMD, DAX_PROT_READ_WRITE), 0);
	assert_false(disk_leaf(disk, a) & DAX_LEAF_WRITE);
	disk_store(disk, a, 2);
	assert_true(disk_dirty(disk, 0));
}

static void a_split_takes_the_pmd_leaf_away_and_a_merge_allows_it(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, 0);
	enum dax_cause cause;

	disk_store(disk, a + PMD, 1);
	assert_int_equal(
		dax_mprotect(disk->mm, a + PMD + PAGE, PAGE, DAX_PROT_READ), 0);
	assert_int_equal(disk_leaf(disk, a + PMD), 0);
	dax_fault(disk->mm, a + PMD, DAX_LOAD, &cause);
	assert_int_equal(cause, DAX_CAUSE_OUTSIDE_VMA);
	assert_int_equal(
		dax_mprotect(disk->mm, a, 4 * PMD, DAX_PROT_READ_WRITE), 0);
	disk_load(disk, a + 2 * PMD);
	assert_true(disk_leaf(disk, a + 2 * PMD) & DAX_LEAF_PMD);
	assert_int_equal(dax_madvise(disk->mm, a + PMD, PMD, DAX_DONTNEED), 0);
	dax_fault(disk->mm, a + PMD, DAX_LOAD, &cause);
	assert_int_equal(cause, DAX_CAUSE_PTE_TABLE);
}

static void every_part_of_a_split_area_is_unmapped(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, DAX_VMA_NOHUGEPAGE);

	assert_int_equal(
		dax_mprotect(disk->mm, a + PAGE, PAGE, DAX_PROT_READ), 0);
	for (uint64_t i = 0; i < 3; i++)
		assert_int_equal(disk_load(disk, a + i * PAGE), 0);
	disk_write(disk, 0, 8, 3 * PAGE);
	for (uint64_t i = 0; i < 3; i++)
		assert_int_equal(disk_load(disk, a + i * PAGE), 8);
}

static void a_hole_in_the_areas_is_told(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, 0);

	assert_int_equal(dax_munmap(disk->mm, a + PMD, PMD), 0);
	assert_int_equal(
		dax_mprotect(disk->mm, a, 4 * PMD, DAX_PROT_READ), -ENOMEM);
	assert_int_equal(
		dax_madvise(disk->mm, a, 4 * PMD, DAX_DONTNEED), -ENOMEM);
	assert_int_equal(dax_msync(disk->mm, a, 4 * PMD), -ENOMEM);
	assert_int_equal(disk_load(disk, a + 2 * PMD), 0);
}

static void what_is_not_of_whole_pages_is_refused(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, 0);
	struct dax_vma_params params = {.space = dax_file_space(disk->file)};
	uint64_t address;

	assert_int_equal(dax_mmap(disk->mm, &params, &address), -EINVAL);
	params.len = PAGE;
	params.pos = 1;
	assert_int_equal(dax_mmap(disk->mm, &params, &address), -EINVAL);
	assert_int_equal(dax_munmap(disk->mm, a + 1, PAGE), -EINVAL);
	assert_int_equal(
		dax_mprotect(disk->mm, a + 1, PAGE, DAX_PROT_READ), -EINVAL);
	assert_int_equal(
		dax_madvise(disk->mm, a + 1, PAGE, DAX_DONTNEED), -EINVAL);
	assert_int_equal(dax_msync(disk->mm, a + 1, PAGE), -EINVAL);
}

static void populating_faults_in_what_is_missing(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, 0);

	assert_int_equal(
		dax_madvise(disk->mm, a, 2 * PMD, DAX_POPULATE_READ), 0);
	assert_int_equal(disk_count(disk, DAX_TRACE_PMD_FAULT), 2);
	assert_int_equal(
		dax_madvise(disk->mm, a + PMD, PAGE, DAX_POPULATE_WRITE), 0);
	assert_true(disk_leaf(disk, a + PMD) & DAX_LEAF_WRITE);
	assert_int_equal(disk_count(disk, DAX_TRACE_PMD_FAULT), 1);
	assert_int_equal(dax_file_truncate(disk->file, PMD), 0);
	assert_int_equal(
		dax_madvise(disk->mm, a, 2 * PMD, DAX_POPULATE_READ), -EFAULT);
}

/* As the kernel does, which asks about areas as it comes to them. */
static void populating_ends_at_what_is_in_its_way(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, 0);

	assert_int_equal(
		dax_mprotect(disk->mm, a + PMD, PMD, DAX_PROT_READ), 0);
	assert_int_equal(dax_munmap(disk->mm, a + 2 * PMD, PMD), 0);
	assert_int_equal(
		dax_madvise(disk->mm, a, 4 * PMD, DAX_POPULATE_WRITE), -EINVAL);
	assert_true(disk_leaf(disk, a) & DAX_LEAF_WRITE);
	assert_int_equal(disk_leaf(disk, a + PMD), 0);
	assert_int_equal(
		dax_madvise(disk->mm, a, 4 * PMD, DAX_POPULATE_READ), -ENOMEM);
	assert_true(disk_leaf(disk, a + PMD));
	assert_int_equal(disk_leaf(disk, a + 3 * PMD), 0);
}

static void what_no_addresses_are_left_for_is_refused(void **state)
{
	struct disk *disk = *state;
	struct dax_vma_params params = {
		.space = dax_file_space(disk->file), .len = UINT64_MAX};
	uint64_t address, times = 0;

	assert_int_equal(dax_mmap(disk->mm, &params, &address), -ENOMEM);
	params.len = PAGE;
	params.pos = -PAGE;
	assert_int_equal(dax_mmap(disk->mm, &params, &address), -EINVAL);
	params.pos = 0;
	params.len = (uint64_t)1 << 58;
	while (!dax_mmap(disk->mm, &params, &address))
		assert_in_range(++times, 1, 3);
	assert_int_equal(times, 3);
	assert_int_equal(disk_load(disk, disk_map_all(disk, 0)), 0);
}

static unsigned char load_from(struct dax_mm *mm, uint64_t address)
{
	unsigned char byte = 0;

	assert_int_equal(dax_load(mm, address, &byte, 1), 0);
	return byte;
}

static void a_child_shares_files_and_copies_copies(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, 0);
	const uint64_t c = disk_map(disk, 0, PMD, DAX_VMA_WRITE);
	struct dax_mm *child;

	disk_store(disk, a, 1);
	disk_store(disk, c, 2);
	assert_int_equal(dax_mm_fork(disk->mm, &child), 0);
	assert_false(disk_leaf(disk, c) & DAX_LEAF_WRITE);
	assert_int_equal(dax_store(child, a, "A", 1), 0);
	assert_int_equal(dax_store(child, c, "C", 1), 0);
	assert_int_equal(disk_load(disk, a), 'A');
	assert_int_equal(disk_load(disk, c), 2);
	assert_int_equal(load_from(child, c), 'C');
	/* Alone with its copy again, the parent need not make another. */
	disk_store(disk, c, 3);
	assert_int_equal(load_from(child, c), 'C');
	assert_null(dax_mm_verify(child));
	dax_mm_delete(&child);
}

#define AREA_TEST(test)                                                        \
	cmocka_unit_test_setup_teardown(test, disk_setup, disk_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		AREA_TEST(read_only_areas_are_not_stored_to),
		AREA_TEST(what_was_cleaned_faults_after_mprotect),
		AREA_TEST(
			a_split_takes_the_pmd_leaf_away_and_a_merge_allows_it),
		AREA_TEST(every_part_of_a_split_area_is_unmapped),
		AREA_TEST(a_hole_in_the_areas_is_told),
		AREA_TEST(what_is_not_of_whole_pages_is_refused),
		AREA_TEST(populating_faults_in_what_is_missing),
		AREA_TEST(populating_ends_at_what_is_in_its_way),
		AREA_TEST(what_no_addresses_are_left_for_is_refused),
		AREA_TEST(a_child_shares_files_and_copies_copies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

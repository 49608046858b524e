/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Claim: a page that goes bad is in no page table any more, whoever had it, and
 * is good again when all of it is written.
 */
#include "support/disk.h"

static uint64_t pfn_of(struct dax_file *file, dax_pgoff_t index)
{
	struct dax_extent extent;

	dax_file_extent(file, index, &extent);
	return extent.pfn;
}

static int load(struct disk *disk, uint64_t address)
{
	char byte;

	return dax_load(disk->mm, address, &byte, 1);
}

static int read_byte(struct disk *disk, uint64_t pos)
{
	size_t done;
	char byte;

	return dax_file_read(disk->file, pos, &byte, 1, &done);
}

static int write_len(struct disk *disk, uint64_t pos, size_t len)
{
	static const char zeros[2 * DAX_PAGE_SIZE];
	size_t done;

	return dax_file_write(disk->file, pos, zeros, len, &done);
}

static void a_bad_page_is_shown_by_nobody(void **state)
{
	struct disk *disk = *state;
	const uint64_t huge = disk_map_all(disk, 0);
	const uint64_t small = disk_map_all(disk, DAX_VMA_NOHUGEPAGE);

	disk_store(disk, huge, 1);
	assert_int_equal(disk_load(disk, small + PAGE), 0);
	assert_int_equal(disk_load(disk, small + 2 * PAGE), 0);
	dax_fs_memory_failure(disk->fs, pfn_of(disk->file, 1), 1);
	assert_int_equal(disk_leaf(disk, huge), 0);
	assert_int_equal(disk_leaf(disk, small + PAGE), 0);
	assert_int_equal(load(disk, huge + PAGE), -EHWPOISON);
	assert_int_equal(load(disk, small + PAGE), -EHWPOISON);
	assert_int_equal(read_byte(disk, PAGE), -EHWPOISON);
	/* The pages beside it are as they were. */
	assert_int_equal(disk_load(disk, huge), 1);
	assert_int_equal(read_byte(disk, 2 * PAGE), 0);
}

static void a_bad_page_of_several_files_is_found_in_each(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, 0);
	struct dax_vma_params params = {.len = PMD, .flags = DAX_VMA_SHARED};
	struct dax_file *clone;
	uint64_t b;

	disk_write(disk, 0, 1, PMD);
	assert_int_equal(dax_file_clone(disk->file, &clone), 0);
	params.space = dax_file_space(clone);
	assert_int_equal(dax_mmap(disk->mm, &params, &b), 0);
	assert_int_equal(disk_load(disk, a + PAGE), 1);
	assert_int_equal(disk_load(disk, b + PAGE), 1);
	dax_fs_memory_failure(disk->fs, pfn_of(clone, 1), 1);
	assert_int_equal(disk_leaf(disk, a + PAGE), 0);
	assert_int_equal(disk_leaf(disk, b + PAGE), 0);
	assert_int_equal(load(disk, a + PAGE), -EHWPOISON);
	assert_int_equal(load(disk, b + PAGE), -EHWPOISON);
	assert_int_equal(dax_munmap(disk->mm, b, PMD), 0);
	dax_file_delete(&clone);
}

static void writing_all_of_a_bad_page_makes_it_good(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, DAX_VMA_NOHUGEPAGE);

	disk_write(disk, 0, 1, 4 * PAGE);
	dax_fs_memory_failure(disk->fs, pfn_of(disk->file, 1), 2);
	assert_int_equal(write_len(disk, PAGE, PAGE - 1), -EHWPOISON);
	assert_int_equal(write_len(disk, PAGE, PAGE), 0);
	assert_int_equal(disk_load(disk, a + PAGE), 0);
	assert_int_equal(load(disk, a + 2 * PAGE), -EHWPOISON);
	assert_int_equal(write_len(disk, 2 * PAGE, 2 * PAGE), 0);
	assert_int_equal(disk_load(disk, a + 2 * PAGE), 0);
}

static void a_punched_page_comes_back_good(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, DAX_VMA_NOHUGEPAGE);
	struct dax_file *rest;

	disk_write(disk, 0, 1, PAGE);
	rest = disk_fill(disk, 0);
	dax_fs_memory_failure(disk->fs, pfn_of(disk->file, 0), 1);
	disk_change(disk, DAX_FILE_PUNCH, 0, PAGE);
	assert_int_equal(disk_load(disk, a), 0);
	disk_sync(disk);
	disk_store(disk, a, 2);
	assert_int_equal(disk_load(disk, a), 2);
	dax_file_delete(&rest);
}

static void what_is_not_the_devices_is_left_out(void **state)
{
	struct disk *disk = *state;

	disk_write(disk, 0, 1, PAGE);
	dax_fs_memory_failure(disk->fs, 0, 1);
	dax_fs_memory_failure(disk->fs, UINT64_MAX, UINT64_MAX);
	assert_int_equal(read_byte(disk, 0), 0);
	dax_fs_memory_failure(disk->fs, 0, UINT64_MAX);
	assert_int_equal(read_byte(disk, 0), -EHWPOISON);
}

#define FAILURE_TEST(test)                                                     \
	cmocka_unit_test_setup_teardown(test, disk_setup, disk_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FAILURE_TEST(a_bad_page_is_shown_by_nobody),
		FAILURE_TEST(a_bad_page_of_several_files_is_found_in_each),
		FAILURE_TEST(writing_all_of_a_bad_page_makes_it_good),
		FAILURE_TEST(a_punched_page_comes_back_good),
		FAILURE_TEST(what_is_not_the_devices_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Writeback cleans what is dirty in its range, whole entries at a time, takes
 * write permission from every page table first, and keeps errors.
 */
#include "support/disk.h"

static void assert_clean_and_read_only(
	struct disk *disk, uint64_t address, dax_pgoff_t index)
{
	assert_false(disk_dirty(disk, index));
	assert_false(disk_leaf(disk, address) & DAX_LEAF_WRITE);
}

static void fsync_cleans_and_takes_write_permission(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, 0);

	disk_store(disk, a, 1);
	assert_true(disk_dirty(disk, 0));
	disk_sync(disk);
	assert_clean_and_read_only(disk, a, 0);
	disk_store(disk, a, 2);
	assert_true(disk_dirty(disk, 0));
}

static void a_clean_file_is_not_looked_at(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, 0);

	disk_load(disk, a);
	disk_sync(disk);
	assert_int_equal(disk_count(disk, DAX_TRACE_WRITEBACK_RANGE), 0);
}

static void a_pmd_is_written_as_a_whole_for_one_page_of_it(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, 0);

	disk_store(disk, a, 1);
	disk_store(disk, a + PMD, 1);
	assert_int_equal(
		dax_file_sync(disk->file, DAX_SYNC_PAGES, PAGE, PAGE), 0);
	assert_clean_and_read_only(disk, a, 0);
	assert_true(disk_dirty(disk, PMD_PAGES));
	assert_int_equal(disk_count(disk, DAX_TRACE_WRITEBACK_ONE), 1);
}

static void pages_outside_the_range_stay_dirty(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, DAX_VMA_NOHUGEPAGE);

	disk_store(disk, a, 1);
	disk_store(disk, a + PAGE, 1);
	disk_store(disk, a + 2 * PAGE, 1);
	assert_int_equal(dax_msync(disk->mm, a + PAGE, PAGE), 0);
	assert_true(disk_dirty(disk, 0));
	assert_clean_and_read_only(disk, a + PAGE, 1);
	assert_true(disk_dirty(disk, 2));
}

static void every_address_space_is_write_protected(void **state)
{
	struct disk *disk = *state;
	const uint64_t huge = disk_map_all(disk, 0);
	const uint64_t small = disk_map_all(disk, DAX_VMA_NOHUGEPAGE);
	/* A window that does not begin where the entry does. */
	const uint64_t window = disk_map(disk, PAGE, PMD, DISK_SHARED);

	disk_store(disk, huge, 1);
	disk_store(disk, small + PAGE, 1);
	disk_store(disk, window + PAGE, 1);
	disk_sync(disk);
	assert_clean_and_read_only(disk, huge, 0);
	assert_clean_and_read_only(disk, small + PAGE, 1);
	assert_clean_and_read_only(disk, window + PAGE, 2);
}

static void private_copies_stay_writable(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, 0);
	const uint64_t copy = disk_map(disk, 0, PMD, DAX_VMA_WRITE);

	disk_store(disk, a, 1);
	disk_store(disk, copy, 2);
	disk_sync(disk);
	assert_true(disk_leaf(disk, copy) & DAX_LEAF_WRITE);
	assert_int_equal(disk_load(disk, copy), 2);
	assert_int_equal(disk_load(disk, a), 1);
}

static void an_error_is_told_once_and_the_page_stays_dirty(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, 0);

	disk_store(disk, a, 1);
	dax_fs_set_flush_error(disk->fs, -EIO);
	assert_int_equal(dax_file_sync(disk->file, DAX_SYNC_PAGES, 0, 0), -EIO);
	dax_fs_set_flush_error(disk->fs, 0);
	assert_true(disk_dirty(disk, 0));
	assert_int_equal(dax_file_sync(disk->file, DAX_SYNC_ALL, 0, 0), -EIO);
	assert_false(disk_dirty(disk, 0));
	disk_sync(disk);
}

/* Its source keeps what could not be written back, and its tag. */
static void a_clone_fails_with_its_writeback(void **state)
{
	struct disk *disk = *state;
	struct dax_file *clone;

	disk_store(disk, disk_map_all(disk, 0), 1);
	dax_fs_set_flush_error(disk->fs, -EIO);
	assert_int_equal(dax_file_clone(disk->file, &clone), -EIO);
	assert_true(disk_dirty(disk, 0));
	dax_fs_set_flush_error(disk->fs, 0);
	assert_int_equal(dax_file_clone(disk->file, &clone), 0);
	assert_false(disk_dirty(disk, 0));
	dax_file_delete(&clone);
}

static void a_read_makes_an_entry_dirty_in_6_1(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, 0);

	disk_load(disk, a);
	assert_true(disk_dirty(disk, 0));
	disk_sync(disk);
	assert_false(disk_dirty(disk, 0));
	assert_int_equal(disk_count(disk, DAX_TRACE_WRITEBACK_ONE), 1);
}

static void a_punch_writes_back_in_6_1(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, 0);

	disk_store(disk, a, 1);
	disk_change(disk, DAX_FILE_PUNCH, 0, PMD);
	assert_int_equal(disk_count(disk, DAX_TRACE_WRITEBACK_ONE), 1);
	assert_int_equal(disk_load(disk, a), 0);
}

static void only_clean_entries_that_nobody_shows_are_evicted(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, 0);

	disk_load(disk, a);
	disk_store(disk, a + PMD, 1);
	dax_space_evict(dax_file_space(disk->file));
	assert_true(disk_word(disk, 0));
	assert_int_equal(dax_munmap(disk->mm, a, 4 * PMD), 0);
	dax_space_evict(dax_file_space(disk->file));
	assert_false(disk_word(disk, 0));
	assert_true(disk_dirty(disk, PMD_PAGES));
}

#define WRITEBACK_TEST(test)                                                   \
	cmocka_unit_test_setup_teardown(test, disk_setup, disk_teardown)
#define WRITEBACK_6_1_TEST(test)                                               \
	cmocka_unit_test_setup_teardown(test, disk_setup_6_1, disk_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WRITEBACK_TEST(fsync_cleans_and_takes_write_permission),
		WRITEBACK_TEST(a_clean_file_is_not_looked_at),
		WRITEBACK_TEST(a_pmd_is_written_as_a_whole_for_one_page_of_it),
		WRITEBACK_TEST(pages_outside_the_range_stay_dirty),
		WRITEBACK_TEST(every_address_space_is_write_protected),
		WRITEBACK_TEST(private_copies_stay_writable),
		WRITEBACK_TEST(an_error_is_told_once_and_the_page_stays_dirty),
		WRITEBACK_TEST(a_clone_fails_with_its_writeback),
		WRITEBACK_TEST(
			only_clean_entries_that_nobody_shows_are_evicted),
		WRITEBACK_6_1_TEST(a_read_makes_an_entry_dirty_in_6_1),
		WRITEBACK_6_1_TEST(a_punch_writes_back_in_6_1),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

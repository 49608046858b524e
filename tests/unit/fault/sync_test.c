/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * MAP_SYNC: no store reaches a block that a crash would lose the way to.
 */
#include "support/disk.h"

static void a_store_to_a_new_block_waits_for_the_commit(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, DAX_VMA_SYNC);

	disk_sync(disk);
	disk_store(disk, a, 1);
	assert_int_equal(disk_count(disk, DAX_TRACE_INSERT_PFN_MKWRITE), 1);
	assert_true(disk_dirty(disk, 0));
}

static void a_store_to_a_known_block_does_not(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, DAX_VMA_SYNC);

	disk_write(disk, 0, 1, PMD);
	disk_sync(disk);
	disk_store(disk, a, 2);
	assert_int_equal(disk_count(disk, DAX_TRACE_INSERT_PFN_MKWRITE), 0);
	assert_true(disk_dirty(disk, 0));
}

/* The entry is a PMD of another area: it cannot be marked for one page, so the
 * store faults again, and finds that all is durable. */
static void a_page_of_a_pmd_entry_faults_twice(void **state)
{
	struct disk *disk = *state;
	const uint64_t huge = disk_map_all(disk, 0);
	const uint64_t small =
		disk_map_all(disk, DAX_VMA_SYNC | DAX_VMA_NOHUGEPAGE);
	struct dax_trace_event event;
	unsigned int faults = 0, refused = 0;

	disk_store(disk, huge, 1);
	assert_int_equal(disk_count(disk, DAX_TRACE_PMD_FAULT), 1);
	disk_store(disk, small + PAGE, 2);
	while (dax_trace_read(disk->trace, &event)) {
		faults += event.id == DAX_TRACE_PTE_FAULT;
		refused += event.id == DAX_TRACE_INSERT_PFN_MKWRITE_NO_ENTRY;
	}
	assert_int_equal(faults, 2);
	assert_int_equal(refused, 1);
	assert_int_equal(disk_load(disk, huge + PAGE), 2);
}

/* What the block held before must not be there after a crash; and the page is
 * clean when its metadata is committed. */
static void zeros_that_cannot_be_made_durable_are_sigbus(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, DAX_VMA_SYNC);

	dax_fs_set_flush_error(disk->fs, -EIO);
	assert_int_equal(dax_store(disk->mm, a, "x", 1), -EIO);
	dax_fs_set_flush_error(disk->fs, 0);
	disk_store(disk, a, 2);
}

static void a_flush_that_fails_is_sigbus(void **state)
{
	struct disk *disk = *state;
	const uint64_t plain = disk_map_all(disk, 0);
	const uint64_t a = disk_map_all(disk, DAX_VMA_SYNC);

	disk_store(disk, plain, 1);
	dax_fs_set_flush_error(disk->fs, -EIO);
	assert_int_equal(dax_store(disk->mm, a, "x", 1), -EIO);
	dax_fs_set_flush_error(disk->fs, 0);
	disk_store(disk, a, 2);
}

#define SYNC_TEST(test)                                                        \
	cmocka_unit_test_setup_teardown(test, disk_setup, disk_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SYNC_TEST(a_store_to_a_new_block_waits_for_the_commit),
		SYNC_TEST(a_store_to_a_known_block_does_not),
		SYNC_TEST(a_page_of_a_pmd_entry_faults_twice),
		SYNC_TEST(zeros_that_cannot_be_made_durable_are_sigbus),
		SYNC_TEST(a_flush_that_fails_is_sigbus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A space whose storage goes away: when the kill returns nothing shows it,
 * nothing names it, and nobody can come back to it.
 */
#include "support/disk.h"

static void kill_file(struct disk *disk)
{
	dax_space_kill(dax_file_space(disk->file));
}

static void every_leaf_goes(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, 0);
	const uint64_t small = disk_map_all(disk, DAX_VMA_NOHUGEPAGE);
	const uint64_t c = disk_map(disk, 0, PMD, DAX_VMA_WRITE);

	disk_store(disk, a, 1);
	disk_store(disk, small + PMD, 1);
	disk_store(disk, c + PAGE, 1);
	assert_int_equal(disk_load(disk, a + 2 * PMD), 0);
	kill_file(disk);
	assert_int_equal(disk_leaf(disk, a), 0);
	assert_int_equal(disk_leaf(disk, a + 2 * PMD), 0);
	assert_int_equal(disk_leaf(disk, small + PMD), 0);
	assert_int_equal(disk_leaf(disk, c + PAGE), 0);
}

static void every_entry_goes(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, 0);

	disk_store(disk, a, 1);
	assert_true(disk_dirty(disk, 0));
	kill_file(disk);
	assert_int_equal(disk_word(disk, 0), 0);
	assert_int_equal(dax_mapping_nrpages(
				 dax_space_mapping(dax_file_space(disk->file))),
		0);
}

static void accesses_are_sigbus(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, 0);
	enum dax_cause cause;
	char byte;

	disk_store(disk, a, 1);
	kill_file(disk);
	assert_int_equal(dax_load(disk->mm, a, &byte, 1), -EIO);
	assert_int_equal(dax_store(disk->mm, a, "x", 1), -EIO);
	assert_int_equal(
		dax_fault(disk->mm, a, DAX_LOAD, &cause), DAX_FAULT_SIGBUS);
	assert_int_equal(cause, DAX_CAUSE_DEVICE);
	assert_int_equal(disk_word(disk, 0), 0);
	assert_int_equal(
		dax_madvise(disk->mm, a, PAGE, DAX_POPULATE_READ), -EFAULT);
}

static void there_are_no_new_areas_but_old_ones_can_go(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, 0);
	const struct dax_vma_params params = {
		.space = dax_file_space(disk->file), .len = PAGE};
	uint64_t address;

	kill_file(disk);
	assert_int_equal(dax_mmap(disk->mm, &params, &address), -ENXIO);
	assert_int_equal(dax_munmap(disk->mm, a, 4 * PMD), 0);
}

static void killed_again_it_stays_dead(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, 0);

	kill_file(disk);
	kill_file(disk);
	assert_int_equal(dax_store(disk->mm, a, "x", 1), -EIO);
	assert_int_equal(disk_word(disk, 0), 0);
}

#define KILL_TEST(test)                                                        \
	cmocka_unit_test_setup_teardown(test, disk_setup, disk_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		KILL_TEST(every_leaf_goes),
		KILL_TEST(every_entry_goes),
		KILL_TEST(accesses_are_sigbus),
		KILL_TEST(there_are_no_new_areas_but_old_ones_can_go),
		KILL_TEST(killed_again_it_stays_dead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

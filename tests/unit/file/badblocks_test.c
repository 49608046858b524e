/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Claim: what libpmem2 lists as bad is given to no file before the device has
 * given new storage for it; if that fails, it is bad as before.
 */
#include "support/disk.h"
#include "support/played_badblocks.h"

/* The block that page 0 of a new disk's file gets, in bytes of the device. */
static size_t first_block(void)
{
	struct dax_extent extent;
	void *disk;

	assert_int_equal(disk_setup(&disk), 0);
	disk_write(disk, 0, 1, PAGE);
	dax_file_extent(((struct disk *)disk)->file, 0, &extent);
	disk_teardown(&disk);
	return (extent.pfn - DAX_PFN_BASE) * PAGE;
}

/* A disk of which a part of that block is bad. */
static int setup(void **state)
{
	memset(&play, 0, sizeof(play));
	play.blocks[0] = (struct pmem2_badblock){first_block() + 512, 1024};
	return disk_setup(state);
}

static int teardown(void **state)
{
	assert_int_equal(play.contexts, 0);
	return disk_teardown(state);
}

static int write_page(struct disk *disk, size_t len)
{
	static const char bytes[DAX_PAGE_SIZE] = {7};
	size_t done;

	return dax_file_write(disk->file, 0, bytes, len, &done);
}

static int read_page(struct disk *disk)
{
	size_t done;
	char byte;

	return dax_file_read(disk->file, 0, &byte, 1, &done);
}

/* Page 0, which was good, and its device say that it has gone bad. */
static void fail_page(struct disk *disk)
{
	struct dax_extent extent;

	dax_file_extent(disk->file, 0, &extent);
	play.blocks[1] = (struct pmem2_badblock){
		(extent.pfn - DAX_PFN_BASE) * PAGE, PAGE};
	play.nr_cleared = 0;
	dax_fs_memory_failure(disk->fs, extent.pfn, 1);
}

/* ---- blocks that were bad before the file system was ---- */

static void a_fault_gets_its_block_made_good(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, DAX_VMA_NOHUGEPAGE);
	const struct pmem2_badblock bad = play.blocks[0];

	assert_int_equal(disk_load(disk, a), 0);
	assert_int_equal(play.nr_cleared, 0);
	disk_store(disk, a, 1);
	assert_int_equal(disk_load(disk, a), 1);
	assert_int_equal(play.nr_cleared, 1);
	assert_int_equal(play.cleared.offset, bad.offset);
	assert_int_equal(play.cleared.length, bad.length);
}

static void a_block_that_stays_bad_is_an_error(void **state)
{
	struct disk *disk = *state;

	play.clear_error = -ENXIO;
	assert_int_equal(write_page(disk, PAGE), -ENXIO);
	assert_int_equal(read_page(disk), 0);
}

static void so_it_is_to_a_fault_and_the_next_gets_another(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, DAX_VMA_NOHUGEPAGE);

	play.clear_error = -ENXIO;
	assert_int_equal(dax_store(disk->mm, a, "x", 1), -EIO);
	disk_store(disk, a, 1);
	assert_int_equal(disk_load(disk, a), 1);
	assert_int_equal(play.nr_cleared, 0);
}

static void a_device_that_cannot_be_asked_is_an_error(void **state)
{
	static const struct {
		int new_error;
		int next_error;
		int expected;
	} cases[] = {
		{-ENOMEM, 0, -ENOMEM},
		{-EIO, 0, -EIO},
		{0, -EIO, -EIO},
		{PMEM2_E_NOSUPP, 0, 0},
		{-EACCES, 0, 0},
	};
	struct disk *disk = *state;
	const struct dax_fs_params params = {.map = disk->map};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct dax_fs *fs = (void *)1;

		play.new_error = cases[i].new_error;
		play.next_error = cases[i].next_error;
		assert_int_equal(dax_fs_new(&params, &fs), cases[i].expected);
		assert_int_equal(fs != NULL, !cases[i].expected);
		dax_fs_delete(&fs);
	}
}

/* ---- blocks that go bad ---- */

static void a_write_of_all_of_a_page_has_the_device_clear_it(void **state)
{
	struct disk *disk = *state;

	disk_write(disk, 0, 1, PAGE);
	fail_page(disk);
	assert_int_equal(write_page(disk, PAGE - 1), -EHWPOISON);
	assert_int_equal(play.nr_cleared, 0);
	assert_int_equal(write_page(disk, PAGE), 0);
	assert_int_equal(play.nr_cleared, 1);
	assert_int_equal(read_page(disk), 0);
}

static void a_write_that_clears_nothing_writes_nothing(void **state)
{
	struct disk *disk = *state;

	disk_write(disk, 0, 1, PAGE);
	fail_page(disk);
	play.clear_error = -EIO;
	assert_int_equal(write_page(disk, PAGE), -EIO);
	assert_int_equal(read_page(disk), -EHWPOISON);
	play.clear_error = 0;
	assert_int_equal(write_page(disk, PAGE), 0);
	assert_int_equal(read_page(disk), 0);
}

/* Nobody reads it until it is written. */
static void a_block_that_is_unwritten_may_stay_bad(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, 0);

	disk_change(disk, DAX_FILE_ALLOCATE, 0, PMD);
	fail_page(disk);
	assert_int_equal(disk_load(disk, a), 0);
	assert_int_equal(read_page(disk), 0);
	assert_int_equal(play.nr_cleared, 0);
	disk_store(disk, a, 1);
	assert_int_equal(play.nr_cleared, 1);
	assert_int_equal(disk_load(disk, a), 1);
}

static void a_punched_page_is_cleared_when_it_is_given_again(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, DAX_VMA_NOHUGEPAGE);
	struct dax_file *rest;

	disk_write(disk, 0, 1, PAGE);
	rest = disk_fill(disk, 0);
	fail_page(disk);
	disk_change(disk, DAX_FILE_PUNCH, 0, PAGE);
	assert_int_equal(disk_load(disk, a), 0);
	disk_sync(disk);
	assert_int_equal(play.nr_cleared, 0);
	disk_store(disk, a, 2);
	assert_int_equal(play.nr_cleared, 1);
	assert_int_equal(disk_load(disk, a), 2);
	dax_file_delete(&rest);
}

/* The device is full but for one block, which is bad. */
static void a_copy_gets_its_block_made_good(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, DAX_VMA_NOHUGEPAGE);
	struct dax_file *clone, *rest;

	disk_write(disk, PAGE, 1, PAGE);
	disk_write(disk, 0, 2, PAGE);
	rest = disk_fill(disk, 0);
	fail_page(disk);
	disk_change(disk, DAX_FILE_PUNCH, 0, PAGE);
	disk_sync(disk);
	assert_int_equal(dax_file_clone(disk->file, &clone), 0);
	play.clear_error = -EIO;
	assert_int_equal(dax_store(disk->mm, a + PAGE, "x", 1), -EIO);
	play.clear_error = 0;
	disk_sync(disk);
	disk_store(disk, a + PAGE, 3);
	assert_int_equal(play.nr_cleared, 1);
	assert_int_equal(disk_load(disk, a + PAGE), 3);
	dax_file_delete(&clone);
	dax_file_delete(&rest);
}

#define BAD_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BAD_TEST(a_fault_gets_its_block_made_good),
		BAD_TEST(a_block_that_stays_bad_is_an_error),
		BAD_TEST(so_it_is_to_a_fault_and_the_next_gets_another),
		BAD_TEST(a_device_that_cannot_be_asked_is_an_error),
		BAD_TEST(a_write_of_all_of_a_page_has_the_device_clear_it),
		BAD_TEST(a_write_that_clears_nothing_writes_nothing),
		BAD_TEST(a_block_that_is_unwritten_may_stay_bad),
		BAD_TEST(a_punched_page_is_cleared_when_it_is_given_again),
		BAD_TEST(a_copy_gets_its_block_made_good),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

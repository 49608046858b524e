/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Loads and stores: what is stored is in the file, or in a private copy and
 * nowhere else; what may not be touched answers as a process would be told.
 */
#include "support/disk.h"

static unsigned char read_byte(struct disk *disk, uint64_t pos)
{
	unsigned char byte = 0;
	size_t done;

	assert_int_equal(dax_file_read(disk->file, pos, &byte, 1, &done), 0);
	assert_int_equal(done, 1);
	return byte;
}

static int load_error(struct disk *disk, uint64_t address)
{
	char byte;

	return dax_load(disk->mm, address, &byte, 1);
}

static int store_error(struct disk *disk, uint64_t address)
{
	return dax_store(disk->mm, address, "x", 1);
}

static void a_shared_store_is_in_the_file(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, 0);
	const uint64_t b = disk_map_all(disk, DAX_VMA_NOHUGEPAGE);

	disk_store(disk, a + 3 * PAGE + 5, 77);
	assert_int_equal(read_byte(disk, 3 * PAGE + 5), 77);
	assert_int_equal(disk_load(disk, b + 3 * PAGE + 5), 77);
}

static void an_access_may_cross_pages(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, 0);
	char stored[3 * PAGE], loaded[3 * PAGE];

	for (size_t i = 0; i < sizeof(stored); i++)
		stored[i] = (char)(i * 7);
	assert_int_equal(
		dax_store(disk->mm, a + PMD - PAGE - 1, stored, sizeof(stored)),
		0);
	assert_int_equal(
		dax_load(disk->mm, a + PMD - PAGE - 1, loaded, sizeof(loaded)),
		0);
	assert_memory_equal(stored, loaded, sizeof(stored));
}

static void a_write_is_seen_through_a_hole_that_was_shown(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, 0);

	assert_int_equal(disk_load(disk, a), 0);
	assert_true(disk_leaf(disk, a) & DAX_LEAF_ZERO);
	disk_write(disk, 0, 9, PAGE);
	assert_int_equal(disk_load(disk, a), 9);
}

/* A block zeroed along with its neighbour is not new to the write. */
static void a_write_is_seen_where_a_neighbour_made_the_block(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, DAX_VMA_NOHUGEPAGE);

	disk_change(disk, DAX_FILE_ALLOCATE, 0, 4 * PMD);
	assert_int_equal(disk_load(disk, a), 0);
	disk_store(disk, a + PAGE, 1);
	disk_write(disk, 0, 9, PAGE);
	assert_int_equal(disk_load(disk, a), 9);
}

static void a_private_store_stays_private(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, 0);
	const uint64_t c = disk_map(disk, 0, PMD, DAX_VMA_WRITE);

	disk_store(disk, a, 1);
	disk_store(disk, a + 1, 2);
	assert_int_equal(disk_load(disk, c), 1);
	disk_store(disk, c, 3);
	assert_int_equal(disk_load(disk, c), 3);
	assert_int_equal(disk_load(disk, c + 1), 2);
	assert_int_equal(disk_load(disk, a), 1);
	assert_int_equal(read_byte(disk, 0), 1);
}

static void a_private_copy_outlives_a_punch_but_not_a_truncate(void **state)
{
	struct disk *disk = *state;
	const uint64_t c = disk_map(disk, 0, PMD, DAX_VMA_WRITE);

	disk_store(disk, c, 3);
	disk_change(disk, DAX_FILE_PUNCH, 0, PMD);
	assert_int_equal(disk_load(disk, c), 3);
	assert_int_equal(dax_file_truncate(disk->file, 0), 0);
	assert_int_equal(load_error(disk, c), -EIO);
}

static void past_the_end_is_sigbus(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map(disk, 0, 8 * PMD, DISK_SHARED);

	assert_int_equal(load_error(disk, a + 4 * PMD), -EIO);
	assert_int_equal(dax_file_truncate(disk->file, PAGE + 1), 0);
	assert_int_equal(load_error(disk, a + PAGE), 0);
	assert_int_equal(load_error(disk, a + 2 * PAGE), -EIO);
}

static void what_was_stored_past_the_end_does_not_come_back(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, 0);

	assert_int_equal(dax_file_truncate(disk->file, 100), 0);
	disk_store(disk, a + 200, 1);
	assert_int_equal(dax_file_truncate(disk->file, PMD), 0);
	assert_int_equal(disk_load(disk, a + 200), 0);
}

static void nothing_mapped_or_not_allowed_is_sigsegv(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map(disk, 0, PMD, DAX_VMA_SHARED);

	assert_int_equal(load_error(disk, a - 1), -EFAULT);
	assert_int_equal(load_error(disk, a + PMD), -EFAULT);
	assert_int_equal(store_error(disk, a), -EFAULT);
	assert_int_equal(dax_munmap(disk->mm, a, PMD), 0);
	assert_int_equal(load_error(disk, a), -EFAULT);
}

static void a_full_device_is_sigbus_for_stores_only(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, 0);
	struct dax_file *rest = disk_fill(disk, 0);

	assert_int_equal(store_error(disk, a), -EIO);
	assert_int_equal(load_error(disk, a), 0);
	assert_int_equal(store_error(disk, a), -EIO);
	dax_file_delete(&rest);
	disk_store(disk, a, 1);
}

static void a_bad_page_is_hwpoison(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, 0);
	const uint64_t c = disk_map(disk, 0, PMD, DAX_VMA_WRITE);
	struct dax_extent extent;

	disk_write(disk, 0, 1, PMD);
	dax_file_extent(disk->file, 2, &extent);
	dax_fs_set_poison(disk->fs, extent.pfn, 1);
	assert_int_equal(load_error(disk, a + 2 * PAGE), -EHWPOISON);
	assert_int_equal(load_error(disk, a + PAGE), 0);
	assert_int_equal(store_error(disk, c + 2 * PAGE), -EHWPOISON);
	assert_int_equal(store_error(disk, c + PAGE), 0);
	dax_fs_set_poison(disk->fs, 0, 0);
	assert_int_equal(disk_load(disk, a + 2 * PAGE), 1);
}

static void a_clone_is_copied_on_the_first_store(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, 0);
	const uint64_t small = disk_map_all(disk, DAX_VMA_NOHUGEPAGE);
	struct dax_file *clone;
	unsigned char byte;
	size_t done;

	disk_store(disk, a, 1);
	disk_store(disk, a + PAGE, 2);
	assert_int_equal(dax_file_clone(disk->file, &clone), 0);
	assert_int_equal(disk_load(disk, a), 1);
	/* One page of what is shown as a PMD moves away. */
	disk_store(disk, small, 3);
	assert_int_equal(disk_load(disk, a), 3);
	disk_store(disk, a + PAGE, 4);
	assert_int_equal(dax_file_read(clone, 0, &byte, 1, &done), 0);
	assert_int_equal(byte, 1);
	assert_int_equal(dax_file_read(clone, PAGE, &byte, 1, &done), 0);
	assert_int_equal(byte, 2);
	dax_file_delete(&clone);
}

#define ACCESS_TEST(test)                                                      \
	cmocka_unit_test_setup_teardown(test, disk_setup, disk_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ACCESS_TEST(a_shared_store_is_in_the_file),
		ACCESS_TEST(an_access_may_cross_pages),
		ACCESS_TEST(a_write_is_seen_through_a_hole_that_was_shown),
		ACCESS_TEST(a_write_is_seen_where_a_neighbour_made_the_block),
		ACCESS_TEST(a_private_store_stays_private),
		ACCESS_TEST(a_private_copy_outlives_a_punch_but_not_a_truncate),
		ACCESS_TEST(past_the_end_is_sigbus),
		ACCESS_TEST(what_was_stored_past_the_end_does_not_come_back),
		ACCESS_TEST(nothing_mapped_or_not_allowed_is_sigsegv),
		ACCESS_TEST(a_full_device_is_sigbus_for_stores_only),
		ACCESS_TEST(a_bad_page_is_hwpoison),
		ACCESS_TEST(a_clone_is_copied_on_the_first_store),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

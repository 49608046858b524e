/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where blocks land: so that a PMD stays possible as long as space is not
 * fragmented, and without losing the last block when it is.
 */
#include "support/disk.h"

static struct dax_extent extent_at(struct dax_file *file, dax_pgoff_t index)
{
	struct dax_extent extent;

	dax_file_extent(file, index, &extent);
	return extent;
}

/* Could the PMD that @index is in be one leaf, if it had all its blocks? */
static bool has_pmd_colour(struct dax_file *file, dax_pgoff_t index)
{
	return (extent_at(file, index).pfn - index) % PMD_PAGES == 0;
}

static void a_single_page_lands_where_its_pmd_would_put_it(void **state)
{
	struct disk *disk = *state;

	disk_write(disk, PMD + 3 * PAGE, 1, PAGE);
	assert_true(has_pmd_colour(disk->file, PMD_PAGES + 3));
	disk_write(disk, PMD, 1, 3 * PAGE);
	assert_int_equal(extent_at(disk->file, PMD_PAGES).nr, 4);
}

static void whole_pmds_are_aligned(void **state)
{
	struct disk *disk = *state;

	disk_change(disk, DAX_FILE_ALLOCATE, 0, 3 * PMD);
	assert_true(has_pmd_colour(disk->file, 0));
	assert_int_equal(extent_at(disk->file, 0).nr, 3 * PMD_PAGES);
}

static void an_odd_preallocation_takes_the_first_gap(void **state)
{
	struct disk *disk = *state;

	disk_change(disk, DAX_FILE_ALLOCATE, PAGE, 3 * PMD - PAGE);
	assert_false(has_pmd_colour(disk->file, PMD_PAGES));
	assert_int_equal(extent_at(disk->file, 1).nr, 3 * PMD_PAGES - 1);
}

static void freed_blocks_wait_for_the_commit(void **state)
{
	struct disk *disk = *state;
	uint64_t before = dax_fs_free_blocks(disk->fs);

	disk_change(disk, DAX_FILE_ALLOCATE, 0, PMD);
	disk_change(disk, DAX_FILE_PUNCH, 0, PMD);
	assert_int_equal(dax_fs_free_blocks(disk->fs), before - PMD_PAGES);
	disk_sync(disk);
	assert_int_equal(dax_fs_free_blocks(disk->fs), before);
}

static void a_write_that_needs_freed_blocks_commits(void **state)
{
	struct disk *disk = *state;
	struct dax_file *rest;

	disk_write(disk, 0, 1, PAGE);
	rest = disk_fill(disk, 0);
	disk_change(disk, DAX_FILE_PUNCH, 0, PAGE);
	assert_int_equal(dax_fs_free_blocks(disk->fs), 0);
	disk_write(disk, 2 * PAGE, 2, PAGE);
	dax_file_delete(&rest);
}

static void what_is_kept_for_one_file_is_not_lost_to_others(void **state)
{
	struct disk *disk = *state;
	struct dax_file *other, *rest;
	size_t done;

	disk_write(disk, 0, 1, PAGE);
	rest = disk_fill(disk, 1);
	assert_int_equal(dax_file_new(disk->fs, &other), 0);
	assert_int_equal(dax_file_write(other, 0, "x", 1, &done), 0);
	assert_int_equal(dax_file_write(other, PAGE, "x", 1, &done), -ENOSPC);
	dax_file_delete(&other);
	dax_file_delete(&rest);
}

/* Blocks that were kept for one file, used, shared, left to a clone and freed
 * with it, are kept for another file. */
static void a_block_is_kept_for_one_file_only(void **state)
{
	struct disk *disk = *state;
	struct dax_file *clone, *other;
	size_t done;

	disk_write(disk, 0, 1, PMD);
	assert_int_equal(dax_file_clone(disk->file, &clone), 0);
	disk_write(disk, 0, 2, PMD);
	dax_file_delete(&clone);
	disk_sync(disk);
	assert_int_equal(dax_file_new(disk->fs, &other), 0);
	assert_int_equal(dax_file_truncate(other, PMD), 0);
	assert_int_equal(dax_file_write(other, PAGE, "o", 1, &done), 0);
	assert_null(dax_fs_verify(disk->fs));
	dax_file_delete(&other);
}

static void a_write_that_does_not_fit_says_how_far_it_came(void **state)
{
	struct disk *disk = *state;
	struct dax_file *rest = disk_fill(disk, 2);
	char bytes[4 * PAGE];
	size_t done;

	memset(bytes, 7, sizeof(bytes));
	assert_int_equal(
		dax_file_write(disk->file, 0, bytes, sizeof(bytes), &done), 0);
	assert_int_equal(done, 2 * PAGE);
	assert_int_equal(
		dax_file_write(disk->file, 3 * PAGE, bytes, 1, &done), -ENOSPC);
	dax_file_delete(&rest);
}

static void a_write_of_nothing_does_not_move_the_end(void **state)
{
	struct disk *disk = *state;
	const uint64_t size = dax_file_size(disk->file);
	struct dax_file *rest = disk_fill(disk, 0);
	size_t done;

	assert_int_equal(dax_file_write(disk->file, size + PAGE, "x", 1, &done),
		-ENOSPC);
	assert_int_equal(dax_file_size(disk->file), size);
	assert_int_equal(
		dax_file_write(disk->file, size + PAGE, "x", 0, &done), 0);
	assert_int_equal(dax_file_size(disk->file), size);
	dax_file_delete(&rest);
}

#define PLACE_TEST(test)                                                       \
	cmocka_unit_test_setup_teardown(test, disk_setup, disk_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PLACE_TEST(a_single_page_lands_where_its_pmd_would_put_it),
		PLACE_TEST(whole_pmds_are_aligned),
		PLACE_TEST(an_odd_preallocation_takes_the_first_gap),
		PLACE_TEST(freed_blocks_wait_for_the_commit),
		PLACE_TEST(a_write_that_needs_freed_blocks_commits),
		PLACE_TEST(what_is_kept_for_one_file_is_not_lost_to_others),
		PLACE_TEST(a_block_is_kept_for_one_file_only),
		PLACE_TEST(a_write_that_does_not_fit_says_how_far_it_came),
		PLACE_TEST(a_write_of_nothing_does_not_move_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* A file gets blocks of its own for what it shares, without a store: no byte
 * changes, and what has nothing to be unshared stays as it was. */
#include "file/file.h"
#include "support/disk.h"

static struct dax_file *clone_of(struct disk *disk)
{
	struct dax_file *clone;

	assert_int_equal(dax_file_clone(disk->file, &clone), 0);
	return clone;
}

static struct dax_extent extent_of(struct dax_file *file, dax_pgoff_t index)
{
	struct dax_extent extent;

	dax_file_extent(file, index, &extent);
	return extent;
}

static unsigned int shares(struct dax_file *file, dax_pgoff_t index)
{
	return extent_of(file, index).shares;
}

static void unshare_range(struct dax_file *file, uint64_t pos, uint64_t len)
{
	assert_int_equal(dax_file_unshare(file, pos, len), 0);
}

static void what_is_unshared_is_shown_from_its_own_blocks(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, 0);
	struct dax_file *clone;

	disk_write(disk, 0, 7, PMD);
	clone = clone_of(disk);
	assert_int_equal(disk_load(disk, a), 7);
	unshare_range(disk->file, 0, PMD);
	assert_int_equal(shares(disk->file, 0), 1);
	assert_int_equal(shares(clone, 0), 1);
	assert_int_equal(disk_leaf(disk, a), 0);
	assert_null(dax_fs_verify(disk->fs));
	assert_int_equal(disk_load(disk, a), 7);
	disk_store(disk, a, 8);
	assert_int_equal(shares(clone, 0), 1);
	dax_file_delete(&clone);
}

/* Bytes, of which the pages that have them are unshared. */
static void only_the_range_is_unshared(void **state)
{
	struct disk *disk = *state;
	struct dax_file *clone;

	disk_write(disk, 0, 7, PMD);
	clone = clone_of(disk);
	unshare_range(disk->file, 2 * PAGE - 1, 2);
	assert_int_equal(shares(disk->file, 0), 2);
	assert_int_equal(shares(disk->file, 1), 1);
	assert_int_equal(shares(disk->file, 2), 1);
	assert_int_equal(shares(disk->file, 3), 2);
	dax_file_delete(&clone);
}

static void holes_and_what_is_not_written_stay(void **state)
{
	struct disk *disk = *state;
	struct dax_file *clone;

	disk_write(disk, 0, 7, PAGE);
	disk_change(disk, DAX_FILE_ALLOCATE, 2 * PMD, PMD);
	clone = clone_of(disk);
	unshare_range(disk->file, 0, 8 * PMD);
	assert_int_equal(dax_file_size(disk->file), 4 * PMD);
	assert_int_equal(extent_of(disk->file, 1).type, DAX_IOMAP_HOLE);
	assert_int_equal(
		extent_of(disk->file, 2 * PMD_PAGES).type, DAX_IOMAP_UNWRITTEN);
	assert_int_equal(shares(disk->file, 0), 1);
	dax_file_delete(&clone);
}

/* What was stored in a page beside what moves. */
static void a_tag_is_not_lost(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, 0);
	struct dax_file *clone;

	disk_write(disk, 0, 7, PMD);
	clone = clone_of(disk);
	assert_int_equal(dax_file_change(clone, DAX_FILE_PUNCH, 0, PAGE), 0);
	assert_int_equal(disk_load(disk, a), 7);
	disk_store(disk, a, 8);
	assert_true(disk_dirty(disk, 0));
	disk_count(disk, DAX_TRACE_WRITEBACK_ONE);
	unshare_range(disk->file, PAGE, PAGE);
	assert_int_equal(disk_count(disk, DAX_TRACE_WRITEBACK_ONE), 1);
	assert_int_equal(disk_load(disk, a), 8);
	dax_file_delete(&clone);
}

static void a_file_that_shares_no_more_is_as_one_that_never_did(void **state)
{
	struct disk *disk = *state;
	struct dax_file *clone;

	disk_write(disk, 0, 7, PMD);
	clone = clone_of(disk);
	assert_true(disk->file->reflink);
	unshare_range(disk->file, 0, PAGE);
	assert_true(disk->file->reflink);
	unshare_range(disk->file, 0, 4 * PMD);
	assert_false(disk->file->reflink);
	/* Nor is the clone's anybody else's. */
	unshare_range(clone, 0, 1);
	assert_false(clone->reflink);
	dax_file_delete(&clone);
}

static void what_there_is_no_room_for_stays_shared(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, 0);
	struct dax_file *clone, *rest;
	unsigned int own = 0;

	disk_write(disk, 0, 7, PMD);
	disk_sync(disk);
	clone = clone_of(disk);
	rest = disk_fill(disk, PMD_PAGES / 2);
	assert_int_equal(dax_file_unshare(disk->file, 0, PMD), -ENOSPC);
	for (dax_pgoff_t i = 0; i < PMD_PAGES; i++) {
		own += shares(disk->file, i) == 1;
		assert_int_equal(disk_load(disk, a + i * PAGE), 7);
	}
	assert_int_equal(own, PMD_PAGES / 2);
	assert_true(disk->file->reflink);
	dax_file_delete(&rest);
	disk_sync(disk);
	unshare_range(disk->file, 0, PMD);
	assert_int_equal(shares(disk->file, PMD_PAGES - 1), 1);
	dax_file_delete(&clone);
}

static void a_page_that_cannot_be_read_stays_shared(void **state)
{
	struct disk *disk = *state;
	struct dax_file *clone;

	disk_write(disk, 0, 7, 2 * PAGE);
	clone = clone_of(disk);
	dax_fs_set_poison(disk->fs, extent_of(clone, 1).pfn, 1);
	assert_int_equal(dax_file_unshare(disk->file, 0, 2 * PAGE), -EHWPOISON);
	assert_int_equal(shares(disk->file, 1), 2);
	dax_file_delete(&clone);
}

static void a_range_that_is_none_is_refused(void **state)
{
	struct disk *disk = *state;

	assert_int_equal(dax_file_unshare(disk->file, 0, 0), -EINVAL);
	assert_int_equal(
		dax_file_unshare(disk->file, PAGE, UINT64_MAX), -EINVAL);
	unshare_range(disk->file, 64 * PMD, 1);
}

#define UNSHARE_TEST(test)                                                     \
	cmocka_unit_test_setup_teardown(test, disk_setup, disk_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		UNSHARE_TEST(what_is_unshared_is_shown_from_its_own_blocks),
		UNSHARE_TEST(only_the_range_is_unshared),
		UNSHARE_TEST(holes_and_what_is_not_written_stay),
		UNSHARE_TEST(a_tag_is_not_lost),
		UNSHARE_TEST(
			a_file_that_shares_no_more_is_as_one_that_never_did),
		UNSHARE_TEST(what_there_is_no_room_for_stays_shared),
		UNSHARE_TEST(a_page_that_cannot_be_read_stays_shared),
		UNSHARE_TEST(a_range_that_is_none_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

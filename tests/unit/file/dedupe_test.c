/* SPDX-License-Identifier: BSD-3-Clause */
/* Ranges that have the same bytes get the same blocks, and others do not; no
 * byte changes, whatever is mapped, dirty or in the same file. */
#include <stdlib.h>

#include "file/file.h"
#include "support/disk.h"

static struct dax_file *file_of(
	struct disk *disk, unsigned char byte, uint64_t len)
{
	struct dax_file *file;
	size_t done;
	char *bytes = malloc(len);

	assert_non_null(bytes);
	memset(bytes, byte, len);
	assert_int_equal(dax_file_new(disk->fs, &file), 0);
	assert_int_equal(dax_file_write(file, 0, bytes, len, &done), 0);
	assert_int_equal(done, len);
	free(bytes);
	return file;
}

static struct dax_extent extent_of(struct dax_file *file, dax_pgoff_t index)
{
	struct dax_extent extent;

	dax_file_extent(file, index, &extent);
	return extent;
}

static void assert_same_block(struct dax_file *a, dax_pgoff_t a_index,
	struct dax_file *b, dax_pgoff_t b_index)
{
	const struct dax_extent extent = extent_of(a, a_index);

	assert_int_equal(extent.pfn, extent_of(b, b_index).pfn);
	assert_true(extent.shares > 1);
}

static void equal_ranges_share_the_blocks_of_the_source(void **state)
{
	struct disk *disk = *state;
	struct dax_file *other = file_of(disk, 7, PMD);
	const uint64_t a = disk_map_all(disk, 0);
	const uint64_t pfn = extent_of(other, 0).pfn;
	uint64_t left;

	disk_write(disk, 0, 7, PMD);
	disk_sync(disk);
	left = dax_fs_free_blocks(disk->fs);
	assert_int_equal(disk_load(disk, a), 7);
	assert_int_equal(dax_file_dedupe(other, 0, disk->file, 0, PMD), 0);
	assert_int_equal(extent_of(disk->file, 0).pfn, pfn);
	assert_same_block(disk->file, PMD_PAGES - 1, other, PMD_PAGES - 1);
	assert_null(dax_fs_verify(disk->fs));
	disk_sync(disk);
	assert_int_equal(dax_fs_free_blocks(disk->fs), left + PMD_PAGES);
	assert_int_equal(disk_load(disk, a), 7);
	/* Again: there is nothing to be done. */
	assert_int_equal(dax_file_dedupe(disk->file, 0, other, 0, PMD), 0);
	assert_int_equal(extent_of(other, 0).shares, 2);
	dax_file_delete(&other);
}

static void a_store_after_it_is_seen_by_one_only(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, 0);
	struct dax_file *other = file_of(disk, 7, PMD);
	unsigned char byte;
	size_t done;

	disk_write(disk, 0, 7, PMD);
	disk_store(disk, a + PAGE, 7);
	assert_int_equal(dax_file_dedupe(disk->file, 0, other, 0, PMD), 0);
	disk_store(disk, a + PAGE, 8);
	assert_int_equal(dax_file_read(other, PAGE, &byte, 1, &done), 0);
	assert_int_equal(byte, 7);
	assert_int_equal(disk_load(disk, a + PAGE), 8);
	dax_file_delete(&other);
}

/* Through a page table, and not durable. */
static void ranges_that_differ_stay_as_they_are(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, 0);
	struct dax_file *other = file_of(disk, 7, PMD);

	disk_write(disk, 0, 7, PMD);
	disk_store(disk, a + PMD - 1, 8);
	assert_int_equal(dax_file_dedupe(disk->file, 0, other, 0, PMD), -EBADE);
	assert_int_equal(extent_of(other, 0).shares, 1);
	assert_true(disk_dirty(disk, 0));
	assert_int_equal(disk_load(disk, a + PMD - 1), 8);
	dax_file_delete(&other);
}

static void pages_of_one_file_share_a_block(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, 0);

	disk_write(disk, 0, 7, PMD);
	assert_int_equal(disk_load(disk, a), 7);
	assert_int_equal(
		dax_file_dedupe(disk->file, 0, disk->file, PAGE, PAGE), 0);
	assert_same_block(disk->file, 0, disk->file, 1);
	disk_store(disk, a, 8);
	assert_int_equal(disk_load(disk, a + PAGE), 7);
	assert_int_equal(disk_load(disk, a), 8);
}

/* The entry of 2 MiB goes, and what it has beside the page is not durable. */
static void what_is_beside_the_range_keeps_its_bytes_and_is_synced(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, 0);
	struct dax_file *other = file_of(disk, 7, PAGE);

	disk_write(disk, 0, 7, PMD);
	disk_store(disk, a + PAGE, 8);
	disk_count(disk, DAX_TRACE_WRITEBACK_ONE);
	assert_int_equal(dax_file_dedupe(other, 0, disk->file, 0, PAGE), 0);
	assert_int_equal(disk_count(disk, DAX_TRACE_WRITEBACK_ONE), 1);
	assert_int_equal(disk_load(disk, a), 7);
	assert_int_equal(disk_load(disk, a + PAGE), 8);
	dax_file_delete(&other);
}

/* It reads as zeros, and is not the same. */
static enum dax_page_owned owned(struct disk *disk, uint64_t pfn)
{
	struct dax_page_owner owner;

	return dax_page_owner(dax_fs_pgmap(disk->fs), pfn, &owner);
}

/* It was the source's as one of 2 MiB. */
static void each_page_of_the_source_says_whose_it_is(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, 0);
	struct dax_vma_params params = {
		.len = PMD, .flags = DISK_SHARED | DAX_VMA_NOHUGEPAGE};
	struct dax_file *other = file_of(disk, 7, PMD);
	uint64_t b = 0, pfn;

	disk_write(disk, 0, 7, PMD);
	assert_int_equal(disk_load(disk, a), 7);
	assert_int_equal(dax_file_dedupe(disk->file, 0, other, 0, PMD), 0);
	params.space = dax_file_space(other);
	assert_int_equal(dax_mmap(disk->mm, &params, &b), 0);
	assert_int_equal(disk_load(disk, a), 7);
	assert_int_equal(disk_load(disk, b), 7);
	pfn = extent_of(other, 0).pfn;
	assert_int_equal(owned(disk, pfn), DAX_PAGE_OWNERS);
	assert_int_equal(owned(disk, pfn + 1), DAX_PAGE_OWNED);
	assert_int_equal(dax_munmap(disk->mm, b, PMD), 0);
	dax_file_delete(&other);
}

static void what_is_not_written_is_equal_to_nothing_but_itself(void **state)
{
	struct disk *disk = *state;
	struct dax_file *other = file_of(disk, 0, PAGE);

	assert_int_equal(
		dax_file_dedupe(disk->file, 0, other, 0, PAGE), -EBADE);
	disk_change(disk, DAX_FILE_ALLOCATE, 0, PAGE);
	assert_int_equal(
		dax_file_dedupe(other, 0, disk->file, 0, PAGE), -EBADE);
	/* Unwritten, and a hole. */
	assert_int_equal(
		dax_file_dedupe(disk->file, 0, disk->file, PMD, PAGE), 0);
	assert_int_equal(extent_of(disk->file, PMD_PAGES).type, DAX_IOMAP_HOLE);
	assert_int_equal(extent_of(disk->file, 0).shares, 1);
	dax_file_delete(&other);
}

static void two_places_of_one_space_are_compared(void **state)
{
	struct disk *disk = *state;
	struct dax_space *space = dax_file_space(disk->file);

	disk_write(disk, 0, 7, 4 * PAGE);
	disk_write(disk, 2 * PMD, 7, 2 * PAGE);
	dax_filemap_invalidate_lock(space);
	assert_int_equal(dax_dedupe_file_range_compare(
				 space, PAGE, space, 2 * PMD, 2 * PAGE),
		0);
	assert_int_equal(dax_dedupe_file_range_compare(
				 space, PAGE, space, 2 * PMD, 3 * PAGE),
		-EBADE);
	assert_int_equal(dax_dedupe_file_range_compare(
				 space, PAGE, space, PAGE, 3 * PAGE),
		0);
	dax_filemap_invalidate_unlock(space);
}

static void the_last_pages_may_be_partial_if_both_are(void **state)
{
	struct disk *disk = *state;
	struct dax_file *a = file_of(disk, 7, PAGE + 5);
	struct dax_file *b = file_of(disk, 7, PAGE + 5);
	struct dax_file *c = file_of(disk, 7, PAGE + 6);

	assert_int_equal(dax_file_dedupe(a, 0, c, 0, PAGE + 5), -EINVAL);
	assert_int_equal(dax_file_dedupe(a, PAGE, b, 0, 5), -EINVAL);
	assert_int_equal(dax_file_dedupe(a, 0, b, 0, PAGE + 5), 0);
	assert_same_block(a, 1, b, 1);
	dax_file_delete(&a);
	dax_file_delete(&b);
	dax_file_delete(&c);
}

static void what_is_no_range_of_both_is_refused(void **state)
{
	struct disk *disk = *state;
	struct dax_file *file = disk->file;

	assert_int_equal(dax_file_dedupe(file, 1, file, PMD, PAGE), -EINVAL);
	assert_int_equal(dax_file_dedupe(file, 0, file, 1, PAGE), -EINVAL);
	assert_int_equal(dax_file_dedupe(file, 0, file, PMD, 1), -EINVAL);
	assert_int_equal(
		dax_file_dedupe(file, 0, file, PAGE, 2 * PAGE), -EINVAL);
	assert_int_equal(
		dax_file_dedupe(file, 0, file, 4 * PMD, PAGE), -EINVAL);
	assert_int_equal(
		dax_file_dedupe(file, 3 * PMD, file, 0, 2 * PMD), -EINVAL);
	assert_int_equal(dax_file_dedupe(file, 0, file, PMD, -PAGE), -EINVAL);
	assert_int_equal(dax_file_dedupe(file, 0, file, 0, 0), 0);
}

static void files_of_two_file_systems_share_nothing(void **state)
{
	struct disk *disk = *state;
	void *other = NULL;
	struct disk *second;

	assert_int_equal(disk_setup(&other), 0);
	second = other;
	assert_int_equal(
		dax_file_dedupe(disk->file, 0, second->file, 0, PAGE), -EXDEV);
	disk_teardown(&other);
}

static void what_cannot_be_read_or_flushed_is_not_shared(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, 0);
	struct dax_file *other = file_of(disk, 7, PAGE);

	disk_store(disk, a, 7);
	disk_write(disk, 0, 7, PAGE);
	dax_fs_set_poison(disk->fs, extent_of(other, 0).pfn, 1);
	assert_int_equal(
		dax_file_dedupe(other, 0, disk->file, 0, PAGE), -EHWPOISON);
	dax_fs_set_poison(disk->fs, 0, 0);
	disk_store(disk, a, 7);
	dax_fs_set_flush_error(disk->fs, -EIO);
	assert_int_equal(dax_file_dedupe(other, 0, disk->file, 0, PAGE), -EIO);
	dax_fs_set_flush_error(disk->fs, 0);
	assert_int_equal(extent_of(disk->file, 0).shares, 1);
	assert_int_equal(dax_file_dedupe(other, 0, disk->file, 0, PAGE), 0);
	dax_file_delete(&other);
}

/* How often it had no memory before it did it. */
static unsigned int dedupe_without_memory(
	struct disk *disk, struct dax_file *other, uint64_t pos)
{
	unsigned int n = 0;
	int error;

	do {
		sync_alloc_fail_nth(++n);
		error = dax_file_dedupe(disk->file, pos, other, pos, PAGE);
		sync_alloc_fail_nth(0);
		assert_true(!error || error == -ENOMEM);
		assert_null(dax_fs_verify(disk->fs));
	} while (error);
	return n - 1;
}

/* Of every second page, so that there are ever more extents. */
static void without_memory_a_range_stays_as_it_is(void **state)
{
	struct disk *disk = *state;
	struct dax_file *other = file_of(disk, 7, 4 * PMD);
	const uint64_t a = disk_map_all(disk, 0);
	unsigned int failures = 0;

	disk_write(disk, 0, 7, 4 * PMD);
	for (uint64_t page = 0; page < 16; page += 2) {
		failures += dedupe_without_memory(disk, other, page * PAGE);
		assert_same_block(disk->file, page, other, page);
		assert_int_equal(disk_load(disk, a + page * PAGE), 7);
	}
	assert_true(failures);
	dax_file_delete(&other);
}

#define DEDUPE_TEST(test)                                                      \
	cmocka_unit_test_setup_teardown(test, disk_setup, disk_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		DEDUPE_TEST(equal_ranges_share_the_blocks_of_the_source),
		DEDUPE_TEST(a_store_after_it_is_seen_by_one_only),
		DEDUPE_TEST(ranges_that_differ_stay_as_they_are),
		DEDUPE_TEST(pages_of_one_file_share_a_block),
		DEDUPE_TEST(
			what_is_beside_the_range_keeps_its_bytes_and_is_synced),
		DEDUPE_TEST(each_page_of_the_source_says_whose_it_is),
		DEDUPE_TEST(what_is_not_written_is_equal_to_nothing_but_itself),
		DEDUPE_TEST(two_places_of_one_space_are_compared),
		DEDUPE_TEST(the_last_pages_may_be_partial_if_both_are),
		DEDUPE_TEST(what_is_no_range_of_both_is_refused),
		DEDUPE_TEST(files_of_two_file_systems_share_nothing),
		DEDUPE_TEST(what_cannot_be_read_or_flushed_is_not_shared),
		DEDUPE_TEST(without_memory_a_range_stays_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

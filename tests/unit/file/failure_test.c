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

/* The whole page in the middle is not written either, and so stays bad. */
static void a_write_that_fails_at_a_bad_edge_makes_no_page_good(void **state)
{
	struct disk *disk = *state;

	disk_write(disk, 0, 1, 4 * PAGE);
	dax_fs_memory_failure(disk->fs, pfn_of(disk->file, 1), 2);
	assert_int_equal(write_len(disk, PAGE + 1, 2 * PAGE), -EHWPOISON);
	assert_int_equal(read_byte(disk, 2 * PAGE), -EHWPOISON);
	assert_int_equal(write_len(disk, 2 * PAGE - 1, PAGE + 1), -EHWPOISON);
	assert_int_equal(read_byte(disk, 2 * PAGE), -EHWPOISON);
	assert_int_equal(write_len(disk, PAGE, 2 * PAGE - 1), -EHWPOISON);
	assert_int_equal(read_byte(disk, PAGE), -EHWPOISON);
	assert_int_equal(write_len(disk, PAGE, 2 * PAGE), 0);
	assert_int_equal(read_byte(disk, PAGE), 0);
}

/* ---- shared by files and processes ---- */

#define SHARERS 3

/* The disk's file and two clones, each shown in an address space of its own,
 * once with huge pages and once without. */
struct sharers {
	struct dax_file *files[SHARERS];
	struct dax_mm *mms[SHARERS];
	uint64_t huge[SHARERS];
	uint64_t small[SHARERS];
};

static uint64_t map_in(
	struct dax_mm *mm, struct dax_file *file, unsigned int flags)
{
	const struct dax_vma_params params = {
		.space = dax_file_space(file), .len = PMD, .flags = flags};
	uint64_t address;

	assert_int_equal(dax_mmap(mm, &params, &address), 0);
	return address;
}

static void share(struct sharers *sharers, struct disk *disk)
{
	disk_write(disk, 0, 1, PMD);
	for (unsigned int i = 0; i < SHARERS; i++) {
		sharers->files[i] = disk->file;
		if (i)
			assert_int_equal(
				dax_file_clone(disk->file, &sharers->files[i]),
				0);
		assert_int_equal(dax_mm_new(NULL, &sharers->mms[i]), 0);
		sharers->huge[i] = map_in(sharers->mms[i], sharers->files[i],
			DAX_VMA_SHARED | DAX_VMA_WRITE);
		sharers->small[i] = map_in(sharers->mms[i], sharers->files[i],
			DAX_VMA_SHARED | DAX_VMA_NOHUGEPAGE);
	}
}

static void share_no_more(struct sharers *sharers)
{
	for (unsigned int i = 0; i < SHARERS; i++)
		dax_mm_delete(&sharers->mms[i]);
	for (unsigned int i = 1; i < SHARERS; i++)
		dax_file_delete(&sharers->files[i]);
}

/* What a load of page @index of an area does. */
static int load_in(struct dax_mm *mm, uint64_t area, uint64_t index)
{
	char byte;

	return dax_load(mm, area + index * PAGE, &byte, 1);
}

static unsigned int leaf_in(struct dax_mm *mm, uint64_t address)
{
	struct dax_leaf leaf;

	dax_mm_leaf(mm, address, &leaf);
	return leaf.flags;
}

static void touch_small(const struct sharers *sharers, uint64_t index)
{
	for (unsigned int i = 0; i < SHARERS; i++)
		assert_int_equal(
			load_in(sharers->mms[i], sharers->small[i], index), 0);
}

static void a_bad_page_is_found_in_each_file_that_shares_it(void **state)
{
	struct disk *disk = *state;
	struct sharers sharers;

	share(&sharers, disk);
	/* Entries of pages. */
	touch_small(&sharers, 1);
	touch_small(&sharers, 2);
	dax_fs_memory_failure(disk->fs, pfn_of(sharers.files[1], 1), 1);
	for (unsigned int i = 0; i < SHARERS; i++) {
		struct dax_mm *mm = sharers.mms[i];

		assert_int_equal(leaf_in(mm, sharers.small[i] + PAGE), 0);
		assert_int_not_equal(
			leaf_in(mm, sharers.small[i] + 2 * PAGE), 0);
		assert_int_equal(load_in(mm, sharers.small[i], 1), -EHWPOISON);
		assert_int_equal(load_in(mm, sharers.huge[i], 1), -EHWPOISON);
		assert_int_equal(load_in(mm, sharers.huge[i], 2), 0);
	}
	share_no_more(&sharers);
}

/* Entries of the whole range; what shows them goes as a whole. */
static void it_is_found_in_their_large_entries(void **state)
{
	struct disk *disk = *state;
	struct sharers sharers;

	share(&sharers, disk);
	for (unsigned int i = 0; i < SHARERS; i++) {
		assert_int_equal(
			load_in(sharers.mms[i], sharers.huge[i], 0), 0);
		assert_true(leaf_in(sharers.mms[i], sharers.huge[i]) &
			    DAX_LEAF_PMD);
	}
	touch_small(&sharers, 1);
	dax_fs_memory_failure(disk->fs, pfn_of(sharers.files[2], 1), 1);
	for (unsigned int i = 0; i < SHARERS; i++) {
		struct dax_mm *mm = sharers.mms[i];

		assert_int_equal(leaf_in(mm, sharers.huge[i]), 0);
		assert_int_equal(leaf_in(mm, sharers.small[i] + PAGE), 0);
		assert_int_equal(load_in(mm, sharers.huge[i], 1), -EHWPOISON);
		assert_int_equal(load_in(mm, sharers.huge[i], 0), 0);
	}
	share_no_more(&sharers);
}

static void who_has_moved_away_from_a_bad_page_keeps_his_own(void **state)
{
	struct disk *disk = *state;
	struct sharers sharers;

	share(&sharers, disk);
	touch_small(&sharers, 1);
	assert_int_equal(
		dax_store(sharers.mms[1], sharers.huge[1] + PAGE, "x", 1), 0);
	dax_fs_memory_failure(disk->fs, pfn_of(sharers.files[0], 1), 1);
	assert_int_equal(
		load_in(sharers.mms[0], sharers.huge[0], 1), -EHWPOISON);
	assert_int_equal(load_in(sharers.mms[1], sharers.huge[1], 1), 0);
	assert_int_equal(
		load_in(sharers.mms[2], sharers.huge[2], 1), -EHWPOISON);
	/* Nobody has what it held: it cannot be copied either. */
	assert_int_equal(
		dax_store(sharers.mms[2], sharers.huge[2] + PAGE, "x", 1),
		-EHWPOISON);
	share_no_more(&sharers);
}

static void a_private_copy_of_a_bad_page_stays(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map(disk, 0, PMD, DAX_VMA_WRITE);

	disk_write(disk, 0, 1, 2 * PAGE);
	disk_store(disk, a, 2);
	assert_int_equal(disk_load(disk, a + PAGE), 1);
	dax_fs_memory_failure(disk->fs, pfn_of(disk->file, 0), 2);
	assert_int_equal(disk_load(disk, a), 2);
	assert_int_equal(load(disk, a + PAGE), -EHWPOISON);
}

static void a_range_of_pages_fails_as_one(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, DAX_VMA_NOHUGEPAGE);

	disk_write(disk, 0, 1, PMD);
	for (uint64_t i = 0; i < PMD_PAGES; i++)
		assert_int_equal(disk_load(disk, a + i * PAGE), 1);
	dax_fs_memory_failure(disk->fs, pfn_of(disk->file, 1), PMD_PAGES - 2);
	for (uint64_t i = 0; i < PMD_PAGES; i++) {
		const bool is_bad = i - 1 < PMD_PAGES - 2;

		assert_int_equal(disk_leaf(disk, a + i * PAGE) == 0, is_bad);
		assert_int_equal(
			load(disk, a + i * PAGE), is_bad ? -EHWPOISON : 0);
	}
}

/* ---- pins ---- */

static int pin(struct disk *disk, uint64_t address, struct dax_pinned *page)
{
	const struct dax_pin_params params = {
		.address = address, .nr = 1, .flags = DAX_PIN_WRITE};
	size_t done;

	return dax_pin_pages(disk->mm, &params, page, &done);
}

static void a_bad_page_is_not_pinned_and_pins_of_it_stay(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, 0);
	const uint64_t b = disk_map_all(disk, DAX_VMA_NOHUGEPAGE);
	struct dax_pinned before, page;

	disk_store(disk, a, 1);
	assert_int_equal(pin(disk, a + PAGE, &before), 0);
	dax_fs_memory_failure(disk->fs, pfn_of(disk->file, 1), 1);
	assert_int_equal(pin(disk, a + PAGE, &page), -EHWPOISON);
	assert_int_equal(pin(disk, b + PAGE, &page), -EHWPOISON);
	assert_int_equal(pin(disk, a, &page), 0);
	dax_unpin_pages(&page, 1);
	assert_false(dax_page_is_idle(
		dax_fs_pgmap(disk->fs), pfn_of(disk->file, 1)));
	dax_unpin_pages(&before, 1);
}

/* ---- writeback ---- */

/* As in fs/dax.c dax_writeback_one(), v6.12, which asks nobody: what was stored
 * is lost, and the page says so to whoever reads it. */
static void an_fsync_cleans_a_bad_page_without_an_error(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, 0);
	const uint64_t b = disk_map_all(disk, DAX_VMA_NOHUGEPAGE);

	disk_store(disk, a, 1);
	disk_store(disk, b + PMD, 1);
	assert_true(disk_dirty(disk, 0));
	assert_true(disk_dirty(disk, PMD_PAGES));
	dax_fs_memory_failure(disk->fs, pfn_of(disk->file, 1), 1);
	dax_fs_memory_failure(disk->fs, pfn_of(disk->file, PMD_PAGES), 1);
	assert_true(disk_dirty(disk, 0));
	assert_true(disk_dirty(disk, PMD_PAGES));
	disk_sync(disk);
	assert_false(disk_dirty(disk, 0));
	assert_false(disk_dirty(disk, PMD_PAGES));
	assert_int_equal(load(disk, a + PAGE), -EHWPOISON);
	assert_int_equal(load(disk, b + PMD), -EHWPOISON);
}

static void an_fsync_that_cannot_flush_a_bad_page_keeps_its_tag(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, DAX_VMA_NOHUGEPAGE);

	disk_store(disk, a, 1);
	dax_fs_memory_failure(disk->fs, pfn_of(disk->file, 0), 1);
	dax_fs_set_flush_error(disk->fs, -EIO);
	assert_int_equal(dax_file_sync(disk->file, DAX_SYNC_ALL, 0, 0), -EIO);
	assert_true(disk_dirty(disk, 0));
	dax_fs_set_flush_error(disk->fs, 0);
	disk_sync(disk);
	assert_false(disk_dirty(disk, 0));
	assert_int_equal(load(disk, a), -EHWPOISON);
}

/* ---- good again ---- */

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

/* ---- pages that are bad and shared ---- */

/* Page 1 of the disk's file, which has a clone. */
static struct dax_file *share_and_fail(struct disk *disk)
{
	struct dax_file *clone;

	disk_write(disk, 0, 1, 3 * PAGE);
	assert_int_equal(dax_file_clone(disk->file, &clone), 0);
	dax_fs_memory_failure(disk->fs, pfn_of(disk->file, 1), 1);
	return clone;
}

/* It is the clone's alone, and bad; the disk's file has another, and what it
 * had beside it. */
static void assert_left_to(struct disk *disk, struct dax_file *clone)
{
	const uint64_t a = disk_map_all(disk, DAX_VMA_NOHUGEPAGE);
	struct dax_extent bad;
	size_t done;
	char byte;

	assert_int_equal(disk_load(disk, a), 1);
	assert_int_equal(disk_load(disk, a + PAGE), 0);
	assert_int_equal(disk_load(disk, a + 2 * PAGE), 1);
	dax_file_extent(clone, 1, &bad);
	assert_int_equal(bad.shares, 1);
	assert_int_equal(
		dax_file_read(clone, PAGE, &byte, 1, &done), -EHWPOISON);
}

static void what_is_zeroed_leaves_its_bad_page_to_others(void **state)
{
	struct disk *disk = *state;
	struct dax_file *clone = share_and_fail(disk);

	disk_change(disk, DAX_FILE_ZERO, PAGE, PAGE);
	assert_left_to(disk, clone);
	dax_file_delete(&clone);
}

static void so_does_what_is_punched(void **state)
{
	struct disk *disk = *state;
	struct dax_file *clone = share_and_fail(disk);

	disk_change(disk, DAX_FILE_PUNCH, PAGE, PAGE);
	assert_left_to(disk, clone);
	dax_file_delete(&clone);
}

static void so_does_what_is_written_anew(void **state)
{
	struct disk *disk = *state;
	struct dax_file *clone = share_and_fail(disk);

	assert_int_equal(write_len(disk, PAGE, PAGE - 1), -EHWPOISON);
	assert_int_equal(read_byte(disk, PAGE), -EHWPOISON);
	assert_int_equal(write_len(disk, PAGE, PAGE), 0);
	assert_left_to(disk, clone);
	dax_file_delete(&clone);
}

/* From the middle of a page that is good on. */
static void and_what_is_written_beside_it_is_kept(void **state)
{
	struct disk *disk = *state;
	struct dax_file *clone = share_and_fail(disk);

	assert_int_equal(write_len(disk, PAGE - 5, PAGE + 5), 0);
	assert_int_equal(read_byte(disk, PAGE - 5), 0);
	assert_left_to(disk, clone);
	dax_file_delete(&clone);
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
		FAILURE_TEST(
			a_write_that_fails_at_a_bad_edge_makes_no_page_good),
		FAILURE_TEST(a_bad_page_is_found_in_each_file_that_shares_it),
		FAILURE_TEST(it_is_found_in_their_large_entries),
		FAILURE_TEST(who_has_moved_away_from_a_bad_page_keeps_his_own),
		FAILURE_TEST(a_private_copy_of_a_bad_page_stays),
		FAILURE_TEST(a_range_of_pages_fails_as_one),
		FAILURE_TEST(a_bad_page_is_not_pinned_and_pins_of_it_stay),
		FAILURE_TEST(an_fsync_cleans_a_bad_page_without_an_error),
		FAILURE_TEST(
			an_fsync_that_cannot_flush_a_bad_page_keeps_its_tag),
		FAILURE_TEST(writing_all_of_a_bad_page_makes_it_good),
		FAILURE_TEST(a_punched_page_comes_back_good),
		FAILURE_TEST(what_is_zeroed_leaves_its_bad_page_to_others),
		FAILURE_TEST(so_does_what_is_punched),
		FAILURE_TEST(so_does_what_is_written_anew),
		FAILURE_TEST(and_what_is_written_beside_it_is_kept),
		FAILURE_TEST(what_is_not_the_devices_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

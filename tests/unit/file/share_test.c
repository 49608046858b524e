/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two files that share blocks, with one of them mapped: a store to it is not
 * seen in the other, none is lost, and no block is given back while somebody
 * can reach it.
 */
#include "file/file.h"
#include "pgmap/pgmap.h"
#include "support/disk.h"

/* ---- a file and its clone ---- */

static struct dax_file *clone_of(struct disk *disk)
{
	struct dax_file *clone;

	assert_int_equal(dax_file_clone(disk->file, &clone), 0);
	return clone;
}

static unsigned int shares(struct dax_file *file, dax_pgoff_t index)
{
	struct dax_extent extent;

	dax_file_extent(file, index, &extent);
	return extent.shares;
}

/* ---- blocks ---- */

static void blocks_are_given_back_when_nobody_shows_them(void **state)
{
	struct disk *disk = *state;
	struct dax_iomap iomap = {.len = PAGE};
	struct dax_file *clone;

	disk_write(disk, 0, 1, PAGE);
	clone = clone_of(disk);
	assert_int_equal(
		file_space_ops.iomap_begin(disk->file, DAX_IOMAP_WRITE, &iomap),
		0);
	assert_int_equal(iomap.flags & DAX_IOMAP_SHARED, DAX_IOMAP_SHARED);
	assert_int_equal(shares(clone, 0), 2);
	file_space_ops.iomap_end(disk->file, &iomap);
	assert_int_equal(shares(clone, 0), 1);
	dax_file_delete(&clone);
}

/* The extents were durable before, the block goes with the transaction that
 * runs by now: so the file has a part in that one. */
static void what_is_given_back_late_is_free_after_the_next_sync(void **state)
{
	struct disk *disk = *state;
	struct dax_iomap iomap = {.len = PAGE};
	struct dax_file *clone;
	uint64_t left;

	disk_write(disk, 0, 1, PAGE);
	clone = clone_of(disk);
	assert_int_equal(
		file_space_ops.iomap_begin(disk->file, DAX_IOMAP_WRITE, &iomap),
		0);
	dax_file_delete(&clone);
	disk_sync(disk);
	left = dax_fs_free_blocks(disk->fs);
	file_space_ops.iomap_end(disk->file, &iomap);
	disk_sync(disk);
	assert_int_equal(dax_fs_free_blocks(disk->fs), left + 1);
}

/* ---- entries ---- */

/* A PMD whose first page is shared no more: it is dirty, through its entry. */
static struct dax_file *dirty_and_shared(struct disk *disk, uint64_t a)
{
	struct dax_file *clone;

	disk_write(disk, 0, 1, PMD);
	clone = clone_of(disk);
	assert_int_equal(dax_file_change(clone, DAX_FILE_PUNCH, 0, PAGE), 0);
	assert_int_equal(disk_load(disk, a), 1);
	disk_store(disk, a, 2);
	return clone;
}

static void a_page_that_moves_leaves_no_stale_entry(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, 0);
	struct dax_file *clone = dirty_and_shared(disk, a);

	assert_true(dax_is_pmd_entry(disk_word(disk, 0)));
	assert_true(disk_dirty(disk, 0));
	disk_store(disk, a + PMD - PAGE, 3);
	assert_null(dax_fs_verify(disk->fs));
	assert_int_equal(disk_load(disk, a), 2);
	assert_int_equal(disk_load(disk, a + PMD - PAGE), 3);
	dax_file_delete(&clone);
}

/* The same file, seen through a space whose flushes of PMDs are counted. */
static unsigned int pmds_flushed;

static int count_and_flush(void *owner, uint64_t pfn, uint64_t nr)
{
	pmds_flushed += nr == PMD_PAGES;
	return file_space_ops.flush(owner, pfn, nr);
}

static struct dax_space *counted_space(
	struct disk *disk, struct dax_space_ops *ops)
{
	const struct dax_space_params params = {
		.ops = ops, .owner = disk->file};
	struct dax_space *space;

	*ops = file_space_ops;
	ops->flush = count_and_flush;
	pmds_flushed = 0;
	assert_int_equal(dax_space_new(&params, &space), 0);
	return space;
}

/* Their entry loses its tag: they are made durable before. */
static void what_moves_takes_no_tag_from_its_neighbours(void **state)
{
	struct disk *disk = *state;
	struct dax_space_ops ops;
	struct dax_space *space = counted_space(disk, &ops);
	const struct dax_vma_params params = {
		.space = space, .len = PMD, .flags = DISK_SHARED};
	struct dax_file *clone;
	uint64_t a;

	assert_int_equal(dax_mmap(disk->mm, &params, &a), 0);
	clone = dirty_and_shared(disk, a);
	disk_store(disk, a + PMD - PAGE, 3);
	assert_int_equal(pmds_flushed, 1);
	assert_int_equal(dax_munmap(disk->mm, a, PMD), 0);
	dax_space_delete(&space);
	dax_file_delete(&clone);
}

/* Half of what a PMD needs: what has moved is shown by pages. */
static void a_pmd_store_that_falls_back_leaves_no_stale_entry(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, 0);
	struct dax_file *clone, *rest;

	disk_write(disk, 0, 1, PMD);
	clone = clone_of(disk);
	assert_int_equal(disk_load(disk, a), 1);
	rest = disk_fill(disk, PMD_PAGES / 2);
	disk_store(disk, a, 2);
	assert_null(dax_fs_verify(disk->fs));
	assert_int_equal(disk_load(disk, a), 2);
	assert_int_equal(shares(disk->file, 0), 1);
	assert_int_equal(shares(disk->file, PMD_PAGES - 1), 2);
	dax_file_delete(&clone);
	dax_file_delete(&rest);
}

/* The entry is dirty: an invalidation would let it stay. */
static void a_write_to_a_shared_page_is_seen_under_a_dirty_entry(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, 0);
	struct dax_file *clone = dirty_and_shared(disk, a);

	disk_write(disk, PMD - PAGE, 4, 1);
	assert_null(dax_fs_verify(disk->fs));
	assert_int_equal(disk_load(disk, a), 2);
	assert_int_equal(disk_load(disk, a + PMD - PAGE), 4);
	dax_file_delete(&clone);
}

static int punch_inside(struct dax_file *file)
{
	return dax_file_change(file, DAX_FILE_PUNCH, PAGE / 2, 1);
}

static int zero_inside(struct dax_file *file)
{
	return dax_file_change(file, DAX_FILE_ZERO, PAGE / 2, 1);
}

static int cut_inside(struct dax_file *file)
{
	return dax_file_truncate(file, PAGE / 2);
}

/* A page of which a part is zeroed moves, too, and stays shown by nobody. */
static void what_is_zeroed_in_a_shared_page_is_zero_for_all(void **state)
{
	static int (*const deeds[])(struct dax_file * file) = {
		punch_inside, zero_inside, cut_inside};
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, 0);

	for (size_t i = 0; i < ARRAY_SIZE(deeds); i++) {
		struct dax_file *clone;

		disk_write(disk, 0, 1, PMD);
		clone = clone_of(disk);
		assert_int_equal(disk_load(disk, a + PAGE / 2), 1);
		assert_int_equal(deeds[i](disk->file), 0);
		assert_int_equal(dax_file_truncate(disk->file, 4 * PMD), 0);
		assert_null(dax_fs_verify(disk->fs));
		assert_int_equal(shares(clone, 0), 1);
		assert_int_equal(disk_load(disk, a + PAGE / 2), 0);
		assert_int_equal(disk_load(disk, a), 1);
		dax_file_delete(&clone);
	}
}

/* ---- pages ---- */

static uint64_t map_small(
	struct disk *disk, struct dax_file *file, uint64_t len)
{
	const struct dax_vma_params params = {
		.space = dax_file_space(file),
		.len = len,
		.flags = DISK_SHARED | DAX_VMA_NOHUGEPAGE,
	};
	uint64_t address = 0;

	assert_int_equal(dax_mmap(disk->mm, &params, &address), 0);
	return address;
}

static uint64_t pfn_of(struct dax_file *file, dax_pgoff_t index)
{
	struct dax_extent extent;

	dax_file_extent(file, index, &extent);
	return extent.pfn;
}

static enum dax_page_owned owned(struct disk *disk, uint64_t pfn)
{
	struct dax_page_owner owner;

	return dax_page_owner(dax_fs_pgmap(disk->fs), pfn, &owner);
}

/* How many pages count as one with the first of @file. */
static uint64_t counts_for(struct disk *disk, struct dax_file *file)
{
	return page_counts_for(dax_fs_pgmap(disk->fs), pfn_of(file, 0));
}

static void pages_are_shared_while_their_blocks_are(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, 0);
	struct dax_file *clone;
	uint64_t b, pfn;

	disk_write(disk, 0, 1, PMD);
	assert_int_equal(disk_load(disk, a), 1);
	assert_int_equal(counts_for(disk, disk->file), PMD_PAGES);
	clone = clone_of(disk);
	b = map_small(disk, clone, PMD);
	assert_int_equal(disk_load(disk, a), 1);
	assert_int_equal(disk_load(disk, b), 1);
	pfn = pfn_of(disk->file, 0);
	assert_int_equal(counts_for(disk, disk->file), 1);
	assert_int_equal(owned(disk, pfn), DAX_PAGE_OWNERS);
	assert_int_equal(owned(disk, pfn + 1), DAX_PAGE_OWNED);
	assert_int_equal(dax_munmap(disk->mm, b, PMD), 0);
	dax_file_delete(&clone);
	assert_int_equal(owned(disk, pfn), DAX_PAGE_OWNED);
	/* And one again, as soon as it is claimed anew. */
	assert_int_equal(dax_munmap(disk->mm, a, 4 * PMD), 0);
	dax_space_evict(dax_file_space(disk->file));
	assert_int_equal(disk_load(disk, disk_map_all(disk, 0)), 1);
	assert_int_equal(counts_for(disk, disk->file), PMD_PAGES);
}

static void who_shares_nothing_does_not_pay(void **state)
{
	struct disk *disk = *state;
	struct dax_file *clone, *other;
	struct dax_vma_params params = {.len = PMD, .flags = DISK_SHARED};
	uint64_t c = 0;

	disk_write(disk, 0, 1, PMD);
	clone = clone_of(disk);
	assert_int_equal(dax_file_new(disk->fs, &other), 0);
	assert_int_equal(dax_file_change(other, DAX_FILE_ALLOCATE, 0, PMD), 0);
	params.space = dax_file_space(other);
	assert_int_equal(dax_mmap(disk->mm, &params, &c), 0);
	disk_store(disk, c, 1);
	assert_int_equal(counts_for(disk, other), PMD_PAGES);
	assert_int_equal(dax_munmap(disk->mm, c, PMD), 0);
	dax_file_delete(&other);
	dax_file_delete(&clone);
}

/* The clone is gone, and who pinned its page is not. */
static void a_page_that_is_pinned_still_counts_by_itself(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, 0);
	struct dax_pin_params params = {.nr = 1};
	struct dax_pinned page;
	struct dax_file *clone;
	size_t done;

	disk_write(disk, 0, 1, PMD);
	clone = clone_of(disk);
	params.address = map_small(disk, clone, PMD) + PAGE;
	assert_int_equal(dax_pin_pages(disk->mm, &params, &page, &done), 0);
	disk_store(disk, params.address, 2);
	assert_int_equal(shares(disk->file, 1), 1);
	assert_int_equal(dax_munmap(disk->mm, params.address - PAGE, PMD), 0);
	assert_int_equal(dax_file_change(clone, DAX_FILE_PUNCH, 0, PMD), 0);
	assert_int_equal(disk_load(disk, a), 1);
	assert_true(dax_is_pmd_entry(disk_word(disk, 0)));
	assert_int_equal(dax_page_count(dax_fs_pgmap(disk->fs), page.pfn), 2);
	assert_int_equal(owned(disk, page.pfn), DAX_PAGE_OWNED);
	dax_unpin_pages(&page, 1);
	dax_file_delete(&clone);
}

/* One file had it as a whole, the other has a page of it: a file that never
 * shared anything gets the rest. */
static void a_range_that_was_shared_can_be_used_in_part(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, 0);
	struct dax_file *clone, *other;
	uint64_t b, c;

	disk_write(disk, 0, 1, PMD);
	assert_int_equal(dax_file_clone(disk->file, &clone), 0);
	b = map_small(disk, clone, PMD);
	assert_int_equal(disk_load(disk, a), 1);
	assert_int_equal(disk_load(disk, b), 1);
	assert_int_equal(dax_file_truncate(clone, PAGE), 0);
	assert_int_equal(dax_file_truncate(disk->file, 0), 0);
	disk_sync(disk);
	other = disk_fill(disk, 0);
	c = map_small(disk, other, dax_file_size(other));
	assert_int_equal(dax_madvise(disk->mm, c, dax_file_size(other),
				 DAX_POPULATE_WRITE),
		0);
	assert_int_equal(disk_load(disk, b), 1);
	assert_int_equal(dax_munmap(disk->mm, c, dax_file_size(other)), 0);
	assert_int_equal(dax_munmap(disk->mm, b, PMD), 0);
	dax_file_delete(&other);
	dax_file_delete(&clone);
}

#define SHARE_TEST(test)                                                       \
	cmocka_unit_test_setup_teardown(test, disk_setup, disk_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SHARE_TEST(blocks_are_given_back_when_nobody_shows_them),
		SHARE_TEST(what_is_given_back_late_is_free_after_the_next_sync),
		SHARE_TEST(a_page_that_moves_leaves_no_stale_entry),
		SHARE_TEST(what_moves_takes_no_tag_from_its_neighbours),
		SHARE_TEST(pages_are_shared_while_their_blocks_are),
		SHARE_TEST(who_shares_nothing_does_not_pay),
		SHARE_TEST(a_page_that_is_pinned_still_counts_by_itself),
		SHARE_TEST(a_range_that_was_shared_can_be_used_in_part),
		SHARE_TEST(a_pmd_store_that_falls_back_leaves_no_stale_entry),
		SHARE_TEST(
			a_write_to_a_shared_page_is_seen_under_a_dirty_entry),
		SHARE_TEST(what_is_zeroed_in_a_shared_page_is_zero_for_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Claim: what is pinned stays the file's until it is unpinned, whoever would
 * take it away (museum H1 to H10).
 */
#include "pgmap/pgmap.h"
#include "support/crew.h"
#include "support/disk.h"

static int pin_as(struct disk *disk, uint64_t address, unsigned int flags,
	enum dax_pin_term term, struct dax_pinned *page)
{
	const struct dax_pin_params params = {
		.address = address,
		.nr = 1,
		.flags = flags,
		.term = term,
		.holder = "test",
	};
	size_t done = 0;
	const int error = dax_pin_pages(disk->mm, &params, page, &done);

	assert_int_equal(done, !error);
	return error;
}

static struct dax_pinned pin(
	struct disk *disk, uint64_t address, unsigned int flags)
{
	struct dax_pinned page;

	assert_int_equal(pin_as(disk, address, flags, DAX_PIN_SHORT, &page), 0);
	return page;
}

/* ---- pinning ---- */

static void a_pin_has_the_bytes_of_the_file(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, 0);
	struct dax_pinned page;

	disk_write(disk, 0, 7, PMD);
	page = pin(disk, a + PAGE + 5, 0);
	assert_int_equal(*(unsigned char *)page.bytes, 7);
	assert_int_equal(page.pfn, dax_to_pfn(disk_word(disk, 0)) + 1);
	dax_unpin_pages(&page, 1);
}

static void a_pin_for_writing_makes_the_entry_dirty(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, 0);
	struct dax_pinned page;

	disk_write(disk, 0, 7, PAGE);
	assert_int_equal(disk_load(disk, a), 7);
	assert_false(disk_dirty(disk, 0));
	page = pin(disk, a, DAX_PIN_WRITE);
	assert_true(disk_dirty(disk, 0));
	*(unsigned char *)page.bytes = 8;
	dax_unpin_pages(&page, 1);
	assert_int_equal(disk_load(disk, a), 8);
}

static void a_range_is_pinned_as_far_as_it_goes(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map(disk, 0, 2 * PAGE, DISK_SHARED);
	const struct dax_pin_params params = {
		.address = a, .nr = 4, .flags = DAX_PIN_WRITE};
	struct dax_pinned pages[4];
	size_t done;

	assert_int_equal(dax_pin_pages(disk->mm, &params, pages, &done), 0);
	assert_int_equal(done, 2);
	dax_unpin_pages(pages, done);
}

static void what_has_no_page_of_the_file_is_refused(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, 0);
	const uint64_t copy = disk_map(disk, 0, PMD, DAX_VMA_WRITE);
	const uint64_t read = disk_map(disk, 0, PMD, DAX_VMA_SHARED);
	struct dax_pinned page;

	assert_int_equal(pin_as(disk, a, 0, DAX_PIN_SHORT, &page), -EOPNOTSUPP);
	assert_int_equal(
		pin_as(disk, copy, DAX_PIN_WRITE, DAX_PIN_SHORT, &page),
		-EOPNOTSUPP);
	assert_int_equal(
		pin_as(disk, read, DAX_PIN_WRITE, DAX_PIN_SHORT, &page),
		-EFAULT);
	assert_int_equal(pin_as(disk, a, DAX_PIN_FAST | DAX_PIN_WRITE,
				 DAX_PIN_SHORT, &page),
		-EAGAIN);
	disk_store(disk, a, 1);
	assert_int_equal(
		pin_as(disk, a, 0, DAX_PIN_LONGTERM, &page), -EOPNOTSUPP);
}

/* ---- breaking layouts ---- */

static int break_file(struct disk *disk, const struct dax_break *how)
{
	struct dax_space *space = dax_file_space(disk->file);
	int error;

	dax_filemap_invalidate_lock(space);
	error = dax_break_layouts(space, how);
	dax_filemap_invalidate_unlock(space);
	return error;
}

static void a_range_with_a_pin_is_not_given_up(void **state)
{
	static const struct dax_wait_limit long_past = {.deadline_ns = 1};
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, DAX_VMA_NOHUGEPAGE);
	const struct dax_break all = {
		.last = UINT64_MAX, .mode = DAX_BREAK_TRY};
	const struct dax_break beside = {
		.first = 1, .last = 3, .mode = DAX_BREAK_TRY};
	const struct dax_break timed = {
		.last = UINT64_MAX, .limit = &long_past};
	struct dax_pinned page = pin(disk, a, DAX_PIN_WRITE);

	assert_int_equal(break_file(disk, &all), -ERESTART);
	assert_int_equal(break_file(disk, &timed), -ETIMEDOUT);
	assert_int_equal(break_file(disk, &beside), 0);
	assert_int_equal(disk_leaf(disk, a), 0);
	/* It can be used again, and so can the pin. */
	disk_store(disk, a, 3);
	assert_int_equal(*(unsigned char *)page.bytes, 3);
	dax_unpin_pages(&page, 1);
	assert_int_equal(break_file(disk, &all), 0);
}

static void drop(void *context)
{
	struct disk *disk = context;

	dax_filemap_invalidate_unlock(dax_file_space(disk->file));
}

struct holder {
	struct disk *disk;
	struct dax_pinned page;
	unsigned int drops;
};

static void drop_and_unpin(void *context)
{
	struct holder *holder = context;

	holder->drops++;
	drop(holder->disk);
	dax_unpin_pages(&holder->page, 1);
}

static void retake(void *context)
{
	struct holder *holder = context;

	dax_filemap_invalidate_lock(dax_file_space(holder->disk->file));
}

static void the_callers_locks_are_dropped_for_the_wait(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, 0);
	struct holder holder = {.disk = disk};
	const struct dax_break how = {
		.last = UINT64_MAX,
		.unlock = drop_and_unpin,
		.lock = retake,
		.context = &holder,
	};

	holder.page = pin(disk, a, DAX_PIN_WRITE);
	assert_int_equal(break_file(disk, &how), 0);
	assert_int_equal(holder.drops, 1);
}

static void unpin_when_told(void *context, const struct dax_stuck *stuck)
{
	struct holder *holder = context;

	if (stuck->pfn == holder->page.pfn && stuck->references == 1)
		dax_unpin_pages(&holder->page, 1);
}

/* One thread is enough: it would wait for itself for ever. */
static void who_takes_away_is_told_who_holds_what_for_long(void **state)
{
	struct disk *disk = *state;
	struct dax_pgmap *pgmap = dax_fs_pgmap(disk->fs);
	const uint64_t a = disk_map_all(disk, DAX_VMA_NOHUGEPAGE);
	struct holder holder = {.disk = disk};

	holder.page = pin(disk, a, DAX_PIN_WRITE);
	dax_pgmap_on_stuck(pgmap, 1, unpin_when_told, &holder);
	assert_int_equal(dax_file_truncate(disk->file, 0), 0);
	dax_pgmap_on_stuck(pgmap, 0, NULL, NULL);
}

/* ---- calls that take pages away ---- */

static void truncate_all(struct crew_member *me)
{
	struct disk *disk = me->shared;

	crew_check(me, !dax_file_truncate(disk->file, 0));
}

static void punch_all(struct crew_member *me)
{
	struct disk *disk = me->shared;

	crew_check(
		me, !dax_file_change(disk->file, DAX_FILE_PUNCH, 0, 4 * PMD));
}

static void clone_all(struct crew_member *me)
{
	struct disk *disk = me->shared;
	struct dax_file *clone;

	crew_check(me, !dax_file_clone(disk->file, &clone));
	dax_file_delete(&clone);
}

/* What differs is found when nobody can store it any more. */
static void dedupe_all(struct crew_member *me)
{
	struct disk *disk = me->shared;

	crew_check(me, dax_file_dedupe(disk->file, 0, disk->file, 2 * PMD,
			       2 * PMD) == -EBADE);
}

static void unshare_all(struct crew_member *me)
{
	struct disk *disk = me->shared;

	crew_check(me, !dax_file_unshare(disk->file, 0, 4 * PMD));
}

static void delete_all(struct crew_member *me)
{
	struct disk *disk = me->shared;

	dax_file_delete(&disk->file);
}

static bool somebody_waits(struct disk *disk, uint64_t pfn)
{
	return page_head(dax_fs_pgmap(disk->fs), pfn).state & PAGE_WAITERS;
}

/* The area is gone, too: a pin needs none. */
static void waits_for_a_pin(
	struct disk *disk, void (*take_away)(struct crew_member *me))
{
	const uint64_t a = disk_map_all(disk, 0);
	struct dax_pinned page = pin(disk, a, DAX_PIN_WRITE);
	struct dax_extent extent;
	struct crew crew;

	assert_int_equal(dax_munmap(disk->mm, a, 4 * PMD), 0);
	crew_start(&crew, 1, take_away, disk);
	crew_await(somebody_waits(disk, page.pfn));
	dax_file_extent(disk->file, 0, &extent);
	assert_int_equal(extent.pfn, page.pfn);
	assert_int_equal(extent.shares, 1);
	dax_unpin_pages(&page, 1);
	crew_assert_content(&crew);
}

static void truncate_waits_for_a_pin(void **state)
{
	waits_for_a_pin(*state, truncate_all);
}

static void punch_waits_for_a_pin(void **state)
{
	waits_for_a_pin(*state, punch_all);
}

static void clone_waits_for_a_pin(void **state)
{
	waits_for_a_pin(*state, clone_all);
}

static void dedupe_waits_for_a_pin(void **state)
{
	waits_for_a_pin(*state, dedupe_all);
}

static void dedupe_ends(struct crew_member *me)
{
	struct disk *disk = me->shared;

	crew_check(
		me, !dax_file_dedupe(disk->file, 0, disk->file, 2 * PMD, PAGE));
}

/* While it waits for a pin of the second, the first is pinned. */
static void dedupe_breaks_both_layouts_anew_after_a_wait(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, DAX_VMA_NOHUGEPAGE);
	struct dax_pinned first, second;
	struct crew crew;

	disk_store(disk, a, 7);
	assert_int_equal(pin_as(disk, a + 2 * PMD, DAX_PIN_WRITE, DAX_PIN_SHORT,
				 &second),
		0);
	crew_start(&crew, 1, dedupe_ends, disk);
	crew_await(somebody_waits(disk, second.pfn));
	assert_int_equal(
		pin_as(disk, a, DAX_PIN_WRITE, DAX_PIN_SHORT, &first), 0);
	dax_unpin_pages(&second, 1);
	crew_await(somebody_waits(disk, first.pfn));
	*(unsigned char *)first.bytes = 0;
	dax_unpin_pages(&first, 1);
	crew_assert_content(&crew);
	assert_int_equal(disk_load(disk, a), 0);
}

static void unshare_waits_for_a_pin(void **state)
{
	struct disk *disk = *state;
	struct dax_file *clone;

	assert_int_equal(dax_file_clone(disk->file, &clone), 0);
	waits_for_a_pin(disk, unshare_all);
	dax_file_delete(&clone);
}

/* A page of the file alone, pinned, whose entry went when another page of it
 * moved: @clone, which is made here, has that one. */
static struct dax_pinned pin_without_entry(
	struct disk *disk, struct dax_file **clone)
{
	const uint64_t a = disk_map_all(disk, 0);
	const uint64_t small = disk_map_all(disk, DAX_VMA_NOHUGEPAGE);
	struct dax_pinned page;

	disk_write(disk, 0, 1, PMD);
	assert_int_equal(dax_file_clone(disk->file, clone), 0);
	assert_int_equal(
		dax_file_change(*clone, DAX_FILE_PUNCH, PAGE, PAGE), 0);
	assert_int_equal(disk_load(disk, a), 1);
	assert_true(dax_is_pmd_entry(disk_word(disk, 0)));
	page = pin(disk, small + PAGE, DAX_PIN_WRITE);
	disk_write(disk, 0, 2, PAGE);
	assert_int_equal(disk_word(disk, 1), 0);
	return page;
}

/* Who shares the page that is pinned would see what is stored through the pin.
 */
static void clone_waits_for_a_pin_that_has_no_entry(void **state)
{
	struct disk *disk = *state;
	struct dax_file *clone;
	struct dax_pinned page = pin_without_entry(disk, &clone);
	struct crew crew;

	crew_start(&crew, 1, clone_all, disk);
	crew_await(somebody_waits(disk, page.pfn));
	dax_unpin_pages(&page, 1);
	crew_assert_content(&crew);
	dax_file_delete(&clone);
}

static void and_is_told_of_it(void **state)
{
	struct disk *disk = *state;
	struct dax_pgmap *pgmap = dax_fs_pgmap(disk->fs);
	struct holder holder = {.disk = disk};
	struct dax_file *clone;

	holder.page = pin_without_entry(disk, &clone);
	dax_pgmap_on_stuck(pgmap, 1, unpin_when_told, &holder);
	dax_file_delete(&clone);
	assert_int_equal(dax_file_clone(disk->file, &clone), 0);
	dax_pgmap_on_stuck(pgmap, 0, NULL, NULL);
	dax_file_delete(&clone);
}

static void a_file_that_goes_waits_for_a_pin(void **state)
{
	struct disk *disk = *state;

	waits_for_a_pin(disk, delete_all);
	assert_int_equal(dax_file_new(disk->fs, &disk->file), 0);
}

/* The blocks beside its page were kept for it. */
static void and_others_can_fill_the_device(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, 0);
	struct dax_pinned page;
	struct dax_file *rest;
	struct crew crew;

	disk_write(disk, 0, 1, 1);
	page = pin(disk, a, DAX_PIN_WRITE);
	assert_int_equal(dax_munmap(disk->mm, a, 4 * PMD), 0);
	crew_start(&crew, 1, delete_all, disk);
	crew_await(somebody_waits(disk, page.pfn));
	rest = disk_fill(disk, 0);
	dax_unpin_pages(&page, 1);
	crew_assert_content(&crew);
	dax_file_delete(&rest);
	assert_int_equal(dax_file_new(disk->fs, &disk->file), 0);
}

/* Nobody need wait for it who moves away from it. */
static void a_block_that_moved_is_not_free_while_it_is_pinned(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, DAX_VMA_NOHUGEPAGE);
	struct dax_pinned page;
	struct dax_file *clone;
	uint64_t left;

	disk_write(disk, 0, 1, PAGE);
	assert_int_equal(dax_file_clone(disk->file, &clone), 0);
	page = pin(disk, a, 0);
	disk_store(disk, a, 2);
	assert_int_equal(*(unsigned char *)page.bytes, 1);
	dax_file_delete(&clone);
	disk_sync(disk);
	left = dax_fs_free_blocks(disk->fs);
	dax_unpin_pages(&page, 1);
	disk_store(disk, a + PMD, 1);
	disk_sync(disk);
	assert_int_equal(dax_fs_free_blocks(disk->fs), left);
}

#define PIN_TEST(test)                                                         \
	cmocka_unit_test_setup_teardown(test, disk_setup, disk_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PIN_TEST(a_pin_has_the_bytes_of_the_file),
		PIN_TEST(a_pin_for_writing_makes_the_entry_dirty),
		PIN_TEST(a_range_is_pinned_as_far_as_it_goes),
		PIN_TEST(what_has_no_page_of_the_file_is_refused),
		PIN_TEST(a_range_with_a_pin_is_not_given_up),
		PIN_TEST(the_callers_locks_are_dropped_for_the_wait),
		PIN_TEST(who_takes_away_is_told_who_holds_what_for_long),
		PIN_TEST(truncate_waits_for_a_pin),
		PIN_TEST(punch_waits_for_a_pin),
		PIN_TEST(clone_waits_for_a_pin),
		PIN_TEST(dedupe_waits_for_a_pin),
		PIN_TEST(dedupe_breaks_both_layouts_anew_after_a_wait),
		PIN_TEST(unshare_waits_for_a_pin),
		PIN_TEST(clone_waits_for_a_pin_that_has_no_entry),
		PIN_TEST(and_is_told_of_it),
		PIN_TEST(a_file_that_goes_waits_for_a_pin),
		PIN_TEST(and_others_can_fill_the_device),
		PIN_TEST(a_block_that_moved_is_not_free_while_it_is_pinned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A file against an array of bytes: whatever is written, punched, zeroed,
 * allocated, truncated, collapsed or cloned, in whatever order, each byte is
 * the one that was written last, or 0.
 */
#include "support/disk.h"
#include "support/random.h"

#define BYTES (4 * PMD_SMALL)
/* Enough to cross PMDs at the small order, and quick at the real one. */
#define PMD_SMALL ((uint64_t)16 << 10)
#define ROUNDS	  400

struct model {
	unsigned char bytes[BYTES];
	uint64_t size;
};

static void assert_same(struct dax_file *file, const struct model *model)
{
	static unsigned char read[BYTES];
	size_t done;

	assert_int_equal(dax_file_size(file), model->size);
	assert_int_equal(dax_file_read(file, 0, read, BYTES, &done), 0);
	assert_int_equal(done, model->size);
	assert_memory_equal(read, model->bytes, model->size);
}

struct range {
	uint64_t pos;
	uint64_t len;
};

/* Of whole pages, half of the time. */
static struct range any_range(struct random *random)
{
	struct range range = {.pos = random_below(random, BYTES - 1)};

	range.len = 1 + random_below(random, BYTES - range.pos);
	if (random_below(random, 2)) {
		range.pos &= -PAGE;
		range.len = (range.len + PAGE - 1) & -PAGE;
		if (range.len > BYTES - range.pos)
			range.len = BYTES - range.pos;
	}
	return range;
}

static void grow(struct model *model, struct range range)
{
	if (model->size < range.pos + range.len)
		model->size = range.pos + range.len;
}

static void write_some(
	struct disk *disk, struct model *model, struct random *random)
{
	const struct range range = any_range(random);

	disk_write(disk, range.pos, (unsigned char)range.len | 1, range.len);
	memset(model->bytes + range.pos, (unsigned char)range.len | 1,
		range.len);
	grow(model, range);
}

static void allocate_some(
	struct disk *disk, struct model *model, struct random *random)
{
	const struct range range = any_range(random);

	disk_change(disk, DAX_FILE_ALLOCATE, range.pos, range.len);
	grow(model, range);
}

static void punch_some(
	struct disk *disk, struct model *model, struct random *random)
{
	const struct range range = any_range(random);

	disk_change(disk, DAX_FILE_PUNCH, range.pos, range.len);
	memset(model->bytes + range.pos, 0, range.len);
}

static void zero_some(
	struct disk *disk, struct model *model, struct random *random)
{
	const struct range range = any_range(random);

	disk_change(disk, DAX_FILE_ZERO, range.pos, range.len);
	memset(model->bytes + range.pos, 0, range.len);
	grow(model, range);
}

static void truncate_some(
	struct disk *disk, struct model *model, struct random *random)
{
	model->size = random_below(random, BYTES + 1);
	memset(model->bytes + model->size, 0, BYTES - model->size);
	assert_int_equal(dax_file_truncate(disk->file, model->size), 0);
}

static void collapse_some(
	struct disk *disk, struct model *model, struct random *random)
{
	struct range range = any_range(random);

	range.pos &= -PAGE;
	range.len = PAGE;
	if (range.pos + range.len >= model->size)
		return;
	disk_change(disk, DAX_FILE_COLLAPSE, range.pos, range.len);
	memmove(model->bytes + range.pos, model->bytes + range.pos + range.len,
		BYTES - range.pos - range.len);
	memset(model->bytes + BYTES - range.len, 0, range.len);
	model->size -= range.len;
}

static void sync_it(
	struct disk *disk, struct model *model, struct random *random)
{
	(void)model;
	(void)random;
	disk_sync(disk);
}

/* Goes on with the clone, and drops what it was made from at the end. */
static void clone_it(
	struct disk *disk, struct model *model, struct random *random)
{
	struct dax_file *clone;
	const struct range range = any_range(random);
	char byte = 99;
	size_t done;

	assert_int_equal(dax_file_clone(disk->file, &clone), 0);
	assert_same(clone, model);
	/* What is stored in one is not seen in the other. */
	assert_int_equal(
		dax_file_write(disk->file, range.pos, &byte, 1, &done), 0);
	assert_same(clone, model);
	dax_file_delete(&disk->file);
	disk->file = clone;
}

static void a_file_holds_what_was_written_last(void **state)
{
	static void (*const deeds[])(struct disk * disk, struct model * model,
		struct random * random) = {write_some, allocate_some,
		punch_some, zero_some, truncate_some, collapse_some, sync_it,
		clone_it};
	static struct model model;
	struct random random = random_of(2);
	struct disk *disk = *state;

	assert_int_equal(dax_file_truncate(disk->file, 0), 0);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		const char *wrong;

		deeds[random_below(&random, ARRAY_SIZE(deeds))](
			disk, &model, &random);
		assert_same(disk->file, &model);
		wrong = i % 16 ? NULL : dax_fs_verify(disk->fs);
		if (wrong)
			fail_msg("after %u: %s", i, wrong);
	}
}

static void a_range_that_no_file_has_is_refused(void **state)
{
	struct disk *disk = *state;
	size_t done;
	char byte = 0;

	assert_int_equal(
		dax_file_truncate(disk->file, (uint64_t)1 << 63), -EINVAL);
	assert_int_equal(dax_file_write(disk->file, INT64_MAX, &byte, 1, &done),
		-EINVAL);
	assert_int_equal(dax_file_read(disk->file, UINT64_MAX, &byte, 1, &done),
		-EINVAL);
	assert_int_equal(
		dax_file_change(disk->file, DAX_FILE_PUNCH, 0, 0), -EINVAL);
	assert_int_equal(
		dax_file_change(disk->file, DAX_FILE_COLLAPSE, 1, PAGE),
		-EINVAL);
	assert_int_equal(
		dax_file_change(disk->file, DAX_FILE_COLLAPSE, 3 * PMD, PMD),
		-EINVAL);
}

static void a_bad_page_cannot_be_read(void **state)
{
	struct disk *disk = *state;
	struct dax_extent extent;
	char bytes[2 * PAGE];
	size_t done;

	disk_write(disk, 0, 5, 2 * PAGE);
	dax_file_extent(disk->file, 1, &extent);
	dax_fs_set_poison(disk->fs, extent.pfn, 1);
	assert_int_equal(dax_file_read(disk->file, PAGE, bytes, PAGE, &done),
		-EHWPOISON);
	dax_fs_set_poison(disk->fs, 0, 0);
	assert_int_equal(
		dax_file_read(disk->file, PAGE, bytes, PAGE, &done), 0);
	assert_int_equal(bytes[0], 5);
}

/* ---- the tail of the last page ---- */

/* Each grows the file to 3 pages, and puts nothing in the first. */

static int write_page_2(struct dax_file *file)
{
	static const char bytes[PAGE];
	size_t done;

	return dax_file_write(file, 2 * PAGE, bytes, PAGE, &done);
}

static int allocate_page_2(struct dax_file *file)
{
	return dax_file_change(file, DAX_FILE_ALLOCATE, 2 * PAGE, PAGE);
}

static int zero_page_2(struct dax_file *file)
{
	return dax_file_change(file, DAX_FILE_ZERO, 2 * PAGE, PAGE);
}

static int grow_to_page_2(struct dax_file *file)
{
	return dax_file_truncate(file, 3 * PAGE);
}

static int (*const growths[])(struct dax_file *file) = {
	write_page_2, allocate_page_2, zero_page_2, grow_to_page_2};

static unsigned char byte_at(struct dax_file *file, uint64_t pos)
{
	unsigned char byte = 0xff;
	size_t done;

	assert_int_equal(dax_file_read(file, pos, &byte, 1, &done), 0);
	assert_int_equal(done, 1);
	return byte;
}

static void what_was_stored_past_the_end_is_not_in_what_grows(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, 0);

	for (size_t i = 0; i < ARRAY_SIZE(growths); i++) {
		assert_int_equal(dax_file_truncate(disk->file, 100), 0);
		disk_store(disk, a + 99, 1);
		disk_store(disk, a + 100, 2);
		disk_store(disk, a + PAGE - 1, 3);
		assert_int_equal(growths[i](disk->file), 0);
		assert_int_equal(dax_file_size(disk->file), 3 * PAGE);
		assert_int_equal(byte_at(disk->file, 99), 1);
		assert_int_equal(byte_at(disk->file, 100), 0);
		assert_int_equal(byte_at(disk->file, PAGE - 1), 0);
	}
}

/* It has a block of its own then, or the call fails and changes nothing. */
static void a_shared_tail_is_zeroed_in_the_file_that_grows(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, 0);
	struct dax_file *clone, *rest;

	for (size_t i = 0; i < ARRAY_SIZE(growths); i++) {
		assert_int_equal(dax_file_truncate(disk->file, 100), 0);
		disk_store(disk, a + 100, 2);
		assert_int_equal(dax_file_clone(disk->file, &clone), 0);
		/* Nothing is left that a commit would free. */
		assert_int_equal(dax_file_sync(clone, DAX_SYNC_ALL, 0, 0), 0);
		rest = disk_fill(disk, 0);
		assert_int_equal(growths[i](clone), -ENOSPC);
		assert_int_equal(dax_file_size(clone), 100);
		dax_file_delete(&rest);
		assert_int_equal(growths[i](clone), 0);
		assert_int_equal(byte_at(clone, 100), 0);
		assert_int_equal(disk_load(disk, a + 100), 2);
		dax_file_delete(&clone);
	}
}

static void a_zeroing_that_fails_leaves_the_size(void **state)
{
	struct disk *disk = *state;

	assert_int_equal(dax_file_truncate(disk->file, 0), 0);
	disk_write(disk, 0, 1, 1);
	dax_fs_set_flush_error(disk->fs, -EIO);
	assert_int_equal(
		dax_file_change(disk->file, DAX_FILE_ZERO, 0, 100), -EIO);
	assert_int_equal(dax_file_size(disk->file), 1);
	dax_fs_set_flush_error(disk->fs, 0);
}

/* Else room would be made, and all of it tried again, for ever. */
static void a_device_without_space_is_not_a_lack_of_blocks(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, DAX_VMA_NOHUGEPAGE);
	size_t done;

	disk_change(disk, DAX_FILE_ALLOCATE, 0, PMD);
	dax_fs_set_flush_error(disk->fs, -ENOSPC);
	assert_int_equal(dax_file_write(disk->file, 0, "x", 1, &done), -EIO);
	assert_int_equal(dax_store(disk->mm, a, "x", 1), -EIO);
	assert_int_equal(dax_store(disk->mm, a + PMD, "x", 1), -EIO);
	dax_fs_set_flush_error(disk->fs, 0);
	disk_store(disk, a, 'x');
}

/* ---- entries that are partly in the range ---- */

static int punch_a_page(struct dax_file *file)
{
	return dax_file_change(file, DAX_FILE_PUNCH, PAGE, PAGE);
}

static int zero_a_page(struct dax_file *file)
{
	return dax_file_change(file, DAX_FILE_ZERO, PAGE, PAGE);
}

static int punch_from_before(struct dax_file *file)
{
	return dax_file_change(file, DAX_FILE_PUNCH, 0, PMD + PAGE);
}

static int cut_after_a_page(struct dax_file *file)
{
	return dax_file_truncate(file, PMD + PAGE);
}

/* The entry goes as a whole: if the rest cannot be made durable, it stays. */
static void a_neighbour_of_what_goes_keeps_its_tag_or_is_durable(void **state)
{
	static int (*const deeds[])(struct dax_file * file) = {
		punch_a_page, zero_a_page, punch_from_before, cut_after_a_page};
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, 0);

	for (size_t i = 0; i < ARRAY_SIZE(deeds); i++) {
		disk_store(disk, a, 1);
		disk_store(disk, a + PMD, 2);
		assert_true(dax_is_pmd_entry(disk_word(disk, PMD_PAGES)));
		dax_fs_set_flush_error(disk->fs, -EIO);
		assert_int_equal(deeds[i](disk->file), -EIO);
		assert_true(disk_dirty(disk, PMD_PAGES));
		dax_fs_set_flush_error(disk->fs, 0);
		assert_int_equal(deeds[i](disk->file), 0);
		assert_int_equal(dax_file_truncate(disk->file, 0), 0);
		assert_int_equal(dax_file_truncate(disk->file, 4 * PMD), 0);
	}
}

/* ---- what fails keeps its tags ---- */

static void a_punch_that_fails_at_an_edge_forgets_nothing(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, DAX_VMA_NOHUGEPAGE);

	disk_store(disk, a, 1);
	disk_store(disk, a + PAGE, 2);
	dax_fs_set_flush_error(disk->fs, -EIO);
	assert_int_equal(dax_file_change(disk->file, DAX_FILE_PUNCH, 100,
				 2 * PAGE - 100),
		-EIO);
	assert_true(disk_dirty(disk, 1));
	dax_fs_set_flush_error(disk->fs, 0);
}

static void a_zeroing_without_room_forgets_nothing(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, DAX_VMA_NOHUGEPAGE);
	struct dax_file *rest;

	disk_store(disk, a, 1);
	rest = disk_fill(disk, 0);
	assert_int_equal(
		dax_file_change(disk->file, DAX_FILE_ZERO, 0, 2 * PAGE),
		-ENOSPC);
	assert_true(disk_dirty(disk, 0));
	dax_file_delete(&rest);
}

static void a_zeroing_that_cannot_unshare_forgets_nothing(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, DAX_VMA_NOHUGEPAGE);
	struct dax_file *clone;

	disk_write(disk, 0, 1, 2 * PAGE);
	assert_int_equal(dax_file_clone(disk->file, &clone), 0);
	disk_store(disk, a + PAGE, 2);
	dax_fs_set_flush_error(disk->fs, -EIO);
	assert_int_equal(
		dax_file_change(disk->file, DAX_FILE_ZERO, 0, 2 * PAGE), -EIO);
	assert_true(disk_dirty(disk, 1));
	dax_fs_set_flush_error(disk->fs, 0);
	dax_file_delete(&clone);
}

#define CHANGE_TEST(test)                                                      \
	cmocka_unit_test_setup_teardown(test, disk_setup, disk_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CHANGE_TEST(a_file_holds_what_was_written_last),
		CHANGE_TEST(a_range_that_no_file_has_is_refused),
		CHANGE_TEST(a_bad_page_cannot_be_read),
		CHANGE_TEST(what_was_stored_past_the_end_is_not_in_what_grows),
		CHANGE_TEST(a_shared_tail_is_zeroed_in_the_file_that_grows),
		CHANGE_TEST(a_zeroing_that_fails_leaves_the_size),
		CHANGE_TEST(a_device_without_space_is_not_a_lack_of_blocks),
		CHANGE_TEST(
			a_neighbour_of_what_goes_keeps_its_tag_or_is_durable),
		CHANGE_TEST(a_punch_that_fails_at_an_edge_forgets_nothing),
		CHANGE_TEST(a_zeroing_without_room_forgets_nothing),
		CHANGE_TEST(a_zeroing_that_cannot_unshare_forgets_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

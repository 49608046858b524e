/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two files that share blocks, with one of them mapped: a store to it is not
 * seen in the other, none is lost, and no block is given back while somebody
 * can reach it.
 */
#include "file/file.h"
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

#define SHARE_TEST(test)                                                       \
	cmocka_unit_test_setup_teardown(test, disk_setup, disk_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SHARE_TEST(blocks_are_given_back_when_nobody_shows_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

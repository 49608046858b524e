/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bad blocks are listed as libpmem2 finds them, and only those can be cleared.
 */
#include "ground.h"
#include "support/played_badblocks.h"

static int setup(void **state)
{
	struct dax_device *dev;

	memset(&play, 0, sizeof(play));
	play.blocks[0] = (struct pmem2_badblock){4096, 512};
	play.blocks[1] = (struct pmem2_badblock){65536, 8192};
	assert_true(ground_device(GROUND_MEMORY, MIB, &dev));
	*state = dev;
	return 0;
}

static int teardown(void **state)
{
	struct dax_device *dev = *state;

	assert_int_equal(play.contexts, 0);
	dax_device_delete(&dev);
	return 0;
}

static void the_list_is_libpmem2s_in_bytes(void **state)
{
	struct dax_badblocks *list;
	struct dax_badblock block;

	assert_int_equal(dax_badblocks_new(*state, &list), 0);
	assert_int_equal(dax_badblocks_next(list, &block), 0);
	assert_int_equal(block.offset, 4096);
	assert_int_equal(block.len, 512);
	assert_int_equal(dax_badblocks_next(list, &block), 0);
	assert_int_equal(block.offset, 65536);
	assert_int_equal(block.len, 8192);
	assert_int_equal(dax_badblocks_next(list, &block), -ENOENT);
	assert_int_equal(block.offset, 65536);
	dax_badblocks_delete(&list);
	assert_null(list);
	dax_badblocks_delete(&list);
}

static void clear_takes_the_block_the_list_is_at(void **state)
{
	struct dax_badblocks *list;
	struct dax_badblock block;

	assert_int_equal(dax_badblocks_new(*state, &list), 0);
	assert_int_equal(dax_badblocks_next(list, &block), 0);
	assert_int_equal(dax_badblocks_next(list, &block), 0);
	assert_int_equal(dax_badblocks_clear(list), 0);
	assert_int_equal(play.cleared.offset, 65536);
	assert_int_equal(play.cleared.length, 8192);
	dax_badblocks_delete(&list);
}

static void clear_touches_nothing_when_at_no_block(void **state)
{
	struct dax_badblocks *list;
	struct dax_badblock block;

	assert_int_equal(dax_badblocks_new(*state, &list), 0);
	assert_int_equal(dax_badblocks_clear(list), -EINVAL);
	assert_int_equal(dax_badblocks_next(list, &block), 0);
	assert_int_equal(dax_badblocks_clear(list), 0);
	play.cleared.length = 0;
	assert_int_equal(dax_badblocks_clear(list), -EINVAL);
	assert_int_equal(dax_badblocks_next(list, &block), 0);
	assert_int_equal(dax_badblocks_next(list, &block), -ENOENT);
	assert_int_equal(dax_badblocks_clear(list), -EINVAL);
	assert_int_equal(play.cleared.length, 0);
	dax_badblocks_delete(&list);
}

static void a_failed_clear_may_be_tried_again(void **state)
{
	struct dax_badblocks *list;
	struct dax_badblock block;

	assert_int_equal(dax_badblocks_new(*state, &list), 0);
	assert_int_equal(dax_badblocks_next(list, &block), 0);
	play.clear_error = -EIO;
	assert_int_equal(dax_badblocks_clear(list), -EIO);
	play.clear_error = 0;
	assert_int_equal(dax_badblocks_clear(list), 0);
	dax_badblocks_delete(&list);
}

static void a_read_only_device_is_not_cleared(void **state)
{
	struct dax_badblocks *list;
	struct dax_badblock block;
	struct dax_device *dev;
	const int fd = ground_memfd(MIB);

	(void)state;
	assert_int_equal(dax_device_open_fd(fd, DAX_DEVICE_READ_ONLY, &dev), 0);
	assert_int_equal(dax_badblocks_new(dev, &list), 0);
	assert_int_equal(dax_badblocks_next(list, &block), 0);
	assert_int_equal(dax_badblocks_clear(list), -EACCES);
	assert_int_equal(play.cleared.length, 0);
	dax_badblocks_delete(&list);
	dax_device_delete(&dev);
	close(fd);
}

static void a_source_that_cannot_be_asked_is_an_error(void **state)
{
	struct dax_badblocks *list = (void *)1;

	play.new_error = PMEM2_E_NOSUPP;
	assert_int_equal(dax_badblocks_new(*state, &list), -EOPNOTSUPP);
	assert_null(list);
	play.new_error = -EACCES;
	assert_int_equal(dax_badblocks_new(*state, &list), -EACCES);
	assert_null(list);
}

static void files_without_bad_blocks_have_an_empty_list(void **state)
{
	struct dax_badblocks *list;
	struct dax_badblock block;
	struct dax_device *dev;

	(void)state;
	play.real = true;
	for (int ground = 0; ground < GROUND_DAX; ground++) {
		if (!ground_device(ground, 2 * MIB, &dev))
			continue;
		assert_int_equal(dax_badblocks_new(dev, &list), 0);
		assert_int_equal(dax_badblocks_next(list, &block), -ENOENT);
		dax_badblocks_delete(&list);
		dax_device_delete(&dev);
	}
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		test(the_list_is_libpmem2s_in_bytes),
		test(clear_takes_the_block_the_list_is_at),
		test(clear_touches_nothing_when_at_no_block),
		test(a_failed_clear_may_be_tried_again),
		test(a_read_only_device_is_not_cleared),
		test(a_source_that_cannot_be_asked_is_an_error),
		test(files_without_bad_blocks_have_an_empty_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

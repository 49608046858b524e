/* SPDX-License-Identifier: BSD-3-Clause */
/* Blocks come zeroed and aligned, are counted, and fail when a test says so. */
#include <string.h>

#include "base/sync.h"
#include "support/cmocka.h"

static int teardown(void **state)
{
	(void)state;
	sync_alloc_fail_nth(0);
	return 0;
}

static void the_nth_allocation_fails_and_no_other(void **state)
{
	(void)state;
	for (uint64_t nth = 1; nth <= 4; nth++) {
		sync_alloc_fail_nth(nth);
		for (uint64_t i = 1; i <= 6; i++) {
			void *block = sync_alloc(8, 8);

			assert_int_equal(block == NULL, i == nth);
			sync_free(block);
		}
	}
}

static void nth_zero_fails_none(void **state)
{
	void *block;

	(void)state;
	sync_alloc_fail_nth(1);
	sync_alloc_fail_nth(0);
	block = sync_alloc(8, 8);
	assert_non_null(block);
	sync_free(block);
}

static void an_aligned_allocation_fails_as_well(void **state)
{
	(void)state;
	sync_alloc_fail_nth(1);
	assert_null(sync_alloc(4096, 64));
}

static void live_counts_blocks_allocated_and_not_freed(void **state)
{
	const uint64_t before = sync_alloc_live();
	void *small = sync_alloc(1, 1);
	void *large = sync_alloc(4096, 64);

	(void)state;
	assert_int_equal(sync_alloc_live(), before + 2);
	sync_free(small);
	assert_int_equal(sync_alloc_live(), before + 1);
	sync_free(large);
	assert_int_equal(sync_alloc_live(), before);
}

static void neither_a_failure_nor_null_is_counted(void **state)
{
	const uint64_t before = sync_alloc_live();

	(void)state;
	sync_alloc_fail_nth(1);
	sync_free(sync_alloc(8, 8));
	assert_int_equal(sync_alloc_live(), before);
}

static void assert_zeroed(size_t size, size_t align)
{
	unsigned char *block = sync_alloc(size, align);

	assert_non_null(block);
	assert_int_equal((uintptr_t)block % align, 0);
	for (size_t i = 0; i < size; i++)
		assert_int_equal(block[i], 0);
	/* So that the next block that takes this one's place finds dirt. */
	memset(block, 0xa5, size);
	sync_free(block);
}

static void blocks_are_zeroed_and_aligned(void **state)
{
	static const size_t sizes[] = {1, 8, 63, 64, 65, 4097};

	(void)state;
	for (size_t align = 1; align <= 256; align *= 2)
		for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
			assert_zeroed(sizes[i], align);
			assert_zeroed(sizes[i], align);
		}
}

#define ALLOC_TEST(test) cmocka_unit_test_teardown(test, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ALLOC_TEST(the_nth_allocation_fails_and_no_other),
		ALLOC_TEST(nth_zero_fails_none),
		ALLOC_TEST(an_aligned_allocation_fails_as_well),
		ALLOC_TEST(live_counts_blocks_allocated_and_not_freed),
		ALLOC_TEST(neither_a_failure_nor_null_is_counted),
		ALLOC_TEST(blocks_are_zeroed_and_aligned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

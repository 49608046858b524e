/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A fault that tries one size makes a leaf of that size or none: who called it
 * decides what to try next.
 */
#include "support/disk.h"

static unsigned int fault(
	struct disk *disk, uint64_t address, unsigned int order)
{
	enum dax_cause cause = DAX_CAUSE_NONE;
	const unsigned int result =
		dax_fault_order(disk->mm, address, DAX_STORE, order, &cause);

	assert_int_equal(!(result & DAX_FAULT_FALLBACK), !cause);
	return result;
}

static void each_size_makes_its_leaf(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, 0);

	assert_true(fault(disk, a, DAX_PMD_ORDER) & DAX_FAULT_NOPAGE);
	assert_true(disk_leaf(disk, a) & DAX_LEAF_PMD);
	assert_true(fault(disk, a + PMD, DAX_PTE_ORDER) & DAX_FAULT_NOPAGE);
	assert_int_equal(disk_leaf(disk, a + PMD),
		DAX_LEAF_PRESENT | DAX_LEAF_WRITE | DAX_LEAF_DIRTY);
}

static void what_falls_back_makes_no_leaf(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, DAX_VMA_NOHUGEPAGE);

	assert_int_equal(fault(disk, a, DAX_PMD_ORDER), DAX_FAULT_FALLBACK);
	assert_int_equal(fault(disk, a, DAX_PUD_ORDER), DAX_FAULT_FALLBACK);
	assert_int_equal(disk_leaf(disk, a), 0);
}

static void where_nothing_is_mapped_it_is_a_signal(void **state)
{
	struct disk *disk = *state;

	assert_int_equal(fault(disk, PAGE, DAX_PMD_ORDER), DAX_FAULT_SIGSEGV);
	assert_int_equal(fault(disk, PAGE, DAX_PTE_ORDER), DAX_FAULT_SIGSEGV);
}

#define DISK_TEST(test)                                                        \
	cmocka_unit_test_setup_teardown(test, disk_setup, disk_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		DISK_TEST(each_size_makes_its_leaf),
		DISK_TEST(what_falls_back_makes_no_leaf),
		DISK_TEST(where_nothing_is_mapped_it_is_a_signal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

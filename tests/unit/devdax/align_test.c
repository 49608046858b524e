/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A device's alignment is the size of its leaves: nothing smaller is mapped,
 * nothing larger is made.
 */
#include "support/bare.h"

#define SHARED (DAX_VMA_SHARED | DAX_VMA_WRITE)

static const struct alignment {
	unsigned int order;
	unsigned int leaf; /* DAX_LEAF_PMD, DAX_LEAF_PUD or 0 */
	enum dax_cause cause;
} alignments[] = {
	{DAX_PTE_ORDER, 0, DAX_CAUSE_OTHER_SIZE},
	{DAX_PMD_ORDER, DAX_LEAF_PMD, DAX_CAUSE_NONE},
	{DAX_PUD_ORDER, DAX_LEAF_PUD, DAX_CAUSE_NONE},
};

/* Each test is for each alignment. */
static void for_each_alignment(
	void (*test)(struct bare *bare, const struct alignment *alignment))
{
	for (size_t i = 0; i < ARRAY_SIZE(alignments); i++) {
		struct bare bare;

		bare_init(&bare, alignments[i].order);
		test(&bare, &alignments[i]);
		bare_fini(&bare);
	}
}

static uint64_t bytes_of(const struct alignment *alignment)
{
	return PAGE << alignment->order;
}

static void fault_past_a_pmd(
	struct bare *bare, const struct alignment *alignment)
{
	const uint64_t a = bare->address + PMD + PAGE;
	enum dax_cause cause;

	assert_int_equal(
		dax_fault(bare->mm, a, DAX_STORE, &cause), DAX_FAULT_NOPAGE);
	assert_int_equal(cause, alignment->cause);
	assert_int_equal(bare_leaf(bare, a), DAX_LEAF_PRESENT | DAX_LEAF_WRITE |
						     DAX_LEAF_DIRTY |
						     alignment->leaf);
	assert_int_equal(dax_entry_order(bare_word(bare, (PMD + PAGE) / PAGE)),
		alignment->order);
}

static void a_fault_makes_a_leaf_of_the_alignment(void **state)
{
	(void)state;
	for_each_alignment(fault_past_a_pmd);
}

static void store_far_apart(
	struct bare *bare, const struct alignment *alignment)
{
	static const uint64_t places[] = {
		0, PAGE + 5, PMD + 1, PUD - 1, PUD + PMD};
	const char *storage = dax_pmem_map_address(bare->map);
	uint64_t again;
	char byte;

	(void)alignment;
	assert_int_equal(bare_map(bare, 0, BARE_BYTES, SHARED, &again), 0);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		const char stored = (char)('a' + i);

		assert_int_equal(dax_store(bare->mm, bare->address + places[i],
					 &stored, 1),
			0);
		assert_int_equal(storage[places[i]], stored);
		assert_int_equal(
			dax_load(bare->mm, again + places[i], &byte, 1), 0);
		assert_int_equal(byte, stored);
	}
}

static void bytes_are_where_they_belong(void **state)
{
	(void)state;
	for_each_alignment(store_far_apart);
}

static void fault_without_huge_pages(
	struct bare *bare, const struct alignment *alignment)
{
	enum dax_cause cause;
	unsigned int result;
	uint64_t a;

	assert_int_equal(
		bare_map(bare, 0, PUD, SHARED | DAX_VMA_NOHUGEPAGE, &a), 0);
	result = dax_fault(bare->mm, a, DAX_LOAD, &cause);
	assert_int_equal(cause, DAX_CAUSE_HUGE_DISABLED);
	assert_int_equal(
		result, alignment->order ? DAX_FAULT_SIGBUS : DAX_FAULT_NOPAGE);
	assert_int_equal(
		bare_leaf(bare, a), alignment->order ? 0 : DAX_LEAF_PRESENT);
}

static void a_smaller_fault_is_sigbus(void **state)
{
	(void)state;
	for_each_alignment(fault_without_huge_pages);
}

static void map_off_the_alignment(
	struct bare *bare, const struct alignment *alignment)
{
	const uint64_t bytes = bytes_of(alignment);
	uint64_t a;

	assert_int_equal(bare_map(bare, 0, bytes, DAX_VMA_WRITE, &a), -EINVAL);
	assert_int_equal(bare_map(bare, bytes / 2, bytes, SHARED, &a), -EINVAL);
	assert_int_equal(bare_map(bare, bytes, bytes, SHARED, &a), 0);
	assert_int_equal(bare_map(bare, 0, bytes + PAGE, SHARED, &a),
		alignment->order ? -EINVAL : 0);
}

static void areas_are_aligned_and_shared(void **state)
{
	(void)state;
	for_each_alignment(map_off_the_alignment);
}

static void unmap_parts(struct bare *bare, const struct alignment *alignment)
{
	const uint64_t bytes = bytes_of(alignment);
	const uint64_t a = bare->address;
	const int expected = alignment->order ? -EINVAL : 0;
	char byte;

	assert_int_equal(dax_store(bare->mm, a, "x", 1), 0);
	assert_int_equal(dax_store(bare->mm, a + bytes, "y", 1), 0);
	assert_int_equal(
		dax_munmap(bare->mm, a + bytes + PAGE, PAGE), expected);
	assert_int_equal(
		dax_mprotect(bare->mm, a + bytes + PAGE, PAGE, DAX_PROT_READ),
		alignment->order ? -EINVAL : -ENOMEM);
	assert_true(bare_leaf(bare, a + bytes) & DAX_LEAF_WRITE);
	assert_int_equal(dax_munmap(bare->mm, a + bytes, bytes), 0);
	assert_int_equal(dax_load(bare->mm, a + bytes, &byte, 1), -EFAULT);
	assert_true(bare_leaf(bare, a) & DAX_LEAF_PRESENT);
}

static void areas_are_split_at_the_alignment_only(void **state)
{
	(void)state;
	for_each_alignment(unmap_parts);
}

static void touch_past_the_end(
	struct bare *bare, const struct alignment *alignment)
{
	uint64_t a;
	char byte;

	(void)alignment;
	assert_int_equal(bare_map(bare, PUD, 2 * PUD, SHARED, &a), 0);
	assert_int_equal(dax_load(bare->mm, a + PUD - 1, &byte, 1), 0);
	assert_int_equal(dax_load(bare->mm, a + PUD, &byte, 1), -EIO);
}

static void past_the_end_is_sigbus(void **state)
{
	(void)state;
	for_each_alignment(touch_past_the_end);
}

static void sync_what_was_stored(
	struct bare *bare, const struct alignment *alignment)
{
	const uint64_t bytes = bytes_of(alignment);
	const uint64_t a = bare->address;

	assert_int_equal(dax_store(bare->mm, a, "x", 1), 0);
	assert_int_equal(dax_msync(bare->mm, a, bytes), 0);
	assert_int_equal(
		bare_leaf(bare, a), DAX_LEAF_PRESENT | alignment->leaf);
	assert_int_equal(dax_store(bare->mm, a, "y", 1), 0);
	assert_true(bare_leaf(bare, a) & DAX_LEAF_WRITE);
}

static void what_was_stored_is_flushed_and_faults_again(void **state)
{
	(void)state;
	for_each_alignment(sync_what_was_stored);
}

static void try_a_part(struct bare *bare, const struct alignment *alignment)
{
	struct dax_devdax *devdax;
	struct dax_pmem_map *part;

	assert_int_equal(dax_pmem_map_new(bare->device, PMD, PUD + PAGE,
				 DAX_MAP_PMD, &part),
		0);
	assert_int_equal(dax_devdax_new(part, alignment->order, &devdax),
		alignment->order ? -EINVAL : 0);
	dax_devdax_delete(&devdax);
	dax_pmem_map_delete(&part);
}

static void storage_is_aligned_too(void **state)
{
	(void)state;
	for_each_alignment(try_a_part);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fault_makes_a_leaf_of_the_alignment),
		cmocka_unit_test(bytes_are_where_they_belong),
		cmocka_unit_test(a_smaller_fault_is_sigbus),
		cmocka_unit_test(areas_are_aligned_and_shared),
		cmocka_unit_test(areas_are_split_at_the_alignment_only),
		cmocka_unit_test(past_the_end_is_sigbus),
		cmocka_unit_test(what_was_stored_is_flushed_and_faults_again),
		cmocka_unit_test(storage_is_aligned_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A page of a device that cannot be read is in no leaf, whatever the size, and
 * comes back when the device has given new storage for it.
 */
#include "support/bare.h"
#include "support/played_badblocks.h"

#define SHARED (DAX_VMA_SHARED | DAX_VMA_WRITE)

/* The page that is bad: of a large leaf it is not the first. */
#define BAD	(PUD + PMD + PAGE)
#define BAD_PFN (DAX_PFN_BASE + BAD / PAGE)

static const unsigned int orders[] = {
	DAX_PTE_ORDER, DAX_PMD_ORDER, DAX_PUD_ORDER};

/* Each test is for each alignment; what is bad from the start is @listed. */
static void for_each_order(void (*test)(struct bare *bare, unsigned int order),
	struct pmem2_badblock listed)
{
	for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
		struct bare bare;

		memset(&play, 0, sizeof(play));
		play.blocks[0] = listed;
		bare_init(&bare, orders[i]);
		test(&bare, orders[i]);
		bare_fini(&bare);
		assert_int_equal(play.contexts, 0);
	}
}

static const struct pmem2_badblock nothing;

static uint64_t bytes_of(unsigned int order)
{
	return PAGE << order;
}

static int load(const struct bare *bare, uint64_t pos)
{
	char byte;

	return dax_load(bare->mm, bare->address + pos, &byte, 1);
}

static int store(const struct bare *bare, uint64_t pos)
{
	return dax_store(bare->mm, bare->address + pos, "x", 1);
}

/* All of the leaf that the page is in, and nothing else. */
static void assert_leaf_is_bad(const struct bare *bare, unsigned int order)
{
	const uint64_t first = BAD & -bytes_of(order);
	const uint64_t last = first + bytes_of(order) - 1;

	assert_int_equal(load(bare, BAD), -EHWPOISON);
	assert_int_equal(load(bare, first), -EHWPOISON);
	assert_int_equal(store(bare, last), -EHWPOISON);
	assert_int_equal(load(bare, first - 1), 0);
	if (last + 1 < BARE_BYTES)
		assert_int_equal(store(bare, last + 1), 0);
}

/* ---- from the start ---- */

static void use_a_bad_device(struct bare *bare, unsigned int order)
{
	enum dax_cause cause;

	assert_int_equal(
		dax_fault(bare->mm, bare->address + BAD, DAX_STORE, &cause),
		DAX_FAULT_HWPOISON);
	assert_int_equal(
		cause, order ? DAX_CAUSE_POISON : DAX_CAUSE_OTHER_SIZE);
	assert_leaf_is_bad(bare, order);
}

static void the_devices_bad_blocks_are_bad_from_the_start(void **state)
{
	(void)state;
	for_each_order(
		use_a_bad_device, (struct pmem2_badblock){BAD + 1024, 512});
}

static void a_device_that_cannot_be_asked_is_an_error(void **state)
{
	struct dax_devdax *devdax = (void *)1;
	struct bare bare;

	(void)state;
	memset(&play, 0, sizeof(play));
	bare_init(&bare, DAX_PMD_ORDER);
	play.new_error = -EIO;
	assert_int_equal(
		dax_devdax_new(bare.map, DAX_PMD_ORDER, &devdax), -EIO);
	assert_null(devdax);
	bare_fini(&bare);
}

/* Pages are the device's, and bad blocks lie where they lie in it. */
static void use_a_part(struct bare *bare, unsigned int order)
{
	struct bare part = *bare;

	assert_int_equal(dax_pmem_map_new(bare->device, PUD, PUD, DAX_MAP_PMD,
				 &part.map),
		0);
	assert_int_equal(dax_devdax_new(part.map, order, &part.devdax), 0);
	assert_int_equal(bare_map(&part, 0, PUD, SHARED, &part.address), 0);
	assert_int_equal(load(&part, BAD - PUD), -EHWPOISON);
	assert_int_equal(dax_devdax_clear_poison(part.devdax, BAD_PFN, 1), 0);
	assert_int_equal(load(&part, BAD - PUD), 0);
	assert_int_equal(play.cleared.offset, BAD);
	assert_int_equal(dax_munmap(bare->mm, part.address, PUD), 0);
	dax_devdax_delete(&part.devdax);
	dax_pmem_map_delete(&part.map);
}

static void a_part_of_a_device_has_its_own_bad_blocks(void **state)
{
	(void)state;
	for_each_order(use_a_part, (struct pmem2_badblock){BAD, PAGE});
}

/* ---- later ---- */

static void fail_what_is_shown(struct bare *bare, unsigned int order)
{
	struct bare other = *bare;
	uint64_t twice;

	assert_int_equal(dax_mm_new(NULL, &other.mm), 0);
	assert_int_equal(
		bare_map(&other, 0, BARE_BYTES, SHARED, &other.address), 0);
	assert_int_equal(bare_map(bare, 0, BARE_BYTES, SHARED, &twice), 0);
	assert_int_equal(store(bare, BAD), 0);
	assert_int_equal(load(bare, 0), 0);
	assert_int_equal(load(&other, BAD), 0);
	assert_int_equal(dax_store(bare->mm, twice + BAD, "x", 1), 0);
	dax_devdax_memory_failure(bare->devdax, BAD_PFN, 1);
	assert_int_equal(bare_leaf(bare, bare->address + BAD), 0);
	assert_int_equal(bare_leaf(bare, twice + BAD), 0);
	assert_int_equal(bare_leaf(&other, other.address + BAD), 0);
	assert_int_not_equal(bare_leaf(bare, bare->address), 0);
	assert_leaf_is_bad(bare, order);
	assert_leaf_is_bad(&other, order);
	dax_mm_delete(&other.mm);
}

static void a_page_that_fails_is_shown_by_nobody(void **state)
{
	(void)state;
	for_each_order(fail_what_is_shown, nothing);
}

static int pin(const struct bare *bare, uint64_t pos, unsigned int flags,
	struct dax_pinned *page)
{
	const struct dax_pin_params params = {
		.address = bare->address + pos,
		.nr = 1,
		.flags = flags,
		.term = DAX_PIN_LONGTERM,
	};
	size_t done;

	return dax_pin_pages(bare->mm, &params, page, &done);
}

static void fail_what_is_pinned(struct bare *bare, unsigned int order)
{
	struct dax_pinned before, page;

	(void)order;
	assert_int_equal(pin(bare, BAD, DAX_PIN_WRITE, &before), 0);
	dax_devdax_memory_failure(bare->devdax, BAD_PFN, 1);
	assert_int_equal(pin(bare, BAD, DAX_PIN_WRITE, &page), -EHWPOISON);
	assert_int_equal(pin(bare, BAD, 0, &page), -EHWPOISON);
	assert_int_equal(pin(bare, BAD, DAX_PIN_FAST, &page), -EAGAIN);
	assert_int_equal(before.pfn, BAD_PFN);
	dax_unpin_pages(&before, 1);
}

static void a_bad_page_is_not_pinned_and_pins_of_it_stay(void **state)
{
	(void)state;
	for_each_order(fail_what_is_pinned, nothing);
}

static void sync_what_failed(struct bare *bare, unsigned int order)
{
	assert_int_equal(store(bare, BAD), 0);
	dax_devdax_memory_failure(bare->devdax, BAD_PFN, 1);
	assert_int_equal(dax_msync(bare->mm, bare->address, BARE_BYTES), 0);
	assert_leaf_is_bad(bare, order);
}

static void an_msync_cleans_a_bad_page_without_an_error(void **state)
{
	(void)state;
	for_each_order(sync_what_failed, nothing);
}

/* ---- good again ---- */

static void clear_what_is_bad(struct bare *bare, unsigned int order)
{
	play.clear_error = -ENOSPC;
	assert_int_equal(
		dax_devdax_clear_poison(bare->devdax, 0, UINT64_MAX), -ENOSPC);
	assert_leaf_is_bad(bare, order);
	play.clear_error = 0;
	assert_int_equal(
		dax_devdax_clear_poison(bare->devdax, BAD_PFN + 1, 1), 0);
	assert_leaf_is_bad(bare, order);
	assert_int_equal(play.nr_cleared, 0);
	assert_int_equal(dax_devdax_clear_poison(bare->devdax, BAD_PFN, 1), 0);
	assert_int_equal(play.cleared.offset, BAD + 1024);
	assert_int_equal(play.cleared.length, 512);
	assert_int_equal(load(bare, BAD), 0);
	assert_int_equal(store(bare, BAD), 0);
}

static void what_the_device_clears_is_good(void **state)
{
	(void)state;
	for_each_order(
		clear_what_is_bad, (struct pmem2_badblock){BAD + 1024, 512});
}

static void fail_a_dead_device(struct bare *bare, unsigned int order)
{
	(void)order;
	assert_int_equal(load(bare, 0), 0);
	dax_devdax_kill(bare->devdax);
	dax_pmem_map_delete(&bare->map);
	dax_devdax_memory_failure(bare->devdax, BAD_PFN, 1);
	assert_int_equal(
		dax_devdax_clear_poison(bare->devdax, BAD_PFN, 1), -ENXIO);
	assert_int_equal(load(bare, BAD), -EIO);
}

static void a_dead_device_stays_dead(void **state)
{
	(void)state;
	for_each_order(fail_a_dead_device, nothing);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_devices_bad_blocks_are_bad_from_the_start),
		cmocka_unit_test(a_device_that_cannot_be_asked_is_an_error),
		cmocka_unit_test(a_part_of_a_device_has_its_own_bad_blocks),
		cmocka_unit_test(a_page_that_fails_is_shown_by_nobody),
		cmocka_unit_test(a_bad_page_is_not_pinned_and_pins_of_it_stay),
		cmocka_unit_test(an_msync_cleans_a_bad_page_without_an_error),
		cmocka_unit_test(what_the_device_clears_is_good),
		cmocka_unit_test(a_dead_device_stays_dead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

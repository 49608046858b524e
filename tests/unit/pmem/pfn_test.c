/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Addresses and page numbers of a device translate into each other, in every
 * map of it alike.
 */
#include "ground.h"

struct fixture {
	struct dax_device *dev;
	struct dax_pmem_map *whole;
	struct dax_pmem_map *part;	/* pages 3 to 6 */
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_true(ground_device(GROUND_MEMORY, 64 * KIB, &f->dev));
	f->whole = ground_map(f->dev, DAX_MAP_PTE);
	assert_int_equal(dax_pmem_map_new(f->dev, 12 * KIB, 16 * KIB,
				 DAX_MAP_PMD, &f->part), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	dax_pmem_map_delete(&f->part);
	dax_pmem_map_delete(&f->whole);
	dax_device_delete(&f->dev);
	free(f);
	return 0;
}

static void no_page_has_pfn_0(void **state)
{
	(void)state;
	assert_true(DAX_PFN_BASE > 0);
	/* As aligned as the offset, up to a PUD entry. */
	assert_int_equal(DAX_PFN_BASE % (1 << 18), 0);
	assert_int_equal(dax_device_offset_to_pfn(0), DAX_PFN_BASE);
	assert_int_equal(dax_device_offset_to_pfn(8191), DAX_PFN_BASE + 1);
}

static void an_address_has_the_pfn_of_its_page(void **state)
{
	struct fixture *f = *state;
	char *base = dax_pmem_map_address(f->part);
	uint64_t pfn;

	assert_int_equal(dax_pmem_address_to_pfn(f->part, base, &pfn), 0);
	assert_int_equal(pfn, DAX_PFN_BASE + 3);
	assert_int_equal(
		dax_pmem_address_to_pfn(f->part, base + 4095, &pfn), 0);
	assert_int_equal(pfn, DAX_PFN_BASE + 3);
	assert_int_equal(
		dax_pmem_address_to_pfn(f->part, base + 16383, &pfn), 0);
	assert_int_equal(pfn, DAX_PFN_BASE + 6);
}

static void a_pfn_leads_back_to_its_address(void **state)
{
	struct fixture *f = *state;
	char *base = dax_pmem_map_address(f->whole);
	uint64_t pfn;
	void *address;

	for (size_t at = 0; at < 64 * KIB; at += 4096) {
		assert_int_equal(
			dax_pmem_address_to_pfn(f->whole, base + at, &pfn), 0);
		assert_int_equal(
			dax_pmem_pfn_to_address(f->whole, pfn, &address), 0);
		assert_ptr_equal(address, base + at);
	}
}

static void a_pfn_is_the_same_page_in_every_map(void **state)
{
	struct fixture *f = *state;
	void *in_whole, *in_part;

	assert_int_equal(dax_pmem_pfn_to_address(
				 f->whole, DAX_PFN_BASE + 4, &in_whole), 0);
	assert_int_equal(dax_pmem_pfn_to_address(
				 f->part, DAX_PFN_BASE + 4, &in_part), 0);
	strcpy(in_whole, "page 4");
	assert_string_equal(in_part, "page 4");
}

static void what_is_outside_is_refused_and_nothing_written(void **state)
{
	struct fixture *f = *state;
	char *base = dax_pmem_map_address(f->part);
	const void *addresses[] = {
		NULL, base - 1, base + 16384, (void *)UINTPTR_MAX};
	const uint64_t pfns[] = {0, 3, DAX_PFN_BASE, DAX_PFN_BASE + 2,
		DAX_PFN_BASE + 7, UINT64_MAX};
	uint64_t pfn = 77;
	void *address = &pfn;

	for (size_t i = 0; i < 4; i++)
		assert_int_equal(dax_pmem_address_to_pfn(
					 f->part, addresses[i], &pfn),
			-ERANGE);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(
			dax_pmem_pfn_to_address(f->part, pfns[i], &address),
			-ERANGE);
	assert_int_equal(pfn, 77);
	assert_ptr_equal(address, &pfn);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_page_has_pfn_0),
		cmocka_unit_test(an_address_has_the_pfn_of_its_page),
		cmocka_unit_test(a_pfn_leads_back_to_its_address),
		cmocka_unit_test(a_pfn_is_the_same_page_in_every_map),
		cmocka_unit_test(
			what_is_outside_is_refused_and_nothing_written),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}

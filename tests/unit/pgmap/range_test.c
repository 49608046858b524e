/* SPDX-License-Identifier: BSD-3-Clause */
/* A range of one order counts as one, is found from each of its pages, and
 * leaves no trace when it is free: museum C6. */
#include "device.h"

#include <signal.h>

#include "support/death.h"

struct range {
	uint64_t pfn;
	unsigned int order;
};

static const struct range ranges[] = {
	{PMD, DAX_PMD_ORDER},
	{PUD, DAX_PMD_ORDER},
	{PUD + PMD_PAGES, DAX_PMD_ORDER},
	{PUD, DAX_PUD_ORDER},
	{END - PMD_PAGES, DAX_PMD_ORDER},
};

static void for_each_range(struct device *device,
	void (*claim)(struct device *device, const struct range *range))
{
	for (unsigned int i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		claim(device, &ranges[i]);
}

static uint64_t last_of(const struct range *range)
{
	return range->pfn + ((uint64_t)1 << range->order) - 1;
}

static void count_through_all(struct device *device, const struct range *range)
{
	const uint64_t middle = range->pfn + ((uint64_t)1 << range->order) / 2;

	map(device, range->pfn, range->order);
	assert_true(dax_page_try_get(device->pgmap, last_of(range)));
	assert_true(dax_page_try_get(device->pgmap, middle));
	assert_int_equal(dax_page_count(device->pgmap, range->pfn), 3);
	assert_int_equal(dax_page_count(device->pgmap, middle + 1), 3);
	dax_page_put(device->pgmap, range->pfn);
	dax_page_put(device->pgmap, middle + 1);
	assert_false(dax_page_is_idle(device->pgmap, middle));
	dax_page_put(device->pgmap, last_of(range));
	assert_true(dax_page_is_idle(device->pgmap, middle));
	assert_int_equal(device->freed, range->pfn);
	assert_int_equal(device->nr_freed, (uint64_t)1 << range->order);
	assert_owned_by(device, last_of(range), &device->a,
		last_of(range) - range->pfn);
	assert_int_equal(
		dax_page_dissociate(device->pgmap, range->pfn, &device->a), 0);
}

static void a_range_has_one_count(void **state)
{
	for_each_range(*state, count_through_all);
}

static void use_neighbours(struct device *device, const struct range *range)
{
	map(device, range->pfn, range->order);
	if (range->pfn > FIRST)
		assert_int_equal(
			dax_page_count(device->pgmap, range->pfn - 1), 0);
	if (last_of(range) + 1 < END)
		assert_int_equal(
			dax_page_count(device->pgmap, last_of(range) + 1), 0);
	unmap(device, range->pfn);
}

static void a_range_ends_where_it_ends(void **state)
{
	for_each_range(*state, use_neighbours);
}

static void use_tail_by_itself(struct device *device, const struct range *range)
{
	map(device, range->pfn, range->order);
	unmap(device, range->pfn);
	assert_free(device, range->pfn);
	map(device, last_of(range), DAX_PTE_ORDER);
	assert_int_equal(dax_page_count(device->pgmap, last_of(range)), 1);
	assert_int_equal(dax_page_count(device->pgmap, range->pfn), 0);
	assert_owned_by(device, last_of(range), &device->a, 0);
	unmap(device, last_of(range));
	assert_int_equal(device->nr_freed, 1);
}

static void a_tail_of_what_was_large_is_used_by_itself(void **state)
{
	for_each_range(*state, use_tail_by_itself);
}

static void refuse_parts(struct device *device, const struct range *range)
{
	map(device, range->pfn, range->order);
	assert_int_equal(
		map_as(device, &device->a, range->pfn, DAX_PTE_ORDER), -EBUSY);
	assert_int_equal(
		map_as(device, &device->a, last_of(range), DAX_PTE_ORDER),
		-EBUSY);
	unmap(device, range->pfn);
}

static void no_part_of_a_range_gets_another_owner(void **state)
{
	for_each_range(*state, refuse_parts);
}

static void refuse_whole(struct device *device, const struct range *range)
{
	const uint64_t parts[] = {range->pfn, range->pfn + 1, last_of(range)};

	for (unsigned int i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		map(device, parts[i], DAX_PTE_ORDER);
		/* B may share: then all is looked at. */
		assert_int_equal(
			map_as(device, &device->b, range->pfn, range->order),
			-EBUSY);
		unmap(device, parts[i]);
	}
}

static void no_range_is_claimed_that_is_in_use_in_part(void **state)
{
	for_each_range(*state, refuse_whole);
}

static void claim_what_is_not_aligned(void *with)
{
	struct device *device = with;

	map(device, PMD + 1, DAX_PMD_ORDER);
}

static void claim_beyond_the_end(void *with)
{
	struct device *device = with;

	map(device, END - PMD_PAGES, DAX_PUD_ORDER);
}

static void a_range_is_aligned_and_on_the_device(void **state)
{
	assert_aborts(claim_what_is_not_aligned, *state);
	assert_aborts(claim_beyond_the_end, *state);
}

/* Each page is one of its own, wherever PMDs begin. */
static void assert_pages_are_apart(const struct dax_pgmap_params *params)
{
	struct dax_page_owner owner = {0};
	struct dax_pgmap *pgmap;

	assert_int_equal(dax_pgmap_new(params, &pgmap), 0);
	assert_int_equal(dax_pgmap_add_owner(pgmap, &owner, &owner.id), 0);
	for (uint64_t i = 0; i < params->nr; i++)
		assert_int_equal(dax_page_associate(pgmap, params->first + i,
					 DAX_PTE_ORDER, &owner, DAX_PAGE_SOLE),
			0);
	for (uint64_t i = 0; i < params->nr; i++) {
		const uint64_t pfn = params->first + i;

		assert_int_equal(dax_page_count(pgmap, pfn), 1);
		dax_page_put(pgmap, pfn);
		assert_int_equal(dax_page_dissociate(pgmap, pfn, &owner), 0);
	}
	dax_pgmap_delete(&pgmap);
}

static void a_device_begins_and_ends_anywhere(void **state)
{
	const uint64_t starts[] = {0, 1, PMD_PAGES - 1, PMD, PMD + 1,
		PMD + PMD_PAGES - 1, PUD - 1, PUD, PUD + 1};
	const uint64_t sizes[] = {
		1, 2, PMD_PAGES - 1, PMD_PAGES, PMD_PAGES + 1, 3 * PMD_PAGES};
	struct dax_pgmap_params params = {
		.waitqs = ((struct device *)*state)->waitqs};

	for (unsigned int i = 0; i < sizeof(starts) / sizeof(*starts); i++)
		for (unsigned int j = 0; j < sizeof(sizes) / sizeof(*sizes);
			j++) {
			params.first = starts[i];
			params.nr = sizes[j];
			assert_pages_are_apart(&params);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DEVICE_TEST(a_range_has_one_count),
		DEVICE_TEST(a_range_ends_where_it_ends),
		DEVICE_TEST(a_tail_of_what_was_large_is_used_by_itself),
		DEVICE_TEST(no_part_of_a_range_gets_another_owner),
		DEVICE_TEST(no_range_is_claimed_that_is_in_use_in_part),
		DEVICE_TEST(a_range_is_aligned_and_on_the_device),
		DEVICE_TEST(a_device_begins_and_ends_anywhere),
	};

	return cmocka_run_group_tests_name("range", tests, NULL, NULL);
}

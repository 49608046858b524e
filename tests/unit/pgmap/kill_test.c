/* SPDX-License-Identifier: BSD-3-Clause */
/* A device that is killed refuses what would make a page live, and is waited
 * for until nothing of it is in use. */
#include "device.h"

static void a_dying_device_makes_no_page_live(void **state)
{
	struct device *device = *state;

	map(device, PTE, DAX_PTE_ORDER);
	assert_false(dax_pgmap_is_dying(device->pgmap));
	dax_pgmap_kill(device->pgmap);
	assert_true(dax_pgmap_is_dying(device->pgmap));
	assert_int_equal(
		map_as(device, &device->a, PTE + 1, DAX_PTE_ORDER), -EIO);
	assert_int_equal(map_as(device, &device->a, PUD, DAX_PMD_ORDER), -EIO);
	dax_page_put(device->pgmap, PTE);
	assert_int_equal(dax_page_request(device->pgmap, PTE), -EIO);
	assert_int_equal(
		dax_page_dissociate(device->pgmap, PTE, &device->a), 0);
	assert_false(dax_pgmap_get(device->pgmap));
	assert_free(device, PTE);
	assert_free(device, PTE + 1);
}

static void a_killed_device_at_rest_is_not_waited_for(void **state)
{
	struct device *device = *state;

	dax_pgmap_kill(device->pgmap);
	assert_int_equal(dax_pgmap_wait(device->pgmap, NULL), 0);
}

static void a_live_page_keeps_a_device(void **state)
{
	struct device *device = *state;

	map(device, END - 1, DAX_PTE_ORDER);
	dax_pgmap_kill(device->pgmap);
	assert_int_equal(dax_pgmap_wait(device->pgmap, &long_past), -ETIMEDOUT);
	unmap(device, END - 1);
	assert_int_equal(dax_pgmap_wait(device->pgmap, &long_past), 0);
}

static void whoever_holds_a_device_keeps_it(void **state)
{
	struct device *device = *state;

	assert_true(dax_pgmap_get(device->pgmap));
	assert_true(dax_pgmap_get(device->pgmap));
	dax_pgmap_kill(device->pgmap);
	dax_pgmap_put(device->pgmap);
	assert_int_equal(dax_pgmap_wait(device->pgmap, &long_past), -ETIMEDOUT);
	dax_pgmap_put(device->pgmap);
	assert_int_equal(dax_pgmap_wait(device->pgmap, &long_past), 0);
}

static void wait_for_device(struct crew_member *me)
{
	struct device *device = me->shared;

	crew_check(me, !dax_pgmap_wait(device->pgmap, NULL));
	crew_check(me, dax_page_is_idle(device->pgmap, PMD));
}

static void the_last_pin_and_the_last_holder_are_waited_for(void **state)
{
	struct device *device = *state;
	struct crew crew;

	assert_true(dax_pgmap_get(device->pgmap));
	map(device, PMD, DAX_PMD_ORDER);
	assert_true(dax_page_try_get(device->pgmap, PMD + 1));
	dax_pgmap_kill(device->pgmap);
	dax_page_put(device->pgmap, PMD);
	crew_start(&crew, 2, wait_for_device, device);
	crew_await(waitq_table_sleeps(device->waitqs, NULL));
	dax_page_put(device->pgmap, PMD + 1);
	crew_await(waitq_table_sleeps(device->waitqs, &device->pgmap->refs));
	dax_pgmap_put(device->pgmap);
	crew_assert_content(&crew);
	assert_int_equal(
		dax_page_dissociate(device->pgmap, PMD, &device->a), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DEVICE_TEST(a_dying_device_makes_no_page_live),
		DEVICE_TEST(a_killed_device_at_rest_is_not_waited_for),
		DEVICE_TEST(a_live_page_keeps_a_device),
		DEVICE_TEST(whoever_holds_a_device_keeps_it),
		DEVICE_TEST(the_last_pin_and_the_last_holder_are_waited_for),
	};

	return cmocka_run_group_tests_name("kill", tests, NULL, NULL);
}

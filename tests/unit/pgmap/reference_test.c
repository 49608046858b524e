/* SPDX-License-Identifier: BSD-3-Clause */
/* Counts start at 0, pins never begin one, and the last reference says so. */
#include "device.h"

#include <signal.h>

#include "support/death.h"

static void a_free_page_cannot_be_pinned(void **state)
{
	struct device *device = *state;

	assert_true(dax_page_is_idle(device->pgmap, PTE));
	assert_false(dax_page_try_get(device->pgmap, PTE));
	assert_int_equal(dax_page_count(device->pgmap, PTE), 0);
}

static void an_entry_and_each_pin_hold_a_reference(void **state)
{
	struct device *device = *state;

	map(device, PTE, DAX_PTE_ORDER);
	assert_true(dax_page_try_get(device->pgmap, PTE));
	assert_true(dax_page_try_get(device->pgmap, PTE));
	assert_int_equal(dax_page_count(device->pgmap, PTE), 3);
	dax_page_put(device->pgmap, PTE);
	dax_page_put(device->pgmap, PTE);
	assert_int_equal(device->frees, 0);
	unmap(device, PTE);
}

static void the_last_put_frees_the_page_once(void **state)
{
	struct device *device = *state;

	map(device, PTE, DAX_PTE_ORDER);
	assert_true(dax_page_try_get(device->pgmap, PTE));
	dax_page_put(device->pgmap, PTE);
	assert_false(dax_page_is_idle(device->pgmap, PTE));
	dax_page_put(device->pgmap, PTE);
	assert_true(dax_page_is_idle(device->pgmap, PTE));
	assert_int_equal(device->frees, 1);
	assert_int_equal(device->freed, PTE);
	assert_int_equal(device->nr_freed, 1);
	assert_int_equal(
		dax_page_dissociate(device->pgmap, PTE, &device->a), 0);
	assert_free(device, PTE);
}

static void look_from_page_free(struct device *device)
{
	assert_false(dax_page_is_idle(device->pgmap, PTE));
	assert_int_equal(dax_page_count(device->pgmap, PTE), 0);
	assert_false(dax_page_try_get(device->pgmap, PTE));
	assert_int_equal(
		dax_page_dissociate(device->pgmap, PTE, &device->a), -EBUSY);
}

static void a_page_is_idle_only_after_page_free(void **state)
{
	struct device *device = *state;

	device->in_page_free = look_from_page_free;
	map(device, PTE, DAX_PTE_ORDER);
	unmap(device, PTE);
	assert_int_equal(device->frees, 1);
}

static void an_entry_that_dropped_its_page_can_hold_it_again(void **state)
{
	struct device *device = *state;

	map(device, PTE, DAX_PTE_ORDER);
	dax_page_put(device->pgmap, PTE);
	assert_owned_by(device, PTE, &device->a, 0);
	assert_int_equal(dax_page_request(device->pgmap, PTE), 0);
	assert_true(dax_page_try_get(device->pgmap, PTE));
	assert_int_equal(dax_page_count(device->pgmap, PTE), 2);
	dax_page_put(device->pgmap, PTE);
	unmap(device, PTE);
	assert_int_equal(device->frees, 2);
}

static void an_entry_holds_a_page_again_beside_its_pins(void **state)
{
	struct device *device = *state;

	map(device, PTE, DAX_PTE_ORDER);
	assert_true(dax_page_try_get(device->pgmap, PTE));
	dax_page_put(device->pgmap, PTE);
	assert_int_equal(dax_page_request(device->pgmap, PTE), 0);
	assert_int_equal(dax_page_count(device->pgmap, PTE), 2);
	dax_page_put(device->pgmap, PTE);
	unmap(device, PTE);
	assert_int_equal(device->frees, 1);
}

/* ---- misuse ---- */

static void pins_leave_room_for_the_references_of_owners(void **state)
{
	struct device *device = *state;
	const uint64_t many = UINT32_MAX - PAGE_OWNERS_MAX - 10;
	struct sync_u64 *word = &page_head(device->pgmap, PTE).page->state;
	uint64_t pins = 0;

	map(device, PTE, DAX_PTE_ORDER);
	sync_add(word, many, memory_order_relaxed);
	while (dax_page_try_get(device->pgmap, PTE))
		pins++;
	share(device, PTE, DAX_PTE_ORDER);
	assert_int_equal(
		dax_page_count(device->pgmap, PTE), 1 + many + pins + 1);
	assert_int_equal(
		dax_page_dissociate(device->pgmap, PTE, &device->b), 0);
	sync_sub(word, many + pins + 1, memory_order_relaxed);
	unmap(device, PTE);
}

static void put_what_is_free(void *with)
{
	struct device *device = with;

	dax_page_put(device->pgmap, PTE);
}

static void request_what_nobody_owns(void *with)
{
	struct device *device = with;

	if (dax_page_request(device->pgmap, PTE))
		return;
}

static void pin_what_is_not_there(void *with)
{
	struct device *device = with;

	if (dax_page_try_get(device->pgmap, END))
		return;
}

static void delete_while_live(void *with)
{
	struct device *device = with;

	map(device, PUD + 3, DAX_PTE_ORDER);
	dax_pgmap_delete(&device->pgmap);
}

static void misuse_aborts(void **state)
{
	assert_aborts(put_what_is_free, *state);
	assert_aborts(request_what_nobody_owns, *state);
	assert_aborts(pin_what_is_not_there, *state);
	assert_aborts(delete_while_live, *state);
}

/* ---- devices that cannot be ---- */

static void a_device_has_pages_and_they_have_numbers(void **state)
{
	static const struct dax_pgmap_params wrong[] = {
		{.first = 1, .nr = 0},
		{.first = (uint64_t)1 << 52, .nr = 1},
		{.first = 0, .nr = UINT64_MAX},
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct dax_pgmap *pgmap = (struct dax_pgmap *)&wrong;

		assert_int_equal(dax_pgmap_new(&wrong[i], &pgmap), -EINVAL);
		assert_null(pgmap);
	}
}

static void a_page_takes_sixteen_bytes(void **state)
{
	(void)state;
	assert_int_equal(sizeof(struct page), 16);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DEVICE_TEST(a_free_page_cannot_be_pinned),
		DEVICE_TEST(an_entry_and_each_pin_hold_a_reference),
		DEVICE_TEST(the_last_put_frees_the_page_once),
		DEVICE_TEST(a_page_is_idle_only_after_page_free),
		DEVICE_TEST(an_entry_that_dropped_its_page_can_hold_it_again),
		DEVICE_TEST(an_entry_holds_a_page_again_beside_its_pins),
		DEVICE_TEST(pins_leave_room_for_the_references_of_owners),
		DEVICE_TEST(misuse_aborts),
		cmocka_unit_test(a_device_has_pages_and_they_have_numbers),
		cmocka_unit_test(a_page_takes_sixteen_bytes),
	};

	return cmocka_run_group_tests_name("reference", tests, NULL, NULL);
}

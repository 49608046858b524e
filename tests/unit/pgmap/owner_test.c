/* SPDX-License-Identifier: BSD-3-Clause */
/* Who has a page: one owner by name, several as a number, and the one who is
 * left by name again: museum C5. */
#include "device.h"

static void one_owner_is_named(void **state)
{
	struct device *device = *state;

	assert_owned(device, PTE, DAX_PAGE_UNOWNED);
	map(device, PTE, DAX_PTE_ORDER);
	assert_owned_by(device, PTE, &device->a, 0);
	unmap(device, PTE);
	assert_owned(device, PTE, DAX_PAGE_UNOWNED);
}

static void the_first_and_the_last_index_are_named(void **state)
{
	struct device *device = *state;
	const dax_pgoff_t last = ((dax_pgoff_t)1 << DAX_PGMAP_INDEX_BITS) - 1;

	for (dax_pgoff_t index = 0; index <= last; index += last) {
		device->a.index = index;
		map(device, PTE, DAX_PTE_ORDER);
		assert_owned_by(device, PTE, &device->a, 0);
		unmap(device, PTE);
	}
}

static void a_page_that_has_an_owner_is_no_others(void **state)
{
	struct device *device = *state;

	map(device, PTE, DAX_PTE_ORDER);
	assert_int_equal(dax_page_associate(device->pgmap, PTE, DAX_PTE_ORDER,
				 &device->b, DAX_PAGE_SOLE),
		-EBUSY);
	dax_page_put(device->pgmap, PTE);
	/* Nor while it is idle: A still says that it is its own. */
	assert_int_equal(dax_page_associate(device->pgmap, PTE, DAX_PTE_ORDER,
				 &device->b, DAX_PAGE_SOLE),
		-EBUSY);
	assert_int_equal(
		dax_page_dissociate(device->pgmap, PTE, &device->a), 0);
}

static void an_owner_cannot_leave_a_page_that_is_in_use(void **state)
{
	struct device *device = *state;

	map(device, PTE, DAX_PTE_ORDER);
	assert_true(dax_page_try_get(device->pgmap, PTE));
	dax_page_put(device->pgmap, PTE);
	assert_int_equal(
		dax_page_dissociate(device->pgmap, PTE, &device->a), -EBUSY);
	assert_owned_by(device, PTE, &device->a, 0);
	unmap(device, PTE);
	assert_free(device, PTE);
}

static void whoever_is_left_is_named(void **state)
{
	struct device *device = *state;

	map(device, PTE, DAX_PTE_ORDER);
	share(device, PTE, DAX_PTE_ORDER);
	assert_owned(device, PTE, DAX_PAGE_OWNERS);
	unmap(device, PTE);
	assert_owned_by(device, PTE, &device->b, 0);
	/* And the other way round. */
	assert_int_equal(dax_page_associate(device->pgmap, PTE, DAX_PTE_ORDER,
				 &device->a, DAX_PAGE_SHARED),
		0);
	unmap_as(device, &device->b, PTE);
	assert_owned_by(device, PTE, &device->a, 0);
	unmap(device, PTE);
	assert_free(device, PTE);
}

static void one_of_several_leaves_a_page_that_is_pinned(void **state)
{
	struct device *device = *state;

	map(device, PTE, DAX_PTE_ORDER);
	share(device, PTE, DAX_PTE_ORDER);
	assert_true(dax_page_try_get(device->pgmap, PTE));
	unmap(device, PTE);
	dax_page_put(device->pgmap, PTE);
	/* The pin is left, and B the last. */
	assert_int_equal(
		dax_page_dissociate(device->pgmap, PTE, &device->b), -EBUSY);
	unmap_as(device, &device->b, PTE);
	assert_free(device, PTE);
}

static void one_file_may_have_a_page_in_several_places(void **state)
{
	struct device *device = *state;
	const struct dax_page_owner b = device->b;
	const struct dax_page_owner other = {b.id, b.index + 99};

	share(device, PTE, DAX_PTE_ORDER);
	share(device, PTE, DAX_PTE_ORDER);
	assert_int_equal(dax_page_associate(device->pgmap, PTE, DAX_PTE_ORDER,
				 &other, DAX_PAGE_SHARED),
		0);
	unmap_as(device, &b, PTE);
	assert_owned(device, PTE, DAX_PAGE_OWNERS);
	unmap_as(device, &b, PTE);
	assert_owned_by(device, PTE, &other, 0);
	unmap_as(device, &other, PTE);
	assert_free(device, PTE);
}

static void a_large_page_is_shared_as_a_whole(void **state)
{
	struct device *device = *state;

	map(device, PMD, DAX_PMD_ORDER);
	share(device, PMD, DAX_PMD_ORDER);
	assert_owned(device, PMD + 1, DAX_PAGE_OWNERS);
	unmap(device, PMD);
	assert_owned_by(device, PMD + 1, &device->b, 1);
	unmap_as(device, &device->b, PMD);
	assert_free(device, PMD);
}

static void a_part_of_a_large_page_is_shared(void **state)
{
	struct device *device = *state;

	/* An index that its first page would have below 0. */
	device->b.index = 0;
	map(device, PMD, DAX_PMD_ORDER);
	share(device, PMD + 1, DAX_PTE_ORDER);
	assert_int_equal(dax_page_count(device->pgmap, PMD), 2);
	unmap(device, PMD);
	assert_owned_by(device, PMD + 1, &device->b, 0);
	unmap_as(device, &device->b, PMD + 1);
	assert_free(device, PMD);
	assert_free(device, PMD + 1);
}

/* ---- numbers ---- */

/* A file maps 2 MiB, another has one page of it, and the first goes. */
static void a_range_is_one_until_its_last_part_is_given_up(void **state)
{
	struct device *device = *state;
	const uint64_t part = PMD + 1;
	const uint64_t rest = PMD + 2;

	map(device, PMD, DAX_PMD_ORDER);
	share(device, part, DAX_PTE_ORDER);
	unmap(device, PMD);
	assert_int_equal(
		map_as(device, &device->a, rest, DAX_PTE_ORDER), -EBUSY);
	unmap_as(device, &device->b, part);
	map(device, rest, DAX_PTE_ORDER);
	assert_true(dax_page_is_idle(device->pgmap, part));
	unmap(device, rest);
}

static void owners_are_found_by_number(void **state)
{
	enum { OWNERS = 1000 };
	static uint64_t objects[OWNERS];
	static uint32_t ids[OWNERS];
	struct device *device = *state;

	for (unsigned int i = 0; i < OWNERS; i++)
		assert_int_equal(dax_pgmap_add_owner(
					 device->pgmap, &objects[i], &ids[i]),
			0);
	for (unsigned int i = 0; i < OWNERS; i++)
		assert_ptr_equal(
			pgmap_owner_rcu(device->pgmap, ids[i]), &objects[i]);
	for (unsigned int i = 0; i < OWNERS; i++)
		dax_pgmap_remove_owner(device->pgmap, ids[i]);
	for (unsigned int i = 0; i < OWNERS; i++)
		assert_null(pgmap_owner_rcu(device->pgmap, ids[i]));
}

static void numbers_are_used_again(void **state)
{
	struct device *device = *state;
	uint32_t id = 0, first = 0;

	for (unsigned int i = 0; i < 100; i++) {
		assert_int_equal(
			dax_pgmap_add_owner(device->pgmap, device, &id), 0);
		dax_pgmap_remove_owner(device->pgmap, id);
		first = first ? first : id;
	}
	assert_int_equal(id, first);
}

/* As many as were given out but for the last: the chunk of that is the only one
 * that there is. */
static void there_are_as_many_numbers_as_names_have_room_for(void **state)
{
	const uint32_t last =
		(1u << OWNER_BITS) - (1u << OWNER_CHUNK_SHIFT) - 1;
	struct device *device = *state;
	struct owners *owners = &device->pgmap->owners;
	uint32_t id = 0, again = 0;

	owners->used = last - 1;
	assert_int_equal(
		dax_pgmap_add_owner(device->pgmap, &device->a, &id), 0);
	assert_int_equal(id, last);
	assert_int_equal(owner_name(&(struct dax_page_owner){.id = id}, 0) >>
				 DAX_PGMAP_INDEX_BITS,
		last);
	assert_int_equal(dax_pgmap_add_owner(device->pgmap, &device->b, &again),
		-EMFILE);
	assert_int_equal(again, 0);
	dax_pgmap_remove_owner(device->pgmap, id);
	assert_int_equal(
		dax_pgmap_add_owner(device->pgmap, &device->b, &again), 0);
	assert_int_equal(again, last);
	assert_ptr_equal(pgmap_owner_rcu(device->pgmap, last), &device->b);
}

static void numbers_that_nobody_has_find_nothing(void **state)
{
	struct device *device = *state;

	assert_null(pgmap_owner_rcu(device->pgmap, 0));
	assert_null(pgmap_owner_rcu(device->pgmap, device->b.id + 1));
	assert_null(pgmap_owner_rcu(device->pgmap, 1000));
	assert_null(pgmap_owner_rcu(device->pgmap, UINT32_MAX));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DEVICE_TEST(one_owner_is_named),
		DEVICE_TEST(the_first_and_the_last_index_are_named),
		DEVICE_TEST(a_page_that_has_an_owner_is_no_others),
		DEVICE_TEST(an_owner_cannot_leave_a_page_that_is_in_use),
		DEVICE_TEST(whoever_is_left_is_named),
		DEVICE_TEST(one_of_several_leaves_a_page_that_is_pinned),
		DEVICE_TEST(one_file_may_have_a_page_in_several_places),
		DEVICE_TEST(a_large_page_is_shared_as_a_whole),
		DEVICE_TEST(a_part_of_a_large_page_is_shared),
		DEVICE_TEST(a_range_is_one_until_its_last_part_is_given_up),
		DEVICE_TEST(owners_are_found_by_number),
		DEVICE_TEST(numbers_are_used_again),
		DEVICE_TEST(there_are_as_many_numbers_as_names_have_room_for),
		DEVICE_TEST(numbers_that_nobody_has_find_nothing),
	};

	return cmocka_run_group_tests_name("owner", tests, NULL, NULL);
}

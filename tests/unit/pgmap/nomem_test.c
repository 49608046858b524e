/* SPDX-License-Identifier: BSD-3-Clause */
/* Each allocation fails in turn: the call says -ENOMEM, and leaves nothing. */
#include "device.h"

static void a_device_that_cannot_be_made_leaves_nothing(void **state)
{
	struct device *device = *state;
	const struct dax_pgmap_params params = {
		.nr = 1, .waitqs = device->waitqs};
	const uint64_t live = sync_alloc_live();
	struct dax_pgmap *pgmap;
	uint64_t n = 1;
	int error;

	for (;; n++) {
		pgmap = (struct dax_pgmap *)&live;
		sync_alloc_fail_nth(n);
		error = dax_pgmap_new(&params, &pgmap);
		sync_alloc_fail_nth(0);
		if (!error)
			break;
		assert_int_equal(error, -ENOMEM);
		assert_null(pgmap);
		assert_int_equal(sync_alloc_live(), live);
	}
	assert_int_equal(n, 3);
	dax_pgmap_delete(&pgmap);
	assert_null(pgmap);
	dax_pgmap_delete(&pgmap);
}

static void an_owner_that_finds_no_room_gets_it_later(void **state)
{
	struct device *device = *state;
	uint32_t id = 77;
	unsigned int failures = 0;

	for (unsigned int i = 0; i < 100; i++) {
		sync_alloc_fail_nth(1);
		if (dax_pgmap_add_owner(device->pgmap, device, &id)) {
			failures++;
			sync_alloc_fail_nth(0);
			assert_int_equal(
				dax_pgmap_add_owner(device->pgmap, device, &id),
				0);
		}
		assert_ptr_equal(pgmap_owner_rcu(device->pgmap, id), device);
	}
	sync_alloc_fail_nth(0);
	/* Chunks of 32 and 64 were needed. */
	assert_int_equal(failures, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DEVICE_TEST(a_device_that_cannot_be_made_leaves_nothing),
		DEVICE_TEST(an_owner_that_finds_no_room_gets_it_later),
	};

	return cmocka_run_group_tests_name("nomem", tests, NULL, NULL);
}

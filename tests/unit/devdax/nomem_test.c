/* SPDX-License-Identifier: BSD-3-Clause */
/* Each allocation fails in turn: the call says so, and leaves nothing behind;
 * the same call then succeeds. */
#include "base/sync.h"
#include "support/bare.h"

static void a_device_is_made_whole_or_not_at_all(void **state)
{
	struct dax_devdax *devdax;
	struct bare bare;
	uint64_t nth, live;
	int error = -ENOMEM;

	(void)state;
	bare_init(&bare, DAX_PMD_ORDER);
	live = sync_alloc_live();
	for (nth = 1; error; nth++) {
		sync_alloc_fail_nth(nth);
		error = dax_devdax_new(bare.map, DAX_PMD_ORDER, &devdax);
		sync_alloc_fail_nth(0);
		if (!error)
			continue;
		assert_int_equal(error, -ENOMEM);
		assert_null(devdax);
		assert_int_equal(sync_alloc_live(), live);
	}
	assert_true(nth > 2);
	dax_devdax_delete(&devdax);
	bare_fini(&bare);
}

/* There is no smaller leaf to fall back to. */
static void a_fault_without_memory_is_told_and_can_be_repeated(void **state)
{
	static const unsigned int orders[] = {
		DAX_PTE_ORDER, DAX_PMD_ORDER, DAX_PUD_ORDER};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(orders); i++) {
		struct bare bare;
		uint64_t nth;
		int error = -ENOMEM;

		bare_init(&bare, orders[i]);
		for (nth = 1; error; nth++) {
			sync_alloc_fail_nth(nth);
			error = dax_store(bare.mm, bare.address, "x", 1);
			sync_alloc_fail_nth(0);
			if (error)
				assert_int_equal(error, -ENOMEM);
		}
		assert_true(nth > 2);
		assert_int_equal(
			dax_entry_order(bare_word(&bare, 0)), orders[i]);
		bare_fini(&bare);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_device_is_made_whole_or_not_at_all),
		cmocka_unit_test(
			a_fault_without_memory_is_told_and_can_be_repeated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

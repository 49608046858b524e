/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Who waits long is told who holds what. The time is the shortest there is; and
 * who is told lets go in the end, so one thread is enough.
 */
#include "device.h"

#include <string.h>

enum { PATIENCE = 3 };

struct holder {
	struct device *device;
	struct dax_pin pin;
	void (*let_go)(struct holder *holder);
	struct dax_stuck stuck; /* the last that was told */
	unsigned int told;
	bool time_passes; /* from each that was told to the next */
	char text[256];
};

static void be_told(void *context, const struct dax_stuck *stuck)
{
	struct holder *holder = context;

	holder->time_passes = stuck->waited_ns > holder->stuck.waited_ns;
	holder->stuck = *stuck;
	dax_stuck_describe(stuck, holder->text, sizeof(holder->text));
	if (++holder->told == PATIENCE)
		holder->let_go(holder);
}

static void drop_pin(struct holder *holder)
{
	dax_pin_put(holder->device->pgmap, &holder->pin);
}

static void drop_device(struct holder *holder)
{
	dax_pgmap_put(holder->device->pgmap);
}

static void pin_to_be_told(struct holder *holder, uint64_t pfn)
{
	struct dax_pgmap *pgmap = holder->device->pgmap;

	holder->let_go = drop_pin;
	assert_true(dax_pin_get(
		pgmap, &holder->pin, pfn, DAX_PIN_LONGTERM, "the card"));
	dax_pgmap_on_stuck(pgmap, 1, be_told, holder);
}

static void assert_told_of(
	const struct holder *holder, uint64_t pfn, uint64_t nr)
{
	assert_int_equal(holder->told, PATIENCE);
	assert_true(holder->time_passes);
	assert_ptr_equal(holder->stuck.pgmap, holder->device->pgmap);
	assert_int_equal(holder->stuck.pfn, pfn);
	assert_int_equal(holder->stuck.nr, nr);
	assert_int_equal(holder->stuck.references, 1);
}

static void who_waits_for_a_page_is_told_who_pins_it(void **state)
{
	struct holder holder = {.device = *state};
	struct dax_pgmap *pgmap = holder.device->pgmap;

	map(holder.device, PMD, DAX_PMD_ORDER);
	pin_to_be_told(&holder, PMD + 1);
	dax_page_put(pgmap, PMD);
	assert_int_equal(dax_page_wait_idle(pgmap, PMD + 2, NULL), 0);
	assert_told_of(&holder, PMD, PMD_PAGES);
	assert_non_null(strstr(holder.text, " pages from 0x"));
	assert_non_null(strstr(holder.text, ", held 1 time\n"));
	assert_non_null(
		strstr(holder.text, "long-term pin of \"the card\", thread "));
	assert_int_equal(dax_page_dissociate(pgmap, PMD, &holder.device->a), 0);
}

static void so_is_who_waits_for_the_end_of_a_device(void **state)
{
	struct holder holder = {.device = *state};
	struct dax_pgmap *pgmap = holder.device->pgmap;

	map(holder.device, PTE, DAX_PTE_ORDER);
	pin_to_be_told(&holder, PTE);
	dax_pgmap_kill(pgmap);
	dax_page_put(pgmap, PTE);
	assert_int_equal(dax_pgmap_wait(pgmap, NULL), 0);
	assert_told_of(&holder, PTE, 1);
	assert_int_equal(dax_page_dissociate(pgmap, PTE, &holder.device->a), 0);
}

static void and_that_somebody_holds_the_device(void **state)
{
	struct holder holder = {.device = *state, .let_go = drop_device};
	struct dax_pgmap *pgmap = holder.device->pgmap;

	assert_true(dax_pgmap_get(pgmap));
	dax_pgmap_on_stuck(pgmap, 1, be_told, &holder);
	dax_pgmap_kill(pgmap);
	assert_int_equal(dax_pgmap_wait(pgmap, NULL), 0);
	assert_told_of(&holder, 0, 0);
	assert_non_null(
		strstr(holder.text, " s for the device, held 1 time\n"));
}

static void a_limit_that_comes_before_is_kept(void **state)
{
	struct holder holder = {.device = *state};
	struct dax_pgmap *pgmap = holder.device->pgmap;

	map(holder.device, PTE, DAX_PTE_ORDER);
	pin_to_be_told(&holder, PTE);
	assert_int_equal(
		dax_page_wait_idle(pgmap, PTE, &long_past), -ETIMEDOUT);
	assert_int_equal(holder.told, 0);
	dax_pin_put(pgmap, &holder.pin);
	unmap(holder.device, PTE);
}

/* Nobody is told before the end of time, so the limit is what ends it. */
static void a_time_that_never_comes_is_not_waited_for(void **state)
{
	struct holder holder = {.device = *state};
	struct dax_pgmap *pgmap = holder.device->pgmap;
	const struct dax_wait_limit soon = {
		.deadline_ns = sync_now() + 1000000};

	map(holder.device, PTE, DAX_PTE_ORDER);
	pin_to_be_told(&holder, PTE);
	dax_pgmap_on_stuck(pgmap, UINT64_MAX, be_told, &holder);
	assert_int_equal(dax_page_wait_idle(pgmap, PTE, &soon), -ETIMEDOUT);
	assert_int_equal(holder.told, 0);
	dax_pin_put(pgmap, &holder.pin);
	unmap(holder.device, PTE);
}

static void a_text_is_cut_at_the_end_of_its_buffer(void **state)
{
	struct device *device = *state;
	const struct dax_stuck stuck = {
		.pgmap = device->pgmap, .pfn = PTE, .nr = 1, .references = 2};
	struct dax_pin pin;
	char full[256], text[256];
	size_t length;

	map(device, PTE, DAX_PTE_ORDER);
	assert_true(
		dax_pin_get(device->pgmap, &pin, PTE, DAX_PIN_SHORT, "reader"));
	length = dax_stuck_describe(&stuck, full, sizeof(full));
	assert_int_equal(length, strlen(full));
	assert_non_null(strstr(full, " s for 1 page from 0x"));
	assert_int_equal(dax_stuck_describe(&stuck, NULL, 0), length);
	for (size_t size = 1; size <= length; size++) {
		memset(text, '#', sizeof(text));
		assert_int_equal(
			dax_stuck_describe(&stuck, text, size), length);
		assert_int_equal(text[size], '#');
		assert_int_equal(strlen(text), size - 1);
	}
	dax_pin_put(device->pgmap, &pin);
	unmap(device, PTE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DEVICE_TEST(who_waits_for_a_page_is_told_who_pins_it),
		DEVICE_TEST(so_is_who_waits_for_the_end_of_a_device),
		DEVICE_TEST(and_that_somebody_holds_the_device),
		DEVICE_TEST(a_limit_that_comes_before_is_kept),
		DEVICE_TEST(a_time_that_never_comes_is_not_waited_for),
		DEVICE_TEST(a_text_is_cut_at_the_end_of_its_buffer),
	};

	return cmocka_run_group_tests_name("stuck", tests, NULL, NULL);
}

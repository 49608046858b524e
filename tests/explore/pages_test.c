/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Claims: who waits for a page waits for those who have it, and for nobody who
 * gets it, or what it was a part of, meanwhile: he may keep it for ever. Who
 * deletes a device waits for those who only look whether they may pin a page.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "explore/expect.h"
#include "pgmap/pgmap.h"

#define PMD_PAGES ((uint64_t)1 << DAX_PMD_ORDER)
#define FIRST	  PMD_PAGES
#define TAIL	  (FIRST + PMD_PAGES - 1)

enum file { A, B, C, NR_FILES };

struct device {
	struct dax_waitq_table *waitqs;
	struct dax_pgmap *pgmap;
	struct dax_page_owner files[NR_FILES];
	struct sync_u64 leaf; /* TAIL, or 0 */
};

static void must(int error)
{
	if (error)
		abort();
}

static void setup(struct device *device)
{
	struct dax_pgmap_params params = {.first = FIRST, .nr = PMD_PAGES};

	must(dax_waitq_table_new(1, 1, &device->waitqs));
	params.waitqs = device->waitqs;
	must(dax_pgmap_new(&params, &device->pgmap));
	for (unsigned int i = 0; i < NR_FILES; i++)
		must(dax_pgmap_add_owner(device->pgmap, &device->files[i],
			&device->files[i].id));
}

static void teardown(struct device *device)
{
	dax_pgmap_delete(&device->pgmap);
	dax_waitq_table_delete(&device->waitqs);
}

static void map(
	struct device *device, enum file file, uint64_t pfn, unsigned int order)
{
	must(dax_page_associate(device->pgmap, pfn, order, &device->files[file],
		DAX_PAGE_SHARED));
}

static void leave(struct device *device, enum file file, uint64_t pfn)
{
	must(dax_page_dissociate(device->pgmap, pfn, &device->files[file]));
}

static void unmap(struct device *device, enum file file, uint64_t pfn)
{
	dax_page_put(device->pgmap, pfn);
	leave(device, file, pfn);
}

/* ---- a range that ends, and of which a part is used anew ---- */

static void use_head_anew(void *context, long unused)
{
	struct device *device = context;

	(void)unused;
	unmap(device, A, FIRST);
	map(device, C, FIRST, DAX_PTE_ORDER);
}

static void wait_for_tail(void *context, long unused)
{
	struct device *device = context;

	(void)unused;
	must(dax_page_wait_idle(device->pgmap, TAIL, NULL));
}

static void sleep_for_tail(void *context, long unused)
{
	struct device *device = context;
	struct dax_waiter waiter = {0};
	struct dax_waitq *queue = page_join_queue(device->pgmap, TAIL, &waiter);

	(void)unused;
	if (queue)
		must(dax_waitq_sleep(queue, &waiter, NULL));
}

static void range_ends(void (*wait)(void *context, long unused))
{
	struct device device = {0};

	setup(&device);
	map(&device, A, FIRST, DAX_PMD_ORDER);
	dax_explore_thread("use anew", use_head_anew, &device, 0);
	dax_explore_thread("wait", wait, &device, 0);
	dax_explore_run();
	unmap(&device, C, FIRST);
	teardown(&device);
}

static void range_ends_under_a_wait(void *unused)
{
	(void)unused;
	range_ends(wait_for_tail);
}

static void range_ends_under_a_sleep(void *unused)
{
	(void)unused;
	range_ends(sleep_for_tail);
}

/* ---- a page that ends, and is held anew ---- */

static void hold_anew(void *context, long unused)
{
	struct device *device = context;

	(void)unused;
	dax_page_put(device->pgmap, TAIL);
	map(device, C, TAIL, DAX_PTE_ORDER);
}

static void claim(void *context, long unused)
{
	struct device *device = context;

	(void)unused;
	map(device, B, TAIL, DAX_PTE_ORDER);
	unmap(device, B, TAIL);
}

static void page_ends_under_a_claim(void *unused)
{
	struct device device = {0};

	(void)unused;
	setup(&device);
	map(&device, A, TAIL, DAX_PTE_ORDER);
	dax_explore_thread("hold anew", hold_anew, &device, 0);
	dax_explore_thread("claim", claim, &device, 0);
	dax_explore_run();
	leave(&device, A, TAIL);
	unmap(&device, C, TAIL);
	teardown(&device);
}

/* ---- a pin that fails, and the end of the device ---- */

/* As fault/pin.c. */
static void pin_and_look_again(void *context, long unused)
{
	struct device *device = context;

	(void)unused;
	sync_rcu_enter();
	if (sync_load(&device->leaf, memory_order_acquire) &&
		dax_page_try_get(device->pgmap, TAIL))
		dax_page_put(device->pgmap, TAIL);
	sync_rcu_leave();
}

/* As a file that shared the page, and so did not wait for it. */
static void take_device_away(void *context, long unused)
{
	struct device *device = context;

	(void)unused;
	sync_store(&device->leaf, 0, memory_order_release);
	dax_page_put(device->pgmap, TAIL);
	must(page_dissociate(
		device->pgmap, TAIL, &device->files[A], DAX_PAGE_SHARED));
	dax_pgmap_delete(&device->pgmap);
}

static void device_goes_under_a_pin(void *unused)
{
	struct device device = {.leaf.value = TAIL};

	(void)unused;
	setup(&device);
	map(&device, A, TAIL, DAX_PTE_ORDER);
	dax_explore_thread("pin", pin_and_look_again, &device, 0);
	dax_explore_thread("delete", take_device_away, &device, 0);
	dax_explore_run();
	teardown(&device);
}

/* ---- */

static void prove_body(void (*body)(void *unused))
{
	assert_int_equal(
		explore_how(body, DAX_EXPLORE_ALL).verdict, DAX_EXPLORE_PROVED);
}

static void a_wait_is_not_for_who_has_the_head_next(void **state)
{
	(void)state;
	prove_body(range_ends_under_a_wait);
}

static void nor_is_a_sleep(void **state)
{
	(void)state;
	prove_body(range_ends_under_a_sleep);
}

static void a_claim_is_not_for_who_holds_the_page_next(void **state)
{
	(void)state;
	prove_body(page_ends_under_a_claim);
}

static void a_device_waits_for_pins_that_fail(void **state)
{
	(void)state;
	prove_body(device_goes_under_a_pin);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_wait_is_not_for_who_has_the_head_next),
		cmocka_unit_test(nor_is_a_sleep),
		cmocka_unit_test(a_claim_is_not_for_who_holds_the_page_next),
		cmocka_unit_test(a_device_waits_for_pins_that_fail),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Who waits for a page is told when its last reference goes, and only then. */
#include "device.h"

static void a_page_that_is_idle_is_not_waited_for(void **state)
{
	struct device *device = *state;

	assert_int_equal(dax_page_wait_idle(device->pgmap, PTE, NULL), 0);
}

static void a_wait_ends_at_its_time(void **state)
{
	struct device *device = *state;

	map(device, PTE, DAX_PTE_ORDER);
	assert_int_equal(
		dax_page_wait_idle(device->pgmap, PTE, &long_past), -ETIMEDOUT);
	unmap(device, PTE);
	assert_free(device, PTE);
}

static void a_wait_is_cancelled(void **state)
{
	struct device *device = *state;
	struct dax_cancel cancel;
	const struct dax_wait_limit limit = {UINT64_MAX, &cancel};

	dax_cancel_init(&cancel);
	dax_cancel_fire(&cancel);
	map(device, PTE, DAX_PTE_ORDER);
	assert_int_equal(
		dax_page_wait_idle(device->pgmap, PTE, &limit), -ECANCELED);
	unmap(device, PTE);
}

struct wait {
	struct device *device;
	uint64_t pfn;
	_Atomic(bool) over;
};

static void wait_for_page(struct crew_member *me)
{
	struct wait *wait = me->shared;

	crew_check(
		me, !dax_page_wait_idle(wait->device->pgmap, wait->pfn, NULL));
	crew_check(me, wait->device->frees == 1);
	wait->over = true;
}

static bool all_sleep(struct device *device, unsigned int sleepers)
{
	const struct dax_wait_key key = {NULL, 0};
	struct dax_waitq *queue = dax_waitq_lock(device->waitqs, &key);
	unsigned int count = 0;

	for (const struct waiter *waiter = queue->shared.first; waiter;
		waiter = waiter->next)
		count++;
	dax_waitq_unlock(queue);
	return count == sleepers;
}

static void assert_waits_for(struct device *device, uint64_t pfn,
	unsigned int order, uint64_t waited)
{
	struct wait wait = {.device = device, .pfn = waited};
	struct crew crew;

	map(device, pfn, order);
	assert_true(dax_page_try_get(device->pgmap, waited));
	crew_start(&crew, 3, wait_for_page, &wait);
	crew_await(all_sleep(device, 3));
	dax_page_put(device->pgmap, pfn);
	/* They may be woken to look (P5), and sleep again. */
	crew_await(all_sleep(device, 3));
	assert_false(wait.over);
	dax_page_put(device->pgmap, waited);
	crew_assert_content(&crew);
	assert_int_equal(
		dax_page_dissociate(device->pgmap, pfn, &device->a), 0);
	assert_free(device, pfn);
}

static void the_last_pin_wakes_all_who_wait(void **state)
{
	assert_waits_for(*state, PTE, DAX_PTE_ORDER, PTE);
}

static void so_it_does_for_any_page_of_a_range(void **state)
{
	assert_waits_for(*state, PMD, DAX_PMD_ORDER, PMD + 1);
}

static void request_in_thread(struct crew_member *me)
{
	struct wait *wait = me->shared;

	crew_check(me, !dax_page_request(wait->device->pgmap, PTE));
	crew_check(me, wait->device->frees == 1);
	wait->over = true;
}

static struct wait requested;
static struct crew requester;

static void have_it_requested(struct device *device)
{
	if (device->frees > 1)
		return;
	crew_start(&requester, 1, request_in_thread, &requested);
	crew_await(all_sleep(device, 1));
	assert_false(requested.over);
}

static void a_request_waits_for_page_free(void **state)
{
	struct device *device = *state;

	requested = (struct wait){.device = device};
	device->in_page_free = have_it_requested;
	map(device, PTE, DAX_PTE_ORDER);
	dax_page_put(device->pgmap, PTE);
	crew_assert_content(&requester);
	assert_int_equal(dax_page_count(device->pgmap, PTE), 1);
	unmap(device, PTE);
	assert_int_equal(device->frees, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DEVICE_TEST(a_page_that_is_idle_is_not_waited_for),
		DEVICE_TEST(a_wait_ends_at_its_time),
		DEVICE_TEST(a_wait_is_cancelled),
		DEVICE_TEST(the_last_pin_wakes_all_who_wait),
		DEVICE_TEST(so_it_does_for_any_page_of_a_range),
		DEVICE_TEST(a_request_waits_for_page_free),
	};

	return cmocka_run_group_tests_name("idle", tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Code with the kernel's names under the explorer: a fragment that locks
 * entries is proved, and each mistake in it is found for what it is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daxlock/explore.h"
#include "unit/kernel/fragment.h"

#define HUGE (1UL << PMD_ORDER)

struct world {
	struct file file;
	unsigned int owner[HUGE]; /* of an entry's page; 0: nobody */
};

/* ---- threads ---- */

static void use_page(struct world *world, unsigned long index)
{
	dax_explore_check(
		!READ_ONCE(world->owner[index]), "an entry has one owner");
	WRITE_ONCE(world->owner[index], 1);
	WRITE_ONCE(world->owner[index], 0);
}

static void fault(void *context, long index)
{
	struct world *world = context;
	unsigned long page = (unsigned long)index;
	void *entry;
	const int error = grab_entry(&world->file, page, 0, &entry);

	dax_explore_check(!error || error == -ENOMEM, "a page is grabbed");
	if (!error) {
		use_page(world, page);
		unlock_entry(&world->file, page, entry);
	}
}

static void huge_fault(void *context, long index)
{
	struct world *world = context;
	unsigned long page = (unsigned long)index;
	void *entry;
	const int error = grab_entry(&world->file, page, PMD_ORDER, &entry);

	dax_explore_sometimes(!error, "a huge page is grabbed");
	if (!error)
		unlock_entry(&world->file, page, entry);
}

static void invalidate(void *context, long index)
{
	struct world *world = context;

	invalidate_entry(&world->file, (unsigned long)index);
}

static void clean(void *context, long unused)
{
	struct world *world = context;

	(void)unused;
	dax_explore_sometimes(write_back(&world->file), "a page is cleaned");
}

/* ---- scenarios ---- */

static void check_at_rest(struct file *file)
{
	XA_STATE(xas, &file->pages, 0);
	unsigned long nrpages = 0;
	void *entry;

	xas_lock_irq(&xas);
	xas_for_each (&xas, entry, ULONG_MAX) {
		dax_explore_check(!entry_is_locked(entry), "all is unlocked");
		nrpages += 1UL << entry_order(entry);
	}
	xas_unlock_irq(&xas);
	dax_explore_check(nrpages == file->nrpages, "nrpages counts pages");
}

static void world_init(
	struct world *world, enum fragment_bug bug, unsigned int order)
{
	void *entry;

	*world = (struct world){.owner = {0}};
	file_init(&world->file, bug);
	if (!grab_entry(&world->file, 0, order, &entry))
		unlock_entry(&world->file, 0, entry);
}

static void world_fini(struct world *world)
{
	check_at_rest(&world->file);
	xa_destroy(&world->file.pages);
}

static void downgrade_a_huge_entry(void *bug)
{
	struct world world;

	world_init(&world, *(enum fragment_bug *)bug, PMD_ORDER);
	for (long index = 1; index <= 3; index++)
		dax_explore_thread("fault", fault, &world, index);
	dax_explore_run();
	dax_explore_sometimes(dax_explore_slept(1) && dax_explore_slept(2),
		"two slept on the huge entry");
	world_fini(&world);
}

static void decline_a_dirty_entry(void *bug)
{
	struct world world;

	world_init(&world, *(enum fragment_bug *)bug, 0);
	dirty_entry(&world.file, 0);
	dax_explore_thread("fault", fault, &world, 0);
	dax_explore_thread("fault", fault, &world, 0);
	dax_explore_thread("invalidate", invalidate, &world, 0);
	dax_explore_run();
	world_fini(&world);
}

static void drop_what_others_grab(void *bug)
{
	struct world world;

	world_init(&world, *(enum fragment_bug *)bug, PMD_ORDER);
	dax_explore_thread("huge fault", huge_fault, &world, 0);
	dax_explore_thread("fault", fault, &world, 1);
	dax_explore_thread("invalidate", invalidate, &world, 1);
	dax_explore_run();
	world_fini(&world);
}

static void clean_what_others_grab(void *bug)
{
	struct world world;

	world_init(&world, *(enum fragment_bug *)bug, 0);
	dirty_entry(&world.file, 0);
	dax_explore_thread("writeback", clean, &world, 0);
	dax_explore_thread("fault", fault, &world, 0);
	dax_explore_run();
	world_fini(&world);
}

static void add_one(void *context, long unused)
{
	unsigned long *sum = context;

	(void)unused;
	WRITE_ONCE(*sum, READ_ONCE(*sum) + 1);
}

static void add_without_lock(void *unused)
{
	unsigned long sum = 0;

	(void)unused;
	dax_explore_thread("adds", add_one, &sum, 0);
	dax_explore_thread("adds", add_one, &sum, 0);
	dax_explore_run();
	dax_explore_check(sum == 1 || sum == 2, "one is added, or two");
	dax_explore_sometimes(sum == 1, "an addition is lost");
	dax_explore_sometimes(sum == 2, "none is");
}

static DECLARE_WAIT_QUEUE_HEAD(static_queue);
static unsigned long static_flag;

static void await_flag(void *unused, long unused_too)
{
	(void)unused;
	(void)unused_too;
	wait_event(static_queue, READ_ONCE(static_flag));
}

static void raise_flag(void *wakes, long unused)
{
	(void)unused;
	WRITE_ONCE(static_flag, 1);
	if (*(bool *)wakes)
		wake_up_all(&static_queue);
}

static void wait_for_an_event(void *wakes)
{
	init_waitqueue_head(&static_queue);
	static_flag = 0;
	dax_explore_thread("waits", await_flag, NULL, 0);
	dax_explore_thread("waits", await_flag, NULL, 0);
	dax_explore_thread("raises", raise_flag, wakes, 0);
	dax_explore_run();
	dax_explore_sometimes(
		dax_explore_slept(0) && dax_explore_slept(1), "both slept");
	dax_explore_sometimes(!dax_explore_slept(0), "one need not");
}

/* Is woken while it does not sleep, and then sleeps. */
static void sleep_after_a_wake_up(void *context, long unused)
{
	wait_queue_head_t *queue = context;
	DEFINE_WAIT(wait);

	(void)unused;
	prepare_to_wait(queue, &wait, TASK_UNINTERRUPTIBLE);
	wake_up(queue);
	finish_wait(queue, &wait);
	prepare_to_wait(queue, &wait, TASK_UNINTERRUPTIBLE);
	if (!READ_ONCE(static_flag))
		schedule();
	finish_wait(queue, &wait);
	dax_explore_check(READ_ONCE(static_flag), "it slept until woken");
}

static void raise_and_wake(void *queue, long unused)
{
	(void)unused;
	WRITE_ONCE(static_flag, 1);
	wake_up(queue);
}

static void forget_a_wake_up(void *unused)
{
	DECLARE_WAIT_QUEUE_HEAD(queue);

	(void)unused;
	static_flag = 0;
	dax_explore_thread("sleeps", sleep_after_a_wake_up, &queue, 0);
	dax_explore_thread("wakes", raise_and_wake, &queue, 0);
	dax_explore_run();
	dax_explore_sometimes(dax_explore_slept(0), "it slept");
}

/* ---- tests ---- */

static void expect_of(
	const struct dax_scenario *scenario, enum dax_explore_bug expected)
{
	struct dax_explore_report report;

	assert_int_equal(dax_explore(scenario, NULL, &report), 0);
	if (report.bug != expected)
		print_message("%s\n%s\nreplay: %s\n", report.message,
			report.table ? report.table : "",
			report.token ? report.token : "");
	assert_int_equal(report.bug, expected);
	assert_int_equal(report.verdict,
		expected ? DAX_EXPLORE_BUG : DAX_EXPLORE_PROVED);
	dax_explore_report_free(&report);
}

static void expect(void (*body)(void *bug), enum fragment_bug bug,
	unsigned int allocs_fail, enum dax_explore_bug expected)
{
	const struct dax_scenario scenario = {
		.name = "fragment",
		.body = body,
		.context = &bug,
		.allocs_fail = allocs_fail,
		.snapshots = true,
	};

	expect_of(&scenario, expected);
}

static void the_fragment_is_proved(void **state)
{
	(void)state;
	expect(downgrade_a_huge_entry, NO_BUG, 0, DAX_EXPLORE_NO_BUG);
	expect(decline_a_dirty_entry, NO_BUG, 0, DAX_EXPLORE_NO_BUG);
	expect(drop_what_others_grab, NO_BUG, 0, DAX_EXPLORE_NO_BUG);
	expect(clean_what_others_grab, NO_BUG, 0, DAX_EXPLORE_NO_BUG);
}

static void each_mistake_is_found(void **state)
{
	static const struct {
		enum fragment_bug bug;
		enum dax_explore_bug expected;
	} rows[] = {
		{WAKE_ONE_AT_DOWNGRADE, DAX_EXPLORE_LOST_WAKE_UP},
		{KEY_OF_INDEX, DAX_EXPLORE_LOST_WAKE_UP},
		{QUEUE_TOO_LATE, DAX_EXPLORE_LOST_WAKE_UP},
		{NO_RESET, DAX_EXPLORE_FAILED_ASSERTION},
		{SLEEP_UNDER_LOCK, DAX_EXPLORE_FAILED_ASSERTION},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		expect(downgrade_a_huge_entry, rows[i].bug, 0,
			rows[i].expected);
	expect(decline_a_dirty_entry, NO_WAKE_BY_WHO_DECLINES, 0,
		DAX_EXPLORE_LOST_WAKE_UP);
}

static void no_memory_is_met_and_got_over(void **state)
{
	(void)state;
	expect(drop_what_others_grab, NO_BUG, 1, DAX_EXPLORE_NO_BUG);
}

static void variables_are_seen_to_change(void **state)
{
	(void)state;
	expect(add_without_lock, NO_BUG, 0, DAX_EXPLORE_NO_BUG);
}

static void static_queues_start_anew(void **state)
{
	bool wakes;
	const struct dax_scenario scenario = {
		.name = "event", .body = wait_for_an_event, .context = &wakes};

	(void)state;
	wakes = true;
	expect_of(&scenario, DAX_EXPLORE_NO_BUG);
	wakes = false;
	expect_of(&scenario, DAX_EXPLORE_LOST_WAKE_UP);
	wakes = true;
	expect_of(&scenario, DAX_EXPLORE_NO_BUG);
}

static void a_wake_up_that_nobody_slept_for_is_forgotten(void **state)
{
	const struct dax_scenario scenario = {
		.name = "forgotten", .body = forget_a_wake_up};

	(void)state;
	expect_of(&scenario, DAX_EXPLORE_NO_BUG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_fragment_is_proved),
		cmocka_unit_test(each_mistake_is_found),
		cmocka_unit_test(no_memory_is_met_and_got_over),
		cmocka_unit_test(variables_are_seen_to_change),
		cmocka_unit_test(static_queues_start_anew),
		cmocka_unit_test(a_wake_up_that_nobody_slept_for_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

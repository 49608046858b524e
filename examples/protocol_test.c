/* SPDX-License-Identifier: BSD-3-Clause */
/* Somebody's latch on daxlock's wait queues, tested with cmocka. Scenarios run
 * on stacks of their own, which cmocka's assert_*() must not jump out of: a
 * scenario checks with dax_explore_check(), the test looks at the report. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <daxlock/explore.h>
#include <daxlock/sync.h>
#include <daxlock/waitq.h>

enum unlock { UNLOCK_THEN_LOOK, LOOK_THEN_UNLOCK };

struct latch {
	struct dax_sync_word taken;
	struct dax_waitq_table *waitqs;
	enum unlock unlock;
	struct dax_sync_word inside; /* who has the latch */
};

static void latch_lock(struct latch *latch)
{
	const struct dax_wait_key key = {.owner = latch};
	struct dax_waiter waiter = {0};
	struct dax_waitq *queue;
	uint64_t taken = 0;

	while (!dax_sync_cas(&latch->taken, &taken, 1, __ATOMIC_ACQUIRE)) {
		queue = dax_waitq_lock(latch->waitqs, &key);
		/* Again, now that who unlocks would see us in the queue. */
		taken = dax_sync_load(&latch->taken, __ATOMIC_RELAXED);
		if (taken)
			dax_waitq_enqueue_locked(
				queue, &waiter, &key, DAX_WAIT_EXCLUSIVE);
		dax_waitq_unlock(queue);
		if (taken)
			(void)!dax_waitq_sleep(queue, &waiter, NULL);
		taken = 0;
	}
}

static void latch_unlock(struct latch *latch)
{
	const struct dax_wait_key key = {.owner = latch};
	struct dax_waitq *queue;
	struct dax_woken woken;

	if (latch->unlock == UNLOCK_THEN_LOOK)
		dax_sync_store(&latch->taken, 0, __ATOMIC_RELEASE);
	queue = dax_waitq_lock(latch->waitqs, &key);
	dax_waitq_take_locked(queue, &key, DAX_WAKE_NEXT, &woken);
	dax_waitq_unlock(queue);
	if (latch->unlock == LOOK_THEN_UNLOCK)
		dax_sync_store(&latch->taken, 0, __ATOMIC_RELEASE);
	dax_waitq_wake(&woken);
}

static void lock_and_unlock(void *context, long who)
{
	struct latch *latch = context;

	latch_lock(latch);
	/* Two steps, so that another thread could be seen between them. */
	dax_explore_check(!dax_sync_add(&latch->inside, 1, __ATOMIC_RELAXED),
		"one at a time");
	dax_explore_note("thread %ld has the latch", who);
	dax_sync_add(&latch->inside, -1, __ATOMIC_RELAXED);
	latch_unlock(latch);
}

static void three_on_a_latch(void *unlock)
{
	struct latch latch = {.unlock = *(enum unlock *)unlock};

	if (dax_waitq_table_new(1, 1, &latch.waitqs))
		abort();
	for (long who = 1; who <= 3; who++)
		dax_explore_thread("locks", lock_and_unlock, &latch, who);
	dax_explore_run();
	dax_explore_sometimes(dax_explore_slept(2), "the third slept");
	dax_waitq_table_delete(&latch.waitqs);
}

static void expect(enum unlock unlock, enum dax_explore_bug bug)
{
	const struct dax_scenario scenario = {
		.name = "latch", .body = three_on_a_latch, .context = &unlock};
	struct dax_explore_report report;

	assert_int_equal(dax_explore(&scenario, NULL, &report), 0);
	if (report.bug != bug)
		print_message("%s\n%s\nreplay: %s\n", report.message,
			report.table, report.token);
	assert_int_equal(report.bug, bug);
	assert_int_equal(
		report.verdict, bug ? DAX_EXPLORE_BUG : DAX_EXPLORE_PROVED);
	dax_explore_report_free(&report);
}

static void a_latch_must_unlock_before_it_looks(void **state)
{
	(void)state;
	expect(UNLOCK_THEN_LOOK, DAX_EXPLORE_NO_BUG);
	expect(LOOK_THEN_UNLOCK, DAX_EXPLORE_LOST_WAKE_UP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_latch_must_unlock_before_it_looks)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Four ways to lock an entry that is there: wait, never wait, wait so long,
 * wait until told otherwise. Who gives up owes nobody a wake; who was chosen
 * by a waker before it could give up has not given up.
 */
#include "scene.h"

#define LONG ((uint64_t)3600 * 1000000000)

/* ---- a free entry ---- */

static int lock_by(enum deed deed, struct scene *scene, dax_pgoff_t index,
	dax_entry_t *out)
{
	struct dax_cancel cancel;
	struct actor actor = {.deed = deed,
		.index = index,
		.timeout_ns = LONG,
		.cancel = &cancel,
		.scene = scene};

	dax_cancel_init(&cancel);
	actor_call(&actor);
	*out = actor.entry;
	return actor.result;
}

static const enum deed locks[] = {LOCK, LOCK_TIMED, LOCK_CANCELLABLE};

static void a_free_entry_is_locked(void **state)
{
	struct scene *scene = *state;
	const dax_entry_t there = scene_fill(scene, BASE, DAX_PTE);
	dax_entry_t entry;

	for (size_t i = 0; i < ARRAY_SIZE(locks); i++) {
		assert_int_equal(lock_by(locks[i], scene, BASE, &entry), 0);
		assert_int_equal(entry, there);
		assert_int_equal(scene_word(scene, BASE), there | WORD_LOCKED);
		dax_unlock_entry(scene->m, BASE, entry);
		assert_int_equal(scene_word(scene, BASE), there);
	}
	assert_int_equal(dax_trylock_entry(scene->m, BASE, &entry), 0);
	assert_int_equal(entry, there);
	dax_unlock_entry(scene->m, BASE, entry);
}

static void a_pmd_is_locked_by_each_of_its_indices(void **state)
{
	struct scene *scene = *state;
	const dax_entry_t there = scene_fill(scene, BASE, DAX_PMD);
	dax_entry_t entry;

	for (uint64_t i = 0; i < PMD_PAGES; i++) {
		assert_int_equal(dax_lock_entry(scene->m, BASE + i, &entry), 0);
		assert_int_equal(entry, there);
		dax_unlock_entry(scene->m, BASE + (i + 1) % PMD_PAGES, entry);
	}
}

static void zero_and_empty_entries_are_locked_as_they_are(void **state)
{
	struct scene *scene = *state;
	const dax_entry_t zero = scene_fill(scene, BASE, DAX_ZERO_PAGE);
	const dax_entry_t empty =
		scene_fill(scene, 2 * BASE, DAX_PMD | DAX_EMPTY);
	dax_entry_t entry;

	assert_int_equal(dax_lock_entry(scene->m, BASE, &entry), 0);
	assert_int_equal(entry, zero);
	dax_unlock_entry(scene->m, BASE, entry);
	assert_int_equal(dax_lock_entry(scene->m, 2 * BASE + 1, &entry), 0);
	assert_int_equal(entry, empty);
	dax_unlock_entry(scene->m, 2 * BASE, entry);
}

static void what_is_not_there_cannot_be_locked(void **state)
{
	struct scene *scene = *state;
	dax_entry_t entry = 42;

	scene_fill(scene, BASE, DAX_PTE);
	for (size_t i = 0; i < ARRAY_SIZE(locks); i++) {
		dax_entry_t out;

		assert_int_equal(
			lock_by(locks[i], scene, BASE + 1, &out), -ENOENT);
		assert_int_equal(out, 0);
	}
	assert_int_equal(
		dax_trylock_entry(scene->m, BASE - 1, &entry), -ENOENT);
	assert_int_equal(dax_lock_entry(scene->m, UINT64_MAX, &entry), -ENOENT);
	assert_int_equal(entry, 42);
}

static void a_mark_does_not_stop_a_lock(void **state)
{
	struct scene *scene = *state;
	const dax_entry_t there = scene_fill(scene, BASE, DAX_DIRTY);
	dax_entry_t entry;

	assert_int_equal(dax_trylock_entry(scene->m, BASE, &entry), 0);
	assert_int_equal(entry, there);
	assert_true(dax_tree_set_mark(
		dax_mapping_tree(scene->m), BASE, DAX_MARK_TOWRITE));
	dax_unlock_entry(scene->m, BASE, entry);
	assert_false(scene_locked(scene, BASE));
	assert_true(scene_marked(scene, BASE, DAX_MARK_DIRTY));
	assert_true(scene_marked(scene, BASE, DAX_MARK_TOWRITE));
}

/* ---- a locked entry: no, or not for ever ---- */

static void try_says_busy(void **state)
{
	struct scene *scene = *state;
	const dax_entry_t held = scene_hold(scene, BASE, DAX_PMD);
	dax_entry_t entry = 42;

	assert_int_equal(dax_trylock_entry(scene->m, BASE + 1, &entry), -EBUSY);
	assert_int_equal(entry, 42);
	/* It left nothing behind that the unlock has to look at. */
	assert_int_equal(scene_word(scene, BASE), held | WORD_LOCKED);
	dax_unlock_entry(scene->m, BASE, held);
}

static void a_short_wait_times_out(void **state)
{
	static const uint64_t timeouts[] = {0, 1, 1000, 100000};
	struct scene *scene = *state;
	const dax_entry_t held = scene_hold(scene, BASE, DAX_PTE);
	dax_entry_t entry = 42;

	for (size_t i = 0; i < ARRAY_SIZE(timeouts); i++)
		assert_int_equal(dax_lock_entry_timed(
					 scene->m, BASE, timeouts[i], &entry),
			-ETIMEDOUT);
	assert_int_equal(entry, 42);
	assert_int_equal(scene_asleep(scene, BASE), 0);
	dax_unlock_entry(scene->m, BASE, held);
	assert_false(scene_locked(scene, BASE));
}

static void the_longest_wait_is_for_ever(void **state)
{
	struct scene *scene = *state;
	const dax_entry_t held = scene_hold(scene, BASE, DAX_PTE);
	struct actor actor = {
		.deed = LOCK_TIMED, .index = BASE, .timeout_ns = UINT64_MAX};

	actor_start_asleep(scene, &actor, BASE);
	dax_unlock_entry(scene->m, BASE, held);
	actor_finish(&actor);
	assert_int_equal(actor.result, 0);
}

static void a_cancelled_sleeper_returns_and_the_next_is_served(void **state)
{
	struct scene *scene = *state;
	const dax_entry_t held = scene_hold(scene, BASE, DAX_PTE);
	struct dax_cancel cancel;
	struct actor first = {
		.deed = LOCK_CANCELLABLE, .index = BASE, .cancel = &cancel};
	struct actor second = {.deed = LOCK, .index = BASE};

	dax_cancel_init(&cancel);
	actor_start_asleep(scene, &first, BASE);
	actor_start_asleep(scene, &second, BASE);
	dax_cancel_fire(&cancel);
	actor_finish(&first);
	assert_int_equal(first.result, -ECANCELED);
	assert_false(actor_returned(&second));
	dax_unlock_entry(scene->m, BASE, held);
	actor_finish(&second);
	assert_int_equal(second.result, 0);
}

static void what_was_fired_before_cancels_a_wait_but_no_lock(void **state)
{
	struct scene *scene = *state;
	dax_entry_t held = scene_fill(scene, BASE, DAX_PTE);
	struct dax_cancel cancel;
	struct actor late = {
		.deed = LOCK_CANCELLABLE, .index = BASE, .cancel = &cancel};
	dax_entry_t entry;

	dax_cancel_init(&cancel);
	dax_cancel_fire(&cancel);
	assert_int_equal(
		dax_lock_entry_cancellable(scene->m, BASE, &cancel, &held), 0);
	actor_start(scene, &late);
	actor_finish(&late);
	assert_int_equal(late.result, -ECANCELED);
	assert_int_equal(dax_trylock_entry(scene->m, BASE, &entry), -EBUSY);
	dax_unlock_entry(scene->m, BASE, held);
}

/* ---- a wake that comes too late ---- */

/*
 * dax_unlock_entry(), in two halves: a waker that was preempted after it chose
 * the next and gave the entry up, before it woke it.
 */
static struct dax_woken unlock_without_waking(
	struct scene *scene, dax_pgoff_t index)
{
	const struct dax_wait_key key = {scene->m, index};
	struct dax_waitq *queue = dax_waitq_lock(scene->waitqs, &key);
	const uint64_t word = scene_word(scene, index);
	struct dax_woken woken;
	uint64_t free = word & ~(WORD_LOCKED | WORD_WAITERS);

	if (dax_waitq_take_locked(queue, &key, DAX_WAKE_NEXT, &woken))
		free |= WORD_WAITERS;
	assert_int_equal(
		dax_tree_replace(dax_mapping_tree(scene->m), index, word, free),
		0);
	dax_waitq_unlock(queue);
	rank_pop((struct rank_lock){scene->m, index, RANK_ENTRY});
	return woken;
}

static void who_was_chosen_and_overtaken_stays_first(void **state)
{
	struct scene *scene = *state;
	struct actor chosen = {.deed = LOCK, .index = BASE};
	struct actor next = {.deed = LOCK, .index = BASE};
	struct dax_woken woken;
	dax_entry_t entry;

	scene_hold(scene, BASE, DAX_PTE);
	actor_start_asleep(scene, &chosen, BASE);
	actor_start_asleep(scene, &next, BASE);
	woken = unlock_without_waking(scene, BASE);
	assert_int_equal(dax_trylock_entry(scene->m, BASE, &entry), 0);
	dax_waitq_wake(&woken);
	scene_await_asleep(scene, BASE, 2);
	dax_unlock_entry(scene->m, BASE, entry);
	actor_finish(&chosen);
	actor_finish(&next);
	assert_int_equal(chosen.turn, 0);
	assert_int_equal(next.turn, 1);
}

static void a_cancel_after_the_choice_loses_no_wake(void **state)
{
	struct scene *scene = *state;
	struct dax_woken woken;
	struct dax_cancel cancel;
	struct actor chosen = {
		.deed = LOCK_CANCELLABLE, .index = BASE, .cancel = &cancel};
	struct actor next = {.deed = LOCK, .index = BASE};

	dax_cancel_init(&cancel);
	scene_hold(scene, BASE, DAX_PTE);
	actor_start_asleep(scene, &chosen, BASE);
	actor_start_asleep(scene, &next, BASE);
	woken = unlock_without_waking(scene, BASE);
	dax_cancel_fire(&cancel);
	dax_waitq_wake(&woken);
	actor_finish(&chosen);
	assert_int_equal(chosen.result, 0);
	actor_finish(&next);
	assert_int_equal(next.result, 0);
}

/* Not in order by time: a library that is right passes at any speed. One that
 * is wrong is found when the sleeper runs within the grace given here. */
#define GRACE ((uint64_t)5 * 1000000)

static void a_deadline_after_the_choice_loses_no_wake(void **state)
{
	struct scene *scene = *state;
	struct dax_woken woken = {0};
	struct actor chosen, next = {.deed = LOCK, .index = BASE};
	uint64_t deadline;

	scene_hold(scene, BASE, DAX_PTE);
	for (uint64_t timeout = 2000000;; timeout *= 2) {
		chosen = (struct actor){.deed = LOCK_TIMED,
			.index = BASE,
			.timeout_ns = timeout};
		actor_start(scene, &chosen);
		while (!scene_asleep(scene, BASE) && !actor_returned(&chosen))
			sched_yield();
		woken = unlock_without_waking(scene, BASE);
		deadline = sync_now() + timeout;
		if (woken.first)
			break;
		/* It had given up before: again, with more time. */
		actor_finish(&chosen);
		scene_hold(scene, BASE, DAX_PTE);
	}
	actor_start(scene, &next);
	while (sync_now() < deadline + GRACE && !actor_returned(&chosen))
		sched_yield();
	assert_false(actor_returned(&chosen));
	dax_waitq_wake(&woken);
	actor_finish(&chosen);
	assert_int_equal(chosen.result, 0);
	actor_finish(&next);
	assert_int_equal(next.result, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE_TEST(a_free_entry_is_locked),
		SCENE_TEST(a_pmd_is_locked_by_each_of_its_indices),
		SCENE_TEST(zero_and_empty_entries_are_locked_as_they_are),
		SCENE_TEST(what_is_not_there_cannot_be_locked),
		SCENE_TEST(a_mark_does_not_stop_a_lock),
		SCENE_TEST(try_says_busy),
		SCENE_TEST(a_short_wait_times_out),
		SCENE_TEST(the_longest_wait_is_for_ever),
		SCENE_TEST(a_cancelled_sleeper_returns_and_the_next_is_served),
		SCENE_TEST(what_was_fired_before_cancels_a_wait_but_no_lock),
		SCENE_TEST(who_was_chosen_and_overtaken_stays_first),
		SCENE_TEST(a_cancel_after_the_choice_loses_no_wake),
		SCENE_TEST(a_deadline_after_the_choice_loses_no_wake),
	};

	return cmocka_run_group_tests_name("lock", tests, NULL, NULL);
}

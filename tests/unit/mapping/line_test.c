/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How unfair the lock of an entry may be: whoever sleeps first in line for it
 * is passed so often and no more; then the owner hands the entry over, and
 * nobody can get in between.
 */
#include "mapping/mapping.h"
#include "scene.h"

#define NR_ACTORS 3

/* Whom the main thread keeps waiting; each keeps what it gets. */
static void start_lockers(struct scene *scene, struct actor *actors)
{
	for (int i = 0; i < NR_ACTORS; i++) {
		actors[i] = (struct actor){
			.deed = i % 2 ? GRAB : LOCK, .index = BASE};
		actors[i].keeps = true;
		actor_start_asleep(scene, &actors[i], BASE);
	}
}

static void without_passes_an_unlock_hands_over(void **state)
{
	struct scene *scene = *state;
	const dax_entry_t held = scene_hold(scene, BASE, DAX_PTE);
	struct actor actors[NR_ACTORS];
	dax_entry_t entry;

	dax_waitq_table_limit_passes(scene->waitqs, 0);
	start_lockers(scene, actors);
	dax_unlock_entry(scene->m, BASE, held);
	/* Whether it runs yet or not. */
	assert_int_equal(dax_trylock_entry(scene->m, BASE, &entry), -EBUSY);
	for (int i = 0; i < NR_ACTORS; i++) {
		actor_await_return(&actors[i]);
		assert_int_equal(
			dax_trylock_entry(scene->m, BASE, &entry), -EBUSY);
		actor_finish(&actors[i]);
		assert_int_equal(actors[i].result, 0);
		assert_int_equal(actors[i].entry, held);
		assert_int_equal(actors[i].turn, i);
	}
}

/* Passes it as often as it can. */
static unsigned int count_passes(
	struct scene *scene, dax_pgoff_t index, dax_entry_t held)
{
	unsigned int passes = 0;

	dax_unlock_entry(scene->m, index, held);
	while (!dax_trylock_entry(scene->m, index, &held)) {
		passes++;
		dax_unlock_entry(scene->m, index, held);
	}
	return passes;
}

static void who_sleeps_is_passed_so_often_and_no_more(void **state)
{
	struct scene *scene = *state;

	for (unsigned int limit = 0; limit < 50; limit += 7) {
		const dax_entry_t held = scene_hold(scene, BASE, DAX_PTE);
		struct actor actor = {
			.deed = LOCK, .index = BASE, .keeps = true};

		dax_waitq_table_limit_passes(scene->waitqs, limit);
		actor_start_asleep(scene, &actor, BASE);
		assert_true(count_passes(scene, BASE, held) <= limit);
		actor_finish(&actor);
		assert_int_equal(actor.result, 0);
	}
}

static void a_pmd_is_handed_to_who_wants_any_page_of_it(void **state)
{
	struct scene *scene = *state;
	const dax_entry_t held = scene_hold(scene, BASE, DAX_PMD);
	struct actor actor = {.deed = GRAB, .index = BASE + 3, .keeps = true};
	dax_entry_t entry;

	dax_waitq_table_limit_passes(scene->waitqs, 0);
	actor_start_asleep(scene, &actor, BASE);
	dax_unlock_entry(scene->m, BASE + 1, held);
	assert_int_equal(dax_trylock_entry(scene->m, BASE, &entry), -EBUSY);
	actor_await_return(&actor);
	assert_int_equal(actor.entry, held);
	actor_finish(&actor);
}

static void what_is_handed_over_is_split_if_need_be(void **state)
{
	struct scene *scene = *state;
	const dax_entry_t held =
		scene_hold(scene, BASE, DAX_PMD | DAX_ZERO_PAGE);
	struct actor actor = {.deed = GRAB, .index = BASE + 3};

	dax_waitq_table_limit_passes(scene->waitqs, 0);
	actor_start_asleep(scene, &actor, BASE);
	dax_unlock_entry(scene->m, BASE, held);
	actor_finish(&actor);
	assert_int_equal(actor.result, 0);
	assert_true(dax_is_empty_entry(actor.entry));
	assert_int_equal(scene_word(scene, BASE + 3), actor.entry);
	assert_int_equal(scene->unmapped.calls, 1);
}

static void what_has_changed_is_handed_over_as_it_is(void **state)
{
	struct scene *scene = *state;
	dax_entry_t held = scene_hold(scene, BASE, DAX_EMPTY);
	struct actor actor = {.deed = LOCK, .index = BASE};

	dax_waitq_table_limit_passes(scene->waitqs, 0);
	actor_start_asleep(scene, &actor, BASE);
	dax_insert_entry(scene->m, BASE, &held, PFN(BASE), DAX_PTE);
	dax_unlock_entry(scene->m, BASE, held);
	actor_finish(&actor);
	assert_int_equal(dax_to_pfn(actor.entry), PFN(BASE));
}

static const struct dax_wait_limit long_past = {.deadline_ns = 1};

/* ---- when the entry has gone meanwhile ---- */

/* The main thread is first in line for the entry at BASE, chosen and awake. */
static void stand_in_line(struct scene *scene, struct wait *wait)
{
	const dax_entry_t held = scene_hold(scene, BASE, DAX_PTE);
	struct dax_waitq *queue =
		entry_join_queue(scene->m, BASE, scene_word(scene, BASE), wait);

	dax_unlock_entry(scene->m, BASE, held);
	assert_int_equal(dax_waitq_sleep(queue, &wait->waiter, NULL), 0);
	wait->in_line = true;
}

static void who_finds_another_entry_stands_in_line_for_that(void **state)
{
	struct scene *scene = *state;
	struct wait wait = WAIT_INIT(WAITQ_IN_LINE, &long_past);
	dax_entry_t held;

	stand_in_line(scene, &wait);
	held = scene_hold(scene, BASE + 1, DAX_PTE);
	assert_int_equal(entry_wait(scene->m, BASE + 1,
				 scene_word(scene, BASE + 1), &wait),
		-ETIMEDOUT);
	assert_int_equal(waiter_of(&wait.waiter)->key.index, BASE + 1);
	assert_int_equal(scene_asleep(scene, BASE), 0);
	dax_unlock_entry(scene->m, BASE + 1, held);
}

static void who_locks_another_entry_forgets_no_sleeper_of_it(void **state)
{
	struct scene *scene = *state;
	struct wait wait = WAIT_INIT(WAITQ_IN_LINE, NULL);
	struct actor actor = {.deed = LOCK, .index = BASE + 1};
	struct tree_place place;
	dax_entry_t held;

	stand_in_line(scene, &wait);
	held = scene_hold(scene, BASE + 1, DAX_PTE);
	actor_start_asleep(scene, &actor, BASE + 1);
	place = tree_walk(&scene->m->tree, BASE + 1, 0);
	assert_int_equal(wait_end(scene->m, BASE + 1, &wait, 0, &place), 0);
	assert_true(word_has(scene_word(scene, BASE + 1), WORD_WAITERS));
	dax_unlock_entry(scene->m, BASE + 1, held);
	actor_finish(&actor);
}

/* ---- giving up ---- */

/* It was locked a moment ago, and is free now: one may look again. */
static int wait_for_free(
	struct scene *scene, const struct dax_wait_limit *limit)
{
	struct wait wait = WAIT_INIT(WAITQ_IN_LINE, limit);
	const uint64_t word = scene_word(scene, BASE);

	return entry_wait(scene->m, BASE, word | WORD_LOCKED, &wait);
}

static void who_comes_too_late_time_after_time_times_out(void **state)
{
	struct scene *scene = *state;

	scene_fill(scene, BASE, DAX_PTE);
	assert_int_equal(wait_for_free(scene, NULL), 0);
	assert_int_equal(wait_for_free(scene, &long_past), -ETIMEDOUT);
}

static void so_does_who_spins(void **state)
{
	struct scene *scene = *state;
	struct wait wait = WAIT_INIT(WAITQ_IN_LINE, &long_past);
	const dax_entry_t held = scene_hold(scene, BASE, DAX_PTE);
	const uint64_t word = scene_word(scene, BASE);

	/* As if another had it when it was looked at. */
	assert_int_equal(
		entry_wait(scene->m, BASE, word ^ WORD_FLAGS(DAX_EMPTY), &wait),
		-ETIMEDOUT);
	dax_unlock_entry(scene->m, BASE, held);
}

static void who_was_cancelled_does_not_look_again(void **state)
{
	struct scene *scene = *state;
	struct dax_cancel cancel;
	const struct dax_wait_limit limit = {UINT64_MAX, &cancel};

	dax_cancel_init(&cancel);
	scene_fill(scene, BASE, DAX_PTE);
	assert_int_equal(wait_for_free(scene, &limit), 0);
	dax_cancel_fire(&cancel);
	assert_int_equal(wait_for_free(scene, &limit), -ECANCELED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE_TEST(without_passes_an_unlock_hands_over),
		SCENE_TEST(who_sleeps_is_passed_so_often_and_no_more),
		SCENE_TEST(a_pmd_is_handed_to_who_wants_any_page_of_it),
		SCENE_TEST(what_is_handed_over_is_split_if_need_be),
		SCENE_TEST(what_has_changed_is_handed_over_as_it_is),
		SCENE_TEST(who_finds_another_entry_stands_in_line_for_that),
		SCENE_TEST(who_locks_another_entry_forgets_no_sleeper_of_it),
		SCENE_TEST(who_comes_too_late_time_after_time_times_out),
		SCENE_TEST(so_does_who_spins),
		SCENE_TEST(who_was_cancelled_does_not_look_again),
	};

	return cmocka_run_group_tests_name("line", tests, NULL, NULL);
}

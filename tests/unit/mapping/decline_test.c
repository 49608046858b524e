/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whoever waits until an entry is unlocked, and then does not lock it, was
 * perhaps woken instead of another: declining passes the wake on.
 */
#include "scene.h"

static void a_free_entry_is_got_at_once(void **state)
{
	struct scene *scene = *state;
	const dax_entry_t pte = scene_fill(scene, BASE, DAX_PTE | DAX_DIRTY);
	const dax_entry_t pmd = scene_fill(scene, 2 * BASE, DAX_PMD);

	assert_int_equal(dax_get_unlocked_entry(scene->m, BASE), pte);
	assert_int_equal(dax_get_unlocked_entry(scene->m, 2 * BASE + 1), pmd);
	assert_int_equal(dax_get_unlocked_entry(scene->m, BASE + 1), 0);
	dax_put_unlocked_entry(scene->m, BASE, pte, DAX_WAKE_NEXT);
	dax_put_unlocked_entry(scene->m, 2 * BASE + 1, pmd, DAX_WAKE_ALL);
	dax_put_unlocked_entry(scene->m, BASE + 1, 0, DAX_WAKE_NEXT);
	assert_int_equal(scene_word(scene, 2 * BASE), pmd);
}

/* ---- passing on ---- */

/* Where an entry of every size starts. */
#define START PUD_PAGES

/* One waits to decline, two to lock: the wake goes first -> second -> third. */
static void assert_passed_on(struct scene *scene, enum deed deed,
	unsigned int flags, uint64_t offset)
{
	const dax_entry_t held = scene_hold(scene, START, flags);
	struct actor actors[] = {
		{.deed = deed, .index = START + offset, .keeps = true},
		{.deed = LOCK, .index = START},
		{.deed = LOCK, .index = START + offset},
	};

	for (size_t i = 0; i < ARRAY_SIZE(actors); i++)
		actor_start_asleep(scene, &actors[i], START);
	dax_unlock_entry(scene->m, START, held);
	actor_await_return(&actors[0]);
	assert_int_equal(actors[0].entry, held);
	/* It has not declined yet. */
	assert_int_equal(scene_asleep(scene, START), 2);
	assert_int_equal(scene_word(scene, START), held | WORD_WAITERS);
	actors_finish(actors, ARRAY_SIZE(actors));
	assert_int_equal(actors[1].result, 0);
	assert_int_equal(actors[2].result, 0);
	assert_int_equal(dax_delete_mapping_entry(scene->m, START), 1);
}

static void a_decline_wakes_the_next(void **state)
{
	assert_passed_on(*state, GET_PUT, DAX_PTE, 0);
	assert_passed_on(*state, GET_PUT, DAX_PMD, 1);
	assert_passed_on(*state, GET_PUT, DAX_PMD | DAX_EMPTY, 0);
	assert_passed_on(*state, GET_PUT, DAX_PUD, 2);
}

static void a_decline_can_wake_all(void **state)
{
	assert_passed_on(*state, GET_PUT_ALL, DAX_PTE, 0);
	assert_passed_on(*state, GET_PUT_ALL, DAX_PMD, 1);
}

static void all_that_decline_pass_on(void **state)
{
	enum { DECLINERS = 4 };
	struct scene *scene = *state;
	const dax_entry_t held = scene_hold(scene, BASE, DAX_PTE);
	struct actor actors[DECLINERS + 1];

	for (size_t i = 0; i < ARRAY_SIZE(actors); i++) {
		actors[i] = (struct actor){
			.deed = i < DECLINERS ? GET_PUT : LOCK, .index = BASE};
		actor_start_asleep(scene, &actors[i], BASE);
	}
	dax_unlock_entry(scene->m, BASE, held);
	actors_finish(actors, ARRAY_SIZE(actors));
	for (unsigned int i = 0; i < ARRAY_SIZE(actors); i++)
		assert_int_equal(actors[i].turn, i);
}

/* ---- when there is nothing to pass on ---- */

static void declining_what_is_locked_again_is_the_next_owners_debt(void **state)
{
	struct scene *scene = *state;
	dax_entry_t held = scene_hold(scene, BASE, DAX_PTE);
	struct actor decliner = {.deed = GET_PUT, .index = BASE, .keeps = true};
	struct actor sleeper = {.deed = LOCK, .index = BASE};

	actor_start_asleep(scene, &decliner, BASE);
	actor_start_asleep(scene, &sleeper, BASE);
	dax_unlock_entry(scene->m, BASE, held);
	actor_await_return(&decliner);
	assert_int_equal(dax_trylock_entry(scene->m, BASE, &held), 0);
	actor_finish(&decliner);
	assert_int_equal(scene_asleep(scene, BASE), 1);
	dax_unlock_entry(scene->m, BASE, held);
	actor_finish(&sleeper);
	assert_int_equal(sleeper.result, 0);
}

static void declining_what_was_removed_meanwhile_is_harmless(void **state)
{
	struct scene *scene = *state;
	const dax_entry_t held = scene_hold(scene, BASE, DAX_PMD);
	struct actor decliner = {
		.deed = GET_PUT, .index = BASE + 1, .keeps = true};
	struct actor sleeper = {.deed = LOCK, .index = BASE + 2};

	actor_start_asleep(scene, &decliner, BASE);
	actor_start_asleep(scene, &sleeper, BASE);
	dax_unlock_entry(scene->m, BASE, held);
	actor_await_return(&decliner);
	assert_int_equal(dax_delete_mapping_entry(scene->m, BASE + 3), 1);
	actor_finish(&sleeper);
	assert_int_equal(sleeper.result, -ENOENT);
	scene_fill(scene, BASE + 1, DAX_PTE);
	actor_finish(&decliner);
}

static void who_finds_nothing_has_nothing_to_decline(void **state)
{
	struct scene *scene = *state;
	const dax_entry_t held = scene_hold(scene, BASE, DAX_PTE);
	struct actor actors[] = {
		{.deed = INVALIDATE, .index = BASE},
		{.deed = GET_PUT, .index = BASE},
		{.deed = LOCK, .index = BASE},
	};

	for (size_t i = 0; i < ARRAY_SIZE(actors); i++)
		actor_start_asleep(scene, &actors[i], BASE);
	dax_unlock_entry(scene->m, BASE, held);
	actors_finish(actors, ARRAY_SIZE(actors));
	assert_int_equal(actors[0].result, 1);
	assert_int_equal(actors[1].entry, 0);
	assert_int_equal(actors[2].result, -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE_TEST(a_free_entry_is_got_at_once),
		SCENE_TEST(a_decline_wakes_the_next),
		SCENE_TEST(a_decline_can_wake_all),
		SCENE_TEST(all_that_decline_pass_on),
		SCENE_TEST(
			declining_what_is_locked_again_is_the_next_owners_debt),
		SCENE_TEST(declining_what_was_removed_meanwhile_is_harmless),
		SCENE_TEST(who_finds_nothing_has_nothing_to_decline),
	};

	return cmocka_run_group_tests_name("decline", tests, NULL, NULL);
}

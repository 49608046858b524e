/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dax_lock_mapping_entry() locks what has storage, says what it found
 * otherwise, and sleeps without a place in the queue: it takes no wake from
 * anybody.
 */
#include "scene.h"

static void assert_not_taken(
	struct scene *scene, dax_pgoff_t index, enum dax_lock_result expected)
{
	dax_entry_t cookie = 42;
	uint64_t pfn = 43;

	assert_int_equal(dax_lock_mapping_entry(scene->m, index, &cookie, &pfn),
		expected);
	assert_int_equal(cookie, 42);
	assert_int_equal(pfn, 43);
	assert_false(scene_locked(scene, index));
}

static void absence_is_reported(void **state)
{
	struct scene *scene = *state;

	assert_not_taken(scene, BASE, DAX_LOCK_ABSENT);
	scene_fill(scene, BASE, DAX_PTE);
	assert_not_taken(scene, BASE + 1, DAX_LOCK_ABSENT);
	assert_not_taken(scene, UINT64_MAX, DAX_LOCK_ABSENT);
}

static void zero_entries_are_reported(void **state)
{
	struct scene *scene = *state;

	scene_fill(scene, BASE, DAX_ZERO_PAGE);
	scene_fill(scene, 2 * BASE, DAX_PMD | DAX_ZERO_PAGE);
	assert_not_taken(scene, BASE, DAX_LOCK_ZERO);
	assert_not_taken(scene, 2 * BASE + 1, DAX_LOCK_ZERO);
}

static void empty_entries_are_reported(void **state)
{
	struct scene *scene = *state;

	scene_fill(scene, BASE, DAX_EMPTY);
	scene_fill(scene, 2 * BASE, DAX_PMD | DAX_EMPTY);
	assert_not_taken(scene, BASE, DAX_LOCK_EMPTY);
	assert_not_taken(scene, 2 * BASE + 1, DAX_LOCK_EMPTY);
}

static void assert_taken(struct scene *scene, dax_pgoff_t index,
	unsigned int flags, uint64_t offset)
{
	const dax_entry_t there = scene_fill(scene, index, flags);
	dax_entry_t cookie;
	uint64_t pfn;

	assert_int_equal(
		dax_lock_mapping_entry(scene->m, index + offset, &cookie, &pfn),
		DAX_LOCK_TAKEN);
	assert_int_equal(cookie, there);
	assert_int_equal(pfn, PFN(index + offset));
	assert_true(scene_locked(scene, index));
	dax_unlock_entry(scene->m, index + offset, cookie);
	assert_false(scene_locked(scene, index));
}

static void storage_is_taken_with_the_page_at_the_index(void **state)
{
	struct scene *scene = *state;

	assert_taken(scene, BASE + 1, DAX_PTE, 0);
	assert_taken(scene, 2 * BASE, DAX_PMD, 0);
	assert_taken(scene, 2 * BASE, DAX_PMD, PMD_PAGES - 1);
	assert_taken(scene, PUD_PAGES, DAX_PUD, PUD_PAGES / 2 + 1);
	assert_taken(scene, BASE + 1, DAX_DIRTY, 0);
}

/* ---- waiting ---- */

/* The main thread holds an entry of @flags; then unlocks it. */
static void assert_after_waiting(
	struct scene *scene, unsigned int flags, enum dax_lock_result expected)
{
	const dax_entry_t held = scene_hold(scene, BASE, flags);
	struct actor actor = {.deed = LOCK_FOR_PAGE, .index = BASE};

	actor_start_asleep(scene, &actor, BASE);
	dax_unlock_entry(scene->m, BASE, held);
	actor_finish(&actor);
	assert_int_equal(actor.result, expected);
	assert_int_equal(dax_delete_mapping_entry(scene->m, BASE), 1);
}

static void a_locked_entry_of_any_kind_is_waited_for(void **state)
{
	assert_after_waiting(*state, DAX_PTE, DAX_LOCK_TAKEN);
	assert_after_waiting(*state, DAX_PMD, DAX_LOCK_TAKEN);
	assert_after_waiting(*state, DAX_ZERO_PAGE, DAX_LOCK_ZERO);
	assert_after_waiting(*state, DAX_EMPTY, DAX_LOCK_EMPTY);
	assert_after_waiting(*state, DAX_PMD | DAX_EMPTY, DAX_LOCK_EMPTY);
}

static void what_the_owner_inserted_meanwhile_is_taken(void **state)
{
	struct scene *scene = *state;
	dax_entry_t entry = scene_hold(scene, BASE, DAX_PMD | DAX_EMPTY);
	struct actor actor = {.deed = LOCK_FOR_PAGE, .index = BASE + 2};

	actor_start_asleep(scene, &actor, BASE);
	dax_insert_entry(scene->m, BASE, &entry, PFN(BASE), DAX_PMD);
	dax_unlock_entry(scene->m, BASE, entry);
	actor_finish(&actor);
	assert_int_equal(actor.result, DAX_LOCK_TAKEN);
	assert_int_equal(actor.entry, entry);
	assert_int_equal(actor.pfn, PFN(BASE + 2));
}

static void every_wake_reaches_those_without_a_place(void **state)
{
	struct scene *scene = *state;
	const dax_entry_t held = scene_hold(scene, BASE, DAX_ZERO_PAGE);
	struct actor actors[] = {
		{.deed = LOCK, .index = BASE, .keeps = true},
		{.deed = LOCK, .index = BASE},
		{.deed = LOCK_FOR_PAGE, .index = BASE},
		{.deed = LOCK_FOR_PAGE, .index = BASE},
	};

	for (size_t i = 0; i < ARRAY_SIZE(actors); i++)
		actor_start_asleep(scene, &actors[i], BASE);
	/* One lock and both of the others; these may find it locked again. */
	dax_unlock_entry(scene->m, BASE, held);
	actor_await_return(&actors[0]);
	assert_false(actor_returned(&actors[1]));
	actors_finish(actors, ARRAY_SIZE(actors));
	assert_int_equal(actors[1].result, 0);
	assert_int_equal(actors[2].result, DAX_LOCK_ZERO);
	assert_int_equal(actors[3].result, DAX_LOCK_ZERO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE_TEST(absence_is_reported),
		SCENE_TEST(zero_entries_are_reported),
		SCENE_TEST(empty_entries_are_reported),
		SCENE_TEST(storage_is_taken_with_the_page_at_the_index),
		SCENE_TEST(a_locked_entry_of_any_kind_is_waited_for),
		SCENE_TEST(what_the_owner_inserted_meanwhile_is_taken),
		SCENE_TEST(every_wake_reaches_those_without_a_place),
	};

	return cmocka_run_group_tests_name("lock_for_page", tests, NULL, NULL);
}

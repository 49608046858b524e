/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Sleepers and wakers that did not mean the same key (2016 - 2019). The index
 * is half of each story: where all use the start of the entry, wrong keys
 * agree by accident.
 */
#include "scene.h"

/*
 * A7 (2019), the freeze of a database. A huge fault met a small entry:
 *  1. T1 holds a placeholder at index 1 of the range.
 *  2. T0 wants the huge entry: it found T1's, and slept on index 0.
 *  3. T1's unlock woke index 1. T0 slept for ever.
 * A huge fault does not wait for a smaller entry at all.
 */
static void a_huge_fault_does_not_wait_for_a_small_entry(void **state)
{
	struct scene *scene = *state;
	const dax_entry_t held = scene_hold(scene, BASE + 1, DAX_EMPTY);
	struct actor huge = {
		.deed = GRAB, .index = BASE, .order = DAX_PMD_ORDER};
	struct actor small = {.deed = GRAB, .index = BASE + 1};

	actor_start_asleep(scene, &small, BASE + 1);
	actor_start(scene, &huge);
	actor_finish(&huge);
	assert_int_equal(huge.result, -EEXIST);
	assert_false(actor_returned(&small));
	dax_unlock_entry(scene->m, BASE + 1, held);
	actor_finish(&small);
	assert_int_equal(small.result, 0);
}

/*
 * A13 (2016). T0 holds a large entry; T1 and T2 want indices inside it. On
 * keys of their own they would never hear of T0's unlock.
 */
static void sleepers_inside_a_large_entry_hear_of_its_unlock(void **state)
{
	struct scene *scene = *state;
	const dax_entry_t held = scene_hold(scene, BASE, DAX_PMD);
	struct actor actors[] = {
		{.deed = GRAB, .index = BASE + 1},
		{.deed = GRAB, .index = 2 * BASE - 1},
		{.deed = LOCK_FOR_PAGE, .index = BASE + 2},
	};

	for (size_t i = 0; i < ARRAY_SIZE(actors); i++)
		actor_start_asleep(scene, &actors[i], BASE);
	dax_unlock_entry(scene->m, BASE, held);
	actors_finish(actors, ARRAY_SIZE(actors));
	for (size_t i = 0; i < ARRAY_SIZE(actors); i++) {
		assert_int_equal(actors[i].result, 0);
		assert_int_equal(actors[i].entry, held);
	}
}

/* A12 (2016). As A13, where a mask that is too short collapses the keys. */
static void keys_of_high_indices_keep_their_top_bits(void **state)
{
	struct scene *scene = *state;
	const dax_pgoff_t low = (dax_pgoff_t)1 << 21;
	const dax_pgoff_t high = (dax_pgoff_t)1 << 51 | low;
	const dax_entry_t low_held = scene_hold(scene, low, DAX_PMD);
	const dax_entry_t high_held = scene_hold(scene, high, DAX_PMD);
	struct actor below = {.deed = LOCK, .index = low + 1};
	struct actor above = {.deed = LOCK, .index = high + 1};

	actor_start_asleep(scene, &below, low);
	actor_start_asleep(scene, &above, high);
	dax_unlock_entry(scene->m, high + 3, high_held);
	actor_finish(&above);
	assert_false(actor_returned(&below));
	dax_unlock_entry(scene->m, low, low_held);
	actor_finish(&below);
}

/*
 * B12, B13 (2018). A large entry is locked through one of its pages:
 *  1. LP locks it by the page at index 1.
 *  2. T1 falls asleep for index 1, T2 for index 0: both on the large entry.
 *  3. LP unlocks: a small value was stored over the large one, and only
 *     index 1 woken.
 */
static void a_large_entry_locked_by_a_page_is_unlocked_as_one(void **state)
{
	struct scene *scene = *state;
	const dax_entry_t there = scene_fill(scene, BASE, DAX_PMD | DAX_DIRTY);
	struct actor actors[] = {
		{.deed = GRAB, .index = BASE + 1},
		{.deed = GRAB, .index = BASE},
	};
	dax_entry_t cookie;
	uint64_t pfn;

	assert_int_equal(
		dax_lock_mapping_entry(scene->m, BASE + 1, &cookie, &pfn),
		DAX_LOCK_TAKEN);
	for (size_t i = 0; i < ARRAY_SIZE(actors); i++)
		actor_start_asleep(scene, &actors[i], BASE);
	dax_unlock_entry(scene->m, BASE + 1, cookie);
	actors_finish(actors, ARRAY_SIZE(actors));
	assert_int_equal(actors[0].entry, there);
	assert_int_equal(actors[1].entry, there);
	assert_int_equal(scene_entry(scene, BASE), there);
	assert_true(scene_marked(scene, BASE, DAX_MARK_DIRTY));
}

/*
 * After a downgrade, the key of the large entry is that of the small one at
 * its start: two meanings of one key in a row.
 *  1. T0 holds the large entry. T1 falls asleep on it, for its start.
 *  2. T0 downgrades it, to its start: T1 is woken, and sleeps on the small
 *     entry, with the same key.
 *  3. T2 falls asleep on the small entry, too.
 *  4. T0 unlocks the small entry: T1, then T2 get it.
 */
static struct actor inside;

static void inside_falls_asleep(struct scene *scene)
{
	actor_start_asleep(scene, &inside, BASE);
}

static void a_key_outlives_the_entry_that_it_meant(void **state)
{
	struct scene *scene = *state;
	struct actor later = {.deed = GRAB, .index = BASE};
	dax_entry_t entry;

	scene_fill(scene, BASE, DAX_PMD | DAX_ZERO_PAGE);
	inside = (struct actor){.deed = GRAB, .index = BASE};
	scene->in_unmap = inside_falls_asleep;
	assert_int_equal(dax_grab_mapping_entry(scene->m, BASE, 0, &entry), 0);
	scene_await_asleep(scene, BASE, 1);
	actor_start(scene, &later);
	scene_await_asleep(scene, BASE, 2);
	dax_unlock_entry(scene->m, BASE, entry);
	actor_finish(&inside);
	actor_finish(&later);
	assert_int_equal(inside.result, 0);
	assert_int_equal(inside.turn, 0);
	assert_int_equal(later.result, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE_TEST(a_huge_fault_does_not_wait_for_a_small_entry),
		SCENE_TEST(sleepers_inside_a_large_entry_hear_of_its_unlock),
		SCENE_TEST(keys_of_high_indices_keep_their_top_bits),
		SCENE_TEST(a_large_entry_locked_by_a_page_is_unlocked_as_one),
		SCENE_TEST(a_key_outlives_the_entry_that_it_meant),
	};

	return cmocka_run_group_tests_name("museum_key", tests, NULL, NULL);
}

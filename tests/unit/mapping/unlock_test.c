/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Unlocking wakes the one who slept longest on this entry, and nobody else;
 * the word says that somebody sleeps exactly as long as somebody does.
 */
#include "scene.h"

#define CROWD 5

static void start_crowd(struct scene *scene, struct actor *crowd,
	dax_pgoff_t start, uint64_t spread)
{
	for (unsigned int i = 0; i < CROWD; i++) {
		crowd[i] = (struct actor){.deed = i % 2 ? LOCK : GRAB,
			.index = start + i * spread % PMD_PAGES};
		actor_start_asleep(scene, &crowd[i], start);
	}
}

static void assert_served_in_order(struct actor *crowd)
{
	actors_finish(crowd, CROWD);
	for (unsigned int i = 0; i < CROWD; i++) {
		assert_int_equal(crowd[i].result, 0);
		assert_int_equal(crowd[i].turn, i);
	}
}

static void sleepers_are_served_in_order_of_arrival(void **state)
{
	struct scene *scene = *state;
	const dax_entry_t held = scene_hold(scene, BASE, DAX_PTE);
	struct actor crowd[CROWD];

	start_crowd(scene, crowd, BASE, 0);
	dax_unlock_entry(scene->m, BASE, held);
	assert_served_in_order(crowd);
}

static void sleepers_on_a_pmd_are_one_queue_for_all_its_indices(void **state)
{
	struct scene *scene = *state;
	const dax_entry_t held = scene_hold(scene, BASE, DAX_PMD);
	struct actor crowd[CROWD];

	start_crowd(scene, crowd, BASE, 1);
	/* The holder, too, may name any index. */
	dax_unlock_entry(scene->m, 2 * BASE - 1, held);
	assert_served_in_order(crowd);
}

static void one_unlock_wakes_one(void **state)
{
	struct scene *scene = *state;
	const dax_entry_t held = scene_hold(scene, BASE, DAX_PTE);
	struct actor crowd[3];

	for (size_t i = 0; i < ARRAY_SIZE(crowd); i++) {
		crowd[i] = (struct actor){
			.deed = LOCK, .index = BASE, .keeps = true};
		actor_start_asleep(scene, &crowd[i], BASE);
	}
	dax_unlock_entry(scene->m, BASE, held);
	for (unsigned int i = 0; i < ARRAY_SIZE(crowd); i++) {
		actor_await_return(&crowd[i]);
		assert_int_equal(
			scene_asleep(scene, BASE), ARRAY_SIZE(crowd) - 1 - i);
		actor_finish(&crowd[i]);
	}
}

static void the_word_says_whether_somebody_sleeps(void **state)
{
	struct scene *scene = *state;
	const dax_entry_t held = scene_hold(scene, BASE, DAX_PTE);
	struct actor first = {.deed = LOCK, .index = BASE, .keeps = true};
	struct actor second = {.deed = LOCK, .index = BASE, .keeps = true};

	assert_int_equal(scene_word(scene, BASE), held | WORD_LOCKED);
	actor_start_asleep(scene, &first, BASE);
	actor_start_asleep(scene, &second, BASE);
	assert_int_equal(
		scene_word(scene, BASE), held | WORD_LOCKED | WORD_WAITERS);
	dax_unlock_entry(scene->m, BASE, held);
	actor_await_return(&first);
	assert_int_equal(
		scene_word(scene, BASE), held | WORD_LOCKED | WORD_WAITERS);
	actor_finish(&first);
	actor_await_return(&second);
	assert_int_equal(scene_word(scene, BASE), held | WORD_LOCKED);
	actor_finish(&second);
	assert_int_equal(scene_word(scene, BASE), held);
}

static void only_sleepers_on_the_entry_are_woken(void **state)
{
	enum { NEIGHBOURS = 4 };
	struct scene *scene = *state;
	dax_entry_t held[NEIGHBOURS];
	struct actor actors[NEIGHBOURS];

	for (unsigned int i = 0; i < NEIGHBOURS; i++) {
		held[i] = scene_hold(scene, BASE + i, DAX_PTE);
		actors[i] = (struct actor){.deed = LOCK, .index = BASE + i};
		actor_start_asleep(scene, &actors[i], BASE + i);
	}
	for (unsigned int i = 0; i < NEIGHBOURS; i++) {
		dax_unlock_entry(scene->m, BASE + i, held[i]);
		actor_finish(&actors[i]);
		for (unsigned int j = i + 1; j < NEIGHBOURS; j++) {
			assert_false(actor_returned(&actors[j]));
			assert_int_equal(scene_asleep(scene, BASE + j), 1);
		}
	}
}

static void mappings_that_share_queues_share_no_wake(void **state)
{
	struct scene *scene = *state;
	const struct dax_mapping_params params = {.waitqs = scene->waitqs};
	struct scene other = {.waitqs = scene->waitqs};
	const dax_entry_t entry = scene_fill(scene, BASE, DAX_PTE);
	struct actor ours = {.deed = LOCK, .index = BASE};
	struct actor theirs = {.deed = LOCK, .index = BASE};
	dax_entry_t held;

	assert_int_equal(dax_mapping_new(&params, &other.m), 0);
	scene_fill(&other, BASE, DAX_PTE);
	/* Without waiting: which mapping comes first is up to malloc(). */
	assert_int_equal(dax_trylock_entry(scene->m, BASE, &held), 0);
	assert_int_equal(dax_trylock_entry(other.m, BASE, &held), 0);
	actor_start_asleep(scene, &ours, BASE);
	actor_start_asleep(&other, &theirs, BASE);
	dax_unlock_entry(scene->m, BASE, entry);
	actor_finish(&ours);
	assert_int_equal(scene_asleep(&other, BASE), 1);
	dax_unlock_entry(other.m, BASE, held);
	actor_finish(&theirs);
	dax_mapping_delete(&other.m);
}

static void several_entries_are_unlocked_in_any_order(void **state)
{
	enum { HELD = 3, ORDERS = 6 };
	static const unsigned int orders[ORDERS][HELD] = {{0, 1, 2}, {0, 2, 1},
		{1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
	static const dax_pgoff_t indices[HELD] = {1, BASE + 1, 2 * BASE};
	static const unsigned int flags[HELD] = {DAX_PTE, DAX_PMD, DAX_EMPTY};
	struct scene *scene = *state;
	dax_entry_t held[HELD];

	for (unsigned int i = 0; i < ORDERS; i++) {
		for (unsigned int j = 0; j < HELD; j++)
			held[j] = scene_hold(scene, indices[j], flags[j]);
		for (unsigned int j = 0; j < HELD; j++) {
			const unsigned int k = orders[i][j];

			dax_unlock_entry(scene->m, indices[k], held[k]);
			assert_false(scene_locked(scene, indices[k]));
		}
		assert_null(scene_wrong(scene));
	}
}

static void one_index_of_two_mappings_is_two_entries(void **state)
{
	struct scene *scene = *state;
	const struct dax_mapping_params params = {.waitqs = scene->waitqs};
	const dax_entry_t entry = scene_fill(scene, BASE, DAX_PTE);
	struct dax_mapping *other;
	dax_entry_t others;

	assert_int_equal(dax_mapping_new(&params, &other), 0);
	assert_int_equal(dax_grab_mapping_entry(other, BASE, 0, &others), 0);
	assert_int_equal(dax_trylock_entry(scene->m, BASE, &others), 0);
	others = dax_make_entry(0, DAX_EMPTY);
	dax_insert_entry(other, BASE, &others, PFN(1), DAX_PTE);
	dax_unlock_entry(other, BASE, others);
	assert_int_equal(scene_word(scene, BASE), entry | WORD_LOCKED);
	dax_unlock_entry(scene->m, BASE, entry);
	assert_int_equal(scene_word(scene, BASE), entry);
	assert_null(dax_mapping_verify(other));
	dax_mapping_delete(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE_TEST(sleepers_are_served_in_order_of_arrival),
		SCENE_TEST(sleepers_on_a_pmd_are_one_queue_for_all_its_indices),
		SCENE_TEST(one_unlock_wakes_one),
		SCENE_TEST(the_word_says_whether_somebody_sleeps),
		SCENE_TEST(only_sleepers_on_the_entry_are_woken),
		SCENE_TEST(mappings_that_share_queues_share_no_wake),
		SCENE_TEST(several_entries_are_unlocked_in_any_order),
		SCENE_TEST(one_index_of_two_mappings_is_two_entries),
	};

	return cmocka_run_group_tests_name("unlock", tests, NULL, NULL);
}

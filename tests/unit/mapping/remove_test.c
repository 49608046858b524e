/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Invalidation drops what is clean, deletion drops all; both wait while the
 * entry is locked, account for it, and leave nothing of it behind.
 */
#include "scene.h"

struct kind {
	unsigned int flags;
	uint64_t offset; /* of the index named, from the entry's start */
};

static const struct kind kinds[] = {
	{DAX_PTE, 0},
	{DAX_ZERO_PAGE, 0},
	{DAX_EMPTY, 0},
	{DAX_PMD, 0},
	{DAX_PMD, 3},
	{DAX_PMD | DAX_ZERO_PAGE, 1},
	{DAX_PMD | DAX_EMPTY, 2},
	{DAX_PUD, PMD_PAGES + 1},
};

/* Where an entry of every size starts. */
#define START PUD_PAGES

static void assert_nothing_left(const struct scene *scene)
{
	struct dax_tree *tree = dax_mapping_tree(scene->m);

	assert_int_equal(scene_word(scene, START), 0);
	assert_int_equal(dax_mapping_nrpages(scene->m), 0);
	assert_int_equal(dax_tree_nr_nodes(tree), 0);
	assert_false(dax_tree_marked(tree, DAX_MARK_DIRTY));
	assert_false(dax_tree_marked(tree, DAX_MARK_TOWRITE));
	assert_int_equal(scene->unmapped.calls, 0);
}

/* ---- clean, dirty, absent ---- */

static void a_clean_entry_is_invalidated(void **state)
{
	struct scene *scene = *state;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		scene_fill(scene, START, kinds[i].flags);
		assert_int_equal(dax_invalidate_mapping_entry_sync(
					 scene->m, START + kinds[i].offset),
			1);
		assert_nothing_left(scene);
	}
}

static void a_dirty_entry_is_not_invalidated(void **state)
{
	struct scene *scene = *state;
	const dax_entry_t there = scene_fill(scene, START, DAX_PMD | DAX_DIRTY);

	assert_int_equal(
		dax_invalidate_mapping_entry_sync(scene->m, START + 1), 0);
	assert_int_equal(scene_entry(scene, START), there);
	assert_true(scene_marked(scene, START, DAX_MARK_DIRTY));
	dax_tree_clear_mark(dax_mapping_tree(scene->m), START, DAX_MARK_DIRTY);
	assert_int_equal(
		dax_invalidate_mapping_entry_sync(scene->m, START + 1), 1);
}

static void an_entry_being_written_is_not_invalidated(void **state)
{
	struct scene *scene = *state;
	struct dax_tree *tree = dax_mapping_tree(scene->m);

	scene_fill(scene, START, DAX_PTE);
	assert_true(dax_tree_set_mark(tree, START, DAX_MARK_TOWRITE));
	assert_int_equal(dax_invalidate_mapping_entry_sync(scene->m, START), 0);
	assert_true(scene_marked(scene, START, DAX_MARK_TOWRITE));
	dax_tree_clear_mark(tree, START, DAX_MARK_TOWRITE);
}

static void a_dirty_entry_is_deleted(void **state)
{
	struct scene *scene = *state;

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		scene_fill(scene, START, kinds[i].flags);
		dax_tree_set_mark(
			dax_mapping_tree(scene->m), START, DAX_MARK_DIRTY);
		dax_tree_set_mark(
			dax_mapping_tree(scene->m), START, DAX_MARK_TOWRITE);
		assert_int_equal(dax_delete_mapping_entry(
					 scene->m, START + kinds[i].offset),
			1);
		assert_nothing_left(scene);
	}
}

static void what_is_not_there_is_not_dropped(void **state)
{
	struct scene *scene = *state;
	const dax_entry_t there = scene_fill(scene, START, DAX_PTE);

	assert_int_equal(
		dax_invalidate_mapping_entry_sync(scene->m, START + 1), 0);
	assert_int_equal(dax_delete_mapping_entry(scene->m, START - 1), 0);
	assert_int_equal(dax_delete_mapping_entry(scene->m, UINT64_MAX), 0);
	assert_int_equal(scene_word(scene, START), there);
}

/* ---- waiting ---- */

static void removal_waits_for_the_lock(void **state)
{
	static const enum deed deeds[] = {INVALIDATE, DELETE, DELETE_RANGE};
	struct scene *scene = *state;

	for (size_t i = 0; i < ARRAY_SIZE(deeds); i++) {
		const dax_entry_t held = scene_hold(scene, START, DAX_PMD);
		struct actor actor = {.deed = deeds[i], .index = START + 1};

		actor_start_asleep(scene, &actor, START);
		assert_int_equal(scene_entry(scene, START), held);
		dax_unlock_entry(scene->m, START, held);
		actor_finish(&actor);
		assert_int_equal(actor.result, 1);
		assert_nothing_left(scene);
	}
}

static void what_became_dirty_meanwhile_is_kept_and_the_wake_passed_on(
	void **state)
{
	struct scene *scene = *state;
	dax_entry_t entry = scene_hold(scene, START, DAX_EMPTY);
	struct actor invalidate = {.deed = INVALIDATE, .index = START};
	struct actor sleeper = {.deed = LOCK, .index = START};

	actor_start_asleep(scene, &invalidate, START);
	actor_start_asleep(scene, &sleeper, START);
	dax_insert_entry(scene->m, START, &entry, PFN(START), DAX_DIRTY);
	dax_unlock_entry(scene->m, START, entry);
	actor_finish(&invalidate);
	assert_int_equal(invalidate.result, 0);
	actor_finish(&sleeper);
	assert_int_equal(sleeper.result, 0);
	assert_int_equal(sleeper.entry, entry);
}

/* ---- ranges ---- */

static void a_range_takes_all_that_reaches_into_it(void **state)
{
	struct scene *scene = *state;

	scene_fill(scene, BASE - 1, DAX_PTE);
	scene_fill(scene, BASE, DAX_PMD);
	scene_fill(scene, 2 * BASE, DAX_PTE);
	scene_fill(scene, 3 * BASE, DAX_PMD | DAX_DIRTY);
	assert_int_equal(dax_mapping_nrpages(scene->m), 2 + 2 * PMD_PAGES);
	/* From the last page of one PMD to the first of another. */
	assert_int_equal(
		dax_delete_mapping_range(scene->m, 2 * BASE - 1, 3 * BASE), 3);
	assert_int_equal(dax_mapping_nrpages(scene->m), 1);
	assert_int_not_equal(scene_word(scene, BASE - 1), 0);
}

static void a_range_inside_a_pmd_takes_the_pmd(void **state)
{
	struct scene *scene = *state;

	scene_fill(scene, BASE, DAX_PMD);
	assert_int_equal(
		dax_delete_mapping_range(scene->m, BASE + 1, BASE + 2), 1);
	assert_int_equal(dax_mapping_nrpages(scene->m), 0);
}

static void a_range_leaves_what_stands_beside_it(void **state)
{
	struct scene *scene = *state;

	for (uint64_t i = 0; i < 4; i++)
		scene_fill(scene, BASE + i, DAX_PTE);
	assert_int_equal(
		dax_delete_mapping_range(scene->m, BASE + 1, BASE + 2), 2);
	assert_int_not_equal(scene_word(scene, BASE), 0);
	assert_int_equal(scene_word(scene, BASE + 1), 0);
	assert_int_equal(scene_word(scene, BASE + 2), 0);
	assert_int_not_equal(scene_word(scene, BASE + 3), 0);
}

static void a_range_without_entries_takes_none(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(dax_delete_mapping_range(scene->m, 0, UINT64_MAX), 0);
	scene_fill(scene, BASE, DAX_PTE);
	assert_int_equal(
		dax_delete_mapping_range(scene->m, BASE + 1, UINT64_MAX), 0);
	assert_int_equal(dax_delete_mapping_range(scene->m, 0, BASE - 1), 0);
	/* A range that ends before it begins. */
	assert_int_equal(
		dax_delete_mapping_range(scene->m, BASE + 1, BASE - 1), 0);
	assert_int_equal(dax_mapping_nrpages(scene->m), 1);
}

static void the_whole_range_takes_entries_of_every_size(void **state)
{
	struct scene *scene = *state;

	scene_fill(scene, 0, DAX_PTE);
	scene_fill(scene, 1, DAX_ZERO_PAGE);
	scene_fill(scene, BASE, DAX_PMD | DAX_ZERO_PAGE);
	scene_fill(scene, PUD_PAGES, DAX_PUD | DAX_DIRTY);
	scene_fill(scene, UINT64_MAX, DAX_DIRTY);
	assert_int_equal(dax_delete_mapping_range(scene->m, 0, UINT64_MAX), 5);
	assert_nothing_left(scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE_TEST(a_clean_entry_is_invalidated),
		SCENE_TEST(a_dirty_entry_is_not_invalidated),
		SCENE_TEST(an_entry_being_written_is_not_invalidated),
		SCENE_TEST(a_dirty_entry_is_deleted),
		SCENE_TEST(what_is_not_there_is_not_dropped),
		SCENE_TEST(removal_waits_for_the_lock),
		SCENE_TEST(
			what_became_dirty_meanwhile_is_kept_and_the_wake_passed_on),
		SCENE_TEST(a_range_takes_all_that_reaches_into_it),
		SCENE_TEST(a_range_inside_a_pmd_takes_the_pmd),
		SCENE_TEST(a_range_leaves_what_stands_beside_it),
		SCENE_TEST(a_range_without_entries_takes_none),
		SCENE_TEST(the_whole_range_takes_entries_of_every_size),
	};

	return cmocka_run_group_tests_name("remove", tests, NULL, NULL);
}

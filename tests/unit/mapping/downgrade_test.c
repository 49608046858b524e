/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A small grab of a large zero or empty entry replaces it in one step, by one
 * small entry that the caller holds: unmapped first if it was a zero entry,
 * accounted, unmarked, and all who slept on it go their own ways.
 */
#include "scene.h"

/* ---- what is left of the large entry ---- */

struct downgrade {
	unsigned int from; /* flags, at the start of its range */
	unsigned int to;   /* order */
	unsigned int unmaps;
};

static const struct downgrade downgrades[] = {
	{DAX_PMD | DAX_ZERO_PAGE, DAX_PTE_ORDER, .unmaps = 1},
	{DAX_PMD | DAX_EMPTY, DAX_PTE_ORDER, .unmaps = 0},
	{DAX_PUD | DAX_ZERO_PAGE, DAX_PTE_ORDER, .unmaps = 1},
	{DAX_PUD | DAX_EMPTY, DAX_PTE_ORDER, .unmaps = 0},
	{DAX_PUD | DAX_ZERO_PAGE, DAX_PMD_ORDER, .unmaps = 1},
	{DAX_PUD | DAX_EMPTY, DAX_PMD_ORDER, .unmaps = 0},
};

static void assert_unmapped(const struct scene *scene,
	const struct downgrade *downgrade, dax_pgoff_t start)
{
	const uint64_t nr = (uint64_t)1 << order_of(downgrade->from);

	assert_int_equal(scene->unmapped.calls, downgrade->unmaps);
	if (!downgrade->unmaps)
		return;
	assert_int_equal(scene->unmapped.index, start);
	assert_int_equal(scene->unmapped.nr, nr);
	/* The large entry was still there, and locked. */
	assert_true(dax_is_locked_entry(scene->unmapped.word));
	assert_int_equal(dax_entry_order(scene->unmapped.word),
		order_of(downgrade->from));
}

static void assert_downgraded(
	struct scene *scene, const struct downgrade *downgrade)
{
	const dax_pgoff_t start = PUD_PAGES;
	const dax_pgoff_t index = start + 2;
	const dax_pgoff_t beyond =
		start + ((uint64_t)1 << order_of(downgrade->from)) - 1;
	dax_entry_t entry;

	scene->unmapped = (struct unmapped){0};
	scene_fill(scene, start, downgrade->from);
	assert_int_equal(
		dax_grab_mapping_entry(scene->m, index, downgrade->to, &entry),
		0);
	assert_unmapped(scene, downgrade, start);
	assert_true(dax_is_empty_entry(entry));
	assert_int_equal(dax_entry_order(entry), downgrade->to);
	assert_int_equal(scene_word(scene, index), entry | WORD_LOCKED);
	assert_int_equal(scene_word(scene, beyond), 0);
	assert_int_equal(
		dax_mapping_nrpages(scene->m), (uint64_t)1 << downgrade->to);
	dax_unlock_entry(scene->m, index, entry);
	assert_null(scene_wrong(scene));
	assert_int_equal(dax_delete_mapping_range(scene->m, 0, UINT64_MAX), 1);
}

static void one_small_entry_replaces_the_large_one(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(downgrades); i++)
		assert_downgraded(*state, &downgrades[i]);
}

static void the_first_and_the_last_index_can_be_split_off(void **state)
{
	static const uint64_t offsets[] = {0, PMD_PAGES - 1};
	struct scene *scene = *state;

	for (size_t i = 0; i < ARRAY_SIZE(offsets); i++) {
		scene_fill(scene, BASE, DAX_PMD | DAX_ZERO_PAGE);
		scene_fill(scene, BASE + offsets[i], DAX_PTE);
		assert_int_equal(dax_mapping_nrpages(scene->m), 1);
		assert_int_equal(scene_entry(scene, BASE + offsets[i]),
			dax_make_entry(PFN(BASE + offsets[i]), DAX_PTE));
		assert_int_equal(
			dax_delete_mapping_range(scene->m, BASE, 2 * BASE - 1),
			1);
	}
}

static void neighbours_stay(void **state)
{
	struct scene *scene = *state;
	const dax_entry_t before = scene_fill(scene, BASE - 1, DAX_PTE);
	const dax_entry_t after = scene_fill(scene, 2 * BASE, DAX_PMD);

	scene_fill(scene, BASE, DAX_PMD | DAX_ZERO_PAGE);
	scene_fill(scene, BASE + 1, DAX_PTE);
	assert_int_equal(scene_word(scene, BASE - 1), before);
	assert_int_equal(scene_word(scene, 2 * BASE), after);
	assert_int_equal(dax_mapping_nrpages(scene->m), 2 + PMD_PAGES);
}

static void marks_go_with_the_large_entry(void **state)
{
	struct scene *scene = *state;
	struct dax_tree *tree = dax_mapping_tree(scene->m);

	scene_fill(scene, BASE, DAX_PMD | DAX_ZERO_PAGE | DAX_DIRTY);
	assert_true(dax_tree_set_mark(tree, BASE, DAX_MARK_TOWRITE));
	scene_fill(scene, BASE + 1, DAX_EMPTY);
	for (uint64_t i = 0; i < PMD_PAGES; i++) {
		assert_false(scene_marked(scene, BASE + i, DAX_MARK_DIRTY));
		assert_false(scene_marked(scene, BASE + i, DAX_MARK_TOWRITE));
	}
	assert_false(dax_tree_marked(tree, DAX_MARK_DIRTY));
	assert_false(dax_tree_marked(tree, DAX_MARK_TOWRITE));
}

static void marks_of_neighbours_stay(void **state)
{
	struct scene *scene = *state;
	struct dax_tree *tree = dax_mapping_tree(scene->m);

	scene_fill(scene, 2 * BASE, DAX_PMD | DAX_DIRTY);
	scene_fill(scene, BASE, DAX_PMD | DAX_ZERO_PAGE | DAX_DIRTY);
	scene_fill(scene, BASE + 1, DAX_EMPTY);
	assert_true(dax_tree_marked(tree, DAX_MARK_DIRTY));
	assert_true(scene_marked(scene, 2 * BASE, DAX_MARK_DIRTY));
}

static void without_ops_nothing_is_unmapped(void **state)
{
	struct scene *scene = *state;
	const struct dax_mapping_params params = {.waitqs = scene->waitqs};
	struct dax_mapping *m;
	dax_entry_t entry;

	assert_int_equal(dax_mapping_new(&params, &m), 0);
	assert_int_equal(
		dax_grab_mapping_entry(m, BASE, DAX_PMD_ORDER, &entry), 0);
	dax_insert_entry(m, BASE, &entry, 0, DAX_PMD | DAX_ZERO_PAGE);
	dax_unlock_entry(m, BASE, entry);
	assert_int_equal(
		dax_grab_mapping_entry(m, BASE, DAX_PTE_ORDER, &entry), 0);
	dax_unlock_entry(m, BASE, entry);
	assert_null(dax_mapping_verify(m));
	dax_mapping_delete(&m);
}

/* ---- who slept on it ---- */

#define SLEEPERS 3

static struct actor sleepers[SLEEPERS];

/* The entry is locked by the main thread, in dax_grab_mapping_entry(). */
static void three_fall_asleep(struct scene *scene)
{
	for (unsigned int i = 0; i < SLEEPERS; i++) {
		sleepers[i] = (struct actor){
			.deed = GRAB, .index = BASE + 1 + i, .keeps = true};
		actor_start_asleep(scene, &sleepers[i], BASE);
	}
}

static void every_sleeper_gets_an_index_of_its_own(void **state)
{
	struct scene *scene = *state;
	dax_entry_t entry;

	scene_fill(scene, BASE, DAX_PMD | DAX_ZERO_PAGE);
	scene->in_unmap = three_fall_asleep;
	assert_int_equal(
		dax_grab_mapping_entry(scene->m, BASE, DAX_PTE_ORDER, &entry),
		0);
	/* All at the same time: nobody has unlocked anything yet. */
	for (unsigned int i = 0; i < SLEEPERS; i++)
		actor_await_return(&sleepers[i]);
	assert_int_equal(dax_mapping_nrpages(scene->m), 1 + SLEEPERS);
	for (unsigned int i = 0; i < SLEEPERS; i++) {
		assert_int_equal(sleepers[i].result, 0);
		assert_int_equal(dax_entry_order(sleepers[i].entry), 0);
		assert_true(scene_locked(scene, BASE + 1 + i));
	}
	actors_finish(sleepers, SLEEPERS);
	dax_unlock_entry(scene->m, BASE, entry);
	assert_int_equal(scene->unmapped.calls, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE_TEST(one_small_entry_replaces_the_large_one),
		SCENE_TEST(the_first_and_the_last_index_can_be_split_off),
		SCENE_TEST(neighbours_stay),
		SCENE_TEST(marks_go_with_the_large_entry),
		SCENE_TEST(marks_of_neighbours_stay),
		SCENE_TEST(without_ops_nothing_is_unmapped),
		SCENE_TEST(every_sleeper_gets_an_index_of_its_own),
	};

	return cmocka_run_group_tests_name("downgrade", tests, NULL, NULL);
}

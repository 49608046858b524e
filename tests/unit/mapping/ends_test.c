/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The first and the last pages of the 64-bit range are as good as any other,
 * for entries of every size and for those who sleep on them; and pages are
 * counted as what their entries cover.
 */
#include "scene.h"

#define LAST UINT64_MAX

struct end {
	dax_pgoff_t index;
	dax_pgoff_t other; /* another index of the entry */
	unsigned int flags;
};

static const struct end ends[] = {
	{0, 0, DAX_PTE},
	{0, PMD_PAGES - 1, DAX_PMD},
	{0, PUD_PAGES - 1, DAX_PUD},
	{LAST, LAST, DAX_PTE},
	{LAST, LAST - PMD_PAGES + 1, DAX_PMD},
	{LAST, LAST - PUD_PAGES + 1, DAX_PUD},
	{LAST / 2, LAST / 2, DAX_PTE},
	{LAST / 2 + 1, LAST / 2 + PMD_PAGES, DAX_PMD},
	/* Above 2^20, where a mask once lost its top bits (A12). */
	{(dax_pgoff_t)1 << 40 | 3, (dax_pgoff_t)1 << 40, DAX_PMD},
	{(dax_pgoff_t)1 << 63, ((dax_pgoff_t)1 << 63) + 1, DAX_PMD},
};

static dax_pgoff_t start_of(const struct end *end)
{
	return end->index >> order_of(end->flags) << order_of(end->flags);
}

static void assert_works_at(struct scene *scene, const struct end *end)
{
	const dax_entry_t there = scene_fill(scene, end->index, end->flags);
	dax_entry_t entry;
	uint64_t pfn;

	assert_int_equal(dax_mapping_nrpages(scene->m),
		(uint64_t)1 << order_of(end->flags));
	assert_int_equal(scene_word(scene, end->other), there);
	assert_int_equal(dax_lock_entry(scene->m, end->other, &entry), 0);
	assert_int_equal(entry, there);
	dax_unlock_entry(scene->m, end->index, entry);
	assert_int_equal(dax_get_unlocked_entry(scene->m, end->other), there);
	assert_int_equal(
		dax_lock_mapping_entry(scene->m, end->other, &entry, &pfn),
		DAX_LOCK_TAKEN);
	assert_int_equal(pfn, PFN(start_of(end)) + end->other - start_of(end));
	dax_unlock_entry(scene->m, end->other, entry);
	assert_int_equal(
		dax_invalidate_mapping_entry_sync(scene->m, end->other), 1);
	assert_int_equal(dax_mapping_nrpages(scene->m), 0);
}

static void every_call_works_at_both_ends(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
		assert_works_at(*state, &ends[i]);
}

static void sleepers_at_both_ends_are_woken(void **state)
{
	struct scene *scene = *state;

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		const struct end *end = &ends[i];
		const dax_entry_t held =
			scene_hold(scene, end->index, end->flags);
		struct actor actors[] = {
			{.deed = LOCK, .index = end->other},
			{.deed = DELETE_RANGE, .index = end->index},
			{.deed = LOCK, .index = end->index},
		};

		for (size_t j = 0; j < ARRAY_SIZE(actors); j++)
			actor_start_asleep(scene, &actors[j], start_of(end));
		dax_unlock_entry(scene->m, end->other, held);
		actors_finish(actors, ARRAY_SIZE(actors));
		assert_int_equal(actors[0].result, 0);
		assert_int_equal(actors[1].result, 1);
		assert_int_equal(actors[2].result, -ENOENT);
	}
}

static void the_last_pmd_is_downgraded(void **state)
{
	struct scene *scene = *state;

	scene_fill(scene, LAST, DAX_PMD | DAX_ZERO_PAGE);
	scene_fill(scene, LAST, DAX_EMPTY);
	assert_int_equal(scene->unmapped.index, LAST - PMD_PAGES + 1);
	assert_int_equal(scene->unmapped.nr, PMD_PAGES);
	assert_int_equal(dax_mapping_nrpages(scene->m), 1);
	assert_int_equal(dax_delete_mapping_range(scene->m, LAST, LAST), 1);
}

static void both_ends_live_in_one_tree(void **state)
{
	struct scene *scene = *state;

	for (unsigned int i = 0; i < 2; i++) {
		scene_fill(scene, 0, DAX_PTE);
		scene_fill(scene, LAST, DAX_PMD);
		assert_int_equal(dax_mapping_nrpages(scene->m), 1 + PMD_PAGES);
		assert_int_equal(
			dax_delete_mapping_range(scene->m, 1, LAST), 1);
		assert_int_equal(
			dax_delete_mapping_range(scene->m, 0, LAST), 1);
	}
}

static void pages_are_counted_as_what_entries_cover(void **state)
{
	struct scene *scene = *state;

	scene_fill(scene, BASE, DAX_PMD | DAX_EMPTY);
	assert_int_equal(dax_mapping_nrpages(scene->m), PMD_PAGES);
	scene_fill(scene, PUD_PAGES, DAX_PUD | DAX_ZERO_PAGE);
	assert_int_equal(dax_mapping_nrpages(scene->m), PMD_PAGES + PUD_PAGES);
	scene_fill(scene, PUD_PAGES, DAX_PMD);
	assert_int_equal(dax_mapping_nrpages(scene->m), 2 * PMD_PAGES);
	scene_fill(scene, BASE, DAX_ZERO_PAGE);
	assert_int_equal(dax_mapping_nrpages(scene->m), PMD_PAGES + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE_TEST(every_call_works_at_both_ends),
		SCENE_TEST(sleepers_at_both_ends_are_woken),
		SCENE_TEST(the_last_pmd_is_downgraded),
		SCENE_TEST(both_ends_live_in_one_tree),
		SCENE_TEST(pages_are_counted_as_what_entries_cover),
	};

	return cmocka_run_group_tests_name("ends", tests, NULL, NULL);
}

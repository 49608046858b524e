/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Inserting gives a locked entry its storage: zero, empty and (COW) shared
 * entries are replaced, others kept; a zero entry that gets storage and a
 * shared one are unmapped first; the lock, the sleepers and the marks stay.
 */
#include "scene.h"

/* ---- replaced or kept, unmapped or not, marked or not ---- */

struct insertion {
	unsigned int there; /* flags; storage stands at PFN() */
	unsigned int flags;
	bool replaced;
	unsigned int unmaps;
	bool dirty;
	bool towrite;
};

#define OLD_PFN PFN(BASE)
#define NEW_PFN (PFN(BASE) + 0x4000)

static const struct insertion insertions[] = {
	/* over nothing but a placeholder */
	{DAX_EMPTY, 0, .replaced = true},
	{DAX_EMPTY, DAX_DIRTY, .replaced = true, .dirty = true},
	{DAX_EMPTY, DAX_ZERO_PAGE, .replaced = true},
	/* over a zero page */
	{DAX_ZERO_PAGE, 0, .replaced = true, .unmaps = 1},
	{DAX_ZERO_PAGE, DAX_DIRTY, .replaced = true, .unmaps = 1,
		.dirty = true},
	{DAX_ZERO_PAGE, DAX_ZERO_PAGE, .replaced = true},
	/* over storage */
	{DAX_PTE, 0, .replaced = false},
	{DAX_PTE, DAX_DIRTY, .replaced = false, .dirty = true},
	{DAX_PTE, DAX_ZERO_PAGE, .replaced = false},
	/* over shared storage */
	{DAX_PTE, DAX_COW, .replaced = true, .unmaps = 1},
	{DAX_PTE, DAX_COW | DAX_DIRTY, .replaced = true, .unmaps = 1,
		.dirty = true, .towrite = true},
	{DAX_ZERO_PAGE, DAX_COW | DAX_DIRTY, .replaced = true, .unmaps = 1,
		.dirty = true, .towrite = true},
	{DAX_EMPTY, DAX_COW | DAX_DIRTY, .replaced = true, .unmaps = 1,
		.dirty = true, .towrite = true},
};

static void assert_marks(struct scene *scene, const struct insertion *insertion)
{
	assert_int_equal(
		scene_marked(scene, BASE, DAX_MARK_DIRTY), insertion->dirty);
	assert_int_equal(scene_marked(scene, BASE, DAX_MARK_TOWRITE),
		insertion->towrite);
}

static void assert_inserted(struct scene *scene,
	const struct insertion *insertion, unsigned int size)
{
	const unsigned int kind = DAX_ZERO_PAGE | DAX_EMPTY;
	const uint64_t pages = (uint64_t)1 << order_of(size);
	const dax_pgoff_t index = BASE + (size ? 1 : 0);
	const dax_entry_t before =
		scene_hold(scene, index, insertion->there | size);
	dax_entry_t after = before;

	scene->unmapped = (struct unmapped){0};
	dax_insert_entry(scene->m, index, &after,
		insertion->flags & DAX_ZERO_PAGE ? 0 : NEW_PFN,
		insertion->flags | size);
	if (insertion->replaced)
		assert_int_equal(after,
			dax_make_entry(
				insertion->flags & DAX_ZERO_PAGE ? 0 : NEW_PFN,
				(insertion->flags & kind) | size));
	else
		assert_int_equal(after, before);
	assert_true(scene_locked(scene, BASE));
	assert_int_equal(scene_entry(scene, BASE), after);
	assert_int_equal(scene->unmapped.calls, insertion->unmaps);
	if (insertion->unmaps) {
		assert_int_equal(scene->unmapped.index, BASE);
		assert_int_equal(scene->unmapped.nr, pages);
		/* The old entry, locked. */
		assert_int_equal(scene->unmapped.word, before | WORD_LOCKED);
	}
	assert_marks(scene, insertion);
	assert_int_equal(dax_mapping_nrpages(scene->m), pages);
	dax_unlock_entry(scene->m, index, after);
	assert_null(scene_wrong(scene));
	assert_int_equal(dax_delete_mapping_entry(scene->m, index), 1);
}

static void ptes_are_replaced_kept_unmapped_and_marked(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(insertions); i++)
		assert_inserted(*state, &insertions[i], DAX_PTE);
}

static void pmds_are_replaced_kept_unmapped_and_marked(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(insertions); i++)
		assert_inserted(*state, &insertions[i], DAX_PMD);
}

/* ---- marks ---- */

static void a_kept_entry_keeps_its_mark(void **state)
{
	struct scene *scene = *state;
	dax_entry_t entry = scene_hold(scene, BASE, DAX_DIRTY);

	dax_insert_entry(scene->m, BASE, &entry, OLD_PFN, DAX_PTE);
	assert_true(scene_marked(scene, BASE, DAX_MARK_DIRTY));
	dax_unlock_entry(scene->m, BASE, entry);
}

static void a_replaced_entry_keeps_its_marks(void **state)
{
	struct scene *scene = *state;
	dax_entry_t entry = scene_hold(scene, BASE, DAX_ZERO_PAGE | DAX_DIRTY);

	assert_true(dax_tree_set_mark(
		dax_mapping_tree(scene->m), BASE, DAX_MARK_TOWRITE));
	dax_insert_entry(scene->m, BASE, &entry, NEW_PFN, DAX_PTE);
	assert_int_equal(dax_to_pfn(entry), NEW_PFN);
	assert_true(scene_marked(scene, BASE, DAX_MARK_DIRTY));
	assert_true(scene_marked(scene, BASE, DAX_MARK_TOWRITE));
	dax_unlock_entry(scene->m, BASE, entry);
}

static void a_dirty_entry_is_found_by_a_search_at_once(void **state)
{
	struct scene *scene = *state;
	const dax_entry_t entry = scene_hold(scene, BASE + 2, DAX_DIRTY);
	struct dax_xas xas;

	dax_xas_init(&xas, dax_mapping_tree(scene->m), 0, UINT64_MAX);
	assert_int_not_equal(dax_xas_next_marked(&xas, DAX_MARK_DIRTY), 0);
	assert_int_equal(xas.index, BASE + 2);
	dax_unlock_entry(scene->m, BASE + 2, entry);
}

/* ---- sleepers ---- */

static void who_fell_asleep_before_is_woken_after(void **state)
{
	struct scene *scene = *state;
	dax_entry_t entry = scene_hold(scene, BASE, DAX_PMD | DAX_EMPTY);
	struct actor actor = {.deed = LOCK, .index = BASE + 3};

	actor_start_asleep(scene, &actor, BASE);
	dax_insert_entry(scene->m, BASE, &entry, NEW_PFN, DAX_PMD | DAX_DIRTY);
	assert_int_equal(scene_asleep(scene, BASE), 1);
	dax_unlock_entry(scene->m, BASE, entry);
	actor_finish(&actor);
	assert_int_equal(actor.result, 0);
	assert_int_equal(actor.entry, entry);
}

static struct actor late;

static void one_falls_asleep(struct scene *scene)
{
	late = (struct actor){.deed = LOCK, .index = BASE};
	actor_start_asleep(scene, &late, BASE);
}

static void who_fell_asleep_meanwhile_is_woken_after(void **state)
{
	struct scene *scene = *state;
	dax_entry_t entry = scene_hold(scene, BASE, DAX_ZERO_PAGE);

	scene->in_unmap = one_falls_asleep;
	dax_insert_entry(scene->m, BASE, &entry, NEW_PFN, DAX_PTE);
	assert_int_equal(scene_asleep(scene, BASE), 1);
	dax_unlock_entry(scene->m, BASE, entry);
	actor_finish(&late);
	assert_int_equal(late.result, 0);
	assert_int_equal(late.entry, entry);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE_TEST(ptes_are_replaced_kept_unmapped_and_marked),
		SCENE_TEST(pmds_are_replaced_kept_unmapped_and_marked),
		SCENE_TEST(a_kept_entry_keeps_its_mark),
		SCENE_TEST(a_replaced_entry_keeps_its_marks),
		SCENE_TEST(a_dirty_entry_is_found_by_a_search_at_once),
		SCENE_TEST(who_fell_asleep_before_is_woken_after),
		SCENE_TEST(who_fell_asleep_meanwhile_is_woken_after),
	};

	return cmocka_run_group_tests_name("insert", tests, NULL, NULL);
}

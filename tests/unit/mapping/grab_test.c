/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Grabbing returns the entry at an index, locked: made where nothing is, as it
 * is where something as large is, never where smaller entries are in the way.
 */
#include "scene.h"

/* ---- nothing there ---- */

static void assert_grab_makes_empty(
	struct scene *scene, dax_pgoff_t index, unsigned int order)
{
	dax_entry_t entry;

	assert_int_equal(
		dax_grab_mapping_entry(scene->m, index, order, &entry), 0);
	assert_true(dax_is_empty_entry(entry));
	assert_int_equal(dax_entry_order(entry), order);
	assert_true(scene_locked(scene, index));
	assert_int_equal(scene_entry(scene, index), entry);
	assert_int_equal(dax_mapping_nrpages(scene->m), (uint64_t)1 << order);
	dax_unlock_entry(scene->m, index, entry);
	assert_false(scene_locked(scene, index));
	assert_int_equal(scene->unmapped.calls, 0);
}

static void absent_becomes_an_empty_pte(void **state)
{
	assert_grab_makes_empty(*state, BASE + 2, DAX_PTE_ORDER);
}

static void absent_becomes_an_empty_pmd(void **state)
{
	struct scene *scene = *state;

	assert_grab_makes_empty(scene, BASE + 2, DAX_PMD_ORDER);
	assert_int_equal(
		scene_entry(scene, BASE), scene_entry(scene, 2 * BASE - 1));
	assert_int_equal(scene_word(scene, BASE - 1), 0);
	assert_int_equal(scene_word(scene, 2 * BASE), 0);
}

static void absent_becomes_an_empty_pud(void **state)
{
	assert_grab_makes_empty(*state, PUD_PAGES + 3, DAX_PUD_ORDER);
}

/* ---- something as large there ---- */

/* What stands there: of @flags at BASE. What is asked for: @order at BASE + 1.
 */
static void assert_grab_returns(
	struct scene *scene, unsigned int flags, unsigned int order)
{
	const dax_pgoff_t index = BASE + (flags & (DAX_PMD | DAX_PUD) ? 1 : 0);
	const dax_entry_t there = scene_fill(scene, BASE, flags);
	const uint64_t pages = dax_mapping_nrpages(scene->m);
	dax_entry_t entry;

	assert_int_equal(
		dax_grab_mapping_entry(scene->m, index, order, &entry), 0);
	assert_int_equal(entry, there);
	assert_true(scene_locked(scene, BASE));
	dax_unlock_entry(scene->m, index, entry);
	assert_int_equal(dax_mapping_nrpages(scene->m), pages);
	assert_int_equal(scene->unmapped.calls, 0);
}

static void an_existing_pte_is_returned(void **state)
{
	assert_grab_returns(*state, DAX_PTE, DAX_PTE_ORDER);
}

static void an_existing_zero_pte_is_returned(void **state)
{
	assert_grab_returns(*state, DAX_ZERO_PAGE, DAX_PTE_ORDER);
}

static void a_pmd_with_storage_is_returned_for_a_pte(void **state)
{
	assert_grab_returns(*state, DAX_PMD, DAX_PTE_ORDER);
}

static void a_pmd_with_storage_is_returned_for_a_pmd(void **state)
{
	assert_grab_returns(*state, DAX_PMD, DAX_PMD_ORDER);
}

static void a_zero_pmd_is_returned_for_a_pmd(void **state)
{
	assert_grab_returns(*state, DAX_PMD | DAX_ZERO_PAGE, DAX_PMD_ORDER);
}

static void an_empty_pmd_is_returned_for_a_pmd(void **state)
{
	assert_grab_returns(*state, DAX_PMD | DAX_EMPTY, DAX_PMD_ORDER);
}

static void a_pud_with_storage_is_returned_for_a_pte(void **state)
{
	assert_grab_returns(*state, DAX_PUD, DAX_PTE_ORDER);
}

static void a_pud_with_storage_is_returned_for_a_pmd(void **state)
{
	assert_grab_returns(*state, DAX_PUD, DAX_PMD_ORDER);
}

static void a_locked_entry_is_waited_for(void **state)
{
	struct scene *scene = *state;
	const dax_entry_t held = scene_hold(scene, BASE + 1, DAX_PTE);
	struct actor actor = {.deed = GRAB, .index = BASE + 1, .keeps = true};

	actor_start_asleep(scene, &actor, BASE + 1);
	assert_false(actor_returned(&actor));
	dax_unlock_entry(scene->m, BASE + 1, held);
	actor_await_return(&actor);
	assert_int_equal(actor.result, 0);
	assert_int_equal(actor.entry, held);
	assert_true(scene_locked(scene, BASE + 1));
	actor_finish(&actor);
	assert_false(scene_locked(scene, BASE + 1));
}

/* ---- smaller entries there ---- */

/* Asks for @order at BASE where a smaller entry stands at @index. */
static void assert_grab_falls_back(struct scene *scene, dax_pgoff_t index,
	unsigned int flags, unsigned int order)
{
	const dax_entry_t there = scene_fill(scene, index, flags);
	dax_entry_t out = 42;

	assert_int_equal(
		dax_grab_mapping_entry(scene->m, BASE, order, &out), -EEXIST);
	assert_int_equal(out, 42);
	assert_int_equal(scene_word(scene, index), there);
}

static void a_pmd_over_a_pte_falls_back(void **state)
{
	assert_grab_falls_back(*state, BASE + 3, DAX_PTE, DAX_PMD_ORDER);
}

static void a_pmd_over_an_empty_pte_falls_back(void **state)
{
	assert_grab_falls_back(*state, BASE + 3, DAX_EMPTY, DAX_PMD_ORDER);
}

static void a_pud_over_a_pmd_falls_back(void **state)
{
	assert_grab_falls_back(*state, BASE, DAX_PMD, DAX_PUD_ORDER);
}

static void a_pud_over_a_pte_falls_back(void **state)
{
	assert_grab_falls_back(*state, 3 * BASE, DAX_PTE, DAX_PUD_ORDER);
}

static void a_pmd_over_the_first_page_of_a_file_falls_back(void **state)
{
	struct scene *scene = *state;
	dax_entry_t out;

	/* The tree has one node yet, of the level below a PMD's. */
	scene_fill(scene, 0, DAX_PTE);
	assert_int_equal(
		dax_grab_mapping_entry(scene->m, 1, DAX_PMD_ORDER, &out),
		-EEXIST);
}

/* Were it to wait, nobody would ever wake this thread. */
static void a_pmd_over_a_locked_pte_falls_back_at_once(void **state)
{
	struct scene *scene = *state;
	struct actor actor = {
		.deed = GRAB, .index = BASE, .order = DAX_PMD_ORDER};
	const dax_entry_t held = scene_hold(scene, BASE + 1, DAX_PTE);

	actor_start(scene, &actor);
	actor_finish(&actor);
	assert_int_equal(actor.result, -EEXIST);
	assert_true(scene_locked(scene, BASE + 1));
	dax_unlock_entry(scene->m, BASE + 1, held);
}

/* ---- nothing in the way (D1) ---- */

static void a_pmd_between_its_neighbours_is_made(void **state)
{
	struct scene *scene = *state;
	dax_entry_t entry;

	scene_fill(scene, BASE - 1, DAX_PTE);
	scene_fill(scene, 2 * BASE, DAX_PTE);
	assert_int_equal(dax_grab_mapping_entry(
				 scene->m, BASE + 1, DAX_PMD_ORDER, &entry),
		0);
	assert_int_equal(dax_entry_order(entry), DAX_PMD_ORDER);
	dax_unlock_entry(scene->m, BASE, entry);
}

static void a_pmd_is_made_after_the_last_pte_was_deleted(void **state)
{
	struct scene *scene = *state;
	dax_entry_t entry;

	scene_fill(scene, BASE + 1, DAX_PTE);
	scene_fill(scene, BASE + 2, DAX_PTE);
	assert_int_equal(dax_delete_mapping_entry(scene->m, BASE + 1), 1);
	assert_int_equal(
		dax_grab_mapping_entry(scene->m, BASE, DAX_PMD_ORDER, &entry),
		-EEXIST);
	assert_int_equal(dax_delete_mapping_entry(scene->m, BASE + 2), 1);
	assert_int_equal(
		dax_grab_mapping_entry(scene->m, BASE, DAX_PMD_ORDER, &entry),
		0);
	assert_int_equal(dax_mapping_nrpages(scene->m), PMD_PAGES);
	dax_unlock_entry(scene->m, BASE, entry);
}

static void a_pud_is_made_after_the_last_smaller_one_was_deleted(void **state)
{
	struct scene *scene = *state;
	dax_entry_t entry;

	scene_fill(scene, PUD_PAGES + 1, DAX_PTE);
	scene_fill(scene, PUD_PAGES + BASE, DAX_PMD);
	assert_int_equal(
		dax_delete_mapping_range(scene->m, PUD_PAGES, UINT64_MAX), 2);
	assert_int_equal(dax_grab_mapping_entry(
				 scene->m, PUD_PAGES, DAX_PUD_ORDER, &entry),
		0);
	assert_int_equal(dax_entry_order(entry), DAX_PUD_ORDER);
	dax_unlock_entry(scene->m, PUD_PAGES, entry);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE_TEST(absent_becomes_an_empty_pte),
		SCENE_TEST(absent_becomes_an_empty_pmd),
		SCENE_TEST(absent_becomes_an_empty_pud),
		SCENE_TEST(an_existing_pte_is_returned),
		SCENE_TEST(an_existing_zero_pte_is_returned),
		SCENE_TEST(a_pmd_with_storage_is_returned_for_a_pte),
		SCENE_TEST(a_pmd_with_storage_is_returned_for_a_pmd),
		SCENE_TEST(a_zero_pmd_is_returned_for_a_pmd),
		SCENE_TEST(an_empty_pmd_is_returned_for_a_pmd),
		SCENE_TEST(a_pud_with_storage_is_returned_for_a_pte),
		SCENE_TEST(a_pud_with_storage_is_returned_for_a_pmd),
		SCENE_TEST(a_locked_entry_is_waited_for),
		SCENE_TEST(a_pmd_over_a_pte_falls_back),
		SCENE_TEST(a_pmd_over_an_empty_pte_falls_back),
		SCENE_TEST(a_pud_over_a_pmd_falls_back),
		SCENE_TEST(a_pud_over_a_pte_falls_back),
		SCENE_TEST(a_pmd_over_the_first_page_of_a_file_falls_back),
		SCENE_TEST(a_pmd_over_a_locked_pte_falls_back_at_once),
		SCENE_TEST(a_pmd_between_its_neighbours_is_made),
		SCENE_TEST(a_pmd_is_made_after_the_last_pte_was_deleted),
		SCENE_TEST(
			a_pud_is_made_after_the_last_smaller_one_was_deleted),
	};

	return cmocka_run_group_tests_name("grab", tests, NULL, NULL);
}

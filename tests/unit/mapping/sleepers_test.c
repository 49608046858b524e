/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whoever sleeps on an entry returns once it is unlocked, whatever the others
 * who sleep there want: every three of eight callers, in every order, on six
 * kinds of entry. Most lost wakes ever found need three threads, and four the
 * rest, of which the holder is one.
 */
#include "scene.h"

#define FOR_EVER UINT64_MAX

static const struct actor callers[] = {
	{.deed = GRAB, .index = BASE + 1},
	{.deed = GRAB, .index = BASE + 2},
	{.deed = GRAB, .index = BASE + 1, .order = DAX_PMD_ORDER},
	{.deed = LOCK_TIMED, .index = BASE + 1, .timeout_ns = FOR_EVER},
	{.deed = GET_PUT, .index = BASE + 1},
	{.deed = LOCK_FOR_PAGE, .index = BASE + 1},
	{.deed = INVALIDATE, .index = BASE + 1},
	{.deed = DELETE_RANGE, .index = BASE + 1},
};

struct start {
	dax_pgoff_t index;
	unsigned int flags;
};

static const struct start starts[] = {
	{BASE + 1, DAX_PTE},
	{BASE + 1, DAX_PTE | DAX_DIRTY},
	{BASE, DAX_PMD},
	{BASE, DAX_PMD | DAX_DIRTY},
	{BASE, DAX_PMD | DAX_ZERO_PAGE},
	{BASE, DAX_PMD | DAX_EMPTY},
};

enum { SLEEPERS = 3, CALLERS = ARRAY_SIZE(callers) };

/* The errors that a caller may meet; anything else is a finding. */
static bool expected(const struct actor *actor)
{
	switch (actor->result) {
	case -ENOENT:
		return actor->deed == LOCK_TIMED;
	case -EEXIST:
		return actor->deed == GRAB && actor->order;
	default:
		return actor->result >= 0;
	}
}

static void play(struct scene *scene, const struct start *start,
	const unsigned int chosen[SLEEPERS])
{
	const dax_entry_t held = scene_hold(scene, start->index, start->flags);
	struct actor actors[SLEEPERS];
	const char *wrong;

	for (unsigned int i = 0; i < SLEEPERS; i++)
		actors[i] = callers[chosen[i]];
	actors_start_settled(scene, actors, SLEEPERS, start->index);
	dax_unlock_entry(scene->m, start->index, held);
	actors_finish(actors, SLEEPERS);
	wrong = scene_wrong(scene);
	if (wrong)
		fail_msg("callers %u, %u, %u: %s", chosen[0], chosen[1],
			chosen[2], wrong);
	for (unsigned int i = 0; i < SLEEPERS; i++)
		assert_true(expected(&actors[i]));
	dax_delete_mapping_range(scene->m, 0, UINT64_MAX);
	assert_int_equal(dax_mapping_nrpages(scene->m), 0);
}

static void play_all(struct scene *scene, const struct start *start)
{
	for (unsigned int i = 0; i < CALLERS * CALLERS * CALLERS; i++) {
		const unsigned int chosen[SLEEPERS] = {
			i % CALLERS,
			i / CALLERS % CALLERS,
			i / CALLERS / CALLERS,
		};

		play(scene, start, chosen);
	}
}

static void all_return_from_a_pte(void **state)
{
	play_all(*state, &starts[0]);
}

static void all_return_from_a_dirty_pte(void **state)
{
	play_all(*state, &starts[1]);
}

static void all_return_from_a_pmd(void **state)
{
	play_all(*state, &starts[2]);
}

static void all_return_from_a_dirty_pmd(void **state)
{
	play_all(*state, &starts[3]);
}

static void all_return_from_a_zero_pmd(void **state)
{
	play_all(*state, &starts[4]);
}

static void all_return_from_an_empty_pmd(void **state)
{
	play_all(*state, &starts[5]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE_TEST(all_return_from_a_pte),
		SCENE_TEST(all_return_from_a_dirty_pte),
		SCENE_TEST(all_return_from_a_pmd),
		SCENE_TEST(all_return_from_a_dirty_pmd),
		SCENE_TEST(all_return_from_a_zero_pmd),
		SCENE_TEST(all_return_from_an_empty_pmd),
	};

	return cmocka_run_group_tests_name("sleepers", tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lock bits leaked, lost, or dropped too soon (2016 - 2021), and the huge
 * entry that nothing stood in the way of, refused all the same (2019).
 */
#include "scene.h"

/*
 * B5 (2016). A downgrade let go of the entry before it owned it:
 *  1. T0 wants a small entry in a large hole and unmaps that.
 *  2. T1 comes meanwhile, to delete the large entry.
 *  3. T0 deleted "the" entry, whatever T1 had made of it.
 */
static struct actor intruder;

static void intruder_comes(struct scene *scene)
{
	dax_entry_t out;

	intruder = (struct actor){.deed = DELETE, .index = BASE + 1};
	actor_start_asleep(scene, &intruder, BASE);
	assert_int_equal(dax_trylock_entry(scene->m, BASE + 2, &out), -EBUSY);
}

static void a_downgrade_owns_the_entry_throughout(void **state)
{
	struct scene *scene = *state;
	dax_entry_t entry;

	scene_fill(scene, BASE, DAX_PMD | DAX_ZERO_PAGE);
	scene->in_unmap = intruder_comes;
	assert_int_equal(
		dax_grab_mapping_entry(scene->m, BASE + 1, 0, &entry), 0);
	/* The intruder waits for what is there now. */
	scene_await_asleep(scene, BASE + 1, 1);
	assert_int_equal(scene_entry(scene, BASE + 1), entry);
	dax_unlock_entry(scene->m, BASE + 1, entry);
	actor_finish(&intruder);
	assert_int_equal(intruder.result, 1);
	assert_int_equal(dax_mapping_nrpages(scene->m), 0);
}

/*
 * B6 (2016). The large hole is locked for the downgrade, there is no memory,
 * and the lock stayed. Who came next hung.
 */
static void a_downgrade_without_memory_leaves_no_lock(void **state)
{
	struct scene *scene = *state;
	const dax_entry_t there =
		scene_fill(scene, BASE, DAX_PMD | DAX_ZERO_PAGE);
	struct actor next = {.deed = LOCK, .index = BASE + 2};
	dax_entry_t out;

	sync_alloc_fail_nth(1);
	assert_int_equal(
		dax_grab_mapping_entry(scene->m, BASE + 1, 0, &out), -ENOMEM);
	assert_int_equal(scene_word(scene, BASE), there);
	actor_start(scene, &next);
	actor_finish(&next);
	assert_int_equal(next.result, 0);
	assert_int_equal(next.entry, there);
}

/* B6, with somebody asleep on the lock that is given back. */
static void one_waits_and_memory_ends(struct scene *scene)
{
	intruder = (struct actor){.deed = LOCK, .index = BASE + 3};
	actor_start_asleep(scene, &intruder, BASE);
	sync_alloc_fail_nth(1);
}

static void a_downgrade_without_memory_wakes_the_next(void **state)
{
	struct scene *scene = *state;
	dax_entry_t out;

	scene_fill(scene, BASE, DAX_PMD | DAX_ZERO_PAGE);
	scene->in_unmap = one_waits_and_memory_ends;
	assert_int_equal(
		dax_grab_mapping_entry(scene->m, BASE + 1, 0, &out), -ENOMEM);
	actor_finish(&intruder);
	assert_int_equal(intruder.result, 0);
	assert_true(dax_is_pmd_entry(intruder.entry));
}

/*
 * B7 (2016), the repair of B6: nothing is there, there is no memory, and
 * "the" lock is given back. In a checked build that aborts.
 */
static void a_grab_without_memory_unlocks_nothing(void **state)
{
	struct scene *scene = *state;
	const dax_entry_t held = scene_hold(scene, BASE + 1, DAX_EMPTY);
	dax_entry_t out;

	sync_alloc_fail_nth(1);
	assert_int_equal(
		dax_grab_mapping_entry(scene->m, 2 * BASE, 0, &out), -ENOMEM);
	assert_int_equal(scene_word(scene, 2 * BASE), 0);
	assert_true(scene_locked(scene, BASE + 1));
	dax_unlock_entry(scene->m, BASE + 1, held);
}

/* B14 (2021). The second try of a failed downgrade counted its pages twice. */
static void a_downgrade_tried_again_is_counted_once(void **state)
{
	struct scene *scene = *state;
	dax_entry_t out;

	scene_fill(scene, BASE, DAX_PMD | DAX_ZERO_PAGE);
	sync_alloc_fail_nth(1);
	assert_int_equal(
		dax_grab_mapping_entry(scene->m, BASE + 1, 0, &out), -ENOMEM);
	assert_int_equal(dax_mapping_nrpages(scene->m), PMD_PAGES);
	scene_fill(scene, BASE + 1, DAX_PTE);
	assert_int_equal(dax_mapping_nrpages(scene->m), 1);
}

/*
 * B8 (2016). T0 stored the real entry without the lock bit; T1 locked it; T0
 * unlocked T1's lock.
 */
static void storage_is_inserted_with_the_lock(void **state)
{
	struct scene *scene = *state;
	dax_entry_t entry = scene_hold(scene, BASE, DAX_EMPTY);
	dax_entry_t out;

	dax_insert_entry(scene->m, BASE, &entry, PFN(BASE), DAX_PTE);
	assert_int_equal(scene_word(scene, BASE), entry | WORD_LOCKED);
	assert_int_equal(dax_trylock_entry(scene->m, BASE, &out), -EBUSY);
	dax_unlock_entry(scene->m, BASE, entry);
}

/*
 * B10 (2018). LP slept with a lock that its own retry takes again. LP holds
 * nothing while it sleeps: others use the queue and the tree.
 */
static void who_sleeps_for_a_page_holds_nothing(void **state)
{
	struct scene *scene = *state;
	const dax_entry_t held = scene_hold(scene, BASE, DAX_PTE);
	struct actor page = {.deed = LOCK_FOR_PAGE, .index = BASE};
	struct actor other = {.deed = DELETE, .index = BASE};

	actor_start_asleep(scene, &page, BASE);
	scene_fill(scene, 2 * BASE, DAX_PMD | DAX_DIRTY);
	actor_start_asleep(scene, &other, BASE);
	dax_unlock_entry(scene->m, BASE, held);
	actor_finish(&page);
	actor_finish(&other);
	assert_int_equal(other.result, 1);
}

/*
 * D1 (2019), the third bug of one repair: "nothing there" has order 0, which
 * looked smaller than what was asked for. No huge entry was ever made again,
 * and only a throughput told.
 */
static void a_huge_entry_is_made_where_nothing_is(void **state)
{
	static const dax_pgoff_t indices[] = {0, 1, BASE, BASE + 1,
		PUD_PAGES - 1, (dax_pgoff_t)1 << 40, UINT64_MAX};
	struct scene *scene = *state;

	for (size_t i = 0; i < ARRAY_SIZE(indices); i++) {
		struct actor huge = {.deed = GRAB,
			.index = indices[i],
			.order = DAX_PMD_ORDER};

		actor_start(scene, &huge);
		actor_finish(&huge);
		assert_int_equal(huge.result, 0);
		assert_true(dax_is_pmd_entry(huge.entry));
	}
	assert_int_equal(dax_mapping_nrpages(scene->m), 5 * PMD_PAGES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE_TEST(a_downgrade_owns_the_entry_throughout),
		SCENE_TEST(a_downgrade_without_memory_leaves_no_lock),
		SCENE_TEST(a_downgrade_without_memory_wakes_the_next),
		SCENE_TEST(a_grab_without_memory_unlocks_nothing),
		SCENE_TEST(a_downgrade_tried_again_is_counted_once),
		SCENE_TEST(storage_is_inserted_with_the_lock),
		SCENE_TEST(who_sleeps_for_a_page_holds_nothing),
		SCENE_TEST(a_huge_entry_is_made_where_nothing_is),
	};

	return cmocka_run_group_tests_name("museum_lock", tests, NULL, NULL);
}

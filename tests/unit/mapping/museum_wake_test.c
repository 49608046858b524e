/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lost wakes that the kernel had or nearly had (2016 - 2021): removing,
 * replacing and splitting an entry, and declining one, must leave nobody
 * asleep. Each story names its room and number in the museum of these bugs.
 */
#include "scene.h"

/*
 * A1, A2 (2016, 2017). A placeholder is replaced while two sleep on it:
 *  1. T0 locks the placeholder.
 *  2. T1 and T2 fall asleep on it.
 *  3. T0 replaces it by a hole page; that woke nobody, later one.
 *  4. T0 unlocks; T2 slept for ever.
 */
static void a_replaced_placeholder_leaves_nobody_asleep(void **state)
{
	struct scene *scene = *state;
	dax_entry_t entry = scene_hold(scene, BASE, DAX_EMPTY);
	struct actor actors[] = {
		{.deed = GRAB, .index = BASE},
		{.deed = GRAB, .index = BASE},
	};

	for (size_t i = 0; i < ARRAY_SIZE(actors); i++)
		actor_start_asleep(scene, &actors[i], BASE);
	dax_insert_entry(scene->m, BASE, &entry, 0, DAX_ZERO_PAGE);
	dax_unlock_entry(scene->m, BASE, entry);
	actors_finish(actors, ARRAY_SIZE(actors));
	assert_int_equal(actors[0].entry, entry);
	assert_int_equal(actors[1].entry, entry);
}

/*
 * A3 (2016). T1 holds a large hole entry and wants a small one in it:
 *  1. T1 locks the large entry and unmaps it.
 *  2. T2 and T3 fall asleep on it, for other indices.
 *  3. T1 splits it; that woke T2 only.
 *  4. T2's index is free: it makes an entry of its own, and its unlock wakes
 *     those who sleep on that one. T3 slept for ever.
 */
static struct actor faults[3];

static void all_faults_fall_asleep(struct scene *scene)
{
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
		if (faults[i].index)
			actor_start_asleep(scene, &faults[i], BASE);
}

static void assert_downgrade_wakes_all(
	struct scene *scene, dax_pgoff_t wanted, const dax_pgoff_t indices[3])
{
	dax_entry_t entry;

	scene_fill(scene, BASE, DAX_PMD | DAX_ZERO_PAGE);
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
		faults[i] = (struct actor){.deed = GRAB, .index = indices[i]};
	scene->in_unmap = all_faults_fall_asleep;
	assert_int_equal(
		dax_grab_mapping_entry(scene->m, wanted, 0, &entry), 0);
	dax_unlock_entry(scene->m, wanted, entry);
	for (size_t i = 0; i < ARRAY_SIZE(faults); i++)
		if (faults[i].index) {
			actor_finish(&faults[i]);
			assert_int_equal(faults[i].result, 0);
			assert_int_equal(dax_entry_order(faults[i].entry), 0);
		}
	assert_null(scene_wrong(scene));
	dax_delete_mapping_range(scene->m, 0, UINT64_MAX);
}

static void a_downgrade_wakes_all(void **state)
{
	static const dax_pgoff_t others[] = {BASE + 2, BASE + 3, 0};
	static const dax_pgoff_t same_and_other[] = {BASE + 1, BASE + 2, 0};
	static const dax_pgoff_t first[] = {BASE, BASE + 1, BASE + 2};

	assert_downgrade_wakes_all(*state, BASE + 1, others);
	assert_downgrade_wakes_all(*state, BASE + 1, same_and_other);
	assert_downgrade_wakes_all(*state, BASE, first);
}

/* The same, where a sleeper does the downgrade. */
static void a_sleepers_downgrade_wakes_the_others(void **state)
{
	struct scene *scene = *state;
	const dax_entry_t held = scene_hold(scene, BASE, DAX_PMD | DAX_EMPTY);
	struct actor actors[] = {
		{.deed = GRAB, .index = BASE + 1},
		{.deed = GRAB, .index = BASE + 2},
		{.deed = GRAB, .index = BASE + 3},
	};

	for (size_t i = 0; i < ARRAY_SIZE(actors); i++)
		actor_start_asleep(scene, &actors[i], BASE);
	dax_unlock_entry(scene->m, BASE, held);
	actors_finish(actors, ARRAY_SIZE(actors));
	assert_int_equal(dax_mapping_nrpages(scene->m), ARRAY_SIZE(actors));
}

/*
 * A4 (2016). A huge fault slept for its turn, then declined a small entry:
 *  1. T0 holds a large hole entry, and wants a small one in it.
 *  2. T2 falls asleep for a huge one, then T1 for a small one.
 *  3. T0 downgrades. T2 finds small entries in its way and falls back; T1
 *     must get its own.
 */
static void a_huge_fault_that_falls_back_takes_no_wake_along(void **state)
{
	struct scene *scene = *state;
	dax_entry_t entry;

	scene_fill(scene, BASE, DAX_PMD | DAX_ZERO_PAGE);
	faults[0] = (struct actor){
		.deed = GRAB, .index = BASE, .order = DAX_PMD_ORDER};
	faults[1] = (struct actor){.deed = GRAB, .index = BASE + 1};
	faults[2] = (struct actor){.deed = GRAB, .index = BASE + 1};
	scene->in_unmap = all_faults_fall_asleep;
	assert_int_equal(
		dax_grab_mapping_entry(scene->m, BASE + 1, 0, &entry), 0);
	actor_await_return(&faults[0]);
	assert_int_equal(faults[0].result, -EEXIST);
	dax_unlock_entry(scene->m, BASE + 1, entry);
	actors_finish(faults, ARRAY_SIZE(faults));
	assert_int_equal(faults[1].result, 0);
	assert_int_equal(faults[2].result, 0);
}

/*
 * A5 (2018), A8 (2019). A sleeper that declines is chosen first:
 *  1. T0 holds the entry.
 *  2. T1, who will decline, falls asleep, then T2 and T3.
 *  3. T0 unlocks: T1 is woken, declines, and told nobody.
 *  4. T2 and T3 slept for ever.
 */
static void assert_decline_passes_on(struct scene *scene, struct actor decliner)
{
	const dax_entry_t held = scene_hold(scene, BASE, DAX_DIRTY);
	struct actor actors[] = {
		decliner,
		{.deed = GRAB, .index = BASE},
		{.deed = LOCK, .index = BASE},
	};

	for (size_t i = 0; i < ARRAY_SIZE(actors); i++)
		actor_start_asleep(scene, &actors[i], BASE);
	dax_unlock_entry(scene->m, BASE, held);
	actors_finish(actors, ARRAY_SIZE(actors));
	assert_int_equal(actors[1].result, 0);
	assert_int_equal(actors[2].result, 0);
}

static void who_looks_and_declines_passes_the_wake_on(void **state)
{
	assert_decline_passes_on(
		*state, (struct actor){.deed = GET_PUT, .index = BASE});
}

static void who_may_not_invalidate_passes_the_wake_on(void **state)
{
	assert_decline_passes_on(
		*state, (struct actor){.deed = INVALIDATE, .index = BASE});
}

/*
 * A6 (2018). Who locks for a page is no owner, and not sure to become one:
 *  1. T0 holds the entry.
 *  2. LP falls asleep, then T1, then I who invalidates.
 *  3. T0 unlocks. If LP slept exclusively, it is woken alone; the entry may
 *     be gone before it looks, and T1 slept for ever.
 */
static unsigned int asleep_without_a_place(struct scene *scene)
{
	const struct dax_wait_key key = {scene->m, BASE};
	struct dax_waitq *queue = dax_waitq_lock(scene->waitqs, &key);
	const unsigned int count = count_key(queue->shared.first, &key);

	dax_waitq_unlock(queue);
	return count;
}

static void who_locks_for_a_page_takes_nobodys_turn(void **state)
{
	struct scene *scene = *state;
	const dax_entry_t held = scene_hold(scene, BASE, DAX_PTE);
	struct actor actors[] = {
		{.deed = LOCK_FOR_PAGE, .index = BASE},
		{.deed = LOCK, .index = BASE},
		{.deed = INVALIDATE, .index = BASE},
	};

	for (size_t i = 0; i < ARRAY_SIZE(actors); i++)
		actor_start_asleep(scene, &actors[i], BASE);
	assert_int_equal(asleep_without_a_place(scene), 1);
	dax_unlock_entry(scene->m, BASE, held);
	actors_finish(actors, ARRAY_SIZE(actors));
	assert_int_equal(actors[2].result, 1);
}

static void who_locks_for_a_page_that_is_gone_loses_no_wake(void **state)
{
	struct scene *scene = *state;
	const dax_entry_t held = scene_hold(scene, BASE, DAX_PTE);
	struct actor actors[] = {
		{.deed = INVALIDATE, .index = BASE},
		{.deed = LOCK_FOR_PAGE, .index = BASE},
		{.deed = LOCK, .index = BASE},
		{.deed = LOCK_FOR_PAGE, .index = BASE},
	};

	for (size_t i = 0; i < ARRAY_SIZE(actors); i++)
		actor_start_asleep(scene, &actors[i], BASE);
	dax_unlock_entry(scene->m, BASE, held);
	actors_finish(actors, ARRAY_SIZE(actors));
	assert_int_equal(actors[0].result, 1);
	/* As LP is first, or the one who invalidates. */
	assert_true(!actors[2].result || actors[2].result == -ENOENT);
}

/*
 * A9 (2021). Invalidation woke one:
 *  1. T0 holds the entry.
 *  2. A and B, who invalidate, fall asleep, then C, who faults.
 *  3. T0 unlocks: A removes the entry and wakes B.
 *  4. B finds nothing, so it knows no key to pass the wake on to. C slept for
 *     ever.
 */
static void assert_removal_wakes_all(struct scene *scene, enum deed deed)
{
	const dax_entry_t held = scene_hold(scene, BASE, DAX_PMD);
	struct actor actors[] = {
		{.deed = deed, .index = BASE + 1},
		{.deed = deed, .index = BASE + 2},
		{.deed = LOCK, .index = BASE + 3},
		{.deed = GRAB, .index = BASE + 3},
	};

	for (size_t i = 0; i < ARRAY_SIZE(actors); i++)
		actor_start_asleep(scene, &actors[i], BASE);
	dax_unlock_entry(scene->m, BASE, held);
	actors_finish(actors, ARRAY_SIZE(actors));
	assert_int_equal(actors[0].result, 1);
	assert_int_equal(actors[3].result, 0);
	dax_delete_mapping_range(scene->m, 0, UINT64_MAX);
}

static void removal_wakes_all(void **state)
{
	assert_removal_wakes_all(*state, INVALIDATE);
	assert_removal_wakes_all(*state, DELETE);
	assert_removal_wakes_all(*state, DELETE_RANGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE_TEST(a_replaced_placeholder_leaves_nobody_asleep),
		SCENE_TEST(a_downgrade_wakes_all),
		SCENE_TEST(a_sleepers_downgrade_wakes_the_others),
		SCENE_TEST(a_huge_fault_that_falls_back_takes_no_wake_along),
		SCENE_TEST(who_looks_and_declines_passes_the_wake_on),
		SCENE_TEST(who_may_not_invalidate_passes_the_wake_on),
		SCENE_TEST(who_locks_for_a_page_takes_nobodys_turn),
		SCENE_TEST(who_locks_for_a_page_that_is_gone_loses_no_wake),
		SCENE_TEST(removal_wakes_all),
	};

	return cmocka_run_group_tests_name("museum_wake", tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Scans that went round in circles (2018, 2019), started in the middle of an
 * entry (2019), or stepped over what they had waited for (2025, twice).
 */
#include "scene.h"

/* Calls of a scan before this file takes it for endless. */
#define ENDLESS 100

/*
 * E1, E2. A large entry is found again at each index inside it: a scan that
 * cannot remove it must step over it as a whole.
 */
static void a_scan_steps_over_a_large_entry_as_a_whole(void **state)
{
	struct scene *scene = *state;
	unsigned int seen = 0;
	struct dax_xas xas;
	uint64_t word;

	scene_fill(scene, BASE, DAX_PMD | DAX_DIRTY);
	scene_fill(scene, 2 * BASE, DAX_PTE);
	dax_xas_init(&xas, dax_mapping_tree(scene->m), BASE + 1, UINT64_MAX);
	dax_xas_for_each (&xas, word) {
		assert_true(++seen < ENDLESS);
		assert_int_equal(
			dax_invalidate_mapping_entry_sync(scene->m, xas.index),
			!dax_is_pmd_entry(word));
	}
	assert_int_equal(seen, 2);
}

/* E3. A search from the middle of an entry knows where the entry starts. */
static void a_search_from_inside_an_entry_finds_its_start(void **state)
{
	struct scene *scene = *state;
	struct dax_xas xas;
	uint64_t word;

	scene_fill(scene, BASE, DAX_PMD | DAX_DIRTY);
	dax_xas_init(&xas, dax_mapping_tree(scene->m), BASE + 2, UINT64_MAX);
	word = dax_xas_next_marked(&xas, DAX_MARK_DIRTY);
	assert_int_equal(xas.index, BASE + 2);
	assert_int_equal(dax_entry_start(word, xas.index), BASE);
	assert_int_equal(dax_to_pfn(word), PFN(BASE));
	assert_int_equal(dax_xas_next_marked(&xas, DAX_MARK_DIRTY), 0);
}

/* Deletes BASE to BASE + 3; sleeps on the way. */
static struct scan {
	struct scene *scene;
	pthread_t thread;
	uint64_t dropped;
} scan;

static void *scan_main(void *unused)
{
	(void)unused;
	scan.dropped = dax_delete_mapping_range(scan.scene->m, BASE, BASE + 3);
	return NULL;
}

static void scan_start_asleep(struct scene *scene, dax_pgoff_t start)
{
	const unsigned int before = scene_asleep(scene, start);

	scan = (struct scan){.scene = scene};
	assert_int_equal(
		pthread_create(&scan.thread, NULL, scan_main, NULL), 0);
	scene_await_asleep(scene, start, before + 1);
}

/*
 * E4, E5 (2025).
 *  1. T0 holds the entry at 0; another stands at 1.
 *  2. The scan stands on 0 and has to wait; waiting stepped to 1, and so did
 *     the repair.
 *  3. T0 unlocks: the scan goes on at 1, or after it; 0 is never looked at.
 */
static void a_scan_looks_at_what_it_waited_for(void **state)
{
	struct scene *scene = *state;
	const dax_entry_t held = scene_hold(scene, BASE, DAX_PTE);

	scene_fill(scene, BASE + 1, DAX_PTE);
	scene_fill(scene, BASE + 3, DAX_PTE);
	scan_start_asleep(scene, BASE);
	dax_unlock_entry(scene->m, BASE, held);
	assert_int_equal(pthread_join(scan.thread, NULL), 0);
	assert_int_equal(scan.dropped, 3);
	assert_int_equal(dax_mapping_nrpages(scene->m), 0);
}

static void a_scan_goes_on_when_what_it_waited_for_is_gone(void **state)
{
	struct scene *scene = *state;
	const dax_entry_t held = scene_hold(scene, BASE, DAX_PTE);
	struct actor rival = {.deed = DELETE, .index = BASE};

	scene_fill(scene, BASE + 1, DAX_PTE);
	scene_fill(scene, BASE + 3, DAX_PTE);
	actor_start_asleep(scene, &rival, BASE);
	scan_start_asleep(scene, BASE);
	dax_unlock_entry(scene->m, BASE, held);
	actor_finish(&rival);
	assert_int_equal(pthread_join(scan.thread, NULL), 0);
	assert_int_equal(rival.result, 1);
	assert_int_equal(scan.dropped, 2);
}

/*
 * E4 again, where the entry waited for is split:
 *  1. T0 holds a large hole entry, and wants a small one in it.
 *  2. The scan has to wait for the large entry.
 *  3. T0 downgrades. Nothing is at the scan's index now; T0's small entry is
 *     further on in the range that the large one covered.
 *  4. The scan looks at that range again, waits for T0's entry, and drops it.
 */
static void scan_falls_asleep(struct scene *scene)
{
	scan_start_asleep(scene, BASE);
}

static void assert_scan_drops_what_a_split_left(
	struct scene *scene, dax_pgoff_t index)
{
	dax_entry_t entry;

	scene_fill(scene, BASE, DAX_PMD | DAX_ZERO_PAGE);
	scene->in_unmap = scan_falls_asleep;
	assert_int_equal(dax_grab_mapping_entry(scene->m, index, 0, &entry), 0);
	scene->in_unmap = NULL;
	dax_insert_entry(scene->m, index, &entry, PFN(index), DAX_DIRTY);
	dax_unlock_entry(scene->m, index, entry);
	assert_int_equal(pthread_join(scan.thread, NULL), 0);
	assert_int_equal(scan.dropped, 1);
	assert_int_equal(dax_mapping_nrpages(scene->m), 0);
}

static void a_scan_looks_at_what_a_split_left(void **state)
{
	assert_scan_drops_what_a_split_left(*state, BASE + 2);
	assert_scan_drops_what_a_split_left(*state, BASE + 3);
	assert_scan_drops_what_a_split_left(*state, BASE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE_TEST(a_scan_steps_over_a_large_entry_as_a_whole),
		SCENE_TEST(a_search_from_inside_an_entry_finds_its_start),
		SCENE_TEST(a_scan_looks_at_what_it_waited_for),
		SCENE_TEST(a_scan_goes_on_when_what_it_waited_for_is_gone),
		SCENE_TEST(a_scan_looks_at_what_a_split_left),
	};

	return cmocka_run_group_tests_name("museum_scan", tests, NULL, NULL);
}

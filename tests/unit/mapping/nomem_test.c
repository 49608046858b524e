/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Each allocation of a call fails in turn: the call says -ENOMEM, nothing has
 * changed, nothing is locked or lost, and who slept meanwhile is served.
 */
#include "scene.h"

/* ---- making a mapping ---- */

static void a_mapping_that_cannot_be_made_leaves_nothing(void **state)
{
	uint64_t live;
	struct dax_mapping *m;
	uint64_t n = 1;
	int error;

	(void)state;
	/* The shared table of queues is made at the first call, and stays. */
	for (;; n++) {
		live = sync_alloc_live();
		m = (struct dax_mapping *)&live;
		sync_alloc_fail_nth(n);
		error = dax_mapping_new(NULL, &m);
		sync_alloc_fail_nth(0);
		if (!error)
			break;
		assert_int_equal(error, -ENOMEM);
		assert_null(m);
		assert_in_range(sync_alloc_live(), live, live + 1);
	}
	assert_in_range(n, 2, 3);
	assert_null(dax_mapping_verify(m));
	dax_mapping_delete(&m);
}

/* ---- grabbing ---- */

/* What is in a mapping, to be compared. */
struct content {
	uint64_t nr_pages;
	uint64_t in_nodes; /* blocks in the tree */
	unsigned int nr_entries;
	uint64_t sum; /* of indices and words */
};

static struct content content_of(struct scene *scene)
{
	struct content content = {
		.nr_pages = dax_mapping_nrpages(scene->m),
		.in_nodes = dax_tree_nr_nodes(dax_mapping_tree(scene->m)),
	};
	struct dax_xas xas;
	uint64_t word;

	dax_xas_init(&xas, dax_mapping_tree(scene->m), 0, UINT64_MAX);
	dax_xas_for_each (&xas, word) {
		content.nr_entries++;
		content.sum = content.sum * 31 + xas.index;
		content.sum = content.sum * 31 + word;
	}
	return content;
}

static void assert_unchanged(
	struct scene *scene, const struct content *before, uint64_t live)
{
	const struct content now = content_of(scene);

	assert_null(scene_wrong(scene));
	assert_int_equal(now.nr_pages, before->nr_pages);
	assert_int_equal(now.nr_entries, before->nr_entries);
	assert_int_equal(now.sum, before->sum);
	/* The tree may have grown taller on the way; nothing else may stay. */
	assert_int_equal(
		sync_alloc_live() - live, now.in_nodes - before->in_nodes);
}

/* Returns how many allocations failed before one grab went well. */
static uint64_t fail_grabs(
	struct scene *scene, dax_pgoff_t index, unsigned int order)
{
	const struct content before = content_of(scene);
	dax_entry_t entry;
	uint64_t live;
	uint64_t n = 1;
	int error;

	/* What earlier deletions freed is still on its way. */
	sync_rcu_barrier();
	live = sync_alloc_live();
	for (;; n++) {
		entry = 42;
		sync_alloc_fail_nth(n);
		error = dax_grab_mapping_entry(scene->m, index, order, &entry);
		sync_alloc_fail_nth(0);
		if (!error)
			break;
		assert_int_equal(error, -ENOMEM);
		assert_int_equal(entry, 42);
		assert_unchanged(scene, &before, live);
	}
	assert_int_equal(dax_entry_order(entry), order);
	dax_unlock_entry(scene->m, index, entry);
	assert_null(scene_wrong(scene));
	return n - 1;
}

static void a_grab_in_an_empty_mapping(void **state)
{
	static const dax_pgoff_t indices[] = {
		0, BASE + 1, PUD_PAGES, (dax_pgoff_t)1 << 40, UINT64_MAX};
	struct scene *scene = *state;

	for (size_t i = 0; i < ARRAY_SIZE(indices); i++)
		for (unsigned int order = 0; order <= DAX_PUD_ORDER;
			order += DAX_PMD_ORDER) {
			assert_true(fail_grabs(scene, indices[i], order) > 0);
			assert_int_equal(
				dax_delete_mapping_entry(scene->m, indices[i]),
				1);
		}
}

static void a_grab_far_from_all_others(void **state)
{
	static const unsigned int sizes[] = {DAX_PTE, DAX_PMD, DAX_PUD};
	struct scene *scene = *state;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		for (unsigned int order = 0; order <= DAX_PUD_ORDER;
			order += DAX_PMD_ORDER) {
			scene_fill(scene, 1, sizes[i] | DAX_DIRTY);
			assert_true(fail_grabs(scene, UINT64_MAX, order) > 0);
			/* Now the tree is tall. */
			fail_grabs(scene, UINT64_MAX / 2, order);
			assert_int_equal(dax_delete_mapping_range(
						 scene->m, 0, UINT64_MAX),
				3);
		}
}

static void a_grab_beside_another_needs_no_memory(void **state)
{
	struct scene *scene = *state;

	scene_fill(scene, BASE + 1, DAX_PTE);
	assert_int_equal(fail_grabs(scene, BASE + 2, 0), 0);
}

/* ---- downgrading ---- */

static void assert_downgrade_fails_cleanly(
	struct scene *scene, unsigned int from, unsigned int order)
{
	const unsigned int levels = (order_of(from) - order) / DAX_PMD_ORDER;

	scene_fill(scene, PUD_PAGES, from);
	assert_int_equal(fail_grabs(scene, PUD_PAGES + 2, order), levels);
	assert_int_equal(dax_mapping_nrpages(scene->m), (uint64_t)1 << order);
	assert_int_equal(dax_delete_mapping_range(scene->m, 0, UINT64_MAX), 1);
}

static void a_downgrade(void **state)
{
	static const unsigned int kinds[] = {
		DAX_ZERO_PAGE, DAX_EMPTY, DAX_ZERO_PAGE | DAX_DIRTY};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		assert_downgrade_fails_cleanly(*state, DAX_PMD | kinds[i], 0);
		assert_downgrade_fails_cleanly(*state, DAX_PUD | kinds[i], 0);
		assert_downgrade_fails_cleanly(
			*state, DAX_PUD | kinds[i], DAX_PMD_ORDER);
	}
}

/* ---- who slept meanwhile ---- */

static struct actor sleepers[2];
static uint64_t failing;

static void two_fall_asleep_and_memory_ends(struct scene *scene)
{
	for (size_t i = 0; i < ARRAY_SIZE(sleepers); i++) {
		sleepers[i] = (struct actor){
			.deed = LOCK, .index = PUD_PAGES + 1 + i};
		actor_start_asleep(scene, &sleepers[i], PUD_PAGES);
	}
	sync_alloc_fail_nth(failing);
}

static void sleepers_on_a_failed_downgrade_get_the_large_entry(void **state)
{
	struct scene *scene = *state;
	dax_entry_t there, out;

	there = scene_fill(scene, PUD_PAGES, DAX_PUD | DAX_ZERO_PAGE);
	scene->in_unmap = two_fall_asleep_and_memory_ends;
	/* Two nodes down to a PTE. */
	for (failing = 1; failing <= 2; failing++) {
		assert_int_equal(dax_grab_mapping_entry(
					 scene->m, PUD_PAGES + 3, 0, &out),
			-ENOMEM);
		actors_finish(sleepers, ARRAY_SIZE(sleepers));
		for (size_t i = 0; i < ARRAY_SIZE(sleepers); i++) {
			assert_int_equal(sleepers[i].result, 0);
			assert_int_equal(sleepers[i].entry, there);
		}
		assert_null(scene_wrong(scene));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mapping_that_cannot_be_made_leaves_nothing),
		SCENE_TEST(a_grab_in_an_empty_mapping),
		SCENE_TEST(a_grab_far_from_all_others),
		SCENE_TEST(a_grab_beside_another_needs_no_memory),
		SCENE_TEST(a_downgrade),
		SCENE_TEST(sleepers_on_a_failed_downgrade_get_the_large_entry),
	};

	return cmocka_run_group_tests_name("nomem", tests, NULL, NULL);
}

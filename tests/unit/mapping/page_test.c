/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Claim: an entry with storage owns its page while it stands in the tree, and
 * holds it until it is zapped; whoever has the page finds the entry.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mapping/mapping.h"
#include "pgmap/pgmap.h"
#include "support/crew.h"

#define PMD_PAGES ((uint64_t)1 << DAX_PMD_ORDER)
#define FIRST	  (4 * PMD_PAGES)
#define INDEX	  (2 * PMD_PAGES)

struct story {
	struct dax_pgmap *pgmap;
	struct dax_mapping *m;
	uint64_t live;
};

static int setup(void **state)
{
	static struct story story;
	const struct dax_pgmap_params params = {
		.first = FIRST, .nr = 4 * PMD_PAGES};

	sync_rcu_barrier();
	story = (struct story){.live = sync_alloc_live()};
	*state = &story;
	if (dax_pgmap_new(&params, &story.pgmap))
		return -1;
	return dax_mapping_new(
		&(struct dax_mapping_params){.pgmap = story.pgmap}, &story.m);
}

/* Aborts if a page is live, or owned. */
static int teardown(void **state)
{
	struct story *story = *state;

	if (story->m && dax_mapping_verify(story->m))
		return -1;
	dax_mapping_delete(&story->m);
	for (uint64_t pfn = FIRST; pfn < FIRST + 4 * PMD_PAGES; pfn++)
		assert_int_equal(page_head(story->pgmap, pfn).state, 0);
	dax_pgmap_delete(&story->pgmap);
	sync_rcu_barrier();
	return 0;
}

#define STORY_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static int insert(struct story *story, dax_pgoff_t index, uint64_t pfn,
	unsigned int flags)
{
	dax_entry_t entry;
	int error;

	assert_int_equal(dax_grab_mapping_entry(story->m, index,
				 flags & DAX_PMD ? DAX_PMD_ORDER : 0, &entry),
		0);
	error = dax_insert_entry(story->m, index, &entry, pfn, flags);
	dax_unlock_entry(story->m, index, entry);
	return error;
}

static dax_entry_t entry_at(const struct story *story, dax_pgoff_t index)
{
	return dax_entry_from_word(
		dax_tree_load(dax_mapping_tree(story->m), index));
}

static void an_entry_holds_its_page_until_it_is_zapped(void **state)
{
	struct story *story = *state;
	uint64_t busy;

	assert_int_equal(insert(story, INDEX, FIRST, 0), 0);
	assert_int_equal(dax_page_count(story->pgmap, FIRST), 1);
	assert_int_equal(
		dax_zap_mappings_range(story->m, 0, UINT64_MAX, &busy), 0);
	assert_true(dax_is_zapped_entry(entry_at(story, INDEX)));
	assert_true(dax_page_is_idle(story->pgmap, FIRST));
	assert_false(dax_page_try_get(story->pgmap, FIRST));
}

static void zapping_again_drops_nothing(void **state)
{
	struct story *story = *state;
	uint64_t busy = 0;

	assert_int_equal(insert(story, INDEX, FIRST, DAX_PMD), 0);
	assert_true(dax_page_try_get(story->pgmap, FIRST + 1));
	for (int i = 0; i < 2; i++)
		assert_int_equal(dax_zap_mappings_range(
					 story->m, INDEX + 2, INDEX + 2, &busy),
			-EBUSY);
	assert_int_equal(busy, FIRST);
	assert_int_equal(dax_page_count(story->pgmap, FIRST), 1);
	dax_page_put(story->pgmap, FIRST + 1);
}

static void a_fault_on_a_zapped_entry_holds_its_page_again(void **state)
{
	struct story *story = *state;
	uint64_t busy;

	assert_int_equal(insert(story, INDEX, FIRST, 0), 0);
	assert_int_equal(
		dax_zap_mappings_range(story->m, INDEX, INDEX, &busy), 0);
	assert_int_equal(insert(story, INDEX, FIRST, DAX_DIRTY), 0);
	assert_false(dax_is_zapped_entry(entry_at(story, INDEX)));
	assert_int_equal(dax_page_count(story->pgmap, FIRST), 1);
}

static void a_pinned_entry_is_not_dropped(void **state)
{
	struct story *story = *state;

	assert_int_equal(insert(story, INDEX, FIRST, 0), 0);
	assert_true(dax_page_try_get(story->pgmap, FIRST));
	assert_int_equal(dax_delete_mapping_entry(story->m, INDEX), 0);
	assert_true(dax_is_zapped_entry(entry_at(story, INDEX)));
	assert_false(dax_is_locked_entry(
		dax_tree_load(dax_mapping_tree(story->m), INDEX)));
	dax_page_put(story->pgmap, FIRST);
	assert_int_equal(dax_delete_mapping_entry(story->m, INDEX), 1);
}

static void storage_that_moved_is_left_to_the_others(void **state)
{
	struct story *story = *state;

	assert_int_equal(insert(story, INDEX, FIRST, DAX_SHARED), 0);
	assert_true(dax_page_try_get(story->pgmap, FIRST));
	assert_int_equal(insert(story, INDEX, FIRST + 1, DAX_COW), 0);
	assert_int_equal(dax_page_count(story->pgmap, FIRST), 1);
	assert_int_equal(dax_page_count(story->pgmap, FIRST + 1), 1);
	/* Somebody who shares it maps it while it is still pinned. */
	assert_int_equal(insert(story, INDEX + 1, FIRST, DAX_SHARED), 0);
	assert_int_equal(dax_page_count(story->pgmap, FIRST), 2);
	dax_page_put(story->pgmap, FIRST);
}

static void a_dying_device_gives_no_page(void **state)
{
	struct story *story = *state;

	dax_pgmap_kill(story->pgmap);
	assert_int_equal(insert(story, INDEX, FIRST, 0), -EIO);
	assert_true(dax_is_empty_entry(entry_at(story, INDEX)));
}

static void an_index_that_pages_do_not_know_is_refused(void **state)
{
	struct story *story = *state;

	assert_int_equal(
		insert(story, (uint64_t)1 << DAX_PGMAP_INDEX_BITS, FIRST, 0),
		-EFBIG);
}

static void a_page_finds_its_entry(void **state)
{
	struct story *story = *state;
	struct dax_page_lock lock;

	assert_int_equal(
		dax_lock_page(story->pgmap, FIRST + 1, &lock), -ENOENT);
	assert_int_equal(insert(story, INDEX, FIRST, DAX_PMD), 0);
	assert_int_equal(dax_lock_page(story->pgmap, FIRST + 1, &lock), 0);
	assert_ptr_equal(lock.m, story->m);
	assert_int_equal(lock.index, INDEX + 1);
	assert_true(dax_is_locked_entry(
		dax_tree_load(dax_mapping_tree(story->m), INDEX)));
	dax_unlock_page(&lock);
}

static void a_page_of_several_entries_names_none(void **state)
{
	struct story *story = *state;
	struct dax_page_lock lock;

	assert_int_equal(insert(story, INDEX, FIRST, DAX_SHARED), 0);
	assert_int_equal(insert(story, INDEX + 1, FIRST, DAX_SHARED), 0);
	assert_int_equal(dax_lock_page(story->pgmap, FIRST, &lock), -EMLINK);
	assert_int_equal(dax_delete_mapping_entry(story->m, INDEX), 1);
	assert_int_equal(dax_lock_page(story->pgmap, FIRST, &lock), 0);
	assert_int_equal(lock.index, INDEX + 1);
	dax_unlock_page(&lock);
}

/* ---- storage that is shared ---- */

static enum dax_page_owned owned_at(
	const struct story *story, uint64_t pfn, dax_pgoff_t *index)
{
	struct dax_page_owner owner = {0};
	const enum dax_page_owned owned =
		dax_page_owner(story->pgmap, pfn, &owner);

	*index = owner.index;
	return owned;
}

static void each_page_of_shared_storage_counts_by_itself(void **state)
{
	struct story *story = *state;
	dax_pgoff_t index;

	assert_int_equal(insert(story, INDEX, FIRST, DAX_PMD | DAX_SHARED), 0);
	assert_int_equal(insert(story, 0, FIRST + 1, DAX_SHARED), 0);
	assert_int_equal(dax_page_count(story->pgmap, FIRST), 1);
	assert_int_equal(dax_page_count(story->pgmap, FIRST + 1), 2);
	assert_int_equal(owned_at(story, FIRST, &index), DAX_PAGE_OWNED);
	assert_int_equal(index, INDEX);
	assert_int_equal(owned_at(story, FIRST + 1, &index), DAX_PAGE_OWNERS);
	/* It is the other's alone, and what was beside it is free. */
	assert_int_equal(dax_delete_mapping_entry(story->m, INDEX), 1);
	assert_int_equal(owned_at(story, FIRST + 1, &index), DAX_PAGE_OWNED);
	assert_int_equal(index, 0);
	assert_int_equal(insert(story, 1, FIRST + 2, 0), 0);
}

static void two_large_entries_share_each_page(void **state)
{
	struct story *story = *state;
	dax_pgoff_t index;

	assert_int_equal(insert(story, 0, FIRST, DAX_PMD | DAX_SHARED), 0);
	assert_int_equal(insert(story, INDEX, FIRST, DAX_PMD | DAX_SHARED), 0);
	for (uint64_t i = 0; i < PMD_PAGES; i++)
		assert_int_equal(
			owned_at(story, FIRST + i, &index), DAX_PAGE_OWNERS);
	assert_int_equal(dax_delete_mapping_entry(story->m, 0), 1);
	for (uint64_t i = 0; i < PMD_PAGES; i++) {
		assert_int_equal(
			owned_at(story, FIRST + i, &index), DAX_PAGE_OWNED);
		assert_int_equal(index, INDEX + i);
	}
}

static void a_page_of_a_large_shared_entry_is_pinned_by_itself(void **state)
{
	struct story *story = *state;
	uint64_t busy = 0;

	assert_int_equal(insert(story, INDEX, FIRST, DAX_PMD | DAX_SHARED), 0);
	assert_true(dax_page_try_get(story->pgmap, FIRST + 1));
	assert_int_equal(
		dax_zap_mappings_range(story->m, INDEX, INDEX, &busy), -EBUSY);
	assert_int_equal(busy, FIRST + 1);
	assert_true(dax_page_is_idle(story->pgmap, FIRST));
	assert_int_equal(dax_delete_mapping_entry(story->m, INDEX), 0);
	assert_int_equal(insert(story, INDEX, FIRST, DAX_PMD | DAX_SHARED), 0);
	assert_int_equal(dax_page_count(story->pgmap, FIRST), 1);
	assert_int_equal(dax_page_count(story->pgmap, FIRST + 1), 2);
	dax_page_put(story->pgmap, FIRST + 1);
	assert_int_equal(dax_delete_mapping_entry(story->m, INDEX), 1);
}

static void shared_storage_is_had_as_a_whole_or_not_at_all(void **state)
{
	struct story *story = *state;
	struct page *full = page_head(story->pgmap, FIRST + 1).page;

	sync_store(&full->state,
		level_bits(LEVEL_PTE) | PAGE_OWNERS_MAX * PAGE_OWNER,
		memory_order_relaxed);
	assert_int_equal(
		insert(story, INDEX, FIRST, DAX_PMD | DAX_SHARED), -EBUSY);
	assert_true(dax_is_empty_entry(entry_at(story, INDEX)));
	assert_int_equal(page_head(story->pgmap, FIRST).state, 0);
	sync_store(&full->state, 0, memory_order_relaxed);
	assert_int_equal(insert(story, INDEX, FIRST, DAX_PMD | DAX_SHARED), 0);
}

static void a_mapping_that_goes_gives_its_pages_up(void **state)
{
	struct story *story = *state;
	struct dax_page_lock lock;

	assert_int_equal(insert(story, INDEX, FIRST, DAX_PMD), 0);
	assert_int_equal(insert(story, 0, FIRST + PMD_PAGES, DAX_DIRTY), 0);
	dax_mapping_delete(&story->m);
	assert_int_equal(dax_lock_page(story->pgmap, FIRST, &lock), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY_TEST(an_entry_holds_its_page_until_it_is_zapped),
		STORY_TEST(zapping_again_drops_nothing),
		STORY_TEST(a_fault_on_a_zapped_entry_holds_its_page_again),
		STORY_TEST(a_pinned_entry_is_not_dropped),
		STORY_TEST(storage_that_moved_is_left_to_the_others),
		STORY_TEST(a_dying_device_gives_no_page),
		STORY_TEST(an_index_that_pages_do_not_know_is_refused),
		STORY_TEST(a_page_finds_its_entry),
		STORY_TEST(a_page_of_several_entries_names_none),
		STORY_TEST(each_page_of_shared_storage_counts_by_itself),
		STORY_TEST(two_large_entries_share_each_page),
		STORY_TEST(a_page_of_a_large_shared_entry_is_pinned_by_itself),
		STORY_TEST(shared_storage_is_had_as_a_whole_or_not_at_all),
		STORY_TEST(a_mapping_that_goes_gives_its_pages_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * dax_lock_mapping_entry() takes only what has storage, also where the entry
 * that it looked at goes, and a placeholder comes, before it locks:
 *
 *  1. LP finds storage, unlocked.
 *  2. T deletes it, and leaves a placeholder or a hole page there, unlocked.
 *  3. LP's attempt on the word that it saw fails. What it finds instead is
 *     free, but nothing that LP wants.
 */
#include <errno.h>

#include "base/sync.h"
#include "daxlock/mapping.h"
#include "support/crew.h"

enum { INDEX = 3, THREADS = 4, ROUNDS = 60000 };

#define PFN 0x8000

struct race {
	struct dax_mapping *m;
	unsigned int order;
	_Atomic(bool) over;
};

static void put_and_delete(
	struct crew_member *me, struct race *race, unsigned int flags)
{
	dax_entry_t entry;

	crew_check(me,
		!dax_grab_mapping_entry(race->m, INDEX, race->order, &entry));
	if (!(flags & DAX_EMPTY))
		dax_insert_entry(race->m, INDEX, &entry,
			flags & DAX_ZERO_PAGE ? 0 : PFN, flags);
	dax_unlock_entry(race->m, INDEX, entry);
	crew_check(me, dax_delete_mapping_entry(race->m, INDEX) == 1);
}

static void change(struct crew_member *me, struct race *race)
{
	const unsigned int size =
		race->order == DAX_PMD_ORDER ? DAX_PMD : DAX_PTE;

	for (unsigned int i = 0; i < ROUNDS; i++) {
		put_and_delete(me, race, size);
		put_and_delete(
			me, race, size | (i % 2 ? DAX_EMPTY : DAX_ZERO_PAGE));
	}
	atomic_store(&race->over, true);
}

static void look(struct crew_member *me, struct race *race)
{
	while (!atomic_load(&race->over)) {
		dax_entry_t cookie;
		uint64_t pfn;

		if (dax_lock_mapping_entry(race->m, INDEX, &cookie, &pfn) !=
			DAX_LOCK_TAKEN)
			continue;
		crew_check(me, !dax_is_empty_entry(cookie));
		crew_check(me, !dax_is_zero_entry(cookie));
		crew_check(me, dax_to_pfn(cookie) == PFN);
		dax_unlock_entry(race->m, INDEX, cookie);
	}
}

static void play(struct crew_member *me)
{
	if (me->number)
		look(me, me->shared);
	else
		change(me, me->shared);
}

static void assert_takes_only_storage(unsigned int order)
{
	struct race race = {.order = order};
	struct crew crew;
	dax_entry_t neighbour;

	assert_int_equal(dax_mapping_new(NULL, &race.m), 0);
	/* Keeps the node, and with it the slot that LP looks at. */
	assert_int_equal(
		dax_grab_mapping_entry(race.m, INDEX ^ (dax_pgoff_t)1 << order,
			order, &neighbour),
		0);
	dax_unlock_entry(race.m, INDEX ^ (dax_pgoff_t)1 << order, neighbour);
	crew_start(&crew, THREADS, play, &race);
	crew_assert_content(&crew);
	assert_null(dax_mapping_verify(race.m));
	dax_mapping_delete(&race.m);
}

static void only_a_pte_with_storage_is_taken(void **state)
{
	(void)state;
	assert_takes_only_storage(DAX_PTE_ORDER);
}

static void only_a_pmd_with_storage_is_taken(void **state)
{
	(void)state;
	assert_takes_only_storage(DAX_PMD_ORDER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_a_pte_with_storage_is_taken),
		cmocka_unit_test(only_a_pmd_with_storage_is_taken),
	};

	return cmocka_run_group_tests_name("page_lock_race", tests, NULL, NULL);
}

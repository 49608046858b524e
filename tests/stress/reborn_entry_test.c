/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An entry that is deleted and made again is still one lock: what its last
 * owner did is before what the owner of the new one does.
 *
 *  1. T1 finds nothing, and prepares to fill the slot.
 *  2. T2 fills it, works as its owner, unlocks; somebody deletes the entry.
 *  3. T1 fills the slot: it is empty, as T1 saw it, but not of the same age.
 *
 * The work is on plain words; ThreadSanitizer finds what nothing orders.
 */
#include "turmoil.h"

enum { THREADS = 4, CALLS = 15000 };

static void work_and_delete(struct actor *actor, unsigned int order)
{
	struct turmoil *turmoil = actor->turmoil;
	const uint64_t pages = (uint64_t)1 << order;
	dax_entry_t entry;

	crew_check(actor->me,
		!dax_grab_mapping_entry(turmoil->m, FIRST, order, &entry));
	for_cells(actor, FIRST, pages, own);
	actor->tally->locked++;
	for_cells(actor, FIRST, pages, disown);
	dax_unlock_entry(turmoil->m, FIRST, entry);
	actor->tally->dropped +=
		(unsigned int)dax_delete_mapping_entry(turmoil->m, FIRST);
}

static void work_on_ptes(struct crew_member *me)
{
	struct turmoil *turmoil = me->shared;
	struct actor actor = {.me = me,
		.turmoil = turmoil,
		.tally = &turmoil->tallies[me->number]};

	for (unsigned int i = 0; i < CALLS; i++)
		work_and_delete(&actor, DAX_PTE_ORDER);
}

static void work_on_pmds(struct crew_member *me)
{
	struct turmoil *turmoil = me->shared;
	struct actor actor = {.me = me,
		.turmoil = turmoil,
		.tally = &turmoil->tallies[me->number]};

	for (unsigned int i = 0; i < CALLS; i++)
		work_and_delete(&actor, DAX_PMD_ORDER);
}

enum neighbour {
	NEIGHBOUR_NONE, /* the node, and the root, go and come as well */
	NEIGHBOUR_STAYS,
};

static void assert_one_lock(unsigned int order, enum neighbour neighbour)
{
	const dax_pgoff_t beside = FIRST + ((uint64_t)1 << order);
	static struct turmoil turmoil;
	struct crew crew;
	dax_entry_t entry;

	turmoil = (struct turmoil){0};
	turmoil_open(&turmoil, 2);
	if (neighbour == NEIGHBOUR_STAYS) {
		assert_int_equal(dax_grab_mapping_entry(
					 turmoil.m, beside, order, &entry),
			0);
		dax_unlock_entry(turmoil.m, beside, entry);
	}
	crew_start(
		&crew, THREADS, order ? work_on_pmds : work_on_ptes, &turmoil);
	crew_assert_content(&crew);
	assert_int_equal(turmoil.cells[0][0].visits, THREADS * CALLS);
	assert_true(turmoil_tally(&turmoil).dropped > 0);
	turmoil_close(&turmoil);
}

static void a_pte_made_again_is_one_lock(void **state)
{
	(void)state;
	assert_one_lock(DAX_PTE_ORDER, NEIGHBOUR_STAYS);
}

static void a_pmd_made_again_is_one_lock(void **state)
{
	(void)state;
	assert_one_lock(DAX_PMD_ORDER, NEIGHBOUR_NONE);
}

static void a_pte_made_again_with_its_node_is_one_lock(void **state)
{
	(void)state;
	assert_one_lock(DAX_PTE_ORDER, NEIGHBOUR_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pte_made_again_is_one_lock),
		cmocka_unit_test(a_pmd_made_again_is_one_lock),
		cmocka_unit_test(a_pte_made_again_with_its_node_is_one_lock),
	};

	return cmocka_run_group_tests_name("reborn_entry", tests, NULL, NULL);
}

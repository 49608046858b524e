/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One entry, more threads than processors, every way to lock it and to give
 * up: each success excludes all others, and each wake that a thread did not
 * want reaches one that did.
 */
#include "turmoil.h"

enum { CALLS = 8000 };

static int lock_or_give_up(
	struct actor *actor, dax_pgoff_t index, dax_entry_t *entry)
{
	struct turmoil *turmoil = actor->turmoil;
	const unsigned int number = actor->me->number;
	unsigned int cancel;
	uint64_t pfn;

	switch (random_below(&actor->random, 8)) {
	case 0:
	case 1:
		return dax_lock_entry(turmoil->m, index, entry);
	case 2:
		return dax_lock_entry_timed(turmoil->m, index,
			random_below(&actor->random, 50000), entry);
	case 3:
		return dax_trylock_entry(turmoil->m, index, entry);
	case 4:
		return dax_grab_mapping_entry(
			turmoil->m, index, DAX_PTE_ORDER, entry);
	case 5:
		return (int)dax_lock_mapping_entry(
			turmoil->m, index, entry, &pfn);
	case 6:
		*entry = dax_get_unlocked_entry(turmoil->m, index);
		dax_put_unlocked_entry(
			turmoil->m, index, *entry, DAX_WAKE_NEXT);
		return -EAGAIN;
	default:
		cancel = atomic_load(&turmoil->cancel_in_use[number]);
		if (cancel < CANCELS - 1)
			atomic_store(
				&turmoil->cancel_in_use[number], cancel + 1);
		return dax_lock_entry_cancellable(turmoil->m, index,
			&turmoil->cancels[number][cancel], entry);
	}
}

static void cancel_the_next(struct actor *actor)
{
	struct turmoil *turmoil = actor->turmoil;
	const unsigned int next =
		(actor->me->number + 1) % actor->me->crew->size;
	const unsigned int cancel = atomic_load(&turmoil->cancel_in_use[next]);

	/* The one in use, most likely: it was stepped on before the call. */
	dax_cancel_fire(&turmoil->cancels[next][cancel ? cancel - 1 : 0]);
}

static void contend(struct crew_member *me)
{
	struct actor actor = {.me = me,
		.turmoil = me->shared,
		.random = random_of(me->number)};
	struct turmoil *turmoil = me->shared;
	struct tally *tally = &turmoil->tallies[me->number];

	for (unsigned int i = 0; i < turmoil->nr_calls; i++) {
		const dax_pgoff_t index = FIRST + page_offsets[i % PAGES];
		dax_entry_t entry;

		if (lock_or_give_up(&actor, index, &entry)) {
			tally->gave_up++;
			continue;
		}
		tally->locked++;
		for_cells(&actor, index, PMD_PAGES, own);
		if (i % 8 == 0)
			sched_yield();
		if (i % 16 == 0)
			cancel_the_next(&actor);
		for_cells(&actor, index, PMD_PAGES, disown);
		dax_unlock_entry(turmoil->m, index, entry);
	}
}

static void assert_one_at_a_time(unsigned int threads, unsigned int passes)
{
	static struct turmoil turmoil;
	struct crew crew;
	dax_entry_t entry;

	turmoil = (struct turmoil){.nr_calls = CALLS};
	turmoil_open(&turmoil, 1);
	dax_waitq_table_limit_passes(turmoil.waitqs, passes);
	assert_int_equal(
		dax_grab_mapping_entry(turmoil.m, FIRST, DAX_PMD_ORDER, &entry),
		0);
	dax_insert_entry(turmoil.m, FIRST, &entry, PFN(FIRST), DAX_PMD);
	dax_unlock_entry(turmoil.m, FIRST, entry);
	crew_start(&crew, threads, contend, &turmoil);
	crew_assert_content(&crew);
	assert_int_equal(
		turmoil.cells[0][0].visits, turmoil_tally(&turmoil).locked);
	print_message("%u locked, %u gave up\n", turmoil_tally(&turmoil).locked,
		turmoil_tally(&turmoil).gave_up);
	turmoil_close(&turmoil);
}

static void four_threads_own_one_pmd_one_at_a_time(void **state)
{
	(void)state;
	assert_one_at_a_time(4, DAX_WAITQ_TABLE_PASSES);
}

static void eight_threads_own_one_pmd_one_at_a_time(void **state)
{
	(void)state;
	assert_one_at_a_time(8, DAX_WAITQ_TABLE_PASSES);
}

static void so_they_do_when_it_is_handed_over_now_and_then(void **state)
{
	(void)state;
	assert_one_at_a_time(8, 2);
}

static void so_they_do_when_it_is_handed_over_always(void **state)
{
	(void)state;
	assert_one_at_a_time(8, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(four_threads_own_one_pmd_one_at_a_time),
		cmocka_unit_test(eight_threads_own_one_pmd_one_at_a_time),
		cmocka_unit_test(
			so_they_do_when_it_is_handed_over_now_and_then),
		cmocka_unit_test(so_they_do_when_it_is_handed_over_always),
	};

	return cmocka_run_group_tests_name(
		"contended_entry", tests, NULL, NULL);
}

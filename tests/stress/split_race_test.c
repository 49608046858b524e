/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The three-thread hang of 2016, in a loop: all threads want another page of
 * one hole PMD at the same time. One of them downgrades it, the others sleep on
 * it or come later; each gets its page, and the PMD is unmapped once.
 *
 * And the way back: the last pages go while huge entries are tried for.
 */
#include "turmoil.h"

enum { ROUNDS = 1500, THREADS = PAGES };

static struct round {
	struct turmoil turmoil;
	pthread_barrier_t ready, done;
} round_of_all;

static void put_hole(struct crew_member *me, struct turmoil *turmoil)
{
	dax_entry_t entry;

	crew_check(me, !dax_grab_mapping_entry(
			       turmoil->m, FIRST, DAX_PMD_ORDER, &entry));
	dax_insert_entry(turmoil->m, FIRST, &entry, 0, DAX_PMD | DAX_ZERO_PAGE);
	dax_unlock_entry(turmoil->m, FIRST, entry);
}

static void take_a_page(struct actor *actor)
{
	struct turmoil *turmoil = actor->turmoil;
	const dax_pgoff_t index = FIRST + page_offsets[actor->me->number];
	dax_entry_t entry;

	crew_check(actor->me, !dax_grab_mapping_entry(turmoil->m, index,
				      DAX_PTE_ORDER, &entry));
	crew_check(actor->me, entry == dax_make_entry(0, DAX_EMPTY));
	for_cells(actor, index, 1, own);
	dax_insert_entry(turmoil->m, index, &entry, PFN(index), DAX_DIRTY);
	for_cells(actor, index, 1, disown);
	dax_unlock_entry(turmoil->m, index, entry);
}

static void check_round(
	struct crew_member *me, struct turmoil *turmoil, unsigned int nr)
{
	crew_check(me, dax_mapping_nrpages(turmoil->m) == THREADS);
	for (unsigned int i = 0; i < PAGES; i++) {
		crew_check(me, turmoil->cells[0][i].unmaps == nr + 1);
		crew_check(me, turmoil->cells[0][i].visits == nr + 1);
	}
	crew_check(me, !dax_mapping_verify(turmoil->m));
	crew_check(me,
		dax_delete_mapping_range(turmoil->m, 0, UINT64_MAX) == THREADS);
}

static void split(struct crew_member *me)
{
	struct actor actor = {.me = me, .turmoil = me->shared};

	for (unsigned int i = 0; i < ROUNDS; i++) {
		if (!me->number)
			put_hole(me, actor.turmoil);
		pthread_barrier_wait(&round_of_all.ready);
		take_a_page(&actor);
		pthread_barrier_wait(&round_of_all.done);
		if (!me->number)
			check_round(me, actor.turmoil, i);
	}
}

/* Half delete the pages, half try for the whole, until they get it. */
static void unite(struct crew_member *me)
{
	struct actor actor = {.me = me, .turmoil = me->shared};
	struct turmoil *turmoil = me->shared;
	dax_entry_t entry;
	int error;

	for (unsigned int i = 0; i < ROUNDS; i++) {
		if (me->number < 2)
			take_a_page(&actor);
		pthread_barrier_wait(&round_of_all.ready);
		if (me->number < 2) {
			crew_check(me, dax_delete_mapping_entry(turmoil->m,
					       FIRST + me->number) == 1);
		} else {
			while ((error = dax_grab_mapping_entry(turmoil->m,
					FIRST, DAX_PMD_ORDER, &entry)) ==
				-EEXIST)
				sched_yield();
			crew_check(me, !error);
			for_cells(&actor, FIRST, PMD_PAGES, own);
			for_cells(&actor, FIRST, PMD_PAGES, disown);
			dax_unlock_entry(turmoil->m, FIRST, entry);
		}
		pthread_barrier_wait(&round_of_all.done);
		if (!me->number)
			crew_check(me, dax_delete_mapping_entry(
					       turmoil->m, FIRST + 1) == 1);
		pthread_barrier_wait(&round_of_all.ready);
	}
}

static void play(void (*work)(struct crew_member *me))
{
	struct turmoil *turmoil = &round_of_all.turmoil;
	struct crew crew;

	*turmoil = (struct turmoil){0};
	turmoil_open(turmoil, 2);
	pthread_barrier_init(&round_of_all.ready, NULL, THREADS);
	pthread_barrier_init(&round_of_all.done, NULL, THREADS);
	crew_start(&crew, THREADS, work, turmoil);
	crew_assert_content(&crew);
	pthread_barrier_destroy(&round_of_all.ready);
	pthread_barrier_destroy(&round_of_all.done);
	turmoil_close(turmoil);
}

static void all_who_split_one_hole_get_their_page(void **state)
{
	(void)state;
	play(split);
}

static void the_whole_is_had_when_the_last_page_is_gone(void **state)
{
	(void)state;
	play(unite);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_who_split_one_hole_get_their_page),
		cmocka_unit_test(the_whole_is_had_when_the_last_page_is_gone),
	};

	return cmocka_run_group_tests_name("split_race", tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every call on a mapping may race with every other: an entry has one owner,
 * its value is always one that somebody stored, and in the end nobody sleeps,
 * nothing is locked, and what is counted is what is there.
 */
#include "turmoil.h"

/* ---- choices ---- */

static uint64_t choose(struct actor *actor, uint64_t limit)
{
	return random_below(&actor->random, limit);
}

static dax_pgoff_t any_index(struct actor *actor)
{
	return FIRST + choose(actor, PMDS) * PMD_PAGES +
	       page_offsets[choose(actor, PAGES)];
}

/* ---- what an owner does ---- */

static bool is_hollow(dax_entry_t entry)
{
	return dax_is_zero_entry(entry) || dax_is_empty_entry(entry);
}

static void check_value(
	struct actor *actor, dax_pgoff_t index, dax_entry_t entry)
{
	const uint64_t word =
		dax_tree_load(dax_mapping_tree(actor->turmoil->m), index);

	crew_check(actor->me, dax_is_locked_entry(word));
	crew_check(actor->me, dax_entry_from_word(word) == entry);
	crew_check(actor->me,
		is_hollow(entry) || dax_to_pfn(entry) ==
					    PFN(dax_entry_start(entry, index)));
}

static dax_entry_t insert_something(
	struct actor *actor, dax_pgoff_t index, dax_entry_t entry)
{
	const unsigned int size = dax_is_pmd_entry(entry) ? DAX_PMD : DAX_PTE;
	const unsigned int zero = choose(actor, 2) ? DAX_ZERO_PAGE : 0;
	const unsigned int dirty = choose(actor, 3) ? 0 : DAX_DIRTY;
	const unsigned int cow = choose(actor, 6) ? 0 : DAX_COW;

	dax_insert_entry(actor->turmoil->m, index, &entry,
		zero ? 0 : PFN(dax_entry_start(entry, index)),
		size | zero | dirty | cow);
	return entry;
}

/* The entry at @index is locked by this thread, and will be unlocked. */
static void use(struct actor *actor, dax_pgoff_t index, dax_entry_t entry)
{
	const uint64_t pages = (uint64_t)1 << dax_entry_order(entry);

	actor->tally->locked++;
	for_cells(actor, index, pages, own);
	check_value(actor, index, entry);
	if (choose(actor, 2))
		entry = insert_something(actor, index, entry);
	if (!choose(actor, 4))
		sched_yield();
	check_value(actor, index, entry);
	for_cells(actor, index, pages, disown);
	dax_unlock_entry(actor->turmoil->m, index, entry);
}

/* ---- calls ---- */

static void grab_pte(struct actor *actor, dax_pgoff_t index)
{
	const dax_entry_t before = dax_entry_from_word(
		dax_tree_load(dax_mapping_tree(actor->turmoil->m), index));
	dax_entry_t entry;

	crew_check(actor->me, !dax_grab_mapping_entry(actor->turmoil->m, index,
				      DAX_PTE_ORDER, &entry));
	crew_check(actor->me, !dax_is_pmd_entry(entry) || !is_hollow(entry));
	actor->tally->downgraded +=
		dax_is_pmd_entry(before) && dax_is_empty_entry(entry);
	use(actor, index, entry);
}

static void grab_pmd(struct actor *actor, dax_pgoff_t index)
{
	dax_entry_t entry;
	const int error = dax_grab_mapping_entry(
		actor->turmoil->m, index, DAX_PMD_ORDER, &entry);

	crew_check(actor->me, !error || error == -EEXIST);
	if (error) {
		actor->tally->fell_back++;
		return;
	}
	crew_check(actor->me, dax_is_pmd_entry(entry));
	use(actor, index, entry);
}

static int lock_somehow(
	struct actor *actor, dax_pgoff_t index, dax_entry_t *entry)
{
	struct turmoil *turmoil = actor->turmoil;
	const unsigned int number = actor->me->number;
	unsigned int cancel;
	int error;

	switch (choose(actor, 4)) {
	case 0:
		return dax_lock_entry(turmoil->m, index, entry);
	case 1:
		return dax_trylock_entry(turmoil->m, index, entry);
	case 2:
		return dax_lock_entry_timed(turmoil->m, index,
			choose(actor, 20) * choose(actor, 2000), entry);
	default:
		cancel = atomic_load(&turmoil->cancel_in_use[number]);
		error = dax_lock_entry_cancellable(turmoil->m, index,
			&turmoil->cancels[number][cancel], entry);
		/* The last one stays fired: from then on it never waits. */
		if (error == -ECANCELED && cancel < CANCELS - 1)
			atomic_store(
				&turmoil->cancel_in_use[number], cancel + 1);
		return error;
	}
}

static void lock(struct actor *actor, dax_pgoff_t index)
{
	dax_entry_t entry;
	const int error = lock_somehow(actor, index, &entry);

	crew_check(actor->me, !error || error == -ENOENT || error == -EBUSY ||
				      error == -ETIMEDOUT ||
				      error == -ECANCELED);
	actor->tally->gave_up += error && error != -ENOENT;
	if (!error)
		use(actor, index, entry);
}

static void lock_for_page(struct actor *actor, dax_pgoff_t index)
{
	dax_entry_t entry;
	uint64_t pfn;

	if (dax_lock_mapping_entry(actor->turmoil->m, index, &entry, &pfn) !=
		DAX_LOCK_TAKEN)
		return;
	crew_check(actor->me, !is_hollow(entry));
	crew_check(actor->me, pfn == PFN(index));
	use(actor, index, entry);
}

/* Two at a time: the second is above the first. */
static void lock_two(struct actor *actor, dax_pgoff_t index)
{
	struct dax_mapping *m = actor->turmoil->m;
	dax_entry_t entry;

	if (pmd_of(index) == PMDS - 1 || dax_lock_entry(m, index, &entry))
		return;
	if (choose(actor, 2))
		grab_pte(actor, index + PMD_PAGES);
	else
		grab_pmd(actor, index + PMD_PAGES);
	use(actor, index, entry);
}

static void decline(struct actor *actor, dax_pgoff_t index)
{
	struct dax_mapping *m = actor->turmoil->m;
	const dax_entry_t entry = dax_get_unlocked_entry(m, index);

	if (!choose(actor, 4))
		sched_yield();
	dax_put_unlocked_entry(m, index, entry,
		choose(actor, 4) ? DAX_WAKE_NEXT : DAX_WAKE_ALL);
}

static void invalidate(struct actor *actor, dax_pgoff_t index)
{
	actor->tally->dropped +=
		(unsigned int)dax_invalidate_mapping_entry_sync(
			actor->turmoil->m, index);
}

static void delete (struct actor *actor, dax_pgoff_t index)
{
	actor->tally->dropped += (unsigned int)dax_delete_mapping_entry(
		actor->turmoil->m, index);
}

static void delete_range(struct actor *actor, dax_pgoff_t index)
{
	struct dax_mapping *m = actor->turmoil->m;

	/* Now and then all, so that the tree loses its root. */
	actor->tally->dropped +=
		(unsigned int)(choose(actor, 4)
				       ? dax_delete_mapping_range(m, index,
						 index + choose(actor,
								 PMD_PAGES))
				       : dax_delete_mapping_range(
						 m, 0, UINT64_MAX));
}

static void mark(struct actor *actor, dax_pgoff_t index)
{
	struct dax_tree *tree = dax_mapping_tree(actor->turmoil->m);
	const enum dax_mark which = (enum dax_mark)choose(actor, 2);

	if (choose(actor, 2))
		dax_tree_set_mark(tree, index, which);
	else
		dax_tree_clear_mark(tree, index, which);
}

static void cancel_another(struct actor *actor, dax_pgoff_t index)
{
	struct turmoil *turmoil = actor->turmoil;
	const unsigned int number =
		(unsigned int)choose(actor, actor->me->crew->size);
	const unsigned int cancel =
		atomic_load(&turmoil->cancel_in_use[number]);

	(void)index;
	dax_cancel_fire(&turmoil->cancels[number][cancel]);
}

static void (*const calls[])(struct actor *actor, dax_pgoff_t index) = {
	grab_pte,
	grab_pte,
	grab_pte,
	grab_pmd,
	grab_pmd,
	grab_pmd,
	lock,
	lock,
	lock,
	lock_for_page,
	lock_two,
	decline,
	invalidate,
	invalidate,
	delete,
	delete_range,
	mark,
	cancel_another,
};

static void call(struct crew_member *me)
{
	struct turmoil *turmoil = me->shared;
	struct actor actor = {
		.me = me,
		.turmoil = turmoil,
		.tally = &turmoil->tallies[me->number],
		.random = random_of(me->number),
	};

	for (unsigned int i = 0; i < turmoil->nr_calls; i++)
		calls[choose(&actor, ARRAY_SIZE(calls))](
			&actor, any_index(&actor));
}

/* ---- tests ---- */

static void assert_holds_up(
	unsigned int threads, unsigned int queues, unsigned int nr_calls)
{
	static struct turmoil turmoil;
	struct crew crew;
	struct tally tally;
	uint64_t live;

	sync_rcu_barrier();
	live = sync_alloc_live();
	turmoil = (struct turmoil){.nr_calls = nr_calls};
	turmoil_open(&turmoil, queues);
	crew_start(&crew, threads, call, &turmoil);
	crew_assert_content(&crew);
	tally = turmoil_tally(&turmoil);
	turmoil_close(&turmoil);
	sync_rcu_barrier();
	assert_int_equal(sync_alloc_live(), live);
	print_message("%u locked, %u fell back, %u downgraded, %u gave up, "
		      "%u dropped\n",
		tally.locked, tally.fell_back, tally.downgraded, tally.gave_up,
		tally.dropped);
	/* It met what it is about. */
	assert_true(tally.locked && tally.fell_back && tally.downgraded &&
		    tally.dropped);
}

static void four_threads_and_one_queue(void **state)
{
	(void)state;
	assert_holds_up(4, 1, 30000);
}

static void four_threads_and_eight_queues(void **state)
{
	(void)state;
	assert_holds_up(4, 8, 30000);
}

static void eight_threads_and_two_queues(void **state)
{
	(void)state;
	assert_holds_up(8, 2, 15000);
}

static void eight_threads_and_eight_queues(void **state)
{
	(void)state;
	assert_holds_up(8, 8, 15000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(four_threads_and_one_queue),
		cmocka_unit_test(four_threads_and_eight_queues),
		cmocka_unit_test(eight_threads_and_two_queues),
		cmocka_unit_test(eight_threads_and_eight_queues),
	};

	return cmocka_run_group_tests_name("every_call", tests, NULL, NULL);
}

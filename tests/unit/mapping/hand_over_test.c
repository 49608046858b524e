/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What an owner did to its page is known to who locks the entry next, and to
 * who removes it and may give the storage to somebody else [MO-2]. The page here
 * is a plain variable with no other protection, so ThreadSanitizer speaks
 * up when an order is missing.
 */
#include "daxlock/mapping.h"
#include "support/crew.h"

#define ROUNDS 100

struct page {
	struct dax_mapping *m;
	unsigned int content; /* guarded by the lock of entry 0 */
	/* Which round the owner may start. Says nothing of how far it is. */
	_Atomic(unsigned int) round;
};

static void own_once_a_round(struct crew_member *me)
{
	struct page *page = me->shared;

	for (unsigned int round = 1; round <= ROUNDS; round++) {
		dax_entry_t entry;

		crew_await(page->round == round);
		crew_check(me, !dax_grab_mapping_entry(page->m, 0,
				       DAX_PTE_ORDER, &entry));
		page->content = round;
		dax_unlock_entry(page->m, 0, entry);
	}
}

static void remove_once_a_round(struct crew_member *me)
{
	struct page *page = me->shared;

	for (unsigned int round = 1; round <= ROUNDS; round++) {
		page->round = round;
		crew_await(dax_delete_mapping_entry(page->m, 0));
		crew_check(me, page->content == round);
	}
}

static void lock_after_each_round(struct crew_member *me)
{
	struct page *page = me->shared;

	for (unsigned int round = 1; round <= ROUNDS; round++) {
		unsigned int content = 0;

		page->round = round;
		while (content != round) {
			dax_entry_t entry;

			if (dax_trylock_entry(page->m, 0, &entry)) {
				sched_yield();
				continue;
			}
			content = page->content;
			dax_unlock_entry(page->m, 0, entry);
		}
	}
}

/* As a writer does: the block map first, then the entry. */
static void change_and_remove(struct crew_member *me)
{
	struct page *page = me->shared;

	for (unsigned int round = 1; round <= ROUNDS; round++) {
		crew_await(page->round == round);
		page->content = round;
		crew_check(me, dax_delete_mapping_entry(page->m, 0));
	}
}

/* As a fault does: an entry that is new has the block map asked again. */
static void make_anew(struct crew_member *me)
{
	struct page *page = me->shared;

	for (unsigned int round = 1; round <= ROUNDS; round++) {
		bool is_new = false;
		dax_entry_t entry;

		crew_check(me, !dax_grab_mapping_entry(page->m, 0,
				       DAX_PTE_ORDER, &entry));
		dax_insert_entry(page->m, 0, &entry, round, DAX_PTE);
		dax_unlock_entry(page->m, 0, entry);
		page->round = round;
		while (!is_new) {
			crew_check(me, !dax_grab_mapping_entry(page->m, 0,
					       DAX_PTE_ORDER, &entry));
			is_new = dax_is_empty_entry(entry);
			if (is_new)
				crew_check(me, page->content == round);
			dax_unlock_entry(page->m, 0, entry);
		}
	}
}

static void play(void (*one)(struct crew_member *me),
	void (*other)(struct crew_member *me))
{
	struct page page = {0};
	struct crew crew[2];
	const char *wrong;

	assert_int_equal(dax_mapping_new(NULL, &page.m), 0);
	crew_start(&crew[0], 1, one, &page);
	crew_start(&crew[1], 1, other, &page);
	wrong = crew_join(&crew[0]);
	assert_null(wrong);
	wrong = crew_join(&crew[1]);
	assert_null(wrong);
	dax_mapping_delete(&page.m);
}

static void what_an_owner_did_is_known_to_who_locks_next(void **state)
{
	(void)state;
	play(own_once_a_round, lock_after_each_round);
}

static void what_an_owner_did_is_known_to_who_removes_its_entry(void **state)
{
	(void)state;
	play(own_once_a_round, remove_once_a_round);
}

static void what_was_done_before_removing_is_known_to_who_makes_it_anew(
	void **state)
{
	(void)state;
	play(change_and_remove, make_anew);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_an_owner_did_is_known_to_who_locks_next),
		cmocka_unit_test(
			what_an_owner_did_is_known_to_who_removes_its_entry),
		cmocka_unit_test(
			what_was_done_before_removing_is_known_to_who_makes_it_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

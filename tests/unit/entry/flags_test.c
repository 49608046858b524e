/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What an entry is, it says: every predicate against every combination of
 * flags, with every state of the word in the tree.
 */
#include <signal.h>
#include <string.h>

#include "daxlock/entry.h"
#include "entry/word.h"
#include "support/cmocka.h"
#include "support/death.h"

#define ALL_FLAGS (DAX_PMD | DAX_PUD | DAX_ZERO_PAGE | DAX_EMPTY | DAX_ZAP)
#define PFN_MAX	  (((uint64_t)1 << 52) - 1)

static const uint64_t pfns[] = {0, 1, 0x8e00, PFN_MAX - 1, PFN_MAX};

static bool can_be_made(unsigned int flags)
{
	return (flags & (DAX_PMD | DAX_PUD)) != (DAX_PMD | DAX_PUD);
}

/* LOCKED, WAITERS and marks by number, none at 0. */
static uint64_t word_state(unsigned int i)
{
	return (i & 1 ? WORD_LOCKED : 0) | (i & 2 ? WORD_WAITERS : 0) |
	       (i & 4 ? WORD_MARK(0) : 0) | (i & 8 ? WORD_MARK(1) : 0);
}
#define WORD_STATES 16

typedef void entry_check(dax_entry_t entry, unsigned int flags, uint64_t pfn);

static void for_each_entry(entry_check *check)
{
	for (unsigned int flags = 0; flags <= ALL_FLAGS; flags++)
		for (size_t i = 0; i < ARRAY_SIZE(pfns); i++)
			if (can_be_made(flags))
				check(dax_make_entry(pfns[i], flags), flags,
					pfns[i]);
}

/* Answers do not change with the state of the word. */
static void for_each_word(entry_check *check)
{
	for (unsigned int flags = 0; flags <= ALL_FLAGS; flags++)
		for (unsigned int i = 0; i < WORD_STATES; i++)
			if (can_be_made(flags))
				check(dax_make_entry(0x8e00, flags) |
						word_state(i),
					flags, 0x8e00);
}

static void check_kind(dax_entry_t entry, unsigned int flags, uint64_t pfn)
{
	(void)pfn;
	assert_int_equal(dax_is_pmd_entry(entry), !!(flags & DAX_PMD));
	assert_int_equal(dax_is_pud_entry(entry), !!(flags & DAX_PUD));
	assert_int_equal(
		dax_is_pte_entry(entry), !(flags & (DAX_PMD | DAX_PUD)));
	assert_int_equal(dax_is_zero_entry(entry), !!(flags & DAX_ZERO_PAGE));
	assert_int_equal(dax_is_empty_entry(entry), !!(flags & DAX_EMPTY));
	assert_int_equal(dax_is_zapped_entry(entry), !!(flags & DAX_ZAP));
}

static void each_predicate_knows_its_flag(void **state)
{
	(void)state;
	for_each_entry(check_kind);
	for_each_word(check_kind);
}

static void check_pfn(dax_entry_t entry, unsigned int flags, uint64_t pfn)
{
	(void)flags;
	assert_int_equal(dax_to_pfn(entry), pfn);
}

static void the_pfn_comes_back(void **state)
{
	(void)state;
	for_each_entry(check_pfn);
	for_each_word(check_pfn);
}

static void check_order(dax_entry_t entry, unsigned int flags, uint64_t pfn)
{
	unsigned int order = 0;

	(void)pfn;
	if (flags & DAX_PMD)
		order = DAX_PMD_ORDER;
	if (flags & DAX_PUD)
		order = 2 * DAX_PMD_ORDER;
	assert_int_equal(dax_entry_order(entry), order);
}

static void the_order_is_that_of_the_size_flag(void **state)
{
	(void)state;
	for_each_entry(check_order);
	for_each_word(check_order);
}

static void check_start(dax_entry_t entry, unsigned int flags, uint64_t pfn)
{
	const uint64_t pages = (uint64_t)1 << dax_entry_order(entry);
	const uint64_t starts[] = {0, pages, 5 * pages, -pages};

	(void)flags;
	(void)pfn;
	for (size_t i = 0; i < ARRAY_SIZE(starts); i++) {
		const uint64_t last = starts[i] + (pages - 1);

		assert_int_equal(dax_entry_start(entry, starts[i]), starts[i]);
		assert_int_equal(dax_entry_start(entry, last), starts[i]);
		assert_int_equal(dax_entry_start(entry, starts[i] + pages / 2),
			starts[i]);
	}
}

static void the_start_is_the_first_index_covered(void **state)
{
	(void)state;
	for_each_entry(check_start);
	for_each_word(check_start);
}

static void check_value(dax_entry_t word, unsigned int flags, uint64_t pfn)
{
	assert_int_equal(dax_entry_from_word(word), dax_make_entry(pfn, flags));
	assert_true(word_is_value(word));
	assert_false(word_is_node(word));
}

static void the_value_of_a_word_has_no_state(void **state)
{
	(void)state;
	for_each_word(check_value);
}

static void only_the_lock_bit_locks(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < WORD_STATES; i++)
		assert_int_equal(
			dax_is_locked_entry(
				dax_make_entry(PFN_MAX, ALL_FLAGS & ~DAX_PUD) |
				word_state(i)),
			i & 1);
}

static void no_entry_is_of_no_kind(void **state)
{
	(void)state;
	assert_false(dax_is_pte_entry(DAX_NO_ENTRY));
	assert_false(dax_is_pmd_entry(DAX_NO_ENTRY));
	assert_false(dax_is_pud_entry(DAX_NO_ENTRY));
	assert_false(dax_is_zero_entry(DAX_NO_ENTRY));
	assert_false(dax_is_empty_entry(DAX_NO_ENTRY));
	assert_false(dax_is_zapped_entry(DAX_NO_ENTRY));
	assert_false(dax_is_locked_entry(DAX_NO_ENTRY));
	assert_int_equal(dax_entry_order(DAX_NO_ENTRY), 0);
	assert_int_equal(dax_entry_start(DAX_NO_ENTRY, 7), 7);
	assert_int_equal(dax_entry_from_word(DAX_NO_ENTRY), DAX_NO_ENTRY);
}

static void an_entry_is_never_no_entry(void **state)
{
	(void)state;
	assert_int_not_equal(dax_make_entry(0, DAX_PTE), DAX_NO_ENTRY);
}

/* What users of the public header may have compiled in. */
static void the_word_is_as_drawn(void **state)
{
	(void)state;
	assert_int_equal(dax_make_entry(0, DAX_PTE), 1);
	assert_int_equal(dax_make_entry(0x8e00, DAX_PTE), 0x8e00001);
	assert_int_equal(dax_make_entry(0, DAX_PMD), 1 | 1 << 3);
	assert_int_equal(dax_make_entry(0, DAX_PUD), 1 | 1 << 4);
	assert_int_equal(dax_make_entry(0, DAX_ZERO_PAGE), 1 | 1 << 5);
	assert_int_equal(dax_make_entry(0, DAX_EMPTY), 1 | 1 << 6);
	assert_int_equal(dax_make_entry(0, DAX_ZAP), 1 | 1 << 7);
	assert_int_equal(WORD_LOCKED, 1 << 1);
	assert_int_equal(WORD_WAITERS, 1 << 2);
	assert_int_equal(WORD_MARK(0), 1 << 8);
	assert_int_equal(WORD_MARK(1), 1 << 9);
}

struct parts {
	uint64_t pfn;
	unsigned int flags;
};

static void make(void *with)
{
	const struct parts *parts = with;
	volatile dax_entry_t entry = dax_make_entry(parts->pfn, parts->flags);

	(void)entry;
}

static void what_is_no_entry_cannot_be_made(void **state)
{
	static struct parts wrong[] = {
		{.pfn = PFN_MAX + 1},
		{.pfn = UINT64_MAX},
		{.flags = DAX_PMD | DAX_PUD},
		{.flags = ALL_FLAGS + 1},
		{.flags = 1u << 31},
	};
	struct parts right = {.pfn = PFN_MAX, .flags = ALL_FLAGS & ~DAX_PMD};

	(void)state;
	assert_lives(make, &right);
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++)
		assert_aborts_with(make, &wrong[i], "precondition");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_predicate_knows_its_flag),
		cmocka_unit_test(the_pfn_comes_back),
		cmocka_unit_test(the_order_is_that_of_the_size_flag),
		cmocka_unit_test(the_start_is_the_first_index_covered),
		cmocka_unit_test(the_value_of_a_word_has_no_state),
		cmocka_unit_test(only_the_lock_bit_locks),
		cmocka_unit_test(no_entry_is_of_no_kind),
		cmocka_unit_test(an_entry_is_never_no_entry),
		cmocka_unit_test(the_word_is_as_drawn),
		cmocka_unit_test(what_is_no_entry_cannot_be_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Grabbing: the entry at an index, locked, made if absent, split if need be. */
#include <errno.h>

#include "mapping/mapping.h"

static unsigned int order_flags(unsigned int order)
{
	if (order == DAX_PMD_ORDER)
		return DAX_PMD;
	return order == DAX_PUD_ORDER ? DAX_PUD : DAX_PTE;
}

/* What the words of a mapping have from the first. */
static uint64_t word_of_mapping(const struct dax_mapping *m)
{
	return m->stats ? WORD_COUNTED : 0;
}

static dax_entry_t empty_entry(unsigned int order)
{
	return WORD_VALUE | WORD_FLAGS(DAX_EMPTY | order_flags(order));
}

/*
 * The 2016 downgrade. T1 holds the PMD entry at 0x200 and wants a PTE at
 * 0x202; T2 and T3 sleep on it for 0x203 and 0x204, both with the key 0x200:
 *
 *  T1                            T2                       T3
 *  unmaps the 2 MiB
 *  (A) swaps the entry for a
 *      node, 0x202 in it locked
 *  (B) wakes all of key 0x200
 *                                makes 0x203              makes 0x204
 *
 * Were only T2 woken at (B), its unlock would wake key 0x203, and T3 would
 * sleep for ever on a key that means nothing any more. Before (A) nobody gets
 * past our lock bit, after it everybody walks into the node: there is no
 * moment in which the range is empty.
 */
static int downgrade(struct dax_mapping *m, dax_pgoff_t index,
	unsigned int order, dax_entry_t *entry)
{
	const dax_entry_t large = *entry;
	const dax_entry_t small = empty_entry(order);
	const uint64_t locked = small | WORD_LOCKED | word_of_mapping(m);
	uint64_t word;
	int error;

	keep_locked(m, index, large);
	if (dax_is_zero_entry(large))
		mapping_unmap(m, index, large);
	entry_uncount(m, index, large);
	error = tree_split(&m->tree, index, locked, &word);
	if (error) {
		split_failed(m, index, large);
		return error;
	}
	rank_pop(entry_rank(m, index, large));
	entry_note("splits", index, large);
	entry_note_key(KEY_ENDS, m, index, large);
	entry_locked(m, index, small, LOCK_GIVES_UP);
	entry_count(m, index, locked);
	slot_forget();
	mapping_account(m, entry_pages(small), entry_pages(large));
	entry_removed(m, index, word);
	*entry = small;
	return 0;
}

/* Something was locked: is it what was asked for, or must it be split? */
static int fit(struct dax_mapping *m, dax_pgoff_t index, unsigned int order,
	dax_entry_t *entry)
{
	if (order < word_order(*entry) &&
		(dax_is_zero_entry(*entry) || dax_is_empty_entry(*entry)))
		return downgrade(m, index, order, entry);
	return 0;
}

/* 0: @place's entry is ours. -EBUSY: it is locked. -ENOENT: there is none. */
static int grab_existing(struct dax_mapping *m, dax_pgoff_t index,
	unsigned int order, struct tree_place *place)
{
	bool locked;

	sync_rcu_enter();
	*place = tree_walk(&m->tree, index, order / DAX_PMD_ORDER);
	locked = place_trylock(place);
	sync_rcu_leave();
	if (locked || ignores_lock(order, place->word))
		return 0;
	return word_is_value(place->word) ? -EBUSY : nothing_there(order);
}

static int grab_new(struct dax_mapping *m, dax_pgoff_t index,
	unsigned int order, struct tree_place *place)
{
	int error;

	*place = (struct tree_place){
		.word = empty_entry(order) | word_of_mapping(m)};
	error = tree_fill(
		&m->tree, index, place->word | WORD_LOCKED, &place->slot);
	if (!error)
		mapping_account(m, entry_pages(place->word), 0);
	return error;
}

/* Until v5.3 a large grab waited for the smaller entry that it found in its
 * range, before it declined it. */
static void decline_smaller(
	struct dax_mapping *m, dax_pgoff_t index, unsigned int order)
{
	struct wait wait = WAIT_INIT(WAIT_FOR_SMALLER, NULL);
	const dax_pgoff_t first = index & -((uint64_t)1 << order);
	struct dax_xas xas;
	uint64_t word;

	dax_xas_init(&xas, &m->tree, first, first + ((uint64_t)1 << order) - 1);
	word = dax_xas_next(&xas);
	if (!word_is_locked(word) || dax_entry_order(word) >= order)
		return;
	if (entry_wait(m, xas.index, word, &wait))
		DAX_INVARIANT(!"a wait without limit ended");
	if (puts_smaller())
		dax_put_unlocked_entry(
			m, xas.index, word_entry(word), DAX_WAKE_NEXT);
}

/* -EBUSY: it is locked, as @place says. -EEXIST: somebody was faster. */
static int grab_once(struct dax_mapping *m, dax_pgoff_t index,
	unsigned int order, struct tree_place *place)
{
	int error;

	if (waits_for_smaller(order))
		decline_smaller(m, index, order);
	error = grab_existing(m, index, order, place);
	return error == -ENOENT ? grab_new(m, index, order, place) : error;
}

/* After a first time, which ended in @error. */
static __attribute__((noinline)) int grab_or_wait(struct dax_mapping *m,
	dax_pgoff_t index, unsigned int order, struct tree_place *place,
	int error)
{
	struct wait wait = WAIT_INIT(WAITQ_IN_LINE, NULL);

	do {
		if (error == -EBUSY)
			error = entry_wait(m, index, place->word, &wait);
		if (error == WAIT_GRANTED)
			break;
		error = grab_once(m, index, order, place);
	} while (error == -EBUSY || error == -EEXIST);
	return wait_end(m, index, &wait, error, place);
}

int dax_grab_mapping_entry(struct dax_mapping *m, dax_pgoff_t index,
	unsigned int order, dax_entry_t *out)
{
	struct tree_place place;
	dax_entry_t entry;
	int error;

	DAX_REQUIRE(m && out);
	DAX_REQUIRE(order == DAX_PTE_ORDER || order == DAX_PMD_ORDER ||
		    order == DAX_PUD_ORDER);
	error = grab_once(m, index, order, &place);
	if (error == -EBUSY || error == -EEXIST)
		error = grab_or_wait(m, index, order, &place, error);
	if (error)
		return grab_failed(m, index, error);
	entry_locked(m, index, place.word, LOCK_MAY_WAIT);
	entry_count(m, index, place.word);
	if (place.slot)
		slot_remember(m, index, place.slot);
	else
		slot_forget();
	entry = word_entry(place.word);
	error = fit(m, index, order, &entry);
	if (!error)
		*out = entry;
	return error;
}

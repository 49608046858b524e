/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Positions in an XArray. Where the kernel keeps a node and a slot, here each
 * call walks again from the index. A place is remembered all the same: the
 * last index that it covers, which is where a search goes on; and the epoch of
 * the array, which ends when the lock is dropped. In the kernel a place from
 * an earlier epoch is a slot of a node that may have been freed.
 */
#include <errno.h>

#include "base/check.h"
#include "kernel/entry.h"

#define PLACE ((struct xa_node *)2)

static bool has_place(const struct xa_state *xas)
{
	return xas->xa_node == PLACE;
}

static void check_usable(const struct xa_state *xas)
{
	sync_lock_assert_held(sync_lock_of(&xas->xa->xa_lock));
	if (DAX_CHECKED && has_place(xas) && xas->epoch != xas->xa->epoch)
		check_abort("an xa_state keeps its place from before its lock "
			    "was dropped: xas_reset() or xas_pause() it");
}

static void set_place(struct xa_state *xas, uint64_t last)
{
	xas->xa_node = PLACE;
	xas->last = last;
	xas->epoch = xas->xa->epoch;
}

/* ---- at the index ---- */

/* Is the entry that covers the index no smaller than the state? */
static bool is_covered(const struct xa_state *xas, uint64_t word)
{
	return word && dax_entry_order(word) >= xas->order;
}

void *dax_kernel_xas_load(struct xa_state *xas)
{
	uint64_t word;

	check_usable(xas);
	if (xas_error(xas))
		return NULL;
	word = dax_tree_load(tree_of(xas->xa), xas->xa_index);
	if (!is_covered(xas, word))
		word = 0;
	set_place(xas, last_index(xas->xa_index,
			       word ? dax_entry_order(word) : xas->order));
	return word_to_entry(word);
}

/* Nobody else changes the tree while we have the lock. */
static void must_succeed(int error)
{
	DAX_INVARIANT(!error);
	(void)error;
}

/* The entry that covers the index, as a whole. */
static void replace(struct xa_state *xas, uint64_t old, const void *entry)
{
	struct dax_tree *tree = tree_of(xas->xa);
	const unsigned int order = dax_entry_order(old);
	uint64_t word = old & WORD_MARKS;

	if (entry) {
		word |= entry_word(entry, order);
		must_succeed(dax_tree_replace(tree, xas->xa_index, old, word));
	} else {
		must_succeed(dax_tree_erase(tree, xas->xa_index, old));
	}
	set_place(xas, last_index(xas->xa_index, order));
}

static void erase_all(struct xa_state *xas)
{
	const uint64_t last = last_index(xas->xa_index, xas->order);
	struct dax_tree *tree = tree_of(xas->xa);
	struct dax_xas search;
	uint64_t word;

	dax_xas_init(&search, tree, xas->xa_index, last);
	dax_xas_for_each (&search, word)
		must_succeed(dax_tree_erase(tree, search.index, word));
	set_place(xas, last);
}

static void insert(struct xa_state *xas, const void *entry)
{
	const int error = dax_tree_insert(
		tree_of(xas->xa), xas->xa_index, entry_word(entry, xas->order));

	if (error)
		xas_set_err(xas, error);
	else
		set_place(xas, last_index(xas->xa_index, xas->order));
}

static void store(struct xa_state *xas, uint64_t old, const void *entry)
{
	if (is_covered(xas, old))
		replace(xas, old, entry);
	else if (entry)
		insert(xas, entry);
	else
		erase_all(xas);
}

static void note_store(const struct xa_state *xas, const void *entry)
{
	if (xas_error(xas))
		sync_note("stores nothing at 0x%lx: error %d", xas->xa_index,
			xas_error(xas));
	else if (!entry)
		sync_note("removes what is at 0x%lx", xas->xa_index);
	else if (xa_is_value(entry))
		sync_note("stores the value 0x%lx at 0x%lx", xa_to_value(entry),
			xas->xa_index);
	else
		sync_note("stores a pointer at 0x%lx", xas->xa_index);
}

void *dax_kernel_xas_store(struct xa_state *xas, void *entry)
{
	uint64_t old;

	check_usable(xas);
	if (xas_error(xas))
		return NULL;
	if (!entry_fits(entry) || !order_fits(xas->order)) {
		xas_set_err(xas, -EINVAL);
		return NULL;
	}
	old = dax_tree_load(tree_of(xas->xa), xas->xa_index);
	store(xas, old, entry);
	note_store(xas, entry);
	return word_to_entry(old);
}

bool dax_kernel_xas_nomem(struct xa_state *xas)
{
	void *node;

	if (xas_error(xas) != -ENOMEM)
		return false;
	node = sync_alloc(dax_tree_node_size(), 1);
	if (node)
		xas_reset(xas);
	sync_free(node);
	return node;
}

/* ---- searches ---- */

/* Starts a search up to @max. False: it is over. */
static bool search_init(
	const struct xa_state *xas, uint64_t max, struct dax_xas *search)
{
	const bool goes_on = has_place(xas);

	check_usable(xas);
	if (goes_on ? xas->last >= max : xas->xa_node != XAS_RESTART)
		return false;
	dax_xas_init(search, tree_of(xas->xa),
		goes_on ? xas->last + 1 : xas->xa_index, max);
	return true;
}

/* What a search found, if anything. */
static void *move_to(
	struct xa_state *xas, const struct dax_xas *search, uint64_t word)
{
	if (!word) {
		if (!xas_error(xas))
			xas->xa_node = XAS_BOUNDS;
		return NULL;
	}
	xas->xa_index = search->index;
	set_place(xas, last_index(search->index, dax_entry_order(word)));
	return word_to_entry(word);
}

void *dax_kernel_xas_find(struct xa_state *xas, unsigned long max)
{
	struct dax_xas search;
	uint64_t word = 0;

	if (search_init(xas, max, &search))
		word = dax_xas_next(&search);
	return move_to(xas, &search, word);
}

void *dax_kernel_xas_find_marked(
	struct xa_state *xas, unsigned long max, xa_mark_t mark)
{
	struct dax_xas search;
	uint64_t word = 0;

	if (search_init(xas, max, &search))
		word = dax_xas_next_marked(&search, tree_mark(mark));
	return move_to(xas, &search, word);
}

void *dax_kernel_xas_find_conflict(struct xa_state *xas)
{
	const uint64_t max = last_index(xas->xa_index, xas->order);
	struct dax_xas search;
	uint64_t word = 0;

	if (xas->xa_node == XAS_BOUNDS)
		xas_reset(xas);
	if (search_init(xas, max, &search))
		word = dax_xas_next(&search);
	if (word)
		set_place(xas, last_index(search.index, dax_entry_order(word)));
	else if (!xas_error(xas))
		set_place(xas, max);
	return word_to_entry(word);
}

void dax_kernel_xas_pause(struct xa_state *xas)
{
	check_usable(xas);
	if (!has_place(xas))
		return;
	xas->xa_index = xas->last + 1;
	/* Behind the last index there is none. */
	xas->xa_node = xas->xa_index ? XAS_RESTART : XAS_BOUNDS;
}

/* ---- marks ---- */

bool dax_kernel_xas_get_mark(const struct xa_state *xas, xa_mark_t mark)
{
	check_usable(xas);
	return has_place(xas) && dax_tree_get_mark(tree_of(xas->xa),
					 xas->xa_index, tree_mark(mark));
}

void dax_kernel_xas_set_mark(const struct xa_state *xas, xa_mark_t mark)
{
	check_usable(xas);
	if (has_place(xas))
		dax_tree_set_mark(
			tree_of(xas->xa), xas->xa_index, tree_mark(mark));
}

void dax_kernel_xas_clear_mark(const struct xa_state *xas, xa_mark_t mark)
{
	check_usable(xas);
	if (has_place(xas))
		dax_tree_clear_mark(
			tree_of(xas->xa), xas->xa_index, tree_mark(mark));
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* A mapping; for insertions without the lock protocol, a tree beside it. */
#include <daxlock.h>
#include <stdlib.h>

#include "tree_subject.h"

struct both {
	struct dax_mapping *m;
	struct dax_tree *tree;	/* @m's */
	struct dax_tree *alone; /* not @m's; insert_one() fills it */
	unsigned int order;
	unsigned int flags;
	dax_entry_t entry;
};

static uint64_t load_word(void *state, uint64_t index)
{
	return dax_tree_load(((struct both *)state)->tree, index);
}

TREE_LOOKUP(lookup, load_word)

static void insert_one(void *state, uint64_t number)
{
	struct both *both = state;

	if (dax_tree_insert(both->alone, number << both->order, both->entry))
		abort();
}

TREE_STEPS(insert, insert_one)

static void fault_one(void *state, uint64_t number)
{
	struct both *both = state;
	const dax_pgoff_t index = number << both->order;
	dax_entry_t entry;

	if (dax_grab_mapping_entry(both->m, index, both->order, &entry))
		abort();
	dax_insert_entry(both->m, index, &entry, index, both->flags);
	dax_unlock_entry(both->m, index, entry);
}

TREE_STEPS(fault, fault_one)

static void erase_one(void *state, uint64_t number)
{
	struct both *both = state;

	if (!dax_delete_mapping_entry(both->m, number << both->order))
		abort();
}

TREE_STEPS(erase, erase_one)

static void mark(void *state, uint64_t number)
{
	dax_tree_set_mark(((struct both *)state)->tree, number, DAX_MARK_DIRTY);
}

static void unmark(void *state, uint64_t number)
{
	dax_tree_clear_mark(
		((struct both *)state)->tree, number, DAX_MARK_DIRTY);
}

static uint64_t scan(void *state)
{
	struct dax_xas xas;
	uint64_t found = 0;
	uint64_t word;

	dax_xas_init(&xas, ((struct both *)state)->tree, 0, UINT64_MAX);
	dax_xas_for_each_marked (&xas, word, DAX_MARK_DIRTY)
		found++;
	return found;
}

static size_t bytes(const void *state)
{
	const struct both *both = state;

	return dax_tree_nr_nodes(both->tree) * dax_tree_node_size();
}

static void close_both(void *state)
{
	struct both *both = state;

	dax_mapping_delete(&both->m);
	dax_tree_delete(&both->alone);
	free(both);
}

static void *open_both(const struct tree_shape *shape)
{
	struct both *both = calloc(1, sizeof(*both));

	if (!both)
		return NULL;
	if (dax_mapping_new(NULL, &both->m) || dax_tree_new(&both->alone)) {
		close_both(both);
		return NULL;
	}
	both->tree = dax_mapping_tree(both->m);
	both->order = shape->order;
	both->flags = shape->order ? DAX_PMD : DAX_PTE;
	both->entry = dax_make_entry(1, both->flags);
	return both;
}

const struct tree_subject tree_daxlock = {
	.name = "daxlock",
	.entry_bytes = 8.4,
	.open = open_both,
	.close = close_both,
	.lookup = lookup,
	.insert = insert,
	.fault = fault,
	.erase = erase,
	.defers = true,
	.mark = mark,
	.unmark = unmark,
	.scan = scan,
	.bytes = bytes,
	.counts_bytes = true,
};

/* SPDX-License-Identifier: BSD-3-Clause */
/* What of a fault is the entry's: grab, insert, unlock. No address space, no
 * block map, no page table. */
#include <daxlock.h>
#include <stdlib.h>

#include "fault_subject.h"

struct mappings {
	struct fault_shape shape;
	struct dax_mapping *mappings[FAULT_FILES_MAX];
};

static unsigned int insert_flags(const struct fault_shape *shape)
{
	return (shape->order ? DAX_PMD : DAX_PTE) |
	       (shape->kind == FAULT_HOLE ? DAX_ZERO_PAGE : DAX_DIRTY);
}

static void fault(
	void *state, struct fault_place place, uint64_t first, uint64_t nr)
{
	const struct mappings *all = state;
	struct dax_mapping *m = all->mappings[place.file];
	const unsigned int order = all->shape.order;
	const unsigned int flags = insert_flags(&all->shape);
	const bool hole = all->shape.kind == FAULT_HOLE;

	for (uint64_t number = first; number < first + nr; number++) {
		const dax_pgoff_t index = number << order;
		dax_entry_t entry;

		if (dax_grab_mapping_entry(m, index, order, &entry))
			abort();
		dax_insert_entry(m, index, &entry,
			hole ? 0 : DAX_PFN_BASE + index, flags);
		dax_unlock_entry(m, index, entry);
	}
}

static void clean(struct dax_mapping *m)
{
	struct dax_tree *tree = dax_mapping_tree(m);
	struct dax_xas xas;
	uint64_t word;

	dax_xas_init(&xas, tree, 0, UINT64_MAX);
	dax_xas_for_each_marked (&xas, word, DAX_MARK_DIRTY)
		dax_tree_clear_mark(tree, xas.index, DAX_MARK_DIRTY);
}

static bool renew(void *state)
{
	struct mappings *all = state;

	for (unsigned int i = 0; i < all->shape.files; i++)
		if (all->shape.kind == FAULT_MKWRITE)
			clean(all->mappings[i]);
		else
			dax_delete_mapping_range(
				all->mappings[i], 0, UINT64_MAX);
	return true;
}

static void close_mappings(void *state)
{
	struct mappings *all = state;

	for (unsigned int i = 0; i < FAULT_FILES_MAX; i++)
		dax_mapping_delete(&all->mappings[i]);
	free(all);
}

static void *open_mappings(const struct fault_shape *shape)
{
	struct mappings *all = calloc(1, sizeof(*all));

	if (!all)
		return NULL;
	all->shape = *shape;
	for (unsigned int i = 0; i < shape->files; i++) {
		if (dax_mapping_new(NULL, &all->mappings[i])) {
			close_mappings(all);
			return NULL;
		}
		if (shape->kind == FAULT_MKWRITE)
			fault(all, (struct fault_place){.file = i}, 0,
				shape->pages >> shape->order);
	}
	if (shape->kind == FAULT_MKWRITE)
		renew(all);
	return all;
}

const struct fault_subject fault_entry = {
	.name = "entry",
	.floor = true,
	.page_bytes = sizeof(uint64_t),
	.open = open_mappings,
	.close = close_mappings,
	.fault = fault,
	.renew = renew,
};

/* SPDX-License-Identifier: BSD-3-Clause */
#include "mapping/mapping.h"

#include <errno.h>
#include <stddef.h>

int dax_mapping_new(
	const struct dax_mapping_params *params, struct dax_mapping **out)
{
	const struct dax_mapping_params chosen =
		params ? *params : (struct dax_mapping_params){0};
	struct dax_waitq_table *waitqs = chosen.waitqs;
	struct dax_mapping *m;
	int error;

	DAX_REQUIRE(out);
	*out = NULL;
	if (!waitqs) {
		error = dax_waitq_table_default(&waitqs);
		if (error)
			return error;
	}
	m = sync_alloc(sizeof(*m), _Alignof(struct dax_mapping));
	if (!m)
		return -ENOMEM;
	tree_init(&m->tree);
	m->waitqs = waitqs;
	m->ops = chosen.ops;
	m->owner = chosen.owner;
	m->stats = chosen.stats;
	m->pgmap = chosen.pgmap;
	error = m->pgmap ? dax_pgmap_add_owner(m->pgmap, m, &m->page_owner) : 0;
	if (error)
		sync_free(m);
	else
		*out = m;
	return error;
}

static void free_rcu(struct sync_rcu_head *head)
{
	sync_free((char *)head - offsetof(struct dax_mapping, rcu));
}

/* Whoever came from a page may be in the mapping. Without entries its tree has
 * no nodes, so that all that is left to free is the mapping. A page that others
 * had as well when pins were waited for may be pinned through one of them. */
static void leave_device(struct dax_mapping *m)
{
	mapping_drop_moved(m, 0, UINT64_MAX);
	DAX_INVARIANT(!dax_tree_nr_nodes(&m->tree));
	dax_pgmap_remove_owner(m->pgmap, m->page_owner);
	sync_rcu_call(&m->rcu, free_rcu);
}

static void destroy(struct dax_mapping *m)
{
	tree_destroy(&m->tree);
	sync_free(m);
}

void dax_mapping_delete(struct dax_mapping **m)
{
	DAX_REQUIRE(m);
	if (!*m)
		return;
	DAX_REQUIRE(!waitq_table_sleeps((*m)->waitqs, *m));
	if ((*m)->pgmap)
		leave_device(*m);
	else
		destroy(*m);
	*m = NULL;
}

void mapping_unmap(struct dax_mapping *m, dax_pgoff_t index, uint64_t word)
{
	if (m->ops && m->ops->unmap)
		m->ops->unmap(m->owner, dax_entry_start(word, index),
			entry_pages(word));
}

void mapping_account(struct dax_mapping *m, uint64_t added, uint64_t removed)
{
	sync_count(&m->nr_pages, added - removed);
}

uint64_t dax_mapping_nrpages(const struct dax_mapping *m)
{
	DAX_REQUIRE(m);
	return sync_load(&m->nr_pages, memory_order_relaxed);
}

struct dax_tree *dax_mapping_tree(struct dax_mapping *m)
{
	DAX_REQUIRE(m);
	return &m->tree;
}

const char *dax_mapping_verify(const struct dax_mapping *m)
{
	const char *wrong;
	uint64_t nr_pages;

	DAX_REQUIRE(m);
	wrong = tree_verify(&m->tree, &nr_pages);
	if (!wrong && nr_pages != dax_mapping_nrpages(m))
		wrong = "nrpages is not what the entries cover";
	if (!wrong && waitq_table_sleeps(m->waitqs, m))
		wrong = "somebody sleeps";
	return wrong;
}

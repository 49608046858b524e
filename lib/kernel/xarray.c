/* SPDX-License-Identifier: BSD-3-Clause */
/* What an XArray offers to those who have no position in it. */
#include "kernel/entry.h"

void dax_kernel_xa_init(struct xarray *xa)
{
	*xa = (struct xarray){.epoch = 0};
	spin_lock_init(&xa->xa_lock);
	tree_init(tree_of(xa));
}

void dax_kernel_xa_destroy(struct xarray *xa)
{
	tree_destroy(tree_of(xa));
}

void dax_kernel_xa_lock(struct xarray *xa)
{
	spin_lock(&xa->xa_lock);
}

void dax_kernel_xa_unlock(struct xarray *xa)
{
	xa->epoch++;
	spin_unlock(&xa->xa_lock);
}

void *dax_kernel_xa_load(struct xarray *xa, unsigned long index)
{
	return word_to_entry(dax_tree_load(tree_of(xa), index));
}

int dax_kernel_xa_get_order(struct xarray *xa, unsigned long index)
{
	return (int)dax_entry_order(dax_tree_load(tree_of(xa), index));
}

bool dax_kernel_xa_get_mark(
	struct xarray *xa, unsigned long index, xa_mark_t mark)
{
	return dax_tree_get_mark(tree_of(xa), index, tree_mark(mark));
}

bool dax_kernel_xa_marked(const struct xarray *xa, xa_mark_t mark)
{
	return dax_tree_marked(const_tree_of(xa), tree_mark(mark));
}

bool dax_kernel_xa_empty(const struct xarray *xa)
{
	return !slot_load(&const_tree_of(xa)->root);
}

void *dax_kernel_xa_store(struct xarray *xa, unsigned long index, void *entry)
{
	XA_STATE(xas, xa, index);
	void *old;

	do {
		xas_lock(&xas);
		old = xas_store(&xas, entry);
		xas_unlock(&xas);
	} while (xas_nomem(&xas, GFP_KERNEL));
	return xas_error(&xas) ? xa_mk_internal((unsigned long)xas_error(&xas))
			       : old;
}

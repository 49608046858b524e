/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What stands behind the opaque words of daxlock/kernel.h: the seam's locks,
 * parkers, words and heads, and a tree. All of them are ready when they are
 * zero, and have no rank: the order of such locks is their user's affair. The
 * seam comes first, for the names that kernel.h gives are liburcu's, too.
 */
#ifndef KERNEL_OPAQUE_H
#define KERNEL_OPAQUE_H

#include "base/sync.h"
#include "daxlock/kernel.h"
#include "tree/node.h"

#define OPAQUE_HOLDS(type, outer, member)                                      \
	_Static_assert(sizeof(type) <= sizeof(((outer *)0)->member), "fits")

OPAQUE_HOLDS(struct sync_lock, struct spinlock, opaque);
OPAQUE_HOLDS(struct sync_rcu_head, struct rcu_head, opaque);
OPAQUE_HOLDS(struct sync_parker, struct wait_queue_entry, parker);
OPAQUE_HOLDS(struct sync_u64, struct wait_queue_head, nr);
OPAQUE_HOLDS(struct dax_tree, struct xarray, tree);
_Static_assert(sizeof(unsigned long) == sizeof(uint64_t), "indices are long");

static inline struct sync_lock *sync_lock_of(spinlock_t *lock)
{
	return (struct sync_lock *)lock->opaque;
}

static inline struct dax_tree *tree_of(struct xarray *xa)
{
	return (struct dax_tree *)xa->tree;
}

static inline const struct dax_tree *const_tree_of(const struct xarray *xa)
{
	return (const struct dax_tree *)xa->tree;
}

#endif

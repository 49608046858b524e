/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What stands behind the opaque words of daxlock/kernel.h: the seam's locks,
 * parkers, words and heads. All of them are ready when they are
 * zero, and have no rank: the order of such locks is their user's affair. The
 * seam comes first, for the names that kernel.h gives are liburcu's, too.
 */
#ifndef KERNEL_OPAQUE_H
#define KERNEL_OPAQUE_H

#include "base/sync.h"
#include "daxlock/kernel.h"

#define OPAQUE_HOLDS(type, outer, member)                                      \
	_Static_assert(sizeof(type) <= sizeof(((outer *)0)->member), "fits")

OPAQUE_HOLDS(struct sync_lock, struct spinlock, opaque);
OPAQUE_HOLDS(struct sync_rcu_head, struct rcu_head, opaque);
OPAQUE_HOLDS(struct sync_parker, struct wait_queue_entry, parker);
OPAQUE_HOLDS(struct sync_u64, struct wait_queue_head, nr);

static inline struct sync_lock *sync_lock_of(spinlock_t *lock)
{
	return (struct sync_lock *)lock->opaque;
}

#endif

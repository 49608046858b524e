/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A lock that many hold shared or one holds alone. Granted in order of
 * arrival, so neither readers nor writers starve; a thread must not take it
 * shared twice, or a writer between the two would wait for ever.
 */
#ifndef SPACE_RWSEM_H
#define SPACE_RWSEM_H

#include "base/sync.h"

enum rwsem_mode {
	RWSEM_SHARED,
	RWSEM_ALONE,
};

struct rwsem_waiter;

struct rwsem {
	struct sync_lock guard;
	uint64_t shared;	    /* guarded by guard: holders */
	bool alone;		    /* guarded by guard: a holder */
	struct rwsem_waiter *first; /* guarded by guard */
	struct rwsem_waiter **last; /* guarded by guard */
	enum rank rank;		    /* const after init */
};

void rwsem_init(struct rwsem *sem, enum rank rank);
void rwsem_acquire(struct rwsem *sem, enum rwsem_mode mode);
void rwsem_release(struct rwsem *sem, enum rwsem_mode mode);

/* Of two files, alone, in the order that all agree on; or of one, twice. */
void rwsem_acquire_both(struct rwsem *a, struct rwsem *b);
void rwsem_release_both(struct rwsem *a, struct rwsem *b);

static inline void rwsem_assert_held(const struct rwsem *sem)
{
	DAX_INVARIANT(rank_holds((struct rank_lock){sem, 0, sem->rank}));
}

#endif

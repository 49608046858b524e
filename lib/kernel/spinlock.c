/* SPDX-License-Identifier: BSD-3-Clause */
#include "kernel/opaque.h"

void dax_kernel_spin_lock_init(spinlock_t *lock)
{
	sync_lock_init(sync_lock_of(lock), RANK_NONE);
}

void dax_kernel_spin_lock(spinlock_t *lock)
{
	sync_lock_acquire(sync_lock_of(lock));
}

void dax_kernel_spin_unlock(spinlock_t *lock)
{
	sync_lock_release(sync_lock_of(lock));
}

void dax_kernel_lockdep_assert_held(const spinlock_t *lock)
{
	sync_lock_assert_held((const struct sync_lock *)lock->opaque);
}

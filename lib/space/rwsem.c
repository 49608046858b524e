/* SPDX-License-Identifier: BSD-3-Clause */
#include "space/rwsem.h"

struct rwsem_waiter {
	struct sync_parker parker;
	enum rwsem_mode mode;
	struct rwsem_waiter *next; /* guarded by the guard */
};

static struct rank_lock rank_of(const struct rwsem *sem)
{
	return (struct rank_lock){.object = sem, .rank = sem->rank};
}

void rwsem_init(struct rwsem *sem, enum rank rank)
{
	*sem = (struct rwsem){.rank = rank, .last = &sem->first};
	sync_lock_init(&sem->guard, RANK_LEAF);
}

static bool enter(struct rwsem *sem, enum rwsem_mode mode)
{
	if (sem->alone || (mode == RWSEM_ALONE && sem->shared))
		return false;
	sem->alone = mode == RWSEM_ALONE;
	sem->shared += mode == RWSEM_SHARED;
	return true;
}

static void enqueue(struct rwsem *sem, struct rwsem_waiter *waiter)
{
	waiter->next = NULL;
	*sem->last = waiter;
	sem->last = &waiter->next;
}

void rwsem_acquire(struct rwsem *sem, enum rwsem_mode mode)
{
	struct rwsem_waiter waiter = {.mode = mode};
	bool entered;

	rank_check(rank_of(sem));
	sync_lock_acquire(&sem->guard);
	entered = !sem->first && enter(sem, mode);
	if (!entered) {
		sync_parker_init(&waiter.parker);
		enqueue(sem, &waiter);
	}
	sync_lock_release(&sem->guard);
	/* Whoever unparks us has entered for us. */
	while (!entered)
		entered = sync_park(&waiter.parker, SYNC_FOREVER);
	rank_push(rank_of(sem));
}

/* Those at the head who fit in now; they have entered. */
static struct rwsem_waiter *admit(struct rwsem *sem)
{
	struct rwsem_waiter *admitted = sem->first;
	struct rwsem_waiter **end = &admitted;

	while (*end && enter(sem, (*end)->mode))
		end = &(*end)->next;
	sem->first = *end;
	if (!sem->first)
		sem->last = &sem->first;
	*end = NULL;
	return admitted;
}

void rwsem_release(struct rwsem *sem, enum rwsem_mode mode)
{
	struct rwsem_waiter *waiter;

	rank_pop(rank_of(sem));
	sync_lock_acquire(&sem->guard);
	if (mode == RWSEM_ALONE)
		sem->alone = false;
	else
		sem->shared--;
	waiter = admit(sem);
	sync_lock_release(&sem->guard);
	while (waiter) {
		/* Gone as soon as it is unparked. */
		struct rwsem_waiter *next = waiter->next;

		sync_unpark(&waiter->parker);
		waiter = next;
	}
}

void rwsem_acquire_both(struct rwsem *a, struct rwsem *b)
{
	struct rwsem *first = (uintptr_t)a < (uintptr_t)b ? a : b;
	struct rwsem *last = first == a ? b : a;

	rwsem_acquire(first, RWSEM_ALONE);
	if (last != first)
		rwsem_acquire(last, RWSEM_ALONE);
}

void rwsem_release_both(struct rwsem *a, struct rwsem *b)
{
	rwsem_release(a, RWSEM_ALONE);
	if (b != a)
		rwsem_release(b, RWSEM_ALONE);
}

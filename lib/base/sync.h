/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The one seam to the machine. Every atomic, lock, park, RCU section,
 * allocation and clock of the library goes through these names; nothing else
 * in lib/ knows threads. A build chooses one implementation: sync_native.h, or
 * the explorer's, which runs the same callers under a scheduler of its own.
 * All of it is inline: choosing costs the native build nothing.
 *
 * An implementation defines:
 *
 *   struct sync_u64		an atomic word, only touched by
 *   sync_load(w, order)	returns the value
 *   sync_store(w, v, order)
 *   sync_cas(w, &expected, v, order)
 *				true: stored @v with @order, which is not
 *				relaxed. false: @expected is what was found
 *				(acquire). Never spurious.
 *   sync_swap(w, v, order), sync_add(w, v, order), sync_sub(...),
 *   sync_or(w, bits, order), sync_and(w, bits, order)
 *				return the value before
 *   sync_count(w, delta)	adds @delta to a count, relaxed; returns
 *				nothing, so two may come in any order
 *   sync_reserve(w, closed, order)
 *				adds 1; false: @w has the bit @closed, and what
 *				was added means nothing. Two that are true may
 *				come in any order
 *   sync_barrier()		full: of two threads that each store, pass one
 *				and load what the other stores, one sees it
 *   sync_barrier_after_rmw()	the same, for what the thread changed by a
 *				read-modify-write; nothing where those are full
 *				barriers themselves
 *
 *   struct sync_lock		a mutual exclusion lock, with a rank
 *   sync_lock_init(l, rank), sync_lock_acquire(l), sync_lock_release(l),
 *   sync_lock_assert_held(l)
 *
 *   struct sync_parker		where one thread sleeps until another says so
 *   sync_parker_init(p)	forgets an earlier unpark
 *   sync_park(p, deadline)	true: unparked (before or meanwhile), acquire;
 *				false: @deadline (sync_now(), ns) has passed
 *   sync_unpark(p)		release; @p may be gone as soon as its owner
 *				sees the unpark
 *   SYNC_FOREVER		a deadline that never passes
 *
 *   struct sync_spin		a short wait for a word that soon changes
 *   SYNC_SPIN_INIT, sync_spin_again(s)
 *				false: waited long enough to go and park
 *
 *   struct sync_rcu_head	embedded in what is freed after a grace period
 *   sync_rcu_enter(), sync_rcu_leave()
 *				nest; any thread, registered on first use;
 *				nobody parks inside
 *   sync_rcu_try_enter()	what the usual thread needs to enter, and no
 *				call; NULL: it takes sync_rcu_enter()
 *   sync_rcu_leave_quickly(r)	the way out after it, as good as
 *				sync_rcu_leave(); @r is what it returned
 *   sync_rcu_call(head, fn)	@fn runs when all who were inside have left
 *   sync_rcu_barrier()		returns when every fn given before has run
 *   sync_rcu_synchronize()	returns when all who were inside have left; in
 *				the child of a fork(2), too, which has no
 *				thread that would run callbacks, if at the fork
 *				no other thread was inside, or waited for those
 *   sync_rcu_relieve()		after sync_rcu_call(), with no lock held that
 *				others may want soon: takes a nap when very much
 *				is to be freed, and never waits for a reader
 *
 *   sync_alloc(size, align)	zeroed bytes or NULL; sync_free(p)
 *   struct sync_cache		blocks of one size, of which there are many
 *   SYNC_CACHE_INIT(cache, size, align)
 *   sync_cache_alloc(cache)	a zeroed block or NULL;
 *				sync_cache_free(cache, block)
 *   sync_now()			monotonic nanoseconds
 *   sync_thread_id()		this thread, as a debugger numbers it; not 0
 *   SYNC_THREAD_LOCAL		storage class of a variable that each thread
 *				has for itself
 *   sync_once(once, fn)	runs @fn once; struct sync_once, SYNC_ONCE_INIT
 *
 *   sync_peek(expression)	the expression, which only loads, and only for
 *				an assertion; no step of a thread to the
 *				explorer
 *   SYNC_DEVIATION(name)	true: make the mistake of that name
 *				(explore/deviations.h); only in explorer
 *				builds, elsewhere the constant 0
 *   sync_note(format, ...)	a line for the explorer's table of who did
 *				what; elsewhere nothing, not even evaluated
 *   sync_note_key(what, owner, index, parker)
 *				what becomes of a key that threads sleep on,
 *				for the explorer's sentence about a lost
 *				wake-up; a sync_note() just before says it in
 *				words, but for sleeping and waking
 *
 * Checked builds of an implementation add sync_rank_chain(): this thread's
 * chain of held locks (rank.h); sync_alloc_fail_nth(n): the n-th allocation
 * from now fails (0: none); and sync_alloc_live(): blocks allocated and not
 * freed.
 */
#ifndef BASE_SYNC_H
#define BASE_SYNC_H

#include "base/rank.h"

/* Of a key: an owner and an index. */
enum sync_key_note {
	KEY_NOTHING,
	KEY_SLEEPS,	/* this thread is queued on it, and parks in @parker */
	KEY_WAKES_NEXT, /* this thread looks for one sleeper */
	KEY_WAKES_ALL,
	KEY_TAKES,	/* and finds the one in @parker */
	KEY_LOCKS,	/* this thread has what the key stands for */
	KEY_UNLOCKS,
	KEY_ENDS,	/* nothing has the key any more */
};

#ifdef DAX_EXPLORE
#include "explore/sync_explore.h"
#else
#include "base/sync_native.h"
#endif

#endif

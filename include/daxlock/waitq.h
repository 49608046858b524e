/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: daxlock/waitq.h - hashed wait queues with exclusive sleepers
 *
 * A sleeper names what it sleeps on by a key: an owner and an index. Keys are
 * hashed onto a table of queues. A waker names the same key. Keys are
 * compared, so that two of them in one queue cost time and never a wake.
 *
 * To sleep until a condition holds, and to make it hold:
 *
 *   sleeper                                waker
 *   q = dax_waitq_lock(table, key)
 *   (A) look at the condition; if it
 *       holds, dax_waitq_unlock(q), done
 *   (B) say that somebody sleeps
 *   dax_waitq_enqueue_locked(q, ...)
 *   dax_waitq_unlock(q)
 *                                          (C) make the condition hold
 *                                          (D) does anybody sleep? no: done
 *                                          q = dax_waitq_lock(table, key)
 *                                          dax_waitq_take_locked(q, ...)
 *                                          dax_waitq_unlock(q)
 *                                          dax_waitq_wake(&woken)
 *   dax_waitq_sleep(q, ...)
 *
 * Forbidden: asleep although the condition holds and every waker is done. When
 * (A)-(B) and (C)-(D) are each one atomic operation on one word, (C) after (B)
 * sees at (D) that somebody sleeps, and then waits for the queue's lock until
 * the sleeper is queued; (C) before (A) is seen at (A). The entry lock does it
 * so: the condition and "somebody sleeps" are two bits of the entry's word.
 *
 * Rules for who sleeps exclusively
 *
 * R1  A woken exclusive sleeper owes a wake. It takes what it waited for, and
 *     whoever gives that up wakes the next; or it declines, and wakes the next
 *     itself, with the same key.
 * R2  A sleeper that finds that its key means nothing any more cannot do that.
 *     So whoever takes the meaning from a key wakes all.
 * R3  dax_waitq_sleep() returns an error only to a sleeper that was not chosen
 *     by any waker: it owes nothing.
 *
 * Context: calls named ..._locked hold the queue (rank WAITQ) from
 * dax_waitq_lock() to dax_waitq_unlock(); a thread holds at most one, and
 * holds none when it sleeps or wakes.
 * Threads: any number, but one for each &struct dax_waiter.
 * Models: fs/dax.c wait_table, dax_wake_entry(), v6.12; kernel/sched/wait.c
 * prepare_to_wait_exclusive(), finish_wait().
 */
#ifndef DAXLOCK_WAITQ_H
#define DAXLOCK_WAITQ_H

#include <stdbool.h>
#include <stdint.h>

#include <daxlock/attributes.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/** DAX_WAITQ_TABLE_QUEUES - queues in the table that mappings share */
#define DAX_WAITQ_TABLE_QUEUES 4096

/** DAX_WAITQ_TABLE_PASSES - how often the first in line for an entry is passed
 */
#define DAX_WAITQ_TABLE_PASSES 1000

struct dax_waitq;
struct dax_waitq_table;

/**
 * struct dax_wait_key - what a thread sleeps on
 * @owner: compared by address, never followed
 * @index: compared
 */
struct dax_wait_key {
	const void *owner;
	uint64_t index;
};

/**
 * enum dax_wait_mode - how a thread sleeps
 * @DAX_WAIT_EXCLUSIVE: in order of arrival; woken one at a time (R1)
 * @DAX_WAIT_SHARED: woken by every wake of its key; owes nothing
 */
enum dax_wait_mode {
	DAX_WAIT_EXCLUSIVE,
	DAX_WAIT_SHARED,
};

/**
 * enum dax_wake_mode - whom a wake takes, of those with its key
 * @DAX_WAKE_NEXT: every shared sleeper and the first exclusive one
 * @DAX_WAKE_ALL: all
 */
enum dax_wake_mode {
	DAX_WAKE_NEXT,
	DAX_WAKE_ALL,
};

/**
 * struct dax_waiter - a sleeper's record, on its stack
 *
 * Set to {0} before the first use. May be used for any number of sleeps, one
 * after the other. An exclusive sleeper that DAX_WAKE_NEXT chose, and that
 * sleeps on the same key again, goes to the head of the queue: it waited
 * longest.
 */
struct dax_waiter {
	/* private: */
	uint64_t opaque[12];
};

/**
 * struct dax_woken - sleepers taken from a queue, to be woken
 *
 * On the stack; filled by dax_waitq_take_locked().
 */
struct dax_woken {
	/* private: */
	void *first;
};

/**
 * struct dax_cancel - lets any thread end another's sleep
 *
 * Set up by dax_cancel_init(); for one sleeper at a time; must outlive its
 * sleeps and every dax_cancel_fire().
 */
struct dax_cancel {
	/* private: */
	uint64_t opaque[4];
};

/**
 * struct dax_wait_limit - when to give up
 * @deadline_ns: on CLOCK_MONOTONIC, in ns; UINT64_MAX: never
 * @cancel: or NULL
 */
struct dax_wait_limit {
	uint64_t deadline_ns;
	struct dax_cancel *cancel;
};

/**
 * dax_waitq_table_new() - a table of queues
 * @nr_queues: a power of two; 1 makes every key collide
 * @seed: of the hash; 0 chooses one at random
 * @out: the table, or NULL on error
 *
 * Return: 0; -EINVAL @nr_queues is 0 or no power of two; -ENOMEM.
 */
int dax_waitq_table_new(unsigned int nr_queues, uint64_t seed,
	struct dax_waitq_table **out) DAX_MUST_CHECK;

/**
 * dax_waitq_table_delete() - free a table
 * @table: set to NULL; NULL is accepted; nobody sleeps in it
 *
 * Threads: no call that uses it may run; the unlock of an entry does until it
 *	returns, even when the mapping is gone.
 */
void dax_waitq_table_delete(struct dax_waitq_table **table);

/**
 * dax_waitq_table_limit_passes() - how unfair may the locks of entries be
 * @table: nobody has used it yet
 * @passes: how often others may lock an entry while somebody is first in line
 *	for it; DAX_WAITQ_TABLE_PASSES if this is not called
 *
 * Whoever sleeps to lock or to grab an entry stands in line, and is woken when
 * its turn has come; whoever is awake may still be faster. After @passes times
 * the entry is not unlocked but handed over to the first in line. All others
 * wait until it runs: with few passes locks are fair, and slow.
 *
 * Whoever waits for an entry to be free, to drop it or to lock it for a page,
 * stands in no line, and has its chance when the entry is unlocked: without
 * @passes not before nobody stands in line.
 *
 * So a sleeper that has N others before it is passed by those who came later at
 * most (N + 1) * @passes times, and once more if it fell asleep while the entry
 * was being unlocked. The count begins anew with an entry that is made anew.
 */
void dax_waitq_table_limit_passes(
	struct dax_waitq_table *table, unsigned int passes);

/**
 * dax_waitq_table_default() - the table of this process
 * @out: the table; never freed; written only on success
 *
 * DAX_WAITQ_TABLE_QUEUES queues with a random seed, made at the first call.
 *
 * Return: 0; -ENOMEM.
 */
int dax_waitq_table_default(struct dax_waitq_table **out) DAX_MUST_CHECK;

/**
 * dax_waitq_lock() - lock the queue of a key
 * @table: table
 * @key: key
 *
 * Context: takes WAITQ. Hold no WAITQ.
 * Ordering: acquire; pairs with the release in dax_waitq_unlock().
 * Return: the queue.
 */
struct dax_waitq *dax_waitq_lock(
	struct dax_waitq_table *table, const struct dax_wait_key *key);

/** dax_waitq_unlock() - unlock a queue */
void dax_waitq_unlock(struct dax_waitq *queue);

/**
 * dax_waitq_enqueue_locked() - join a queue
 * @queue: locked, of @key
 * @waiter: the caller's record; not queued
 * @key: key
 * @mode: how
 *
 * The caller unlocks the queue and calls dax_waitq_sleep(), always.
 */
void dax_waitq_enqueue_locked(struct dax_waitq *queue,
	struct dax_waiter *waiter, const struct dax_wait_key *key,
	enum dax_wait_mode mode);

/**
 * dax_waitq_sleep() - sleep until chosen by a waker, or give up
 * @queue: of dax_waitq_enqueue_locked(), unlocked
 * @waiter: queued there
 * @limit: when to give up; NULL: never
 *
 * Context: sleeps. Hold nothing that the waker needs.
 * Ordering: acquire; pairs with the release in dax_waitq_wake().
 * Return: 0 chosen (R1); -ETIMEDOUT, -ECANCELED not chosen (R3).
 */
int dax_waitq_sleep(struct dax_waitq *queue, struct dax_waiter *waiter,
	const struct dax_wait_limit *limit) DAX_MUST_CHECK;

/**
 * dax_waitq_take_locked() - take sleepers from a queue
 * @queue: locked, of @key
 * @key: whose sleepers
 * @mode: which of them
 * @woken: the sleepers; the caller unlocks the queue, then wakes them
 *
 * Return: true: others still sleep on @key.
 */
bool dax_waitq_take_locked(struct dax_waitq *queue,
	const struct dax_wait_key *key, enum dax_wake_mode mode,
	struct dax_woken *woken);

/**
 * dax_waitq_wake() - wake sleepers that were taken
 * @woken: of dax_waitq_take_locked(); none is fine
 *
 * Context: does not sleep. Hold no WAITQ.
 * Ordering: release.
 */
void dax_waitq_wake(struct dax_woken *woken);

/** dax_cancel_init() - make a &struct dax_cancel ready */
void dax_cancel_init(struct dax_cancel *cancel);

/**
 * dax_cancel_fire() - end the sleep of whoever waits with @cancel
 * @cancel: cancel
 *
 * A sleeper that no waker has chosen yet returns -ECANCELED; so does every
 * later sleep with @cancel. A chosen one is not disturbed.
 *
 * Context: does not sleep. Takes and drops WAITQ.
 * Threads: any number.
 */
void dax_cancel_fire(struct dax_cancel *cancel);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif

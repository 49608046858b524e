/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A queue and its sleepers.
 *
 * W1  Whoever takes a waiter from its queue, and nobody else, unparks it, once.
 * W2  A waiter that finds itself taken waits for that unpark, however late its
 *     own deadline: its record stays until the taker is done with it.
 */
#ifndef WAITQ_QUEUE_H
#define WAITQ_QUEUE_H

#include "base/sync.h"
#include "daxlock/waitq.h"

struct waiter {
	/* In a queue's list: guarded by queue->lock. Taken: owned by whoever
	 * took it, @next is then the list of what it took. */
	struct waiter *next;
	struct waiter *previous;
	struct dax_wait_key key;   /* guarded by queue->lock */
	enum dax_wait_mode mode;   /* guarded by queue->lock */
	bool queued;		   /* guarded by queue->lock */
	bool cancelled;		   /* written by the taker, before the unpark */
	bool next_in_line;	   /* written by the taker, before the unpark:
				    * it alone was chosen, in its turn */
	struct sync_parker parker; /* W1 */
	/* Of mappings with statistics; written by the sleeper, not queued. */
	unsigned int sleeps; /* of this call; 0: what follows is not known */
	uint64_t thread;
	uint64_t since_ns; /* of the first of them */
};

struct waiters {
	struct waiter *first;
	struct waiter *last;
};

struct dax_waitq {
	struct sync_lock lock;
	struct waiters exclusive; /* guarded by @lock, in order of arrival */
	struct waiters shared;	  /* guarded by @lock */
} __attribute__((aligned(64)));

struct dax_waitq_table {
	uint64_t seed;	    /* const after init */
	unsigned int shift; /* const after init: 64 - log2(queues) */
	struct dax_waitq queues[];
};

struct cancel {
	struct sync_lock lock;
	struct waiter *sleeper;	 /* guarded by @lock */
	struct dax_waitq *queue; /* guarded by @lock: where @sleeper is */
	bool fired;		 /* guarded by @lock */
};

static inline struct waiter *waiter_of(struct dax_waiter *waiter)
{
	_Static_assert(sizeof(struct waiter) <= sizeof(*waiter), "fits");
	return (struct waiter *)waiter;
}

static inline struct cancel *cancel_of(struct dax_cancel *cancel)
{
	_Static_assert(sizeof(struct cancel) <= sizeof(*cancel), "fits");
	return (struct cancel *)cancel;
}

static inline bool waitq_same_key(
	const struct dax_wait_key *a, const struct dax_wait_key *b)
{
	return a->index == b->index && a->owner == b->owner;
}

/* Takes @waiter out if it is still queued; the caller then follows W1. */
bool waitq_withdraw(struct dax_waitq *queue, struct waiter *waiter);

/* False: fired already, and @waiter is not known to @cancel. */
bool cancel_arm(
	struct cancel *cancel, struct dax_waitq *queue, struct waiter *waiter);
void cancel_disarm(struct cancel *cancel);

/* Does anybody sleep there on another key than @key? */
bool waitq_has_others_locked(
	const struct dax_waitq *queue, const struct dax_wait_key *key);

/* Calls @visit, under its queue's lock, for each sleeper with @owner in its
 * key. */
void waitq_table_each(struct dax_waitq_table *table, const void *owner,
	void (*visit)(const struct waiter *waiter, void *context),
	void *context);

/* Does anybody sleep with @owner in its key, or at all when it is NULL? */
bool waitq_table_sleeps(struct dax_waitq_table *table, const void *owner);

#endif

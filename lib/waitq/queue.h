/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A queue and its sleepers.
 *
 * W1  Whoever takes a waiter from its queue, and nobody else, unparks it, once.
 * W2  A waiter that finds itself taken waits for that unpark, however late its
 *     own deadline: its record stays until the taker is done with it.
 *
 * Standing in line (WAITQ_IN_LINE): who is chosen keeps its place until it has
 * what it waits for, so that nobody behind it is chosen meanwhile, and whoever
 * passes it can be counted.
 *
 *   asleep --- chosen ---> awake, in line --- leaves, or wake-all ---> out
 *     ^ |                     |    |
 *     | | taken               |    | handed over
 *     | v                     |    v
 *     | out                   |   out
 *     +---- stands again -----+
 *
 * W3  Whoever chooses a waiter in line unparks it, once (W1). It is not chosen
 *     again before it stands again, and whoever takes it from the line before
 *     that does not unpark it: it is awake.
 * W4  What it waits for may be handed over to it, asleep or chosen, which takes
 *     it from the line. One that is chosen looks before it sleeps or gives up.
 * W5  One that was chosen and gives up wakes the next.
 */
#ifndef WAITQ_QUEUE_H
#define WAITQ_QUEUE_H

#include "base/sync.h"
#include "daxlock/waitq.h"

struct waiter {
	struct waiter *next;	   /* guarded by queue->lock */
	struct waiter *previous;   /* guarded by queue->lock */
	struct waiter *next_woken; /* owned by whoever is to unpark it */
	struct dax_wait_key key;   /* guarded by queue->lock */
	enum dax_wait_mode mode;   /* guarded by queue->lock */
	bool queued;		   /* guarded by queue->lock */
	bool cancelled;		   /* written by the taker, before the unpark */
	bool next_in_line;	   /* written by the taker, before the unpark:
				    * it alone was chosen, in its turn */
	bool chosen;		   /* in line; guarded by queue->lock, and not
				    * changed while it is awake */
	bool granted;		   /* in line; guarded by queue->lock */
	unsigned int passed;	   /* in line; guarded by queue->lock: how often
				    * a wake came to it or was not for it */
	unsigned int order;	   /* in line; const while queued: of the entry
				    * that it waits for */
	struct sync_parker parker; /* W1 */
	/* Of mappings with statistics; guarded by queue->lock, and written by
	 * the sleeper only. */
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

/* Exclusive, and in line: not for callers of the library, who could not know
 * what they were handed. */
#define WAITQ_IN_LINE ((enum dax_wait_mode)(DAX_WAIT_SHARED + 1))

struct dax_waitq_table {
	uint64_t seed;	    /* const after init */
	unsigned int shift; /* const after init: 64 - log2(queues) */
	/* Const after init: how often one in line is passed. */
	unsigned int passes;
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

/* Takes @waiter out if it is still queued, and nobody has chosen it; the caller
 * then follows W1. */
bool waitq_withdraw(struct dax_waitq *queue, struct waiter *waiter);

/* Without a word to it: its own doing, or W4. */
void waitq_remove_locked(struct dax_waitq *queue, struct waiter *waiter);

bool waitq_sleeps_locked(
	const struct dax_waitq *queue, const struct dax_wait_key *key);

/* ---- line.c ---- */

/* The first one in line with @key. */
struct waiter *waitq_heir_locked(
	const struct dax_waitq *queue, const struct dax_wait_key *key);

/* Hands what the caller has, and all who sleep on @key wait for, over to the
 * first of them that waits for one of @order, if it was passed @passes times.
 * The caller unlocks the queue, then wakes @woken. */
bool waitq_hand_over_locked(struct dax_waitq *queue,
	const struct dax_wait_key *key, unsigned int order, unsigned int passes,
	struct dax_woken *woken);

/* False: fired already, and @waiter is not known to @cancel. */
bool cancel_arm(
	struct cancel *cancel, struct dax_waitq *queue, struct waiter *waiter);
void cancel_disarm(struct cancel *cancel);
bool cancel_has_fired(struct cancel *cancel);

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

#include "waitq/deviate.h"

#endif

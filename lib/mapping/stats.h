/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Counting, for mappings that have statistics.
 *
 * Their entries carry WORD_COUNTED, to which the quick ways to lock and to
 * unlock are closed as they are to an entry that is locked, or waited for: by
 * the same comparison. So who has no statistics runs the same instructions as
 * if there were none.
 */
#ifndef MAPPING_STATS_H
#define MAPPING_STATS_H

#include <stdbool.h>

#include "daxlock/stats.h"
#include "waitq/queue.h"

struct stats_holder {
	struct dax_wait_key key; /* owner NULL: free */
	uint64_t thread;
	uint64_t since_ns;
};

/* The entry with @key was locked, or is about to be unlocked, by this thread.
 */
void stats_lock(struct dax_stats *stats, struct dax_wait_key key);
void stats_unlock(struct dax_stats *stats, struct dax_wait_key key);

/* False: not known. */
bool stats_holder(struct dax_stats *stats, const struct dax_wait_key *key,
	struct stats_holder *holder);

void stats_spin(struct dax_stats *stats, const struct dax_wait_key *key);

/* Around a sleep: the first before @waiter is queued, and its result is the
 * @start of the second. */
uint64_t stats_sleep(struct waiter *waiter);
void stats_slept(struct dax_stats *stats, const struct waiter *waiter,
	uint64_t start, int error);

/* @woken was taken from @queue, which is locked. */
void stats_wake_locked(struct dax_stats *stats, const struct dax_waitq *queue,
	const struct dax_wait_key *key, const struct dax_woken *woken);

/* That wake, if there was any, was of who has the entry now. */
void stats_hand_over(struct dax_stats *stats, const struct dax_wait_key *key);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: daxlock/stats.h - what the locks of a mapping cost, and who has them
 *
 * A mapping that is made with statistics counts its locks, its sleeps and its
 * wakes, finds the entries that are slept on most, and knows which thread has
 * locked what, and since when. Made without, it pays nothing for that when it
 * locks and unlocks, and one predicted branch where a thread goes to sleep or
 * is woken.
 *
 * Guarantees
 *   G1	Counting never fails, and allocates nothing.
 *   G2	What has happened before a read, as a lock orders it, is in what is
 *	read. What happens meanwhile may be in part.
 *
 * Threads: everything here may race with all calls on the mappings, but for
 * dax_stats_delete().
 */
#ifndef DAXLOCK_STATS_H
#define DAXLOCK_STATS_H

#include <stddef.h>
#include <stdint.h>

#include <daxlock/attributes.h>
#include <daxlock/entry.h>
#include <daxlock/mapping.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

struct dax_stats;

/** DAX_STATS_TIMES - classes of sleeping time; the last has all above it */
#define DAX_STATS_TIMES 36

/** DAX_STATS_HERDS - classes of herds; the last has all above it */
#define DAX_STATS_HERDS 12

/**
 * struct dax_stats_counts - what has happened
 * @locks: times that an entry was locked, by any call
 * @spins: times that one was found locked, and free before it was slept on
 * @sleeps: times that a thread went to sleep
 * @sleeps_again: of them, in a call that had been woken before: the entry was
 *	taken again meanwhile, or another had its place
 * @gave_up: of them, ended by a deadline or a cancellation
 * @slept_ns: sleeps that took 2^i to 2^(i+1) - 1 ns, for i from 0, where 0
 *	counts as 1
 * @wakes: times that somebody looked for sleepers to wake
 * @wakes_idle: of them, that found none, or the first in line awake already
 * @collisions: of them, that had to pass over sleepers on other entries, with
 *	the same hash. Nobody is woken for that: keys are compared
 * @handed_over: times that an entry was not unlocked, but handed over to a
 *	sleeper that was passed too often (dax_waitq_table_limit_passes())
 * @woken: threads that wakes took
 * @herds: wakes that took 2^i to 2^(i+1) - 1 threads, for i from 0
 */
struct dax_stats_counts {
	uint64_t locks;
	uint64_t spins;
	uint64_t sleeps;
	uint64_t sleeps_again;
	uint64_t gave_up;
	uint64_t slept_ns[DAX_STATS_TIMES];
	uint64_t wakes;
	uint64_t wakes_idle;
	uint64_t collisions;
	uint64_t handed_over;
	uint64_t woken;
	uint64_t herds[DAX_STATS_HERDS];
};

/**
 * struct dax_stats_entry - an entry that is slept on
 * @mapping: whose; perhaps no more
 * @index: its first page
 * @sleeps: how often
 * @surplus: how many of @sleeps may have been on entries that it displaced
 * @slept_ns: for how long, since it is known
 */
struct dax_stats_entry {
	const struct dax_mapping *mapping;
	dax_pgoff_t index;
	uint64_t sleeps;
	uint64_t surplus;
	uint64_t slept_ns;
};

/**
 * dax_stats_new() - statistics, all 0
 * @out: the statistics, or NULL on error
 *
 * For one mapping or several: pass it where they are made.
 *
 * Return: 0; -ENOMEM.
 */
int dax_stats_new(struct dax_stats **out) DAX_MUST_CHECK;

/**
 * dax_stats_delete() - free statistics
 * @stats: set to NULL; NULL is accepted; no mapping has them any more
 */
void dax_stats_delete(struct dax_stats **stats);

/**
 * dax_stats_read() - what has happened since they were made
 * @stats: statistics
 * @counts: result
 *
 * Context: does not sleep. Takes and drops LEAF.
 */
void dax_stats_read(struct dax_stats *stats, struct dax_stats_counts *counts);

/**
 * dax_stats_hottest() - the entries that were slept on most
 * @stats: statistics
 * @entries: result, those with the most sleeps first
 * @nr: how many at most
 *
 * Keeps as many as fit in a table of 128. An entry that had more sleeps than a
 * hundredth of all is sure to be there, where 16 such are spread evenly.
 *
 * Context: does not sleep. Takes and drops LEAF.
 * Return: how many there are in @entries.
 */
size_t dax_stats_hottest(
	struct dax_stats *stats, struct dax_stats_entry *entries, size_t nr);

/**
 * dax_mapping_dump() - who has locked what, and who waits for it
 * @m: mapping
 * @buffer: result, always terminated when @size is not 0
 * @size: of @buffer in bytes
 *
 * A line for each entry that is locked, and after them one for each sleeper,
 * with what it sleeps on::
 *
 *	index 0x200: LOCKED|WAITERS|PMD|EMPTY pfn 0x0, by thread 4711 for 1.250
 *s index 0x200: thread 4712 sleeps for 1.249 s
 *
 * Threads and times are known of mappings with statistics; a sleeper counts
 * from its first sleep in a call. It is no snapshot: threads go on meanwhile.
 *
 * Context: does not sleep. Takes and drops WAITQ, LEAF. Walks the whole tree
 *	and all queues.
 * Return: the length of the full text in bytes, as snprintf().
 */
size_t dax_mapping_dump(struct dax_mapping *m, char *buffer, size_t size);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Statistics are kept in shards, by entry: threads that are at different
 * entries mostly do not meet here, and whatever is known of an entry is under
 * one lock.
 */
#include "mapping/stats.h"

#include <errno.h>

#include "base/check.h"
#include "base/sync.h"

#define NR_SHARDS  16
#define NR_HOLDERS 16
#define NR_HOTTEST 8

struct shard {
	struct sync_lock lock;
	struct dax_stats_counts counts;		    /* guarded by @lock */
	struct stats_holder holders[NR_HOLDERS];    /* guarded by @lock */
	struct dax_stats_entry hottest[NR_HOTTEST]; /* guarded by @lock */
} __attribute__((aligned(64)));

struct dax_stats {
	struct shard shards[NR_SHARDS];
};

int dax_stats_new(struct dax_stats **out)
{
	struct dax_stats *stats;

	DAX_REQUIRE(out);
	*out = NULL;
	stats = sync_alloc(sizeof(*stats), _Alignof(struct dax_stats));
	if (!stats)
		return -ENOMEM;
	for (unsigned int i = 0; i < NR_SHARDS; i++)
		sync_lock_init(&stats->shards[i].lock, RANK_LEAF);
	*out = stats;
	return 0;
}

void dax_stats_delete(struct dax_stats **stats)
{
	DAX_REQUIRE(stats);
	sync_free(*stats);
	*stats = NULL;
}

/* Neighbours are apart, and so are large entries side by side. */
static struct shard *shard_lock(
	struct dax_stats *stats, const struct dax_wait_key *key)
{
	const uint64_t hash = key->index ^ key->index >> DAX_PMD_ORDER;
	struct shard *shard = &stats->shards[hash % NR_SHARDS];

	sync_lock_acquire(&shard->lock);
	return shard;
}

static void shard_unlock(struct shard *shard)
{
	sync_lock_release(&shard->lock);
}

/* The class of a number: log2, where 0 is as 1, and @nr ends the classes. */
static unsigned int class_of(uint64_t number, unsigned int nr)
{
	const unsigned int log2 =
		63 - (unsigned int)__builtin_clzll(number | 1);

	return log2 < nr ? log2 : nr - 1;
}

/* ---- holders ---- */

static struct stats_holder *holder_find_locked(
	struct shard *shard, const struct dax_wait_key *key)
{
	for (unsigned int i = 0; i < NR_HOLDERS; i++)
		if (waitq_same_key(&shard->holders[i].key, key))
			return &shard->holders[i];
	return NULL;
}

void stats_lock(struct dax_stats *stats, struct dax_wait_key key)
{
	static const struct dax_wait_key free_key;
	const uint64_t now = sync_now();
	struct shard *shard = shard_lock(stats, &key);
	struct stats_holder *holder = holder_find_locked(shard, &free_key);

	shard->counts.locks++;
	/* With too many at once, some are not known. */
	if (holder)
		*holder = (struct stats_holder){key, sync_thread_id(), now};
	shard_unlock(shard);
}

void stats_unlock(struct dax_stats *stats, struct dax_wait_key key)
{
	struct shard *shard = shard_lock(stats, &key);
	struct stats_holder *holder = holder_find_locked(shard, &key);

	if (holder)
		*holder = (struct stats_holder){0};
	shard_unlock(shard);
}

bool stats_holder(struct dax_stats *stats, const struct dax_wait_key *key,
	struct stats_holder *holder)
{
	struct shard *shard = shard_lock(stats, key);
	const struct stats_holder *found = holder_find_locked(shard, key);

	if (found)
		*holder = *found;
	shard_unlock(shard);
	return found;
}

/* ---- sleeps ---- */

/* The entry that is least slept on makes room for a new one, which may have
 * been there before, at most as often ("space saving"; Metwally et al. 2005).
 */
static void heat_locked(
	struct shard *shard, const struct dax_wait_key *key, uint64_t ns)
{
	struct dax_stats_entry *coolest = shard->hottest;
	struct dax_stats_entry *entry;

	for (entry = shard->hottest; entry < shard->hottest + NR_HOTTEST;
		entry++) {
		if (entry->mapping == key->owner && entry->index == key->index)
			break;
		if (entry->sleeps < coolest->sleeps)
			coolest = entry;
	}
	if (entry == shard->hottest + NR_HOTTEST) {
		entry = coolest;
		*entry = (struct dax_stats_entry){
			.mapping = key->owner,
			.index = key->index,
			.sleeps = coolest->sleeps,
			.surplus = coolest->sleeps,
		};
	}
	entry->sleeps++;
	entry->slept_ns += ns;
}

void stats_spin(struct dax_stats *stats, const struct dax_wait_key *key)
{
	struct shard *shard = shard_lock(stats, key);

	shard->counts.spins++;
	shard_unlock(shard);
}

uint64_t stats_sleep(struct waiter *waiter)
{
	const uint64_t now = sync_now();

	if (!waiter->sleeps++) {
		waiter->thread = sync_thread_id();
		waiter->since_ns = now;
	}
	return now;
}

void stats_slept(struct dax_stats *stats, const struct waiter *waiter,
	uint64_t start, int error)
{
	const uint64_t ns = sync_now() - start;
	struct shard *shard = shard_lock(stats, &waiter->key);

	shard->counts.sleeps++;
	shard->counts.sleeps_again += waiter->sleeps > 1;
	shard->counts.gave_up += error != 0;
	shard->counts.slept_ns[class_of(ns, DAX_STATS_TIMES)]++;
	heat_locked(shard, &waiter->key, ns);
	shard_unlock(shard);
}

/* ---- wakes ---- */

void stats_wake_locked(struct dax_stats *stats, const struct dax_waitq *queue,
	const struct dax_wait_key *key, const struct dax_woken *woken)
{
	const struct waiter *waiter = woken->first;
	uint64_t herd = 0;
	struct shard *shard;

	for (; waiter; waiter = waiter->next_woken)
		herd++;
	shard = shard_lock(stats, key);
	shard->counts.wakes++;
	shard->counts.woken += herd;
	shard->counts.collisions += waitq_has_others_locked(queue, key);
	if (herd)
		shard->counts.herds[class_of(herd, DAX_STATS_HERDS)]++;
	else
		shard->counts.wakes_idle++;
	shard_unlock(shard);
}

void stats_hand_over(struct dax_stats *stats, const struct dax_wait_key *key)
{
	struct shard *shard = shard_lock(stats, key);

	shard->counts.handed_over++;
	shard_unlock(shard);
}

/* ---- reading ---- */

/* All of them are numbers of one size. */
static void counts_add(
	struct dax_stats_counts *to, const struct dax_stats_counts *from)
{
	const uint64_t *add = (const uint64_t *)from;
	uint64_t *sum = (uint64_t *)to;

	for (size_t i = 0; i < sizeof(*to) / sizeof(*sum); i++)
		sum[i] += add[i];
}

void dax_stats_read(struct dax_stats *stats, struct dax_stats_counts *counts)
{
	DAX_REQUIRE(stats && counts);
	*counts = (struct dax_stats_counts){0};
	for (unsigned int i = 0; i < NR_SHARDS; i++) {
		struct shard *shard = &stats->shards[i];

		sync_lock_acquire(&shard->lock);
		counts_add(counts, &shard->counts);
		shard_unlock(shard);
	}
}

/* Into the first @count of @entries, which are in order; room is for @nr.
 * Returns how many there are then. */
static size_t rank_entry(struct dax_stats_entry *entries, size_t count,
	size_t nr, const struct dax_stats_entry *entry)
{
	size_t i = count;

	if (count < nr)
		count++;
	else if (!nr || entries[--i].sleeps >= entry->sleeps)
		return count;
	for (; i && entries[i - 1].sleeps < entry->sleeps; i--)
		entries[i] = entries[i - 1];
	entries[i] = *entry;
	return count;
}

size_t dax_stats_hottest(
	struct dax_stats *stats, struct dax_stats_entry *entries, size_t nr)
{
	size_t count = 0;

	DAX_REQUIRE(stats && (entries || !nr));
	for (unsigned int i = 0; i < NR_SHARDS * NR_HOTTEST; i++) {
		struct shard *shard = &stats->shards[i / NR_HOTTEST];
		struct dax_stats_entry entry;

		sync_lock_acquire(&shard->lock);
		entry = shard->hottest[i % NR_HOTTEST];
		shard_unlock(shard);
		if (entry.sleeps)
			count = rank_entry(entries, count, nr, &entry);
	}
	return count;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* What both peers made of liburcu's lock-free hash table share: a table of
 * numbered nodes, with as many buckets as nodes from the start, so that it
 * never resizes. The includer defines URCU_INLINE_SMALL_FUNCTIONS, for the
 * cheapest read side there is. */
#ifndef BENCH_PEER_RCULFHASH_H
#define BENCH_PEER_RCULFHASH_H

#include <stdint.h>
#include <stdlib.h>
#include <urcu/urcu-memb.h>
#include <urcu/rculfhash.h>

struct rculfhash {
	struct cds_lfht *table;
	unsigned int order;
	void *nodes;
};

struct rculfhash_node {
	struct cds_lfht_node link;
	uint64_t number;
};

/* The factor is odd: no two of a dense range share a bucket. */
static inline unsigned long rculfhash_hash(uint64_t number)
{
	return number * 0x9e3779b97f4a7c15;
}

static inline int rculfhash_match(struct cds_lfht_node *link, const void *key)
{
	return caa_container_of(link, struct rculfhash_node, link)->number ==
	       *(const uint64_t *)key;
}

/* Inside the read side. */
static inline struct rculfhash_node *rculfhash_find(
	const struct rculfhash *hash, uint64_t number)
{
	struct cds_lfht_iter iter;
	struct cds_lfht_node *link;

	cds_lfht_lookup(hash->table, rculfhash_hash(number), rculfhash_match,
		&number, &iter);
	link = cds_lfht_iter_get_node(&iter);
	return link ? caa_container_of(link, struct rculfhash_node, link)
		    : NULL;
}

static inline struct rculfhash *rculfhash_new(
	unsigned int bits, unsigned int order)
{
	const unsigned long nr = 1ul << bits;
	struct rculfhash *hash = calloc(1, sizeof(*hash));

	if (!hash)
		return NULL;
	hash->order = order;
	hash->table =
		cds_lfht_new_flavor(nr, nr, nr, 0, &urcu_memb_flavor, NULL);
	if (!hash->table) {
		free(hash);
		return NULL;
	}
	return hash;
}

/* @reclaim: of the nodes in it; NULL when they go with @nodes. */
static inline void rculfhash_delete(
	struct rculfhash *hash, void (*reclaim)(struct rculfhash_node *node))
{
	struct cds_lfht_node *link;
	struct cds_lfht_iter iter;

	urcu_memb_read_lock();
	cds_lfht_for_each(hash->table, &iter,
		link) if (!cds_lfht_del(hash->table, link) && reclaim)
		reclaim(caa_container_of(link, struct rculfhash_node, link));
	urcu_memb_read_unlock();
	urcu_memb_barrier();
	cds_lfht_destroy(hash->table, NULL);
	free(hash->nodes);
	free(hash);
}

#endif

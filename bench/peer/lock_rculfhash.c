/* SPDX-License-Identifier: BSD-3-Clause */
/* A lock-free hash table with a mutex in each node. No node is ever removed
 * here, so nobody looks again after taking the mutex. */
#define URCU_INLINE_SMALL_FUNCTIONS
#include <pthread.h>

#include "lock_subject.h"
#include "peer/rculfhash.h"

struct node {
	_Alignas(64) struct rculfhash_node base;
	pthread_mutex_t mutex;
};

static uint64_t lock(void *state, uint64_t index)
{
	const struct rculfhash *hash = state;
	struct node *node;

	urcu_memb_read_lock();
	node = (struct node *)rculfhash_find(hash, index >> hash->order);
	pthread_mutex_lock(&node->mutex);
	urcu_memb_read_unlock();
	return (uintptr_t)node;
}

static void unlock(void *state, uint64_t index, uint64_t cookie)
{
	(void)state;
	(void)index;
	pthread_mutex_unlock(&((struct node *)(uintptr_t)cookie)->mutex);
}

LOCK_LOOPS(lock, unlock)

static void close_table(void *state)
{
	rculfhash_delete(state, NULL);
}

static void fill(struct rculfhash *hash, struct node *nodes, uint64_t nr)
{
	hash->nodes = nodes;
	urcu_memb_read_lock();
	for (uint64_t i = 0; i < nr; i++) {
		nodes[i].base.number = i;
		pthread_mutex_init(&nodes[i].mutex, NULL);
		cds_lfht_add(
			hash->table, rculfhash_hash(i), &nodes[i].base.link);
	}
	urcu_memb_read_unlock();
}

static void *open_table(const struct lock_shape *shape)
{
	const uint64_t nr = (uint64_t)1 << shape->bits;
	struct node *nodes =
		aligned_alloc(_Alignof(struct node), nr * sizeof(*nodes));
	struct rculfhash *hash = rculfhash_new(shape->bits, shape->order);

	if (nodes && hash) {
		fill(hash, nodes, nr);
		return hash;
	}
	if (hash)
		close_table(hash);
	free(nodes);
	return NULL;
}

const struct lock_subject lock_rculfhash = {
	.name = "rculfhash",
	.entry_bytes = sizeof(struct node) + sizeof(struct cds_lfht_node),
	.open = open_table,
	.close = close_table,
	.churn = churn,
	.singly = singly,
	.hand_off = hand_off,
};

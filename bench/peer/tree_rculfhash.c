/* SPDX-License-Identifier: BSD-3-Clause */
/* A lock-free hash table: a node an entry, each from malloc. */
#define URCU_INLINE_SMALL_FUNCTIONS
#include "peer/rculfhash.h"
#include "tree_subject.h"

struct node {
	struct rculfhash_node base;
	uint64_t word;
	struct rcu_head rcu;
};

static uint64_t load_word(void *state, uint64_t index)
{
	const struct rculfhash *hash = state;
	struct node *node;
	uint64_t word;

	urcu_memb_read_lock();
	node = (struct node *)rculfhash_find(hash, index >> hash->order);
	word = node ? node->word : 0;
	urcu_memb_read_unlock();
	return word;
}

TREE_LOOKUP(lookup, load_word)

static void insert_one(void *state, uint64_t number)
{
	const struct rculfhash *hash = state;
	struct node *node = malloc(sizeof(*node));

	if (!node)
		abort();
	node->base.number = number;
	node->word = 1;
	urcu_memb_read_lock();
	cds_lfht_add_unique(hash->table, rculfhash_hash(number),
		rculfhash_match, &number, &node->base.link);
	urcu_memb_read_unlock();
}

TREE_STEPS(insert, insert_one)

static void node_free(struct rcu_head *rcu)
{
	free(caa_container_of(rcu, struct node, rcu));
}

static void reclaim(struct rculfhash_node *base)
{
	urcu_memb_call_rcu(&((struct node *)base)->rcu, node_free);
}

static void erase_one(void *state, uint64_t number)
{
	const struct rculfhash *hash = state;
	struct rculfhash_node *node;

	urcu_memb_read_lock();
	node = rculfhash_find(hash, number);
	if (node && !cds_lfht_del(hash->table, &node->link))
		reclaim(node);
	urcu_memb_read_unlock();
}

TREE_STEPS(erase, erase_one)

static void close_table(void *state)
{
	rculfhash_delete(state, reclaim);
}

static void *open_table(const struct tree_shape *shape)
{
	return rculfhash_new(shape->bits, shape->order);
}

const struct tree_subject tree_rculfhash = {
	.name = "rculfhash",
	.entry_bytes = 64 + sizeof(struct cds_lfht_node),
	.open = open_table,
	.close = close_table,
	.lookup = lookup,
	.insert = insert,
	.erase = erase,
};

/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "base/check.h"
#include "waitq/queue.h"

/* ---- hash ---- */

/* Multiply and take the high bits (Fibonacci hashing): neighbouring indices
 * spread, and two multiplications keep owners apart. */
#define HASH_MULTIPLIER 0x9e3779b97f4a7c15u

static struct dax_waitq *queue_of(
	struct dax_waitq_table *table, const struct dax_wait_key *key)
{
	uint64_t hash = (uintptr_t)key->owner ^ table->seed;

	hash = (hash * HASH_MULTIPLIER ^ key->index) * HASH_MULTIPLIER;
	/* A table of one queue has a shift of 64, which C leaves undefined. */
	return &table->queues[hash >> 1 >> (table->shift - 1)];
}

/* ---- tables ---- */

int dax_waitq_table_new(
	unsigned int nr_queues, uint64_t seed, struct dax_waitq_table **out)
{
	struct dax_waitq_table *table;

	DAX_REQUIRE(out);
	*out = NULL;
	if (!nr_queues || nr_queues & (nr_queues - 1))
		return -EINVAL;
	table = sync_alloc(
		sizeof(*table) + nr_queues * sizeof(table->queues[0]),
		_Alignof(struct dax_waitq_table));
	if (!table)
		return -ENOMEM;
	table->seed = seed ? seed : sync_now() * HASH_MULTIPLIER;
	table->shift = 64 - (unsigned int)__builtin_ctz(nr_queues);
	table->passes = DAX_WAITQ_TABLE_PASSES;
	for (unsigned int i = 0; i < nr_queues; i++)
		sync_lock_init(&table->queues[i].lock, RANK_WAITQ);
	*out = table;
	return 0;
}

void dax_waitq_table_limit_passes(
	struct dax_waitq_table *table, unsigned int passes)
{
	DAX_REQUIRE(table);
	table->passes = passes;
}

void dax_waitq_table_delete(struct dax_waitq_table **table)
{
	DAX_REQUIRE(table);
	DAX_REQUIRE(!*table || !waitq_table_sleeps(*table, NULL));
	sync_free(*table);
	*table = NULL;
}

static struct sync_u64 default_table;

int dax_waitq_table_default(struct dax_waitq_table **out)
{
	/* [MO-6] The table's contents before its address. */
	uint64_t address = sync_load(&default_table, memory_order_acquire);
	struct dax_waitq_table *table;
	int error;

	DAX_REQUIRE(out);
	if (!address) {
		error = dax_waitq_table_new(DAX_WAITQ_TABLE_QUEUES, 0, &table);
		if (error)
			return error;
		/* [MO-6] As above. */
		if (sync_cas(&default_table, &address, (uintptr_t)table,
			    memory_order_acq_rel))
			address = (uintptr_t)table;
		else
			sync_free(table);
	}
	*out = (struct dax_waitq_table *)(uintptr_t)address;
	return 0;
}

static bool list_sleeps(const struct waiters *list, const void *owner)
{
	const struct waiter *waiter = list->first;

	while (waiter && owner && waiter->key.owner != owner)
		waiter = waiter->next;
	return waiter;
}

bool waitq_table_sleeps(struct dax_waitq_table *table, const void *owner)
{
	const size_t nr_queues = (size_t)1 << (64 - table->shift);
	bool sleeps = false;

	for (size_t i = 0; i < nr_queues && !sleeps; i++) {
		struct dax_waitq *queue = &table->queues[i];

		sync_lock_acquire(&queue->lock);
		sleeps = list_sleeps(&queue->exclusive, owner) ||
			 list_sleeps(&queue->shared, owner);
		sync_lock_release(&queue->lock);
	}
	return sleeps;
}

static void list_each(const struct waiters *list, const void *owner,
	void (*visit)(const struct waiter *waiter, void *context),
	void *context)
{
	const struct waiter *waiter = list->first;

	for (; waiter; waiter = waiter->next)
		if (waiter->key.owner == owner)
			visit(waiter, context);
}

void waitq_table_each(struct dax_waitq_table *table, const void *owner,
	void (*visit)(const struct waiter *waiter, void *context),
	void *context)
{
	const size_t nr_queues = (size_t)1 << (64 - table->shift);

	for (size_t i = 0; i < nr_queues; i++) {
		struct dax_waitq *queue = &table->queues[i];

		sync_lock_acquire(&queue->lock);
		list_each(&queue->exclusive, owner, visit, context);
		list_each(&queue->shared, owner, visit, context);
		sync_lock_release(&queue->lock);
	}
}

struct dax_waitq *dax_waitq_lock(
	struct dax_waitq_table *table, const struct dax_wait_key *key)
{
	struct dax_waitq *queue;

	DAX_REQUIRE(table && key);
	queue = queue_of(table, key);
	sync_lock_acquire(&queue->lock);
	return queue;
}

void dax_waitq_unlock(struct dax_waitq *queue)
{
	sync_lock_release(&queue->lock);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* A word an entry in one array: for a file whose size is known and whose holes
 * may cost memory. */
#include <stdlib.h>

#include "tree_subject.h"

#define LOCKED 2

struct flat {
	unsigned int order;
	_Atomic(uint64_t) *words;
};

static uint64_t load_word(void *state, uint64_t index)
{
	const struct flat *flat = state;

	return atomic_load_explicit(
		&flat->words[index >> flat->order], memory_order_acquire);
}

TREE_LOOKUP(lookup, load_word)

static void put(void *state, uint64_t number, uint64_t word)
{
	uint64_t empty = 0;

	atomic_compare_exchange_strong_explicit(
		&((struct flat *)state)->words[number], &empty, word,
		memory_order_acq_rel, memory_order_relaxed);
}

static void insert_one(void *state, uint64_t number)
{
	put(state, number, 1);
}

TREE_STEPS(insert, insert_one)

static void fault_one(void *state, uint64_t number)
{
	_Atomic(uint64_t) *word = &((struct flat *)state)->words[number];

	put(state, number, LOCKED | 1);
	atomic_store_explicit(
		word, number << 12 | LOCKED | 1, memory_order_release);
	atomic_exchange_explicit(word, number << 12 | 1, memory_order_release);
}

TREE_STEPS(fault, fault_one)

static void erase_one(void *state, uint64_t number)
{
	atomic_exchange_explicit(&((struct flat *)state)->words[number], 0,
		memory_order_acq_rel);
}

TREE_STEPS(erase, erase_one)

static void close_flat(void *state)
{
	struct flat *flat = state;

	free(flat->words);
	free(flat);
}

static void *open_flat(const struct tree_shape *shape)
{
	const uint64_t nr = (uint64_t)1 << shape->bits;
	struct flat *flat = calloc(1, sizeof(*flat));

	if (!flat)
		return NULL;
	flat->order = shape->order;
	flat->words = calloc(nr, sizeof(*flat->words));
	if (!flat->words) {
		free(flat);
		return NULL;
	}
	return flat;
}

const struct tree_subject tree_flat_array = {
	.name = "flat_array",
	.entry_bytes = sizeof(uint64_t),
	.open = open_flat,
	.close = close_flat,
	.lookup = lookup,
	.insert = insert,
	.fault = fault,
	.erase = erase,
	.counts_bytes = true,
};

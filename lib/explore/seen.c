/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hashes of what a search has seen. Two states whose hashes are equal are
 * taken for one: with 64 bits and a million states that happens once in 37
 * million searches.
 */
#include <stdlib.h>

#include "explore/engine.h"

static uint64_t *seen; /* 0: free */
static size_t nr_seen;
static size_t size; /* a power of two */

void seen_reset(void)
{
	free(seen);
	seen = NULL;
	size = nr_seen = 0;
}

uint64_t seen_count(void)
{
	return nr_seen;
}

/* Where @hash is, or where it would be. */
static uint64_t *place_of(uint64_t hash)
{
	size_t i = hash & (size - 1);

	while (seen[i] && seen[i] != hash)
		i = (i + 1) & (size - 1);
	return &seen[i];
}

static bool grow(void)
{
	const size_t size_before = size;
	const size_t larger = size ? 4 * size : 1 << 10;
	uint64_t *before = seen;
	uint64_t *table = calloc(larger, sizeof(*table));

	if (!table)
		return false;
	seen = table;
	size = larger;
	for (size_t i = 0; i < size_before; i++)
		if (before[i])
			*place_of(before[i]) = before[i];
	free(before);
	return true;
}

bool seen_has(uint64_t hash)
{
	return seen && *place_of(hash | !hash);
}

bool seen_add(uint64_t hash)
{
	if (2 * nr_seen >= size && !grow())
		return false;
	*place_of(hash | !hash) = hash | !hash;
	nr_seen++;
	return true;
}

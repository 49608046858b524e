/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Hashes of what a search has seen. Two states whose hashes are equal are
 * taken for one: with 64 bits and a million states that happens once in 37
 * million searches.
 */
#include <stdlib.h>

#include "explore/engine.h"

static uint64_t *seen; /* 0: free */
static uint8_t *sleeps;
static size_t nr_seen;
static size_t size; /* a power of two */

void seen_reset(void)
{
	free(seen);
	free(sleeps);
	seen = NULL;
	sleeps = NULL;
	size = nr_seen = 0;
}

uint64_t seen_count(void)
{
	return nr_seen;
}

/* Where @hash is, or would be. */
static size_t place_of(uint64_t hash)
{
	size_t i = hash & (size - 1);

	while (seen[i] && seen[i] != hash)
		i = (i + 1) & (size - 1);
	return i;
}

static void move(const uint64_t *hashes, const uint8_t *masks, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		const size_t to = hashes[i] ? place_of(hashes[i]) : 0;

		if (!hashes[i])
			continue;
		seen[to] = hashes[i];
		sleeps[to] = masks[i];
	}
}

static bool grow(void)
{
	const size_t nr = size;
	const size_t larger = size ? 4 * size : 1 << 10;
	uint64_t *hashes = seen, *more = calloc(larger, sizeof(*more));
	uint8_t *masks = sleeps, *more_masks = calloc(larger, 1);

	if (!more || !more_masks) {
		free(more);
		free(more_masks);
		return false;
	}
	seen = more;
	sleeps = more_masks;
	size = larger;
	move(hashes, masks, nr);
	free(hashes);
	free(masks);
	return true;
}

bool seen_has(uint64_t hash)
{
	return seen && seen[place_of(hash | !hash)];
}

bool seen_add(uint64_t hash)
{
	if (2 * nr_seen >= size && !grow())
		return false;
	seen[place_of(hash | !hash)] = hash | !hash;
	nr_seen++;
	return true;
}

uint8_t *seen_sleep(uint64_t hash)
{
	return &sleeps[place_of(hash | !hash)];
}

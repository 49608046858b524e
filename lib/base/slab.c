/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Blocks of one size, cut from slabs of 2 MiB, which the kernel may back with
 * one huge page each: then one entry of the TLB holds the nodes of 1 GiB of
 * file, where malloc's pages take one for each.
 *
 *   room	a slab with free blocks is in the cache's list; the one that
 *last became so is first, so that slabs fill up, or become empty returned
 *a free block that was in use; its first word leads to the next fresh	a free
 *block that never was: it is zero
 *
 * A process of a few small files shall not pay 2 MiB: the first slab takes
 * pages as they are touched, and becomes huge when it is full. Those that
 * follow are huge from the start.
 *
 * An empty slab goes back to the kernel, but for one: who comes and goes at the
 * edge of a slab would map it each time.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/check.h"
#include "base/sync.h"

/* Linux 6.1; the C library may be older. */
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

#define SLAB_BYTES ((uintptr_t)2 << 20)

/* At the start of its 2 MiB; all is guarded by the cache's lock. */
struct slab {
	struct cds_list_head room;
	void *returned;
	uint32_t nr_used;
	uint32_t nr_fresh;
	bool small; /* on small pages */
} __attribute__((aligned(SYNC_CACHE_LINE)));

static uint32_t slab_blocks(const struct sync_cache *cache)
{
	return (uint32_t)((SLAB_BYTES - sizeof(struct slab)) / cache->size);
}

static struct slab *slab_of(void *block)
{
	return (struct slab *)((uintptr_t)block & -SLAB_BYTES);
}

/* Twice the room holds 2 MiB that are aligned; the upper ones, so that each
 * mapping ends where the one before begins, and the kernel sees one area. */
static void *map_aligned(void)
{
	char *area = mmap(NULL, 2 * SLAB_BYTES, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *end = area + 2 * SLAB_BYTES;
	char *slab;

	if (area == MAP_FAILED)
		return NULL;
	slab = (char *)slab_of(area + SLAB_BYTES);
	munmap(area, (size_t)(slab - area));
	if (slab + SLAB_BYTES < end)
		munmap(slab + SLAB_BYTES, (size_t)(end - slab) - SLAB_BYTES);
	return slab;
}

/* Without the lock: to touch a huge page is to clear it. */
static struct slab *slab_new(const struct sync_cache *cache, bool small)
{
	struct slab *slab = map_aligned();

	if (!slab)
		return NULL;
	/* A wish: without huge pages all is as correct. */
	if (!small)
		madvise(slab, SLAB_BYTES, MADV_HUGEPAGE);
	slab->nr_fresh = slab_blocks(cache);
	slab->small = small;
	return slab;
}

/* False: out of memory. May drop the lock meanwhile. */
static bool make_room_locked(struct sync_cache *cache)
{
	const bool first = !cache->nr_slabs;
	struct slab *slab = cache->spare;

	cache->spare = NULL;
	if (!slab) {
		sync_lock_release(&cache->lock);
		slab = slab_new(cache, first);
		sync_lock_acquire(&cache->lock);
		if (!slab)
			return !cds_list_empty(&cache->room);
		cache->nr_slabs++;
	}
	cds_list_add(&slab->room, &cache->room);
	return true;
}

/* What slab_alloc() has to do with a block when the lock is given back. */
struct taken {
	void *block;
	bool dirty;
	bool filled; /* the last of a slab on small pages */
};

static struct taken take_locked(struct sync_cache *cache)
{
	struct slab *slab =
		cds_list_first_entry(&cache->room, struct slab, room);
	struct taken taken = {.block = slab->returned, .dirty = true};

	if (taken.block) {
		memcpy(&slab->returned, taken.block, sizeof(void *));
	} else {
		taken.block = (char *)slab + SLAB_BYTES -
			      slab->nr_fresh-- * cache->size;
		taken.dirty = false;
	}
	if (++slab->nr_used == slab_blocks(cache)) {
		cds_list_del(&slab->room);
		taken.filled = slab->small;
		slab->small = false;
	}
	return taken;
}

void *slab_alloc(struct sync_cache *cache)
{
	struct taken taken = {0};

	DAX_INVARIANT(cache->align <= SYNC_CACHE_LINE);
	sync_lock_acquire(&cache->lock);
	if (!cds_list_empty(&cache->room) || make_room_locked(cache))
		taken = take_locked(cache);
	sync_lock_release(&cache->lock);
	if (taken.dirty)
		memset(taken.block, 0, cache->size);
	/* Our block keeps the slab. Before Linux 6.1 it stays as it is. */
	if (taken.filled)
		madvise(slab_of(taken.block), SLAB_BYTES, MADV_COLLAPSE);
	return taken.block;
}

/* Puts @slab where it belongs after a block came back. Returns it if it is one
 * that is empty, and of no use. */
static struct slab *sort_locked(struct sync_cache *cache, struct slab *slab)
{
	if (slab->nr_used == slab_blocks(cache) - 1)
		cds_list_add(&slab->room, &cache->room);
	if (slab->nr_used)
		return NULL;
	cds_list_del(&slab->room);
	if (!cache->spare) {
		cache->spare = slab;
		return NULL;
	}
	cache->nr_slabs--;
	return slab;
}

void slab_free(struct sync_cache *cache, void *block)
{
	struct slab *slab = slab_of(block);
	struct slab *empty;

	sync_lock_acquire(&cache->lock);
	memcpy(block, &slab->returned, sizeof(void *));
	slab->returned = block;
	slab->nr_used--;
	empty = sort_locked(cache, slab);
	sync_lock_release(&cache->lock);
	if (empty)
		munmap(empty, SLAB_BYTES);
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "pmem/poison.h"

#include <errno.h>

#include "pmem/badblocks.h"

#define WORD_BITS 64

/* Pages of the map, from 0. */
struct run {
	uint64_t first;
	uint64_t end; /* exclusive */
};

static struct run clip(
	const struct pmem_poison *poison, uint64_t pfn, uint64_t nr)
{
	const uint64_t map_end = poison->first + poison->nr;
	uint64_t end = nr > UINT64_MAX - pfn ? UINT64_MAX : pfn + nr;

	if (pfn < poison->first)
		pfn = poison->first;
	if (end > map_end)
		end = map_end;
	if (pfn >= end)
		return (struct run){0, 0};
	return (struct run){pfn - poison->first, end - poison->first};
}

static uint64_t first_word(struct run run)
{
	return run.first / WORD_BITS;
}

static uint64_t end_word(struct run run)
{
	return (run.end + WORD_BITS - 1) / WORD_BITS;
}

/* The bits of word @i that stand for pages of @run. */
static uint64_t bits_in(struct run run, uint64_t i)
{
	const uint64_t start = i * WORD_BITS;
	const uint64_t end = start + WORD_BITS;
	uint64_t bits = UINT64_MAX;

	if (run.first > start)
		bits &= UINT64_MAX << (run.first - start);
	if (run.end < end)
		bits &= UINT64_MAX >> (end - run.end);
	return bits;
}

static bool has(const struct pmem_poison *poison, struct run run)
{
	const uint64_t end = end_word(run);
	uint64_t i = first_word(run);

	/* [MO-15] What the device gave for pages that are good again. */
	while (i < end && !(sync_load(&poison->bits[i], memory_order_acquire) &
				  bits_in(run, i)))
		i++;
	return i < end;
}

static void clear_locked(struct pmem_poison *poison, struct run run)
{
	const uint64_t end = end_word(run);

	sync_lock_assert_held(&poison->lock);
	/* [MO-15] After the device has given new storage. */
	for (uint64_t i = first_word(run); i < end; i++)
		sync_and(&poison->bits[i], ~bits_in(run, i),
			memory_order_release);
}

void pmem_poison_set(struct pmem_poison *poison, uint64_t pfn, uint64_t nr)
{
	const struct run run = clip(poison, pfn, nr);
	const uint64_t end = end_word(run);

	sync_lock_acquire(&poison->lock);
	sync_store(&poison->any, 1, memory_order_relaxed);
	for (uint64_t i = first_word(run); i < end; i++)
		sync_or(&poison->bits[i], bits_in(run, i),
			memory_order_relaxed);
	sync_lock_release(&poison->lock);
}

bool pmem_poison_has(
	const struct pmem_poison *poison, uint64_t pfn, uint64_t nr)
{
	return sync_load(&poison->any, memory_order_relaxed) &&
	       has(poison, clip(poison, pfn, nr));
}

int pmem_poison_clear(struct pmem_poison *poison, uint64_t pfn, uint64_t nr)
{
	const struct run run = clip(poison, pfn, nr);
	int error = 0;

	if (!pmem_poison_has(poison, pfn, nr))
		return 0;
	sync_lock_acquire(&poison->lock);
	/* Another clear was faster: what it was for may be written by now. */
	if (has(poison, run))
		error = pmem_badblocks_clear_pages(poison->map,
			poison->first + run.first, run.end - run.first);
	if (!error)
		clear_locked(poison, run);
	sync_lock_release(&poison->lock);
	return error;
}

void pmem_poison_forget(struct pmem_poison *poison)
{
	sync_lock_acquire(&poison->lock);
	clear_locked(poison, (struct run){0, poison->nr});
	sync_lock_release(&poison->lock);
}

/* Outward to whole pages. */
static void set_bytes(void *context, uint64_t offset, uint64_t len)
{
	const uint64_t pfn = dax_device_offset_to_pfn(offset);

	pmem_poison_set(context, pfn,
		dax_device_offset_to_pfn(offset + len - 1) - pfn + 1);
}

int pmem_poison_init(struct pmem_poison *poison, const struct dax_pmem_map *map)
{
	const uint64_t nr = dax_pmem_map_len(map) >> DAX_PAGE_SHIFT;
	int error;

	*poison = (struct pmem_poison){
		.map = map,
		.first = dax_device_offset_to_pfn(dax_pmem_map_offset(map)),
		.nr = nr,
		.bits = sync_alloc(
			(nr / WORD_BITS + 1) * sizeof(*poison->bits), 8),
	};
	if (!poison->bits)
		return -ENOMEM;
	sync_lock_init(&poison->lock, RANK_LEAF);
	error = pmem_badblocks_for_each(map, set_bytes, poison);
	if (error)
		pmem_poison_destroy(poison);
	return error;
}

void pmem_poison_destroy(struct pmem_poison *poison)
{
	sync_free(poison->bits);
	poison->bits = NULL;
}

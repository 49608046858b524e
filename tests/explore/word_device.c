/* SPDX-License-Identifier: BSD-3-Clause */
#include "explore/word_device.h"

#include "pmem/badblocks.h"

uint64_t dax_pmem_map_len(const struct dax_pmem_map *map)
{
	(void)map;
	return WORD_DEVICE_PAGES << DAX_PAGE_SHIFT;
}

uint64_t dax_pmem_map_offset(const struct dax_pmem_map *map)
{
	(void)map;
	return 0;
}

int dax_pmem_pfn_to_address(
	const struct dax_pmem_map *map, uint64_t pfn, void **address)
{
	DAX_REQUIRE(pfn - DAX_PFN_BASE < WORD_DEVICE_PAGES);
	*address = (void *)&map->words[pfn - DAX_PFN_BASE];
	return 0;
}

/* A flush that began sooner does not undo one that is over. */
static void flush(struct sync_u64 *durable, const struct sync_u64 *word)
{
	uint64_t before = sync_load(durable, memory_order_acquire);

	while (!sync_cas(durable, &before,
		sync_load(word, memory_order_acquire), memory_order_acq_rel))
		;
}

int dax_pmem_persist(
	const struct dax_pmem_map *map, const void *address, size_t len)
{
	struct dax_pmem_map *device = (struct dax_pmem_map *)map;
	const size_t first =
		(size_t)((const struct sync_u64 *)address - map->words);

	for (size_t i = 0; i < len >> DAX_PAGE_SHIFT; i++)
		flush(&device->durable[first + i], &device->words[first + i]);
	return 0;
}

/* It has no bad blocks of its own. */
int pmem_badblocks_for_each(const struct dax_pmem_map *map,
	pmem_badblock_visit *visit, void *context)
{
	(void)map;
	(void)visit;
	(void)context;
	return 0;
}

int pmem_badblocks_clear_pages(
	const struct dax_pmem_map *map, uint64_t pfn, uint64_t nr)
{
	(void)pfn;
	(void)nr;
	((struct dax_pmem_map *)map)->renewals++;
	return 0;
}

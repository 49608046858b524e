/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where a map stands decides how the kernel can map it. A 2 MiB page table
 * entry needs the address and the file offset to agree in their low 21 bits:
 *
 *   file	|<------ 2M ------>|<------ 2M ------>|
 *   PMD map	|<------ 2M ------>|<------ 2M ------>|	   same low bits
 *   PTE map	    |<------ 2M ------>|<------ 2M ------>|   4 KiB apart
 *
 * libpmem2 aligns all it maps to 2 MiB on its own, so both kinds are placed
 * inside a reservation of ours. One page of it stays empty on each side: a
 * neighbour in the same file cannot merge with the map, which would confuse
 * /proc/self/smaps, and an overrun faults.
 */
#include "pmem/map.h"

#include <errno.h>
#include <sys/mman.h>

#include "base/check.h"
#include "pmem/errormsg.h"

static uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static int check_flags(unsigned int flags)
{
	const unsigned int kind = flags & ~(unsigned int)DAX_MAP_STRICT;

	if (kind != DAX_MAP_PTE && kind != DAX_MAP_PMD)
		return pmem_fail(-EINVAL,
			"a map is either DAX_MAP_PTE or DAX_MAP_PMD");
	return 0;
}

static int check_range(const struct dax_device *dev, uint64_t offset,
	uint64_t len)
{
	const struct dax_device_info *info = &dev->info;

	if (offset % info->alignment || len % info->alignment)
		return pmem_fail(-EINVAL,
			"offset or length is no multiple of the alignment");
	if (!len || offset > info->size || len > info->size - offset)
		return pmem_fail(-EINVAL, "the range is not in the device");
	return 0;
}

/* A map's address is equal to its file offset modulo this, or a page off. */
static uint64_t modulus_of(const struct dax_pmem_map *map)
{
	return max_u64(PMEM_PMD_SIZE, map->dev->info.alignment);
}

static int reserve(struct dax_pmem_map *map)
{
	const int ret = pmem2_vm_reservation_new(&map->reservation, NULL,
		map->len + modulus_of(map) + 2 * PMEM_PTE_SIZE);

	return ret ? pmem_fail_libpmem2(ret) : 0;
}

/* Where in its reservation @map goes, in bytes. */
static size_t place_of(const struct dax_pmem_map *map)
{
	const uint64_t modulus = modulus_of(map);
	const uint64_t base = (uintptr_t)pmem2_vm_reservation_get_address(
		map->reservation);
	uint64_t low_bits = map->offset;

	if (map->flags & DAX_MAP_PTE &&
		map->dev->info.alignment == PMEM_PTE_SIZE)
		low_bits += PMEM_PTE_SIZE;
	return PMEM_PTE_SIZE + (low_bits - base - PMEM_PTE_SIZE) % modulus;
}

static int configure(
	const struct dax_pmem_map *map, struct pmem2_config *config)
{
	const unsigned int protection = map->dev->info.access ==
			DAX_ACCESS_READ_ONLY
		? PMEM2_PROT_READ
		: PMEM2_PROT_READ | PMEM2_PROT_WRITE;
	int ret;

	/* PAGE is the least a caller can ask for: no file is refused for it. */
	ret = pmem2_config_set_required_store_granularity(
		config, PMEM2_GRANULARITY_PAGE);
	if (!ret)
		ret = pmem2_config_set_offset(config, map->offset);
	if (!ret)
		ret = pmem2_config_set_length(config, map->len);
	if (!ret)
		ret = pmem2_config_set_protection(config, protection);
	if (!ret)
		ret = pmem2_config_set_vm_reservation(
			config, map->reservation, place_of(map));
	return ret;
}

static int map_into_reservation(struct dax_pmem_map *map)
{
	struct pmem2_config *config;
	int ret;

	ret = pmem2_config_new(&config);
	if (ret)
		return pmem_fail_libpmem2(ret);
	ret = configure(map, config);
	if (!ret)
		ret = pmem2_map_new(&map->map, config, map->dev->source);
	pmem2_config_delete(&config);
	return ret ? pmem_fail_libpmem2(ret) : 0;
}

static enum dax_granularity granularity_of(struct pmem2_map *map)
{
	switch (pmem2_map_get_store_granularity(map)) {
	case PMEM2_GRANULARITY_BYTE:
		return DAX_GRANULARITY_BYTE;
	case PMEM2_GRANULARITY_CACHE_LINE:
		return DAX_GRANULARITY_CACHE_LINE;
	case PMEM2_GRANULARITY_PAGE:
		break;
	}
	return DAX_GRANULARITY_PAGE;
}

/* Did the kernel do what a strict caller asked for? */
static int insist(struct dax_pmem_map *map)
{
	struct dax_map_report report;
	int ret;

	ret = dax_pmem_map_populate(map);
	if (ret)
		return ret;
	dax_pmem_map_verify(map, &report);
	if (report.unknown_bytes)
		return pmem_fail(-EOPNOTSUPP,
			"the kernel does not show how it maps the range");
	if (map->flags & DAX_MAP_PTE && report.pmd_bytes)
		return pmem_fail(-EOPNOTSUPP,
			"the kernel maps the range with 2 MiB entries");
	if (map->flags & DAX_MAP_PMD && !report.eligible_bytes)
		return pmem_fail(-EOPNOTSUPP,
			"the range has no whole, aligned 2 MiB");
	if (map->flags & DAX_MAP_PMD &&
		report.pmd_bytes < report.eligible_bytes)
		return pmem_fail(-EOPNOTSUPP,
			"the kernel maps the range with 4 KiB entries");
	return 0;
}

/* Makes the parts of @map in order; what is made is undone by unmake(). */
static int make(struct dax_pmem_map *map)
{
	int ret;

	ret = reserve(map);
	if (ret)
		return ret;
	ret = map_into_reservation(map);
	if (ret)
		return ret;
	map->address = pmem2_map_get_address(map->map);
	map->granularity = granularity_of(map->map);
	/* A hint: no kernel needs it to map a huge page that is there, some
	 * need it to make one. Those without huge pages refuse it. */
	if (map->flags & DAX_MAP_PMD)
		madvise(map->address, map->len, MADV_HUGEPAGE);
	return map->flags & DAX_MAP_STRICT ? insist(map) : 0;
}

static void unmake(struct dax_pmem_map *map)
{
	if (map->map)
		pmem2_map_delete(&map->map);
	if (map->reservation)
		pmem2_vm_reservation_delete(&map->reservation);
}

int dax_pmem_map_new(struct dax_device *dev, uint64_t offset, uint64_t len,
	unsigned int flags, struct dax_pmem_map **out)
{
	struct dax_pmem_map *map;
	int ret;

	DAX_REQUIRE(dev && out);
	*out = NULL;
	ret = check_flags(flags);
	if (!ret)
		ret = check_range(dev, offset, len);
	if (!ret)
		ret = dax_device_revalidate(dev);
	if (ret)
		return ret;
	map = sync_alloc(sizeof(*map), 0);
	if (!map)
		return pmem_fail(-ENOMEM, "no memory for the map");
	map->dev = dev;
	map->offset = offset;
	map->len = len;
	map->flags = flags;
	sync_store(&map->pmd_bytes_by_faults, PMEM_NOT_COUNTED,
		memory_order_relaxed);
	ret = make(map);
	if (ret)
		goto err_unmake;
	pmem_device_use(dev);
	*out = map;
	return 0;

err_unmake:
	unmake(map);
	sync_free(map);
	return ret;
}

void dax_pmem_map_delete(struct dax_pmem_map **mapp)
{
	struct dax_pmem_map *map = *mapp;

	if (!map)
		return;
	*mapp = NULL;
	unmake(map);
	pmem_device_unuse(map->dev);
	sync_free(map);
}

void *dax_pmem_map_address(const struct dax_pmem_map *map)
{
	return map->address;
}

uint64_t dax_pmem_map_len(const struct dax_pmem_map *map)
{
	return map->len;
}

uint64_t dax_pmem_map_offset(const struct dax_pmem_map *map)
{
	return map->offset;
}

int dax_pmem_address_to_pfn(
	const struct dax_pmem_map *map, const void *address, uint64_t *pfn)
{
	const uintptr_t into = (uintptr_t)address - (uintptr_t)map->address;

	/* An address below the map wraps round to a large distance. */
	if (into >= map->len)
		return pmem_fail(-ERANGE, "the address is not in the map");
	*pfn = dax_device_offset_to_pfn(map->offset + into);
	return 0;
}

int dax_pmem_pfn_to_address(
	const struct dax_pmem_map *map, uint64_t pfn, void **address)
{
	const uint64_t page = pfn - dax_device_offset_to_pfn(map->offset);

	if (page >= map->len / PMEM_PTE_SIZE)
		return pmem_fail(-ERANGE, "the page is not in the map");
	*address = map->address + page * PMEM_PTE_SIZE;
	return 0;
}

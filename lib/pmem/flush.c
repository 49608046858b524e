/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Making stores durable. libpmem2's functions do it below page granularity. At
 * page granularity they end the process when msync() fails, as they have no
 * way to return the error; so that case is ours.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/check.h"
#include "pmem/errormsg.h"
#include "pmem/map.h"

static bool in_map(
	const struct dax_pmem_map *map, const void *address, size_t len)
{
	const uintptr_t into = (uintptr_t)address - (uintptr_t)map->address;

	return into <= map->len && len <= map->len - into;
}

static int check_range(
	const struct dax_pmem_map *map, const void *address, size_t len)
{
	if (!in_map(map, address, len))
		return pmem_fail(-EINVAL, "the range is not in the map");
	return 0;
}

static int sync_pages(const void *address, size_t len)
{
	const size_t before = (uintptr_t)address % PMEM_PTE_SIZE;
	void *page = (void *)((uintptr_t)address - before);

	if (len && msync(page, before + len, MS_SYNC))
		return pmem_fail(-errno, "msync() failed");
	return 0;
}

int dax_pmem_flush(
	const struct dax_pmem_map *map, const void *address, size_t len)
{
	int ret;

	DAX_REQUIRE(in_map(map, address, len));
	ret = check_range(map, address, len);
	if (ret)
		return ret;
	if (map->granularity == DAX_GRANULARITY_PAGE)
		return sync_pages(address, len);
	pmem2_get_flush_fn(map->map)(address, len);
	return 0;
}

void dax_pmem_drain(const struct dax_pmem_map *map)
{
	if (map->granularity != DAX_GRANULARITY_PAGE)
		pmem2_get_drain_fn(map->map)();
}

int dax_pmem_persist(
	const struct dax_pmem_map *map, const void *address, size_t len)
{
	const int ret = dax_pmem_flush(map, address, len);

	if (!ret)
		dax_pmem_drain(map);
	return ret;
}

int dax_pmem_memcpy_persist(const struct dax_pmem_map *map, void *to,
	const void *from, size_t len)
{
	int ret;

	DAX_REQUIRE(in_map(map, to, len));
	ret = check_range(map, to, len);
	if (ret)
		return ret;
	if (map->dev->info.access == DAX_ACCESS_READ_ONLY)
		return pmem_fail(-EACCES, "the device is read-only");
	if (map->granularity == DAX_GRANULARITY_PAGE) {
		memmove(to, from, len);
		return sync_pages(to, len);
	}
	pmem2_get_memmove_fn(map->map)(to, from, len, 0);
	return 0;
}

int dax_pmem_deep_flush(
	const struct dax_pmem_map *map, void *address, size_t len)
{
	int ret;

	/* libpmem2's deep flush may leave the CPU's caches alone. */
	ret = dax_pmem_persist(map, address, len);
	if (ret || !len)
		return ret;
	ret = pmem2_deep_flush(map->map, address, len);
	return ret ? pmem_fail_libpmem2(ret) : 0;
}

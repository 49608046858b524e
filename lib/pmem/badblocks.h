/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The bad blocks of the device under a map. Where libpmem2 was built without
 * them (-EOPNOTSUPP of dax_badblocks_new()) there are none.
 */
#ifndef PMEM_BADBLOCKS_H
#define PMEM_BADBLOCKS_H

#include "daxlock/pmem.h"

/* @offset, of the device, and @len in bytes; at least in part in the map. */
typedef void pmem_badblock_visit(void *context, uint64_t offset, uint64_t len);

/* None either if this process may not ask (-EACCES, -EPERM). 0; -ENOMEM; what
 * libpmem2 said. */
int pmem_badblocks_for_each(const struct dax_pmem_map *map,
	pmem_badblock_visit *visit, void *context);

/* Gives what is bad of pages @pfn to @pfn + @nr - 1, and nothing else, new
 * storage. 0; -ENOMEM; what libpmem2 said, also that this process may not ask;
 * -EACCES the device is read-only. */
int pmem_badblocks_clear_pages(
	const struct dax_pmem_map *map, uint64_t pfn, uint64_t nr);

#endif

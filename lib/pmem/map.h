/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_MAP_H
#define PMEM_MAP_H

#include "pmem/device.h"

/* A figure that dax_pmem_map_populate() did not count. */
#define PMEM_NOT_COUNTED UINT64_MAX

struct dax_pmem_map {
	struct dax_device *dev;			   /* const after init */
	struct pmem2_vm_reservation *reservation; /* const after init */
	struct pmem2_map *map;	/* const after init; in the reservation */
	char *address;		/* const after init */
	uint64_t offset;	/* const after init */
	uint64_t len;		/* const after init */
	unsigned int flags;	/* const after init; enum dax_map_flags */
	enum dax_granularity granularity;	   /* const after init */

	/* Bytes at 2 MiB by the faults of the last populate, or
	 * PMEM_NOT_COUNTED. Relaxed: a figure on its own, nothing is read
	 * because of it. */
	struct sync_u64 pmd_bytes_by_faults;
};

/* A range of addresses; whole 2 MiB of a map, or all of it. */
struct pmem_range {
	char *start;
	uint64_t len;
};

/* populate.c: where @map can have 2 MiB entries; len 0: nowhere. */
struct pmem_range pmem_map_eligible(const struct dax_pmem_map *map);

/* populate.c: 2 MiB entries that explain why @pages pages needed no more than
 * @faults faults: each fault maps one page or 512. */
uint64_t pmem_pmds_from_faults(uint64_t pages, uint64_t faults);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PMEM_DEVICE_H
#define PMEM_DEVICE_H

#include <libpmem2.h>

#include "base/sync.h"
#include "daxlock/pmem.h"

/* The sizes of the machine's page table entries. Not DAX_PMD_ORDER, which
 * tests shrink: the hardware does not follow them. */
#define PMEM_PTE_SIZE ((uint64_t)4096)
#define PMEM_PMD_SIZE ((uint64_t)2 << 20)

struct dax_device {
	int fd;				/* const after init */
	struct pmem2_source *source;	/* const after init; uses fd */
	struct dax_device_info info;	/* const after init */

	/* Maps and bad block lists that point here. Relaxed: only the caller
	 * can know that none is being made, and must, before it deletes. */
	struct sync_u64 users;
};

static inline void pmem_device_use(struct dax_device *dev)
{
	sync_count(&dev->users, 1);
}

static inline void pmem_device_unuse(struct dax_device *dev)
{
	sync_count(&dev->users, -(uint64_t)1);
}

/* device_file.c: what the file behind @fd is. */
enum dax_backing pmem_file_backing(int fd);
uint64_t pmem_file_alignment(int fd, enum dax_backing backing);
enum dax_map_sync pmem_file_map_sync(
	int fd, const struct dax_device_info *info);

/* device_file.c: make files. A descriptor, or a negative errno. */
int pmem_file_create(const char *path, uint64_t size);
int pmem_file_memory(uint64_t size, unsigned int flags);

#endif

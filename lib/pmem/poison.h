/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Poison: the pages of a map that cannot be read. It begins with the bad blocks
 * of the device, which may be less than a page, or lie across two: their pages
 * are bad as a whole. Pages are added as they fail, and cleared on the device
 * before they are here: nobody is shown a page that the device still refuses.
 */
#ifndef PMEM_POISON_H
#define PMEM_POISON_H

#include "base/sync.h"
#include "daxlock/pmem.h"

struct pmem_poison {
	const struct dax_pmem_map *map; /* const after init */
	uint64_t first;			/* const after init; pfn */
	uint64_t nr;			/* const after init; pages */
	/* A page that fails while it is cleared stays bad. */
	struct sync_lock lock;
	/* A bit each, written under @lock. Set relaxed: nothing is read because
	 * of it, and who unmaps a page looks for those who asked too soon
	 * (MO-14). Cleared with release (MO-15). */
	struct sync_u64 *bits; /* const after init */
	struct sync_u64 any;   /* written under @lock: was one ever bad? */
};

/* 0; -ENOMEM; what libpmem2 said of the device. */
int pmem_poison_init(
	struct pmem_poison *poison, const struct dax_pmem_map *map);
void pmem_poison_destroy(struct pmem_poison *poison);

/* Of the pages @pfn to @pfn + @nr - 1, what the map does not have is left out.
 */
void pmem_poison_set(struct pmem_poison *poison, uint64_t pfn, uint64_t nr);
bool pmem_poison_has(
	const struct pmem_poison *poison, uint64_t pfn, uint64_t nr);
/* Of none of these pages does the caller need the bytes. 0; an errno of the
 * device, when all that was bad is. */
int pmem_poison_clear(struct pmem_poison *poison, uint64_t pfn, uint64_t nr);
/* As if none had failed, whatever the device says. */
void pmem_poison_forget(struct pmem_poison *poison);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A device without a file system: two PUDs of memory, of which only what is
 * touched takes any, mapped through one address space.
 */
#ifndef SUPPORT_BARE_H
#define SUPPORT_BARE_H

#include <errno.h>
#include <string.h>

#include "daxlock.h"
#include "support/cmocka.h"

#define PAGE	   DAX_PAGE_SIZE
#define PMD	   (PAGE << DAX_PMD_ORDER)
#define PUD	   (PAGE << DAX_PUD_ORDER)

#define BARE_BYTES (2 * PUD)

struct bare {
	struct dax_device *device;
	struct dax_pmem_map *map;
	struct dax_devdax *devdax;
	struct dax_mm *mm;
	uint64_t address; /* of all of it */
};

/* Aligned to @order. */
void bare_init(struct bare *bare, unsigned int order);
void bare_fini(struct bare *bare);

/* Maps @len bytes from @pos on; -EINVAL, ... */
int bare_map(struct bare *bare, uint64_t pos, uint64_t len, unsigned int flags,
	uint64_t *address);

unsigned int bare_leaf(struct bare *bare, uint64_t address);
/* The raw word of a page's entry. */
uint64_t bare_word(struct bare *bare, dax_pgoff_t index);

#endif

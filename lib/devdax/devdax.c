/* SPDX-License-Identifier: BSD-3-Clause */
/* Device DAX: the space of a range of storage that has no file system. */
#include "daxlock/devdax.h"

#include <errno.h>

#include "base/check.h"
#include "base/sync.h"
#include "daxlock/pgmap.h"
#include "pmem/poison.h"
#include "space/space.h"

struct dax_devdax {
	const struct dax_pmem_map *map; /* const after init */
	struct dax_pgmap *pgmap;	/* const after init */
	struct dax_space *space;	/* const after init */
	struct pmem_poison poison;
};

/* ---- the operations of its space: all of it is there, always ---- */

static uint64_t size(void *owner)
{
	const struct dax_devdax *device = owner;

	return dax_pmem_map_len(device->map);
}

static int iomap_begin(
	void *owner, enum dax_iomap_use use, struct dax_iomap *iomap)
{
	const struct dax_devdax *device = owner;

	(void)use;
	iomap->pfn = dax_device_offset_to_pfn(
		dax_pmem_map_offset(device->map) + iomap->pos);
	iomap->type = DAX_IOMAP_MAPPED;
	return 0;
}

static void iomap_end(void *owner, const struct dax_iomap *iomap)
{
	(void)owner;
	(void)iomap;
}

static int direct_access(void *owner, uint64_t pfn, uint64_t nr, void **address)
{
	const struct dax_devdax *device = owner;

	if (pmem_poison_has(&device->poison, pfn, nr))
		return -EHWPOISON;
	return dax_pmem_pfn_to_address(device->map, pfn, address) ? -ENXIO : 0;
}

static int flush(void *owner, uint64_t pfn, uint64_t nr)
{
	const struct dax_devdax *device = owner;
	void *address;
	int error = dax_pmem_pfn_to_address(device->map, pfn, &address);

	if (!error)
		error = dax_pmem_persist(
			device->map, address, nr << DAX_PAGE_SHIFT);
	return error ? -EIO : 0;
}

/* There is no metadata. */
static int sync_nothing(void *owner)
{
	(void)owner;
	return 0;
}

/* Nothing is allocated, so nothing can be short. */
static bool make_no_room(void *owner)
{
	(void)owner;
	return false;
}

static const struct dax_space_ops ops = {
	.size = size,
	.iomap_begin = iomap_begin,
	.iomap_end = iomap_end,
	.direct_access = direct_access,
	.flush = flush,
	.sync = sync_nothing,
	.make_room = make_no_room,
};

/* ---- devices ---- */

static bool is_order(unsigned int order)
{
	return order == DAX_PTE_ORDER || order == DAX_PMD_ORDER ||
	       order == DAX_PUD_ORDER;
}

static int new_pages(struct dax_devdax *device)
{
	const struct dax_pgmap_params params = {
		.first = dax_device_offset_to_pfn(
			dax_pmem_map_offset(device->map)),
		.nr = dax_pmem_map_len(device->map) >> DAX_PAGE_SHIFT,
	};

	return dax_pgmap_new(&params, &device->pgmap);
}

/* No file system wants its storage back: pins may last. */
static int new_space(struct dax_devdax *device, unsigned int order)
{
	const struct dax_space_limits limits = {
		.min_order = order,
		.max_order = order,
		.shared_only = true,
		.longterm_pins = true,
	};
	const struct dax_space_params params = {
		.ops = &ops,
		.owner = device,
		.limits = &limits,
		.pgmap = device->pgmap,
	};

	return dax_space_new(&params, &device->space);
}

int dax_devdax_new(const struct dax_pmem_map *map, unsigned int order,
	struct dax_devdax **out)
{
	struct dax_devdax *device;
	int error;

	DAX_REQUIRE(map && is_order(order) && out);
	*out = NULL;
	/* What is aligned in the device has an aligned pfn: DAX_PFN_BASE. */
	if ((dax_pmem_map_offset(map) | dax_pmem_map_len(map)) %
		(DAX_PAGE_SIZE << order))
		return -EINVAL;
	device = sync_alloc(sizeof(*device), _Alignof(struct dax_devdax));
	if (!device)
		return -ENOMEM;
	device->map = map;
	error = pmem_poison_init(&device->poison, map);
	if (!error)
		error = new_pages(device);
	if (!error)
		error = new_space(device, order);
	if (error)
		dax_devdax_delete(&device);
	*out = device;
	return error;
}

void dax_devdax_delete(struct dax_devdax **device)
{
	DAX_REQUIRE(device);
	if (!*device)
		return;
	dax_space_delete(&(*device)->space);
	dax_pgmap_delete(&(*device)->pgmap);
	pmem_poison_destroy(&(*device)->poison);
	sync_free(*device);
	*device = NULL;
}

struct dax_space *dax_devdax_space(struct dax_devdax *device)
{
	DAX_REQUIRE(device);
	return device->space;
}

void dax_devdax_kill(struct dax_devdax *device)
{
	DAX_REQUIRE(device);
	dax_space_kill(device->space);
}

/* ---- pages that cannot be read ---- */

void dax_devdax_memory_failure(
	struct dax_devdax *device, uint64_t pfn, uint64_t nr)
{
	DAX_REQUIRE(device);
	pmem_poison_set(&device->poison, pfn, nr);
	dax_unmap_pages(device->pgmap, pfn, nr);
}

/* With INVALIDATE held, as the kill waits for it: the map may go after that. */
int dax_devdax_clear_poison(
	struct dax_devdax *device, uint64_t pfn, uint64_t nr)
{
	struct dax_space *space;
	int error = -ENXIO;

	DAX_REQUIRE(device);
	space = device->space;
	rwsem_acquire(&space->invalidate, RWSEM_SHARED);
	if (!space->is_dead)
		error = pmem_poison_clear(&device->poison, pfn, nr);
	rwsem_release(&space->invalidate, RWSEM_SHARED);
	return error;
}

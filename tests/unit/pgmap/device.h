/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The pages of a device that begins one PMD before a PUD and ends one after it,
 * with a queue in which every key collides, and two owners. What page_free says
 * is written down.
 */
#ifndef PGMAP_DEVICE_H
#define PGMAP_DEVICE_H

#include <errno.h>

#include "pgmap/pgmap.h"
#include "support/crew.h"
#include "waitq/queue.h"

#define PMD_PAGES ((uint64_t)1 << DAX_PMD_ORDER)
#define PUD_PAGES ((uint64_t)1 << DAX_PUD_ORDER)

#define FIRST	  (2 * PUD_PAGES - PMD_PAGES)
#define PUD	  (2 * PUD_PAGES) /* a page that begins a PUD */
#define PMD	  (FIRST)	  /* one that begins a PMD and no PUD */
#define PTE	  (FIRST + 1)	  /* one that begins neither */
#define END	  (3 * PUD_PAGES + PMD_PAGES)

static const struct dax_wait_limit long_past = {.deadline_ns = 1};

struct device {
	struct dax_pgmap *pgmap;
	struct dax_waitq_table *waitqs;
	struct dax_page_owner a, b;
	uint64_t live; /* blocks before it */
	unsigned int frees;
	uint64_t freed; /* first page, of the last call */
	uint64_t nr_freed;
	void (*in_page_free)(struct device *device); /* what happens in it */
};

static inline void device_page_free(void *owner, uint64_t pfn, uint64_t nr)
{
	struct device *device = owner;

	device->frees++;
	device->freed = pfn;
	device->nr_freed = nr;
	if (device->in_page_free)
		device->in_page_free(device);
}

static inline int device_setup(void **state)
{
	static const struct dax_pgmap_ops ops = {.page_free = device_page_free};
	static struct device device;
	struct dax_pgmap_params params = {
		.first = FIRST,
		.nr = END - FIRST,
		.ops = &ops,
		.owner = &device,
	};
	int error;

	device = (struct device){.live = sync_alloc_live()};
	*state = &device;
	device.a.index = 0x1234;
	device.b.index = 0x777000;
	error = dax_waitq_table_new(1, 1, &device.waitqs);
	params.waitqs = device.waitqs;
	if (!error)
		error = dax_pgmap_new(&params, &device.pgmap);
	if (!error)
		error = dax_pgmap_add_owner(
			device.pgmap, &device.a, &device.a.id);
	if (!error)
		error = dax_pgmap_add_owner(
			device.pgmap, &device.b, &device.b.id);
	return error;
}

/* Aborts if a page is live or the device held. */
static inline int device_teardown(void **state)
{
	struct device *device = *state;

	dax_pgmap_delete(&device->pgmap);
	dax_waitq_table_delete(&device->waitqs);
	assert_int_equal(sync_alloc_live(), device->live);
	return 0;
}

#define DEVICE_TEST(test)                                                      \
	cmocka_unit_test_setup_teardown(test, device_setup, device_teardown)

/* ---- as an entry of A or B does it ---- */

static inline int map_as(struct device *device,
	const struct dax_page_owner *owner, uint64_t pfn, unsigned int order)
{
	return dax_page_associate(device->pgmap, pfn, order, owner,
		owner == &device->a ? DAX_PAGE_SOLE : DAX_PAGE_SHARED);
}

static inline void map(struct device *device, uint64_t pfn, unsigned int order)
{
	assert_int_equal(map_as(device, &device->a, pfn, order), 0);
}

static inline void share(
	struct device *device, uint64_t pfn, unsigned int order)
{
	assert_int_equal(map_as(device, &device->b, pfn, order), 0);
}

static inline void unmap_as(
	struct device *device, const struct dax_page_owner *owner, uint64_t pfn)
{
	dax_page_put(device->pgmap, pfn);
	assert_int_equal(dax_page_dissociate(device->pgmap, pfn, owner), 0);
}

static inline void unmap(struct device *device, uint64_t pfn)
{
	unmap_as(device, &device->a, pfn);
}

static inline void assert_owned_by(struct device *device, uint64_t pfn,
	const struct dax_page_owner *owner, uint64_t offset)
{
	struct dax_page_owner found;

	assert_int_equal(
		dax_page_owner(device->pgmap, pfn, &found), DAX_PAGE_OWNED);
	assert_int_equal(found.id, owner->id);
	assert_int_equal(found.index, owner->index + offset);
}

static inline void assert_owned(
	struct device *device, uint64_t pfn, enum dax_page_owned owned)
{
	struct dax_page_owner found;

	assert_int_equal(dax_page_owner(device->pgmap, pfn, &found), owned);
}

/* Nothing is left of any use of the page. */
static inline void assert_free(struct device *device, uint64_t pfn)
{
	const struct head head = page_head(device->pgmap, pfn);

	assert_int_equal(head.pfn, pfn);
	assert_int_equal(head.state, 0);
	assert_int_equal(sync_load(&head.page->names, memory_order_relaxed), 0);
}

#endif

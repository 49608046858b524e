/* SPDX-License-Identifier: BSD-3-Clause */
#include "pmem/badblocks.h"

#include <errno.h>

#include "base/check.h"
#include "pmem/errormsg.h"
#include "pmem/map.h"

struct dax_badblocks {
	struct dax_device *dev; /* const after init */

	/* owner: the thread that uses the list */
	struct pmem2_badblock_context *context;
	struct pmem2_badblock current; /* length 0: none */
};

int dax_badblocks_new(struct dax_device *dev, struct dax_badblocks **out)
{
	struct dax_badblocks *list;
	int ret;

	DAX_REQUIRE(dev && out);
	*out = NULL;
	list = sync_alloc(sizeof(*list), 0);
	if (!list)
		return pmem_fail(-ENOMEM, "no memory for the list");
	ret = pmem2_badblock_context_new(&list->context, dev->source);
	if (ret)
		goto err_free;
	list->dev = dev;
	pmem_device_use(dev);
	*out = list;
	return 0;

err_free:
	sync_free(list);
	return pmem_fail_libpmem2(ret);
}

void dax_badblocks_delete(struct dax_badblocks **listp)
{
	struct dax_badblocks *list = *listp;

	if (!list)
		return;
	*listp = NULL;
	pmem2_badblock_context_delete(&list->context);
	pmem_device_unuse(list->dev);
	sync_free(list);
}

int dax_badblocks_next(struct dax_badblocks *list, struct dax_badblock *block)
{
	int ret;

	DAX_REQUIRE(list && block);
	ret = pmem2_badblock_next(list->context, &list->current);
	if (ret) {
		list->current.length = 0;
		return pmem_fail_libpmem2(ret);
	}
	block->offset = list->current.offset;
	block->len = list->current.length;
	return 0;
}

/* libpmem2 clears any range it is given, good or bad: give it none but what it
 * has listed. */
static int clear(
	struct dax_badblocks *list, const struct pmem2_badblock *listed)
{
	int ret;

	if (list->dev->info.access == DAX_ACCESS_READ_ONLY)
		return pmem_fail(-EACCES, "the device is read-only");
	ret = pmem2_badblock_clear(list->context, listed);
	return ret ? pmem_fail_libpmem2(ret) : 0;
}

int dax_badblocks_clear(struct dax_badblocks *list)
{
	int error;

	DAX_REQUIRE(list);
	if (!list->current.length)
		return pmem_fail(-EINVAL, "the list is at no bad block");
	error = clear(list, &list->current);
	if (!error)
		list->current.length = 0;
	return error;
}

/* ---- the bad blocks of a range ---- */

/* Length 0: they have nothing in common. */
static struct pmem2_badblock common_part(
	struct pmem2_badblock a, struct pmem2_badblock b)
{
	const size_t first = a.offset > b.offset ? a.offset : b.offset;
	const size_t a_end = a.offset + a.length;
	const size_t b_end = b.offset + b.length;
	const size_t end = a_end < b_end ? a_end : b_end;

	return (struct pmem2_badblock){first, end > first ? end - first : 0};
}

/* The part in @range of the next bad block that has one. Length 0: no more. */
static int next_part(struct dax_badblocks *list, struct pmem2_badblock range,
	struct pmem2_badblock *part)
{
	struct dax_badblock block;
	int error;

	do {
		error = dax_badblocks_next(list, &block);
		*part = common_part(list->current, range);
	} while (!error && !part->length);
	return error == -ENOENT ? 0 : error;
}

/* NULL: nobody can say. */
static int list_if_known(struct dax_device *dev, struct dax_badblocks **list)
{
	const int error = dax_badblocks_new(dev, list);

	if (error == -EOPNOTSUPP || error == -EACCES || error == -EPERM)
		return 0;
	return error;
}

int pmem_badblocks_for_each(const struct dax_pmem_map *map,
	pmem_badblock_visit *visit, void *context)
{
	const struct pmem2_badblock all = {map->offset, map->len};
	struct dax_badblocks *list;
	struct pmem2_badblock part;
	int error = list_if_known(map->dev, &list);

	if (!list)
		return error;
	while (!(error = next_part(list, all, &part)) && part.length)
		visit(context, part.offset, part.length);
	dax_badblocks_delete(&list);
	return error;
}

int pmem_badblocks_clear_pages(
	const struct dax_pmem_map *map, uint64_t pfn, uint64_t nr)
{
	const struct pmem2_badblock pages = {
		(pfn - DAX_PFN_BASE) << DAX_PAGE_SHIFT, nr << DAX_PAGE_SHIFT};
	struct dax_badblocks *list;
	struct pmem2_badblock part;
	int error = dax_badblocks_new(map->dev, &list);

	if (error)
		return error == -EOPNOTSUPP ? 0 : error;
	do {
		error = next_part(list, pages, &part);
		if (!error && part.length)
			error = clear(list, &part);
	} while (!error && part.length);
	dax_badblocks_delete(&list);
	return error;
}

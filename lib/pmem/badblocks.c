/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "base/check.h"
#include "pmem/device.h"
#include "pmem/errormsg.h"

struct dax_badblocks {
	struct dax_device *dev;	/* const after init */

	/* owner: the thread that uses the list */
	struct pmem2_badblock_context *context;
	struct pmem2_badblock current;	/* length 0: none */
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

/* libpmem2 clears any range it is given, good or bad: give it none but its
 * own. */
int dax_badblocks_clear(struct dax_badblocks *list)
{
	int ret;

	DAX_REQUIRE(list);
	if (!list->current.length)
		return pmem_fail(-EINVAL, "the list is at no bad block");
	if (list->dev->info.access == DAX_ACCESS_READ_ONLY)
		return pmem_fail(-EACCES, "the device is read-only");
	ret = pmem2_badblock_clear(list->context, &list->current);
	if (ret)
		return pmem_fail_libpmem2(ret);
	list->current.length = 0;
	return 0;
}

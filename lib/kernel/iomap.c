/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A file system that is written for the kernel, plugged in where ours goes
 * (daxlock/space.h). Its device is memory of this process: byte 0 is the first
 * of page FIRST_PFN, as pfn 0 is no page.
 */
#include "daxlock/kernel_iomap.h"

#include <errno.h>

#include "base/check.h"
#include "base/sync.h"
#include "daxlock/fault.h"
#include "daxlock/space.h"

/* Aligned for every order, as byte 0 may be. */
#define FIRST_PFN ((uint64_t)1 << DAX_PUD_ORDER)

/* What this thread asked its file system last, and got: a piece is given back
 * by the thread that asked. */
static SYNC_THREAD_LOCAL struct {
	unsigned int flags;
	struct iomap iomap;
	int error;
} asked;

/* ---- as a space asks ---- */

static uint64_t inode_size(void *owner)
{
	const struct inode *inode = owner;

	return (uint64_t)inode->i_size;
}

static enum dax_iomap_type type_of(const struct iomap *iomap)
{
	switch (iomap->type) {
	case IOMAP_MAPPED:
		return DAX_IOMAP_MAPPED;
	case IOMAP_UNWRITTEN:
		return DAX_IOMAP_UNWRITTEN;
	default:
		return DAX_IOMAP_HOLE;
	}
}

/* @theirs has the byte at @ours->pos; it may begin before, and end behind. */
static void translate(const struct iomap *theirs, struct dax_iomap *ours)
{
	const uint64_t skip = ours->pos - (uint64_t)theirs->offset;

	DAX_REQUIRE(skip < theirs->length);
	if (theirs->length - skip < ours->len)
		ours->len = theirs->length - skip;
	ours->type = type_of(theirs);
	if (ours->type != DAX_IOMAP_HOLE)
		ours->pfn =
			FIRST_PFN + ((theirs->addr + skip) >> DAX_PAGE_SHIFT);
	if (theirs->flags & IOMAP_F_NEW)
		ours->flags |= DAX_IOMAP_NEW;
}

static int inode_iomap_begin(
	void *owner, enum dax_iomap_use use, struct dax_iomap *iomap)
{
	struct inode *inode = owner;
	struct iomap source = {.type = IOMAP_HOLE};

	asked.iomap = (struct iomap){.type = IOMAP_HOLE};
	asked.flags = IOMAP_FAULT | IOMAP_DAX;
	if (use == DAX_IOMAP_WRITE)
		asked.flags |= IOMAP_WRITE;
	asked.error = inode->ops->iomap_begin(inode, (int64_t)iomap->pos,
		(int64_t)iomap->len, asked.flags, &asked.iomap, &source);
	if (!asked.error)
		translate(&asked.iomap, iomap);
	return asked.error;
}

static void inode_iomap_end(void *owner, const struct dax_iomap *iomap)
{
	struct inode *inode = owner;
	const int64_t len = (int64_t)iomap->len;

	if (inode->ops->iomap_end)
		inode->ops->iomap_end(inode, (int64_t)iomap->pos, len, len,
			asked.flags, &asked.iomap);
}

static int memory_access(void *owner, uint64_t pfn, uint64_t nr, void **address)
{
	const struct inode *inode = owner;
	const uint64_t first = (pfn - FIRST_PFN) << DAX_PAGE_SHIFT;

	if (pfn < FIRST_PFN || first + (nr << DAX_PAGE_SHIFT) > inode->len)
		return -ENXIO;
	*address = inode->memory + first;
	return 0;
}

/* Memory is all there is to it. */
static int memory_flush(void *owner, uint64_t pfn, uint64_t nr)
{
	(void)owner;
	(void)pfn;
	(void)nr;
	return 0;
}

static int inode_sync(void *owner)
{
	(void)owner;
	return 0;
}

/* The file system itself tries again, if it likes. */
static bool inode_make_room(void *owner)
{
	(void)owner;
	return false;
}

int dax_kernel_inode_init(struct inode *inode, const struct iomap_ops *ops,
	void *memory, uint64_t len)
{
	static const struct dax_space_ops space_ops = {
		.size = inode_size,
		.iomap_begin = inode_iomap_begin,
		.iomap_end = inode_iomap_end,
		.direct_access = memory_access,
		.flush = memory_flush,
		.sync = inode_sync,
		.make_room = inode_make_room,
	};
	const struct dax_space_params params = {
		.ops = &space_ops, .owner = inode, .ino = inode->i_ino};

	DAX_REQUIRE(ops && ops->iomap_begin);
	inode->ops = ops;
	inode->memory = memory;
	inode->len = len;
	return dax_space_new(&params, &inode->space);
}

void dax_kernel_inode_fini(struct inode *inode)
{
	dax_space_delete(&inode->space);
}

/* ---- areas ---- */

int dax_kernel_mmap(struct vm_area_struct *vma, uint64_t len)
{
	const struct dax_vma_params params = {
		.space = vma->vm_inode->space,
		.pos = vma->vm_pgoff << DAX_PAGE_SHIFT,
		.len = len,
		.flags = (vma->vm_flags & VM_SHARED ? DAX_VMA_SHARED : 0) |
			 (vma->vm_flags & VM_WRITE ? DAX_VMA_WRITE : 0),
		/* Addresses and the file's pages have one colour. */
		.skew = (vma->vm_pgoff << DAX_PAGE_SHIFT) &
			((DAX_PAGE_SIZE << DAX_PMD_ORDER) - 1),
	};
	uint64_t address;
	int error = dax_mm_new(NULL, &vma->vm_mm);

	if (!error)
		error = dax_mmap(vma->vm_mm, &params, &address);
	if (error) {
		dax_mm_delete(&vma->vm_mm);
		return error;
	}
	vma->vm_start = address;
	vma->vm_end = address + len;
	return 0;
}

void dax_kernel_munmap(struct vm_area_struct *vma)
{
	dax_mm_delete(&vma->vm_mm);
}

/* ---- faults ---- */

vm_fault_t dax_kernel_iomap_fault(struct vm_fault *vmf, unsigned int order,
	pfn_t *pfn, int *error, const struct iomap_ops *ops)
{
	struct dax_mm *mm = vmf->vma->vm_mm;
	struct dax_leaf leaf;
	vm_fault_t result;

	DAX_REQUIRE(ops == vmf->vma->vm_inode->ops);
	(void)ops;
	if (order > DAX_PUD_ORDER || order % DAX_PMD_ORDER)
		return VM_FAULT_FALLBACK;
	asked.error = 0;
	result = dax_fault_order(mm, vmf->address,
		vmf->flags & FAULT_FLAG_WRITE ? DAX_STORE : DAX_LOAD, order,
		NULL);
	dax_mm_leaf(mm, vmf->address, &leaf);
	if (pfn)
		*pfn = leaf.pfn ? leaf.pfn - FIRST_PFN : 0;
	if (error)
		*error = asked.error;
	/* Somebody else was faster. */
	return result ? result : VM_FAULT_NOPAGE;
}

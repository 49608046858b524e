/* SPDX-License-Identifier: BSD-3-Clause */
/* The processor's part: loads and stores through the page table; and the calls
 * that touch pages on its behalf. */
#include <errno.h>

#include "fault/mm.h"

int fault_errno(unsigned int result)
{
	if (result & DAX_FAULT_OOM)
		return -ENOMEM;
	if (result & DAX_FAULT_HWPOISON)
		return -EHWPOISON;
	if (result & DAX_FAULT_SIGBUS)
		return -EIO;
	return result & DAX_FAULT_SIGSEGV ? -EFAULT : 0;
}

/* ---- one access ---- */

/* Bytes of one page, and what to do with them. */
struct access {
	enum dax_access_type type;
	uint64_t address;
	char *bytes;
	size_t len;
};

static bool allows(const struct leaf *leaf, enum dax_access_type type)
{
	return leaf->flags &&
	       (type == DAX_LOAD || (leaf->flags & DAX_LEAF_WRITE));
}

/* The bytes are moved under the lock that whoever takes the leaf away needs:
 * no store goes to a page that is not ours any more. */
static bool try_access(struct dax_mm *mm, const struct access *access)
{
	uint64_t skip;
	struct leaf *leaf;
	bool allowed;

	sync_lock_acquire(&mm->page_lock);
	leaf = table_leaf_locked(mm, access->address, &skip);
	allowed = leaf && allows(leaf, access->type);
	if (allowed && access->type == DAX_LOAD)
		space_bytes_load(space_bytes_at(leaf->address, skip),
			access->bytes, access->len);
	if (allowed && access->type == DAX_STORE) {
		space_bytes_store(space_bytes_at(leaf->address, skip),
			access->bytes, access->len);
		leaf->flags |= DAX_LEAF_DIRTY;
	}
	sync_lock_release(&mm->page_lock);
	return allowed;
}

static int access_page(struct dax_mm *mm, const struct access *access)
{
	int error = 0;

	while (!error && !try_access(mm, access))
		error = fault_errno(
			dax_fault(mm, access->address, access->type, NULL));
	return error;
}

static int access_range(struct dax_mm *mm, struct access access, size_t len)
{
	int error = 0;

	while (len && !error) {
		const size_t left =
			DAX_PAGE_SIZE - access.address % DAX_PAGE_SIZE;

		access.len = len < left ? len : left;
		error = access_page(mm, &access);
		access.address += access.len;
		access.bytes += access.len;
		len -= access.len;
	}
	return error;
}

int dax_load(struct dax_mm *mm, uint64_t address, void *to, size_t len)
{
	DAX_REQUIRE(mm && to);
	return access_range(mm,
		(struct access){
			.type = DAX_LOAD, .address = address, .bytes = to},
		len);
}

int dax_store(struct dax_mm *mm, uint64_t address, const void *from, size_t len)
{
	DAX_REQUIRE(mm && from);
	return access_range(mm,
		(struct access){
			.type = DAX_STORE,
			.address = address,
			.bytes = (char *)from,
		},
		len);
}

/* ---- populating ---- */

/* The end of the leaf at @address, if it allows the access; else 0. */
static uint64_t populated_to(
	struct dax_mm *mm, uint64_t address, enum dax_access_type type)
{
	struct leaf leaf;
	const unsigned int order = table_look(mm, address, &leaf);

	if (!allows(&leaf, type))
		return 0;
	return leaf_start(address, order) + leaf_bytes(order);
}

static bool is_mapped(struct dax_mm *mm, uint64_t address)
{
	bool mapped;

	rwsem_acquire(&mm->lock, RWSEM_SHARED);
	mapped = mm_find_vma(mm, address);
	rwsem_release(&mm->lock, RWSEM_SHARED);
	return mapped;
}

static int populate_page(
	struct dax_mm *mm, uint64_t address, enum dax_access_type type)
{
	const unsigned int result = dax_fault(mm, address, type, NULL);

	if (result & DAX_FAULT_SIGSEGV)
		return is_mapped(mm, address) ? -EINVAL : -ENOMEM;
	return result & DAX_FAULT_SIGBUS ? -EFAULT : fault_errno(result);
}

static int populate(struct dax_mm *mm, uint64_t address, uint64_t end,
	enum dax_access_type type)
{
	int error = 0;

	while (address < end && !error) {
		const uint64_t next = populated_to(mm, address, type);

		if (next)
			address = next;
		else
			error = populate_page(mm, address, type);
	}
	return error;
}

/* ---- areas of a range ---- */

/* Calls @work for the part of each area that is in the range. -ENOMEM: areas
 * do not cover it. */
static int for_each_vma(struct dax_mm *mm, uint64_t address, uint64_t end,
	int (*work)(struct vma *vma, uint64_t start, uint64_t end))
{
	uint64_t seen = address;
	int error = 0;

	rwsem_acquire(&mm->lock, RWSEM_SHARED);
	for (struct vma *v = mm->vmas; v && !error; v = v->next) {
		const uint64_t start = v->start > address ? v->start : address;
		const uint64_t stop = v->end < end ? v->end : end;

		if (start >= stop)
			continue;
		error = work(v, start, stop);
		seen += stop - start;
	}
	rwsem_release(&mm->lock, RWSEM_SHARED);
	return !error && seen < end ? -ENOMEM : error;
}

static int zap_vma(struct vma *vma, uint64_t start, uint64_t end)
{
	table_zap(vma->mm, start, end, DAX_TRUNCATE_ALL);
	return 0;
}

static int sync_vma(struct vma *vma, uint64_t start, uint64_t end)
{
	const struct space_range range = vma_pages(vma, start, end);

	if (!(vma->flags & DAX_VMA_SHARED))
		return 0;
	return dax_fsync_range(vma->space, range.first, range.last);
}

int dax_madvise(struct dax_mm *mm, uint64_t address, uint64_t len,
	enum dax_advice advice)
{
	const uint64_t end =
		address + ((len + DAX_PAGE_SIZE - 1) & -DAX_PAGE_SIZE);

	DAX_REQUIRE(mm);
	if (address % DAX_PAGE_SIZE)
		return -EINVAL;
	if (advice == DAX_DONTNEED)
		return for_each_vma(mm, address, end, zap_vma);
	return populate(mm, address, end,
		advice == DAX_POPULATE_WRITE ? DAX_STORE : DAX_LOAD);
}

int dax_msync(struct dax_mm *mm, uint64_t address, uint64_t len)
{
	DAX_REQUIRE(mm);
	if (address % DAX_PAGE_SIZE)
		return -EINVAL;
	return for_each_vma(mm, address,
		address + ((len + DAX_PAGE_SIZE - 1) & -DAX_PAGE_SIZE),
		sync_vma);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Areas: mapping, unmapping, protecting; splitting and merging for it. */
#include <errno.h>

#include "fault/mm.h"

/* ---- mapping ---- */

/* No area reaches further, so that no sum of an address, a length and a skew
 * wraps round. */
#define ADDRESS_END ((uint64_t)1 << 60)

static bool is_page_aligned(uint64_t value)
{
	return value % DAX_PAGE_SIZE == 0;
}

static uint64_t page_up(uint64_t value)
{
	return (value + DAX_PAGE_SIZE - 1) & -DAX_PAGE_SIZE;
}

/* Areas are a PMD or more apart, so that no two share a table of PTEs. */
static int place(struct dax_mm *mm, struct vma *vma, uint64_t skew)
{
	const uint64_t len = vma->end;
	const unsigned int order = vma->space->limits.max_order;

	vma->start = leaf_start(mm->next_start + leaf_bytes(order) - 1, order) +
		     skew;
	vma->end = vma->start + len;
	if (vma->end > ADDRESS_END)
		return -ENOMEM;
	mm->next_start = leaf_start(vma->end, DAX_PMD_ORDER) + 2 * PMD_BYTES;
	return 0;
}

/* May an area of the space begin, or end, there? */
static bool is_an_end(const struct dax_space *space, uint64_t at)
{
	return at % leaf_bytes(space->limits.min_order) == 0;
}

static bool is_allowed(const struct dax_vma_params *params)
{
	const struct dax_space *space = params->space;

	return params->len && params->pos <= INT64_MAX &&
	       is_an_end(space, params->pos | params->skew) &&
	       is_an_end(space, page_up(params->len)) &&
	       (params->flags & DAX_VMA_SHARED || !space->limits.shared_only);
}

int dax_mmap(struct dax_mm *mm, const struct dax_vma_params *params,
	uint64_t *address)
{
	struct vma *vma;
	int error;

	DAX_REQUIRE(mm && params->space && address);
	if (!is_allowed(params))
		return -EINVAL;
	if ((params->len | params->skew) >= ADDRESS_END)
		return -ENOMEM;
	if (space_is_dead(params->space))
		return -ENXIO;
	vma = sync_alloc(sizeof(*vma), _Alignof(struct vma));
	if (!vma)
		return -ENOMEM;
	vma->mm = mm;
	vma->space = params->space;
	vma->end = page_up(params->len);
	vma->first = params->pos >> DAX_PAGE_SHIFT;
	vma->flags = params->flags;
	rwsem_acquire(&mm->lock, RWSEM_ALONE);
	error = place(mm, vma, params->skew);
	if (!error) {
		*address = vma->start;
		vma_add(vma);
	}
	rwsem_release(&mm->lock, RWSEM_ALONE);
	if (error)
		sync_free(vma);
	return error;
}

/* ---- splitting and merging ---- */

/* No area crosses @address any more. */
static int split_at(struct dax_mm *mm, uint64_t address)
{
	struct vma *vma = mm_find_vma(mm, address);
	struct vma *upper;

	if (!vma || vma->start == address)
		return 0;
	/* Models: drivers/dax/device.c dev_dax_may_split(), v6.12. */
	if (!is_an_end(vma->space, address))
		return -EINVAL;
	upper = vma_copy(vma, mm);
	if (!upper)
		return -ENOMEM;
	upper->first = vma_index(vma, address);
	upper->start = address;
	/* Shown by both for a moment, so never by none. */
	vma_add(upper);
	space_resize_view(
		vma->space, &vma->view, vma_pages(vma, vma->start, address));
	vma->end = address;
	table_split_at(mm, address);
	return 0;
}

static bool are_one(const struct vma *vma, const struct vma *next)
{
	return next && vma->end == next->start && vma->space == next->space &&
	       vma->flags == next->flags &&
	       vma_index(vma, vma->end) == next->first;
}

static void merge_all(struct dax_mm *mm)
{
	struct vma *vma = mm->vmas;

	while (vma) {
		struct vma *next = vma->next;

		if (!are_one(vma, next)) {
			vma = next;
			continue;
		}
		space_resize_view(vma->space, &vma->view,
			vma_pages(vma, vma->start, next->end));
		vma->end = next->end;
		vma->has_copies |= next->has_copies;
		vma_remove(next);
	}
}

static int unmap_locked(struct dax_mm *mm, uint64_t start, uint64_t end)
{
	struct vma *vma, *next;
	int error = split_at(mm, start);

	if (!error)
		error = split_at(mm, end);
	if (error) {
		merge_all(mm);
		return error;
	}
	for (vma = mm->vmas; vma; vma = next) {
		next = vma->next;
		if (vma->start < start || vma->end > end)
			continue;
		table_zap(mm, vma->start, vma->end, DAX_TRUNCATE_ALL);
		vma_remove(vma);
	}
	return 0;
}

int dax_munmap(struct dax_mm *mm, uint64_t address, uint64_t len)
{
	int error;

	DAX_REQUIRE(mm);
	if (!is_page_aligned(address))
		return -EINVAL;
	rwsem_acquire(&mm->lock, RWSEM_ALONE);
	error = unmap_locked(mm, address, address + page_up(len));
	rwsem_release(&mm->lock, RWSEM_ALONE);
	return error;
}

/* ---- protection ---- */

static int protect_vma(
	struct vma *vma, uint64_t start, uint64_t end, enum dax_prot prot)
{
	const unsigned int write =
		prot == DAX_PROT_READ_WRITE ? DAX_VMA_WRITE : 0;
	struct dax_mm *mm = vma->mm;
	int error = 0;

	if ((vma->flags & DAX_VMA_WRITE) == write)
		return 0;
	if (vma->start < start) {
		error = split_at(mm, start);
		vma = mm_find_vma(mm, start);
	}
	if (!error && vma->end > end)
		error = split_at(mm, end);
	if (error)
		return error;
	vma->flags = (vma->flags & ~(unsigned int)DAX_VMA_WRITE) | write;
	table_change_protection(vma, vma->start, vma->end, prot);
	return 0;
}

static int protect_locked(
	struct dax_mm *mm, uint64_t start, uint64_t end, enum dax_prot prot)
{
	int error = 0;

	while (start < end && !error) {
		struct vma *vma = mm_find_vma(mm, start);
		const uint64_t stop = vma ? vma->end : 0;

		if (!vma)
			return -ENOMEM;
		error = protect_vma(vma, start, end, prot);
		start = stop;
	}
	return error;
}

int dax_mprotect(
	struct dax_mm *mm, uint64_t address, uint64_t len, enum dax_prot prot)
{
	int error;

	DAX_REQUIRE(mm);
	if (!is_page_aligned(address))
		return -EINVAL;
	rwsem_acquire(&mm->lock, RWSEM_ALONE);
	error = protect_locked(mm, address, address + page_up(len), prot);
	merge_all(mm);
	rwsem_release(&mm->lock, RWSEM_ALONE);
	return error;
}

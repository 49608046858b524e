/* SPDX-License-Identifier: BSD-3-Clause */
/* Address spaces and their areas: mapping, unmapping, splitting, merging. */
#include <errno.h>

#include "fault/mm.h"

/* ---- areas as views of a space ---- */

static uint64_t address_of(const struct vma *vma, dax_pgoff_t index)
{
	return vma->start + ((index - vma->first) << DAX_PAGE_SHIFT);
}

static void view_unmap(struct space_view *view, struct space_range range,
	enum dax_truncate_mode mode)
{
	const struct vma *vma = (const struct vma *)view;

	table_zap(vma->mm, address_of(vma, range.first),
		address_of(vma, range.last + 1), mode);
}

/* Of private areas too: what they show of a file they cannot store to. */
static void view_write_protect(
	struct space_view *view, struct space_range range)
{
	const struct vma *vma = (const struct vma *)view;

	table_write_protect(vma->mm, address_of(vma, range.first),
		address_of(vma, range.last + 1));
}

static const struct space_view_ops view_ops = {
	.unmap = view_unmap,
	.write_protect = view_write_protect,
};

/* ---- address spaces ---- */

int dax_mm_new(const struct dax_profile *profile, struct dax_mm **out)
{
	struct dax_mm *mm;

	DAX_REQUIRE(out);
	*out = NULL;
	mm = sync_alloc(sizeof(*mm), _Alignof(struct dax_mm));
	if (!mm)
		return -ENOMEM;
	mm->profile = profile ? profile : dax_profile_find(NULL);
	mm->next_start = PMD_BYTES;
	rwsem_init(&mm->lock, RANK_MMAP);
	sync_lock_init(&mm->page_lock, RANK_PTE);
	*out = mm;
	return 0;
}

struct vma *mm_find_vma(struct dax_mm *mm, uint64_t address)
{
	struct vma *vma = mm->vmas;

	rwsem_assert_held(&mm->lock);
	while (vma && vma->end <= address)
		vma = vma->next;
	return vma && vma->start <= address ? vma : NULL;
}

static void add_vma(struct vma *vma)
{
	struct vma **link = &vma->mm->vmas;

	while (*link && (*link)->start < vma->start)
		link = &(*link)->next;
	vma->next = *link;
	*link = vma;
	vma->view.ops = &view_ops;
	vma->view.range = vma_pages(vma, vma->start, vma->end);
	space_add_view(vma->space, &vma->view);
}

static void remove_vma(struct vma *vma)
{
	struct vma **link = &vma->mm->vmas;

	while (*link != vma)
		link = &(*link)->next;
	*link = vma->next;
	space_remove_view(vma->space, &vma->view);
	sync_free(vma);
}

void dax_mm_delete(struct dax_mm **mm)
{
	DAX_REQUIRE(mm);
	if (!*mm)
		return;
	while ((*mm)->vmas)
		remove_vma((*mm)->vmas);
	table_free(*mm);
	sync_free(*mm);
	*mm = NULL;
}

static struct vma *copy_vma(const struct vma *vma, struct dax_mm *mm)
{
	struct vma *copy = sync_alloc(sizeof(*copy), _Alignof(struct vma));

	if (!copy)
		return NULL;
	/* Not the view: others change its links. */
	copy->mm = mm;
	copy->space = vma->space;
	copy->start = vma->start;
	copy->end = vma->end;
	copy->first = vma->first;
	copy->flags = vma->flags;
	copy->has_copies = vma->has_copies;
	return copy;
}

static int fork_locked(struct dax_mm *mm, struct dax_mm *child)
{
	int error = 0;

	child->next_start = mm->next_start;
	for (struct vma *vma = mm->vmas; vma && !error; vma = vma->next) {
		struct vma *copy = copy_vma(vma, child);

		if (!copy)
			return -ENOMEM;
		add_vma(copy);
		error = table_copy(vma, copy);
	}
	return error;
}

int dax_mm_fork(struct dax_mm *mm, struct dax_mm **out)
{
	int error;

	DAX_REQUIRE(mm && out);
	error = dax_mm_new(mm->profile, out);
	if (error)
		return error;
	rwsem_acquire(&mm->lock, RWSEM_ALONE);
	error = fork_locked(mm, *out);
	rwsem_release(&mm->lock, RWSEM_ALONE);
	if (error)
		dax_mm_delete(out);
	return error;
}

/* ---- mapping ---- */

static bool is_page_aligned(uint64_t value)
{
	return value % DAX_PAGE_SIZE == 0;
}

static uint64_t page_up(uint64_t value)
{
	return (value + DAX_PAGE_SIZE - 1) & -DAX_PAGE_SIZE;
}

/* Areas are a PMD or more apart, so that no two share a table of PTEs. */
static void place(struct dax_mm *mm, struct vma *vma, uint64_t skew)
{
	const uint64_t len = vma->end;
	const unsigned int order = vma->space->limits.max_order;

	vma->start = leaf_start(mm->next_start + leaf_bytes(order) - 1, order) +
		     skew;
	vma->end = vma->start + len;
	mm->next_start = leaf_start(vma->end, DAX_PMD_ORDER) + 2 * PMD_BYTES;
}

/* May an area of the space begin, or end, there? */
static bool is_an_end(const struct dax_space *space, uint64_t at)
{
	return at % leaf_bytes(space->limits.min_order) == 0;
}

static bool is_allowed(const struct dax_vma_params *params)
{
	const struct dax_space *space = params->space;

	return params->len && is_an_end(space, params->pos | params->skew) &&
	       is_an_end(space, page_up(params->len)) &&
	       (params->flags & DAX_VMA_SHARED || !space->limits.shared_only);
}

int dax_mmap(struct dax_mm *mm, const struct dax_vma_params *params,
	uint64_t *address)
{
	struct vma *vma;

	DAX_REQUIRE(mm && params->space && address);
	if (!is_allowed(params))
		return -EINVAL;
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
	place(mm, vma, params->skew);
	*address = vma->start;
	add_vma(vma);
	rwsem_release(&mm->lock, RWSEM_ALONE);
	return 0;
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
	upper = copy_vma(vma, mm);
	if (!upper)
		return -ENOMEM;
	upper->first = vma_index(vma, address);
	upper->start = address;
	/* Shown by both for a moment, so never by none. */
	add_vma(upper);
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
		remove_vma(next);
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
		remove_vma(vma);
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

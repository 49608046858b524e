/* SPDX-License-Identifier: BSD-3-Clause */
/* Address spaces, and areas as what shows a file. */
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

void vma_add(struct vma *vma)
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

void vma_remove(struct vma *vma)
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
		vma_remove((*mm)->vmas);
	table_free(*mm);
	sync_free(*mm);
	*mm = NULL;
}

struct vma *vma_copy(const struct vma *vma, struct dax_mm *mm)
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
		struct vma *copy = vma_copy(vma, child);

		if (!copy)
			return -ENOMEM;
		vma_add(copy);
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

/* SPDX-License-Identifier: BSD-3-Clause */
/* Who shows a space: unmapping and write-protecting through all of them. */
#include "space/space.h"

void space_add_view(struct dax_space *space, struct space_view *view)
{
	sync_lock_acquire(&space->i_mmap);
	view->next = space->views;
	space->views = view;
	sync_lock_release(&space->i_mmap);
}

void space_remove_view(struct dax_space *space, struct space_view *view)
{
	struct space_view **link = &space->views;

	sync_lock_acquire(&space->i_mmap);
	while (*link != view)
		link = &(*link)->next;
	*link = view->next;
	sync_lock_release(&space->i_mmap);
}

void space_resize_view(struct dax_space *space, struct space_view *view,
	struct space_range range)
{
	sync_lock_acquire(&space->i_mmap);
	view->range = range;
	sync_lock_release(&space->i_mmap);
}

bool space_is_shown(struct dax_space *space)
{
	bool shown;

	sync_lock_acquire(&space->i_mmap);
	shown = space->views;
	sync_lock_release(&space->i_mmap);
	return shown;
}

/* What of @range is in @view; false: nothing. */
static bool overlap(const struct space_view *view, struct space_range *range)
{
	if (range->first < view->range.first)
		range->first = view->range.first;
	if (range->last > view->range.last)
		range->last = view->range.last;
	return range->first <= range->last;
}

void space_unmap(struct dax_space *space, struct space_range range,
	enum dax_truncate_mode mode)
{
	struct space_range part;

	sync_lock_acquire(&space->i_mmap);
	for (struct space_view *v = space->views; v; v = v->next) {
		part = range;
		if (overlap(v, &part))
			v->ops->unmap(v, part, mode);
		if (stops_at_first_view())
			break;
	}
	sync_lock_release(&space->i_mmap);
}

void space_write_protect(struct dax_space *space, struct space_range range)
{
	struct space_range part;

	sync_lock_acquire(&space->i_mmap);
	for (struct space_view *v = space->views; v; v = v->next) {
		part = range;
		if (overlap(v, &part))
			v->ops->write_protect(v, part);
	}
	sync_lock_release(&space->i_mmap);
}

static struct space_range range_of(dax_pgoff_t first, uint64_t nr)
{
	/* DAX_TRACE_ALL, and whatever else reaches past the last page. */
	const bool to_the_end = nr > UINT64_MAX - first;

	return (struct space_range){
		first, to_the_end ? UINT64_MAX : first + nr - 1};
}

void dax_unmap_mapping_pages(
	struct dax_space *space, dax_pgoff_t first, uint64_t nr)
{
	DAX_REQUIRE(space && nr);
	trace_emit(space->trace, &(struct dax_trace_event){
					 .id = DAX_TRACE_UNMAP,
					 .ino = space->ino,
					 .index = first,
					 .nr = nr,
				 });
	space_unmap(space, range_of(first, nr), unmap_mode());
}

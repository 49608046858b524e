/* SPDX-License-Identifier: BSD-3-Clause */
#include "file/file.h"

static int share_extent(struct dax_file *to, struct extent extent)
{
	int error;

	if (extent.type != DAX_IOMAP_MAPPED)
		return 0;
	error = extents_reserve(&to->extents, 1);
	if (!error)
		error = blocks_share(
			to->fs, (struct run){extent.block, extent.nr});
	if (!error)
		extents_insert(&to->extents, extent);
	return error;
}

/* @to is known to nobody yet. */
static int clone_locked(struct dax_file *from, struct dax_file *to)
{
	const struct file_range all = {
		.file = from, .pages = {.last = UINT64_MAX}};
	/* Whoever may store through a page table has to fault again. */
	int error = file_break_layouts(&all, 1);

	/* What is not durable yet must not lose its tags. */
	if (!error)
		error = dax_filemap_write_and_wait_range(
			from->space, 0, DAX_LAST_PAGE);
	if (!error)
		error = file_drop_entries(from, all.pages);
	if (error)
		return error;
	/* What it has of these is shared now. */
	blocks_unkeep(from->fs, from);
	sync_lock_acquire(&from->extent_lock);
	for (size_t i = 0; !error && i < from->extents.nr; i++)
		error = share_extent(to, from->extents.list[i]);
	sync_lock_release(&from->extent_lock);
	from->reflink = to->reflink = true;
	file_set_size(to, dax_file_size(from));
	return error;
}

int dax_file_clone(struct dax_file *from, struct dax_file **out)
{
	int error;

	DAX_REQUIRE(from && out);
	error = dax_file_new(from->fs, out);
	if (error)
		return error;
	rwsem_acquire(&from->inode, RWSEM_ALONE);
	dax_filemap_invalidate_lock(from->space);
	error = clone_locked(from, *out);
	dax_filemap_invalidate_unlock(from->space);
	rwsem_release(&from->inode, RWSEM_ALONE);
	if (error)
		dax_file_delete(out);
	return error;
}

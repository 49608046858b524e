/* SPDX-License-Identifier: BSD-3-Clause */
/* Blocks of one's own instead of shared ones, without a store. */
#include <errno.h>

#include "file/file.h"

/* @iomap is written. What of it is shared moves, as far as one run goes. */
static int unshare_written(struct dax_file *file, struct dax_iomap *iomap)
{
	int error = file_begin_write(file, iomap);

	if (error)
		return error;
	if (iomap->flags & DAX_IOMAP_SHARED)
		error = file_forget_moved(file, iomap);
	file_space_ops.iomap_end(file, iomap);
	return error;
}

/* Holes and unwritten extents stay as they are. */
static int unshare_once(struct dax_file *file, uint64_t *pos, uint64_t end)
{
	struct dax_iomap iomap = {.pos = *pos, .len = end - *pos};
	int error = file_space_ops.iomap_begin(file, DAX_IOMAP_READ, &iomap);

	if (error)
		return error;
	file_space_ops.iomap_end(file, &iomap);
	if (iomap.type == DAX_IOMAP_MAPPED)
		error = unshare_written(file, &iomap);
	*pos = iomap.pos + iomap.len;
	return error;
}

/* INVALIDATE was not dropped since all layouts were broken: what is not idle
 * now is pinned, and may be so through others. */
static bool may_share_still(struct dax_file *file)
{
	bool may = false;

	sync_lock_acquire(&file->extent_lock);
	for (size_t i = 0; !may && i < file->extents.nr; i++) {
		const struct run run = {
			file->extents.list[i].block, file->extents.list[i].nr};

		may = blocks_any_shared(file->fs, run) ||
		      !blocks_are_idle(file->fs, run);
	}
	sync_lock_release(&file->extent_lock);
	return may;
}

static int unshare_locked(struct dax_file *file, uint64_t pos, uint64_t end)
{
	const struct file_range range = {
		.file = file,
		.pages = {pos >> DAX_PAGE_SHIFT, (end - 1) >> DAX_PAGE_SHIFT},
	};
	int error = file_break_layouts(&range, 1);

	pos = range.pages.first << DAX_PAGE_SHIFT;
	end = (range.pages.last + 1) << DAX_PAGE_SHIFT;
	while (pos < end && !error)
		error = unshare_once(file, &pos, end);
	file->reflink = may_share_still(file);
	return error;
}

/* What is past the end of the file does not matter. */
static int unshare_range(struct dax_file *file, uint64_t pos, uint64_t len)
{
	const uint64_t size = dax_file_size(file);
	int error;

	if (pos >= size || !file->reflink)
		return 0;
	if (len > size - pos)
		len = size - pos;
	dax_filemap_invalidate_lock(file->space);
	error = unshare_locked(file, pos, pos + len);
	dax_filemap_invalidate_unlock(file->space);
	return error;
}

int dax_file_unshare(struct dax_file *file, uint64_t pos, uint64_t len)
{
	int error;

	DAX_REQUIRE(file);
	if (!len || !file_range_fits(pos, len))
		return -EINVAL;
	rwsem_acquire(&file->inode, RWSEM_ALONE);
	error = unshare_range(file, pos, len);
	rwsem_release(&file->inode, RWSEM_ALONE);
	return error;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* What calls do to the block map of a range; they keep faults out if need be.
 */
#include <errno.h>

#include "file/file.h"

static int preallocate_once(
	struct dax_file *file, uint64_t lblk, uint64_t nr, uint64_t *done)
{
	struct extent part = extents_at(&file->extents, lblk);
	struct extent made;
	int error;

	*done = part.nr < nr ? part.nr : nr;
	if (part.type != DAX_IOMAP_HOLE)
		return 0;
	error = file_make_blocks(file, file_make_wish(file, part, *done),
		DAX_IOMAP_UNWRITTEN, &made);
	if (!error)
		*done = made.nr;
	return error;
}

int file_preallocate(struct dax_file *file, uint64_t lblk, uint64_t nr)
{
	uint64_t done = 0;
	int error;

	while (nr) {
		sync_lock_acquire(&file->extent_lock);
		error = preallocate_once(file, lblk, nr, &done);
		sync_lock_release(&file->extent_lock);
		if (error == -ENOSPC && journal_make_room(file->fs))
			continue;
		if (error)
			return error;
		lblk += done;
		nr -= done;
	}
	return 0;
}

/* The last of what has blocks in the range; .nr 0: nothing has. */
static struct extent last_part(
	const struct extents *extents, uint64_t lblk, uint64_t end)
{
	const size_t next = extents_before(extents, end - 1);
	struct extent part = {.nr = 0};

	if (next && extents->list[next - 1].lblk > lblk)
		lblk = extents->list[next - 1].lblk;
	if (next)
		part = extents_at(extents, lblk);
	if (part.type == DAX_IOMAP_HOLE)
		part.nr = 0;
	if (part.nr > end - lblk)
		part.nr = end - lblk;
	return part;
}

/* A commit may come at any time, and frees what was given back before it: that
 * is in the file no more by then. From the end, so that little has to move. */
static void free_parts(struct dax_file *file, uint64_t lblk, uint64_t end)
{
	struct extents *extents = &file->extents;
	struct extent part;

	while ((part = last_part(extents, lblk, end)).nr) {
		extents_remove(extents, part.lblk, part.nr);
		blocks_free(file, (struct run){part.block, part.nr});
	}
}

int file_free_pages(struct dax_file *file, uint64_t lblk, uint64_t nr)
{
	const uint64_t end = nr > UINT64_MAX - lblk ? UINT64_MAX : lblk + nr;
	int error;

	/* Also what is kept past the end goes. */
	blocks_unkeep(file->fs, file);
	sync_lock_acquire(&file->extent_lock);
	error = extents_reserve(&file->extents, 2);
	if (!error)
		free_parts(file, lblk, end);
	sync_lock_release(&file->extent_lock);
	return error;
}

static int unwrite_once(
	struct dax_file *file, uint64_t lblk, uint64_t nr, uint64_t *done)
{
	struct extent part = extents_at(&file->extents, lblk);
	const uint64_t old = part.block;
	int error;
	bool shared;

	if (part.nr > nr)
		part.nr = nr;
	*done = part.nr;
	if (part.type != DAX_IOMAP_MAPPED)
		return 0;
	part.nr = file_shared_run(file, part, &shared);
	part.type = DAX_IOMAP_UNWRITTEN;
	error = shared ? file_make_unshared(file, FILL_NOTHING, &part)
		       : extents_reserve(&file->extents, 3);
	if (error)
		return error;
	if (shared)
		blocks_free(file, (struct run){old, part.nr});
	else
		file_replace_extent(file, part);
	*done = part.nr;
	return 0;
}

int file_unwrite(struct dax_file *file, uint64_t lblk, uint64_t nr)
{
	uint64_t done = 0;
	int error = 0;

	while (nr && !error) {
		sync_lock_acquire(&file->extent_lock);
		error = unwrite_once(file, lblk, nr, &done);
		sync_lock_release(&file->extent_lock);
		if (error == -ENOSPC && journal_make_room(file->fs)) {
			error = 0;
			continue;
		}
		lblk += done;
		nr -= done;
	}
	return error;
}

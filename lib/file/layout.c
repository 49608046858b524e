/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Waiting for those who have pages pinned, before blocks go or others share
 * them. dax_break_layouts() waits for the pages that entries name. But a large
 * entry goes as a whole when one of its pages moves (io.c, fault/fill.c), and
 * another of them may be the file's alone, and pinned: for such a page the
 * blocks are asked. Whoever came later to share it would see what is stored
 * through that pin.
 */
#include "file/file.h"
#include "pgmap/pgmap.h"

struct breaking {
	const struct file_range *ranges;
	unsigned int nr;	  /* 1 or 2 */
	bool has_slept;		  /* and so dropped INVALIDATE */
	struct patience patience; /* with pages that have no entry */
};

static void unlock_spaces(void *context)
{
	struct breaking *breaking = context;

	breaking->has_slept = true;
	file_invalidate_unlock(breaking->ranges, breaking->nr);
}

static void lock_spaces(void *context)
{
	const struct breaking *breaking = context;

	file_invalidate_lock(breaking->ranges, breaking->nr);
}

/* ---- pages without an entry ---- */

static bool find_pinned_in(
	const struct dax_fs *fs, struct run run, uint64_t *pfn)
{
	for (uint64_t i = 0; i < run.nr; i++) {
		*pfn = block_pfn(run.block + i);
		if (!dax_page_is_idle(fs->pgmap, *pfn))
			return true;
	}
	return false;
}

/* Of the file's alone: what others have, too, is theirs to wait for. */
static bool find_pinned_part(
	struct dax_file *file, struct extent part, uint64_t *pfn)
{
	bool shared;

	while (part.nr) {
		const uint64_t nr = file_shared_run(file, part, &shared);

		if (!shared && find_pinned_in(file->fs,
				       (struct run){part.block, nr}, pfn))
			return true;
		part.block += nr;
		part.nr -= nr;
	}
	return false;
}

/* What of @extent is in @pages. */
static struct extent clip(struct extent extent, struct space_range pages)
{
	const uint64_t end = extent.lblk + extent.nr;

	if (end <= pages.first || extent.lblk > pages.last)
		return (struct extent){.nr = 0};
	if (extent.lblk < pages.first) {
		extent.block += pages.first - extent.lblk;
		extent.lblk = pages.first;
	}
	extent.nr =
		(end - 1 < pages.last ? end - 1 : pages.last) - extent.lblk + 1;
	return extent;
}

static bool find_pinned_locked(const struct file_range *range, uint64_t *pfn)
{
	const struct extents *extents = &range->file->extents;

	for (size_t i = 0; i < extents->nr; i++)
		if (find_pinned_part(range->file,
			    clip(extents->list[i], range->pages), pfn))
			return true;
	return false;
}

static bool find_pinned(const struct file_range *range, uint64_t *pfn)
{
	struct dax_file *file = range->file;
	bool found;

	/* If it never shared, no entry of it went that way. */
	if (!file->reflink)
		return false;
	sync_lock_acquire(&file->extent_lock);
	found = find_pinned_locked(range, pfn);
	sync_lock_release(&file->extent_lock);
	return found;
}

/* As in space/layout.c: joined before the locks go, no end of a pin is missed;
 * and woken even if a fault has brought the page back meanwhile. */
static void sleep_unlocked(struct breaking *breaking, uint64_t pfn)
{
	struct dax_waiter waiter = {0};
	struct dax_waitq *queue =
		page_join_queue(breaking->patience.pgmap, pfn, &waiter);
	int error = 0;

	breaking->patience.pfn = pfn;
	unlock_spaces(breaking);
	if (queue)
		error = patience_sleep(&breaking->patience, queue, &waiter);
	DAX_INVARIANT(!error);
	(void)error;
	lock_spaces(breaking);
}

/* ---- ranges ---- */

static int break_range(
	struct breaking *breaking, const struct file_range *range)
{
	const struct dax_break how = {
		.first = range->pages.first,
		.last = range->pages.last,
		.unlock = unlock_spaces,
		.lock = lock_spaces,
		.context = breaking,
	};
	const int error = dax_break_layouts(range->file->space, &how);
	uint64_t pfn;

	if (!error && find_pinned(range, &pfn))
		sleep_unlocked(breaking, pfn);
	return error;
}

int file_break_layouts(const struct file_range *ranges, unsigned int nr)
{
	struct breaking breaking = {
		.ranges = ranges,
		.nr = nr,
		.patience = patience_begin(ranges->file->fs->pgmap, NULL),
	};
	int error = 0;

	/* Whoever dropped the locks knows nothing of what was broken before. */
	do {
		breaking.has_slept = false;
		for (unsigned int i = 0; i < nr && !error; i++)
			error = break_range(&breaking, &ranges[i]);
	} while (!error && breaking.has_slept);
	return error;
}

/* ---- the locks ---- */

static struct rwsem *invalidate_of(const struct file_range *range)
{
	return &range->file->space->invalidate;
}

void file_invalidate_lock(const struct file_range *ranges, unsigned int nr)
{
	rwsem_acquire_both(
		invalidate_of(&ranges[0]), invalidate_of(&ranges[nr - 1]));
}

void file_invalidate_unlock(const struct file_range *ranges, unsigned int nr)
{
	rwsem_release_both(
		invalidate_of(&ranges[0]), invalidate_of(&ranges[nr - 1]));
}

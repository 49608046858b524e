/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which blocks a file gets. In order:
 *
 *   kept	what an earlier request set aside for these very pages
 *   next	behind the file's block before the hole, or before the one
 *		after it, if all that is wanted fits there
 *   buddy	if a power of two is wanted: its first multiple that is free
 *   aligned	if whole PMDs are wanted: the first aligned place with one free
 *   first	the first gap that is large enough
 *   largest	the largest gap
 *
 * A request of a file that may grow is widened to the window of one or more
 * PMDs that its page is in; what is more than was asked for is kept. That is
 * what puts a single block where its 2 MiB would stand.
 *
 * Models: fs/ext4/mballoc.c ext4_mb_new_blocks(), v6.12, on one block group
 * with a stripe of one PMD. Differs: a file's extents take no block themselves.
 * In ext4 the fifth and each 340 more take one, so its full device is full that
 * much sooner.
 */
#include <errno.h>

#include "file/file.h"

/* Less is not worth a place of its own. Models: mb_order2_req of ext4, 2. */
#define SMALLEST_BUDDY 4

/* ---- runs ---- */

static uint64_t align_up(uint64_t value, uint64_t to)
{
	return (value + to - 1) / to * to;
}

/* Free blocks from @block on, at most @max. */
static uint64_t free_run(const struct dax_fs *fs, uint64_t block, uint64_t max)
{
	uint64_t nr = 0;

	while (nr < max && block + nr < fs->nr_blocks &&
		fs->blocks[block + nr] == BLOCK_FREE)
		nr++;
	return nr;
}

/* How much of an aligned place is taken: what the buddy of that place is. */
static uint64_t aligned_run(
	const struct dax_fs *fs, uint64_t block, uint64_t max)
{
	uint64_t nr = PMD_PAGES;

	if (free_run(fs, block, nr) < nr)
		return 0;
	while (nr < max && block % (2 * nr) == 0 &&
		free_run(fs, block + nr, nr) == nr)
		nr *= 2;
	return nr < max ? nr : max;
}

static struct run find_aligned(const struct dax_fs *fs, uint64_t max)
{
	for (uint64_t block = 0; block + PMD_PAGES <= fs->nr_blocks;
		block += PMD_PAGES) {
		const uint64_t nr = aligned_run(fs, block, max);

		if (nr)
			return (struct run){block, nr};
	}
	return (struct run){0};
}

/* A power of two has a place of its own among the buddies. */
static struct run find_buddy(const struct dax_fs *fs, uint64_t nr)
{
	if (nr < SMALLEST_BUDDY || nr & (nr - 1))
		return (struct run){0};
	for (uint64_t block = 0; block + nr <= fs->nr_blocks; block += nr)
		if (free_run(fs, block, nr) == nr)
			return (struct run){block, nr};
	return (struct run){0};
}

static struct run find_first(const struct dax_fs *fs, uint64_t max)
{
	struct run best = {0};

	for (uint64_t block = 0; block < fs->nr_blocks; block++) {
		const uint64_t nr = free_run(fs, block, max);

		if (nr > best.nr)
			best = (struct run){block, nr};
		if (nr == max)
			break;
		block += nr;
	}
	return best;
}

/* ---- windows ---- */

/* Pages of a file that are to stand together. */
struct window {
	uint64_t first;
	uint64_t end;
};

static uint64_t window_size(uint64_t bytes)
{
	uint64_t size = PMD_BYTES / 128;

	if (bytes > 4 * PMD_BYTES)
		return 4 * PMD_PAGES;
	if (bytes > 2 * PMD_BYTES)
		return 2 * PMD_PAGES;
	if (bytes > PMD_BYTES / 2)
		return PMD_PAGES;
	while (size < bytes)
		size *= 2;
	return align_up(size, DAX_PAGE_SIZE) >> DAX_PAGE_SHIFT;
}

/* Not over what other pages of the file have been given. */
static void spare_kept(const struct wish *wish, struct window *window)
{
	for (const struct kept *k = wish->file->kept; k; k = k->next) {
		const uint64_t end = k->lblk + k->run.nr;

		if (end <= wish->lblk && window->first < end)
			window->first = end;
		if (k->lblk > wish->lblk && window->end > k->lblk)
			window->end = k->lblk;
	}
}

static struct window widen(const struct wish *wish)
{
	const uint64_t end = wish->lblk + wish->nr;
	const uint64_t bytes = end << DAX_PAGE_SHIFT;
	struct window window = {wish->lblk, end};
	uint64_t size;

	if (!wish->may_grow)
		return window;
	size = window_size(wish->size > bytes ? wish->size : bytes);
	window.first = wish->lblk / size * size;
	window.end = window.first + size;
	if (window.first < wish->hole_first)
		window.first = wish->hole_first;
	if (window.end > wish->hole_end)
		window.end = wish->hole_end;
	spare_kept(wish, &window);
	return window;
}

/* ---- where to look ---- */

/* Whole PMDs must be aligned, or they are no better than none. */
static struct run run_at(const struct dax_fs *fs, uint64_t block, uint64_t nr)
{
	if (nr == PMD_PAGES && block % PMD_PAGES)
		return (struct run){0};
	if (free_run(fs, block, nr) < nr)
		return (struct run){0};
	return (struct run){block, nr};
}

static struct run find_next(
	const struct dax_fs *fs, const struct wish *wish, struct window window)
{
	const uint64_t nr = window.end - window.first;

	if (!wish->may_grow)
		return (struct run){0};
	if (wish->before != NO_BLOCK && window.first == wish->hole_first)
		return run_at(fs, wish->before + 1, nr);
	if (wish->after != NO_BLOCK && window.end == wish->hole_end &&
		wish->after >= nr)
		return run_at(fs, wish->after - nr, nr);
	return (struct run){0};
}

static struct run find(
	const struct dax_fs *fs, const struct wish *wish, struct window window)
{
	const uint64_t nr = window.end - window.first;
	struct run run = find_next(fs, wish, window);

	if (!run.nr)
		run = find_buddy(fs, nr);
	if (!run.nr && nr % PMD_PAGES == 0)
		run = find_aligned(fs, nr);
	return run.nr ? run : find_first(fs, nr);
}

/* ---- taking ---- */

static void set_blocks(struct dax_fs *fs, struct run run, uint16_t what)
{
	for (uint64_t i = 0; i < run.nr; i++)
		fs->blocks[run.block + i] = what;
}

/*
 * Which pages @run is for, when it is less than the window: its end if the
 * page wanted is in it then, so that the start can be had later; else its
 * start; else from the page wanted on.
 */
static uint64_t first_page(
	const struct wish *wish, struct window window, uint64_t nr)
{
	if (wish->lblk + nr >= window.end)
		return window.end - nr;
	if (wish->lblk + wish->nr <= window.first + nr)
		return window.first;
	return wish->lblk;
}

/* The part of @run, for the pages from @lblk on, that is wanted now. */
static struct run wanted(const struct wish *wish, uint64_t lblk, struct run run)
{
	const uint64_t skip = wish->lblk - lblk;
	const uint64_t left = run.nr - skip;

	return (struct run){
		run.block + skip, left < wish->nr ? left : wish->nr};
}

/* What is kept for the page wanted, and for as many after it as are. */
static struct run find_kept(const struct dax_fs *fs, const struct wish *wish)
{
	struct run run = {0};
	uint64_t nr = 0;

	for (const struct kept *k = wish->file->kept; k; k = k->next)
		if (wish->lblk >= k->lblk && wish->lblk - k->lblk < k->run.nr)
			run = wanted(wish, k->lblk, k->run);
	while (nr < run.nr && fs->blocks[run.block + nr] == BLOCK_KEPT)
		nr++;
	run.nr = nr;
	return run;
}

static void take(struct dax_fs *fs, struct run run)
{
	set_blocks(fs, run, 1);
	fs->nr_free -= run.nr;
}

/* No memory to remember what is kept: then keep nothing. */
static void keep(struct dax_file *file, uint64_t lblk, struct run run)
{
	struct kept *kept = sync_alloc(sizeof(*kept), _Alignof(struct kept));

	if (!kept)
		return;
	*kept = (struct kept){.next = file->kept, .lblk = lblk, .run = run};
	file->kept = kept;
	set_blocks(file->fs, run, BLOCK_KEPT);
}

static struct run allocate_new(struct dax_fs *fs, const struct wish *wish)
{
	const struct window window = widen(wish);
	const struct run run = find(fs, wish, window);
	uint64_t lblk;
	struct run mine;

	if (!run.nr)
		return run;
	lblk = first_page(wish, window, run.nr);
	mine = wanted(wish, lblk, run);
	if (wish->may_grow && run.nr > mine.nr)
		keep(wish->file, lblk, run);
	return mine;
}

static void unkeep_locked(struct dax_file *file)
{
	struct kept *kept;

	while ((kept = file->kept)) {
		file->kept = kept->next;
		for (uint64_t i = 0; i < kept->run.nr; i++)
			if (file->fs->blocks[kept->run.block + i] == BLOCK_KEPT)
				file->fs->blocks[kept->run.block + i] =
					BLOCK_FREE;
		sync_free(kept);
	}
}

void blocks_unkeep(struct dax_fs *fs, struct dax_file *file)
{
	sync_lock_acquire(&fs->lock);
	unkeep_locked(file);
	sync_lock_release(&fs->lock);
}

static struct run allocate_locked(struct dax_fs *fs, struct wish wish)
{
	struct run run;

	while (wish.nr > fs->nr_free)
		wish.nr /= 2;
	if (!wish.nr)
		return (struct run){0};
	run = find_kept(fs, &wish);
	if (!run.nr)
		run = allocate_new(fs, &wish);
	if (run.nr)
		return run;
	/* What is free is kept for others. */
	for (struct dax_file *file = fs->files; file; file = file->next)
		unkeep_locked(file);
	return allocate_new(fs, &wish);
}

int blocks_allocate(struct dax_fs *fs, const struct wish *wish, struct run *out)
{
	DAX_INVARIANT(wish->nr && wish->lblk >= wish->hole_first);
	sync_lock_acquire(&fs->lock);
	*out = allocate_locked(fs, *wish);
	take(fs, *out);
	sync_lock_release(&fs->lock);
	return out->nr ? 0 : -ENOSPC;
}

/* ---- giving back ---- */

static void drop_share(struct dax_fs *fs, uint64_t block)
{
	DAX_INVARIANT(
		fs->blocks[block] && fs->blocks[block] <= BLOCK_SHARES_MAX);
	if (--fs->blocks[block]) {
		fs->nr_shared -= fs->blocks[block] == 1;
		return;
	}
	fs->blocks[block] = BLOCK_PENDING;
	fs->nr_pending++;
}

void blocks_free(struct dax_file *file, struct run run)
{
	struct dax_fs *fs = file->fs;

	sync_lock_acquire(&fs->lock);
	/* Others may get these blocks, and keep them for themselves. */
	unkeep_locked(file);
	for (uint64_t i = 0; i < run.nr; i++)
		drop_share(fs, run.block + i);
	/* At once: a commit in between would give them to others, and leave the
	 * file that had them for the next one. */
	file->changed = fs->running;
	sync_lock_release(&fs->lock);
}

int blocks_share(struct dax_fs *fs, struct run run)
{
	int error = 0;

	sync_lock_acquire(&fs->lock);
	for (uint64_t i = 0; i < run.nr; i++)
		if (fs->blocks[run.block + i] == BLOCK_SHARES_MAX)
			error = -EMLINK;
	for (uint64_t i = 0; !error && i < run.nr; i++)
		fs->nr_shared += ++fs->blocks[run.block + i] == 2;
	sync_lock_release(&fs->lock);
	return error;
}

unsigned int blocks_shares(struct dax_fs *fs, uint64_t block)
{
	unsigned int shares;

	sync_lock_acquire(&fs->lock);
	shares = fs->blocks[block];
	sync_lock_release(&fs->lock);
	return shares;
}

/* Of a file system that never shared, all of them, without a look at each. */
uint64_t blocks_shared_run(struct dax_fs *fs, struct run run, bool *shared)
{
	const uint16_t *blocks = &fs->blocks[run.block];
	uint64_t nr = 1;

	sync_lock_acquire(&fs->lock);
	*shared = blocks[0] > 1;
	if (!fs->nr_shared)
		nr = run.nr;
	while (nr < run.nr && (blocks[nr] > 1) == *shared)
		nr++;
	sync_lock_release(&fs->lock);
	return nr;
}

bool blocks_any_shared(struct dax_fs *fs, struct run run)
{
	bool shared;

	return blocks_shared_run(fs, run, &shared) < run.nr || shared;
}

bool blocks_are_idle(const struct dax_fs *fs, struct run run)
{
	for (uint64_t i = 0; i < run.nr; i++)
		if (!dax_page_is_idle(fs->pgmap, block_pfn(run.block + i)))
			return false;
	return true;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Blocks that cannot be read. */
#include <errno.h>

#include "file/file.h"

#define WORD_BITS 64

int bad_init(struct dax_fs *fs)
{
	fs->bad = sync_alloc(
		(fs->nr_blocks / WORD_BITS + 1) * sizeof(*fs->bad), 8);
	return fs->bad ? 0 : -ENOMEM;
}

static struct sync_u64 *word_of(struct dax_fs *fs, uint64_t block)
{
	return &fs->bad[block / WORD_BITS];
}

static uint64_t bit_of(uint64_t block)
{
	return (uint64_t)1 << block % WORD_BITS;
}

void bad_set(struct dax_fs *fs, struct run run)
{
	sync_store(&fs->any_bad, 1, memory_order_relaxed);
	for (uint64_t i = 0; i < run.nr; i++)
		sync_or(word_of(fs, run.block + i), bit_of(run.block + i),
			memory_order_relaxed);
}

void bad_clear(struct dax_fs *fs, struct run run)
{
	if (!sync_load(&fs->any_bad, memory_order_relaxed))
		return;
	for (uint64_t i = 0; i < run.nr; i++)
		sync_and(word_of(fs, run.block + i), ~bit_of(run.block + i),
			memory_order_relaxed);
}

bool bad_among(struct dax_fs *fs, struct run run)
{
	uint64_t i = 0;

	if (!sync_load(&fs->any_bad, memory_order_relaxed))
		return false;
	while (i < run.nr &&
		!(sync_load(word_of(fs, run.block + i), memory_order_relaxed) &
			bit_of(run.block + i)))
		i++;
	return i < run.nr;
}

/* What of the pages the device has. */
static struct run clip(const struct dax_fs *fs, uint64_t pfn, uint64_t nr)
{
	const uint64_t first = pfn < DAX_PFN_BASE ? DAX_PFN_BASE : pfn;
	const uint64_t device_end = DAX_PFN_BASE + fs->nr_blocks;
	uint64_t end = nr > UINT64_MAX - pfn ? UINT64_MAX : pfn + nr;

	if (end > device_end)
		end = device_end;
	return (struct run){
		first - DAX_PFN_BASE, end > first ? end - first : 0};
}

void dax_fs_set_poison(struct dax_fs *fs, uint64_t pfn, uint64_t nr)
{
	DAX_REQUIRE(fs);
	bad_clear(fs, (struct run){0, fs->nr_blocks});
	bad_set(fs, clip(fs, pfn, nr));
}

void dax_fs_memory_failure(struct dax_fs *fs, uint64_t pfn, uint64_t nr)
{
	DAX_REQUIRE(fs);
	bad_set(fs, clip(fs, pfn, nr));
	dax_unmap_pages(fs->pgmap, pfn, nr);
}

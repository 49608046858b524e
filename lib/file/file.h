/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From below: blocks.c has the blocks of the device, bad.c makes those that
 * cannot be read good again, journal.c says when they can be had again,
 * extents.c has the extents of a file, make.c fills them, map.c is iomap and
 * range.c what calls do to ranges; io.c, change.c and clone.c are the calls.
 *
 *   block	a page of the device, from 0; pfn DAX_PFN_BASE + block
 *   lblk	a page of a file ("logical block")
 */
#ifndef FILE_FILE_H
#define FILE_FILE_H

#include "base/check.h"
#include "base/sync.h"
#include "daxlock/file.h"
#include "daxlock/writeback.h"
#include "pmem/poison.h"
#include "space/space.h"

#define PMD_PAGES ((uint64_t)1 << DAX_PMD_ORDER)
#define PMD_BYTES (PMD_PAGES << DAX_PAGE_SHIFT)

/* The largest position: page and byte counts fit in 63 bits. */
#define MAX_BYTES ((uint64_t)INT64_MAX)

/* ---- blocks.c ---- */

/* A run of blocks. */
struct run {
	uint64_t block;
	uint64_t nr;
};

/* Blocks that are kept for one file's pages @lblk and on. Those that were taken
 * since are in that file's extents, and in no other's. */
struct kept {
	struct kept *next;
	uint64_t lblk;
	struct run run;
};

/* What is wanted, and what is known about where to put it. */
struct wish {
	struct dax_file *file;
	uint64_t lblk;
	uint64_t nr;
	bool may_grow;	     /* keep more than is wanted now */
	uint64_t hole_first; /* of the hole around @lblk */
	uint64_t hole_end;
	uint64_t before; /* block of page hole_first - 1; NO_BLOCK */
	uint64_t after;	 /* block of page hole_end; NO_BLOCK */
	uint64_t size;	 /* of the file, in bytes */
};

#define NO_BLOCK UINT64_MAX

enum {
	BLOCK_FREE = 0,
	/* 1 and on: that many extents have it */
	BLOCK_SHARES_MAX = 0xfff0,
	BLOCK_PENDING = 0xfffd, /* freed, but not committed yet */
	BLOCK_KEPT = 0xfffe,	/* for one file, in its struct kept */
	BLOCK_SYSTEM = 0xffff,	/* never free */
};

struct dax_fs {
	struct dax_pmem_map *map;	   /* const after init */
	const struct dax_profile *profile; /* const after init */
	struct dax_trace *trace;	   /* const after init */
	struct dax_waitq_table *waitqs;	   /* const after init */
	struct dax_stats *stats;	   /* const after init */
	struct dax_pgmap *pgmap;	   /* const after init */
	uint64_t nr_blocks;		   /* const after init */

	struct sync_lock lock;
	uint16_t *blocks; /* guarded by lock; what each is */
	/* Guarded by lock; free, or kept for a file of @files: unless it is 0,
	 * there is a block for whoever wants one. */
	uint64_t nr_free;
	uint64_t nr_pending;	/* guarded by lock */
	uint64_t nr_shared;	/* guarded by lock; blocks of two or more */
	uint64_t running;	/* guarded by lock; number of the transaction */
	uint64_t last_ino;	/* guarded by lock */
	struct dax_file *files; /* guarded by lock */

	struct pmem_poison poison;
	/* Relaxed: a switch of tests. */
	struct sync_u64 flush_error;
};

/* Up to @wish->nr blocks for the pages from @wish->lblk on, in one run. 0;
 * -ENOSPC; -ENOMEM. */
int blocks_allocate(
	struct dax_fs *fs, const struct wish *wish, struct run *out);
/* With the running transaction, which changes @file; and nothing is kept for it
 * any more. */
void blocks_free(struct dax_file *file, struct run run);
int blocks_share(struct dax_fs *fs, struct run run);
unsigned int blocks_shares(struct dax_fs *fs, uint64_t block);
/* How many blocks of @run, from its first on, are shared, or how many are not.
 */
uint64_t blocks_shared_run(struct dax_fs *fs, struct run run, bool *shared);
bool blocks_any_shared(struct dax_fs *fs, struct run run);
/* Has nobody a reference to a page of them? */
bool blocks_are_idle(const struct dax_fs *fs, struct run run);
/* What was kept for @file can be had by others. */
void blocks_unkeep(struct dax_fs *fs, struct dax_file *file);

/* ---- bad.c ---- */

/* What is bad of @run, of which nothing is to be kept, is good again; then all
 * of it has to be written. 0; an errno of the device, when it is still bad. */
int file_repair(struct dax_file *file, struct run run);

/* ---- journal.c ---- */

/* @file's metadata changes with the running transaction. */
void journal_add(struct dax_file *file);
/* So does its size. */
void file_set_size(struct dax_file *file, uint64_t size);
bool journal_is_dirty(struct dax_file *file);
void journal_commit(struct dax_fs *fs);
/* Commits if blocks wait for that. Is one free then? */
bool journal_make_room(struct dax_fs *fs);

/* ---- extents.c ---- */

struct extent {
	uint64_t lblk;
	uint64_t nr;
	uint64_t block;
	enum dax_iomap_type type; /* not DAX_IOMAP_HOLE */
};

struct extents {
	struct extent *list; /* sorted, merged */
	size_t nr;
	size_t room;
};

/* The extent or hole that @lblk is in, from @lblk on. */
struct extent extents_at(const struct extents *extents, uint64_t lblk);
/* The place of the last extent that begins before @lblk or at it, plus 1. */
size_t extents_before(const struct extents *extents, uint64_t lblk);
/* Room for @more extents, so that the calls below cannot fail. */
int extents_reserve(struct extents *extents, size_t more);
/* @extent's range is a hole. Uses one place. */
void extents_insert(struct extents *extents, struct extent extent);
/* Makes @nr pages a hole. Uses two places. */
void extents_remove(struct extents *extents, uint64_t lblk, uint64_t nr);
/* Takes @nr pages out: what follows moves up. Uses two places. */
void extents_collapse(struct extents *extents, uint64_t lblk, uint64_t nr);

/* ---- a file ---- */

struct dax_file {
	struct dax_fs *fs;	 /* const after init */
	struct dax_space *space; /* const after init */
	struct dax_file *next;	 /* guarded by fs->lock */
	struct dax_file **link;	 /* guarded by fs->lock */
	struct kept *kept;	 /* guarded by fs->lock */
	/* guarded by fs->lock: the transaction of the last change; 0: none */
	uint64_t changed;

	struct rwsem inode;
	/* Written under INODE and INVALIDATE alone, read under either: did it
	 * ever share blocks? */
	bool reflink;
	/* Grows under INODE, shrinks under INODE and INVALIDATE. Relaxed: who
	 * acts on it holds one of them, others get a snapshot. */
	struct sync_u64 size;
	struct sync_lock extent_lock;
	struct extents extents; /* guarded by extent_lock */
};

static inline uint64_t block_pfn(uint64_t block)
{
	return DAX_PFN_BASE + block;
}

/* Pages of a file. */
struct file_range {
	struct dax_file *file;
	struct space_range pages;
};

/* ---- make.c: all with the extent lock held ---- */

/* @nr pages at the start of @hole. */
struct wish file_make_wish(
	struct dax_file *file, struct extent hole, uint64_t nr);
/* Fills the start of a hole. *@made is what it got. 0; -ENOSPC, -ENOMEM. */
int file_make_blocks(struct dax_file *file, struct wish wish,
	enum dax_iomap_type type, struct extent *made);
/* @part of an unwritten extent becomes written. */
int file_make_written(struct dax_file *file, struct extent part);
/* What pages that move have in their new place. What does not copy them does
 * not mind if they are bad. */
enum filling {
	FILL_COPY,
	FILL_ZERO,
	FILL_NOTHING, /* they become unwritten */
};
/* The start of @part, as much as fits in one run, gets blocks of its own. What
 * it had is for the caller to free, once nobody shows it. */
int file_make_unshared(
	struct dax_file *file, enum filling filling, struct extent *part);
/* How much of @extent is shared, or how much is not. */
uint64_t file_shared_run(
	struct dax_file *file, struct extent extent, bool *shared);
/* @extent instead of what is there. Uses three places. */
void file_replace_extent(struct dax_file *file, struct extent extent);

/* ---- map.c ---- */

extern const struct dax_space_ops file_space_ops;

/* Its iomap_begin, of which a fault knows FILL_COPY alone. */
int file_iomap_begin(struct dax_file *file, enum dax_iomap_use use,
	enum filling filling, struct dax_iomap *iomap);

/* ---- layout.c ---- */

/* INVALIDATE of one file or two, alone. */
void file_invalidate_lock(const struct file_range *ranges, unsigned int nr);
void file_invalidate_unlock(const struct file_range *ranges, unsigned int nr);
/* Nobody has a page of @ranges pinned, or shows one, and none will while they
 * are locked; they may have been unlocked meanwhile, all of them. */
int file_break_layouts(const struct file_range *ranges, unsigned int nr);

/* ---- change.c ---- */

/* Before the file grows: what was stored in its last page, past its end, is 0.
 * INODE held alone. */
int file_zero_past_end(struct dax_file *file);
/* Entries of @pages go, as a whole: what else they have is made durable. */
int file_drop_entries(struct dax_file *file, struct space_range pages);

/* ---- range.c ---- */

/* Every page of the range gets blocks; those it had stay as they are. */
int file_preallocate(struct dax_file *file, uint64_t lblk, uint64_t nr);
int file_free_pages(struct dax_file *file, uint64_t lblk, uint64_t nr);
/* Written pages become unwritten. */
int file_unwrite(struct dax_file *file, uint64_t lblk, uint64_t nr);

/* ---- io.c ---- */

int file_direct_access(
	struct dax_file *file, uint64_t pfn, uint64_t nr, void **address);
int file_flush(struct dax_file *file, uint64_t pfn, uint64_t nr);
/* What the device said. -ENOSPC is for the lack of blocks: who meets it has
 * room made, and tries again. */
int file_device_error(int error);
/* An iomap_begin that commits if there is no room otherwise. Holds no ENTRY. */
int file_begin_write(struct dax_file *file, struct dax_iomap *iomap);
/* What shows the pages of a shared @iomap shows them no more; before its end,
 * with INVALIDATE held. An error of a writeback that this took. */
int file_forget_moved(struct dax_file *file, const struct dax_iomap *iomap);

/* Does the range lie in what a file can hold? */
static inline bool file_range_fits(uint64_t pos, uint64_t len)
{
	return pos <= MAX_BYTES && len <= MAX_BYTES - pos;
}

#include "file/deviate.h"

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lock ranks: the enum order is the lock order, and it executes.
 *
 * In checked builds each thread keeps the chain of locks it holds. Taking a
 * lock whose rank is not above every rank held aborts and prints the chain;
 * so does releasing a lock that this thread does not hold. In other builds
 * every function here is empty.
 *
 * Exceptions: a second ENTRY is allowed when its (mapping, index) is above
 * that of every ENTRY held, or when it is taken without waiting; a second INODE
 * or INVALIDATE when its address is above that of the first. And NONE is for
 * locks of code that is not the library's, whose order we do not know.
 */
#ifndef BASE_RANK_H
#define BASE_RANK_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/check.h"

enum rank {
	RANK_NONE,	/* in no order */
	RANK_INODE,
	RANK_MMAP,
	RANK_INVALIDATE,
	RANK_ENTRY,	/* the lock bit of an entry */
	RANK_EXTENT,	/* the block map of one file */
	RANK_I_MMAP,	/* who shows one file */
	RANK_PTE,	/* the page table of one address space */
	RANK_TREE,	/* shape and marks of one tree */
	RANK_CANCEL,	/* one dax_cancel */
	RANK_WAITQ,	/* one wait queue */
	RANK_LEAF,	/* nothing is taken under it */
};

/* What is locked: an address, and for an entry its first index. */
struct rank_lock {
	const void *object;
	uint64_t index;
	enum rank rank;
};

#define RANK_CHAIN_MAX 32

/* One a thread; the seam says where it lives (sync_rank_chain()). */
struct rank_chain {
	unsigned int depth;
	struct rank_lock held[RANK_CHAIN_MAX];
};

#if DAX_CHECKED

/* Before waiting for @lock. Aborts when it would be out of order. */
void rank_check(struct rank_lock lock);
/* After taking @lock, waited for or not. */
void rank_push(struct rank_lock lock);
/* Before releasing @lock. Aborts when this thread does not hold it. */
void rank_pop(struct rank_lock lock);
bool rank_holds(struct rank_lock lock);
bool rank_holds_any(enum rank rank);
#define RANK_DESCRIBE_MAX 64
/* "ENTRY 0x55e0 index 0x2" */
void rank_describe(struct rank_lock lock, char *text, size_t size);
void rank_print_held(FILE *to);

#else

static inline void rank_check(struct rank_lock lock)
{
	(void)lock;
}

static inline void rank_push(struct rank_lock lock)
{
	(void)lock;
}

static inline void rank_pop(struct rank_lock lock)
{
	(void)lock;
}

static inline bool rank_holds(struct rank_lock lock)
{
	(void)lock;
	return true;
}

static inline bool rank_holds_any(enum rank rank)
{
	(void)rank;
	return false;
}

static inline void rank_print_held(FILE *to)
{
	(void)to;
}

#endif

#endif

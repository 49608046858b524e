/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/rank.h"

#include "base/sync.h"

#if DAX_CHECKED

#include <inttypes.h>
#include <stdlib.h>

static const char *const rank_names[] = {
	[RANK_NONE] = "NONE",	  [RANK_INODE] = "INODE",
	[RANK_MMAP] = "MMAP",	  [RANK_INVALIDATE] = "INVALIDATE",
	[RANK_ENTRY] = "ENTRY",	  [RANK_I_MMAP] = "I_MMAP",
	[RANK_PTE] = "PTE",	  [RANK_TREE] = "TREE",
	[RANK_CANCEL] = "CANCEL", [RANK_WAITQ] = "WAITQ",
	[RANK_LEAF] = "LEAF",
};

static void print_lock(FILE *to, const char *verb, struct rank_lock lock)
{
	fprintf(to, "  %s %s %p", verb, rank_names[lock.rank], lock.object);
	if (lock.rank == RANK_ENTRY)
		fprintf(to, " index 0x%" PRIx64, lock.index);
	fputc('\n', to);
}

void rank_print_held(FILE *to)
{
	const struct rank_chain *chain = sync_rank_chain();

	for (unsigned int i = 0; i < chain->depth; i++)
		print_lock(to, "holds", chain->held[i]);
}

static bool same_lock(struct rank_lock a, struct rank_lock b)
{
	return a.object == b.object && a.index == b.index && a.rank == b.rank;
}

static bool may_follow(struct rank_lock held, struct rank_lock next)
{
	if (held.rank != next.rank)
		return held.rank < next.rank;
	if (next.rank != RANK_ENTRY)
		return false;
	if (held.object != next.object)
		return (uintptr_t)held.object < (uintptr_t)next.object;
	return held.index < next.index;
}

void rank_check(struct rank_lock lock)
{
	const struct rank_chain *chain = sync_rank_chain();

	for (unsigned int i = 0; i < chain->depth; i++) {
		if (may_follow(chain->held[i], lock))
			continue;
		fputs("daxlock: lock taken out of rank\n", stderr);
		rank_print_held(stderr);
		print_lock(stderr, "wants", lock);
		abort();
	}
}

void rank_push(struct rank_lock lock)
{
	struct rank_chain *chain = sync_rank_chain();

	DAX_REQUIRE(chain->depth < RANK_CHAIN_MAX);
	chain->held[chain->depth++] = lock;
}

void rank_pop(struct rank_lock lock)
{
	struct rank_chain *chain = sync_rank_chain();
	unsigned int i = chain->depth;

	while (i && !same_lock(chain->held[i - 1], lock))
		i--;
	if (!i) {
		fputs("daxlock: release of a lock this thread does not hold\n",
			stderr);
		rank_print_held(stderr);
		print_lock(stderr, "releases", lock);
		abort();
	}
	for (chain->depth--; i <= chain->depth; i++)
		chain->held[i - 1] = chain->held[i];
}

bool rank_holds(struct rank_lock lock)
{
	const struct rank_chain *chain = sync_rank_chain();

	for (unsigned int i = 0; i < chain->depth; i++)
		if (same_lock(chain->held[i], lock))
			return true;
	return false;
}

bool rank_holds_any(enum rank rank)
{
	const struct rank_chain *chain = sync_rank_chain();

	for (unsigned int i = 0; i < chain->depth; i++)
		if (chain->held[i].rank == rank)
			return true;
	return false;
}

#endif

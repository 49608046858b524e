/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/rank.h"

#include "base/sync.h"

#if DAX_CHECKED

#include <inttypes.h>

static const char *const rank_names[] = {
	[RANK_NONE] = "LOCK",
	[RANK_INODE] = "INODE",
	[RANK_MMAP] = "MMAP",
	[RANK_INVALIDATE] = "INVALIDATE",
	[RANK_ENTRY] = "ENTRY",
	[RANK_EXTENT] = "EXTENT",
	[RANK_I_MMAP] = "I_MMAP",
	[RANK_PTE] = "PTE",
	[RANK_TREE] = "TREE",
	[RANK_CANCEL] = "CANCEL",
	[RANK_WAITQ] = "WAITQ",
	[RANK_LEAF] = "LEAF",
};

void rank_describe(struct rank_lock lock, char *text, size_t size)
{
	const int length = snprintf(
		text, size, "%s %p", rank_names[lock.rank], lock.object);

	if (lock.rank == RANK_ENTRY && (size_t)length < size)
		snprintf(text + length, size - (size_t)length,
			" index 0x%" PRIx64, lock.index);
}

void rank_print_held(FILE *to)
{
	const struct rank_chain *chain = sync_rank_chain();
	char text[RANK_DESCRIBE_MAX];

	for (unsigned int i = 0; i < chain->depth; i++) {
		rank_describe(chain->held[i], text, sizeof(text));
		fprintf(to, "  holds %s\n", text);
	}
}

static bool same_lock(struct rank_lock a, struct rank_lock b)
{
	return a.object == b.object && a.index == b.index && a.rank == b.rank;
}

/* Who works on two files locks both. */
static bool is_of_a_file(enum rank rank)
{
	return rank == RANK_INODE || rank == RANK_INVALIDATE;
}

static bool may_follow(struct rank_lock held, struct rank_lock next)
{
	if (next.rank == RANK_NONE)
		return true;
	if (held.rank != next.rank)
		return held.rank < next.rank;
	if (next.rank != RANK_ENTRY && !is_of_a_file(next.rank))
		return false;
	if (held.object != next.object)
		return (uintptr_t)held.object < (uintptr_t)next.object;
	return held.index < next.index;
}

void rank_check(struct rank_lock lock)
{
	const struct rank_chain *chain = sync_rank_chain();
	char text[RANK_DESCRIBE_MAX];

	for (unsigned int i = 0; i < chain->depth; i++) {
		if (may_follow(chain->held[i], lock))
			continue;
		rank_describe(lock, text, sizeof(text));
		check_abort("lock taken out of rank: wants %s", text);
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
	char text[RANK_DESCRIBE_MAX];
	unsigned int i = chain->depth;

	while (i && !same_lock(chain->held[i - 1], lock))
		i--;
	if (!i) {
		rank_describe(lock, text, sizeof(text));
		check_abort("release of a lock this thread does not hold: %s",
			text);
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

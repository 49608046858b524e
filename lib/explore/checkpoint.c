/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Checkpoints: the world of an execution, copied away between two steps, so
 * that another execution with the same beginning need not repeat it. They lie
 * behind each other in one stretch of memory, deepest last.
 *
 * Nobody knows what a step writes, so all is copied: stacks, memory, what is
 * known of threads, objects and blocks. That is some kilobytes.
 */
#include <string.h>
#include <sys/mman.h>

#include "explore/context.h"
#include "explore/engine.h"
#include "explore/tso.h"

struct checkpoint {
	unsigned int depth;
	size_t size;	    /* of all, in bytes */
	struct spans spans; /* as many as there are, then their bytes */
};

#define ROOM ((size_t)64 << 20)
#define LINE 64
/* Steps that it takes as long to repeat as to take a checkpoint. */
#define WORTH 4

static char *room;
static char *top; /* where the next one goes */
static struct checkpoint *checkpoints[MAX_STEPS];
static unsigned int nr_checkpoints;

void checkpoints_reset(void)
{
	nr_checkpoints = 0;
	top = room;
}

static bool room_get(void)
{
	if (room)
		return true;
	room = mmap(NULL, ROOM, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (room == MAP_FAILED)
		room = NULL;
	top = room;
	return room;
}

void checkpoint_pages(struct spans *spans)
{
	if (CONTEXT_MOVABLE && room_get())
		span_add(spans, room, (size_t)128 << 10);
}

/* The first ones: the histories, and what execution_spans() begins with. */
#define ORDER_SPANS 2

static void world_spans(struct spans *spans)
{
	spans->nr = 0;
	histories_spans(spans);
	execution_spans(spans);
	memory_spans(spans);
	tso_state_spans(spans);
}

static char *bytes_of(struct checkpoint *checkpoint)
{
	return (char *)&checkpoint->spans.at[checkpoint->spans.nr];
}

/* Where the copy of @address goes, at @at or soon after: both begin alike in a
 * line of the cache, or copying takes half as long again. */
static inline char *place_of(const void *address, char *at)
{
	return at + (((uintptr_t)address - (uintptr_t)at) & (LINE - 1));
}

bool checkpoint_take(void)
{
	struct checkpoint *checkpoint;
	char *at;

	if (!CONTEXT_MOVABLE || !room_get() || nr_checkpoints == MAX_STEPS ||
		top + sizeof(*checkpoint) > room + ROOM)
		return false;
	checkpoint = (struct checkpoint *)(void *)top;
	checkpoint->depth = run.depth;
	world_spans(&checkpoint->spans);
	at = bytes_of(checkpoint);
	for (unsigned int i = 0; i < checkpoint->spans.nr; i++) {
		const size_t size = checkpoint->spans.at[i].size;

		at = place_of(checkpoint->spans.at[i].address, at);
		if (size + LINE > (size_t)(room + ROOM - at))
			return false;
		memcpy(at, checkpoint->spans.at[i].address, size);
		at += size;
	}
	top = room + (((size_t)(at - room) + LINE - 1) & -LINE);
	checkpoints[nr_checkpoints++] = checkpoint;
	return true;
}

/*
 * Going back is mostly to shortly before where it was the last time. So one is
 * taken half-way to there, again and again, but none where all is new: most of
 * what is new is left without another branch.
 */
unsigned int checkpoint_next(void)
{
	if (search.first_new < run.depth + WORTH)
		return NEVER;
	return run.depth + (search.first_new - run.depth) / 2;
}

/* The first @nr spans. */
static void restore(struct checkpoint *checkpoint, unsigned int nr)
{
	char *at = bytes_of(checkpoint);

	for (unsigned int i = 0; i < nr; i++) {
		at = place_of(checkpoint->spans.at[i].address, at);
		context_copied(checkpoint->spans.at[i].address,
			checkpoint->spans.at[i].size);
		memcpy(checkpoint->spans.at[i].address, at,
			checkpoint->spans.at[i].size);
		at += checkpoint->spans.at[i].size;
	}
}

bool checkpoint_go_back(unsigned int depth, enum back how)
{
	struct checkpoint *checkpoint;

	while (nr_checkpoints && checkpoints[nr_checkpoints - 1]->depth > depth)
		top = (char *)checkpoints[--nr_checkpoints];
	if (!nr_checkpoints)
		return false;
	checkpoint = checkpoints[nr_checkpoints - 1];
	if (how == BACK_ORDER) {
		restore(checkpoint, ORDER_SPANS);
	} else {
		restore(checkpoint, checkpoint->spans.nr);
		memory_restored();
	}
	return true;
}

/* ---- hashes ---- */

uint64_t checkpoint_hash(unsigned int stacks)
{
	static struct spans spans;

	spans.nr = 0;
	execution_state_spans(&spans, stacks);
	memory_state_spans(&spans);
	tso_state_spans(&spans);
	return hash_spans(&spans);
}

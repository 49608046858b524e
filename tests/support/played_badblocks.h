/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A machine with bad blocks is rare, so libpmem2's four functions are played
 * here: the definitions of a program come before those of the library. For one
 * source of a program, as it defines them.
 */
#ifndef SUPPORT_PLAYED_BADBLOCKS_H
#define SUPPORT_PLAYED_BADBLOCKS_H

#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <libpmem2.h>

#include "support/cmocka.h"

#define PLAYED_BADBLOCKS 4

/* What the played libpmem2 finds; real: the library's own functions. */
static struct {
	bool real;
	int new_error;
	int next_error;
	int clear_error;
	struct pmem2_badblock blocks[PLAYED_BADBLOCKS]; /* length 0: none */
	size_t at;
	struct pmem2_badblock cleared; /* the last one */
	unsigned int nr_cleared;
	int contexts; /* alive */
	/* Called by a clear, before it does anything. */
	void (*watch_clear)(void *context);
	void *watcher;
} play;

static void *libpmem2(const char *name)
{
	void *function = dlsym(RTLD_NEXT, name);

	assert_non_null(function);
	return function;
}

int pmem2_badblock_context_new(
	struct pmem2_badblock_context **context, const struct pmem2_source *src)
{
	int (*real)(
		struct pmem2_badblock_context **, const struct pmem2_source *);

	if (play.real) {
		*(void **)&real = libpmem2("pmem2_badblock_context_new");
		return real(context, src);
	}
	*context = NULL;
	if (play.new_error)
		return play.new_error;
	*context = (void *)&play;
	play.contexts++;
	play.at = 0;
	return 0;
}

int pmem2_badblock_next(
	struct pmem2_badblock_context *context, struct pmem2_badblock *block)
{
	int (*real)(struct pmem2_badblock_context *, struct pmem2_badblock *);

	if (play.real) {
		*(void **)&real = libpmem2("pmem2_badblock_next");
		return real(context, block);
	}
	if (play.next_error)
		return play.next_error;
	while (play.at < PLAYED_BADBLOCKS && !play.blocks[play.at].length)
		play.at++;
	if (play.at == PLAYED_BADBLOCKS)
		return PMEM2_E_NO_BAD_BLOCK_FOUND;
	*block = play.blocks[play.at++];
	return 0;
}

/* What of @block is in @part is good from now on; not its middle alone. */
static void play_good(
	struct pmem2_badblock *block, const struct pmem2_badblock *part)
{
	const size_t end = block->offset + block->length;
	const size_t part_end = part->offset + part->length;

	if (part->offset >= end || part_end <= block->offset)
		return;
	if (part->offset > block->offset)
		block->length = part->offset - block->offset;
	else
		block->length = part_end < end ? end - part_end : 0;
	if (part->offset <= block->offset)
		block->offset = end - block->length;
}

int pmem2_badblock_clear(struct pmem2_badblock_context *context,
	const struct pmem2_badblock *block)
{
	(void)context;
	if (play.watch_clear)
		play.watch_clear(play.watcher);
	if (play.clear_error)
		return play.clear_error;
	for (size_t i = 0; i < PLAYED_BADBLOCKS; i++)
		play_good(&play.blocks[i], block);
	play.cleared = *block;
	play.nr_cleared++;
	return 0;
}

void pmem2_badblock_context_delete(struct pmem2_badblock_context **context)
{
	void (*real)(struct pmem2_badblock_context **);

	if (play.real) {
		*(void **)&real = libpmem2("pmem2_badblock_context_delete");
		real(context);
		return;
	}
	*context = NULL;
	play.contexts--;
}

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Executions without end. One that comes back to a state in which it was before
 * can go round for ever. That is a livelock when nobody is left out: each
 * thread that could have made a step on the way round has made one. Else it
 * says only that somebody waits for a thread that the scheduler does not let
 * run, as it may.
 *
 * Where states cannot be told apart there is the limit of steps.
 */
#include <stdio.h>
#include <string.h>

#include "explore/engine.h"

/* Of this execution: hashes of the states before its steps, from
 * run.watch_from on, or in a search of states from the first on. */
static uint64_t hashes[MAX_STEPS];

/* Appends their names to run.message. */
static void name_threads(unsigned int threads)
{
	size_t length = strlen(run.message);

	for (; threads; threads &= threads - 1) {
		char name[64];

		if (length >= sizeof(run.message))
			return;
		length += (size_t)snprintf(run.message + length,
			sizeof(run.message) - length, " %s%s",
			thread_name((unsigned int)__builtin_ctz(threads), name,
				sizeof(name)),
			threads & (threads - 1) ? "," : "");
	}
}

/* Who has made a step from @from on. */
static unsigned int movers(unsigned int from)
{
	unsigned int moved = 0;

	for (unsigned int i = from; i < run.depth; i++)
		moved |= 1u << steps[i].thread;
	return moved;
}

void endless_limit(void)
{
	snprintf(run.message, sizeof(run.message),
		"%u steps, perhaps without end; still moving:", run.depth);
	name_threads(movers(run.depth / 2));
	run.bug = DAX_EXPLORE_STEP_LIMIT;
	run.outcome = OUTCOME_BUG;
}

/* ---- livelocks ---- */

static bool leaves_nobody_out(unsigned int from)
{
	unsigned int enabled = 0;

	for (unsigned int i = from; i < run.depth; i++)
		enabled |= steps[i].enabled;
	return !(enabled & ~movers(from));
}

static void livelock(unsigned int from)
{
	snprintf(run.message, sizeof(run.message),
		"after step %u all is as it was after step %u, and so on for "
		"ever; moving:",
		run.depth, from);
	name_threads(movers(from));
	run.bug = DAX_EXPLORE_LIVELOCK;
	run.outcome = OUTCOME_BUG;
}

/* In a replay words carry numbers, which they have only after the first time:
 * so it is the second that ends as it began. */
static void go_round_again(unsigned int from)
{
	const unsigned int length = run.depth - from;

	for (unsigned int i = 0; i < length; i++) {
		if (run.depth == MAX_STEPS - 2)
			return;
		steps[run.depth] = steps[run.depth - length];
		run.depth++;
	}
}

void endless_state(uint64_t hash)
{
	hashes[run.depth] = hash;
}

bool endless_was_here(uint64_t hash)
{
	for (unsigned int i = 0; i < run.depth; i++)
		if (hashes[i] == hash)
			return true;
	return false;
}

bool endless_cycle(uint64_t hash, unsigned int first)
{
	for (unsigned int from = run.depth; from-- > first;)
		if (hashes[from] == hash && leaves_nobody_out(from)) {
			livelock(from);
			if (search.states)
				go_round_again(from);
			return true;
		}
	return false;
}

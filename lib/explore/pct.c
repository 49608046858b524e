/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Probabilistic concurrency testing (Burckhardt, Kothari, Musuvathi,
 * Nagarakatte: A Randomized Scheduler with Probabilistic Guarantees of Finding
 * Bugs, 2010). Each thread has a random priority, and whoever has the highest
 * runs; at some random steps whoever would run falls below all others. A bug
 * that needs d orderings of steps is met by an execution of k steps of n
 * threads, with d - 1 such falls, with a probability of 1 / (n * k^(d-1)) at
 * least.
 *
 * How long an execution will be nobody knows: k is the longest so far.
 */
#include "explore/engine.h"

#define MAX_FALLS     16
#define DEFAULT_DEPTH 3

static struct {
	unsigned int length;
	unsigned int nr_falls;
	unsigned int falls[MAX_FALLS];	      /* steps */
	unsigned int priorities[MAX_THREADS]; /* below MAX_FALLS: has fallen */
} pct;

void pct_setup(unsigned int depth)
{
	if (!depth)
		depth = DEFAULT_DEPTH;
	pct.length = 1;
	pct.nr_falls = depth - 1 < MAX_FALLS ? depth - 1 : MAX_FALLS;
}

static void execution_starts(void)
{
	for (unsigned int i = 0; i < MAX_THREADS; i++) {
		const unsigned int j = (unsigned int)random_below(i + 1);

		pct.priorities[i] = pct.priorities[j];
		pct.priorities[j] = MAX_FALLS + i;
	}
	for (unsigned int i = 0; i < pct.nr_falls; i++)
		pct.falls[i] = (unsigned int)random_below(pct.length);
}

static unsigned int highest(unsigned int among)
{
	unsigned int best = (unsigned int)__builtin_ctz(among);

	for (among &= among - 1; among; among &= among - 1) {
		const unsigned int i = (unsigned int)__builtin_ctz(among);

		if (pct.priorities[i] > pct.priorities[best])
			best = i;
	}
	return best;
}

unsigned int pct_choose(unsigned int among)
{
	if (!run.depth)
		execution_starts();
	if (run.depth >= pct.length)
		pct.length = run.depth + 1;
	for (unsigned int i = 0; i < pct.nr_falls; i++)
		if (pct.falls[i] == run.depth)
			pct.priorities[highest(among)] = i;
	return highest(among);
}

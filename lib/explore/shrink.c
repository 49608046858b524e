/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A bug that was found among all interleavings is seldom found in the simplest
 * of them. Greedily: where thread A is preempted by B, either A goes on with
 * its next run, or the run waits for that, or B's run comes before it. An
 * execution that ends with the same bug after fewer preemptions, or as many
 * and fewer switches, is the one to go on from.
 */
#include <string.h>

#include "explore/engine.h"
#include "explore/step.h"

/* Executions tried, at most. */
#define SHRINK_EXECUTIONS 1000

struct cost {
	unsigned int preemptions;
	unsigned int switches;
};

/* The best up to now, and which of its items preempt. In a replay each item is
 * a step. */
static struct replay best;
static bool preempts[MAX_STEPS];
static struct cost best_cost;
static unsigned int tries_left;

static bool cheaper(struct cost a, struct cost b)
{
	return a.preemptions != b.preemptions ? a.preemptions < b.preemptions
					      : a.switches < b.switches;
}

static struct cost cost_of_steps(void)
{
	struct cost cost = {0};

	for (unsigned int i = 1; i < run.depth; i++) {
		cost.switches += steps[i].thread != steps[i - 1].thread;
		cost.preemptions += step_preempts(&steps[i], steps[i].thread);
	}
	return cost;
}

static void copy_replay(struct replay *to, const struct replay *from)
{
	to->nr = from->nr;
	memcpy(to->at, from->at, from->nr * sizeof(from->at[0]));
}

static void adopt(void)
{
	replay_take();
	copy_replay(&best, &replay);
	best_cost = cost_of_steps();
	for (unsigned int i = 0; i < run.depth; i++)
		preempts[i] = step_preempts(&steps[i], steps[i].thread);
}

/* ---- candidates ---- */

static unsigned int run_end(unsigned int i)
{
	const unsigned int thread = best.at[i].thread;

	while (i < best.nr && best.at[i].thread == thread)
		i++;
	return i;
}

static unsigned int run_start(unsigned int i)
{
	while (i && best.at[i - 1].thread == best.at[i].thread)
		i--;
	return i;
}

/* The items from @from to before @end go before @to, an earlier one. */
static void move_items(unsigned int to, unsigned int from, unsigned int end)
{
	const size_t item = sizeof(best.at[0]);

	copy_replay(&replay, &best);
	memcpy(&replay.at[to], &best.at[from], (end - from) * item);
	memcpy(&replay.at[to + end - from], &best.at[to], (from - to) * item);
}

/* The next run of the thread that item @i preempts, or the end. */
static unsigned int next_run(unsigned int i)
{
	unsigned int next = run_end(i);

	while (next < best.nr && best.at[next].thread != best.at[i - 1].thread)
		next = run_end(next);
	return next;
}

enum way {
	WAY_GO_ON,  /* the thread that is preempted goes on with its next run */
	WAY_WAIT,   /* its run waits for its next one */
	WAY_BEFORE, /* the run that preempts it comes before it */
	NR_WAYS,
};

static void rearrange(unsigned int i, enum way way)
{
	const unsigned int next = next_run(i);

	if (way == WAY_GO_ON)
		move_items(i, next, next < best.nr ? run_end(next) : next);
	else
		move_items(run_start(i - 1), i,
			way == WAY_WAIT ? next : run_end(i));
}

/* ---- shrinking ---- */

static bool improves(
	const struct dax_scenario *scenario, enum dax_explore_bug bug)
{
	tries_left--;
	replay_begin();
	execution_run(scenario);
	if (run.bug != bug || !cheaper(cost_of_steps(), best_cost))
		return false;
	adopt();
	return true;
}

/* Once through all preemptions. False: nothing could be improved. */
static bool shrink_once(
	const struct dax_scenario *scenario, enum dax_explore_bug bug)
{
	bool improved = false;

	for (unsigned int i = 1; i < best.nr; i++)
		for (unsigned int way = 0; way < NR_WAYS; way++) {
			if (i >= best.nr || !preempts[i] || !tries_left)
				break;
			rearrange(i, (enum way)way);
			improved |= improves(scenario, bug);
		}
	return improved;
}

void shrink(const struct dax_scenario *scenario, enum dax_explore_bug bug)
{
	copy_replay(&best, &replay);
	replay_begin();
	execution_run(scenario);
	/* What does not happen again is for record() to tell. */
	if (run.bug == bug) {
		adopt();
		tries_left = SHRINK_EXECUTIONS;
		while (shrink_once(scenario, bug))
			;
	}
	copy_replay(&replay, &best);
}

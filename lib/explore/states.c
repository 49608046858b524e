/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Searching states. Many interleavings lead to one state: all of a scenario's
 * memory, stacks included. Each state is kept as a hash, so that what follows
 * it is explored once; those on the way to the current one are kept whole, so
 * that a step can be taken from each again.
 *
 * Sleep sets save most of the steps between them: where two steps commute, one
 * order of the two is enough to get to where both were made. A state that was
 * seen with threads asleep that now are awake is left with these once more
 * (Godefroid: Partial-Order Methods for the Verification of Concurrent Systems,
 * 1996, chapter 6). What has no object commutes with nothing: freeing, and
 * what RCU waits for.
 *
 * Sleep sets leave out no state, but ways between them, and so perhaps the one
 * way round that leaves nobody out. Where executions come back to a state at
 * all, the search begins anew without.
 */
#include "explore/engine.h"
#include "explore/step.h"

/* Of each state on the way to the current one: threads, or values of a choice,
 * that have not been tried yet. */
static uint8_t todo[MAX_STEPS];

enum arrival {
	ARRIVAL_NEW,
	ARRIVAL_SEEN, /* or the end of a good execution */
	ARRIVAL_BUG,
	ARRIVAL_FULL,
};

/* What of @next is to be tried when nobody was here before. */
static unsigned int worth_trying(const struct step *step, unsigned int next)
{
	if (run.state.choice_of)
		return next;
	if (search.twins)
		next &= ~twins_among(next);
	return next & ~(unsigned int)step->sleep;
}

/* Somebody was: what was asleep each time and is not now. A choice, in the
 * middle of a step, is made again then: who was asleep at it was so after it.
 */
static unsigned int worth_more(
	const struct step *step, unsigned int next, uint8_t *slept)
{
	const unsigned int awake = *slept & ~(unsigned int)step->sleep;

	*slept &= step->sleep;
	if (run.state.choice_of)
		return awake ? next : 0;
	return worth_trying(step, next) & awake;
}

/* Leaves of *@next what is worth trying at @step, in the state of that hash.
 * False: there is no memory. */
static bool remember(struct step *step, uint64_t hash, unsigned int *next)
{
	if (seen_has(hash)) {
		*next = worth_more(step, *next, seen_sleep(hash));
		return true;
	}
	*next = worth_trying(step, *next);
	if (!seen_add(hash))
		return false;
	*seen_sleep(hash) = step->sleep;
	return true;
}

/* The threads, or values, in the mask @next can come next. */
static enum arrival go_on_from(unsigned int depth, unsigned int next)
{
	struct step *step = &steps[depth];
	uint64_t hash;

	step->done = step->sleep = 0;
	if (depth && !search.cyclic)
		step_inherit_sleep(step, step - 1);
	step->enabled = run.state.choice_of ? 0 : (uint8_t)next;
	hash = checkpoint_hash(ALL_STACKS);
	if (seen_has(hash) && endless_cycle(hash, 0))
		return ARRIVAL_BUG;
	if (seen_has(hash) && !search.cyclic && endless_was_here(hash))
		search.cyclic = search.found_shared = true;
	if (!remember(step, hash, &next) || search.found_shared ||
		depth >= MAX_STEPS - 2)
		return ARRIVAL_FULL;
	if (!next)
		return ARRIVAL_SEEN;
	if (!checkpoint_take())
		return ARRIVAL_FULL;
	endless_state(hash);
	todo[depth] = (uint8_t)next;
	return ARRIVAL_NEW;
}

/* The world is in a state, @depth steps from the first. */
static enum arrival arrive(unsigned int depth)
{
	unsigned int next;

	if (run.outcome == OUTCOME_BUG)
		return ARRIVAL_BUG;
	next = run.state.choice_of ? (1u << run.state.choice_of) - 1
				   : execution_enabled();
	if (run.outcome == OUTCOME_BUG)
		return ARRIVAL_BUG;
	if (next)
		return go_on_from(depth, next);
	execution_resume(WHO_BODY, 0);
	return run.outcome == OUTCOME_BUG ? ARRIVAL_BUG : ARRIVAL_SEEN;
}

/* A step goes on after a choice. */
static void include_choice(unsigned int depth)
{
	const struct footprint *footprint = &steps[depth].footprint;

	if (!footprint->nr && !footprint->everything)
		return;
	while (depth && steps[depth].nr_values)
		depth--;
	steps[depth].asleep[steps[depth].thread].everything = true;
}

/* Takes the next step that @depth's state has to offer. */
static void take_step(unsigned int depth)
{
	const unsigned int next = (unsigned int)__builtin_ctz(todo[depth]);
	struct step *step = &steps[depth];

	todo[depth] &= (uint8_t)(todo[depth] - 1);
	checkpoint_go_back(depth, BACK_WORLD);
	step->nr_values = run.state.choice_of;
	step->value = (uint8_t)next;
	step->thread =
		(uint8_t)(run.state.choice_of ? run.state.choosing : next);
	step->operation =
		run.state.choice_of ? OP_CHOOSE : run.threads[next].operation;
	step->footprint.nr = 0;
	step->footprint.everything = false;
	run.depth = depth + 1;
	search.nr_steps++;
	coroutine_clear_below(step->thread);
	execution_resume(step->thread, next);
	step->merged = run.merged;
	if (step->nr_values) {
		include_choice(depth);
		return;
	}
	step->done |= (uint8_t)(1u << step->thread);
	step->asleep[step->thread] = step->footprint;
}

bool states_explore(const struct dax_scenario *scenario, uint64_t limit)
{
	enum arrival arrival;
	unsigned int depth = 0;

	/* Nothing is run: what the last search ended with is not ours. */
	run.outcome = OUTCOME_GOOD;
	execution_begin(scenario);
	if (run.outcome == OUTCOME_GOOD)
		return true;
	arrival = arrive(0);
	while (arrival <= ARRIVAL_SEEN && !(limit && seen_count() >= limit)) {
		while (depth && !todo[depth])
			depth--;
		if (!todo[depth])
			break;
		take_step(depth);
		arrival = arrive(depth + 1);
		if (arrival == ARRIVAL_NEW)
			depth++;
	}
	return arrival <= ARRIVAL_SEEN && !todo[depth] && !depth;
}

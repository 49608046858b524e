/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Searching states. Many interleavings lead to one state: all of a scenario's
 * memory, stacks included. Each state is kept as a hash, so that what follows
 * it is explored once; those on the way to the current one are kept whole, so
 * that a step can be taken from each again.
 */
#include "explore/engine.h"

/* Of each state on the way to the current one: threads, or values of a choice,
 * that have not been tried yet. */
static uint8_t todo[MAX_STEPS];

enum arrival {
	ARRIVAL_NEW,
	ARRIVAL_SEEN, /* or the end of a good execution */
	ARRIVAL_BUG,
	ARRIVAL_FULL,
};

/* The world is in a state, @depth steps from the first. */
static enum arrival arrive(unsigned int depth)
{
	unsigned int next;
	uint64_t hash;

	if (run.outcome == OUTCOME_BUG)
		return ARRIVAL_BUG;
	next = run.state.choice_of ? (1u << run.state.choice_of) - 1
				   : execution_enabled();
	if (run.outcome == OUTCOME_BUG)
		return ARRIVAL_BUG;
	if (!next) {
		execution_resume(WHO_BODY, 0);
		return run.outcome == OUTCOME_BUG ? ARRIVAL_BUG : ARRIVAL_SEEN;
	}
	hash = checkpoint_hash(ALL_STACKS);
	if (seen_has(hash))
		return endless_cycle(hash, 0) ? ARRIVAL_BUG : ARRIVAL_SEEN;
	if (search.found_shared || depth >= MAX_STEPS - 2 ||
		!checkpoint_take() || !seen_add(hash))
		return ARRIVAL_FULL;
	endless_state(hash);
	todo[depth] = (uint8_t)next;
	if (search.twins && !run.state.choice_of)
		todo[depth] &= (uint8_t)~twins_among(next);
	steps[depth].enabled = run.state.choice_of ? 0 : (uint8_t)next;
	return ARRIVAL_NEW;
}

/* Takes the next step that @depth's state has to offer. */
static void take_step(unsigned int depth)
{
	const unsigned int next = (unsigned int)__builtin_ctz(todo[depth]);
	struct step *step = &steps[depth];

	todo[depth] &= (uint8_t)(todo[depth] - 1);
	checkpoint_go_back(depth);
	step->nr_values = run.state.choice_of;
	step->value = (uint8_t)next;
	step->thread =
		(uint8_t)(run.state.choice_of ? run.state.choosing : next);
	step->operation =
		run.state.choice_of ? OP_CHOOSE : run.threads[next].operation;
	run.depth = depth + 1;
	search.nr_steps++;
	coroutine_clear_below(step->thread);
	execution_resume(step->thread, next);
	step->merged = run.merged;
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

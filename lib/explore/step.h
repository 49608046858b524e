/* SPDX-License-Identifier: BSD-3-Clause */
/* A step: whose turn it is, and that it is made. The same whether its code is
 * run (schedule.c) or what it did is known (rest.c); small, and done for each
 * step of each execution, so that it is inline. */
#ifndef EXPLORE_STEP_H
#define EXPLORE_STEP_H

#include "explore/engine.h"

/* ---- threads that need not be chosen ---- */

/* Before the next one. */
static inline unsigned int step_asleep(const struct step *step)
{
	const unsigned int asleep =
		step->sleep | (step->nr_values ? 0u : step->done);

	return asleep & ~(1u << step->thread);
}

/* What follows was explored where they were chosen before, and nothing since,
 * @before being the latest step, has touched what they are about to. */
static inline void step_inherit_sleep(
	struct step *step, const struct step *before)
{
	for (unsigned int left = step_asleep(before); left; left &= left - 1) {
		const int i = __builtin_ctz(left);

		if (footprints_clash(&before->asleep[i], &before->footprint))
			continue;
		step->sleep |= (uint8_t)(1u << i);
		step->asleep[i] = before->asleep[i];
	}
}

static inline void step_find_twins(struct step *step)
{
	step->twins = (uint8_t)twins_among(step->enabled);
	for (unsigned int left = step->twins; left; left &= left - 1) {
		const unsigned int i = (unsigned int)__builtin_ctz(left);

		step->twin_of[i] = (uint8_t)twins_first(i, step->enabled);
	}
}

/* ---- choosing ---- */

/* Would @thread be a preemption, in place of whoever ran before @step? */
static inline bool step_preempts(const struct step *step, unsigned int thread)
{
	return step->previous < MAX_THREADS && thread != step->previous &&
	       (step->enabled & ~step->waiting) >> step->previous & 1;
}

/* Whoever ran before, if that is no choice to be made. Nobody times out while
 * others can go on. */
static inline unsigned int step_go_on(
	const struct step *step, unsigned int among)
{
	if (among & ~(unsigned int)step->waiting)
		among &= ~(unsigned int)step->waiting;
	if (step->previous < MAX_THREADS && among >> step->previous & 1)
		return step->previous;
	return (unsigned int)__builtin_ctz(among);
}

/* Is it drawn by lot, or said by a token? */
static inline bool step_is_given(void)
{
	return search.how == DAX_EXPLORE_RANDOM ||
	       search.how == DAX_EXPLORE_PCT ||
	       search.how == DAX_EXPLORE_REPLAY;
}

static inline void step_new(struct step *step)
{
	const bool first = step == steps;

	step->enabled = step->waiting = 0;
	step->todo = step->done = step->sleep = step->twins = 0;
	step->nr_values = step->value = 0;
	step->state = 0;
	step->preemptions = first ? 0 : step[-1].preemptions;
	if (!first && search.sleep)
		step_inherit_sleep(step, step - 1);
}

/* Chooses the thread of @step, which comes after one of @previous. False: all
 * that could be chosen are asleep. */
static inline bool step_plan(struct step *step, unsigned int previous,
	unsigned int enabled, unsigned int waiting)
{
	unsigned int among;

	step_new(step);
	step->previous = (uint8_t)previous;
	step->enabled = (uint8_t)enabled;
	step->waiting = (uint8_t)waiting;
	if (search.twins)
		step_find_twins(step);
	among = enabled & ~(unsigned int)(step->sleep | step->twins);
	if (!among)
		return false;
	step->thread = (uint8_t)(step_is_given() ? schedule_thread(step, among)
						 : step_go_on(step, among));
	if (!search.races)
		step->todo = (uint8_t)(among & ~(1u << step->thread));
	step->preemptions += step_preempts(step, step->thread);
	return true;
}

/* ---- making it ---- */

/* The step at run.depth is made by its thread. */
static inline void step_count(struct step *step)
{
	struct thread *thread = &run.threads[step->thread];

	step->last = thread->last;
	if (run.depth)
		step[-1].merged = run.merged;
	order_step(run.depth++);
	thread->last = (uint16_t)run.depth;
	run.moment = moment_first(run.depth);
	search.nr_steps++;
}

/* It is made from what is known of it. */
static inline void step_repeat(struct step *step)
{
	const uint16_t merged = step->merged;

	step_count(step);
	order_repeat(step);
	run.merged = merged;
}

#endif

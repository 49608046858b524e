/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Threads that can be exchanged. Where a scenario says that threads of one
 * function and argument differ in nothing, what follows when one of two goes
 * on is what follows when the other does, with their names exchanged, as long
 * as they are alike: have made the same steps, have been told the same in them,
 * and have told others nothing. Then only the first of them is chosen.
 *
 * T1  What a thread was told: the values of shared words, and in a search of
 *     executions also what had happened before, of which its clocks speak. So
 *     the execution up to here, with the two exchanged, is equivalent to
 *     itself.
 * T2  Whatever a thread does to a shared object but look at it sets it apart
 *     for good; so does a choice.
 * T3  In a search of states, which has no clocks, RCU must wait for both or for
 *     neither.
 */
#include "explore/engine.h"

void twins_begin(void)
{
	for (unsigned int i = 0; i < run.nr_threads; i++) {
		struct thread *thread = &run.threads[i];

		thread->told = 0;
		thread->apart = false;
		thread->like = 0;
		for (unsigned int j = 0; search.twins && j < i; j++)
			if (run.threads[j].function == thread->function &&
				run.threads[j].context == thread->context &&
				run.threads[j].argument == thread->argument)
				thread->like |= (uint8_t)(1u << j);
	}
}

static uint64_t mix(uint64_t told, uint64_t value)
{
	told = (told ^ value) * 0x9e3779b97f4a7c15u;
	return told ^ told >> 29;
}

void twins_told(uint64_t value)
{
	self()->told = mix(self()->told, value + 1);
}

void twins_part(void)
{
	self()->told = mix(~(uint64_t)0, run.who);
	self()->apart = true;
}

void twins_step_done(void)
{
	const struct thread *me = self();

	twins_told(0);
	if (search.states || !me->last)
		return;
	for (unsigned int i = 0; i < run.nr_threads; i++)
		if (i != run.who)
			twins_told(steps[me->last - 1].clock.at[i]);
}

unsigned int twins_first(unsigned int thread, unsigned int among)
{
	among &= run.threads[thread].like;
	for (; among; among &= among - 1) {
		const unsigned int other = (unsigned int)__builtin_ctz(among);

		if (run.threads[other].told == run.threads[thread].told &&
			!rcu_tells_apart(other, thread))
			return other;
	}
	return thread;
}

unsigned int twins_among(unsigned int enabled)
{
	unsigned int twins = 0;

	for (unsigned int left = enabled; left; left &= left - 1) {
		const unsigned int i = (unsigned int)__builtin_ctz(left);

		if (run.threads[i].like && twins_first(i, enabled) != i)
			twins |= 1u << i;
	}
	return twins;
}

bool twins_are_over(void)
{
	unsigned int apart = 0;

	for (unsigned int i = 0; i < run.nr_threads; i++)
		apart |= (unsigned int)(run.threads[i].apart || is_done(i))
			 << i;
	for (unsigned int i = 0; i < run.nr_threads; i++)
		if (!(apart >> i & 1) && run.threads[i].like & ~apart)
			return false;
	return true;
}

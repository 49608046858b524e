/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The last thread. When all others have ended, what is left of an execution
 * depends on the state alone: this thread goes on, and then the body. So it is
 * run once, and what each of its steps was and touched is kept; when another
 * execution comes to that state, only the clocks of these steps and their races
 * with those before are worked out.
 *
 * Not kept are endings with a choice, those in which memory was judged by
 * clocks (memory.c), which are no part of the state, and bugs.
 */
#include <string.h>

#include "explore/engine.h"

struct last_step {
	const struct explore_site *site;
	uint8_t operation;
	uint8_t timed;
	uint16_t merged;
	struct footprint footprint;
};

#define MAX_LAST 32

struct ending {
	uint64_t hash; /* of the state in which it begins; 0: none */
	unsigned int nr;
	struct last_step steps[MAX_LAST];
};

/* Each at one place, where a later one takes it. */
#define NR_ENDINGS 8192

static struct ending endings[NR_ENDINGS];
static unsigned int nr_kept;

void endings_reset(void)
{
	for (unsigned int i = 0; nr_kept && i < NR_ENDINGS; i++)
		endings[i].hash = 0;
	nr_kept = 0;
}

static struct ending *ending_at(uint64_t hash)
{
	return &endings[hash % NR_ENDINGS];
}

/* The only thread that has not ended, or NR_WHO. */
static unsigned int last_thread(void)
{
	unsigned int last = NR_WHO;

	for (unsigned int i = 0; i < run.nr_threads; i++) {
		if (is_done(i))
			continue;
		if (last != NR_WHO)
			return NR_WHO;
		last = i;
	}
	return last;
}

/* The step that has begun touches what it touched before. Nobody is left to
 * take what it releases. */
static void touch(const struct last_step *as)
{
	for (unsigned int i = 0; i < as->footprint.nr; i++)
		if (as->footprint.at[i].access != ACCESS_RELEASE)
			order_shared(as->footprint.at[i].object,
				(enum access)as->footprint.at[i].access);
	run.merged = as->merged;
}

static void repeat(unsigned int last, const struct ending *ending)
{
	struct thread *thread = &run.threads[last];

	/* Perhaps another execution has had this. */
	if (schedule_next(run.stopped) == WHO_ENGINE)
		return;
	touch(&ending->steps[0]);
	for (unsigned int i = 1; i < ending->nr; i++) {
		thread->operation = ending->steps[i].operation;
		thread->timed = ending->steps[i].timed;
		thread->site = ending->steps[i].site;
		schedule_alone(last);
		touch(&ending->steps[i]);
	}
	run.outcome = OUTCOME_GOOD;
}

void ending_repeat(void)
{
	const struct ending *ending;
	unsigned int last;

	if (!search.endings || run.depth < search.prefix ||
		run.last_from != NEVER)
		return;
	last = last_thread();
	if (last == NR_WHO)
		return;
	run.judged = false;
	run.last_from = run.depth;
	run.last_hash = checkpoint_hash(ALL_STACKS);
	ending = ending_at(run.last_hash);
	if (ending->hash == run.last_hash &&
		run.depth + ending->nr < search_max_steps())
		repeat(last, ending);
}

static bool can_be_kept(void)
{
	if (run.last_from == NEVER || run.judged ||
		run.depth - run.last_from > MAX_LAST)
		return false;
	for (unsigned int i = run.last_from; i < run.depth; i++)
		if (steps[i].nr_values || steps[i].footprint.everything)
			return false;
	return true;
}

void ending_keep(void)
{
	struct ending *ending = ending_at(run.last_hash);

	if (!can_be_kept())
		return;
	nr_kept++;
	steps[run.depth - 1].merged = run.merged;
	ending->hash = run.last_hash;
	ending->nr = 0;
	for (unsigned int i = run.last_from; i < run.depth; i++) {
		const struct step *step = &steps[i];

		ending->steps[ending->nr++] = (struct last_step){
			.site = step->site,
			.operation = step->operation,
			.timed = step->timed,
			.merged = step->merged,
			.footprint = step->footprint,
		};
	}
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rest of an execution. Interleavings that differ often come to one state,
 * and what follows there depends on nothing else: the same thread is chosen,
 * does the same, and so on to the end. So at some steps of an execution that is
 * new, its marks, the state is hashed, and when it has ended well, what each
 * step from there was and touched is noted. An execution that comes to the
 * state of a mark does the rest from these notes: sleep sets, clocks and races
 * are worked out, as they are its own; the code is not run.
 *
 * Notes are not used before twins have parted (twins.c): who is alike is no
 * part of the state.
 *
 * Not noted are choices, and steps in which memory was judged by clocks
 * (memory.c), which are no part of the state.
 */
#include <string.h>

#include "explore/engine.h"

struct note {
	uint8_t thread; /* NR_WHO: the end */
	uint8_t enabled;
	uint8_t waiting;
	uint8_t operation;
	uint16_t merged;
	uint8_t timed;
	uint8_t nr;
	struct touch touched[];
};

/* One behind the other. When they are full, all are forgotten. */
#define NOTES_SIZE ((size_t)8 << 20)
/* Of one step; of what comes behind an execution. */
#define NOTE_MAX (sizeof(struct note) + FOOTPRINT_MAX * sizeof(struct touch))

static _Alignas(struct note) char notes[NOTES_SIZE];
static size_t notes_used;

/* By the hash of the state where it begins; a later one takes its place. */
struct rest {
	uint64_t hash;
	const struct note *first; /* or NULL */
};

/* Most searches are small: a few pages, which are there. */
#define MIN_RESTS (1u << 10)
#define MAX_RESTS (1u << 16)

static struct rest rests[MAX_RESTS];
static unsigned int size; /* of it, in use; a power of two */
static unsigned int nr_rests;

/* Of this execution. */
static struct mark {
	uint64_t hash;
	unsigned int depth;
} marks[MAX_MARKS];

static void forget(unsigned int new_size)
{
	memset(rests, 0, size * sizeof(rests[0]));
	size = new_size;
	nr_rests = 0;
	notes_used = 0;
}

void rests_reset(void)
{
	forget(MIN_RESTS);
}

static struct rest *rest_at(uint64_t hash)
{
	return &rests[hash & (size - 1)];
}

static inline const struct note *note_next(const struct note *note)
{
	return (const void *)&note->touched[note->nr];
}

/* ---- from notes ---- */

enum plan {
	PLAN_ENDS,
	PLAN_IS_CUT,  /* all that can go on are asleep */
	PLAN_DIFFERS, /* or is too long: it must be run */
};

/* Chooses the threads of all steps, *@end being the one after the last. */
static enum plan plan(const struct note *note, struct step **end)
{
	const struct step *limit = &steps[search.max_steps];
	unsigned int previous = run.stopped;
	struct step *step = &steps[run.depth];

	for (; note->thread != NR_WHO; note = note_next(note)) {
		*end = step;
		if (!schedule_plan(
			    step, previous, note->enabled, note->waiting))
			return PLAN_IS_CUT;
		if (step->thread != note->thread || step == limit)
			return PLAN_DIFFERS;
		step->footprint.nr = note->nr;
		step->footprint.everything = false;
		memcpy(step->footprint.at, note->touched,
			note->nr * sizeof(note->touched[0]));
		previous = note->thread;
		step++;
	}
	*end = step;
	return PLAN_ENDS;
}

static void step_repeat(const struct note *note)
{
	struct thread *thread = &run.threads[note->thread];

	thread->operation = note->operation;
	thread->timed = note->timed;
	schedule_begin(&steps[run.depth]);
	for (unsigned int i = 0; i < note->nr; i++) {
		const struct touch touch = note->touched[i];

		if (touch.access == ACCESS_RELEASE)
			order_released(touch.object);
		else
			order_shared(touch.object, (enum access)touch.access);
	}
	run.merged = note->merged;
}

/* False: it must be run. */
static bool repeat(const struct note *note)
{
	struct step *end;
	const enum plan how = plan(note, &end);

	if (how == PLAN_DIFFERS || (size_t)(end - steps) > run.watch_from)
		return false;
	for (; &steps[run.depth] != end; note = note_next(note))
		step_repeat(note);
	run.outcome = how == PLAN_ENDS ? OUTCOME_GOOD : OUTCOME_CUT;
	return true;
}

static bool one_is_left(void)
{
	return run.alive && !(run.alive & (run.alive - 1));
}

/* Is the state hashed here? After the first step that is new, and when all
 * threads but one have ended, from where on nothing but the state matters. */
static bool is_mark(void)
{
	if (!search.rests || run.depth < search.prefix ||
		run.nr_marks == MAX_MARKS)
		return false;
	if (run.depth == search.prefix && search.races)
		return !search.twins || twins_are_over();
	return one_is_left() && !run.marked_last;
}

void rest_repeat(void)
{
	struct mark *mark = &marks[run.nr_marks];
	const struct rest *rest;

	if (!is_mark())
		return;
	run.marked_last = one_is_left();
	mark->depth = run.depth;
	mark->hash = checkpoint_hash(ALL_STACKS);
	rest = rest_at(mark->hash);
	if (!rest->first || rest->hash != mark->hash || !repeat(rest->first))
		run.nr_marks++;
}

/* ---- taking notes ---- */

/* The step from which on all can be noted. */
static unsigned int noted_from(void)
{
	unsigned int from = run.depth;

	while (from > run.judged && !steps[from - 1].nr_values &&
		!steps[from - 1].footprint.everything)
		from--;
	return from;
}

static struct note *note_new(void)
{
	return (struct note *)(void *)(notes + notes_used);
}

static void note_step(const struct step *step)
{
	struct note *note = note_new();

	*note = (struct note){
		.thread = step->thread,
		.enabled = step->enabled,
		.waiting = step->waiting,
		.operation = step->operation,
		.merged = step->merged,
		.timed = step->timed,
		.nr = step->footprint.nr,
	};
	memcpy(note->touched, step->footprint.at,
		note->nr * sizeof(note->touched[0]));
	notes_used = (size_t)((const char *)note_next(note) - notes);
}

/* The marks from @mark on, whose steps can all be noted. */
static void note_rest(const struct mark *mark)
{
	const struct mark *end = &marks[run.nr_marks];

	steps[run.depth - 1].merged = run.merged;
	for (unsigned int i = mark->depth; i < run.depth; i++) {
		if (mark != end && mark->depth == i) {
			*rest_at(mark->hash) = (struct rest){
				.hash = mark->hash, .first = note_new()};
			nr_rests++;
			mark++;
		}
		note_step(&steps[i]);
	}
	note_new()->thread = NR_WHO;
	notes_used += sizeof(struct note);
}

void rest_keep(void)
{
	const unsigned int from = noted_from();
	unsigned int i = 0;

	while (i < run.nr_marks && marks[i].depth < from)
		i++;
	if (i == run.nr_marks || marks[i].depth == run.depth)
		return;
	if (nr_rests > size / 2 && size < MAX_RESTS)
		forget(4 * size);
	else if (NOTES_SIZE - notes_used < (run.depth + 1) * NOTE_MAX)
		forget(size);
	note_rest(&marks[i]);
}

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
 * A note also stands for the state before its step. When an execution that
 * came through that state is left there for another thread, the note and the
 * thread say what follows, and nothing is hashed: this branch is a mark too.
 * When it was noted before, not even its first step is run.
 *
 * Notes are not used before twins have parted (twins.c): who is alike is no
 * part of the state. Where there may be twins, each branch is run, so that
 * they are known.
 *
 * Not noted are choices, and steps in which memory was judged by clocks
 * (memory.c), which are no part of the state.
 */
#include <string.h>

#include "explore/engine.h"
#include "explore/step.h"

/* Instead of a thread. */
enum {
	NOTE_END = NR_WHO,
	NOTE_JUMP, /* to the note whose number is where touches would be */
};

struct note {
	uint8_t thread;
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

/* By the hash of the state, or of the branch, where it begins. */
struct rest {
	uint64_t hash;
	const struct note *first; /* or NULL */
};

/* Most searches are small: a few pages, which are there. */
#define MIN_RESTS (1u << 12)
#define MAX_RESTS (1u << 16)

static struct rest rests[MAX_RESTS];
static unsigned int size; /* of it, in use; a power of two */
static unsigned int nr_rests;

/* Of this execution. */
static struct mark {
	uint64_t hash;
	unsigned int depth;
} marks[MAX_MARKS];

/* Where this execution went on from notes, and from which, or NULL. */
static struct {
	const struct note *note;
	unsigned int depth;
} joined;

/* With the notes, the states go that they stand for. */
static void forget(unsigned int new_size)
{
	memset(rests, 0, size * sizeof(rests[0]));
	size = new_size;
	nr_rests = 0;
	notes_used = sizeof(struct note); /* none has the number 0 */
	for (unsigned int i = 0; i < run.depth; i++)
		steps[i].state = 0;
}

void rests_reset(void)
{
	forget(MIN_RESTS);
}

void rest_pages(struct spans *spans)
{
	span_add(spans, rests, MIN_RESTS * sizeof(rests[0]));
	span_add(spans, notes, (size_t)64 << 10);
}

/* Where that of @hash is, or where it would be. */
static struct rest *rest_at(uint64_t hash)
{
	unsigned int i = hash & (size - 1);

	while (rests[i].first && rests[i].hash != hash)
		i = (i + 1) & (size - 1);
	return &rests[i];
}

static inline uint32_t note_number(const struct note *note)
{
	return (uint32_t)((const char *)note - notes);
}

static inline size_t note_size(const struct note *note)
{
	return sizeof(*note) + note->nr * sizeof(note->touched[0]);
}

static inline const struct note *note_next(const struct note *note)
{
	const struct note *next = (const void *)&note->touched[note->nr];
	uint32_t number;

	if (next->thread != NOTE_JUMP)
		return next;
	memcpy(&number, next->touched, sizeof(number));
	return (const void *)(notes + number);
}

/* Of the thread of @step in the state before it. */
static uint64_t branch_hash(const struct step *step)
{
	const uint64_t hash = ((uint64_t)step->state << 3 | step->thread) *
			      0x9e3779b97f4a7c15u;

	return hash ^ hash >> 32;
}

/* ---- from notes ---- */

enum plan {
	PLAN_ENDS,
	PLAN_IS_CUT,  /* all that can go on are asleep */
	PLAN_DIFFERS, /* or is too long: it must be run */
};

static inline void step_fill(struct step *step, const struct note *note)
{
	step->operation = note->operation;
	step->timed = note->timed;
	step->merged = note->merged;
	step->footprint.nr = note->nr;
	step->footprint.everything = false;
	/* As many as ever: what lies behind a note is read, too, but no more
	 * than there is, and nobody looks at it. */
	memcpy(step->footprint.at, note->touched, sizeof(step->footprint.at));
}

/* Chooses the threads of the steps from *@end on, after one of @previous. *@end
 * becomes the one after the last. */
static enum plan plan(
	const struct note *note, unsigned int previous, struct step **end)
{
	const struct step *limit =
		&steps[run.watch_from < search.max_steps ? run.watch_from
							 : search.max_steps];
	struct step *step = *end;

	for (; note->thread != NOTE_END; note = note_next(note)) {
		*end = step;
		if (!step_plan(step, previous, note->enabled, note->waiting))
			return PLAN_IS_CUT;
		if (step->thread != note->thread || step == limit)
			return PLAN_DIFFERS;
		step_fill(step, note);
		step->state = note_number(note);
		previous = note->thread;
		step++;
	}
	*end = step;
	return PLAN_ENDS;
}

/* The steps up to @end, as was planned. */
static void repeat(const struct step *end, enum plan how)
{
	while (&steps[run.depth] != end)
		step_repeat(&steps[run.depth]);
	run.outcome = how == PLAN_ENDS ? OUTCOME_GOOD : OUTCOME_CUT;
}

/* False: it must be run. */
static bool join(const struct note *note)
{
	struct step *end = &steps[run.depth];
	const enum plan how = plan(note, run.stopped, &end);

	if (how == PLAN_DIFFERS)
		return false;
	joined.note = note;
	joined.depth = run.depth;
	repeat(end, how);
	return true;
}

static bool one_is_left(void)
{
	return run.alive && !(run.alive & (run.alive - 1));
}

/* New steps after each of which the state is hashed. What the first leads to is
 * mostly known. One more is worth it; a third joins too few. */
#define NEW_MARKS 2

/* Is the state hashed here? After the first steps that are new, and when all
 * threads but one have ended, from where on nothing but the state matters. */
static bool is_mark(void)
{
	if (!search.rests || run.depth < search.prefix ||
		run.nr_marks == MAX_MARKS)
		return false;
	if (run.depth < search.prefix + NEW_MARKS && search.races)
		return !search.twins || twins_are_over();
	return one_is_left() && !run.marked_last;
}

unsigned int rest_next(void)
{
	if (!search.rests || run.depth + 1 >= search.prefix + NEW_MARKS)
		return NEVER;
	return run.depth < search.prefix ? search.prefix : run.depth + 1;
}

static void mark(unsigned int depth, uint64_t hash)
{
	marks[run.nr_marks++] = (struct mark){.hash = hash, .depth = depth};
}

void rest_repeat(void)
{
	const struct note *note;
	uint64_t hash;

	if (!is_mark())
		return;
	run.marked_last = one_is_left();
	if (run.depth == search.prefix && run.depth &&
		steps[run.depth - 1].state)
		mark(run.depth - 1, branch_hash(&steps[run.depth - 1]));
	hash = checkpoint_hash(ALL_STACKS);
	note = rest_at(hash)->first;
	if (!note || !join(note))
		mark(run.depth, hash);
}

/* ---- a branch ---- */

/* What the steps up to the branch touched, which the clocks of those after it
 * depend on. False: some of it is not known. */
static bool prefix_repeat(void)
{
	if (!checkpoint_go_back(search.first_new, BACK_ORDER))
		return false;
	while (run.depth < search.first_new) {
		struct step *step = &steps[run.depth];

		if (step->footprint.everything)
			return false;
		step_repeat(step);
	}
	return true;
}

bool rest_branch(void)
{
	struct step *branch = &steps[search.first_new];
	struct step *end = branch + 1;
	const struct note *note;
	enum plan how;

	joined.note = NULL;
	if (!search.rests || search.twins || !search.prefix || !branch->state ||
		branch->nr_values)
		return false;
	note = rest_at(branch_hash(branch))->first;
	if (!note)
		return false;
	step_fill(branch, note);
	how = plan(note_next(note), branch->thread, &end);
	if (how == PLAN_DIFFERS || !prefix_repeat())
		return false;
	repeat(end, how);
	return true;
}

/* ---- taking notes ---- */

/* The step from which on all can be noted, or that of the first mark. */
static unsigned int noted_from(void)
{
	const unsigned int first = marks[0].depth;
	unsigned int from = run.depth;

	while (from > run.judged && from > first &&
		!steps[from - 1].nr_values &&
		!steps[from - 1].footprint.everything)
		from--;
	return from;
}

static struct note *note_new(void)
{
	return (struct note *)(void *)(notes + notes_used);
}

static void note_step(struct step *step)
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
	memcpy(note->touched, step->footprint.at, sizeof(step->footprint.at));
	if (!step->state)
		step->state = note_number(note);
	notes_used += note_size(note);
}

static void note_end(void)
{
	struct note *note = note_new();
	uint32_t number;

	*note = (struct note){.thread = NOTE_END};
	if (joined.note) {
		number = note_number(joined.note);
		note->thread = NOTE_JUMP;
		note->nr = sizeof(number) / sizeof(note->touched[0]);
		memcpy(note->touched, &number, sizeof(number));
	}
	notes_used += note_size(note);
}

/* The marks from @mark on, whose steps can all be noted. */
static void note_rest(const struct mark *mark)
{
	const struct mark *end = &marks[run.nr_marks];
	const unsigned int depth = joined.note ? joined.depth : run.depth;

	steps[run.depth - 1].merged = run.merged;
	for (unsigned int i = mark->depth; i < depth; i++) {
		if (mark != end && mark->depth == i) {
			*rest_at(mark->hash) = (struct rest){
				.hash = mark->hash, .first = note_new()};
			nr_rests++;
			mark++;
		}
		note_step(&steps[i]);
	}
	note_end();
}

/* False: all was forgotten. */
static bool has_room(void)
{
	const bool full = nr_rests > size / 2;

	if (!full && NOTES_SIZE - notes_used >= (run.depth + 1) * NOTE_MAX)
		return true;
	forget(full && size < MAX_RESTS ? 4 * size : size);
	return false;
}

void rest_keep(void)
{
	unsigned int from;
	unsigned int i = 0;

	if (!run.nr_marks)
		return;
	from = noted_from();
	while (i < run.nr_marks && marks[i].depth < from)
		i++;
	if (i < run.nr_marks && marks[i].depth < run.depth && has_room())
		note_rest(&marks[i]);
}

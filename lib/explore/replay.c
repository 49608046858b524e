/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Following the items of a replay. The code may have changed since a token was
 * written: an operation more or less in a thread must not spoil the rest. So
 * where the kinds differ, either the items up to the next of that kind are
 * skipped, as if their operations were gone, or the thread goes on, as if it
 * had some more, until it meets the kind expected. The end of a thread's run
 * is where the next begins, whatever was in between. Where kinds do not tell,
 * as one load more among loads, a run may end in the wrong place: so variations
 * of the token are tried until one finds a bug.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "explore/engine.h"

struct replay replay;

/* As far as a thread's items are searched for a kind. */
#define LOOK_AHEAD 8

/* The engine begins no step beyond. */
#define MAX_ITEMS (MAX_STEPS - 2)

static bool take(unsigned int thread, unsigned int kind, unsigned int value)
{
	if (replay.nr == MAX_ITEMS)
		return false;
	replay.at[replay.nr++] = (struct replay_item){
		.thread = (uint8_t)thread,
		.kind = (uint8_t)kind,
		.value = (uint8_t)value,
	};
	return true;
}

bool replay_take(void)
{
	bool fits = true;

	replay.nr = 0;
	if (run.depth)
		steps[run.depth - 1].merged = run.merged;
	for (unsigned int i = 0; fits && i < run.depth; i++) {
		const struct step *step = &steps[i];

		fits = take(step->thread, step->nr_values ? OP_CHOOSE : OP_NONE,
			step->value);
		for (unsigned int n = 0; fits && n < step->merged; n++)
			fits = take(step->thread, OP_NONE, 0);
	}
	return fits;
}

bool replay_has(unsigned int kind)
{
	unsigned int i = 0;

	while (i < replay.nr && replay.at[i].kind != kind)
		i++;
	return i < replay.nr;
}

void replay_begin(void)
{
	replay.next = 0;
}

static __attribute__((format(printf, 1, 2))) void differs(
	const char *format, ...)
{
	va_list arguments;

	if (replay.differs[0])
		return;
	va_start(arguments, format);
	vsnprintf(replay.differs, sizeof(replay.differs), format, arguments);
	va_end(arguments);
}

/* "a cas", "an add" */
static const char *named(unsigned int operation)
{
	static char names[2][16];
	static unsigned int last;
	const char *name = operation_name(operation);

	last = !last;
	snprintf(names[last], sizeof(names[last]), "%s %s",
		strchr("aou", *name) ? "an" : "a", name);
	return names[last];
}

static void skip_run(void)
{
	const unsigned int thread = replay.at[replay.next].thread;

	while (replay.next < replay.nr &&
		replay.at[replay.next].thread == thread)
		replay.next++;
}

/* Skips to the next item of this run that is of @kind, if there is one. */
static bool skip_to(unsigned int kind)
{
	const unsigned int thread = replay.at[replay.next].thread;
	unsigned int end = replay.next + LOOK_AHEAD;

	if (end > replay.nr)
		end = replay.nr;
	for (unsigned int i = replay.next; i < end; i++) {
		if (replay.at[i].thread != thread)
			break;
		if (replay.at[i].kind == kind) {
			replay.next = i;
			return true;
		}
	}
	return false;
}

/* Is @kind what the next item, of this thread, says? */
static bool meets(unsigned int thread, unsigned int kind)
{
	const struct replay_item *item = &replay.at[replay.next];

	if (item->kind == kind || (!item->kind && kind != OP_CHOOSE))
		return true;
	differs("step %u: the token's thread %u did %s, here it does %s",
		run.depth + 1, thread + 1, named(item->kind), named(kind));
	return replay.skips && skip_to(kind);
}

bool replay_thread(unsigned int among, unsigned int *thread)
{
	while (replay.next < replay.nr) {
		*thread = replay.at[replay.next].thread;
		if (among >> *thread & 1) {
			if (meets(*thread, run.threads[*thread].operation))
				replay.next++;
			return true;
		}
		differs("step %u: the token's thread %u did %s, here it "
			"cannot go on",
			run.depth + 1, *thread + 1,
			named(replay.at[replay.next].kind));
		skip_run();
	}
	differs("step %u: the token ends before it", run.depth + 1);
	return false;
}

unsigned int replay_value(unsigned int nr)
{
	const struct replay_item *item = &replay.at[replay.next];

	if (replay.next < replay.nr && item->thread == run.who &&
		meets(run.who, OP_CHOOSE))
		item = &replay.at[replay.next++];
	return item->kind == OP_CHOOSE && item->value < nr ? item->value : 0;
}

bool replay_differs(void)
{
	if (replay.next < replay.nr)
		differs("step %u: the execution ends before it, the token has "
			"%s of thread %u",
			run.depth + 1, named(replay.at[replay.next].kind),
			replay.at[replay.next].thread + 1u);
	return replay.differs[0];
}

/* ---- variations ---- */

/* Steps by which a run is longer or shorter. */
static const int stretches[] = {1, -1, 2, -2, 3, -3};
#define NR_STRETCHES (sizeof(stretches) / sizeof(stretches[0]))

/* What differs from the token as it is. */
static char differs_first[sizeof(replay.differs)];

/* The item behind the @n-th run, or 0: there is no run after that. */
static unsigned int run_end(unsigned int n)
{
	for (unsigned int i = 1; i < replay.nr; i++)
		if (replay.at[i].thread != replay.at[i - 1].thread && !n--)
			return i;
	return 0;
}

/* The run before item @end ends @by items later, of any kind, or sooner. */
static void stretch(unsigned int end, int by)
{
	const unsigned int to = (unsigned int)((int)end + by);
	const unsigned int nr = replay.nr - end;

	if ((int)end + by < 0 || to + nr > MAX_STEPS)
		return;
	memmove(&replay.at[to], &replay.at[end], nr * sizeof(replay.at[0]));
	replay.nr = to + nr;
	for (unsigned int i = end; i < to; i++) {
		replay.at[i] = replay.at[end - 1];
		replay.at[i].kind = OP_NONE;
	}
}

bool replay_vary(const char *token, unsigned int n)
{
	const unsigned int variation = n / 2;
	unsigned int end;

	if (n == 1)
		memcpy(differs_first, replay.differs, sizeof(differs_first));
	replay.differs[0] = '\0';
	token_read(token, &replay);
	replay_begin();
	replay.skips = n % 2;
	if (!n)
		differs_first[0] = '\0';
	if (!variation)
		return true;
	end = run_end((variation - 1) / NR_STRETCHES);
	if (end)
		stretch(end, stretches[(variation - 1) % NR_STRETCHES]);
	return end;
}

void replay_judge(struct dax_explore_report *report)
{
	memcpy(report->differs, *differs_first ? differs_first : replay.differs,
		sizeof(report->differs));
	if (report->verdict != DAX_EXPLORE_CLEAN_WITHIN)
		return;
	snprintf(report->message, sizeof(report->message), "%s",
		*report->differs ? report->differs : "one interleaving");
	if (*report->differs)
		report->verdict = DAX_EXPLORE_NONDETERMINISTIC;
}

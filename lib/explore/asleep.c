/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Why a thread sleeps for ever. Only what the execution recorded is said:
 *
 *   sleep	the note of this thread that it is queued on a key
 *   parker	where it is parked, with or without a key
 *
 * Events are in one array, in their order: later is greater.
 */
#include <inttypes.h>

#include "explore/engine.h"

#define KIND(key)  ((uint32_t)1 << (key))
#define KINDS_WAKE (KIND(KEY_WAKES_NEXT) | KIND(KEY_WAKES_ALL))
#define KINDS_LOCK (KIND(KEY_LOCKS) | KIND(KEY_UNLOCKS) | KIND(KEY_ENDS))

static bool is_kind(const struct event *event, uint32_t kinds)
{
	return event->operation == OP_NOTE && kinds >> event->key & 1;
}

static bool same_key(const struct event *a, const struct event *b)
{
	return a->owner == b->owner && a->before == b->before;
}

/* The last event of @kinds on the key of @sleep, or NULL. */
static const struct event *last_on_key(
	const struct event *sleep, uint32_t kinds)
{
	unsigned int i;
	const struct event *events = events_all(&i);

	while (i--)
		if (is_kind(&events[i], kinds) && same_key(&events[i], sleep))
			return &events[i];
	return NULL;
}

/* The last event of @operation, and of @key, at @parker, or NULL. */
static const struct event *last_at(
	const void *parker, enum operation operation, enum sync_key_note key)
{
	unsigned int i;
	const struct event *events = events_all(&i);

	while (i--)
		if (events[i].operation == operation && events[i].key == key &&
			events[i].address == parker)
			return &events[i];
	return NULL;
}

static void print_by(FILE *to, const struct event *event)
{
	fputs(" by ", to);
	print_thread(to, event->thread);
	fprintf(to, " in step %u", event->step);
}

/* "F1 (1) splits the PMD entry 0x0 in step 25", in the words noted with it. */
static void print_deed(FILE *to, const struct event *event)
{
	unsigned int nr;
	const bool told = event > events_all(&nr) &&
			  event[-1].thread == event->thread &&
			  event[-1].note[0];

	print_thread(to, event->thread);
	fprintf(to, " %s in step %u", told ? event[-1].note : "did so",
		event->step);
}

/* ---- what it waits for ---- */

void print_entry_locked(FILE *to, const void *owner, uint64_t index)
{
	const struct event key = {.owner = owner, .before = index};
	const struct event *last = last_on_key(&key, KINDS_LOCK);

	if (!last || last->key != KEY_LOCKS)
		return;
	print_deed(to, last);
	fputs(" and has it still. ", to);
}

static void print_entry(FILE *to, const struct event *sleep)
{
	const struct event *ends = last_on_key(sleep, KIND(KEY_ENDS));

	print_entry_locked(to, sleep->owner, sleep->before);
	if (ends && ends > sleep) {
		fputs("What had that key then is gone: ", to);
		print_deed(to, ends);
		fputs(". ", to);
	}
}

/* ---- who could have woken it ---- */

/* Somebody looked under another key, and nobody was there. */
static void print_missed(FILE *to, const struct event *sleep)
{
	unsigned int i;
	const struct event *events = events_all(&i);

	while (i-- && &events[i] > sleep)
		if (is_kind(&events[i], KINDS_WAKE) &&
			events_taken(&events[i]) == 0) {
			fprintf(to, "; a wake-up of the key 0x%" PRIx64 "%s",
				events[i].before,
				events[i].owner == sleep->owner
					? ""
					: " of another owner");
			print_by(to, &events[i]);
			fputs(" found nobody", to);
			return;
		}
}

static void print_last_wake(FILE *to, const struct event *sleep)
{
	const struct event *wake = last_on_key(sleep, KINDS_WAKE);

	if (!wake) {
		fputs("Nobody has woken that key", to);
		print_missed(to, sleep);
		return;
	}
	fprintf(to, "Last wake-up of the key: %s",
		wake->key == KEY_WAKES_ALL ? "WAKE_ALL" : "WAKE_NEXT");
	print_by(to, wake);
	fputs(wake > sleep ? ", took " : ", before that, took ", to);
	print_taken(to, wake);
}

static void print_wake(FILE *to, const struct event *sleep)
{
	const struct event *taken = last_at(sleep->address, OP_NOTE, KEY_TAKES);
	const struct event *unpark =
		last_at(sleep->address, OP_UNPARK, KEY_NOTHING);

	if (taken && taken > sleep && !(unpark && unpark > taken)) {
		fputs("It was taken from the queue", to);
		print_by(to, taken);
		fputs(", but not unparked", to);
	} else {
		print_last_wake(to, sleep);
	}
}

static void print_unpark(FILE *to, const void *parker, unsigned int since)
{
	const struct event *unpark = last_at(parker, OP_UNPARK, KEY_NOTHING);

	if (!unpark) {
		fputs("Nobody has unparked it", to);
		return;
	}
	fputs("Last unparked", to);
	print_by(to, unpark);
	if (unpark->step <= since)
		fputs(", before that", to);
}

static void print_since(FILE *to, unsigned int step)
{
	if (step)
		fprintf(to, " since step %u. ", step);
	else
		fputs(" from the beginning. ", to);
}

static void print_sleep(FILE *to, const struct event *sleep, unsigned int since)
{
	fprintf(to, " sleeps on the key 0x%" PRIx64, sleep->before);
	print_since(to, since);
	print_entry(to, sleep);
	print_wake(to, sleep);
}

void print_asleep(FILE *to, unsigned int who)
{
	const struct thread *thread = &run.threads[who];
	const void *parker = objects[thread->object].address;
	const struct event *sleep = last_at(parker, OP_NOTE, KEY_SLEEPS);

	print_thread(to, who);
	if (sleep && sleep->thread == who) {
		print_sleep(to, sleep, thread->last);
	} else {
		fputs(" sleeps", to);
		print_since(to, thread->last);
		print_unpark(to, parker, thread->last);
	}
	fputs(". ", to);
}

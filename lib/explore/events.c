/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "explore/engine.h"

#define MAX_EVENTS (4 * MAX_STEPS)

bool explore_recording;

static struct event events[MAX_EVENTS];
static unsigned int nr_events;

void events_reset(void)
{
	nr_events = 0;
}

const struct event *events_all(unsigned int *nr)
{
	*nr = nr_events;
	return events;
}

static struct event *event_new(unsigned int operation)
{
	struct event *event = &events[nr_events];

	if (nr_events == MAX_EVENTS || !in_thread())
		return NULL;
	nr_events++;
	memset(event, 0, sizeof(*event));
	event->thread = (uint8_t)run.who;
	event->operation = (uint8_t)operation;
	event->step = (uint16_t)run.depth;
	return event;
}

void event_add(unsigned int operation, const void *address, uint64_t before,
	uint64_t after, const struct explore_site *site)
{
	struct event *event = event_new(operation);

	if (!event)
		return;
	event->address = address;
	event->before = before;
	event->after = after;
	event->site = site;
}

/* ---- notes ---- */

void event_note(const char *format, va_list arguments)
{
	struct event *event = event_new(OP_NOTE);

	if (event)
		vsnprintf(event->note, sizeof(event->note), format, arguments);
}

void explore_note(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	event_note(format, arguments);
	va_end(arguments);
}

void dax_explore_note(const char *format, ...)
{
	va_list arguments;

	if (!explore_recording)
		return;
	va_start(arguments, format);
	event_note(format, arguments);
	va_end(arguments);
}

void explore_note_key(enum sync_key_note what, const void *owner,
	uint64_t index, const struct sync_parker *parker)
{
	struct event *event = event_new(OP_NOTE);

	if (!event)
		return;
	event->key = (uint8_t)what;
	event->owner = owner;
	event->before = index;
	event->address = parker;
}

/* Whoever sleeps on a key has said so already. */
void explore_note_park(const struct sync_parker *parker)
{
	unsigned int i = nr_events;

	while (i && !(events[i - 1].thread == run.who && events[i - 1].key))
		i--;
	if (!i || events[i - 1].key != KEY_SLEEPS ||
		events[i - 1].address != parker)
		explore_note("sleeps");
}

unsigned int events_taken(const struct event *wake)
{
	const struct event *taken = wake + 1;

	while (taken < events + nr_events && taken->key == KEY_TAKES &&
		taken->thread == wake->thread)
		taken++;
	return (unsigned int)(taken - wake) - 1;
}

unsigned int events_sleeper(const void *parker)
{
	unsigned int who;

	for (unsigned int i = nr_events; i--;)
		if (events[i].key == KEY_SLEEPS && events[i].address == parker)
			return events[i].thread;
	return memory_is_stack(parker, &who) ? who : NR_WHO;
}

const struct event *events_end_of(const void *block, size_t length)
{
	for (unsigned int i = nr_events; i--;) {
		const uintptr_t offset =
			(uintptr_t)events[i].address - (uintptr_t)block;

		if (offset < length &&
			(events[i].operation == OP_FREE ||
				events[i].operation == OP_RCU_CALL))
			return &events[i];
	}
	return NULL;
}

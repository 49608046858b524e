/* SPDX-License-Identifier: BSD-3-Clause */
/* What an execution did, and the table that says so. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explore/engine.h"

#define MAX_EVENTS (4 * MAX_STEPS)

bool explore_recording;

static struct event events[MAX_EVENTS];
static unsigned int nr_events;

static const char *const operation_names[] = {
	[OP_LOAD] = "load",
	[OP_STORE] = "store",
	[OP_CAS] = "cas",
	[OP_SWAP] = "swap",
	[OP_ADD] = "add",
	[OP_OR] = "or",
	[OP_AND] = "and",
	[OP_LOCK] = "lock",
	[OP_UNLOCK] = "unlock",
	[OP_PARK] = "park",
	[OP_UNPARK] = "unpark",
	[OP_CHOOSE] = "choose",
	[OP_ALLOC] = "alloc",
	[OP_FREE] = "free",
	[OP_RCU_CALL] = "call_rcu",
};

void events_reset(void)
{
	nr_events = 0;
}

static struct event *event_new(enum operation operation)
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

void event_add(enum operation operation, const void *address, uint64_t before,
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

const char *events_why_asleep(unsigned int thread)
{
	static const char how[] = "sleeps on";

	for (unsigned int i = nr_events; i--;)
		if (events[i].operation == OP_NOTE &&
			events[i].thread == thread &&
			!strncmp(events[i].note, how, sizeof(how) - 1))
			return events[i].note;
	return "sleeps";
}

/* ---- the table ---- */

static void print_value(FILE *to, const struct event *event)
{
	char name[32];

	memory_name(event->address, name, sizeof(name));
	fprintf(to, "%s %s", operation_names[event->operation], name);
	switch ((enum operation)event->operation) {
	case OP_LOAD:
		fprintf(to, " = 0x%" PRIx64, event->after);
		break;
	case OP_CAS:
		if (event->before == event->after) {
			fprintf(to, " fails: 0x%" PRIx64, event->before);
			break;
		}
		/* fall through */
	case OP_STORE:
	case OP_SWAP:
	case OP_ADD:
	case OP_OR:
	case OP_AND:
		fprintf(to, " 0x%" PRIx64 " -> 0x%" PRIx64, event->before,
			event->after);
		break;
	case OP_PARK:
		fputs(event->before ? ": woken" : ": timed out", to);
		break;
	default:
		break;
	}
}

static void print_event(FILE *to, const struct event *event)
{
	fprintf(to, "%4u %*s%c ", event->step, event->thread * 4, "",
		'1' + event->thread);
	if (event->operation == OP_NOTE)
		fputs(event->note, to);
	else
		print_value(to, event);
	if (event->site)
		fprintf(to, "   (%s, %s:%d)", event->site->function,
			strrchr(event->site->file, '/')
				? strrchr(event->site->file, '/') + 1
				: event->site->file,
			event->site->line);
	fputc('\n', to);
}

#define COLUMN 38

static void print_heads(FILE *to)
{
	for (unsigned int i = 0; i < run.nr_threads; i++)
		fprintf(to, "%u %-*s", i + 1, COLUMN - 2, run.threads[i].name);
	fputc('\n', to);
	for (unsigned int i = 0; i < run.nr_threads; i++)
		fprintf(to, "%-*s", COLUMN, "--------");
	fputc('\n', to);
}

static void print_notes(FILE *to)
{
	for (unsigned int i = 0; i < nr_events; i++)
		if (events[i].operation == OP_NOTE)
			fprintf(to, "%*s%s\n", events[i].thread * COLUMN, "",
				events[i].note);
}

static bool any_notes(void)
{
	for (unsigned int i = 0; i < nr_events; i++)
		if (events[i].operation == OP_NOTE)
			return true;
	return false;
}

char *events_table(bool all)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		return NULL;
	if (all || !any_notes()) {
		for (unsigned int i = 0; i < run.nr_threads; i++)
			fprintf(to, "     %*s%u = %s\n", i * 4, "", i + 1,
				run.threads[i].name);
		for (unsigned int i = 0; i < nr_events; i++)
			print_event(to, &events[i]);
	} else {
		print_heads(to);
		print_notes(to);
	}
	fprintf(to, "=> %s: %s\n", dax_explore_bug_name(run.bug), run.message);
	fclose(to);
	return text;
}

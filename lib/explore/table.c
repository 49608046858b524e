/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of a schedule: who did what, a column a thread. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explore/engine.h"

static const char *const operation_names[] = {
	[OP_NONE] = "step",
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
	[OP_RCU_BARRIER] = "rcu_barrier",
	[OP_NOTE] = "note",
	[OP_RCU_ENTER] = "rcu_read_lock",
	[OP_RCU_LEAVE] = "rcu_read_unlock",
	[OP_FLUSH] = "flush",
	[OP_DRAIN] = "drain",
};

const char *operation_name(unsigned int operation)
{
	return operation_names[operation];
}

/* ---- words ---- */

const char *thread_name(unsigned int who, char *text, size_t size)
{
	if (who < MAX_THREADS)
		snprintf(text, size, "%s (%u)", run.threads[who].name, who + 1);
	else
		snprintf(text, size, "%s",
			who == WHO_BODY ? "the body" : "somebody");
	return text;
}

void print_thread(FILE *to, unsigned int who)
{
	char name[64];

	fputs(thread_name(who, name, sizeof(name)), to);
}

const char *file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

void print_site(FILE *to, const struct explore_site *site)
{
	fprintf(to, "%s, %s:%d", site->function, file_name(site->file),
		site->line);
}

void print_taken(FILE *to, const struct event *wake)
{
	const unsigned int nr = events_taken(wake);

	if (!nr)
		fputs("nobody", to);
	for (unsigned int i = 1; i <= nr; i++) {
		fputs(i > 1 ? ", " : "", to);
		print_thread(to, events_sleeper(wake[i].address));
	}
}

void print_note(FILE *to, const struct event *event)
{
	switch ((enum sync_key_note)event->key) {
	case KEY_NOTHING:
		fputs(event->note, to);
		break;
	case KEY_SLEEPS:
		fprintf(to, "sleeps on the key 0x%" PRIx64, event->before);
		break;
	case KEY_WAKES_NEXT:
	case KEY_WAKES_ALL:
		fprintf(to, "wakes %s of the key 0x%" PRIx64 ": ",
			event->key == KEY_WAKES_ALL ? "all" : "the next",
			event->before);
		print_taken(to, event);
		break;
	default:
		break;
	}
}

/* Is it a line of the table? The other keys are told by the note before. */
static bool is_line(const struct event *event)
{
	return event->operation == OP_NOTE &&
	       (*event->note || event->key == KEY_SLEEPS ||
		       event->key == KEY_WAKES_NEXT ||
		       event->key == KEY_WAKES_ALL);
}

/* ---- each operation ---- */

static void print_value(FILE *to, const struct event *event)
{
	char name[64];

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
	case OP_FLUSH:
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
	if (event->operation == OP_NOTE && !is_line(event))
		return;
	fprintf(to, "%4u %*s%c ", event->step, event->thread * 4, "",
		'1' + event->thread);
	if (event->operation == OP_NOTE)
		print_note(to, event);
	else
		print_value(to, event);
	if (event->site) {
		fputs("   (", to);
		print_site(to, event->site);
		fputc(')', to);
	}
	fputc('\n', to);
}

static void print_events(FILE *to)
{
	unsigned int nr;
	const struct event *events = events_all(&nr);

	for (unsigned int i = 0; i < run.nr_threads; i++)
		fprintf(to, "     %*s%u = %s\n", i * 4, "", i + 1,
			run.threads[i].name);
	for (unsigned int i = 0; i < nr; i++)
		print_event(to, &events[i]);
}

/* ---- notes only ---- */

#define COLUMN 32

static void print_rule(FILE *to)
{
	fputs("step  ", to);
	for (unsigned int i = 0; i < run.nr_threads; i++) {
		const bool last = i + 1 == run.nr_threads;

		fprintf(to, "%u %-*s", i + 1, last ? 0 : COLUMN - 2,
			run.threads[i].name);
	}
	fputs("\n----  ", to);
	for (unsigned int i = 0; i < run.nr_threads; i++) {
		const bool last = i + 1 == run.nr_threads;

		fprintf(to, "%-*s", last ? 0 : COLUMN, "--------");
	}
	fputc('\n', to);
}

static void print_notes(FILE *to)
{
	unsigned int nr;
	const struct event *events = events_all(&nr);

	print_rule(to);
	for (unsigned int i = 0; i < nr; i++) {
		if (!is_line(&events[i]))
			continue;
		fprintf(to, "%4u  %*s", events[i].step,
			events[i].thread * COLUMN, "");
		print_note(to, &events[i]);
		fputc('\n', to);
	}
}

static bool any_notes(void)
{
	unsigned int nr;
	const struct event *events = events_all(&nr);

	for (unsigned int i = 0; i < nr; i++)
		if (is_line(&events[i]))
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
	if (all || !any_notes())
		print_events(to);
	else
		print_notes(to);
	fprintf(to, "=> %s\n", dax_explore_bug_name(run.bug));
	fclose(to);
	return text;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What an execution did, written down when it is run again to be shown: its
 * operations, and the notes of the code that it runs. The table and the
 * sentence that explains a bug come from here, and from nothing else.
 */
#ifndef EXPLORE_EVENTS_H
#define EXPLORE_EVENTS_H

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include "base/sync.h"

struct event {
	uint8_t thread;
	uint8_t operation; /* enum operation */
	uint8_t key;	   /* enum sync_key_note; of OP_NOTE */
	uint16_t step;
	const void *address; /* of the object; of a key, a sleeper's parker */
	const void *owner;   /* of a key */
	uint64_t before;     /* of a key, its index */
	uint64_t after;
	const struct explore_site *site;
	char note[96]; /* empty when it has a key */
};

void events_reset(void);
void event_add(unsigned int operation, const void *address, uint64_t before,
	uint64_t after, const struct explore_site *site);
void event_note(const char *format, va_list arguments);
/* This thread is about to sleep in @parker. */
void explore_note_park(const struct sync_parker *parker);

/* In their order; as many as *@nr. */
const struct event *events_all(unsigned int *nr);
/* How many a wake-up took: the KEY_TAKES that follow it. */
unsigned int events_taken(const struct event *wake);
/* The thread that sleeps or slept in @parker, or NR_WHO. */
unsigned int events_sleeper(const void *parker);
/* Who last freed the block of @length bytes, or handed it to RCU, or NULL. */
const struct event *events_end_of(const void *block, size_t length);

static inline void event(unsigned int operation, const void *address,
	uint64_t before, uint64_t after, const struct explore_site *site)
{
	if (__builtin_expect(explore_recording && !explore_peeking, 0))
		event_add(operation, address, before, after, site);
}

/* ---- json.c ---- */

/* With its quotes. */
void print_json_string(FILE *to, const char *text);

/* ---- table.c ---- */

/* "cas" */
const char *operation_name(unsigned int operation);
/* "F1 (1)", into @text. */
const char *thread_name(unsigned int who, char *text, size_t size);
void print_thread(FILE *to, unsigned int who);
/* Without its folders: those depend on where the build is. */
const char *file_name(const char *path);
/* "place_trylock, mapping.h:92" */
void print_site(FILE *to, const struct explore_site *site);
/* "F2 (2), F3 (3)", or "nobody": whom @wake took, a KEY_WAKES_NEXT or _ALL. */
void print_taken(FILE *to, const struct event *wake);
/* The words of a note. */
void print_note(FILE *to, const struct event *event);
/* A column a thread; each operation when @all, otherwise notes only. */
char *events_table(bool all);

/* ---- asleep.c: complete sentences, each with a space behind it ---- */

/* Since when @who is parked, and why nobody wakes it. */
void print_asleep(FILE *to, unsigned int who);
/* Who has locked the entry (@owner, @index) and not unlocked it, if any. */
void print_entry_locked(FILE *to, const void *owner, uint64_t index);

#endif

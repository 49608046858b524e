/* SPDX-License-Identifier: BSD-3-Clause */
/* Nobody can go on: who waits for whom. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "explore/engine.h"

#define NO_CYCLE NR_WHO

static bool is_blocked(unsigned int who)
{
	return who < run.nr_threads && !is_done(who) &&
	       !run.threads[who].daemon;
}

/* The lock that @who waits for, or NULL. */
static const struct sync_lock *wanted_lock(unsigned int who)
{
	const struct thread *thread = &run.threads[who];

	return is_blocked(who) && thread->operation == OP_LOCK
		       ? objects[thread->object].address
		       : NULL;
}

static bool has_ended(unsigned int who)
{
	return who < run.nr_threads && is_done(who);
}

/* A thread that waits for itself, through the locks of others or its own. */
static unsigned int find_cycle(void)
{
	for (unsigned int start = 0; start < run.nr_threads; start++) {
		unsigned int who = start;

		for (unsigned int n = 0; n < run.nr_threads; n++) {
			const struct sync_lock *lock = wanted_lock(who);

			if (!lock)
				break;
			who = lock->owner;
			if (who == start)
				return start;
		}
	}
	return NO_CYCLE;
}

/* What came first: without the lock that was kept, or the cycle, those who
 * sleep might have been woken. */
enum dax_explore_bug blocked_bug(void)
{
	enum dax_explore_bug bug = DAX_EXPLORE_DEADLOCK;
	const bool cycle = find_cycle() != NO_CYCLE;

	for (unsigned int i = 0; i < run.nr_threads; i++) {
		const struct sync_lock *lock = wanted_lock(i);

		if (lock && has_ended(lock->owner))
			return DAX_EXPLORE_LEAKED_LOCK;
		if (is_blocked(i) && run.threads[i].operation == OP_PARK &&
			!cycle)
			bug = DAX_EXPLORE_LOST_WAKE_UP;
	}
	return bug;
}

/* ---- in words ---- */

/* Where @who took @lock last, or NULL. */
static const struct event *lock_event(const void *lock, unsigned int who)
{
	unsigned int i;
	const struct event *events = events_all(&i);

	while (i--)
		if (events[i].operation == OP_LOCK &&
			events[i].address == lock && events[i].thread == who)
			return &events[i];
	return NULL;
}

/* " (taken in step 7: lock_both, bugs_test.c:286)", if that was recorded. */
static void print_lock_taken(FILE *to, const void *lock, unsigned int who)
{
	const struct event *event = lock_event(lock, who);

	if (!event)
		return;
	fprintf(to, " (taken in step %u: ", event->step);
	print_site(to, event->site);
	fputc(')', to);
}

static void print_waits_for_lock(
	FILE *to, unsigned int who, const struct sync_lock *lock)
{
	print_thread(to, who);
	fputs(" waits for a lock of ", to);
	if (lock->owner == who)
		fputs("its own", to);
	else
		print_thread(to, lock->owner);
	print_lock_taken(to, lock, lock->owner);
	fputs(has_ended(lock->owner) ? ", which has ended. " : ". ", to);
}

static void print_blocked(FILE *to, unsigned int who)
{
	const struct sync_lock *lock = wanted_lock(who);

	if (lock) {
		print_waits_for_lock(to, who, lock);
	} else if (run.threads[who].operation == OP_PARK) {
		print_asleep(to, who);
	} else if (run.threads[who].operation == OP_RCU_BARRIER) {
		print_thread(to, who);
		fputs(" waits for callbacks of RCU. ", to);
	} else {
		print_thread(to, who);
		fprintf(to, " cannot go on after step %u. ",
			run.threads[who].last);
	}
}

static void print_rest(FILE *to, unsigned int nr_blocked)
{
	if (run.nr_threads == 1)
		fputs("There is no other thread.", to);
	else if (nr_blocked < run.nr_threads)
		fputs("All others have ended.", to);
	else
		fputs("There are no others.", to);
}

static void print_all(FILE *to)
{
	unsigned int who = find_cycle();
	unsigned int told = 0;

	/* Around the cycle first. */
	while (who != NO_CYCLE && !(told >> who & 1)) {
		print_blocked(to, who);
		told |= 1u << who;
		who = wanted_lock(who)->owner;
	}
	for (who = 0; who < run.nr_threads; who++) {
		if (!is_blocked(who) || told >> who & 1)
			continue;
		print_blocked(to, who);
		told |= 1u << who;
	}
	print_rest(to, (unsigned int)__builtin_popcount(told));
}

/* Without the space behind the last sentence. */
static void close_text(FILE *to, char *text, size_t size)
{
	fclose(to);
	text[size - 1] = '\0';
	size = strlen(text);
	if (size && text[size - 1] == ' ')
		text[size - 1] = '\0';
}

void blocked_describe(char *text, size_t size)
{
	FILE *to = fmemopen(text, size, "w");

	if (!to)
		return;
	print_all(to);
	close_text(to, text, size);
}

/* ---- a lock that was kept, or never taken ---- */

static void print_misused(FILE *to, const struct sync_lock *lock)
{
	print_thread(to, run.who);
	if (!lock->held) {
		fputs(" unlocks what is not locked. ", to);
		return;
	}
	fputs(" unlocks a lock of ", to);
	print_thread(to, lock->owner);
	print_lock_taken(to, lock, lock->owner);
	fputs(". ", to);
}

_Noreturn void lock_misused(const struct sync_lock *lock)
{
	char text[DAX_EXPLORE_MESSAGE] = "";
	FILE *to = fmemopen(text, sizeof(text), "w");

	if (to) {
		print_misused(to, lock);
		close_text(to, text, sizeof(text));
	}
	execution_fail(DAX_EXPLORE_MISUSED_LOCK, "%s", text);
}

static void print_kept(FILE *to, const struct rank_lock *lock)
{
	char name[RANK_DESCRIBE_MAX];

	print_thread(to, run.who);
	if (lock->rank == RANK_ENTRY) {
		fprintf(to, " has ended with the entry 0x%" PRIx64 " locked. ",
			lock->index);
		print_entry_locked(to, lock->object, lock->index);
		return;
	}
	rank_describe(*lock, name, sizeof(name));
	fprintf(to, " has ended with a lock, %s", name);
	print_lock_taken(to, lock->object, run.who);
	fputs(". ", to);
}

_Noreturn void lock_kept(const struct rank_lock *lock)
{
	char text[DAX_EXPLORE_MESSAGE] = "";
	FILE *to = fmemopen(text, sizeof(text), "w");

	if (to) {
		print_kept(to, lock);
		close_text(to, text, sizeof(text));
	}
	execution_fail(DAX_EXPLORE_LEAKED_LOCK, "%s", text);
}

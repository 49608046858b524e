/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The downgrade of 2016, on real threads. T1 holds the huge zero entry at
 * 0x200 and breaks it up for 0x202, while T2 and T3 sleep on it for 0x203 and
 * 0x204. In the first version of the kernel patch the downgrade woke one of
 * them only.
 *
 * T1 is held inside the unmap call, where it owns the huge entry, until the
 * kernel says that T2 and T3 sleep. All three then keep what they got until
 * all have it: nobody has unlocked anything, so nobody but T1's downgrade can
 * have woken T2 and T3.
 */
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "demo.h"

#define HUGE_START UINT64_C(0x200)
#define NR_ACTORS 3
#define NR_EVENTS 24

struct event {
	int actor;
	char text[40];
};

struct stage {
	struct dax_mapping *m;
	struct actor {
		pthread_t thread;
		struct stage *stage;
		int number;
		dax_pgoff_t index;
		_Atomic int tid; /* set when about to ask for its entry */
		int error;
	} actors[NR_ACTORS];
	_Atomic int huge_is_held;
	pthread_barrier_t all_own_theirs;
	pthread_mutex_t lock;
	struct event events[NR_EVENTS]; /* guarded by lock, in order */
	int nr_events;			/* guarded by lock */
};

__attribute__((format(printf, 3, 4))) static void say(
	struct stage *stage, int actor, const char *format, ...)
{
	struct event *event;
	va_list arguments;

	pthread_mutex_lock(&stage->lock);
	if (stage->nr_events < NR_EVENTS) {
		event = &stage->events[stage->nr_events++];
		event->actor = actor;
		va_start(arguments, format);
		vsnprintf(event->text, sizeof(event->text), format, arguments);
		va_end(arguments);
	}
	pthread_mutex_unlock(&stage->lock);
}

/* Does the kernel say that thread @tid sleeps? */
static int is_asleep(int tid)
{
	char path[64], state = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	file = fopen(path, "r");
	if (!file)
		return 0;
	if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
		state = 0;
	fclose(file);
	return state == 'S';
}

static void wait_until_asleep(struct actor *actor)
{
	while (!actor->tid || !is_asleep(actor->tid))
		sched_yield();
}

/* T1 is here while it owns the huge entry. */
static void unmap(void *owner, dax_pgoff_t index, uint64_t nr)
{
	struct stage *stage = owner;

	say(stage, 0, "owns PMD 0x%" PRIx64 ", unmaps %" PRIu64, index, nr);
	stage->huge_is_held = 1;
	for (int i = 1; i < NR_ACTORS; i++) {
		wait_until_asleep(&stage->actors[i]);
		say(stage, i, "asleep on key 0x%" PRIx64, index);
	}
	say(stage, 0, "splits it, wakes all of 0x%" PRIx64, index);
}

static void *act(void *argument)
{
	struct actor *actor = argument;
	struct stage *stage = actor->stage;
	dax_entry_t entry = DAX_NO_ENTRY;

	while (actor->number && !stage->huge_is_held)
		sched_yield();
	say(stage, actor->number, "wants PTE 0x%" PRIx64, actor->index);
	actor->tid = (int)syscall(SYS_gettid);
	actor->error = dax_grab_mapping_entry(
		stage->m, actor->index, DAX_PTE_ORDER, &entry);
	if (!actor->error)
		say(stage, actor->number, "%sowns PTE 0x%" PRIx64,
			actor->number ? "woken by T1, " : "", actor->index);
	pthread_barrier_wait(&stage->all_own_theirs);
	if (!actor->error) {
		say(stage, actor->number, "unlocks 0x%" PRIx64, actor->index);
		dax_unlock_entry(stage->m, actor->index, entry);
	}
	return NULL;
}

static void print_table(const struct stage *stage)
{
	printf("  %-32s%-32s%s\n", "T1", "T2", "T3");
	printf("  %-32s%-32s%s\n", "--", "--", "--");
	for (int i = 0; i < stage->nr_events; i++)
		printf("  %*s%s\n", stage->events[i].actor * 32, "",
			stage->events[i].text);
}

static int prepare(struct stage *stage)
{
	dax_entry_t entry;
	int error = dax_grab_mapping_entry(
		stage->m, HUGE_START, DAX_PMD_ORDER, &entry);

	if (error)
		return error;
	dax_insert_entry(
		stage->m, HUGE_START, &entry, 0, DAX_PMD | DAX_ZERO_PAGE);
	dax_unlock_entry(stage->m, HUGE_START, entry);
	return 0;
}

static int perform(struct stage *stage)
{
	const char *wrong;
	int error = prepare(stage);

	if (error)
		return demo_failed("making the huge zero entry", error);
	pthread_barrier_init(&stage->all_own_theirs, NULL, NR_ACTORS);
	for (int i = 0; i < NR_ACTORS; i++) {
		stage->actors[i].stage = stage;
		stage->actors[i].number = i;
		stage->actors[i].index = HUGE_START + 2 + (dax_pgoff_t)i;
		if (pthread_create(&stage->actors[i].thread, NULL, act,
			    &stage->actors[i]))
			return demo_failed("pthread_create", 0);
	}
	for (int i = 0; i < NR_ACTORS; i++) {
		pthread_join(stage->actors[i].thread, NULL);
		error = error ? error : stage->actors[i].error;
	}
	pthread_barrier_destroy(&stage->all_own_theirs);
	print_table(stage);
	if (error)
		return demo_failed("dax_grab_mapping_entry", error);
	wrong = dax_mapping_verify(stage->m);
	printf("  %s\n", wrong ? wrong
			       : "all three owned their page at the same time, "
				 "before anybody unlocked anything");
	return wrong ? 1 : 0;
}

int demo_downgrade(void)
{
	static const struct dax_mapping_ops ops = {.unmap = unmap};
	struct stage stage = {.lock = PTHREAD_MUTEX_INITIALIZER};
	struct dax_mapping_params params = {.ops = &ops, .owner = &stage};
	int error = dax_mapping_new(&params, &stage.m);

	if (error)
		return demo_failed("dax_mapping_new", error);
	error = perform(&stage);
	dax_mapping_delete(&stage.m);
	return error;
}

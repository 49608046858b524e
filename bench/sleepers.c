/* SPDX-License-Identifier: BSD-3-Clause */
#include "sleepers.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* How long they may take to fall asleep, or to wake. */
#define PATIENCE_S 30

struct sleeper {
	pthread_t thread;
	unsigned int number;
	_Atomic(pid_t) tid;
	uint64_t end; /* ticks: returned from sleep() */
};

static struct sleeper sleepers[SLEEPERS_MAX];
static unsigned int nr_sleepers;

/* The round under way. */
static struct {
	pthread_mutex_t mutex;
	pthread_cond_t opened;
	pthread_cond_t all_done;
	uint64_t number;		    /* guarded by @mutex */
	unsigned int done;		    /* guarded by @mutex */
	const struct wake_subject *subject; /* guarded by @mutex; NULL: end */
	void *state;
	_Atomic(unsigned int) entered; /* on their way into sleep() */
	bool asleep;		       /* the waker's: all of them were */
} gate = {
	.mutex = PTHREAD_MUTEX_INITIALIZER,
	.opened = PTHREAD_COND_INITIALIZER,
	.all_done = PTHREAD_COND_INITIALIZER,
};

static void *sleeper_main(void *argument)
{
	struct sleeper *sleeper = argument;
	uint64_t seen = 0;

	atomic_store(&sleeper->tid, (pid_t)syscall(SYS_gettid));
	pthread_mutex_lock(&gate.mutex);
	for (;;) {
		while (gate.number == seen)
			pthread_cond_wait(&gate.opened, &gate.mutex);
		seen = gate.number;
		if (!gate.subject)
			break;
		pthread_mutex_unlock(&gate.mutex);
		atomic_fetch_add(&gate.entered, 1);
		gate.subject->sleep(gate.state, sleeper->number);
		sleeper->end = ticks_now();
		pthread_mutex_lock(&gate.mutex);
		if (++gate.done == nr_sleepers)
			pthread_cond_signal(&gate.all_done);
	}
	pthread_mutex_unlock(&gate.mutex);
	return NULL;
}

static void open_gate(void)
{
	pthread_mutex_lock(&gate.mutex);
	gate.number++;
	gate.done = 0;
	pthread_cond_broadcast(&gate.opened);
	pthread_mutex_unlock(&gate.mutex);
}

/* What the kernel says: "tid (name) S ...". */
static bool is_asleep(const struct sleeper *sleeper)
{
	char path[64], stat[128];
	const char *name_end;
	ssize_t length;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat",
		(int)atomic_load(&sleeper->tid));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	length = read(fd, stat, sizeof(stat) - 1);
	close(fd);
	stat[length > 0 ? length : 0] = '\0';
	name_end = strrchr(stat, ')');
	return name_end && !strncmp(name_end, ") S", 3);
}

static bool all_asleep(void)
{
	for (unsigned int i = 0; i < nr_sleepers; i++)
		if (!is_asleep(&sleepers[i]))
			return false;
	return true;
}

/*
 * Twice asleep: one of them may sleep for a moment for something else, say a
 * queue's lock, but then whoever has that lock is awake and will wake it.
 */
void sleepers_gather(void)
{
	const struct timespec nap = {.tv_nsec = 300000};
	const uint64_t give_up = clock_ns() + PATIENCE_S * 1000000000ull;
	int times = 0;

	open_gate();
	while (times < 2 && clock_ns() < give_up) {
		nanosleep(&nap, NULL);
		if (atomic_load(&gate.entered) == nr_sleepers && all_asleep())
			times++;
		else
			times = 0;
	}
	gate.asleep = times == 2;
}

static uint64_t last_end(void)
{
	uint64_t last = 0;

	for (unsigned int i = 0; i < nr_sleepers; i++)
		if (sleepers[i].end > last)
			last = sleepers[i].end;
	return last;
}

/* A lost wake is found here. There is no way on from it. */
static void await_all(const struct wake_subject *subject)
{
	struct timespec give_up;
	int error = 0;

	clock_gettime(CLOCK_REALTIME, &give_up);
	give_up.tv_sec += PATIENCE_S;
	pthread_mutex_lock(&gate.mutex);
	while (gate.done < nr_sleepers && !error)
		error = pthread_cond_timedwait(
			&gate.all_done, &gate.mutex, &give_up);
	pthread_mutex_unlock(&gate.mutex);
	if (error) {
		fprintf(stderr,
			"daxlock-bench: wake: %s: a sleeper was not woken\n",
			subject->name);
		exit(1);
	}
}

double sleepers_round(const struct wake_subject *subject, void *state)
{
	uint64_t start;

	pthread_mutex_lock(&gate.mutex);
	gate.subject = subject;
	gate.state = state;
	atomic_store(&gate.entered, 0);
	pthread_mutex_unlock(&gate.mutex);
	start = subject->round(state);
	await_all(subject);
	return gate.asleep ? ticks_to_ns(last_end() - start) / 1000 : 0;
}

void sleepers_start(unsigned int nr)
{
	pthread_attr_t attributes;

	nr_sleepers = nr;
	gate.number = 0; /* nobody is there yet */
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 64 * 1024);
	for (unsigned int i = 0; i < nr_sleepers; i++) {
		sleepers[i].number = i;
		if (pthread_create(&sleepers[i].thread, &attributes,
			    sleeper_main, &sleepers[i]))
			abort();
	}
	pthread_attr_destroy(&attributes);
}

void sleepers_stop(void)
{
	pthread_mutex_lock(&gate.mutex);
	gate.subject = NULL;
	pthread_mutex_unlock(&gate.mutex);
	open_gate();
	for (unsigned int i = 0; i < nr_sleepers; i++)
		pthread_join(sleepers[i].thread, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "lane.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <urcu/urcu-memb.h>

/* Longer than the longest filling; then there is no way on. */
#define PATIENCE_S 300

/* Some ten us. */
#define MEET_SPINS 1000

static struct lane lanes[LANES_MAX];
static pthread_t threads[LANES_MAX];
static int cpus[LANES_MAX];
static unsigned int nr_lanes;

/* The run under way; guarded by @mutex, but for @met. */
static struct {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	uint64_t number;   /* counts the runs */
	unsigned int nr;   /* lanes that take part */
	unsigned int busy; /* of them, not done yet */
	lane_fn *function; /* NULL: the lanes are to end */
	void *context;
	_Atomic(unsigned int) met;
} run = {
	.mutex = PTHREAD_MUTEX_INITIALIZER,
	.changed = PTHREAD_COND_INITIALIZER,
};

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		abort();
}

static void *lane_main(void *argument)
{
	struct lane *lane = argument;
	uint64_t seen = 0;

	pin(cpus[lane->number]);
	/* A thread registers before it first calls libdaxlock. */
	urcu_memb_register_thread();
	pthread_mutex_lock(&run.mutex);
	for (;;) {
		while (run.number == seen)
			pthread_cond_wait(&run.changed, &run.mutex);
		seen = run.number;
		if (!run.function)
			break;
		if (lane->number >= run.nr)
			continue;
		pthread_mutex_unlock(&run.mutex);
		run.function(lane, run.context);
		pthread_mutex_lock(&run.mutex);
		run.busy--;
		pthread_cond_broadcast(&run.changed);
	}
	pthread_mutex_unlock(&run.mutex);
	urcu_memb_unregister_thread();
	return NULL;
}

/* CPUs that this process may use, the first lanes'. Returns how many. */
static unsigned int choose_cpus(void)
{
	cpu_set_t allowed;
	unsigned int nr = 0;

	if (sched_getaffinity(0, sizeof(allowed), &allowed))
		abort();
	for (int cpu = 0; cpu < CPU_SETSIZE && nr < LANES_MAX; cpu++)
		if (CPU_ISSET(cpu, &allowed))
			cpus[nr++] = cpu;
	return nr;
}

unsigned int lanes_start(uint64_t seed)
{
	const unsigned int nr_cpus = choose_cpus();

	for (unsigned int i = nr_cpus; i < LANES_MAX; i++)
		cpus[i] = cpus[i % nr_cpus];
	for (nr_lanes = 0; nr_lanes < LANES_MAX; nr_lanes++) {
		struct lane *lane = &lanes[nr_lanes];

		lane->number = nr_lanes;
		lane->random = seed + nr_lanes;
		if (pthread_create(&threads[nr_lanes], NULL, lane_main, lane))
			abort();
	}
	return nr_cpus;
}

static void announce(unsigned int nr, lane_fn *function, void *context)
{
	run.number++;
	run.nr = nr;
	run.busy = nr;
	run.function = function;
	run.context = context;
	atomic_store_explicit(&run.met, 0, memory_order_relaxed);
	pthread_cond_broadcast(&run.changed);
}

void lanes_run(unsigned int nr, lane_fn *function, void *context)
{
	struct timespec give_up;
	int error = 0;

	clock_gettime(CLOCK_REALTIME, &give_up);
	give_up.tv_sec += PATIENCE_S;
	pthread_mutex_lock(&run.mutex);
	announce(nr, function, context);
	while (run.busy && !error)
		error = pthread_cond_timedwait(
			&run.changed, &run.mutex, &give_up);
	pthread_mutex_unlock(&run.mutex);
	if (error) {
		fputs("daxlock-bench: a thread does not come back: a wake "
		      "was lost?\n",
			stderr);
		exit(1);
	}
}

void lanes_stop(void)
{
	pthread_mutex_lock(&run.mutex);
	announce(0, NULL, NULL);
	pthread_mutex_unlock(&run.mutex);
	while (nr_lanes)
		pthread_join(threads[--nr_lanes], NULL);
}

struct lane *lane_of(unsigned int number)
{
	return &lanes[number];
}

void lane_meet(void)
{
	const unsigned int before =
		atomic_fetch_add_explicit(&run.met, 1, memory_order_acq_rel);
	const unsigned int all = (before / run.nr + 1) * run.nr;

	for (unsigned int turns = 1;
		atomic_load_explicit(&run.met, memory_order_acquire) < all;
		turns++)
		if (turns % MEET_SPINS)
			cpu_relax();
		else
			sched_yield(); /* perhaps to another lane */
}

static uint64_t ops_of(const struct lane *lane)
{
	return atomic_load_explicit(&lane->ops, memory_order_relaxed);
}

double lanes_fairness(unsigned int nr)
{
	uint64_t least = UINT64_MAX, most = 0;

	for (unsigned int i = 0; i < nr; i++) {
		const uint64_t ops = ops_of(&lanes[i]);

		least = ops < least ? ops : least;
		most = ops > most ? ops : most;
	}
	return most ? (double)least / (double)most : 0;
}

static uint64_t ops_of_others(const struct lane *lane)
{
	uint64_t ops = 0;

	for (unsigned int i = 0; i < run.nr; i++)
		if (i != lane->number)
			ops += ops_of(&lanes[i]);
	return ops;
}

static void open_window(struct lane *lane, uint64_t now)
{
	lane->window_start = now;
	lane->window_end = now + lane->window_ticks;
	lane->window_ops = ops_of(lane);
	lane->window_others = ops_of_others(lane);
}

void lane_begin(struct lane *lane, const struct lane_run *how)
{
	uint64_t now;

	atomic_store_explicit(&lane->ops, 0, memory_order_relaxed);
	lane->nr_samples = 0;
	lane->singles = (struct histogram){0};
	lane->passed = 0;
	lane->count = how->count;
	lane->window_ticks = ticks_from_ns(how->window_ns);
	lane_meet();
	now = ticks_now();
	lane->run_end = now + ticks_from_ns(how->run_ns);
	open_window(lane, now);
}

/* A window of all lanes in which the others did nothing is no such window: some
 * other process had their CPU. If there is no better one, it counts. */
bool lane_close_window(struct lane *lane, uint64_t now)
{
	const uint64_t others = ops_of_others(lane) - lane->window_others;
	const bool last = now >= lane->run_end;
	uint64_t ops = ops_of(lane) - lane->window_ops;

	if (lane->count == WINDOW_ALL) {
		ops += others;
		if (!others && !(last && !lane->nr_samples))
			ops = 0;
	}
	if (ops)
		lane_sample(lane,
			ticks_to_ns(now - lane->window_start) / (double)ops);
	open_window(lane, now);
	return !last;
}

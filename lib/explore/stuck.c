/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A thread that loops without an operation of the seam never comes back to the
 * engine. A timer takes it away: one that counts the time that this process
 * itself runs, so that a busy machine is no bug.
 */
#include "explore/stuck.h"

#include <inttypes.h>
#include <signal.h>
#include <sys/time.h>

#include "explore/engine.h"

#define DEFAULT_NS 5000000000u

static struct {
	uint64_t limit_ns;
	/* How far all was when the timer went off. */
	uint64_t nr_steps;
	unsigned int merged;
	unsigned int who;
	bool found;
} watch;

static struct sigaction action_before;
static struct itimerval timer_before;

static void look(int signal)
{
	(void)signal;
	if (run.who != WHO_ENGINE && run.who == watch.who &&
		search.nr_steps == watch.nr_steps &&
		run.merged == watch.merged) {
		watch.found = true;
		execution_fail(DAX_EXPLORE_STEP_LIMIT,
			"%s has run for %" PRIu64
			" ms without an operation, perhaps in a loop",
			self()->name, watch.limit_ns / 1000000);
	}
	watch.who = run.who;
	watch.nr_steps = search.nr_steps;
	watch.merged = run.merged;
}

void stuck_begin(uint64_t limit_ns)
{
	const struct sigaction action = {
		.sa_handler = look,
		.sa_flags = SA_ONSTACK | SA_NODEFER | SA_RESTART,
	};
	struct timeval interval;

	watch.limit_ns = limit_ns ? limit_ns : DEFAULT_NS;
	watch.who = WHO_ENGINE;
	watch.found = false;
	interval.tv_sec = (time_t)(watch.limit_ns / 1000000000);
	interval.tv_usec = (suseconds_t)(watch.limit_ns % 1000000000 / 1000);
	sigaction(SIGVTALRM, &action, &action_before);
	setitimer(ITIMER_VIRTUAL,
		&(struct itimerval){
			.it_interval = interval, .it_value = interval},
		&timer_before);
}

void stuck_end(void)
{
	setitimer(ITIMER_VIRTUAL, &timer_before, NULL);
	sigaction(SIGVTALRM, &action_before, NULL);
}

bool stuck_found(void)
{
	return watch.found;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Signals of a thread that crashes, which end the execution as its bug. */
#include <signal.h>
#include <unistd.h>

#include "explore/engine.h"

static void crashed(int signal)
{
	if (run.who == WHO_ENGINE)
		_exit(128 + signal);
	if (signal == SIGABRT)
		execution_fail(DAX_EXPLORE_FAILED_ASSERTION, "%s aborted",
			self()->name);
	execution_fail(
		DAX_EXPLORE_CRASH, "%s used an invalid address", self()->name);
}

static const int signals[] = {SIGSEGV, SIGBUS, SIGABRT};
#define NR_SIGNALS (sizeof(signals) / sizeof(signals[0]))

static struct sigaction before[NR_SIGNALS];
static stack_t stack_before;

void crashes_catch(void)
{
	static char stack[64 << 10];
	const stack_t alternative = {.ss_sp = stack, .ss_size = sizeof(stack)};
	struct sigaction action = {
		.sa_handler = crashed,
		.sa_flags = SA_ONSTACK | SA_NODEFER,
	};

	sigaltstack(&alternative, &stack_before);
	for (size_t i = 0; i < NR_SIGNALS; i++)
		sigaction(signals[i], &action, &before[i]);
}

void crashes_release(void)
{
	for (size_t i = 0; i < NR_SIGNALS; i++)
		sigaction(signals[i], &before[i], NULL);
	sigaltstack(&stack_before, NULL);
}

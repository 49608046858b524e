/* SPDX-License-Identifier: BSD-3-Clause */
/* Assertions of the library, and of the scenario, end the execution. */
#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>

#include "explore/engine.h"

/* The engine itself, or a scenario that is being given up, cannot go back to
 * the engine: it is over for all. */
static void require_running(const char *what)
{
	if (run.outcome == OUTCOME_RUNNING && run.who != WHO_ENGINE)
		return;
	fprintf(stderr, "daxlock: %s\n", what);
	abort();
}

/* "; holds TREE 0x55e0, WAITQ 0x55f0" */
static void describe_held(char *text, size_t size)
{
	const struct rank_chain *chain = sync_rank_chain();
	char lock[RANK_DESCRIBE_MAX];
	size_t length = 0;

	text[0] = '\0';
	for (unsigned int i = 0; i < chain->depth && length < size; i++) {
		rank_describe(chain->held[i], lock, sizeof(lock));
		length += (size_t)snprintf(text + length, size - length,
			"%s %s", i ? "," : "; holds", lock);
	}
}

_Noreturn void check_abort(const char *format, ...)
{
	va_list arguments;
	char what[256];
	char held[160];

	va_start(arguments, format);
	vsnprintf(what, sizeof(what), format, arguments);
	va_end(arguments);
	require_running(what);
	describe_held(held, sizeof(held));
	execution_fail(DAX_EXPLORE_FAILED_ASSERTION, "%s: %s%s", self()->name,
		what, held);
}

_Noreturn void check_failed(const struct check_site *site)
{
	check_abort("%s: %s, in %s() at %s:%d", site->kind, site->what,
		site->function, file_name(site->file), site->line);
}

void dax_explore_check(bool holds, const char *claim)
{
	if (!holds)
		execution_fail(DAX_EXPLORE_FAILED_CHECK, "%s: not \"%s\"",
			self()->name, claim);
}

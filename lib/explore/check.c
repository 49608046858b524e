/* SPDX-License-Identifier: BSD-3-Clause */
/* Assertions of the library, and of the scenario, end the execution. */
#include "base/check.h"

#include <stdlib.h>

#include "explore/engine.h"

_Noreturn void check_failed(const struct check_site *site)
{
	if (run.outcome != OUTCOME_RUNNING)
		abort();
	execution_fail(DAX_EXPLORE_FAILED_ASSERTION, "%s: %s, in %s() at %s:%d",
		site->kind, site->what, site->function, site->file, site->line);
}

void dax_explore_check(bool holds, const char *claim)
{
	if (!holds)
		execution_fail(DAX_EXPLORE_FAILED_CHECK, "%s: not \"%s\"",
			self()->name, claim);
}

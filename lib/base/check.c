/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/rank.h"

_Noreturn void check_failed(const struct check_site *site)
{
	fprintf(stderr, "daxlock: %s: %s\n  in %s() at %s:%d\n", site->kind,
		site->what, site->function, site->file, site->line);
	rank_print_held(stderr);
	abort();
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/rank.h"

_Noreturn void check_abort(const char *format, ...)
{
	va_list arguments;

	fputs("daxlock: ", stderr);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	rank_print_held(stderr);
	abort();
}

_Noreturn void check_failed(const struct check_site *site)
{
	check_abort("%s: %s\n  in %s() at %s:%d", site->kind, site->what,
		site->function, site->file, site->line);
}

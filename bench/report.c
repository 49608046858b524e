/* SPDX-License-Identifier: BSD-3-Clause */
#include "report.h"

#include <stdarg.h>
#include <stdio.h>

#include "plot.h"
#include "ticks.h"

static bool failed;

void report(const struct options *options, const struct result *result)
{
	if (options->json)
		json_add(result);
	else
		table_print(result);
	if (options->plot)
		plot_add(result);
}

void report_progress(const struct result *result, const char *what)
{
	static uint64_t last;
	const uint64_t now = clock_ns();

	if (now - last < 1000000000)
		return;
	last = now;
	fprintf(stderr, "daxlock-bench: %s %s: %s\n", result->bench,
		result->name, what);
}

void report_failure(const struct result *result, const char *format, ...)
{
	va_list arguments;

	failed = true;
	fprintf(stderr, "daxlock-bench: %s %s: ", result->bench, result->name);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
}

bool report_failed(void)
{
	return failed;
}

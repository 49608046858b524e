/* SPDX-License-Identifier: BSD-3-Clause */
#include "bench.h"

#include <stdio.h>
#include <string.h>

bool bench_wants(const struct options *options, const struct result *result,
	const struct machine *machine)
{
	if (options->only && !strstr(result->name, options->only))
		return false;
	if (result->threads == 2 && machine->cpus < 2) {
		fprintf(stderr, "daxlock-bench: %s %s skipped: one CPU\n",
			result->bench, result->name);
		return false;
	}
	return true;
}

bool bench_gives_up(const struct result *result)
{
	if (!*result->figures[0].skipped)
		return false;
	fprintf(stderr, "daxlock-bench: %s %s skipped: %s\n", result->bench,
		result->name, result->figures[0].skipped);
	return true;
}

struct memory_budget memory_budget_begin(const struct options *options)
{
	const double half = (double)machine_memory() / 2;
	const double allowed = (double)options->memory;

	return (struct memory_budget){half < allowed ? half : allowed};
}

bool memory_budget_take(
	struct memory_budget *budget, double bytes, struct figure *figure)
{
	const double mib = 1 << 20;

	if (bytes > budget->left) {
		figure_skip(figure,
			"wants %.0f MiB, %.0f MiB are left for it (--memory)",
			bytes / mib, budget->left / mib);
		return false;
	}
	budget->left -= bytes;
	return true;
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "report.h"

void table_print_machine(
	const struct machine *machine, const struct options *options)
{
	printf("%s, %u CPUs, Linux %s, %s\n", machine->cpu, machine->cpus,
		machine->kernel, machine->compiler);
	if (machine->ping_ns > 0)
		printf("cache line from CPU to CPU %.0f ns; ",
			machine->ping_ns);
	printf("huge pages for malloc: %s\n", machine->huge_pages);
	printf("medians of %u reps, seed %" PRIu64 "%s\n", options->reps,
		options->seed, options->quick ? ", quick: rough figures" : "");
}

/* Decimals such that three digits say something. */
static int decimals(double value)
{
	if (value < 10)
		return 2;
	return value < 100 ? 1 : 0;
}

static void print_cell(double value)
{
	printf(" %8.*f", decimals(value), value);
}

/* 0 is "not looked at". */
static void print_cell_if_any(double value)
{
	if (value > 0)
		print_cell(value);
	else
		printf(" %8s", "-");
}

/* What cannot be said is "-", what must not be said is "~". */
static void print_ratio(const struct result *result,
	const struct figure *figure, const struct figure *best)
{
	double ratio;

	if (!best)
		printf(" %7s", "-");
	else if (figure == best)
		printf(" %7s  best peer", "1");
	else if (result_ratio(result, figure, best, &ratio))
		printf(" %7.*f%s", ratio < 10 ? 2 : 0, ratio,
			figure->floor ? "  floor" : "");
	else
		printf(" %7s  unstable%s", "~", figure->floor ? ", floor" : "");
}

static void print_figure(const struct result *result,
	const struct figure *figure, const struct figure *best)
{
	const struct summary summary = summarize(figure->samples, result->reps);

	printf("  %-14s", figure->subject);
	print_cell(summary.median);
	print_cell(summary.min);
	print_cell(summary.max);
	print_cell_if_any(figure->p50);
	print_cell_if_any(figure->p99);
	print_cell_if_any(figure->p999);
	print_cell_if_any(!strcmp(result->unit, "ns/op") && summary.median > 0
				  ? 1000 / summary.median
				  : 0);
	print_cell_if_any(figure->fairness);
	print_cell_if_any(figure->passed);
	print_ratio(result, figure, best);
	putchar('\n');
	if (*figure->note)
		printf("    %s\n", figure->note);
}

void table_print(const struct result *result)
{
	const struct figure *best = result_best_peer(result);

	printf("\n%s %s: %s\n", result->bench, result->name, result->question);
	printf("  %-14s %8s %8s %8s %8s %8s %8s %8s %8s %8s %7s\n",
		result->unit, "median", "min", "max", "p50 of 1", "p99",
		"p99.9", "Mop/s", "fair", "passed", "ratio");
	for (unsigned int i = 0; i < result->nr_figures; i++) {
		const struct figure *figure = &result->figures[i];

		if (*figure->skipped)
			printf("  %-14s skipped: %s\n", figure->subject,
				figure->skipped);
		else
			print_figure(result, figure, best);
	}
	fflush(stdout);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Reports as text and as TAP. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "explore/engine.h"

bool dax_explore_passed(const struct dax_explore_report *report)
{
	return report->verdict == DAX_EXPLORE_PROVED ||
	       report->verdict == DAX_EXPLORE_CLEAN_WITHIN;
}

static double milliseconds(uint64_t ns)
{
	return (double)ns / 1e6;
}

/* ---- text ---- */

static void print_counts(FILE *to, const struct dax_explore_report *report)
{
	const double seconds = (double)report->search_ns / 1e9;
	const uint64_t done = report->executions + report->cut;

	if (report->states) {
		fprintf(to, "%" PRIu64 " states, %.3f ms, %.0f states/s\n",
			report->states, milliseconds(report->search_ns),
			(double)report->states / seconds);
		return;
	}
	fprintf(to,
		"%" PRIu64 " executions, %" PRIu64
		" cut, %.1f steps on average, %" PRIu64 " at most, %.3f ms",
		report->executions, report->cut, report->average,
		report->longest, milliseconds(report->search_ns));
	if (done > 1000)
		fprintf(to, ", %.0f executions/s", (double)done / seconds);
	fputc('\n', to);
}

static void print_bug(FILE *to, const struct dax_explore_report *report)
{
	fprintf(to, "BUG: %s %s\n", dax_explore_bug_name(report->bug),
		report->message);
	if (*report->differs)
		fprintf(to, "The code is not that of the token: %s\n",
			report->differs);
	if (report->table)
		fprintf(to, "\n%s\n", report->table);
	if (report->token)
		fprintf(to, "replay: %s\n", report->token);
	fputs("found ", to);
	if (report->first_bug)
		fprintf(to, "in execution %" PRIu64 ", ", report->first_bug);
	fprintf(to, "after %.3f ms; shown with %u preemption%s\n",
		milliseconds(report->first_bug_ns), report->preemptions,
		report->preemptions == 1 ? "" : "s");
}

void dax_explore_print(FILE *to, const struct dax_explore_report *report)
{
	if (report->verdict == DAX_EXPLORE_BUG) {
		print_bug(to, report);
		return;
	}
	fprintf(to, "%s: ", dax_explore_verdict_name(report->verdict));
	if (*report->message)
		fprintf(to, "%s; ", report->message);
	print_counts(to, report);
}

/* ---- TAP ---- */

/* A '#' would begin a directive. */
static void print_name(FILE *to, const char *name)
{
	for (; *name; name++) {
		if (*name == '#' || *name == '\\')
			fputc('\\', to);
		fputc(*name, to);
	}
}

static void print_lines(FILE *to, const char *text)
{
	while (*text) {
		const int length = (int)strcspn(text, "\n");

		fprintf(to, "    %.*s\n", length, text);
		text += length + (text[length] == '\n');
	}
}

static void print_yaml(FILE *to, const struct dax_explore_report *report)
{
	fputs("  ---\n  message: ", to);
	print_json_string(to, report->message);
	if (report->token) {
		fputs("\n  replay: ", to);
		print_json_string(to, report->token);
		fprintf(to, "\n  preemptions: %u", report->preemptions);
	}
	/* 2: its first line may begin with spaces. */
	fputs(report->table ? "\n  table: |2\n" : "\n", to);
	if (report->table)
		print_lines(to, report->table);
	fputs("  ...\n", to);
}

void dax_explore_print_tap(FILE *to, unsigned int number,
	const struct dax_scenario *scenario,
	const struct dax_explore_report *report)
{
	fprintf(to, "%sok %u - ", dax_explore_passed(report) ? "" : "not ",
		number);
	print_name(to, scenario->name);
	if (!dax_explore_passed(report)) {
		fprintf(to, " # %s\n",
			report->bug
				? dax_explore_bug_name(report->bug)
				: dax_explore_verdict_name(report->verdict));
		print_yaml(to, report);
		return;
	}
	fprintf(to, " # %s%s: %" PRIu64 " executions, %.1f steps, %.1f ms\n",
		report->verdict == DAX_EXPLORE_PROVED ? "proved"
						      : "clean within ",
		report->message, report->executions, report->average,
		milliseconds(report->elapsed_ns));
}

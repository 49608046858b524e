/* SPDX-License-Identifier: BSD-3-Clause */
/* Reports as JSON. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "explore/engine.h"

static void print_part(FILE *to, const char *text, size_t length)
{
	fputc('"', to);
	for (; length--; text++) {
		if (*text == '"' || *text == '\\')
			fprintf(to, "\\%c", *text);
		else if ((unsigned char)*text < 0x20)
			fprintf(to, "\\u%04x", (unsigned int)*text);
		else
			fputc(*text, to);
	}
	fputc('"', to);
}

void print_json_string(FILE *to, const char *text)
{
	print_part(to, text, strlen(text));
}

/* "key": "text", or null. */
static void print_text(FILE *to, const char *key, const char *text)
{
	fprintf(to, "\"%s\": ", key);
	if (text && *text)
		print_json_string(to, text);
	else
		fputs("null", to);
	fputs(", ", to);
}

/* The deviations that are on, with + between them. */
static void print_deviations(FILE *to)
{
	char names[512] = "";
	size_t length = 0;

	for (unsigned int i = 0; i < NR_DEVIATIONS; i++)
		if (explore_deviations[i] && length < sizeof(names))
			length += (size_t)snprintf(names + length,
				sizeof(names) - length, "%s%s",
				length ? "+" : "",
				dax_explore_deviation(i)->name);
	print_text(to, "deviation", names);
}

/* Runs: [[1, 9], [2, 4]] is nine steps of thread 1, then four of thread 2. */
static void print_schedule(FILE *to, const char *token)
{
	unsigned int start = 0;

	fputs("\"schedule\": ", to);
	if (!token || token_read(token, &replay)) {
		fputs("null, ", to);
		return;
	}
	fputc('[', to);
	for (unsigned int i = 1; i <= replay.nr; i++) {
		const unsigned int thread = replay.at[start].thread;

		if (i < replay.nr && replay.at[i].thread == thread)
			continue;
		fprintf(to, "%s[%u, %u]", start ? ", " : "", thread + 1,
			i - start);
		start = i;
	}
	fputs("], ", to);
}

static void print_table(FILE *to, const char *table)
{
	const char *between = "";

	fputs("\"table\": [", to);
	while (table && *table) {
		const size_t length = strcspn(table, "\n");

		fputs(between, to);
		print_part(to, table, length);
		between = ", ";
		table += length + (table[length] == '\n');
	}
	fputs("], ", to);
}

static void print_numbers(FILE *to, const struct dax_explore_report *report)
{
	const struct {
		const char *key;
		uint64_t value;
	} numbers[] = {
		{"preemptions", report->preemptions},
		{"executions", report->executions},
		{"cut", report->cut},
		{"states", report->states},
		{"bugs", report->bugs},
		{"first_bug", report->first_bug},
		{"steps", report->steps},
		{"longest", report->longest},
		{"elapsed_ns", report->elapsed_ns},
		{"search_ns", report->search_ns},
		{"first_bug_ns", report->first_bug_ns},
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		fprintf(to, "\"%s\": %" PRIu64 ", ", numbers[i].key,
			numbers[i].value);
	fprintf(to, "\"average\": %.1f", report->average);
}

void dax_explore_print_json(FILE *to, const struct dax_scenario *scenario,
	const struct dax_explore_report *report)
{
	fputc('{', to);
	print_text(to, "scenario", scenario->name);
	print_text(to, "claim", scenario->claim);
	print_deviations(to);
	print_text(to, "verdict", dax_explore_verdict_name(report->verdict));
	print_text(to, "bug",
		report->bug ? dax_explore_bug_name(report->bug) : NULL);
	print_text(to, "message", report->message);
	print_text(to, "differs", report->differs);
	print_text(to, "token", report->token);
	print_schedule(to, report->token);
	print_table(to, report->table);
	print_numbers(to, report);
	fputc('}', to);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* {"machine": {...}, "rows": [{"bench": ..., "case": ..., ...}, ...]} */
#include <json-c/json.h>
#include <stdio.h>

#include "report.h"

static struct json_object *object;
static struct json_object *rows;

bool json_available(void)
{
	return true;
}

static void add_text(struct json_object *to, const char *key, const char *value)
{
	json_object_object_add(to, key, json_object_new_string(value));
}

/* Three decimals: no more is true, and none of 16.899999999999999. */
static void add_number(struct json_object *to, const char *key, double value)
{
	char text[40];

	snprintf(text, sizeof(text), "%.3f", value);
	json_object_object_add(to, key, json_object_new_double_s(value, text));
}

static void add_count(
	struct json_object *to, const char *key, unsigned int value)
{
	json_object_object_add(to, key, json_object_new_int64(value));
}

void json_begin(const struct machine *machine)
{
	struct json_object *about = json_object_new_object();

	add_text(about, "cpu", machine->cpu);
	add_count(about, "cpus", machine->cpus);
	add_text(about, "kernel", machine->kernel);
	add_text(about, "compiler", machine->compiler);
	add_text(about, "huge_pages", machine->huge_pages);
	if (machine->ping_ns > 0)
		add_number(about, "cache_line_ping_ns", machine->ping_ns);
	rows = json_object_new_array();
	object = json_object_new_object();
	json_object_object_add(object, "machine", about);
	json_object_object_add(object, "rows", rows);
}

static void add_row(const struct result *result, const struct figure *figure)
{
	const struct summary summary = summarize(figure->samples, result->reps);
	struct json_object *row = json_object_new_object();

	add_text(row, "bench", result->bench);
	add_text(row, "case", result->name);
	add_text(row, "subject", figure->subject);
	add_text(row, "unit", result->unit);
	add_number(row, "median", summary.median);
	add_number(row, "min", summary.min);
	add_number(row, "max", summary.max);
	add_count(row, "reps", result->reps);
	add_count(row, "threads", result->threads);
	if (result->curve) {
		add_text(row, "curve", result->curve);
		add_number(row, "x", result->x);
	}
	if (figure->p50 > 0) {
		add_number(row, "p50", figure->p50);
		add_number(row, "p99", figure->p99);
		add_number(row, "p99.9", figure->p999);
	}
	if (figure->fairness > 0)
		add_number(row, "fairness", figure->fairness);
	if (figure->passed > 0)
		add_number(row, "passed", figure->passed);
	if (*figure->note)
		add_text(row, "note", figure->note);
	json_object_array_add(rows, row);
}

void json_add(const struct result *result)
{
	for (unsigned int i = 0; i < result->nr_figures; i++) {
		const struct figure *figure = &result->figures[i];

		if (*figure->skipped)
			fprintf(stderr,
				"daxlock-bench: %s %s: %s skipped: %s\n",
				result->bench, result->name, figure->subject,
				figure->skipped);
		else
			add_row(result, figure);
	}
}

void json_print(void)
{
	puts(json_object_to_json_string_ext(
		object, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
				JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(object);
}

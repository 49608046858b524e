/* SPDX-License-Identifier: BSD-3-Clause */
#include "explore/exhibition.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explore/museum.h"
#include "explore/operations.h"

/* What is no exhibit, and why. */
static const struct {
	const char *id;
	const char *reason;
} none[] = {
#define ROW(id_, reason_) {.id = (id_), .reason = (reason_)},
	EXPLORE_NO_EXHIBIT(ROW)
#undef ROW
};
#define NR_NONE (sizeof(none) / sizeof(none[0]))

struct showing {
	const struct exhibit *exhibit;
	const char *id;
	struct dax_scenario scenario;
	struct dax_explore_report with;
	struct dax_explore_report without;
	bool expected;
};

static const char *exhibit_id(const char *deviation)
{
	const size_t length = strcspn(deviation, "+");
	const struct dax_explore_deviation *found;

	for (unsigned int i = 0; (found = dax_explore_deviation(i)); i++)
		if (strlen(found->name) == length &&
			!memcmp(found->name, deviation, length))
			return found->exhibit;
	return "?";
}

/* ---- a line ---- */

static void print_text(const struct showing *showing)
{
	const struct dax_explore_report *with = &showing->with;

	printf("%-12s %-22s %-26s %s in %.3f ms%s; without it %s\n",
		showing->id, showing->exhibit->deviation,
		showing->exhibit->scenario,
		with->bug ? dax_explore_bug_name(with->bug)
		: with->verdict == DAX_EXPLORE_PROVED
			? "equivalent: proved"
			: dax_explore_verdict_name(with->verdict),
		(double)(with->bug ? with->first_bug_ns : with->elapsed_ns) /
			1e6,
		showing->expected ? "" : " (NOT EXPECTED)",
		dax_explore_verdict_name(showing->without.verdict));
}

static void print_json(const struct showing *showing)
{
	printf("{\"exhibit\": \"%s\", \"expected\": %s, \"without\": \"%s\", "
	       "\"report\": ",
		showing->id, showing->expected ? "true" : "false",
		dax_explore_verdict_name(showing->without.verdict));
	dax_explore_print_json(stdout, &showing->scenario, &showing->with);
	puts("}");
}

static void print_tap(const struct showing *showing, unsigned int number)
{
	printf("%sok %u - %s %s in %s # %s\n", showing->expected ? "" : "not ",
		number, showing->id, showing->exhibit->deviation,
		showing->exhibit->scenario,
		showing->with.bug ? dax_explore_bug_name(showing->with.bug)
				  : "equivalent");
}

static void print_none(unsigned int i, enum format format)
{
	switch (format) {
	case FORMAT_TEXT:
		printf("%-12s no exhibit: %s\n", none[i].id, none[i].reason);
		break;
	case FORMAT_JSON:
		printf("{\"exhibit\": \"%s\", \"none\": \"%s\"}\n", none[i].id,
			none[i].reason);
		break;
	case FORMAT_TAP:
		printf("ok %u - %s # SKIP %s\n", nr_exhibits + i + 1,
			none[i].id, none[i].reason);
		break;
	}
}

/* ---- the exhibition ---- */

static void explore_exhibit(struct showing *showing, uint64_t executions)
{
	const struct exhibit *exhibit = showing->exhibit;
	const struct dax_explore_options options = {
		.max_executions = executions};

	if (dax_explore(&showing->scenario, &options, &showing->without) ||
		dax_explore_deviate(exhibit->deviation) ||
		dax_explore(&showing->scenario, NULL, &showing->with))
		abort();
	showing->expected = showing->with.bug == exhibit->expected &&
			    dax_explore_passed(&showing->without);
}

static bool show_exhibit(
	unsigned int i, enum format format, uint64_t executions)
{
	struct combination combination;
	struct showing showing = {
		.exhibit = &exhibits[i],
		.id = exhibit_id(exhibits[i].deviation),
		.scenario =
			{
				.name = exhibits[i].scenario,
				.body = combination_body,
				.context = &combination,
				.snapshots = true,
				.allocs_fail = exhibits[i].allocs_fail,
			},
	};

	if (!combination_read(&combination, exhibits[i].scenario))
		abort();
	explore_exhibit(&showing, executions);
	if (format == FORMAT_TEXT)
		print_text(&showing);
	else if (format == FORMAT_JSON)
		print_json(&showing);
	else
		print_tap(&showing, i + 1);
	dax_explore_report_free(&showing.with);
	dax_explore_report_free(&showing.without);
	return !dax_explore_deviate(NULL) && showing.expected;
}

bool show_museum(enum format format, uint64_t executions)
{
	bool expected = true;

	if (format == FORMAT_TAP)
		printf("1..%u\n", nr_exhibits + (unsigned int)NR_NONE);
	for (unsigned int i = 0; i < nr_exhibits; i++)
		expected &= show_exhibit(i, format, executions);
	for (unsigned int i = 0; i < NR_NONE; i++)
		print_none(i, format);
	return expected;
}

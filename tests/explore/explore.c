/* SPDX-License-Identifier: BSD-3-Clause */
/* daxlock-explore: see usage(). */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explore/museum.h"
#include "explore/operations.h"
#include "explore/scenarios.h"

enum {
	EXIT_CLEAN,
	EXIT_FINDING,
	EXIT_USAGE,
};

static void usage(FILE *to)
{
	fputs("Usage: daxlock-explore [OPTION]...\n"
	      "Explores every interleaving of a scenario of the entry lock.\n\n"
	      "  --list                scenarios and deviations\n"
	      "  --scenario NAME       what to explore: a name of --list, or "
	      "a\n"
	      "                        combination such as \"pmd-zero: "
	      "F0,F1\"\n"
	      "  --deviation D[+D]     with a bug switched on\n"
	      "  --preemptions N       only up to N preemptions\n"
	      "  --seed X              10000 random interleavings instead\n"
	      "  --replay TOKEN        the one interleaving of a token\n"
	      "  --allocs-fail N       up to N allocations fail\n"
	      "  --steps               print each operation, with its place\n"
	      "  --museum              every deviation in its scenario\n"
	      "  --help                this text\n\n"
	      "Exit status: 0 clean, 1 a bug was found, 2 wrong use.\n",
		to);
}

struct request {
	const char *scenario;
	const char *deviation;
	unsigned int allocs_fail;
	struct dax_explore_options options;
};

/* ---- printing ---- */

static void print_counts(const struct dax_explore_report *report)
{
	const double seconds = (double)report->search_ns / 1e9;
	const uint64_t done = report->executions + report->cut;

	printf("%llu executions, %llu cut, %llu steps at most, %.3f ms",
		(unsigned long long)report->executions,
		(unsigned long long)report->cut,
		(unsigned long long)report->longest, seconds * 1e3);
	if (done > 1000)
		printf(", %.0f executions/s", (double)done / seconds);
	putchar('\n');
}

static void print_report(const struct dax_explore_report *report)
{
	if (report->verdict != DAX_EXPLORE_BUG) {
		printf("%s: ", dax_explore_verdict_name(report->verdict));
		if (*report->message)
			printf("%s; ", report->message);
		print_counts(report);
		return;
	}
	printf("BUG: %s %s\n", dax_explore_bug_name(report->bug),
		report->message);
	if (report->table)
		printf("\n%s\n", report->table);
	printf("replay: %s\n", report->token ? report->token : "");
	printf("found in execution %llu, after %.3f ms\n",
		(unsigned long long)report->first_bug,
		(double)report->first_bug_ns / 1e6);
}

static void list(void)
{
	const struct dax_explore_deviation *deviation;

	puts("Scenarios");
	for (unsigned int i = 0; i < nr_named_scenarios; i++)
		printf("  %-26s %-26s %s\n", named_scenarios[i].name,
			named_scenarios[i].combination,
			named_scenarios[i].claim);
	puts("\nCombinations: STATE: OPERATION,... /QUEUES\n  states:");
	for (unsigned int i = 0; i < nr_state_kinds; i++)
		printf(" %s", state_kinds[i].name);
	printf("\n  operations:");
	for (unsigned int i = 0; i < nr_operation_kinds; i++)
		printf(" %s", operation_kinds[i].name);
	puts("\n\nDeviations");
	for (unsigned int i = 0; (deviation = dax_explore_deviation(i)); i++)
		printf("  %-12s %-22s %s\n", deviation->exhibit,
			deviation->name, deviation->sentence);
}

/* ---- exploring ---- */

static bool find_scenario(const struct request *request,
	struct combination *combination, struct dax_scenario *scenario)
{
	const char *text = request->scenario;

	*scenario = (struct dax_scenario){
		.name = text,
		.body = combination_body,
		.context = combination,
		.snapshots = true,
		.allocs_fail = request->allocs_fail,
	};
	for (unsigned int i = 0; i < nr_named_scenarios; i++) {
		const struct named_scenario *named = &named_scenarios[i];

		if (strcmp(named->name, text))
			continue;
		if (!combination_read(combination, named->combination))
			return false;
		combination->sleepers = named->sleepers;
		scenario->claim = named->claim;
		scenario->allocs_fail += named->allocs_fail;
		return true;
	}
	return combination_read(combination, text);
}

static int explore_one(const struct request *request)
{
	struct combination combination;
	struct dax_scenario scenario;
	struct dax_explore_report report;
	int status;

	if (!find_scenario(request, &combination, &scenario)) {
		fprintf(stderr, "daxlock-explore: no scenario \"%s\"\n",
			request->scenario);
		return EXIT_USAGE;
	}
	if (dax_explore_deviate(request->deviation)) {
		fprintf(stderr, "daxlock-explore: no deviation \"%s\"\n",
			request->deviation);
		return EXIT_USAGE;
	}
	if (dax_explore(&scenario, &request->options, &report)) {
		fputs("daxlock-explore: that is no token\n", stderr);
		return EXIT_USAGE;
	}
	print_report(&report);
	status = report.verdict == DAX_EXPLORE_PROVED ||
				 report.verdict == DAX_EXPLORE_CLEAN_WITHIN
			 ? EXIT_CLEAN
			 : EXIT_FINDING;
	dax_explore_report_free(&report);
	return status;
}

/* ---- the museum ---- */

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

static bool show_exhibit(const struct exhibit *exhibit)
{
	struct combination combination;
	struct dax_scenario scenario = {
		.name = exhibit->scenario,
		.body = combination_body,
		.context = &combination,
		.snapshots = true,
		.allocs_fail = exhibit->allocs_fail,
	};
	struct dax_explore_report report, without;
	bool expected;

	if (!combination_read(&combination, exhibit->scenario) ||
		dax_explore_deviate(exhibit->deviation) ||
		dax_explore(&scenario, NULL, &report))
		abort();
	if (dax_explore_deviate(NULL) ||
		dax_explore(&scenario,
			&(struct dax_explore_options){.max_executions = 100000},
			&without))
		abort();
	expected = report.bug == exhibit->expected &&
		   without.bug == DAX_EXPLORE_NO_BUG &&
		   without.verdict <= DAX_EXPLORE_CLEAN_WITHIN;
	printf("%-12s %-22s %-26s %s in %.3f ms%s; without it %s\n",
		exhibit_id(exhibit->deviation), exhibit->deviation,
		exhibit->scenario,
		report.bug ? dax_explore_bug_name(report.bug)
			   : "equivalent: proved",
		(double)(report.bug ? report.first_bug_ns : report.elapsed_ns) /
			1e6,
		expected ? "" : " (NOT EXPECTED)",
		dax_explore_verdict_name(without.verdict));
	dax_explore_report_free(&report);
	dax_explore_report_free(&without);
	return expected;
}

static int show_museum(void)
{
	bool expected = true;

	for (unsigned int i = 0; i < nr_exhibits; i++)
		expected &= show_exhibit(&exhibits[i]);
	return expected ? EXIT_CLEAN : EXIT_FINDING;
}

/* ---- the command line ---- */

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"list", no_argument, NULL, 'l'},
		{"museum", no_argument, NULL, 'm'},
		{"steps", no_argument, NULL, 't'},
		{"help", no_argument, NULL, 'h'},
		{"scenario", required_argument, NULL, 's'},
		{"deviation", required_argument, NULL, 'd'},
		{"preemptions", required_argument, NULL, 'p'},
		{"seed", required_argument, NULL, 'x'},
		{"replay", required_argument, NULL, 'r'},
		{"allocs-fail", required_argument, NULL, 'a'},
		{0},
	};
	struct request request = {0};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case 'l':
			list();
			return EXIT_CLEAN;
		case 'm':
			return show_museum();
		case 'h':
			usage(stdout);
			return EXIT_CLEAN;
		case 't':
			request.options.steps = true;
			break;
		case 's':
			request.scenario = optarg;
			break;
		case 'd':
			request.deviation = optarg;
			break;
		case 'p':
			request.options.how = DAX_EXPLORE_EVERY;
			request.options.preemptions = atoi(optarg);
			break;
		case 'x':
			request.options.how = DAX_EXPLORE_RANDOM;
			request.options.seed = strtoull(optarg, NULL, 0);
			request.options.max_executions = 10000;
			break;
		case 'r':
			request.options.how = DAX_EXPLORE_REPLAY;
			request.options.replay = optarg;
			break;
		case 'a':
			request.allocs_fail = (unsigned int)atoi(optarg);
			break;
		default:
			usage(stderr);
			return EXIT_USAGE;
		}
	}
	if (!request.scenario || optind != argc) {
		usage(stderr);
		return EXIT_USAGE;
	}
	return explore_one(&request);
}

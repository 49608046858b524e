/* SPDX-License-Identifier: BSD-3-Clause */
/* daxlock-explore: see usage(). */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explore/disk_operations.h"
#include "explore/exhibition.h"
#include "explore/file_operations.h"
#include "explore/operations.h"
#include "explore/page_operations.h"
#include "explore/scenarios.h"

/* Of each scenario without its bug, unless told otherwise. */
#define MUSEUM_EXECUTIONS 100000

enum {
	EXIT_CLEAN,
	EXIT_FINDING,
	EXIT_USAGE,
};

static void usage(FILE *to)
{
	fputs("Usage: daxlock-explore [OPTION]...\n"
	      "Explores every interleaving of scenarios of the entry lock.\n\n"
	      "  --list                scenarios and deviations\n"
	      "  --scenario NAME       what to explore: a name of --list, or "
	      "a\n"
	      "                        combination such as \"pmd-zero: "
	      "F0,F1\";\n"
	      "                        may be repeated\n"
	      "  --deviation D[+D]     with a bug switched on\n"
	      "  --how auto|all|sleep-sets|states\n"
	      "                        auto: few preemptions first, then one "
	      "of "
	      "each\n"
	      "                        kind (all), then each state, then at "
	      "random\n"
	      "  --executions N        give up after N\n"
	      "  --preemptions N       only up to N preemptions\n"
	      "  --seed X              10000 random interleavings instead\n"
	      "  --pct D               10000 by priorities, for bugs of depth "
	      "D\n"
	      "  --replay TOKEN        the one interleaving of a token\n"
	      "  --gdb                 then replay the bug under gdb, up to "
	      "its step\n"
	      "  --allocs-fail N       up to N allocations fail\n"
	      "  --steps               print each operation, with its place\n"
	      "  --races               look for data races; plain accesses are "
	      "seen\n"
	      "                        by daxlock-explore-races\n"
	      "  --tso                 stores are seen later, as on x86\n"
	      "  --weaken FUNCTION:acquire, FUNCTION:release\n"
	      "                        without that half of its memory orders\n"
	      "  --museum              every deviation in its scenario, and "
	      "that\n"
	      "                        without it, for 100000 executions or "
	      "those asked for\n"
	      "  --json                a JSON object a scenario or exhibit\n"
	      "  --tap                 TAP\n"
	      "  --help                this text\n\n"
	      "Exit status: 0 clean, 1 a bug was found, 2 wrong use.\n",
		to);
}

struct request {
	const char **scenarios;
	unsigned int nr;
	const char *deviation;
	const char *weaken;
	unsigned int allocs_fail;
	bool list;
	bool museum;
	bool gdb;
	enum format format;
	struct dax_explore_options options;
};

static void list_kinds(const char *of,
	const struct state_kind *(*state_of)(unsigned int i),
	const struct operation_kind *(*operation_of)(unsigned int i))
{
	const struct state_kind *state;
	const struct operation_kind *operation;

	printf("\n  states of %s:", of);
	for (unsigned int i = 0; (state = state_of(i)); i++)
		printf(" %s", state->name);
	printf("\n  operations on it:");
	for (unsigned int i = 0; (operation = operation_of(i)); i++)
		printf(" %s", operation->name);
}

static void list(void)
{
	const struct dax_explore_deviation *deviation;

	puts("Scenarios");
	for (unsigned int i = 0; i < nr_named_scenarios; i++)
		printf("  %-26s %-26s %s\n", named_scenarios[i].name,
			named_scenarios[i].combination,
			named_scenarios[i].claim);
	puts("\nCombinations: STATE: OPERATION,... /QUEUES");
	fputs("  states:", stdout);
	for (unsigned int i = 0; i < nr_state_kinds; i++)
		printf(" %s", state_kinds[i].name);
	printf("\n  operations:");
	for (unsigned int i = 0; i < nr_operation_kinds; i++)
		printf(" %s", operation_kinds[i].name);
	list_kinds("a mapped file", file_state, file_operation);
	list_kinds("a device's pages", page_state, page_operation);
	list_kinds("a file of daxlock/file.h", disk_state, disk_operation);
	puts("\n\nDeviations");
	for (unsigned int i = 0; (deviation = dax_explore_deviation(i)); i++)
		printf("  %-12s %-22s %s\n", deviation->exhibit,
			deviation->name, deviation->sentence);
}

/* ---- exploring ---- */

static bool find_scenario(const struct request *request, const char *text,
	struct combination *combination, struct dax_scenario *scenario)
{
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

static void print_report(const struct request *request, unsigned int number,
	const struct dax_scenario *scenario,
	const struct dax_explore_report *report)
{
	switch (request->format) {
	case FORMAT_TEXT:
		if (request->nr > 1)
			printf("%s%s\n", number > 1 ? "\n" : "",
				scenario->name);
		dax_explore_print(stdout, report);
		break;
	case FORMAT_JSON:
		dax_explore_print_json(stdout, scenario, report);
		putchar('\n');
		break;
	case FORMAT_TAP:
		dax_explore_print_tap(stdout, number, scenario, report);
		break;
	}
}

/* Does not return when gdb takes over. */
static int show_in_gdb(const struct request *request, const char *token)
{
	char allocs_fail[16];
	const char *const arguments[] = {"--scenario", request->scenarios[0],
		"--allocs-fail", allocs_fail,
		request->deviation ? "--deviation" : NULL, request->deviation,
		NULL};
	int error;

	snprintf(allocs_fail, sizeof(allocs_fail), "%u", request->allocs_fail);
	error = dax_explore_gdb(arguments, token);
	fprintf(stderr, "daxlock-explore: %s\n",
		error == -ENOENT ? "gdb is not installed" : strerror(-error));
	return EXIT_USAGE;
}

static int explore_one(const struct request *request, unsigned int i)
{
	struct combination combination;
	struct dax_scenario scenario;
	struct dax_explore_report report;
	int status;

	if (!find_scenario(
		    request, request->scenarios[i], &combination, &scenario)) {
		fprintf(stderr, "daxlock-explore: no scenario \"%s\"\n",
			request->scenarios[i]);
		return EXIT_USAGE;
	}
	if (dax_explore_weaken(request->weaken)) {
		fprintf(stderr, "daxlock-explore: no order \"%s\"\n",
			request->weaken);
		return EXIT_USAGE;
	}
	if (dax_explore(&scenario, &request->options, &report)) {
		fputs("daxlock-explore: that is no token\n", stderr);
		return EXIT_USAGE;
	}
	print_report(request, i + 1, &scenario, &report);
	status = dax_explore_passed(&report) ? EXIT_CLEAN : EXIT_FINDING;
	if (request->gdb && report.token)
		status = show_in_gdb(request, report.token);
	dax_explore_report_free(&report);
	return status;
}

static int explore_all(const struct request *request)
{
	int status = EXIT_CLEAN;

	if (dax_explore_deviate(request->deviation)) {
		fprintf(stderr, "daxlock-explore: no deviation \"%s\"\n",
			request->deviation);
		return EXIT_USAGE;
	}
	if (request->format == FORMAT_TAP)
		printf("1..%u\n", request->nr);
	for (unsigned int i = 0; i < request->nr && status < EXIT_USAGE; i++) {
		const int one = explore_one(request, i);

		status = one > status ? one : status;
	}
	return status;
}

/* ---- the command line ---- */

static bool read_number(const char *text, uint64_t limit, uint64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoull(text, &end, 0);
	/* A sign or a space would be taken, too. */
	if (*text >= '0' && *text <= '9' && !*end && !errno && *out <= limit)
		return true;
	fprintf(stderr, "daxlock-explore: \"%s\" is no number from 0 to %llu\n",
		text, (unsigned long long)limit);
	return false;
}

static bool read_how(const char *text, enum dax_explore_how *how)
{
	static const char *const names[] = {
		[DAX_EXPLORE_AUTO] = "auto",
		[DAX_EXPLORE_ALL] = "all",
		[DAX_EXPLORE_SLEEP_SETS] = "sleep-sets",
		[DAX_EXPLORE_STATES] = "states",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(names[i], text)) {
			*how = (enum dax_explore_how)i;
			return true;
		}
	fprintf(stderr, "daxlock-explore: no way to search \"%s\"\n", text);
	return false;
}

static bool read_search(struct request *request, int option)
{
	struct dax_explore_options *options = &request->options;
	uint64_t number;

	switch (option) {
	case 'p':
		if (!read_number(optarg, INT16_MAX, &number))
			return false;
		options->how = DAX_EXPLORE_EVERY;
		options->preemptions = (int)number;
		return true;
	case 'x':
		if (!read_number(optarg, UINT64_MAX, &options->seed))
			return false;
		if (options->how != DAX_EXPLORE_PCT)
			options->how = DAX_EXPLORE_RANDOM;
		options->max_executions = 10000;
		return true;
	case 'H':
		return read_how(optarg, &options->how);
	case 'n':
		return read_number(
			optarg, UINT64_MAX, &options->max_executions);
	case 'e':
		if (!read_number(optarg, INT16_MAX, &number))
			return false;
		options->how = DAX_EXPLORE_PCT;
		options->depth = (unsigned int)number;
		options->max_executions = 10000;
		return true;
	case 'r':
		options->how = DAX_EXPLORE_REPLAY;
		options->replay = optarg;
		return true;
	case 'a':
		if (!read_number(optarg, INT16_MAX, &number))
			return false;
		request->allocs_fail = (unsigned int)number;
		return true;
	default:
		return false;
	}
}

static bool read_option(struct request *request, int option)
{
	switch (option) {
	case 'l':
		request->list = true;
		break;
	case 'm':
		request->museum = true;
		break;
	case 't':
		request->options.steps = true;
		break;
	case 'g':
		request->gdb = true;
		break;
	case 'j':
		request->format = FORMAT_JSON;
		break;
	case 'T':
		request->format = FORMAT_TAP;
		break;
	case 'c':
		request->options.races = true;
		break;
	case 'o':
		request->options.tso = true;
		break;
	case 'w':
		request->weaken = optarg;
		break;
	case 's':
		request->scenarios[request->nr++] = optarg;
		break;
	case 'd':
		request->deviation = optarg;
		break;
	default:
		return read_search(request, option);
	}
	return true;
}

static bool read_options(struct request *request, int argc, char **argv)
{
	static const struct option options[] = {
		{"list", no_argument, NULL, 'l'},
		{"museum", no_argument, NULL, 'm'},
		{"steps", no_argument, NULL, 't'},
		{"gdb", no_argument, NULL, 'g'},
		{"json", no_argument, NULL, 'j'},
		{"tap", no_argument, NULL, 'T'},
		{"races", no_argument, NULL, 'c'},
		{"pct", required_argument, NULL, 'e'},
		{"how", required_argument, NULL, 'H'},
		{"executions", required_argument, NULL, 'n'},
		{"tso", no_argument, NULL, 'o'},
		{"weaken", required_argument, NULL, 'w'},
		{"scenario", required_argument, NULL, 's'},
		{"deviation", required_argument, NULL, 'd'},
		{"preemptions", required_argument, NULL, 'p'},
		{"seed", required_argument, NULL, 'x'},
		{"replay", required_argument, NULL, 'r'},
		{"allocs-fail", required_argument, NULL, 'a'},
		{0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
		if (!read_option(request, option))
			return false;
	return optind == argc;
}

static int act(const struct request *request)
{
	if (request->list) {
		list();
		return EXIT_CLEAN;
	}
	if (request->museum)
		return show_museum(request->format,
			       request->options.max_executions
				       ? request->options.max_executions
				       : MUSEUM_EXECUTIONS)
			       ? EXIT_CLEAN
			       : EXIT_FINDING;
	if (!request->nr || (request->gdb && request->nr > 1)) {
		usage(stderr);
		return EXIT_USAGE;
	}
	return explore_all(request);
}

int main(int argc, char **argv)
{
	struct request request = {0};
	int status = EXIT_USAGE;

	if (argc == 2 && !strcmp(argv[1], "--help")) {
		usage(stdout);
		return EXIT_CLEAN;
	}
	/* An option a word, at most. */
	request.scenarios = calloc((size_t)argc, sizeof(*request.scenarios));
	if (!request.scenarios)
		return EXIT_USAGE;
	if (read_options(&request, argc, argv))
		status = act(&request);
	else
		usage(stderr);
	free(request.scenarios);
	return status;
}

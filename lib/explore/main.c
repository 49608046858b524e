/* SPDX-License-Identifier: BSD-3-Clause */
/* main() of a test program that has scenarios and nothing else. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "daxlock/explore.h"

enum {
	EXIT_CLEAN,
	EXIT_FINDING,
	EXIT_USAGE,
};

struct request {
	const struct dax_scenario *scenarios;
	unsigned int nr;
	char **filters; /* up to a NULL; none: all are wanted */
	bool list;
	bool gdb;
	struct dax_explore_options options;
};

static void usage(FILE *to, const char *program)
{
	fprintf(to,
		"Usage: %s [OPTION]... [NAME]...\n"
		"Explores the scenarios whose name contains a NAME, or all, "
		"and prints TAP.\n\n"
		"  --list          names and claims\n"
		"  --replay TOKEN  the one interleaving of a token\n"
		"  --gdb           replay the bug under gdb, up to its step\n"
		"  --steps         print each operation, with its place\n"
		"  --help          this text\n\n"
		"Exit status: 0 clean, 1 a bug was found, 2 wrong use.\n",
		program);
}

static bool is_name(const struct request *request, const char *filter)
{
	for (unsigned int i = 0; i < request->nr; i++)
		if (!strcmp(request->scenarios[i].name, filter))
			return true;
	return false;
}

/* A filter that is the name of a scenario is for that alone. */
static bool is_wanted(
	const struct request *request, const struct dax_scenario *scenario)
{
	bool wanted = !*request->filters;

	for (char **filter = request->filters; *filter; filter++)
		wanted |= is_name(request, *filter)
				  ? !strcmp(scenario->name, *filter)
				  : strstr(scenario->name, *filter) != NULL;
	return wanted;
}

static unsigned int nr_wanted(const struct request *request)
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < request->nr; i++)
		nr += is_wanted(request, &request->scenarios[i]);
	return nr;
}

static void list(const struct request *request)
{
	for (unsigned int i = 0; i < request->nr; i++)
		printf("%-24s %s\n", request->scenarios[i].name,
			request->scenarios[i].claim
				? request->scenarios[i].claim
				: "");
}

/* Does not return when gdb takes over. */
static int show_in_gdb(const struct dax_scenario *scenario, const char *token)
{
	const char *const arguments[] = {scenario->name, NULL};
	const int error = dax_explore_gdb(arguments, token);

	fprintf(stderr, "%s\n",
		error == -ENOENT ? "gdb is not installed"
				 : "gdb does not start");
	return EXIT_USAGE;
}

static int explore(const struct request *request,
	const struct dax_scenario *scenario, unsigned int number)
{
	struct dax_explore_report report;
	const int error = dax_explore(scenario, &request->options, &report);
	int status;

	if (error) {
		fprintf(stderr, "%s\n",
			error == -EINVAL ? "that is no token" : "no memory");
		return EXIT_USAGE;
	}
	dax_explore_print_tap(stdout, number, scenario, &report);
	status = dax_explore_passed(&report) ? EXIT_CLEAN : EXIT_FINDING;
	if (request->gdb && report.token)
		status = show_in_gdb(scenario, report.token);
	dax_explore_report_free(&report);
	return status;
}

static int explore_all(const struct request *request)
{
	int status = EXIT_CLEAN;
	unsigned int number = 0;

	printf("1..%u\n", nr_wanted(request));
	for (unsigned int i = 0; i < request->nr && status != EXIT_USAGE; i++) {
		const struct dax_scenario *scenario = &request->scenarios[i];
		int one;

		if (!is_wanted(request, scenario))
			continue;
		one = explore(request, scenario, ++number);
		status = one > status ? one : status;
	}
	return status;
}

static bool read_options(struct request *request, int argc, char **argv)
{
	static const struct option options[] = {
		{"list", no_argument, NULL, 'l'},
		{"replay", required_argument, NULL, 'r'},
		{"gdb", no_argument, NULL, 'g'},
		{"steps", no_argument, NULL, 's'},
		{0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'l')
			request->list = true;
		else if (option == 'g')
			request->gdb = true;
		else if (option == 's')
			request->options.steps = true;
		else if (option == 'r')
			request->options.replay = optarg;
		else
			return false;
	}
	if (request->options.replay)
		request->options.how = DAX_EXPLORE_REPLAY;
	request->filters = argv + optind;
	return true;
}

int dax_explore_main(int argc, char **argv,
	const struct dax_scenario *scenarios, unsigned int nr)
{
	struct request request = {.scenarios = scenarios, .nr = nr};

	if (argc == 2 && !strcmp(argv[1], "--help")) {
		usage(stdout, argv[0]);
		return EXIT_CLEAN;
	}
	if (!read_options(&request, argc, argv)) {
		usage(stderr, argv[0]);
		return EXIT_USAGE;
	}
	if (request.list) {
		list(&request);
		return EXIT_CLEAN;
	}
	if (!nr_wanted(&request) || ((request.gdb || request.options.replay) &&
					    nr_wanted(&request) != 1)) {
		fputs("A NAME of one scenario is needed; see --list.\n",
			stderr);
		return EXIT_USAGE;
	}
	return explore_all(&request);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* daxlock-bench: daxlock beside its peers, in one run. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <urcu/urcu-memb.h>

#include "bench.h"
#include "lane.h"
#include "plot.h"
#include "report.h"

#define MIB ((uint64_t)1 << 20)

enum exit_status {
	EXIT_DONE,
	EXIT_FINDING,
	EXIT_USAGE,
};

static const struct {
	const char *name;
	bench_fn *run;
} benches[] = {
	{"lock", bench_lock},
	{"tree", bench_tree},
	{"wake", bench_wake},
	{"fault", bench_fault},
	{"access", bench_access},
	{"growth", bench_growth},
	{"pin", bench_pin},
};

static const char usage[] =
	"usage: daxlock-bench BENCH [OPTION...]\n"
	"\n"
	"Measures daxlock and its peers, in turns, in one run.\n"
	"\n"
	"  lock    locking and unlocking entries, alone and against another\n"
	"  tree    looking up, filling, erasing, marking; bytes an entry\n"
	"  wake    waking 64 threads, at once and one by one\n"
	"  fault   page faults: PTE, PMD, zero pages, and after fsync\n"
	"  access  random 4K accesses through fresh maps of 4K and of 2M\n"
	"  pin     holding pages by references, and letting them go\n"
	"  growth  locking and waking by file size, threads, waiters: curves\n"
	"  all     these\n"
	"\n"
	"  --quick         rough figures in some 20 seconds\n"
	"  --reps N        times each is measured (9; with --quick 3)\n"
	"  --case TEXT     only the cases with TEXT in their names\n"
	"  --seed X        of the random choices (1)\n"
	"  --memory MIB    skip what takes more (half of what is free; with\n"
	"                  --quick 128)\n"
	"  --dir DIR       access: a file there, not one in memory; say, on a\n"
	"                  DAX file system\n"
	"  --plot DIR      also write charts there, by gnuplot\n"
	"  --json          print one JSON object\n"
	"  --help          print this\n"
	"\n"
	"A ratio is to the best peer, and is \"~\" where the reps disagree.\n"
	"\"p50 of 1\", \"p99\", \"p99.9\": of operations timed one by one, the "
	"clock\n"
	"included. \"fair\": operations of the slowest thread by those of the "
	"fastest.\n"
	"\"passed\": most others that got the lock while one waited for it.\n"
	"Exit status: 0 done, 1 something failed, 2 wrong use.\n";

static _Noreturn void refuse(const char *what, const char *which)
{
	fprintf(stderr, "daxlock-bench: %s%s%s\n%s", what, which ? ": " : "",
		which ? which : "", usage);
	exit(EXIT_USAGE);
}

static uint64_t number(const char *text, uint64_t min, uint64_t max)
{
	unsigned long long value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 0);
	if (errno || end == text || *end || *text == '-' || value < min ||
		value > max)
		refuse("not a number that makes sense here", text);
	return value;
}

/* Returns the name of the bench. */
static const char *parse(int argc, char **argv, struct options *options)
{
	static const struct option known[] = {
		{"quick", no_argument, NULL, 'q'},
		{"reps", required_argument, NULL, 'r'},
		{"case", required_argument, NULL, 'c'},
		{"seed", required_argument, NULL, 's'},
		{"memory", required_argument, NULL, 'm'},
		{"dir", required_argument, NULL, 'd'},
		{"plot", required_argument, NULL, 'p'},
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int option;

	*options = (struct options){.seed = 1};
	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (option) {
		case 'q':
			options->quick = true;
			break;
		case 'r':
			options->reps =
				(unsigned int)number(optarg, 1, REPS_MAX);
			break;
		case 'c':
			options->only = optarg;
			break;
		case 's':
			options->seed = number(optarg, 0, UINT64_MAX);
			break;
		case 'm':
			options->memory =
				number(optarg, 1, UINT64_MAX / MIB) * MIB;
			break;
		case 'd':
			options->dir = optarg;
			break;
		case 'p':
			options->plot = optarg;
			break;
		case 'j':
			options->json = true;
			break;
		case 'h':
			fputs(usage, stdout);
			exit(EXIT_DONE);
		default:
			exit(EXIT_USAGE);
		}
	}
	if (optind != argc - 1)
		refuse("one bench is wanted", NULL);
	return argv[optind];
}

static void default_options(struct options *options)
{
	if (!options->reps)
		options->reps = options->quick ? 3 : 9;
	if (!options->memory)
		options->memory = options->quick ? 128 * MIB : UINT64_MAX;
	if (options->json && !json_available())
		refuse("this build has no --json: it was made without json-c",
			NULL);
}

static bool wanted(unsigned int i, const char *name)
{
	return !strcmp(name, "all") || !strcmp(name, benches[i].name);
}

static bool known_bench(const char *name)
{
	for (unsigned int i = 0; i < sizeof(benches) / sizeof(*benches); i++)
		if (wanted(i, name))
			return true;
	return false;
}

static void run(const char *name, const struct options *options)
{
	struct machine machine;

	ticks_calibrate();
	machine_look(&machine, lanes_start(options->seed));
	if (options->json)
		json_begin(&machine);
	else
		table_print_machine(&machine, options);
	for (unsigned int i = 0; i < sizeof(benches) / sizeof(*benches); i++)
		if (wanted(i, name))
			benches[i].run(options, &machine);
	lanes_stop();
	if (options->json)
		json_print();
}

int main(int argc, char **argv)
{
	struct options options;
	const char *name = parse(argc, argv, &options);

	default_options(&options);
	if (!known_bench(name))
		refuse("no such bench", name);
	urcu_memb_register_thread();
	run(name, &options);
	if (options.plot && !plot_write(options.plot))
		return EXIT_FINDING;
	urcu_memb_unregister_thread();
	return report_failed() ? EXIT_FINDING : EXIT_DONE;
}

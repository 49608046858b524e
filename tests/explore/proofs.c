/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Proves all that the families of scenarios.h have, given time: what
 * families_test does within seconds, with a larger limit. Too long for every
 * run of the tests; meson test --benchmark --suite proofs runs it.
 *
 *	explore-proofs [EXECUTIONS [FAMILY]]
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "explore/scenarios.h"

#define AT_ONCE 1000

struct tally {
	const struct family *family;
	uint64_t limit;
	unsigned int all;
	unsigned int proved;
	unsigned int bugs;
	uint64_t elapsed_ns;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* Most are proved at once; that is less than looking for a bug first. */
static struct dax_explore_report explore(
	const struct dax_scenario *scenario, uint64_t limit)
{
	const struct dax_explore_options at_once = {
		.how = DAX_EXPLORE_ALL, .max_executions = AT_ONCE};
	const struct dax_explore_options given_time = {.max_executions = limit};
	struct dax_explore_report report;

	if (dax_explore(scenario, &at_once, &report))
		abort();
	if (report.verdict != DAX_EXPLORE_CLEAN_WITHIN)
		return report;
	if (dax_explore(scenario, &given_time, &report))
		abort();
	return report;
}

static void prove(struct combination *combination, void *context)
{
	struct tally *tally = context;
	char name[128];
	const struct dax_scenario scenario = {
		.name = name,
		.body = combination_body,
		.context = combination,
		.allocs_fail = tally->family->allocs_fail,
		.snapshots = true,
		.interchangeable = combination->interchangeable,
	};
	const uint64_t start_ns = now_ns();
	struct dax_explore_report report;

	combination_name(combination, name, sizeof(name));
	report = explore(&scenario, tally->limit);
	tally->elapsed_ns += now_ns() - start_ns;
	tally->all++;
	tally->proved += report.verdict == DAX_EXPLORE_PROVED;
	if (report.verdict != DAX_EXPLORE_PROVED) {
		printf("%s ", name);
		dax_explore_print(stdout, &report);
	}
	tally->bugs += !dax_explore_passed(&report);
	dax_explore_report_free(&report);
}

int main(int argc, char **argv)
{
	const uint64_t limit = argc > 1 ? strtoull(argv[1], NULL, 0) : 100000;
	unsigned int bugs = 0;

	for (unsigned int i = 0; i < nr_families; i++) {
		struct tally tally = {.family = &families[i], .limit = limit};

		if (argc > 2 && strcmp(argv[2], families[i].name))
			continue;
		family_for_each(&families[i], prove, &tally);
		printf("%s: %u of %u proved, %.1f s of a CPU\n",
			families[i].name, tally.proved, tally.all,
			(double)tally.elapsed_ns / 1e9);
		fflush(stdout);
		bugs += tally.bugs;
	}
	return bugs ? EXIT_FAILURE : EXIT_SUCCESS;
}

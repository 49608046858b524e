/* SPDX-License-Identifier: BSD-3-Clause */
/* daxlock-bench wake: what does it cost to wake many who sleep for one thing?
 */
#include "bench.h"
#include "report.h"
#include "sleepers.h"
#include "wake_case.h"

#include <stdio.h>

#define NR_SUBJECTS 3
#define ROUNDS_MAX  20

struct wake_case {
	const char *curve; /* and the name, before the number of sleepers */
	const char *question;
	const struct wake_subject *subjects[NR_SUBJECTS];
};

static const struct wake_case all_case = {
	.curve = "all",
	.question = "sleepers, woken at once, until the last has run",
	.subjects = {&wake_all_daxlock, &wake_all_condvar, &wake_all_futex},
};

static const struct wake_case chain_case = {
	.curve = "chain",
	.question = "sleepers, each locks and wakes the next, until the last "
		    "has",
	.subjects = {&wake_chain_daxlock, &wake_chain_mutex, &wake_chain_futex},
};

struct wake_bench {
	const struct wake_case *what;
	struct result result;
	char name[16];
	unsigned int sleepers;
	unsigned int rounds;
	void *states[NR_SUBJECTS];
};

static double wake_once(void *context, unsigned int number)
{
	struct wake_bench *bench = context;
	const struct wake_subject *subject = bench->what->subjects[number];
	double samples[ROUNDS_MAX];

	report_progress(&bench->result, subject->name);
	for (unsigned int i = 0; i < bench->rounds; i++) {
		samples[i] = sleepers_round(subject, bench->states[number]);
		if (!(samples[i] > 0))
			report_failure(&bench->result,
				"%s: the sleepers did not fall asleep",
				subject->name);
	}
	return midmean(samples, bench->rounds);
}

static void open_subjects(struct wake_bench *bench)
{
	for (int i = 0; i < NR_SUBJECTS; i++) {
		const struct wake_subject *subject = bench->what->subjects[i];
		struct figure *figure =
			result_add(&bench->result, subject->name, false);

		bench->states[i] = subject->open();
		if (!bench->states[i]) {
			figure_skip(figure, "out of memory");
			report_failure(&bench->result, "%s: out of memory",
				subject->name);
		}
	}
}

static void measure_case(
	struct wake_bench *bench, const struct options *options)
{
	open_subjects(bench);
	sleepers_start(bench->sleepers);
	measure(&bench->result, wake_once, bench);
	sleepers_stop();
	report(options, &bench->result);
	for (int i = 0; i < NR_SUBJECTS; i++)
		if (bench->states[i])
			bench->what->subjects[i]->close(bench->states[i]);
}

static void run_case(const struct wake_case *what, unsigned int sleepers,
	const char *name, const struct options *options,
	const struct machine *machine)
{
	static struct wake_bench bench;

	bench = (struct wake_bench){
		.what = what,
		.sleepers = sleepers,
		.rounds = options->quick ? 3 : ROUNDS_MAX,
		.result =
			{
				.bench = name,
				.name = bench.name,
				.question = what->question,
				.unit = "us",
				.curve = what->curve,
				.x = sleepers,
				.threads = sleepers + 1,
				.reps = options->reps,
			},
	};
	snprintf(
		bench.name, sizeof(bench.name), "%s-%u", what->curve, sleepers);
	if (bench_wants(options, &bench.result, machine))
		measure_case(&bench, options);
}

void wake_all_run(unsigned int sleepers, const char *name,
	const struct options *options, const struct machine *machine)
{
	run_case(&all_case, sleepers, name, options, machine);
}

void wake_chain_run(unsigned int sleepers, const char *name,
	const struct options *options, const struct machine *machine)
{
	run_case(&chain_case, sleepers, name, options, machine);
}

void bench_wake(const struct options *options, const struct machine *machine)
{
	wake_all_run(64, "wake", options, machine);
	wake_chain_run(64, "wake", options, machine);
}

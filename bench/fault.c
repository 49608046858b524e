/* SPDX-License-Identifier: BSD-3-Clause */
/* daxlock-bench fault: what does a page fault cost? */
#include <daxlock.h>
#include <stdio.h>
#include <urcu/urcu-memb.h>

#include "bench.h"
#include "fault_subject.h"
#include "lane.h"
#include "report.h"

static const struct fault_subject *const subjects[] = {
	&fault_daxlock,
	&fault_file_mutex,
	&fault_entry,
};

#define NR_SUBJECTS (sizeof(subjects) / sizeof(*subjects))

/* Of a file: 64 MiB, 32 PMDs. */
#define FILE_PAGES ((uint64_t)1 << 14)

/* What is faulted. */
struct fault_what {
	const char *name;
	const char *question;
	enum fault_kind kind;
	unsigned int order;
	uint64_t chunk;	     /* faults that are timed together */
	unsigned int rounds; /* in a sample; with --quick one */
};

/* A case is one of these in each way of sharing. */
static const struct fault_what whats[] = {
	{
		.name = "pte",
		.question = "store to each page of a dense file",
		.kind = FAULT_STORE,
		.chunk = 256,
		.rounds = 2,
	},
	{
		.name = "pmd",
		.question = "store to each 2 MiB of a dense file",
		.kind = FAULT_STORE,
		.order = DAX_PMD_ORDER,
		.chunk = 8,
		.rounds = 16,
	},
	{
		.name = "pte-zero",
		.question = "load from each page of a hole",
		.kind = FAULT_HOLE,
		.chunk = 256,
		.rounds = 2,
	},
	{
		.name = "pmd-zero",
		.question = "load from each 2 MiB of a hole",
		.kind = FAULT_HOLE,
		.order = DAX_PMD_ORDER,
		.chunk = 8,
		.rounds = 16,
	},
	{
		.name = "pte-mkwrite",
		.question = "store to each page again, after fsync",
		.kind = FAULT_MKWRITE,
		.chunk = 256,
		.rounds = 2,
	},
	{
		.name = "pmd-mkwrite",
		.question = "store to each 2 MiB again, after fsync",
		.kind = FAULT_MKWRITE,
		.order = DAX_PMD_ORDER,
		.chunk = 8,
		.rounds = 16,
	},
};

static const struct fault_sharing {
	const char *name;
	const char *question;
	unsigned int threads;
	unsigned int files;
	unsigned int tables;
} sharings[] = {
	{"1t", "one thread", 1, 1, 1},
	{"2t-files", "2 threads, a file each", 2, 2, 1},
	{"2t-file", "2 threads, half of one file each", 2, 1, 1},
	{"2p-file", "2 processes, half of one file each", 2, 1, 2},
};

struct fault_bench {
	const struct fault_what *what;
	const struct fault_sharing *sharing;
	const struct options *options;
	struct result result;
	char name[32];
	char question[96];
	struct fault_shape shape;
	void *states[NR_SUBJECTS];
	unsigned int rounds;
	unsigned int number; /* of the subject that is measured now */
	const char *wrong;   /* with it; NULL: nothing */
};

/* ---- measuring ---- */

static uint64_t faults_of_file(const struct fault_bench *bench)
{
	return bench->shape.pages >> bench->shape.order;
}

/* Each lane faults in a file of its own, or in its part of the only one. */
static uint64_t faults_of_lane(const struct fault_bench *bench)
{
	return faults_of_file(bench) * bench->shape.files /
	       bench->sharing->threads;
}

/* The first chunk meets cold caches and tables yet to be made: not counted. */
static void fault_all(struct lane *lane, const struct fault_bench *bench)
{
	const struct fault_place place = {
		.table = lane->number % bench->shape.tables,
		.file = lane->number % bench->shape.files,
	};
	const uint64_t nr = faults_of_lane(bench);
	const uint64_t first = bench->shape.files > 1 ? 0 : lane->number * nr;
	const uint64_t chunk = bench->what->chunk;

	for (uint64_t i = 0; i < nr; i += chunk) {
		const uint64_t start = ticks_now();

		subjects[bench->number]->fault(
			bench->states[bench->number], place, first + i, chunk);
		if (i)
			lane_sample(lane, ticks_to_ns(ticks_now() - start) /
						  (double)chunk);
	}
}

/* What is wrong with the faults that were made, or with getting ready for the
 * next; NULL: nothing. */
static const char *check_and_renew(const struct fault_bench *bench)
{
	const struct fault_subject *subject = subjects[bench->number];
	void *state = bench->states[bench->number];

	if (subject->check && !subject->check(state))
		return "the faults were of another kind";
	if (!subject->renew(state))
		return "it cannot be as before again";
	/* What was freed is back with malloc before the next round. */
	urcu_memb_barrier();
	return NULL;
}

/* The lanes stay awake from round to round: the first fault after a sleep
 * costs ten times as much. */
static void fault_on_lane(struct lane *lane, void *context)
{
	struct fault_bench *bench = context;

	lane->nr_samples = 0;
	for (unsigned int i = 0; i < bench->rounds; i++) {
		lane_meet();
		fault_all(lane, bench);
		lane_meet();
		if (lane->number == 0 && !bench->wrong)
			bench->wrong = check_and_renew(bench);
	}
}

/* Of the slower lane. */
static double typical_fault(const struct fault_bench *bench)
{
	double slowest = 0;

	for (unsigned int i = 0; i < bench->sharing->threads; i++) {
		struct lane *lane = lane_of(i);
		const double ns = midmean(lane->samples, lane->nr_samples);

		slowest = ns > slowest ? ns : slowest;
	}
	return slowest;
}

static double fault_once(void *context, unsigned int number)
{
	struct fault_bench *bench = context;

	report_progress(&bench->result, subjects[number]->name);
	bench->number = number;
	lanes_run(bench->sharing->threads, fault_on_lane, bench);
	if (bench->wrong) {
		report_failure(&bench->result, "%s: %s", subjects[number]->name,
			bench->wrong);
		figure_skip(&bench->result.figures[number], "%s", bench->wrong);
		bench->wrong = NULL;
	}
	return typical_fault(bench);
}

/* ---- running the cases ---- */

static void add_subjects(struct fault_bench *bench)
{
	struct memory_budget budget = memory_budget_begin(bench->options);
	const uint64_t pages = bench->shape.files * bench->shape.pages;

	for (unsigned int i = 0; i < NR_SUBJECTS; i++) {
		struct figure *figure = result_add(
			&bench->result, subjects[i]->name, subjects[i]->floor);

		memory_budget_take(&budget,
			subjects[i]->page_bytes * (double)pages, figure);
	}
}

static void open_on_lane(struct lane *lane, void *context)
{
	struct fault_bench *bench = context;

	(void)lane;
	bench->states[bench->number] =
		subjects[bench->number]->open(&bench->shape);
}

static void open_subjects(struct fault_bench *bench)
{
	for (unsigned int i = 0; i < NR_SUBJECTS; i++) {
		struct figure *figure = &bench->result.figures[i];

		if (*figure->skipped)
			continue;
		bench->number = i;
		report_progress(&bench->result, "filling");
		lanes_run(1, open_on_lane, bench);
		if (!bench->states[i]) {
			figure_skip(figure, "out of memory");
			report_failure(&bench->result, "%s: out of memory",
				figure->subject);
		}
	}
}

static void run_case(struct fault_bench *bench)
{
	add_subjects(bench);
	if (bench_gives_up(&bench->result))
		return;
	open_subjects(bench);
	measure(&bench->result, fault_once, bench);
	report(bench->options, &bench->result);
	for (unsigned int i = 0; i < NR_SUBJECTS; i++)
		if (bench->states[i])
			subjects[i]->close(bench->states[i]);
}

static void set_case(struct fault_bench *bench)
{
	const struct fault_what *what = bench->what;
	const struct fault_sharing *sharing = bench->sharing;

	bench->rounds = bench->options->quick ? 1 : what->rounds;
	snprintf(bench->name, sizeof(bench->name), "%s-%s", sharing->name,
		what->name);
	snprintf(bench->question, sizeof(bench->question), "%s; %s",
		what->question, sharing->question);
	bench->shape = (struct fault_shape){
		.kind = what->kind,
		.order = what->order,
		.pages = FILE_PAGES,
		.files = sharing->files,
		.tables = sharing->tables,
	};
	bench->result = (struct result){
		.bench = "fault",
		.name = bench->name,
		.question = bench->question,
		.unit = "ns/op",
		.threads = sharing->threads,
		.reps = bench->options->reps,
	};
}

#define NR_WHATS    (sizeof(whats) / sizeof(*whats))
#define NR_SHARINGS (sizeof(sharings) / sizeof(*sharings))

void bench_fault(const struct options *options, const struct machine *machine)
{
	for (unsigned int i = 0; i < NR_WHATS * NR_SHARINGS; i++) {
		static struct fault_bench bench;

		bench = (struct fault_bench){
			.what = &whats[i % NR_WHATS],
			.sharing = &sharings[i / NR_WHATS],
			.options = options,
		};
		set_case(&bench);
		if (bench_wants(options, &bench.result, machine))
			run_case(&bench);
	}
}

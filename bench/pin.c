/* SPDX-License-Identifier: BSD-3-Clause */
/* daxlock-bench pin: what does it cost to hold a page, and to let it go? */
#include "bench.h"
#include "pin_subject.h"
#include "report.h"

static const struct pin_subject *const subjects[] = {
	&pin_daxlock,
	&pin_not_zero,
	&pin_named,
	&pin_refcount,
};

#define NR_SUBJECTS (sizeof(subjects) / sizeof(*subjects))

#define PTE_ORDER   0
#define PMD_ORDER   9
#define GIB	    18 /* bits of the number of pages */

struct pin_case {
	const char *name;
	const char *question;
	unsigned int threads;
	struct pin_shape shape;
	unsigned int lane_page_bits; /* that a lane pins in */
	uint64_t lane_offset;	     /* of lane 1's pages to lane 0's */
	enum window_count count;
};

static const struct pin_case cases[] = {
	{
		.name = "1t-4k",
		.question = "pin and unpin any of 262,144 pages",
		.threads = 1,
		.shape = {GIB, PTE_ORDER},
		.lane_page_bits = GIB,
	},
	{
		.name = "1t-2m",
		.question = "the same, of pages of 512 PMD entries",
		.threads = 1,
		.shape = {GIB, PMD_ORDER},
		.lane_page_bits = GIB,
	},
	{
		.name = "2t-4k",
		.question = "two threads, each in its half of 262,144 pages; "
			    "time of a thread's",
		.threads = 2,
		.shape = {GIB, PTE_ORDER},
		.lane_page_bits = GIB - 1,
		.lane_offset = 1 << (GIB - 1),
	},
	{
		.name = "2t-2m-one",
		.question = "two threads pin pages of one PMD entry; time of "
			    "any's",
		.threads = 2,
		.shape = {PMD_ORDER, PMD_ORDER},
		.lane_page_bits = PMD_ORDER,
		.count = WINDOW_ALL,
	},
};

struct pin_bench {
	const struct pin_case *what;
	struct result result;
	struct pin_load load;
	void *states[NR_SUBJECTS];
	unsigned int subject; /* measured now */
};

static void run_loop(struct lane *lane, void *context)
{
	struct pin_bench *bench = context;

	subjects[bench->subject]->churn(
		lane, &bench->load, bench->states[bench->subject]);
}

/* The slower thread's, unless each counts for all. */
static double pin_once(void *context, unsigned int number)
{
	struct pin_bench *bench = context;
	const struct pin_case *what = bench->what;
	const unsigned int lanes =
		what->count == WINDOW_ALL ? 1 : what->threads;
	double slowest = 0;

	report_progress(&bench->result, subjects[number]->name);
	bench->subject = number;
	lanes_run(what->threads, run_loop, bench);
	if (what->threads > 1)
		bench->result.figures[number].fairness =
			lanes_fairness(what->threads);
	for (unsigned int i = 0; i < lanes; i++) {
		struct lane *lane = lane_of(i);
		const double typical = midmean(lane->samples, lane->nr_samples);

		slowest = typical > slowest ? typical : slowest;
	}
	return slowest;
}

static void set_load(struct pin_bench *bench, const struct options *options)
{
	const struct pin_case *what = bench->what;

	bench->load = (struct pin_load){
		.run =
			{
				.run_ns = options->quick ? 8e6 : 60e6,
				.window_ns =
					what->count == WINDOW_ALL ? 1e6 : 2e5,
				.count = what->count,
			},
		.page_bits = what->lane_page_bits,
		.lane_offset = what->lane_offset,
	};
}

static void open_subjects(
	struct pin_bench *bench, const struct options *options)
{
	struct memory_budget budget = memory_budget_begin(options);
	const double nr = (double)((uint64_t)1 << bench->what->shape.bits);

	for (unsigned int i = 0; i < NR_SUBJECTS; i++) {
		struct figure *figure = result_add(
			&bench->result, subjects[i]->name, subjects[i]->floor);

		if (!memory_budget_take(
			    &budget, subjects[i]->page_bytes * nr, figure))
			continue;
		bench->states[i] = subjects[i]->open(&bench->what->shape);
		if (!bench->states[i]) {
			figure_skip(figure, "out of memory");
			report_failure(&bench->result, "%s: out of memory",
				figure->subject);
		}
	}
}

static void close_subjects(struct pin_bench *bench)
{
	for (unsigned int i = 0; i < NR_SUBJECTS; i++) {
		if (!bench->states[i])
			continue;
		if (subjects[i]->unmap)
			subjects[i]->unmap(
				bench->states[i], &bench->what->shape);
		subjects[i]->close(bench->states[i]);
	}
}

static void run_case(struct pin_bench *bench, const struct options *options)
{
	set_load(bench, options);
	open_subjects(bench, options);
	if (!bench_gives_up(&bench->result)) {
		measure(&bench->result, pin_once, bench);
		report(options, &bench->result);
	}
	close_subjects(bench);
}

void bench_pin(const struct options *options, const struct machine *machine)
{
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		static struct pin_bench bench;

		bench = (struct pin_bench){
			.what = &cases[i],
			.result =
				{
					.bench = "pin",
					.name = cases[i].name,
					.question = cases[i].question,
					.unit = "ns/op",
					.threads = cases[i].threads,
					.reps = options->reps,
				},
		};
		if (bench_wants(options, &bench.result, machine))
			run_case(&bench, options);
	}
}

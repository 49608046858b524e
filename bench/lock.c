/* SPDX-License-Identifier: BSD-3-Clause */
/* daxlock-bench lock: what does it cost to lock a page, and to wait for one? */
#include "bench.h"
#include "lock_case.h"
#include "lock_subject.h"
#include "report.h"

static const struct lock_subject *const subjects[] = {
	&lock_daxlock,
	&lock_striped_mutex,
	&lock_flat_futex,
	&lock_rculfhash,
	&lock_cas_xchg,
};

#define NR_SUBJECTS (sizeof(subjects) / sizeof(*subjects))

#define PMD_ORDER   9
#define MIB4	    10
#define GIB	    18

static const struct lock_case cases[] = {
	{
		.name = "1t-4MiB-random",
		.question = "lock and unlock any of 1024 pages",
		.threads = 1,
		.entry_bits = MIB4,
		.lane_page_bits = MIB4,
	},
	{
		.name = "1t-1GiB-random",
		.question = "lock and unlock any of 262,144 pages",
		.threads = 1,
		.entry_bits = GIB,
		.lane_page_bits = GIB,
	},
	{
		.name = "1t-64GiB-random",
		.question = "lock and unlock any of 16.7 M pages",
		.threads = 1,
		.entry_bits = GIB + 6,
		.lane_page_bits = GIB + 6,
	},
	{
		.name = "2t-1GiB-random",
		.question = "two threads, each in its half of the file; "
			    "time of a thread's",
		.threads = 2,
		.entry_bits = GIB,
		.lane_page_bits = GIB - 1,
		.lane_offset = 1 << (GIB - 1),
	},
	{
		.name = "2t-2GiB-random",
		.question = "the same, with as much memory a thread as "
			    "1t-1GiB-random",
		.threads = 2,
		.entry_bits = GIB + 1,
		.lane_page_bits = GIB,
		.lane_offset = 1 << GIB,
	},
	{
		.name = "2t-pmd",
		.question = "two threads want one PMD entry all the time; "
			    "time of any's",
		.threads = 2,
		.order = PMD_ORDER,
		.lane_page_bits = PMD_ORDER,
		.count = WINDOW_ALL,
	},
	{
		.name = "2t-100ns-100ns",
		.question = "two threads, 100 ns with the entry, 100 ns "
			    "without; time of any's",
		.threads = 2,
		.order = PMD_ORDER,
		.lane_page_bits = PMD_ORDER,
		.count = WINDOW_ALL,
		.inside_ns = 100,
		.outside_ns = 100,
	},
	{
		.name = "handoff-500ns",
		.question = "from unlocking to the lock of who came 0.5 us "
			    "before",
		.threads = 2,
		.order = PMD_ORDER,
		.lane_page_bits = PMD_ORDER,
		.wait_ns = 500,
	},
};

struct lock_bench {
	const struct lock_case *what;
	struct result result;
	struct lock_load load;
	struct lock_meeting meeting;
	void *states[NR_SUBJECTS];
	bool crowded;	      /* more threads than CPUs */
	unsigned int subject; /* measured now */
	lock_loop *loop;
};

static bool hands_off(const struct lock_case *what)
{
	return what->wait_ns > 0;
}

static void run_loop(struct lane *lane, void *context)
{
	struct lock_bench *bench = context;

	bench->loop(lane, &bench->load, bench->states[bench->subject]);
}

/* The lanes whose samples count: only one of them waits for a hand-off, or
 * counts the operations of all. The slower one's figure is the figure. */
static double samples_figure(
	const struct lock_bench *bench, double (*figure_of)(struct lane *lane))
{
	const struct lock_case *what = bench->what;
	const unsigned int first = hands_off(what) ? 1 : 0;
	const unsigned int end = what->count == WINDOW_ALL ? 1 : what->threads;
	double slowest = 0;

	for (unsigned int i = first; i < end; i++) {
		const double figure = figure_of(lane_of(i));

		slowest = figure > slowest ? figure : slowest;
	}
	return slowest;
}

static double typical(struct lane *lane)
{
	return midmean(lane->samples, lane->nr_samples);
}

static void run_on_lanes(
	struct lock_bench *bench, unsigned int number, lock_loop *loop)
{
	bench->subject = number;
	bench->loop =
		hands_off(bench->what) ? subjects[number]->hand_off : loop;
	bench->meeting = (struct lock_meeting){0};
	lanes_run(bench->what->threads, run_loop, bench);
}

static double lock_once_measured(void *context, unsigned int number)
{
	struct lock_bench *bench = context;

	report_progress(&bench->result, subjects[number]->name);
	run_on_lanes(bench, number, subjects[number]->churn);
	if (bench->what->threads > 1 && !hands_off(bench->what))
		bench->result.figures[number].fairness =
			lanes_fairness(bench->what->threads);
	return samples_figure(bench, typical);
}

/* Of all lanes that timed any. */
static void note_singles(struct lock_bench *bench, struct figure *figure)
{
	struct histogram all = {0};
	uint64_t passed = 0;

	for (unsigned int i = 0; i < bench->what->threads; i++) {
		const struct lane *lane = lane_of(i);

		histogram_merge(&all, &lane->singles);
		passed = lane->passed > passed ? lane->passed : passed;
	}
	figure->p50 = histogram_percentile(&all, 50);
	figure->p99 = histogram_percentile(&all, 99);
	figure->p999 = histogram_percentile(&all, 99.9);
	figure->passed = (double)passed;
}

/* What one operation takes at worst: timed singly, the clock's time included.
 * Hand-offs are all timed singly anyway. */
static void look_at_singles(struct lock_bench *bench)
{
	for (unsigned int i = 0; i < bench->result.nr_figures; i++) {
		struct figure *figure = &bench->result.figures[i];

		if (*figure->skipped)
			continue;
		run_on_lanes(bench, i, subjects[i]->singly);
		note_singles(bench, figure);
	}
}

/* In a crowd each thread is to have had its turn of some milliseconds. */
static double run_ns(
	const struct lock_bench *bench, const struct options *options)
{
	if (bench->crowded)
		return options->quick ? 40e6 : 300e6;
	return options->quick ? 8e6 : 60e6;
}

static double window_ns(const struct lock_bench *bench)
{
	if (bench->crowded)
		return 10e6;
	return bench->what->count == WINDOW_ALL ? 1e6 : 2e5;
}

/* A hand-off to a thread that has no CPU takes as long as it waits for one. */
static unsigned int singles(
	const struct lock_case *what, const struct options *options)
{
	if (!options->quick)
		return 8000;
	return hands_off(what) ? 500 : 2000;
}

static void set_load(struct lock_bench *bench, const struct options *options)
{
	const struct lock_case *what = bench->what;
	const bool contended = what->count == WINDOW_ALL;

	bench->load = (struct lock_load){
		.run =
			{
				.run_ns = run_ns(bench, options),
				.window_ns = window_ns(bench),
				.count = what->count,
			},
		.page_bits = what->lane_page_bits,
		.lane_offset = what->lane_offset,
		.batch = contended ? 16 : 256,
		.turns_inside = work_turns(what->inside_ns),
		.turns_outside = work_turns(what->outside_ns),
		.singles = singles(what, options),
		.one_lock = contended && !what->lane_offset,
		.wait_ticks = ticks_from_ns(what->wait_ns),
		.meeting = &bench->meeting,
	};
}

static void add_subjects(
	struct lock_bench *bench, const struct options *options)
{
	struct memory_budget budget = memory_budget_begin(options);
	const uint64_t nr = (uint64_t)1 << bench->what->entry_bits;
	const unsigned int nr_subjects = bench->what->nr_subjects
						 ? bench->what->nr_subjects
						 : NR_SUBJECTS;

	for (unsigned int i = 0; i < nr_subjects; i++) {
		const struct lock_subject *subject = subjects[i];
		struct figure *figure = result_add(
			&bench->result, subject->name, subject->floor);

		memory_budget_take(
			&budget, subject->entry_bytes * (double)nr, figure);
	}
}

static void open_subjects(struct lock_bench *bench)
{
	const struct lock_case *what = bench->what;
	const struct lock_shape shape = {what->entry_bits, what->order};

	for (unsigned int i = 0; i < bench->result.nr_figures; i++) {
		struct figure *figure = &bench->result.figures[i];

		if (*figure->skipped)
			continue;
		report_progress(&bench->result, "filling");
		bench->states[i] = subjects[i]->open(&shape);
		if (!bench->states[i]) {
			figure_skip(figure, "out of memory");
			report_failure(&bench->result, "%s: out of memory",
				figure->subject);
		}
	}
}

static void measure_case(
	struct lock_bench *bench, const struct options *options)
{
	set_load(bench, options);
	add_subjects(bench, options);
	if (bench_gives_up(&bench->result))
		return;
	open_subjects(bench);
	measure(&bench->result, lock_once_measured, bench);
	look_at_singles(bench);
	report(options, &bench->result);
	for (unsigned int i = 0; i < bench->result.nr_figures; i++)
		if (bench->states[i])
			subjects[i]->close(bench->states[i]);
}

void lock_case_run(const struct lock_case *what, const char *name,
	const struct options *options, const struct machine *machine)
{
	static struct lock_bench bench;

	bench = (struct lock_bench){
		.what = what,
		.crowded = what->threads > machine->cpus,
		.result =
			{
				.bench = name,
				.name = what->name,
				.question = what->question,
				.unit = "ns/op",
				.curve = what->curve,
				.x = what->x,
				.threads = what->threads,
				.reps = options->reps,
			},
	};
	if (bench_wants(options, &bench.result, machine))
		measure_case(&bench, options);
}

void bench_lock(const struct options *options, const struct machine *machine)
{
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		lock_case_run(&cases[i], "lock", options, machine);
}

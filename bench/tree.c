/* SPDX-License-Identifier: BSD-3-Clause */
/* daxlock-bench tree: what does it cost to keep a word for each page? */
#include <urcu/urcu-memb.h>

#include "bench.h"
#include "report.h"
#include "tree_measure.h"

static const struct tree_subject *const subjects[TREE_SUBJECTS] = {
	&tree_daxlock,
	&tree_flat_array,
	&tree_rculfhash,
	&tree_bitmap,
};

#define PMD_ORDER 9
#define GIB	  18

static tree_steps_fn *steps_insert(const struct tree_subject *subject)
{
	return subject->insert;
}

static tree_steps_fn *steps_fault(const struct tree_subject *subject)
{
	return subject->fault;
}

static tree_steps_fn *steps_erase(const struct tree_subject *subject)
{
	return subject->erase;
}

/* ---- the cases ---- */

static const struct tree_case cases[] = {
	{
		.name = "lookup-1GiB",
		.question = "the word of any of 262,144 pages, not locked",
		.unit = "ns/op",
		.bits = GIB,
		.measure = measure_lookups,
		.filled = FILLED_ALWAYS,
	},
	{
		.name = "lookup-64GiB",
		.question = "the word of any of 16.7 M pages, not locked",
		.unit = "ns/op",
		.bits = GIB + 6,
		.measure = measure_lookups,
		.filled = FILLED_ALWAYS,
	},
	{
		.name = "insert-dense",
		.question = "dax_tree_insert() of page after page",
		.unit = "ns/op",
		.bits = GIB,
		.measure = measure_steps,
		.steps = steps_insert,
		.filled = FILLED_NOT,
	},
	{
		.name = "insert-pmd",
		.question = "dax_tree_insert() of PMD after PMD",
		.unit = "ns/op",
		.bits = GIB,
		.order = PMD_ORDER,
		.measure = measure_steps,
		.steps = steps_insert,
		.filled = FILLED_NOT,
	},
	{
		.name = "fault-dense",
		.question = "grab nothing, insert, unlock; page after page",
		.unit = "ns/op",
		.bits = GIB,
		.measure = measure_steps,
		.steps = steps_fault,
		.filled = FILLED_NOT,
	},
	{
		.name = "fault-pmd",
		.question = "grab nothing, insert, unlock; PMD after PMD",
		.unit = "ns/op",
		.bits = GIB,
		.order = PMD_ORDER,
		.measure = measure_steps,
		.steps = steps_fault,
		.filled = FILLED_NOT,
	},
	{
		.name = "erase-dense",
		.question = "dax_delete_mapping_entry() of page after page",
		.unit = "ns/op",
		.bits = GIB,
		.measure = measure_steps,
		.steps = steps_erase,
		.filled = FILLED_ANEW,
	},
	{
		.name = "erase-pmd",
		.question = "dax_delete_mapping_entry() of PMD after PMD",
		.unit = "ns/op",
		.bits = GIB,
		.order = PMD_ORDER,
		.measure = measure_steps,
		.steps = steps_erase,
		.filled = FILLED_ANEW,
	},
	{
		.name = "mark-set",
		.question = "mark 1 page in 1,000 of 1 M dirty, in no order",
		.unit = "ns/op",
		.bits = GIB + 2,
		.measure = measure_mark_set,
		.filled = FILLED_ALWAYS,
	},
	{
		.name = "mark-scan",
		.question = "visit all the 1,000 dirty pages of 1 M",
		.unit = "us",
		.bits = GIB + 2,
		.measure = measure_mark_scan,
		.filled = FILLED_ALWAYS,
	},
	{
		.name = "bytes-dense",
		.question = "memory for an entry of 4 KiB",
		.unit = "bytes/entry",
		.bits = GIB,
		.measure = measure_bytes,
		.filled = FILLED_INSIDE,
		.stride = 1,
	},
	{
		.name = "bytes-sparse",
		.question = "the same, one entry of 4 KiB in each 2 MiB",
		.unit = "bytes/entry",
		.bits = GIB + 2,
		.measure = measure_bytes,
		.filled = FILLED_INSIDE,
		.stride = 1 << PMD_ORDER,
	},
	{
		.name = "bytes-pmd",
		.question = "the same, an entry of 2 MiB",
		.unit = "bytes/entry",
		.bits = GIB,
		.order = PMD_ORDER,
		.measure = measure_bytes,
		.filled = FILLED_INSIDE,
		.stride = 1,
	},
	{
		.name = "churn",
		.question = "most memory that waits for grace periods while an "
			    "entry comes and goes",
		.unit = "MiB",
		.bits = 9,
		.measure = measure_churn,
		.filled = FILLED_NOT,
	},
};

/* ---- running them ---- */

static bool can(
	const struct tree_bench *bench, const struct tree_subject *subject)
{
	const struct tree_case *what = bench->what;

	if (what->steps)
		return what->steps(subject);
	if (what->measure == measure_bytes)
		return subject->counts_bytes;
	if (what->measure == measure_churn)
		return subject->defers;
	if (what->measure == measure_lookups)
		return subject->lookup;
	return subject->mark;
}

static void sample_on_lane(struct lane *lane, void *context)
{
	struct tree_bench *bench = context;

	(void)lane;
	bench->sample = bench->what->measure(bench);
}

/* Opened and filled on the lane that measures: memory is where it was used. */
static void open_on_lane(struct lane *lane, void *context)
{
	struct tree_bench *bench = context;

	(void)lane;
	bench->state = bench->subject->open(&bench->shape);
	if (bench->state && bench->what->filled != FILLED_NOT)
		tree_subject_fill(
			bench->subject, bench->state, tree_entries(bench), 1);
}

/* What earlier cases freed is back with malloc before anything is measured. */
static void settle(void)
{
	urcu_memb_barrier();
}

static double tree_once(void *context, unsigned int figure)
{
	struct tree_bench *bench = context;
	const unsigned int number = bench->numbers[figure];
	const enum filled filled = bench->what->filled;

	report_progress(&bench->result, subjects[number]->name);
	bench->subject = subjects[number];
	bench->state = bench->states[number];
	bench->sample = 0;
	settle();
	if (filled == FILLED_ANEW || filled == FILLED_NOT)
		lanes_run(1, open_on_lane, bench);
	if (bench->state || filled == FILLED_INSIDE)
		lanes_run(1, sample_on_lane, bench);
	if (bench->state && filled != FILLED_ALWAYS)
		bench->subject->close(bench->state);
	if (!(bench->sample > 0))
		report_failure(&bench->result,
			"%s: out of memory, or memory that is not malloc's",
			subjects[number]->name);
	return bench->sample;
}

static bool counts_memory(const struct tree_case *what)
{
	return what->measure == measure_bytes || what->measure == measure_churn;
}

/* Is there memory for it, and can what is asked be known? If not, says why. */
static void admit(const struct tree_bench *bench,
	const struct tree_subject *subject, struct figure *figure,
	struct memory_budget *budget)
{
	const double bytes = subject->entry_bytes * (double)tree_entries(bench);

	if (counts_memory(bench->what) && !malloc_counts())
		figure_skip(figure, "this malloc does not count");
	else
		memory_budget_take(budget, bytes, figure);
}

static void add_subjects(struct tree_bench *bench)
{
	struct memory_budget budget = memory_budget_begin(bench->options);

	for (unsigned int i = 0; i < TREE_SUBJECTS; i++)
		if (can(bench, subjects[i])) {
			struct figure *figure = result_add(
				&bench->result, subjects[i]->name, false);

			bench->numbers[bench->result.nr_figures - 1] = i;
			admit(bench, subjects[i], figure, &budget);
		}
}

static void open_subjects(struct tree_bench *bench)
{
	for (unsigned int i = 0; i < bench->result.nr_figures; i++) {
		const unsigned int number = bench->numbers[i];

		if (*bench->result.figures[i].skipped)
			continue;
		report_progress(&bench->result, "filling");
		bench->subject = subjects[number];
		lanes_run(1, open_on_lane, bench);
		bench->states[number] = bench->state;
	}
}

static void run_case(struct tree_bench *bench)
{
	add_subjects(bench);
	if (bench_gives_up(&bench->result))
		return;
	if (bench->what->filled == FILLED_ALWAYS)
		open_subjects(bench);
	measure(&bench->result, tree_once, bench);
	report(bench->options, &bench->result);
	for (unsigned int i = 0; i < TREE_SUBJECTS; i++)
		if (bench->states[i])
			subjects[i]->close(bench->states[i]);
}

/* A quarter will do for a rough figure, where the size is not the point. */
static unsigned int bits_of(
	const struct tree_case *what, const struct options *options)
{
	return options->quick && what->steps ? what->bits - 2 : what->bits;
}

void bench_tree(const struct options *options, const struct machine *machine)
{
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		static struct tree_bench bench;

		bench = (struct tree_bench){
			.what = &cases[i],
			.options = options,
			.shape = {bits_of(&cases[i], options), cases[i].order},
			.result =
				{
					.bench = "tree",
					.name = cases[i].name,
					.question = cases[i].question,
					.unit = cases[i].unit,
					.threads = 1,
					.reps = options->reps,
				},
		};
		if (!bench_wants(options, &bench.result, machine))
			continue;
		run_case(&bench);
	}
}

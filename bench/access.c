/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * daxlock-bench access: what do 2 MiB page table entries gain? The job which
 * the kernel patch for PMD entries was measured with in 2016: random reads and
 * writes of 4 KiB, half and half, through a fresh map of 1 GiB, until each page
 * was touched.
 *
 * A row counts only if the page tables were as it says after each pass, and the
 * faults as many: see fault_around.h for what a memory file needs to be faulted
 * in page by page, as a DAX file is. The other rows show what that is worth:
 * without it (fault_around), with stores alone, which take a fault a page
 * without any help (stores_only), without faults (populated).
 */
#include <stdio.h>
#include <string.h>

#include "access_pass.h"
#include "bench.h"
#include "report.h"

#define FILE_BYTES  ((uint64_t)1 << 30)
#define QUICK_BYTES ((uint64_t)1 << 26)

enum way_number {
	PTE,
	PTE_STORES,
	PTE_AROUND,
	PTE_POPULATED,
	PMD,
	PMD_POPULATED,
	CALLS,
	NR_WAYS,
};

static const struct access_way ways[NR_WAYS] = {
	[PTE] =
		{
			.map = DAX_MAP_PTE,
			.no_fault_around = true,
			.faults = FAULTS_EACH_LEAF,
		},
	/* A store takes a fault of its own anyway: no userfaultfd here. */
	[PTE_STORES] =
		{
			.map = DAX_MAP_PTE,
			.touch = TOUCH_STORES,
			.faults = FAULTS_EACH_LEAF,
		},
	[PTE_AROUND] =
		{
			.map = DAX_MAP_PTE,
		},
	[PTE_POPULATED] =
		{
			.map = DAX_MAP_PTE,
			.populate = true,
			.faults = FAULTS_NONE,
		},
	[PMD] =
		{
			.map = DAX_MAP_PMD,
			.faults = FAULTS_EACH_LEAF,
		},
	[PMD_POPULATED] =
		{
			.map = DAX_MAP_PMD,
			.populate = true,
			.faults = FAULTS_NONE,
		},
	[CALLS] =
		{
			.touch = TOUCH_SYSCALLS,
		},
};

struct access_row {
	const char *subject;
	enum way_number way;
	bool floor; /* does less, or something else, than the job */
};

#define ROWS_MAX 5

static const struct access_case {
	const char *name;
	const char *question;
	struct access_row rows[ROWS_MAX];
} cases[] = {
	{
		.name = "pte",
		.question = "4K entries, a fault a page (2016: 557,610 KB/s)",
		.rows =
			{
				{"daxlock", PTE, false},
				{"pread_pwrite", CALLS, false},
				{"stores_only", PTE_STORES, true},
				{"fault_around", PTE_AROUND, true},
				{"populated", PTE_POPULATED, true},
			},
	},
	{
		.name = "pmd",
		.question = "2M entries, a fault each (2016: 1,406,700 KB/s)",
		.rows =
			{
				{"daxlock", PMD, false},
				{"pread_pwrite", CALLS, false},
				{"populated", PMD_POPULATED, true},
			},
	},
};

static const struct access_ratio {
	const char *subject;
	enum way_number pmd;
	enum way_number pte;
} ratios[] = {
	{"daxlock", PMD, PTE},
	{"fault_around", PMD, PTE_AROUND},
	{"populated", PMD_POPULATED, PTE_POPULATED},
};

struct access_bench {
	const struct options *options;
	const struct machine *machine;
	struct access_file file;
	uint64_t len;
	int error;
	struct access_pass pass; /* the last */
	struct result all;	 /* a figure a way */
	struct result result;	 /* what is reported */
};

/* ---- measuring ---- */

static void open_on_lane(struct lane *lane, void *context)
{
	struct access_bench *bench = context;

	bench->error = access_file_open(
		&bench->file, lane, bench->options->dir, bench->len);
}

struct access_run {
	struct access_bench *bench;
	const struct access_way *way;
};

static void run_on_lane(struct lane *lane, void *context)
{
	const struct access_run *run = context;

	(void)lane;
	access_pass_run(&run->bench->file, run->way, &run->bench->pass);
}

static void note(struct figure *figure, const struct access_pass *pass)
{
	if (!pass->report.len)
		return;
	figure_note(figure, "%llu faults; at 2M %d MiB, at 4K %d MiB (%s)",
		(unsigned long long)pass->faults,
		(int)(pass->report.pmd_bytes >> 20),
		(int)(pass->report.pte_bytes >> 20),
		dax_evidence_name(pass->report.evidence));
}

/* A pass that was not what it is said to be has no figure at all. */
static double access_once(void *context, unsigned int number)
{
	struct access_bench *bench = context;
	struct figure *figure = &bench->all.figures[number];
	struct access_run run = {bench, &ways[number]};

	report_progress(&bench->all, "touching");
	lanes_run(1, run_on_lane, &run);
	if (*bench->pass.wrong)
		figure_skip(figure, "%s", bench->pass.wrong);
	note(figure, &bench->pass);
	return bench->pass.kb_per_s;
}

/* ---- reporting ---- */

static void begin_result(
	struct access_bench *bench, const char *name, const char *question)
{
	bench->result = (struct result){
		.bench = "access",
		.name = name,
		.question = question,
		.unit = "KB/s",
		.better = MORE_IS_BETTER,
		.threads = 1,
		.reps = bench->options->reps,
	};
}

static bool wanted(struct access_bench *bench)
{
	return bench_wants(bench->options, &bench->result, bench->machine);
}

static void report_case(
	struct access_bench *bench, const struct access_case *what)
{
	begin_result(bench, what->name, what->question);
	if (!wanted(bench))
		return;
	for (unsigned int i = 0; i < ROWS_MAX && what->rows[i].subject; i++) {
		const struct access_row *row = &what->rows[i];
		struct figure *figure =
			result_add(&bench->result, row->subject, row->floor);

		*figure = bench->all.figures[row->way];
		figure->subject = row->subject;
		figure->floor = row->floor;
	}
	report(bench->options, &bench->result);
}

static void add_ratio(
	struct access_bench *bench, const struct access_ratio *ratio)
{
	const struct figure *pmd = &bench->all.figures[ratio->pmd];
	const struct figure *pte = &bench->all.figures[ratio->pte];
	/* A floor, all of them: no ratio is to be made of ratios. */
	struct figure *figure =
		result_add(&bench->result, ratio->subject, true);

	if (*pmd->skipped)
		figure_skip(figure, "2M: %s", pmd->skipped);
	else if (*pte->skipped)
		figure_skip(figure, "4K: %s", pte->skipped);
	else
		for (unsigned int i = 0; i < bench->result.reps; i++)
			figure->samples[i] = pmd->samples[i] / pte->samples[i];
}

static void report_ratios(struct access_bench *bench)
{
	begin_result(bench, "ratio",
		"2M by 4K entries (2016: 1,406,700 : 557,610 = 2.52)");
	bench->result.unit = "PMD:PTE";
	if (!wanted(bench))
		return;
	for (unsigned int i = 0; i < sizeof(ratios) / sizeof(*ratios); i++)
		add_ratio(bench, &ratios[i]);
	report(bench->options, &bench->result);
}

/* ---- running it ---- */

static bool any_wanted(struct access_bench *bench)
{
	static const char *const names[] = {"pte", "pmd", "ratio"};
	bool any = false;

	for (unsigned int i = 0; i < sizeof(names) / sizeof(*names); i++) {
		begin_result(bench, names[i], "");
		any = any || wanted(bench);
	}
	return any;
}

/* False: there is none; says why. */
static bool open_file(struct access_bench *bench)
{
	struct memory_budget budget = memory_budget_begin(bench->options);

	memory_budget_take(&budget, (double)bench->len, &bench->all.figures[0]);
	if (bench_gives_up(&bench->all))
		return false;
	lanes_run(1, open_on_lane, bench);
	if (bench->error)
		report_failure(&bench->all, "making the file: %s",
			strerror(-bench->error));
	return !bench->error;
}

static void add_ways(struct access_bench *bench)
{
	bench->all = (struct result){
		.bench = "access",
		.name = "pte, pmd, ratio",
		.reps = bench->options->reps,
	};
	for (unsigned int i = 0; i < NR_WAYS; i++)
		result_add(&bench->all, "", false);
}

void bench_access(const struct options *options, const struct machine *machine)
{
	static struct access_bench bench;

	bench = (struct access_bench){
		.options = options,
		.machine = machine,
		.len = options->quick ? QUICK_BYTES : FILE_BYTES,
	};
	add_ways(&bench);
	if (!any_wanted(&bench) || !open_file(&bench))
		return;
	measure(&bench.all, access_once, &bench);
	access_file_close(&bench.file);
	for (unsigned int i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		report_case(&bench, &cases[i]);
	report_ratios(&bench);
}

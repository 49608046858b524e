/* SPDX-License-Identifier: BSD-3-Clause */
#include "tree_measure.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "report.h"

/* Entries that are timed together: eight nodes' worth. */
#define CHUNK 4096

/* One entry in MARKED_EVERY is dirty. */
#define MARKED_EVERY 1000
#define MARKED	     1000

uint64_t tree_entries(const struct tree_bench *bench)
{
	return (uint64_t)1 << bench->shape.bits;
}

/* As faults do it, where a subject knows them. A bitmap has nothing to fill. */
void tree_subject_fill(const struct tree_subject *subject, void *state,
	uint64_t nr, uint64_t stride)
{
	tree_steps_fn *steps =
		subject->fault ? subject->fault : subject->insert;

	if (!steps)
		return;
	if (stride == 1)
		steps(state, 0, nr);
	else
		for (uint64_t i = 0; i < nr; i += stride)
			steps(state, i, 1);
}

double measure_lookups(struct tree_bench *bench)
{
	struct lane *lane = lane_of(0);
	const struct tree_load load = {
		.run =
			{
				.run_ns = bench->options->quick ? 8e6 : 60e6,
				.window_ns = 2e5,
			},
		.page_bits = bench->shape.bits + bench->shape.order,
	};

	bench->subject->lookup(lane, &load, bench->state);
	return midmean(lane->samples, lane->nr_samples);
}

/* Chunk by chunk. */
double measure_steps(struct tree_bench *bench)
{
	tree_steps_fn *steps = bench->what->steps(bench->subject);
	struct lane *lane = lane_of(0);

	lane->nr_samples = 0;
	for (uint64_t i = 0; i < tree_entries(bench); i += CHUNK) {
		const uint64_t start = ticks_now();

		steps(bench->state, i, CHUNK);
		lane_sample(lane, ticks_to_ns(ticks_now() - start) / CHUNK);
	}
	return midmean(lane->samples, lane->nr_samples);
}

/* The i-th entry to be marked: in no order, evenly spread, others each round:
 * writeback does not come back to what is still in the cache. */
static uint64_t marked_entry(const struct tree_bench *bench, uint64_t i)
{
	return (i * 381 % MARKED) * MARKED_EVERY +
	       (i * 617 + bench->round * 97) % MARKED_EVERY;
}

static double set_marks(struct tree_bench *bench)
{
	const uint64_t start = ticks_now();

	for (uint64_t i = 0; i < MARKED; i++)
		bench->subject->mark(bench->state, marked_entry(bench, i));
	return ticks_to_ns(ticks_now() - start) / MARKED;
}

static double scan_marks(struct tree_bench *bench)
{
	const uint64_t start = ticks_now();
	const uint64_t found = bench->subject->scan(bench->state);
	const double us = ticks_to_ns(ticks_now() - start) / 1000;

	if (found != MARKED)
		report_failure(&bench->result, "%s found %d of %d",
			bench->subject->name, (int)found, MARKED);
	return us;
}

static void clear_marks(struct tree_bench *bench)
{
	for (uint64_t i = 0; i < MARKED; i++)
		bench->subject->unmark(bench->state, marked_entry(bench, i));
}

/* Rounds of @timed, which comes when the marks are set or, being
 * set_marks() itself, sets them. */
static double measure_marks(
	struct tree_bench *bench, double (*timed)(struct tree_bench *bench))
{
	struct lane *lane = lane_of(0);

	lane->nr_samples = 0;
	for (int i = 0; i < 15; i++) {
		double sample = set_marks(bench);

		if (timed != set_marks)
			sample = timed(bench);
		lane_sample(lane, sample);
		clear_marks(bench);
		bench->round++;
	}
	return midmean(lane->samples, lane->nr_samples);
}

double measure_mark_set(struct tree_bench *bench)
{
	return measure_marks(bench, set_marks);
}

double measure_mark_scan(struct tree_bench *bench)
{
	return measure_marks(bench, scan_marks);
}

/* ---- memory ---- */

/* What malloc has given out, its own bytes around each block included. */
static size_t malloc_bytes(void)
{
	const struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

bool malloc_counts(void)
{
	const size_t before = malloc_bytes();
	void *volatile block = malloc(1 << 20);
	const bool counts = malloc_bytes() - before >= 1 << 20;

	free(block);
	return counts;
}

/* 0: out of memory. */
static size_t filled_bytes(struct tree_bench *bench)
{
	const struct tree_subject *subject = bench->subject;
	const size_t before = malloc_bytes();
	void *state = subject->open(&bench->shape);
	size_t bytes = 0;

	if (!state)
		return 0;
	tree_subject_fill(
		subject, state, tree_entries(bench), bench->what->stride);
	if (subject->bytes)
		bytes = subject->bytes(state);
	else if (malloc_bytes() > before)
		bytes = malloc_bytes() - before;
	subject->close(state);
	return bytes;
}

double measure_bytes(struct tree_bench *bench)
{
	const uint64_t nr = tree_entries(bench) / bench->what->stride;

	/* An entry is a word of eight. Less than that is seen when another
	 * subject's memory comes back meanwhile, from a thread of liburcu's. */
	for (int tries = 0; tries < 20; tries++) {
		const size_t bytes = filled_bytes(bench);

		if (bytes >= 8 * nr)
			return (double)bytes / (double)nr;
	}
	return 0;
}

/* Of the whole process; 0 if the kernel does not say. */
static size_t resident_bytes(void)
{
	FILE *statm = fopen("/proc/self/statm", "r");
	size_t pages = 0;

	if (!statm)
		return 0;
	if (fscanf(statm, "%*u %zu", &pages) != 1)
		pages = 0;
	fclose(statm);
	return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* An entry comes and goes, and its node with it, faster than grace periods
 * pass. The most that the process grew by, in MiB. */
double measure_churn(struct tree_bench *bench)
{
	const uint64_t run_ns = bench->options->quick ? 50000000 : 1000000000;
	const uint64_t end = clock_ns() + run_ns;
	size_t before, most;

	malloc_trim(0);
	before = resident_bytes();
	most = before + 1; /* 0 would be a failure */
	while (clock_ns() < end) {
		size_t now;

		for (int i = 0; i < 1000; i++) {
			bench->subject->fault(bench->state, 0, 1);
			bench->subject->erase(bench->state, 0, 1);
		}
		now = resident_bytes();
		most = now > most ? now : most;
	}
	return (double)(most - before) / (1 << 20);
}

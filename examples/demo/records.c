/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Threads update records in a mapped file, each record under the lock of the
 * entry that covers it: 2 MiB entries in the first third of the file, 4 KiB
 * entries in the second, and in the last huge zero entries, which the first
 * write to each of their pages has to break up, with everybody else at it.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "demo.h"

#define NR_WORDS 24

/* One in each page but the first. */
struct record {
	uint64_t page;
	uint64_t nr_updates;
	uint64_t words[NR_WORDS];
	uint64_t checksum;
};

enum region { HUGE_ENTRIES, SMALL_ENTRIES, ZERO_ENTRIES };

struct job {
	const struct demo *demo;
	struct dax_mapping *m;
	struct dax_pmem_map *pte_map, *pmd_map;
	uint64_t deadline;
	_Atomic uint64_t unmapped; /* calls of unmap */
	_Atomic uint64_t broken;   /* records found torn, or errors */
};

struct worker {
	pthread_t thread;
	struct job *job;
	uint64_t seed;
	_Atomic uint64_t updates;
	uint64_t by_region[3];
};

static uint64_t checksum(const void *bytes, size_t len)
{
	uint64_t sum = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < len; i++)
		sum = (sum ^ ((const unsigned char *)bytes)[i]) *
		      UINT64_C(0x100000001b3);
	return sum;
}

static enum region region_of(const struct demo *demo, uint64_t page)
{
	const uint64_t nr_pmds = demo->info.nr_pages / PMD_PAGES;

	return (enum region)(page / PMD_PAGES * 3 / nr_pmds);
}

static struct record *record_at(struct dax_pmem_map *map, uint64_t page)
{
	return (struct record *)((char *)dax_pmem_map_address(map) +
				 (page << DAX_PAGE_SHIFT));
}

static int record_intact(const struct record *record, uint64_t page)
{
	return record->page == page &&
	       record->checksum ==
		       checksum(record, offsetof(struct record, checksum));
}

/* ---- one update ---- */

static void unmap(void *owner, dax_pgoff_t index, uint64_t nr)
{
	struct job *job = owner;

	(void)index;
	(void)nr;
	atomic_fetch_add(&job->unmapped, 1);
}

/* The entry for @page, locked, with storage. */
static int lock_page(
	struct worker *worker, uint64_t page, dax_entry_t *entry)
{
	struct job *job = worker->job;
	const enum region region = region_of(job->demo, page);
	const int huge = region == HUGE_ENTRIES;
	const uint64_t first = huge ? page / PMD_PAGES * PMD_PAGES : page;
	int error = dax_grab_mapping_entry(job->m, page,
		huge ? DAX_PMD_ORDER : DAX_PTE_ORDER, entry);

	if (!error)
		dax_insert_entry(job->m, page, entry,
			dax_device_offset_to_pfn(first << DAX_PAGE_SHIFT),
			DAX_DIRTY | (huge ? DAX_PMD : DAX_PTE));
	return error;
}

static int update(struct worker *worker, uint64_t page)
{
	struct job *job = worker->job;
	struct dax_pmem_map *map = region_of(job->demo, page) == HUGE_ENTRIES
					   ? job->pmd_map
					   : job->pte_map;
	struct record *record = record_at(map, page);
	dax_entry_t entry;
	int error = lock_page(worker, page, &entry);

	if (error)
		return error;
	if (record->nr_updates && !record_intact(record, page))
		atomic_fetch_add(&job->broken, 1);
	record->page = page;
	record->nr_updates++;
	for (int i = 0; i < NR_WORDS; i++)
		record->words[i] += demo_random(&worker->seed);
	record->checksum =
		checksum(record, offsetof(struct record, checksum));
	error = dax_pmem_persist(map, record, sizeof(*record));
	dax_unlock_entry(job->m, page, entry);
	return error;
}

static void *work(void *argument)
{
	struct worker *worker = argument;
	struct job *job = worker->job;
	const uint64_t nr_pages = job->demo->info.nr_pages;

	while (demo_now() < job->deadline) {
		/* A third of the updates to eight pages: contention. */
		const uint64_t any = demo_random(&worker->seed);
		const uint64_t page =
			any % 3 ? 1 + any / 3 % (nr_pages - 1)
				: any / 3 % 8 * (nr_pages / 8) + 1;

		if (update(worker, page)) {
			atomic_fetch_add(&job->broken, 1);
			break;
		}
		worker->updates++;
		worker->by_region[region_of(job->demo, page)]++;
	}
	return NULL;
}

/* ---- all of them ---- */

static int make_huge_zero_entries(struct job *job)
{
	for (uint64_t page = 0; page < job->demo->info.nr_pages;
		page += PMD_PAGES) {
		dax_entry_t entry;
		int error;

		if (region_of(job->demo, page) != ZERO_ENTRIES)
			continue;
		error = dax_grab_mapping_entry(
			job->m, page, DAX_PMD_ORDER, &entry);
		if (error)
			return error;
		dax_insert_entry(
			job->m, page, &entry, 0, DAX_PMD | DAX_ZERO_PAGE);
		dax_unlock_entry(job->m, page, entry);
	}
	return 0;
}

/* On one line of a terminal; nowhere else. */
static void show_progress(uint64_t nr_updates)
{
	if (!isatty(STDOUT_FILENO))
		return;
	printf("\r  %" PRIu64 " updates ", nr_updates);
	fflush(stdout);
}

static uint64_t run_workers(struct job *job, struct worker *workers)
{
	const unsigned int nr = job->demo->nr_threads;
	const struct timespec tick = {.tv_nsec = 250000000};
	uint64_t total = 0;

	for (unsigned int i = 0; i < nr; i++) {
		workers[i].job = job;
		workers[i].seed = i + 1;
		if (pthread_create(
			    &workers[i].thread, NULL, work, &workers[i])) {
			workers[i].job = NULL;
			atomic_fetch_add(&job->broken, 1);
		}
	}
	while (demo_now() < job->deadline) {
		total = 0;
		for (unsigned int i = 0; i < nr; i++)
			total += workers[i].updates;
		show_progress(total);
		nanosleep(&tick, NULL);
	}
	total = 0;
	for (unsigned int i = 0; i < nr; i++) {
		if (workers[i].job)
			pthread_join(workers[i].thread, NULL);
		total += workers[i].updates;
	}
	return total;
}

static int write_label(const struct job *job, uint64_t nr_updates)
{
	struct demo_label *label = dax_pmem_map_address(job->pte_map);
	struct demo_label made = {DEMO_MAGIC, nr_updates, 0};

	made.checksum = checksum(&made, offsetof(struct demo_label, checksum));
	return dax_pmem_memcpy_persist(
		job->pte_map, label, &made, sizeof(made));
}

static void report(struct job *job, const struct worker *workers)
{
	uint64_t huge = 0, small = 0, zero = 0;

	for (unsigned int i = 0; i < job->demo->nr_threads; i++) {
		huge += workers[i].by_region[HUGE_ENTRIES];
		small += workers[i].by_region[SMALL_ENTRIES];
		zero += workers[i].by_region[ZERO_ENTRIES];
	}
	printf("%s  %10" PRIu64 " updates under 2 MiB entries\n",
		isatty(STDOUT_FILENO) ? "\r" : "", huge);
	printf("  %10" PRIu64 " updates under 4 KiB entries\n", small);
	printf("  %10" PRIu64 " updates under 4 KiB entries that were 2 MiB zero "
	       "entries: %" PRIu64 " downgrades\n",
		zero, (uint64_t)job->unmapped);
}

static int run(struct job *job)
{
	static const struct dax_mapping_ops ops = {.unmap = unmap};
	struct dax_mapping_params params = {.ops = &ops, .owner = job};
	struct worker workers[64] = {0};
	const char *wrong;
	int error = dax_mapping_new(&params, &job->m);

	if (error)
		return demo_failed("dax_mapping_new", error);
	error = make_huge_zero_entries(job);
	if (error)
		return demo_failed("making zero entries", error);
	job->deadline = demo_now() + job->demo->seconds * UINT64_C(1000000000);
	error = write_label(job, run_workers(job, workers));
	if (error)
		return demo_failed("writing the label", error);
	report(job, workers);
	wrong = dax_mapping_verify(job->m);
	if (wrong || job->broken) {
		printf("  FAILED: %s, %" PRIu64 " broken records\n",
			wrong ? wrong : "mapping sound", (uint64_t)job->broken);
		return 1;
	}
	printf("  mapping sound: %" PRIu64 " pages, no lock left, nobody "
	       "asleep\n", dax_mapping_nrpages(job->m));
	return 0;
}

int demo_records(const struct demo *demo)
{
	struct job job = {.demo = demo};
	const uint64_t size = demo->info.size;
	int error = dax_pmem_map_new(
		demo->dev, 0, size, DAX_MAP_PTE, &job.pte_map);

	if (!error)
		error = dax_pmem_map_new(
			demo->dev, 0, size, DAX_MAP_PMD, &job.pmd_map);
	if (error)
		demo_failed("mapping the file", error);
	else
		error = run(&job);
	dax_mapping_delete(&job.m);
	dax_pmem_map_delete(&job.pmd_map);
	dax_pmem_map_delete(&job.pte_map);
	return error ? 1 : 0;
}

/* ---- the fresh process ---- */

static int verify_map(struct dax_pmem_map *map)
{
	const struct demo_label *label = dax_pmem_map_address(map);
	const uint64_t nr_pages = dax_pmem_map_len(map) >> DAX_PAGE_SHIFT;
	uint64_t found = 0, records = 0, broken = 0;

	if (label->magic != DEMO_MAGIC ||
		label->checksum !=
			checksum(label, offsetof(struct demo_label, checksum)))
		return printf("  FAILED: the label is not intact\n"), 1;
	for (uint64_t page = 1; page < nr_pages; page++) {
		const struct record *record = record_at(map, page);

		if (!record->nr_updates)
			continue;
		records++;
		found += record->nr_updates;
		broken += !record_intact(record, page);
	}
	printf("  %" PRIu64 " records, %" PRIu64 " of %" PRIu64
	       " updates found, %" PRIu64 " records broken\n",
		records, found, label->nr_updates, broken);
	return broken || found != label->nr_updates;
}

int demo_verify(struct dax_device *dev)
{
	struct dax_pmem_map *map;
	struct dax_device_info info;
	int error;

	dax_device_describe(dev, &info);
	error = dax_pmem_map_new(dev, 0, info.size, DAX_MAP_PTE, &map);
	if (error)
		return demo_failed("mapping the file", error);
	error = verify_map(map);
	dax_pmem_map_delete(&map);
	return error;
}

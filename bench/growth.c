/* SPDX-License-Identifier: BSD-3-Clause */
/* daxlock-bench growth: what becomes of the cost when files, threads and
 * waiters become many? Each case is a point of a curve. */
#include "bench.h"
#include "lock_case.h"
#include "wake_case.h"

#define PMD_ORDER 9
/* daxlock, the striped mutexes, the futex words. */
#define PEERS_TO_PLOT 3

static const char by_size[] =
	"lock and unlock any page of a file of 4K entries";
static const char by_pmds[] =
	"lock and unlock any page of a file of PMD entries";

#define MIB ((double)(1 << 20))
#define GIB (1024 * MIB)

/* A file of 2^bits entries. */
#define FILE_SIZE(name_, question_, curve_, bits, order_, bytes)               \
	{                                                                      \
		.name = name_, .question = question_, .threads = 1,            \
		.entry_bits = bits, .order = order_,                           \
		.lane_page_bits = (bits) + (order_),                           \
		.nr_subjects = PEERS_TO_PLOT, .curve = curve_, .x = bytes,     \
	}
#define PTE_FILE(name, bits, bytes)                                            \
	FILE_SIZE("size-" name, by_size, "size", bits, 0, bytes)
#define PMD_FILE(name, bits, bytes)                                            \
	FILE_SIZE("pmd-size-" name, by_pmds, "pmd-size", bits, PMD_ORDER, bytes)

static const struct lock_case sizes[] = {
	PTE_FILE("4MiB", 10, 4 * MIB),
	PTE_FILE("64MiB", 14, 64 * MIB),
	PTE_FILE("256MiB", 16, 256 * MIB),
	PTE_FILE("1GiB", 18, GIB),
	PTE_FILE("4GiB", 20, 4 * GIB),
	PTE_FILE("16GiB", 22, 16 * GIB),
	PTE_FILE("64GiB", 24, 64 * GIB),
	PMD_FILE("1GiB", 9, GIB),
	PMD_FILE("16GiB", 13, 16 * GIB),
	PMD_FILE("256GiB", 17, 256 * GIB),
	PMD_FILE("1TiB", 19, 1024 * GIB),
};

/* Each thread in 16 MiB of its own; time of any's. */
#define THREADS_APART(nr)                                                      \
	{                                                                      \
		.name = "apart-" #nr,                                          \
		.question =                                                    \
			"threads, each in pages of its own; time of any's",    \
		.threads = nr, .entry_bits = 18, .lane_page_bits = 12,         \
		.lane_offset = 1 << 12, .count = WINDOW_ALL,                   \
		.nr_subjects = PEERS_TO_PLOT, .curve = "apart", .x = nr,       \
	}

#define THREADS_ON_ONE(nr)                                                     \
	{                                                                      \
		.name = "one-" #nr,                                            \
		.question = "threads on one entry, 100 ns with it, 100 ns "    \
			    "without; time of any's",                          \
		.threads = nr, .order = PMD_ORDER,                             \
		.lane_page_bits = PMD_ORDER, .count = WINDOW_ALL,              \
		.inside_ns = 100, .outside_ns = 100,                           \
		.nr_subjects = PEERS_TO_PLOT, .curve = "one", .x = nr,         \
	}

static const struct lock_case threads[] = {
	THREADS_APART(1),
	THREADS_APART(2),
	THREADS_APART(4),
	THREADS_APART(16),
	THREADS_APART(64),
	THREADS_ON_ONE(1),
	THREADS_ON_ONE(2),
	THREADS_ON_ONE(4),
	THREADS_ON_ONE(16),
	THREADS_ON_ONE(64),
};

static const unsigned int crowds[] = {1, 4, 16, 64, 256, 1000};

#define NR_OF(array) (sizeof(array) / sizeof((array)[0]))

/* Threads and sleepers, with --quick: what they cost the scheduler takes time.
 */
#define QUICK_CROWD 64

static bool too_many(const struct options *options, unsigned int nr)
{
	return options->quick && nr >= QUICK_CROWD;
}

void bench_growth(const struct options *options, const struct machine *machine)
{
	for (unsigned int i = 0; i < NR_OF(sizes); i++)
		lock_case_run(&sizes[i], "growth", options, machine);
	for (unsigned int i = 0; i < NR_OF(threads); i++)
		if (!too_many(options, threads[i].threads))
			lock_case_run(&threads[i], "growth", options, machine);
	for (unsigned int i = 0; i < NR_OF(crowds); i++) {
		if (too_many(options, crowds[i]))
			break;
		wake_all_run(crowds[i], "growth", options, machine);
		wake_chain_run(crowds[i], "growth", options, machine);
	}
}

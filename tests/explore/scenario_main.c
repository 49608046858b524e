/* SPDX-License-Identifier: BSD-3-Clause */
/* A test program as a user writes one: two scenarios, of which one fails. */
#include "base/sync.h"
#include "daxlock/explore.h"

static struct sync_u64 count;

static void count_up(void *unused, long unused_too)
{
	(void)unused;
	(void)unused_too;
	sync_add(&count, 1, memory_order_acq_rel);
}

static void load_and_store(void *unused, long unused_too)
{
	const uint64_t before = sync_load(&count, memory_order_relaxed);

	(void)unused;
	(void)unused_too;
	sync_store(&count, before + 1, memory_order_relaxed);
}

static void two_count(void *function)
{
	void (*const up)(void *, long) = function ? load_and_store : count_up;

	dax_explore_thread("a", up, NULL, 0);
	dax_explore_thread("b", up, NULL, 0);
	dax_explore_run();
	dax_explore_check(sync_load(&count, memory_order_relaxed) == 2,
		"both \"count\" #1");
}

int main(int argc, char **argv)
{
	const struct dax_scenario scenarios[] = {
		{.name = "count",
			.claim = "adding is right",
			.body = two_count},
		{.name = "count_racily",
			.claim = "loading and storing is not",
			.body = two_count,
			.context = &count},
	};

	return dax_explore_main(argc, argv, scenarios, 2);
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "ticks.h"

static double ns_per_tick = 1;
static double ns_per_turn = 1;

struct instant {
	uint64_t ticks;
	uint64_t ns;
};

/* Both clocks at the same time: of some tries the one that took least. */
static struct instant instant_now(void)
{
	struct instant best = {0};
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < 20; i++) {
		const uint64_t before = ticks_now();
		const uint64_t ns = clock_ns();
		const uint64_t after = ticks_now();

		if (after - before < least) {
			least = after - before;
			best = (struct instant){before + least / 2, ns};
		}
	}
	return best;
}

static void calibrate_tick(void)
{
	const struct instant start = instant_now();
	struct instant end;

	do
		end = instant_now();
	while (end.ns - start.ns < 20000000);
	ns_per_tick =
		(double)(end.ns - start.ns) / (double)(end.ticks - start.ticks);
}

/* The fastest of some tries: the others were interrupted. */
static void calibrate_work(void)
{
	const uint64_t turns = 20000;
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < 50; i++) {
		const uint64_t before = ticks_now();
		uint64_t took;

		work_spin(turns);
		took = ticks_now() - before;
		if (took < least)
			least = took;
	}
	ns_per_turn = ticks_to_ns(least) / (double)turns;
}

void ticks_calibrate(void)
{
	calibrate_tick();
	calibrate_work();
}

double ticks_to_ns(uint64_t ticks)
{
	return (double)ticks * ns_per_tick;
}

uint64_t ticks_from_ns(double ns)
{
	return (uint64_t)(ns / ns_per_tick);
}

uint64_t work_turns(double ns)
{
	return (uint64_t)(ns / ns_per_turn + 0.5);
}

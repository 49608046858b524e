/* SPDX-License-Identifier: BSD-3-Clause */
#include "machine.h"

#include <ctype.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "lane.h"
#include "measure.h"

#if defined(__clang__)
#define COMPILER "clang " __clang_version__
#else
#define COMPILER "gcc " __VERSION__
#endif

/* What follows the colon in the first line of @path that begins with @key. */
static bool read_field(
	const char *path, const char *key, char *value, size_t size)
{
	FILE *file = fopen(path, "re");
	bool found = false;
	char line[256];

	if (!file)
		return false;
	while (!found && fgets(line, sizeof(line), file)) {
		const char *colon = strchr(line, ':');

		found = colon && !strncmp(line, key, strlen(key));
		if (found) {
			do
				colon++;
			while (isspace((unsigned char)*colon));
			snprintf(value, size, "%.*s", (int)strcspn(colon, "\n"),
				colon);
		}
	}
	fclose(file);
	return found;
}

/* The word in brackets: always [madvise] never. */
static void read_huge_pages(char *value, size_t size)
{
	FILE *file = fopen("/sys/kernel/mm/transparent_hugepage/enabled", "re");
	char line[80] = "";
	const char *chosen;

	snprintf(value, size, "unknown");
	if (!file)
		return;
	chosen = fgets(line, sizeof(line), file) ? strchr(line, '[') : NULL;
	if (chosen)
		snprintf(value, size, "%.*s", (int)strcspn(chosen + 1, "]"),
			chosen + 1);
	fclose(file);
}

/* ---- the way of a cache line ---- */

#define PINGS	     200
#define PING_SAMPLES 200

static _Alignas(128) _Atomic(uint64_t) ball;

/* Lane 0 makes it odd, lane 1 even. */
static void ping(struct lane *lane, void *context)
{
	(void)context;
	lane->nr_samples = 0;
	lane_meet();
	for (int sample = 0; sample < PING_SAMPLES; sample++) {
		const uint64_t start = ticks_now();

		for (int i = 0; i < PINGS; i++) {
			uint64_t at;

			do
				at = atomic_load_explicit(
					&ball, memory_order_acquire);
			while (at % 2 != lane->number);
			atomic_store_explicit(
				&ball, at + 1, memory_order_release);
		}
		lane_sample(
			lane, ticks_to_ns(ticks_now() - start) / (2 * PINGS));
	}
}

/* ---- */

void machine_look(struct machine *machine, unsigned int cpus)
{
	struct utsname names;

	*machine = (struct machine){.cpus = cpus, .compiler = COMPILER};
	if (!read_field("/proc/cpuinfo", "model name", machine->cpu,
		    sizeof(machine->cpu)))
		snprintf(machine->cpu, sizeof(machine->cpu), "unknown CPU");
	if (!uname(&names))
		snprintf(machine->kernel, sizeof(machine->kernel), "%s",
			names.release);
	read_huge_pages(machine->huge_pages, sizeof(machine->huge_pages));
	if (cpus > 1) {
		struct lane *lane = lane_of(0);

		lanes_run(2, ping, NULL);
		machine->ping_ns =
			percentile(lane->samples, lane->nr_samples, 50);
	}
}

uint64_t machine_memory(void)
{
	unsigned long long kib;
	char value[40];

	if (!read_field(
		    "/proc/meminfo", "MemAvailable", value, sizeof(value)) ||
		sscanf(value, "%llu", &kib) != 1)
		return UINT64_MAX;
	return kib * 1024;
}

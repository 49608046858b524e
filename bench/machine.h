/* SPDX-License-Identifier: BSD-3-Clause */
/* What the figures were measured on. */
#ifndef BENCH_MACHINE_H
#define BENCH_MACHINE_H

#include <stdint.h>

struct machine {
	char cpu[96];
	unsigned int cpus; /* that this process may use */
	char kernel[96];
	const char *compiler; /* of this program */
	char huge_pages[32];  /* for malloc: always, madvise, never */
	double ping_ns;	      /* a cache line's way from lane to lane; or 0 */
};

/* After lanes_start(), which returned @cpus. */
void machine_look(struct machine *machine, unsigned int cpus);

/* Bytes that can be allocated before the machine runs short. */
uint64_t machine_memory(void);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* daxlock-demo: the main job, in four acts. */
#ifndef DEMO_H
#define DEMO_H

#include <stdint.h>

#include <daxlock.h>

#define PMD_PAGES ((uint64_t)1 << DAX_PMD_ORDER)
#define PMD_SIZE  (PMD_PAGES << DAX_PAGE_SHIFT)

/* What stands in the file's first page. */
#define DEMO_MAGIC UINT64_C(0x6f6d65646b787864)

struct demo_label {
	uint64_t magic;
	uint64_t nr_updates; /* that were acknowledged as durable */
	uint64_t checksum;   /* of the two above */
};

struct demo {
	struct dax_device *dev;
	struct dax_device_info info;
	int fd; /* the file, for the process that verifies it */
	unsigned int nr_threads;
	unsigned int seconds; /* of updating */
};

/* All return 0, or 1 after saying what is wrong. */
int demo_records(const struct demo *demo);
int demo_verify(struct dax_device *dev);
int demo_downgrade(void);
int demo_side_by_side(const struct demo *demo);

/* Prints @what, the error @error and what libpmem2 says; returns 1. */
int demo_failed(const char *what, int error);

uint64_t demo_now(void);
uint64_t demo_random(uint64_t *state);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A pass over a file: each of its pages once, in no order, loaded or stored as
 * a whole, through a fresh map or with system calls. What the kernel did is
 * looked up: how it mapped the file, and how many faults that took.
 */
#ifndef BENCH_ACCESS_PASS_H
#define BENCH_ACCESS_PASS_H

#include <daxlock.h>
#include <stdbool.h>
#include <stdint.h>

#include "lane.h"

enum access_touch {
	TOUCH_HALF_STORES, /* load, store, load, store, ... */
	TOUCH_STORES,
	TOUCH_SYSCALLS, /* as TOUCH_HALF_STORES, by pread(2) and pwrite(2) */
};

/* How many faults a pass takes, if it is what it is said to be. */
enum access_faults {
	FAULTS_ANY,
	FAULTS_EACH_LEAF,
	FAULTS_NONE,
};

struct access_way {
	unsigned int map; /* of enum dax_map_flags; 0: none */
	enum access_touch touch;
	bool no_fault_around;
	bool populate; /* before the clock starts */
	enum access_faults faults;
};

struct access_file {
	struct dax_device *device;
	int fd;
	uint64_t len;
	uint32_t *order; /* all its pages, shuffled */
	char *buffer;	 /* a page */
};

struct access_pass {
	double kb_per_s; /* KB of 1024 bytes, as fio's were in 2016 */
	uint64_t faults;
	struct dax_map_report report;
	char wrong[80]; /* why it is not what it is said to be; or empty */
};

/* @lane: whose random numbers shuffle; NULL as @dir: in memory. Return: 0, or a
 * negative errno. */
int access_file_open(struct access_file *file, struct lane *lane,
	const char *dir, uint64_t len);
void access_file_close(struct access_file *file);

/* On the calling thread, whose faults are counted. */
void access_pass_run(const struct access_file *file,
	const struct access_way *way, struct access_pass *pass);

#endif

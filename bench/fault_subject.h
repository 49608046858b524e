/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What `daxlock-bench fault` measures: ways to get a page of a file into a page
 * table. A fault's number counts leaves of the case's order in one file.
 */
#ifndef BENCH_FAULT_SUBJECT_H
#define BENCH_FAULT_SUBJECT_H

#include <stdbool.h>
#include <stdint.h>

#define FAULT_FILES_MAX	 2
#define FAULT_TABLES_MAX 2

enum fault_kind {
	FAULT_STORE,   /* to a page that has storage, and no entry yet */
	FAULT_HOLE,    /* a load where the file has none: a zero page */
	FAULT_MKWRITE, /* a store to what fsync has write-protected */
};

struct fault_shape {
	enum fault_kind kind;
	unsigned int order;
	uint64_t pages; /* of each file */
	unsigned int files;
	unsigned int tables; /* page tables, of which each shows all files */
};

/* Which page table and which file. */
struct fault_place {
	unsigned int table;
	unsigned int file;
};

struct fault_subject {
	const char *name;
	bool floor;
	double page_bytes; /* about; to refuse what does not fit */
	/* All is as before the first fault. NULL: out of memory. */
	void *(*open)(const struct fault_shape *shape);
	void (*close)(void *state);
	/* Faults @first to @first + @nr - 1. */
	void (*fault)(void *state, struct fault_place place, uint64_t first,
		uint64_t nr);
	/* Was every fault what the shape asks for? NULL: it cannot be else. */
	bool (*check)(void *state);
	/* Makes it as before the first fault again. False: could not. */
	bool (*renew)(void *state);
};

extern const struct fault_subject fault_daxlock;
extern const struct fault_subject fault_file_mutex;
extern const struct fault_subject fault_entry; /* the entry's share of it */

#endif

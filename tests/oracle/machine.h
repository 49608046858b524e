/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a scenario runs on: a device with a file system, files and mappings by
 * name, one process. The operations are rows of a table (operations.c); show.c
 * prints what a recorder in a kernel would have seen.
 */
#ifndef ORACLE_MACHINE_H
#define ORACLE_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

#include "daxlock.h"

#define WORDS_MAX 16
#define NAMED_MAX 64
#define NAME_LEN  64

struct named_file {
	char name[NAME_LEN];
	struct dax_file *file;
};

struct named_map {
	char name[NAME_LEN];
	struct dax_file *file;
	uint64_t address;
	uint64_t len;
};

/* How events are printed. */
enum event_form {
	EVENTS_RECORDED, /* as in the recorded traces */
	EVENTS_FS_DAX,	 /* as in the kernel's trace file */
};

struct machine {
	const struct dax_profile *profile;
	enum event_form form;
	struct dax_device *device;
	struct dax_pmem_map *map;
	struct dax_trace *trace;
	struct dax_fs *fs;
	struct dax_mm *mm;
	struct named_file files[NAMED_MAX];
	unsigned int nr_files;
	struct named_map maps[NAMED_MAX];
	unsigned int nr_maps;
};

int machine_new(struct machine *machine, const struct dax_profile *profile);
void machine_delete(struct machine *machine);
/* NULL: no such name. */
struct dax_file *machine_file(struct machine *machine, const char *name);
struct named_map *machine_map(struct machine *machine, const char *name);

/* One line of a scenario, in words. */
struct line {
	char *words[WORDS_MAX];
	unsigned int nr;
};

/* Sizes and offsets: 0x10, 4K, 2M+4K, 4M-4K. False: not one. */
bool line_size(const struct line *line, unsigned int word, uint64_t *size);

/* Runs an operation and prints its block, without the first line. False: there
 * is no such operation, or its words are wrong. */
bool operation_run(struct machine *machine, const struct line *line);

/* ---- show.c ---- */

void show_byte(unsigned char byte);
/* 0 and errors. */
void show_error(int error);
/* What a load or a store got. */
void show_access(int error, unsigned char byte);
/* What happened since the last time. */
void show_events(struct machine *machine);
/* Every entry of every file. */
void show_entries(struct machine *machine);
/* The page table of the PMD that byte @offset of @map is in. */
void show_page_table(
	struct dax_mm *mm, const struct named_map *map, uint64_t offset);

#endif

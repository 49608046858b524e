/* SPDX-License-Identifier: BSD-3-Clause */
/* The operations of a scenario, as a table. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine.h"

/* What the words of a line said. */
struct call {
	struct machine *machine;
	const struct line *line;
	struct dax_file *file;
	struct named_map *map;
	uint64_t numbers[2]; /* sizes and offsets, in order */
	unsigned char byte;
};

/* ---- files ---- */

/* 0; -ENFILE: no more have names. */
static int make_file(
	struct machine *machine, const char *name, struct dax_file **out)
{
	struct named_file *file = &machine->files[machine->nr_files];
	int error;

	if (machine->nr_files == NAMED_MAX)
		return -ENFILE;
	snprintf(file->name, NAME_LEN, "%s", name);
	error = dax_file_new(machine->fs, &file->file);
	if (error)
		return error;
	machine->nr_files++;
	*out = file->file;
	return 0;
}

static bool run_file(struct call *call)
{
	int error = make_file(call->machine, call->line->words[1], &call->file);

	if (!error)
		error = dax_file_truncate(call->file, call->numbers[0]);
	show_error(error);
	return true;
}

static bool change(struct call *call, enum dax_file_change what)
{
	show_error(dax_file_change(
		call->file, what, call->numbers[0], call->numbers[1]));
	return true;
}

static bool run_prealloc(struct call *call)
{
	return change(call, DAX_FILE_ALLOCATE);
}

static bool run_punch(struct call *call)
{
	return change(call, DAX_FILE_PUNCH);
}

static bool run_zero(struct call *call)
{
	return change(call, DAX_FILE_ZERO);
}

static bool run_collapse(struct call *call)
{
	return change(call, DAX_FILE_COLLAPSE);
}

static bool run_trunc(struct call *call)
{
	show_error(dax_file_truncate(call->file, call->numbers[0]));
	return true;
}

static bool run_pwrite(struct call *call)
{
	const size_t len = call->numbers[1];
	char *bytes = malloc(len + 1);
	size_t done = 0;
	int error;

	if (!bytes)
		return false;
	memset(bytes, call->byte, len);
	error = dax_file_write(call->file, call->numbers[0], bytes, len, &done);
	free(bytes);
	if (error)
		show_error(error);
	else
		printf("= %zu\n", done);
	return true;
}

static bool run_pread(struct call *call)
{
	const size_t len = call->numbers[1];
	char *bytes = malloc(len + 1);
	size_t done = 0;
	int error;

	if (!bytes)
		return false;
	error = dax_file_read(call->file, call->numbers[0], bytes, len, &done);
	free(bytes);
	if (error)
		show_error(error);
	else
		printf("= %zu\n", done);
	return true;
}

/* All blocks to @file, then every other of the first @len bytes free again. */
static int fill_and_free(
	struct machine *machine, struct dax_file *file, uint64_t len)
{
	struct dax_device_info device;
	int error;

	dax_device_describe(machine->device, &device);
	error = dax_file_truncate(file, device.size);
	if (error)
		return error;
	error = dax_file_change(file, DAX_FILE_ALLOCATE, 0, device.size);
	if (error && error != -ENOSPC)
		return error;
	error = 0;
	for (uint64_t at = 0; at < len && !error; at += 2 * DAX_PAGE_SIZE)
		error = dax_file_change(
			file, DAX_FILE_PUNCH, at, DAX_PAGE_SIZE);
	return error ? error : dax_file_sync(file, DAX_SYNC_ALL, 0, 0);
}

static bool run_fragfill(struct call *call)
{
	return !fill_and_free(call->machine, call->file, call->numbers[0]);
}

static int write_page(struct dax_file *file, uint64_t pos)
{
	char bytes[DAX_PAGE_SIZE];
	size_t done;

	memset(bytes, 0x61, sizeof(bytes));
	return dax_file_write(file, pos, bytes, sizeof(bytes), &done);
}

static bool run_scatter(struct call *call)
{
	const char *name = call->line->words[2];
	struct dax_file *other = machine_file(call->machine, name);
	const uint64_t end = call->numbers[0] + call->numbers[1];
	int error = other ? 0 : make_file(call->machine, name, &other);

	for (uint64_t pos = call->numbers[0]; pos < end && !error;
		pos += DAX_PAGE_SIZE) {
		error = write_page(call->file, pos);
		if (!error)
			error = write_page(other, pos);
	}
	return !error;
}

static bool run_fsync(struct call *call)
{
	show_error(dax_file_sync(call->file, DAX_SYNC_ALL, 0, 0));
	return true;
}

static bool run_fdatasync(struct call *call)
{
	show_error(dax_file_sync(call->file, DAX_SYNC_DATA, 0, 0));
	return true;
}

static bool run_sfr(struct call *call)
{
	show_error(dax_file_sync(call->file, DAX_SYNC_PAGES, call->numbers[0],
		call->numbers[1]));
	return true;
}

/* ---- mappings ---- */

static const struct {
	const char *name;
	unsigned int set;
	unsigned int clear;
} map_flags[] = {
	{"nohuge", DAX_VMA_NOHUGEPAGE, 0},
	{"huge", 0, 0},
	{"ro", 0, DAX_VMA_WRITE},
	{"cow", 0, DAX_VMA_SHARED},
	{"sync", DAX_VMA_SYNC, 0},
};

static bool add_map_flag(const struct line *line, unsigned int word,
	struct dax_vma_params *params)
{
	static const char skew[] = "skew=";
	char *text = line->words[word];
	const struct line number = {{text + strlen(skew)}, 1};

	if (!strncmp(text, skew, strlen(skew)))
		return line_size(&number, 0, &params->skew);
	for (size_t i = 0; i < sizeof(map_flags) / sizeof(*map_flags); i++) {
		if (strcmp(text, map_flags[i].name))
			continue;
		params->flags |= map_flags[i].set;
		params->flags &= ~map_flags[i].clear;
		return true;
	}
	return false;
}

static bool run_map(struct call *call)
{
	struct machine *machine = call->machine;
	struct named_map *map = &machine->maps[machine->nr_maps];
	struct dax_vma_params params = {
		.pos = call->numbers[0],
		.len = call->numbers[1],
		.flags = DAX_VMA_SHARED | DAX_VMA_WRITE,
	};
	int error;

	if (machine->nr_maps == NAMED_MAX)
		return false;
	map->file = machine_file(machine, call->line->words[2]);
	if (!map->file)
		return false;
	params.space = dax_file_space(map->file);
	for (unsigned int i = 5; i < call->line->nr; i++)
		if (!add_map_flag(call->line, i, &params))
			return false;
	snprintf(map->name, NAME_LEN, "%s", call->line->words[1]);
	map->len = params.len;
	error = dax_mmap(machine->mm, &params, &map->address);
	if (error) {
		show_error(error);
		return true;
	}
	machine->nr_maps++;
	puts("= ok");
	return true;
}

static bool run_unmap(struct call *call)
{
	struct machine *machine = call->machine;
	struct named_map *last = &machine->maps[machine->nr_maps - 1];

	show_error(dax_munmap(machine->mm, call->map->address, call->map->len));
	*call->map = *last;
	machine->nr_maps--;
	return true;
}

static bool run_mprotect(struct call *call)
{
	const bool writable =
		call->line->nr > 4 && !strcmp(call->line->words[4], "rw");

	show_error(dax_mprotect(call->machine->mm,
		call->map->address + call->numbers[0], call->numbers[1],
		writable ? DAX_PROT_READ_WRITE : DAX_PROT_READ));
	return true;
}

static bool advise(struct call *call, enum dax_advice advice)
{
	show_error(dax_madvise(call->machine->mm,
		call->map->address + call->numbers[0], call->numbers[1],
		advice));
	return true;
}

static bool run_dontneed(struct call *call)
{
	return advise(call, DAX_DONTNEED);
}

static bool run_populate_r(struct call *call)
{
	return advise(call, DAX_POPULATE_READ);
}

static bool run_populate_w(struct call *call)
{
	return advise(call, DAX_POPULATE_WRITE);
}

static bool run_msync(struct call *call)
{
	show_error(dax_msync(call->machine->mm,
		call->map->address + call->numbers[0], call->numbers[1]));
	return true;
}

/* ---- accesses ---- */

static void load(struct dax_mm *mm, const struct call *call)
{
	unsigned char byte = 0;
	const int error =
		dax_load(mm, call->map->address + call->numbers[0], &byte, 1);

	show_access(error, byte);
}

static void store(struct dax_mm *mm, const struct call *call)
{
	show_access(dax_store(mm, call->map->address + call->numbers[0],
			    &call->byte, 1),
		call->byte);
}

static bool run_r(struct call *call)
{
	load(call->machine->mm, call);
	return true;
}

static bool run_w(struct call *call)
{
	store(call->machine->mm, call);
	return true;
}

static bool in_child(struct call *call,
	void (*access)(struct dax_mm *mm, const struct call *call))
{
	struct dax_mm *child;

	if (dax_mm_fork(call->machine->mm, &child))
		return false;
	access(child, call);
	show_page_table(child, call->map, call->numbers[0]);
	dax_mm_delete(&child);
	return true;
}

static bool run_fork_r(struct call *call)
{
	return in_child(call, load);
}

static bool run_fork_w(struct call *call)
{
	return in_child(call, store);
}

/* ---- the rest ---- */

static bool run_nothing(struct call *call)
{
	(void)call;
	return true;
}

/* DAX mappings are huge whatever the switch says: khugepaged is not asked. */
static bool run_thp(struct call *call)
{
	(void)call;
	show_error(0);
	return true;
}

static bool run_dropcaches(struct call *call)
{
	for (unsigned int i = 0; i < call->machine->nr_files; i++)
		dax_space_evict(dax_file_space(call->machine->files[i].file));
	show_error(0);
	return true;
}

/*
 * @args: what the words after the name are. F file, M mapping, N a new name or
 *	one that the operation looks up, n number, b an optional byte; what
 *	follows is left to the operation
 * @shows: after the result, E the entries, P the page table at the first number
 */
static const struct operation {
	const char *name;
	bool (*run)(struct call *call);
	const char *args;
	const char *shows;
	unsigned char byte; /* when none is given */
} operations[] = {
	{"file", run_file, "Nn", "E", 0},
	{"prealloc", run_prealloc, "Fnn", "E", 0},
	{"pwrite", run_pwrite, "Fnnb", "E", 0},
	{"pread", run_pread, "Fnn", "E", 0},
	{"punch", run_punch, "Fnn", "E", 0},
	{"zero", run_zero, "Fnn", "E", 0},
	{"collapse", run_collapse, "Fnn", "E", 0},
	{"trunc", run_trunc, "Fn", "E", 0},
	{"fragfill", run_fragfill, "Fn", "E", 0},
	{"scatter", run_scatter, "FNnn", "E", 0},
	{"fsync", run_fsync, "F", "E", 0},
	{"fdatasync", run_fdatasync, "F", "E", 0},
	{"sfr", run_sfr, "Fnn", "E", 0},
	{"map", run_map, "NNnn", "", 0},
	{"unmap", run_unmap, "M", "E", 0},
	{"mprotect", run_mprotect, "Mnn", "EP", 0},
	{"dontneed", run_dontneed, "Mnn", "EP", 0},
	{"populate_r", run_populate_r, "Mnn", "EP", 0},
	{"populate_w", run_populate_w, "Mnn", "EP", 0},
	{"msync", run_msync, "Mnn", "EP", 0},
	{"r", run_r, "Mn", "EP", 0},
	{"w", run_w, "Mnb", "EP", 0x5a},
	{"fork_r", run_fork_r, "Mn", "EP", 0},
	{"fork_w", run_fork_w, "Mnb", "EP", 0x6b},
	{"pt", run_nothing, "Mn", "EP", 0},
	{"thp", run_thp, "N", "", 0},
	{"dropcaches", run_dropcaches, "", "E", 0},
	{"fiemap", run_nothing, "F", "", 0},
};

static bool parse_byte(struct call *call, unsigned int word)
{
	uint64_t value = call->byte;

	if (word < call->line->nr && !line_size(call->line, word, &value))
		return false;
	call->byte = (unsigned char)value;
	return true;
}

static bool parse(struct call *call, const char *args)
{
	unsigned int number = 0;

	for (unsigned int word = 1; *args; word++, args++) {
		const char *text =
			word < call->line->nr ? call->line->words[word] : "";
		bool right = *text;

		if (*args == 'F')
			right = (call->file =
					 machine_file(call->machine, text));
		else if (*args == 'M')
			right = (call->map = machine_map(call->machine, text));
		else if (*args == 'n')
			right = line_size(
				call->line, word, &call->numbers[number++]);
		else if (*args == 'b')
			right = parse_byte(call, word);
		if (!right)
			return false;
	}
	return true;
}

bool operation_run(struct machine *machine, const struct line *line)
{
	const struct operation *op = operations;
	const struct operation *end =
		op + sizeof(operations) / sizeof(*operations);
	struct call call = {.machine = machine, .line = line};

	while (op < end && strcmp(op->name, line->words[0]))
		op++;
	if (op == end)
		return false;
	call.byte = op->byte;
	if (!parse(&call, op->args) || !op->run(&call))
		return false;
	show_events(machine);
	if (strchr(op->shows, 'E'))
		show_entries(machine);
	if (strchr(op->shows, 'P'))
		show_page_table(machine->mm, call.map, call.numbers[0]);
	return true;
}

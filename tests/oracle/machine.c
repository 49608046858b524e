/* SPDX-License-Identifier: BSD-3-Clause */
#include "machine.h"

#include <stdlib.h>
#include <string.h>

/* The device that the traces were recorded on. */
#define DEVICE_SIZE ((uint64_t)1 << 30)
/* Events of one operation: populating 2 MiB by pages makes some 2000. */
#define TRACE_SIZE 65536

int machine_new(struct machine *machine, const struct dax_profile *profile)
{
	struct dax_fs_params params = {.profile = profile};
	int error;

	*machine = (struct machine){.profile = profile};
	error = dax_device_open_memory(DEVICE_SIZE, 0, &machine->device);
	if (!error)
		error = dax_pmem_map_new(machine->device, 0, DEVICE_SIZE,
			DAX_MAP_PMD, &machine->map);
	if (!error)
		error = dax_trace_new(TRACE_SIZE, &machine->trace);
	params.map = machine->map;
	params.trace = machine->trace;
	if (!error)
		error = dax_fs_new(&params, &machine->fs);
	if (!error)
		error = dax_mm_new(profile, &machine->mm);
	if (error)
		machine_delete(machine);
	return error;
}

void machine_delete(struct machine *machine)
{
	dax_mm_delete(&machine->mm);
	for (unsigned int i = 0; i < machine->nr_files; i++)
		dax_file_delete(&machine->files[i].file);
	dax_fs_delete(&machine->fs);
	dax_trace_delete(&machine->trace);
	dax_pmem_map_delete(&machine->map);
	dax_device_delete(&machine->device);
}

struct dax_file *machine_file(struct machine *machine, const char *name)
{
	for (unsigned int i = 0; i < machine->nr_files; i++)
		if (!strcmp(machine->files[i].name, name))
			return machine->files[i].file;
	return NULL;
}

struct named_map *machine_map(struct machine *machine, const char *name)
{
	for (unsigned int i = 0; i < machine->nr_maps; i++)
		if (!strcmp(machine->maps[i].name, name))
			return &machine->maps[i];
	return NULL;
}

static bool unit_shift(const char *unit, unsigned int *shift, unsigned int *len)
{
	static const char units[] = "KMG";
	const char *found = *unit ? strchr(units, *unit) : NULL;

	*shift = found ? 10 * (unsigned int)(found - units + 1) : 0;
	*len = found != NULL;
	return found || !*unit || *unit == '+' || *unit == '-';
}

bool line_size(const struct line *line, unsigned int word, uint64_t *size)
{
	const char *text = word < line->nr ? line->words[word] : "";
	unsigned int shift, len;
	uint64_t sum = 0;
	int sign = 1;

	do {
		char *unit;
		const uint64_t number = strtoull(text, &unit, 0);

		if (unit == text || *text == '-' || *text == '+' ||
			!unit_shift(unit, &shift, &len))
			return false;
		sum += sign * (number << shift);
		text = unit + len;
		sign = *text == '-' ? -1 : 1;
	} while (*text && *text++);
	*size = sum;
	return true;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An emulated DAX file, its faults, and why a range gets no 2 MiB mapping: the
 * kernel only says FALLBACK.
 */
#include <daxlock.h>
#include <stdio.h>

#define MIB ((uint64_t)1 << 20)

struct machine {
	struct dax_device *device;
	struct dax_pmem_map *map;
	struct dax_fs *fs;
	struct dax_file *file;
	struct dax_mm *mm;
};

static int machine_make(struct machine *machine)
{
	struct dax_fs_params params = {0};
	int error = dax_device_open_memory(64 * MIB, 0, &machine->device);

	if (!error)
		error = dax_pmem_map_new(machine->device, 0, 64 * MIB,
			DAX_MAP_PMD, &machine->map);
	params.map = machine->map;
	if (!error)
		error = dax_fs_new(&params, &machine->fs);
	if (!error)
		error = dax_file_new(machine->fs, &machine->file);
	if (!error)
		error = dax_file_truncate(machine->file, 7 * MIB);
	return error ? error : dax_mm_new(NULL, &machine->mm);
}

static void machine_end(struct machine *machine)
{
	dax_mm_delete(&machine->mm);
	dax_file_delete(&machine->file);
	dax_fs_delete(&machine->fs);
	dax_pmem_map_delete(&machine->map);
	dax_device_delete(&machine->device);
}

/* Stores to each 2 MiB of the file through an area @skew bytes off. */
static int store_everywhere(struct machine *machine, uint64_t skew)
{
	const struct dax_vma_params params = {
		.space = dax_file_space(machine->file),
		.len = 8 * MIB,
		.flags = DAX_VMA_SHARED | DAX_VMA_WRITE,
		.skew = skew,
	};
	uint64_t start;
	int error = dax_mmap(machine->mm, &params, &start);

	for (uint64_t at = 0; at < 8 * MIB && !error; at += 2 * MIB) {
		const struct dax_explanation *why;
		enum dax_cause cause;

		dax_fault(machine->mm, start + at, DAX_STORE, &cause);
		why = dax_explain(cause);
		printf("%u MiB: %s. %s\n    %s\n", (unsigned int)(at / MIB),
			why->name, why->sentence, why->cure);
		error = dax_store(machine->mm, start + at, "daxlock", 7);
	}
	return error ? error : dax_file_sync(machine->file, DAX_SYNC_ALL, 0, 0);
}

int main(void)
{
	struct machine machine = {0};
	int error = machine_make(&machine);

	if (!error)
		error = store_everywhere(&machine, 0);
	if (!error)
		error = store_everywhere(&machine, 4096);
	machine_end(&machine);
	return error != 0;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Files on a device in memory, and dax_fault() through address spaces. */
#include <daxlock.h>
#include <stdlib.h>

#include "fault_subject.h"

#define PMD_BYTES (DAX_PAGE_SIZE << DAX_PMD_ORDER)
/* What a file system wants for itself. */
#define SPARE_BYTES (8 * PMD_BYTES)

struct world {
	struct fault_shape shape;
	struct dax_device *device;
	struct dax_pmem_map *map;
	struct dax_fs *fs;
	struct dax_file *files[FAULT_FILES_MAX];
	struct dax_mm *mms[FAULT_TABLES_MAX];
	uint64_t addresses[FAULT_TABLES_MAX][FAULT_FILES_MAX];
};

static uint64_t file_bytes(const struct world *world)
{
	return world->shape.pages << DAX_PAGE_SHIFT;
}

static uint64_t leaf_bytes(const struct world *world)
{
	return DAX_PAGE_SIZE << world->shape.order;
}

static enum dax_access_type access_of(const struct world *world)
{
	return world->shape.kind == FAULT_HOLE ? DAX_LOAD : DAX_STORE;
}

static void fault(
	void *state, struct fault_place place, uint64_t first, uint64_t nr)
{
	const struct world *world = state;
	const enum dax_access_type access = access_of(world);
	const uint64_t step = leaf_bytes(world);
	uint64_t address = world->addresses[place.table][place.file];

	address += first * step;
	for (; nr; nr--, address += step)
		if (dax_fault(world->mms[place.table], address, access, NULL) &
			DAX_FAULT_ERROR)
			abort();
}

static unsigned int expected_leaf(const struct fault_shape *shape)
{
	return DAX_LEAF_PRESENT | (shape->order ? DAX_LEAF_PMD : 0) |
	       (shape->kind == FAULT_HOLE ? DAX_LEAF_ZERO
					  : DAX_LEAF_WRITE | DAX_LEAF_DIRTY);
}

/* A leaf that two page tables could have is in one of them. */
static bool is_there(
	const struct world *world, unsigned int file, uint64_t offset)
{
	const unsigned int expected = expected_leaf(&world->shape);

	for (unsigned int i = 0; i < world->shape.tables; i++) {
		struct dax_leaf leaf;

		dax_mm_leaf(world->mms[i], world->addresses[i][file] + offset,
			&leaf);
		if (leaf.flags == expected)
			return true;
	}
	return false;
}

static bool check(void *state)
{
	const struct world *world = state;

	for (unsigned int file = 0; file < world->shape.files; file++)
		for (uint64_t at = 0; at < file_bytes(world);
			at += leaf_bytes(world))
			if (!is_there(world, file, at))
				return false;
	return true;
}

/* ---- making it ---- */

static int write_zeros(struct dax_file *file, uint64_t len)
{
	static const char zeros[PMD_BYTES];
	int error = 0;
	size_t done;

	for (uint64_t pos = 0; !error && pos < len; pos += done)
		error = dax_file_write(file, pos, zeros, sizeof(zeros), &done);
	return error;
}

static int make_file(struct world *world, struct dax_file **file)
{
	const uint64_t len = file_bytes(world);
	int error = dax_file_new(world->fs, file);

	if (error)
		return error;
	if (world->shape.kind == FAULT_HOLE)
		return dax_file_truncate(*file, len);
	/* At once, so that it lies where PMD leaves are possible. */
	error = dax_file_change(*file, DAX_FILE_ALLOCATE, 0, len);
	if (!error)
		error = write_zeros(*file, len);
	if (!error)
		error = dax_file_sync(*file, DAX_SYNC_ALL, 0, 0);
	return error;
}

static int map_files(struct world *world, unsigned int table)
{
	int error = dax_mm_new(NULL, &world->mms[table]);

	for (unsigned int i = 0; !error && i < world->shape.files; i++) {
		const struct dax_vma_params params = {
			.space = dax_file_space(world->files[i]),
			.len = file_bytes(world),
			.flags = DAX_VMA_SHARED | DAX_VMA_WRITE |
				 (world->shape.order ? 0 : DAX_VMA_NOHUGEPAGE),
		};

		error = dax_mmap(world->mms[table], &params,
			&world->addresses[table][i]);
	}
	return error;
}

static int map_all(struct world *world)
{
	int error = 0;

	for (unsigned int i = 0; !error && i < world->shape.tables; i++)
		error = map_files(world, i);
	return error;
}

static void unmap_all(struct world *world)
{
	for (unsigned int i = 0; i < FAULT_TABLES_MAX; i++)
		dax_mm_delete(&world->mms[i]);
}

static int sync_all(struct world *world)
{
	int error = 0;

	for (unsigned int i = 0; !error && i < world->shape.files; i++)
		error = dax_file_sync(world->files[i], DAX_SYNC_ALL, 0, 0);
	return error;
}

/* Only clean entries of files that nobody shows can be forgotten. */
static bool renew(void *state)
{
	struct world *world = state;

	if (world->shape.kind == FAULT_MKWRITE)
		return !sync_all(world);
	unmap_all(world);
	if (sync_all(world))
		return false;
	for (unsigned int i = 0; i < world->shape.files; i++)
		dax_space_evict(dax_file_space(world->files[i]));
	return !map_all(world);
}

static void close_world(void *state)
{
	struct world *world = state;

	unmap_all(world);
	for (unsigned int i = 0; i < FAULT_FILES_MAX; i++)
		dax_file_delete(&world->files[i]);
	dax_fs_delete(&world->fs);
	dax_pmem_map_delete(&world->map);
	dax_device_delete(&world->device);
	free(world);
}

static int make_fs(struct world *world)
{
	const uint64_t len =
		world->shape.files * file_bytes(world) + SPARE_BYTES;
	struct dax_fs_params params = {0};
	int error = dax_device_open_memory(len, 0, &world->device);

	if (!error)
		error = dax_pmem_map_new(
			world->device, 0, len, DAX_MAP_PMD, &world->map);
	params.map = world->map;
	if (!error)
		error = dax_fs_new(&params, &world->fs);
	for (unsigned int i = 0; !error && i < world->shape.files; i++)
		error = make_file(world, &world->files[i]);
	return error;
}

static void fault_all(struct world *world)
{
	struct fault_place place = {0};

	for (; place.table < world->shape.tables; place.table++)
		for (place.file = 0; place.file < world->shape.files;
			place.file++)
			fault(world, place, 0,
				world->shape.pages >> world->shape.order);
}

static void *open_world(const struct fault_shape *shape)
{
	struct world *world = calloc(1, sizeof(*world));
	int error;

	if (!world)
		return NULL;
	world->shape = *shape;
	error = make_fs(world);
	if (!error)
		error = map_all(world);
	if (!error && shape->kind == FAULT_MKWRITE) {
		fault_all(world);
		error = sync_all(world);
	}
	if (!error)
		return world;
	close_world(world);
	return NULL;
}

const struct fault_subject fault_daxlock = {
	.name = "daxlock",
	.page_bytes = DAX_PAGE_SIZE,
	.open = open_world,
	.close = close_world,
	.fault = fault,
	.check = check,
	.renew = renew,
};

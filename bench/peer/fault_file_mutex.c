/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A mutex a file, and flat arrays: the block map, the dirty pages, a page table
 * for each process. What one would write in an afternoon: faults on one file
 * wait for each other, the file cannot grow, holes cost memory.
 */
#include <pthread.h>
#include <stdlib.h>

#include "fault_subject.h"

#define PRESENT 1
#define WRITE	2
#define ZERO	4

struct file {
	_Alignas(64) pthread_mutex_t mutex;
	uint64_t *blocks;		    /* const; 0: a hole */
	bool *dirty;			    /* guarded by mutex */
	uint64_t *tables[FAULT_TABLES_MAX]; /* guarded by mutex */
};

struct files {
	struct fault_shape shape;
	uint64_t nr; /* leaves of a file */
	struct file files[FAULT_FILES_MAX];
};

static void store(struct file *file, uint64_t *leaf, uint64_t number)
{
	file->dirty[number] = true;
	*leaf = file->blocks[number] << 12 | PRESENT | WRITE;
}

static void load(const struct file *file, uint64_t *leaf, uint64_t number)
{
	*leaf = file->blocks[number] << 12 | PRESENT |
		(file->blocks[number] ? 0 : ZERO);
}

static void fault(
	void *state, struct fault_place place, uint64_t first, uint64_t nr)
{
	struct files *all = state;
	struct file *file = &all->files[place.file];
	uint64_t *table = file->tables[place.table];

	for (uint64_t number = first; number < first + nr; number++) {
		pthread_mutex_lock(&file->mutex);
		if (all->shape.kind == FAULT_HOLE)
			load(file, &table[number], number);
		else
			store(file, &table[number], number);
		pthread_mutex_unlock(&file->mutex);
	}
}

/* What fsync does, or unmapping. */
static void renew_leaf(struct files *all, struct file *file, uint64_t number)
{
	file->dirty[number] = false;
	for (unsigned int i = 0; i < all->shape.tables; i++)
		if (all->shape.kind == FAULT_MKWRITE)
			file->tables[i][number] &= ~(uint64_t)WRITE;
		else
			file->tables[i][number] = 0;
}

static bool renew(void *state)
{
	struct files *all = state;

	for (unsigned int i = 0; i < all->shape.files; i++)
		for (uint64_t number = 0; number < all->nr; number++)
			renew_leaf(all, &all->files[i], number);
	return true;
}

static void close_files(void *state)
{
	struct files *all = state;

	for (unsigned int i = 0; i < all->shape.files; i++) {
		struct file *file = &all->files[i];

		for (unsigned int table = 0; table < FAULT_TABLES_MAX; table++)
			free(file->tables[table]);
		free(file->dirty);
		free(file->blocks);
	}
	free(all);
}

static bool make_file(struct files *all, struct file *file)
{
	pthread_mutex_init(&file->mutex, NULL);
	file->blocks = calloc(all->nr, sizeof(*file->blocks));
	file->dirty = calloc(all->nr, sizeof(*file->dirty));
	if (!file->blocks || !file->dirty)
		return false;
	for (unsigned int i = 0; i < all->shape.tables; i++) {
		file->tables[i] = calloc(all->nr, sizeof(**file->tables));
		if (!file->tables[i])
			return false;
	}
	if (all->shape.kind != FAULT_HOLE)
		for (uint64_t number = 0; number < all->nr; number++)
			file->blocks[number] = (number + 1) << all->shape.order;
	return true;
}

static void *open_files(const struct fault_shape *shape)
{
	struct files *all = aligned_alloc(_Alignof(struct files), sizeof(*all));
	bool made = true;

	if (!all)
		return NULL;
	*all = (struct files){
		.shape = *shape, .nr = shape->pages >> shape->order};
	for (unsigned int i = 0; i < shape->files; i++)
		made = made && make_file(all, &all->files[i]);
	if (made)
		return all;
	close_files(all);
	return NULL;
}

const struct fault_subject fault_file_mutex = {
	.name = "file_mutex",
	.page_bytes = 2 * sizeof(uint64_t) + 1,
	.open = open_files,
	.close = close_files,
	.fault = fault,
	.renew = renew,
};

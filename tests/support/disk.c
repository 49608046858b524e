/* SPDX-License-Identifier: BSD-3-Clause */
#include "support/disk.h"

#include <stdlib.h>

static int setup(void **state, const char *profile)
{
	const struct dax_profile *shown = dax_profile_find(profile);
	struct disk *disk = calloc(1, sizeof(*disk));
	struct dax_fs_params params = {.profile = shown};

	assert_non_null(disk);
	assert_int_equal(
		dax_device_open_memory(DISK_PMDS * PMD, 0, &disk->device), 0);
	assert_int_equal(dax_pmem_map_new(disk->device, 0, DISK_PMDS * PMD,
				 DAX_MAP_PMD, &disk->map),
		0);
	assert_int_equal(dax_trace_new(4096, &disk->trace), 0);
	params.map = disk->map;
	params.trace = disk->trace;
	assert_int_equal(dax_fs_new(&params, &disk->fs), 0);
	assert_int_equal(dax_file_new(disk->fs, &disk->file), 0);
	assert_int_equal(dax_file_truncate(disk->file, 4 * PMD), 0);
	assert_int_equal(dax_mm_new(shown, &disk->mm), 0);
	*state = disk;
	return 0;
}

int disk_setup(void **state)
{
	return setup(state, NULL);
}

int disk_setup_6_1(void **state)
{
	return setup(state, "6.1");
}

int disk_teardown(void **state)
{
	struct disk *disk = *state;
	const char *wrong = dax_fs_verify(disk->fs);

	if (!wrong)
		wrong = dax_mm_verify(disk->mm);
	if (wrong)
		fail_msg("%s", wrong);
	dax_mm_delete(&disk->mm);
	dax_file_delete(&disk->file);
	dax_fs_delete(&disk->fs);
	dax_trace_delete(&disk->trace);
	dax_pmem_map_delete(&disk->map);
	dax_device_delete(&disk->device);
	free(disk);
	return 0;
}

uint64_t disk_map(
	struct disk *disk, uint64_t pos, uint64_t len, unsigned int flags)
{
	const struct dax_vma_params params = {
		.space = dax_file_space(disk->file),
		.pos = pos,
		.len = len,
		.flags = flags,
		.skew = pos % PMD,
	};
	uint64_t address = 0;

	assert_int_equal(dax_mmap(disk->mm, &params, &address), 0);
	return address;
}

unsigned char disk_load(struct disk *disk, uint64_t address)
{
	unsigned char byte = 0;

	assert_int_equal(dax_load(disk->mm, address, &byte, 1), 0);
	return byte;
}

void disk_store(struct disk *disk, uint64_t address, unsigned char byte)
{
	assert_int_equal(dax_store(disk->mm, address, &byte, 1), 0);
}

static struct dax_tree *tree_of(struct disk *disk)
{
	return dax_mapping_tree(dax_space_mapping(dax_file_space(disk->file)));
}

uint64_t disk_word(struct disk *disk, dax_pgoff_t index)
{
	return dax_tree_load(tree_of(disk), index);
}

bool disk_dirty(struct disk *disk, dax_pgoff_t index)
{
	return dax_tree_get_mark(tree_of(disk), index, DAX_MARK_DIRTY);
}

unsigned int disk_leaf(struct disk *disk, uint64_t address)
{
	struct dax_leaf leaf;

	dax_mm_leaf(disk->mm, address, &leaf);
	return leaf.flags;
}

unsigned int disk_count(struct disk *disk, enum dax_trace_id id)
{
	struct dax_trace_event event;
	unsigned int count = 0;

	while (dax_trace_read(disk->trace, &event))
		count += event.id == id;
	return count;
}

void disk_write(
	struct disk *disk, uint64_t pos, unsigned char byte, uint64_t len)
{
	char *bytes = malloc(len);
	size_t done = 0;

	assert_non_null(bytes);
	memset(bytes, byte, len);
	assert_int_equal(dax_file_write(disk->file, pos, bytes, len, &done), 0);
	assert_int_equal(done, len);
	free(bytes);
}

void disk_change(struct disk *disk, enum dax_file_change change, uint64_t pos,
	uint64_t len)
{
	assert_int_equal(dax_file_change(disk->file, change, pos, len), 0);
}

void disk_sync(struct disk *disk)
{
	assert_int_equal(dax_file_sync(disk->file, DAX_SYNC_ALL, 0, 0), 0);
}

struct dax_file *disk_fill(struct disk *disk, uint64_t left)
{
	const uint64_t take = dax_fs_free_blocks(disk->fs) - left;
	struct dax_file *file;

	assert_int_equal(dax_file_new(disk->fs, &file), 0);
	assert_int_equal(
		dax_file_change(file, DAX_FILE_ALLOCATE, 0, take * PAGE), 0);
	assert_int_equal(dax_fs_free_blocks(disk->fs), left);
	return file;
}

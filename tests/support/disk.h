/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A small device in memory with a file system, one file and one address space,
 * and every event that happens on them. A test's teardown checks that blocks,
 * extents, entries and page tables tell the same story.
 */
#ifndef SUPPORT_DISK_H
#define SUPPORT_DISK_H

#include <errno.h>
#include <string.h>

#include "daxlock.h"
#include "support/cmocka.h"

#define PAGE	  DAX_PAGE_SIZE
#define PMD_PAGES ((uint64_t)1 << DAX_PMD_ORDER)
#define PMD	  (PMD_PAGES * PAGE)

/* What the device has room for. */
#define DISK_PMDS 16

struct disk {
	struct dax_device *device;
	struct dax_pmem_map *map;
	struct dax_trace *trace;
	struct dax_fs *fs;
	struct dax_file *file;
	struct dax_mm *mm;
};

/* cmocka fixtures: *state is a struct disk, with a file of 4 PMDs. */
int disk_setup(void **state);
int disk_setup_6_1(void **state);
int disk_teardown(void **state);

/* Maps @len bytes of @disk's file from @pos. */
uint64_t disk_map(
	struct disk *disk, uint64_t pos, uint64_t len, unsigned int flags);

/* All of it, shared and writable, and @more flags. */
static inline uint64_t disk_map_all(struct disk *disk, unsigned int more)
{
	return disk_map(
		disk, 0, 4 * PMD, DAX_VMA_SHARED | DAX_VMA_WRITE | more);
}

#define DISK_SHARED (DAX_VMA_SHARED | DAX_VMA_WRITE)

unsigned char disk_load(struct disk *disk, uint64_t address);
void disk_store(struct disk *disk, uint64_t address, unsigned char byte);

/* The raw word of a page's entry; and is it dirty. */
uint64_t disk_word(struct disk *disk, dax_pgoff_t index);
bool disk_dirty(struct disk *disk, dax_pgoff_t index);
unsigned int disk_leaf(struct disk *disk, uint64_t address);

/* How often @id happened since the last call; forgets all events. */
unsigned int disk_count(struct disk *disk, enum dax_trace_id id);

void disk_write(
	struct disk *disk, uint64_t pos, unsigned char byte, uint64_t len);
void disk_change(struct disk *disk, enum dax_file_change change, uint64_t pos,
	uint64_t len);
void disk_sync(struct disk *disk);

/* Takes every free block but @left, into a file of its own. */
struct dax_file *disk_fill(struct disk *disk, uint64_t left);

#endif

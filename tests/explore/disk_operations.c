/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A file of one PMD that is shown by an address space, and perhaps a clone of
 * it that is not. What is in its pages only gains bits, but for FOREIGN, which
 * is the clone's: whoever sees that in the file sees a block that is not the
 * file's any more.
 */
#include "explore/disk_operations.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daxlock/fault.h"
#include "daxlock/file.h"
#include "explore/word_device.h"

#define PAGE	DAX_PAGE_SIZE
#define PMD	((uint64_t)PMD_PAGES << DAX_PAGE_SHIFT)
#define LAST	(PMD_PAGES - 1)

#define OLD	1 /* what each page has in the beginning, */
#define NEW	3 /* what is stored in the file, */
#define FOREIGN 8 /* and in the clone */

#define HUGE	(DAX_VMA_SHARED | DAX_VMA_WRITE)
#define SMALL	(HUGE | DAX_VMA_NOHUGEPAGE)

struct disk {
	struct dax_pmem_map device;
	struct dax_waitq_table *waitqs;
	struct dax_fs *fs;
	struct dax_file *file;
	struct dax_file *clone; /* NULL: there is none */
	struct dax_mm *mm;
	uint64_t address;
	struct sync_u64 certain[PMD_PAGES]; /* bits that a page has */
};

/* ---- operations ---- */

/* @word was seen in page @page, where @certain had been before. */
static void check_word(uint64_t word, uint64_t certain)
{
	dax_explore_check((word & certain) == certain,
		"whoever looks sees what was there before");
	dax_explore_check(!(word & FOREIGN),
		"whoever looks sees nothing of another file");
}

static uint64_t certain_of(struct disk *disk, long page)
{
	return sync_load(&disk->certain[page], memory_order_acquire);
}

static void load(void *context, long page)
{
	struct disk *disk = context;
	const uint64_t certain = certain_of(disk, page);
	const uint64_t address = disk->address + (uint64_t)page * PAGE;
	uint64_t word;

	if (dax_load(disk->mm, address, &word, sizeof(word)))
		abort();
	check_word(word, certain);
}

static void store(void *context, long page)
{
	struct disk *disk = context;
	const uint64_t address = disk->address + (uint64_t)page * PAGE;
	const uint64_t word = NEW;

	if (dax_store(disk->mm, address, &word, sizeof(word)))
		abort();
	sync_store(&disk->certain[page], NEW, memory_order_release);
}

static void read_word(void *context, long page)
{
	struct disk *disk = context;
	const uint64_t certain = certain_of(disk, page);
	uint64_t word;
	size_t done;

	if (dax_file_read(disk->file, (uint64_t)page * PAGE, &word,
		    sizeof(word), &done))
		abort();
	check_word(word, certain);
}

static void write_to(struct dax_file *file, long page, uint64_t word)
{
	size_t done;

	if (dax_file_write(
		    file, (uint64_t)page * PAGE, &word, sizeof(word), &done))
		abort();
}

static void write_word(void *context, long page)
{
	struct disk *disk = context;

	write_to(disk->file, page, NEW);
	sync_store(&disk->certain[page], NEW, memory_order_release);
}

/* Two pages, which show whose write was the last. */
static void write_pair(void *context, long word)
{
	struct disk *disk = context;
	uint64_t pages[2 * PAGE / sizeof(uint64_t)] = {0};
	size_t done;

	pages[0] = pages[PAGE / sizeof(uint64_t)] = (uint64_t)word;
	if (dax_file_write(disk->file, 0, pages, sizeof(pages), &done))
		abort();
}

static void write_clone(void *context, long page)
{
	struct disk *disk = context;

	if (disk->clone)
		write_to(disk->clone, page, OLD | FOREIGN);
}

static void unshare_all(void *context, long of_clone)
{
	struct disk *disk = context;
	struct dax_file *file = of_clone ? disk->clone : disk->file;

	if (file && dax_file_unshare(file, 0, PMD))
		abort();
}

/* From the file to the clone. What was stored in one of them only differs. */
static void dedupe(void *context, long page)
{
	struct disk *disk = context;
	const uint64_t pos = (uint64_t)page * PAGE;
	int error;

	if (!disk->clone)
		return;
	error = dax_file_dedupe(disk->file, pos, disk->clone, pos, PAGE);
	if (error && error != -EBADE)
		abort();
}

static void check_durable(struct disk *disk, unsigned int page)
{
	const uint64_t certain = certain_of(disk, page);
	struct dax_extent extent;
	uint64_t durable;

	if (dax_file_sync(disk->file, DAX_SYNC_ALL, 0, 0))
		abort();
	dax_file_extent(disk->file, page, &extent);
	if (extent.type != DAX_IOMAP_MAPPED)
		return;
	durable = sync_load(&disk->device.durable[extent.pfn - DAX_PFN_BASE],
		memory_order_acquire);
	dax_explore_check((durable & certain) == certain,
		"a sync makes durable what was stored before");
}

static void sync_all(void *context, long page)
{
	check_durable(context, (unsigned int)page);
}

static const struct operation_kind operations[] = {
	{"disk-load", load, 0},
	{"disk-load-last", load, LAST},
	{"disk-store", store, 0},
	{"disk-store-last", store, LAST},
	{"disk-read", read_word, 0},
	{"disk-write", write_word, 0},
	{"disk-write-last", write_word, LAST},
	{"disk-write-a", write_pair, NEW | 16},
	{"disk-write-b", write_pair, NEW | 32},
	{"disk-write-clone", write_clone, 0},
	{"disk-unshare", unshare_all, 0},
	{"disk-unshare-clone", unshare_all, 1},
	{"disk-dedupe", dedupe, 0},
	{"disk-sync", sync_all, 0},
};

const struct operation_kind *disk_operation(unsigned int i)
{
	return i < sizeof(operations) / sizeof(operations[0]) ? &operations[i]
							      : NULL;
}

const struct operation_kind *disk_operation_named(const char *name)
{
	const struct operation_kind *kind;

	for (unsigned int i = 0; (kind = disk_operation(i)); i++)
		if (!strcmp(kind->name, name))
			break;
	return kind;
}

/* ---- starting states ---- */

struct disk_state {
	struct state_kind kind;
	unsigned int flags; /* of the area */
	void (*before)(struct disk *disk);
};

static void written(struct disk *disk)
{
	for (long page = 0; page <= (long)LAST; page++) {
		write_to(disk->file, page, OLD);
		sync_store(&disk->certain[page], OLD, memory_order_release);
	}
}

static void cloned(struct disk *disk)
{
	written(disk);
	if (dax_file_clone(disk->file, &disk->clone))
		abort();
}

static void cloned_and_shown(struct disk *disk)
{
	cloned(disk);
	load(disk, 0);
}

/* Both have the same in blocks of their own, and the first page of the file can
 * be stored to without a fault. */
static void equal_and_shown(struct disk *disk)
{
	const uint64_t old = OLD;

	cloned(disk);
	unshare_all(disk, 0);
	if (dax_store(disk->mm, disk->address, &old, sizeof(old)))
		abort();
}

/* The first page is the file's alone, and a PMD entry is dirty through it. */
static void cloned_and_dirty(struct disk *disk)
{
	cloned(disk);
	if (dax_file_change(disk->clone, DAX_FILE_PUNCH, 0, PAGE))
		abort();
	load(disk, 0);
	store(disk, 0);
}

static void disk_body(const struct combination *combination);

static const struct disk_state states[] = {
	{{"disk-hole", NULL, disk_body}, SMALL, NULL},
	{{"disk-written", NULL, disk_body}, SMALL, written},
	{{"disk-cloned", NULL, disk_body}, SMALL, cloned},
	{{"disk-equal", NULL, disk_body}, SMALL, equal_and_shown},
	{{"disk-pmd-cloned", NULL, disk_body}, HUGE, cloned_and_shown},
	{{"disk-pmd-dirty", NULL, disk_body}, HUGE, cloned_and_dirty},
};

const struct state_kind *disk_state(unsigned int i)
{
	return i < sizeof(states) / sizeof(states[0]) ? &states[i].kind : NULL;
}

const struct state_kind *disk_state_named(const char *name)
{
	const struct state_kind *kind;

	for (unsigned int i = 0; (kind = disk_state(i)); i++)
		if (!strcmp(kind->name, name))
			break;
	return kind;
}

/* ---- scenarios ---- */

static void setup_disk(struct disk *disk, const struct combination *combination)
{
	const struct disk_state *state =
		(const struct disk_state *)combination->state;
	struct dax_fs_params fs = {.map = &disk->device};
	struct dax_vma_params vma = {.len = PMD, .flags = state->flags};

	if (dax_waitq_table_new(combination->queues, 1, &disk->waitqs))
		abort();
	fs.waitqs = disk->waitqs;
	if (dax_fs_new(&fs, &disk->fs) || dax_file_new(disk->fs, &disk->file) ||
		dax_file_truncate(disk->file, PMD) ||
		dax_mm_new(NULL, &disk->mm))
		abort();
	vma.space = dax_file_space(disk->file);
	if (dax_mmap(disk->mm, &vma, &disk->address))
		abort();
	if (state->before)
		state->before(disk);
}

static uint64_t word_in(struct dax_file *file, uint64_t page)
{
	uint64_t word = 0;
	size_t done;

	if (dax_file_read(file, page * PAGE, &word, sizeof(word), &done))
		abort();
	return word;
}

static bool are_pairs_alone(const struct combination *combination)
{
	for (unsigned int i = 0; i < combination->nr; i++)
		if (combination->operations[i]->function != write_pair)
			return false;
	return true;
}

static void check_disk(struct disk *disk, const struct combination *combination)
{
	const char *wrong = dax_fs_verify(disk->fs);

	if (!wrong)
		wrong = dax_mm_verify(disk->mm);
	dax_explore_check(!wrong, wrong ? wrong : "");
	for (long page = 0; page <= (long)LAST; page++) {
		load(disk, page);
		read_word(disk, page);
		check_durable(disk, (unsigned int)page);
	}
	if (are_pairs_alone(combination))
		dax_explore_check(
			word_in(disk->file, 0) == word_in(disk->file, 1),
			"of two writes, one is the last");
	if (disk->clone)
		dax_explore_check(
			!(word_in(disk->clone, 0) & NEW & ~OLD) &&
				!(word_in(disk->clone, LAST) & NEW & ~OLD),
			"the clone has nothing of the file");
}

static void disk_body(const struct combination *combination)
{
	struct disk disk = {0};

	setup_disk(&disk, combination);
	for (unsigned int i = 0; i < combination->nr; i++)
		dax_explore_thread(combination->operations[i]->name,
			combination->operations[i]->function, &disk,
			combination->operations[i]->argument);
	dax_explore_run();
	check_disk(&disk, combination);
	dax_mm_delete(&disk.mm);
	dax_file_delete(&disk.clone);
	dax_file_delete(&disk.file);
	dax_fs_delete(&disk.fs);
	dax_waitq_table_delete(&disk.waitqs);
}

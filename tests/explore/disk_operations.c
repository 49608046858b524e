/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A file of one PMD, and perhaps a clone of it, both shown by an address space.
 * What is in their pages only gains bits, each file's its own, besides OLD:
 * whoever sees FOREIGN in the file, or the file's bits in the clone, sees a
 * block that is the other's.
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
	uint64_t clone_address;
	uint64_t first_pfn; /* of page 0 of both, in the beginning */
	struct sync_u64 certain[PMD_PAGES]; /* bits that a page has */
	bool is_punched; /* page 0, perhaps: then nothing is certain of it */
	bool is_bad;	 /* page 0, perhaps: then what wants it may fail */
	bool is_cut;	 /* the clone, perhaps: so may what wants it */
	uint64_t had[PMD_PAGES];       /* what the file had before */
	uint64_t clone_had[PMD_PAGES]; /* and the clone */
};

static uint64_t word_in(struct dax_file *file, uint64_t page)
{
	uint64_t word = 0;
	size_t done;

	if (dax_file_read(file, page * PAGE, &word, sizeof(word), &done))
		abort();
	return word;
}

/* ---- operations ---- */

/* @word was seen in page @page, where @certain had been before. */
static void check_word(uint64_t word, uint64_t certain)
{
	dax_explore_check((word & certain) == certain,
		"whoever looks sees what was there before");
	dax_explore_check(!(word & FOREIGN),
		"whoever looks sees nothing of another file");
}

/* True: it was not done, as may be here. */
static bool failed(const struct disk *disk, int error)
{
	if (error && !(error == -EHWPOISON && disk->is_bad) &&
		!(error == -EIO && disk->is_cut))
		abort();
	return error;
}

static uint64_t certain_of(struct disk *disk, long page)
{
	if (!page && disk->is_punched)
		return 0;
	return sync_load(&disk->certain[page], memory_order_acquire);
}

static void load(void *context, long page)
{
	struct disk *disk = context;
	const uint64_t certain = certain_of(disk, page);
	const uint64_t address = disk->address + (uint64_t)page * PAGE;
	uint64_t word;

	if (!failed(disk, dax_load(disk->mm, address, &word, sizeof(word))))
		check_word(word, certain);
}

static void store(void *context, long page)
{
	struct disk *disk = context;
	const uint64_t address = disk->address + (uint64_t)page * PAGE;
	const uint64_t word = NEW;

	if (!failed(disk, dax_store(disk->mm, address, &word, sizeof(word))))
		sync_store(&disk->certain[page], NEW, memory_order_release);
}

static void read_word(void *context, long page)
{
	struct disk *disk = context;
	const uint64_t certain = certain_of(disk, page);
	uint64_t word;
	size_t done;

	if (!failed(disk, dax_file_read(disk->file, (uint64_t)page * PAGE,
				  &word, sizeof(word), &done)))
		check_word(word, certain);
}

static bool write_to(
	struct disk *disk, struct dax_file *file, long page, uint64_t word)
{
	size_t done;

	return !failed(disk, dax_file_write(file, (uint64_t)page * PAGE, &word,
				     sizeof(word), &done));
}

static void write_word(void *context, long page)
{
	struct disk *disk = context;

	if (write_to(disk, disk->file, page, NEW))
		sync_store(&disk->certain[page], NEW, memory_order_release);
}

/* Two pages, which show whose write was the last. */
static void write_pair(void *context, long word)
{
	struct disk *disk = context;
	uint64_t pages[2 * PAGE / sizeof(uint64_t)] = {0};
	size_t done;

	pages[0] = pages[PAGE / sizeof(uint64_t)] = (uint64_t)word;
	failed(disk,
		dax_file_write(disk->file, 0, pages, sizeof(pages), &done));
}

static void write_clone(void *context, long page)
{
	struct disk *disk = context;

	if (disk->clone)
		write_to(disk, disk->clone, page, OLD | FOREIGN);
}

/* ---- to the clone as it is shown ---- */

static void check_clone_word(const struct disk *disk, long page, uint64_t word)
{
	const uint64_t had = disk->clone_had[page];

	dax_explore_check((word & had) == had || disk->is_cut,
		"whoever looks at the clone sees what was there before");
	dax_explore_check(!(word & NEW & ~OLD),
		"whoever looks at the clone sees nothing of the file");
}

static void load_clone(void *context, long page)
{
	struct disk *disk = context;
	uint64_t word;

	if (disk->clone && !failed(disk, dax_load(disk->mm,
						 disk->clone_address +
							 (uint64_t)page * PAGE,
						 &word, sizeof(word))))
		check_clone_word(disk, page, word);
}

static void store_clone(void *context, long page)
{
	struct disk *disk = context;
	const uint64_t word = OLD | FOREIGN;

	if (disk->clone)
		failed(disk,
			dax_store(disk->mm,
				disk->clone_address + (uint64_t)page * PAGE,
				&word, sizeof(word)));
}

/* ---- to what both have ---- */

/* What file and clone had in the beginning; page 0. */
static uint64_t pinned_word(const struct disk *disk, long of_clone)
{
	if (of_clone)
		return disk->clone_had[0];
	return disk->is_punched ? 0 : disk->had[0];
}

/* A block that is given out again is all zeros for a while. */
static void pin(void *context, long of_clone)
{
	struct disk *disk = context;
	const struct dax_pin_params params = {
		.address = of_clone ? disk->clone_address : disk->address,
		.nr = 1,
	};
	struct dax_pinned page;
	uint64_t word;
	size_t done;
	int error;

	if (of_clone && !disk->clone)
		return;
	error = dax_pin_pages(disk->mm, &params, &page, &done);
	/* A hole. */
	if (error == -EOPNOTSUPP || failed(disk, error))
		return;
	word = pinned_word(disk, of_clone);
	for (unsigned int i = 0; i < 2; i++) {
		const uint64_t had = word;

		word = sync_load(page.bytes, memory_order_acquire);
		dax_explore_check(
			(word & had) == had, "what is pinned is no free block");
	}
	dax_unpin_pages(&page, 1);
}

static void punch(void *context, long unused)
{
	struct disk *disk = context;

	(void)unused;
	if (dax_file_change(disk->file, DAX_FILE_PUNCH, 0, PAGE))
		abort();
}

static void cut_clone(void *context, long unused)
{
	struct disk *disk = context;

	(void)unused;
	if (disk->clone && dax_file_truncate(disk->clone, 0))
		abort();
}

static void check_not_shown(struct disk *disk, uint64_t address)
{
	struct dax_leaf leaf;

	dax_mm_leaf(disk->mm, address, &leaf);
	dax_explore_check(!leaf.flags || leaf.pfn != disk->first_pfn,
		"a page that is bad is shown by none of the files that have "
		"it");
}

static void memory_failure(void *context, long unused)
{
	struct disk *disk = context;

	(void)unused;
	if (!disk->first_pfn)
		return;
	dax_fs_memory_failure(disk->fs, disk->first_pfn, 1);
	check_not_shown(disk, disk->address);
	if (disk->clone)
		check_not_shown(disk, disk->clone_address);
}

static void unshare_all(void *context, long of_clone)
{
	struct disk *disk = context;
	struct dax_file *file = of_clone ? disk->clone : disk->file;

	if (file)
		failed(disk, dax_file_unshare(file, 0, PMD));
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
	/* What was cut has no such page. */
	if (error != -EBADE && !(error == -EINVAL && disk->is_cut))
		failed(disk, error);
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
	{"disk-load-clone", load_clone, 0},
	{"disk-store-clone", store_clone, 0},
	{"disk-store-last-clone", store_clone, LAST},
	{"disk-pin", pin, 0},
	{"disk-pin-clone", pin, 1},
	{"disk-punch", punch, 0},
	{"disk-cut-clone", cut_clone, 0},
	{"disk-memory-failure", memory_failure, 0},
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
		write_to(disk, disk->file, page, OLD);
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

static uint64_t map_file(
	struct disk *disk, struct dax_file *file, unsigned int flags)
{
	const struct dax_vma_params vma = {
		.space = dax_file_space(file), .len = PMD, .flags = flags};
	uint64_t address;

	if (dax_mmap(disk->mm, &vma, &address))
		abort();
	return address;
}

static bool has_operation(const struct combination *combination,
	void (*function)(void *disk, long argument))
{
	for (unsigned int i = 0; i < combination->nr; i++)
		if (combination->operations[i]->function == function)
			return true;
	return false;
}

static bool is_clone_shown(const struct combination *combination)
{
	return has_operation(combination, load_clone) ||
	       has_operation(combination, store_clone) ||
	       has_operation(combination, pin) ||
	       has_operation(combination, memory_failure);
}

static void expect(struct disk *disk, const struct combination *combination)
{
	struct dax_extent first;

	dax_file_extent(disk->file, 0, &first);
	disk->first_pfn = first.pfn;
	for (uint64_t page = 0; page <= LAST; page++) {
		disk->had[page] = word_in(disk->file, page);
		if (disk->clone)
			disk->clone_had[page] = word_in(disk->clone, page);
	}
	disk->is_punched = has_operation(combination, punch);
	disk->is_bad = has_operation(combination, memory_failure);
	disk->is_cut = has_operation(combination, cut_clone);
}

static void setup_disk(struct disk *disk, const struct combination *combination)
{
	const struct disk_state *state =
		(const struct disk_state *)combination->state;
	struct dax_fs_params fs = {.map = &disk->device};

	if (dax_waitq_table_new(combination->queues, 1, &disk->waitqs))
		abort();
	fs.waitqs = disk->waitqs;
	if (dax_fs_new(&fs, &disk->fs) || dax_file_new(disk->fs, &disk->file) ||
		dax_file_truncate(disk->file, PMD) ||
		dax_mm_new(NULL, &disk->mm))
		abort();
	disk->address = map_file(disk, disk->file, state->flags);
	if (state->before)
		state->before(disk);
	if (disk->clone && is_clone_shown(combination))
		disk->clone_address = map_file(disk, disk->clone, state->flags);
	expect(disk, combination);
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
	dax_fs_set_poison(disk->fs, 0, 0);
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

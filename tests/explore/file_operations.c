/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A file of one PMD, or one PUD, on a small file system of its own, shown by
 * two address spaces. A page is one word, its first (lib/space/bytes_first.c);
 * what is said of bytes is said of that of page 0. It only ever gains bits:
 * what is seen, or durable, has all that an operation left there that was over
 * before.
 */
#include "explore/file_operations.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daxlock/fault.h"
#include "daxlock/writeback.h"
#include "space/space.h"

#define BLOCK	(1ul << DAX_PUD_ORDER) /* of page 0; others follow it */

#define OLD	1 /* what page 0 has in the beginning, */
#define NEW	3 /* and what is stored and written */
#define COPY	5 /* what is stored in a private copy */

#define HUGE	(DAX_VMA_SHARED | DAX_VMA_WRITE)
#define SMALL	(HUGE | DAX_VMA_NOHUGEPAGE)
#define PRIVATE DAX_VMA_WRITE

#define NR_MMS	2

struct file {
	struct dax_space *space;
	struct dax_waitq_table *waitqs;
	unsigned int order;	 /* of the file: all its pages */
	struct dax_pgmap *pgmap; /* of its storage; NULL: not counted */
	struct dax_mm *mm[NR_MMS];
	uint64_t address[NR_MMS];
	struct sync_u64 block;	/* BLOCK; 0: a hole */
	struct sync_u64 is_bad; /* BLOCK */
	bool is_gone;		/* the storage */
	struct sync_u64 words[PMD_PAGES];
	struct sync_u64 durable;
	struct dax_page_owner other; /* another file on the device */
	struct sync_u64 is_reused;   /* the other has BLOCK just now */
	struct sync_u64 pins;
	struct dax_pinned pinned; /* since before */
	struct sync_u64 certain;  /* that page 0 has */
	bool is_private;	  /* stores make copies */
	bool is_punched;	  /* perhaps: then nothing is certain */
	bool is_killed;		  /* perhaps: then accesses may fail, too */
};

/* ---- a file system ---- */

static dax_pgoff_t last_page(const struct file *file)
{
	return (1ul << file->order) - 1;
}

static uint64_t file_size(void *owner)
{
	const struct file *file = owner;

	return DAX_PAGE_SIZE << file->order;
}

/* True: there was a hole. */
static bool allocate(struct file *file)
{
	return !sync_swap(&file->block, BLOCK, memory_order_acq_rel);
}

static int iomap_begin(
	void *owner, enum dax_iomap_use use, struct dax_iomap *iomap)
{
	struct file *file = owner;
	const bool write = use == DAX_IOMAP_WRITE;

	if (write && allocate(file))
		iomap->flags = DAX_IOMAP_NEW;
	iomap->pfn = BLOCK + (iomap->pos >> DAX_PAGE_SHIFT);
	iomap->type = write || sync_load(&file->block, memory_order_acquire)
			      ? DAX_IOMAP_MAPPED
			      : DAX_IOMAP_HOLE;
	return 0;
}

static void iomap_end(void *owner, const struct dax_iomap *iomap)
{
	(void)owner;
	(void)iomap;
}

static void use_storage(const struct file *file)
{
	dax_explore_check(
		!file->is_gone, "storage that is gone is not used any more");
}

static int direct_access(void *owner, uint64_t pfn, uint64_t nr, void **address)
{
	struct file *file = owner;

	(void)nr;
	use_storage(file);
	if (file->pgmap && sync_load(&file->is_bad, memory_order_relaxed))
		return -EHWPOISON;
	*address = &file->words[pfn - BLOCK];
	return 0;
}

static int flush(void *owner, uint64_t pfn, uint64_t nr)
{
	struct file *file = owner;

	(void)nr;
	use_storage(file);
	if (pfn == BLOCK)
		sync_or(&file->durable,
			sync_load(&file->words[0], memory_order_acquire),
			memory_order_acq_rel);
	return 0;
}

static int sync_nothing(void *owner)
{
	(void)owner;
	return 0;
}

static bool make_no_room(void *owner)
{
	(void)owner;
	return false;
}

static const struct dax_space_ops file_ops = {
	.size = file_size,
	.iomap_begin = iomap_begin,
	.iomap_end = iomap_end,
	.direct_access = direct_access,
	.flush = flush,
	.sync = sync_nothing,
	.make_room = make_no_room,
};

/* ---- operations ---- */

/* False: the access failed, as it may. */
static bool succeeded(const struct file *file, int error)
{
	if (error && !(error == -EIO && file->is_killed) && error != -EHWPOISON)
		abort();
	return !error;
}

static void load(void *context, long mm)
{
	struct file *file = context;
	const uint64_t certain =
		sync_load(&file->certain, memory_order_acquire);
	uint64_t word;

	if (succeeded(file, dax_load(file->mm[mm], file->address[mm], &word,
				    sizeof(word))))
		dax_explore_check(
			file->is_punched || (word & certain) == certain,
			"a load sees what was there before");
}

static bool store_word(struct file *file, long mm, uint64_t word)
{
	return succeeded(file, dax_store(file->mm[mm], file->address[mm], &word,
				       sizeof(word)));
}

static void store(void *context, long mm)
{
	struct file *file = context;

	if (store_word(file, mm, NEW) && !file->is_private)
		sync_store(&file->certain, NEW, memory_order_release);
}

/* Without the access, which would have to be tried again. */
static void fault(void *context, long access)
{
	struct file *file = context;

	if (dax_fault(file->mm[0], file->address[0],
		    (enum dax_access_type)access, NULL) &
			DAX_FAULT_ERROR &&
		!file->is_killed)
		abort();
}

/* Alone: nobody takes away what the fault brings. */
static void store_fault_surely(void *context, long unused)
{
	struct file *file = context;
	struct dax_leaf leaf;

	(void)unused;
	fault(file, DAX_STORE);
	dax_mm_leaf(file->mm[0], file->address[0], &leaf);
	dax_explore_check(leaf.flags & DAX_LEAF_WRITE,
		"a fault brings what the store needs");
}

static void fsync_all(void *context, long unused)
{
	struct file *file = context;
	const uint64_t certain =
		sync_load(&file->certain, memory_order_acquire);

	(void)unused;
	if (dax_fsync_range(file->space, 0, last_page(file)))
		abort();
	if (file->is_punched || file->is_killed)
		return;
	dax_explore_check((sync_load(&file->durable, memory_order_acquire) &
				  certain) == certain,
		"an fsync makes durable what was stored before");
}

/* As write(2), which is durable at once. */
static void write_bytes(void *context, long unused)
{
	struct file *file = context;
	const struct space_range all = {0, last_page(file)};

	(void)unused;
	if (allocate(file))
		dax_invalidate_inode_pages2_range(
			file->space, all.first, all.last);
	else
		space_hide_zero_pages(file->space, all);
	sync_store(&file->words[0], NEW, memory_order_release);
	sync_or(&file->durable, NEW, memory_order_acq_rel);
	sync_store(&file->certain, NEW, memory_order_release);
}

/* The storage is free, and another file gets it. */
static void use_again(struct file *file)
{
	const struct dax_page_owner *other = &file->other;

	dax_explore_check(!sync_load(&file->pins, memory_order_relaxed),
		"no storage is given away under a pin");
	if (dax_page_associate(
		    file->pgmap, BLOCK, DAX_PTE_ORDER, other, DAX_PAGE_SOLE))
		abort();
	sync_store(&file->is_reused, 1, memory_order_relaxed);
	sync_store(&file->is_reused, 0, memory_order_relaxed);
	dax_page_put(file->pgmap, BLOCK);
	while (dax_page_dissociate(file->pgmap, BLOCK, other))
		if (dax_page_wait_idle(file->pgmap, BLOCK, NULL))
			abort();
}

static void give_block_away(struct file *file)
{
	dax_truncate_pagecache_range(
		file->space, 0, last_page(file), DAX_TRUNCATE_KEEP_COPIES);
	if (file->pgmap)
		use_again(file);
	sync_store(&file->block, 0, memory_order_release);
}

static void punch(void *context, long mode)
{
	const struct dax_break how = {
		.last = UINT64_MAX, .mode = (enum dax_break_mode)mode};
	struct file *file = context;
	int error;

	dax_filemap_invalidate_lock(file->space);
	error = dax_break_layouts(file->space, &how);
	dax_explore_check(
		!error || (error == -ERESTART && how.mode == DAX_BREAK_TRY),
		"storage is free, unless nobody was to wait for it");
	if (!error)
		give_block_away(file);
	dax_filemap_invalidate_unlock(file->space);
}

static int pin(struct file *file, struct dax_pin_params params,
	struct dax_pinned *page)
{
	size_t done;

	params.address = file->address[0];
	params.nr = 1;
	return dax_pin_pages(file->mm[0], &params, page, &done);
}

static void unpin(struct file *file, struct dax_pinned *page)
{
	sync_sub(&file->pins, 1, memory_order_relaxed);
	dax_unpin_pages(page, 1);
}

/* A hole has no page. */
static void pin_pages(void *context, long flags)
{
	struct file *file = context;
	struct dax_pinned page;
	const int error = pin(file,
		(struct dax_pin_params){.flags = (unsigned int)flags}, &page);

	dax_explore_check(!error || error == -EAGAIN || error == -EOPNOTSUPP,
		"what is shown can be pinned");
	if (error)
		return;
	sync_add(&file->pins, 1, memory_order_relaxed);
	use_storage(file);
	dax_explore_check(!sync_load(&file->is_reused, memory_order_relaxed),
		"what is pinned is the file's");
	unpin(file, &page);
}

/* ---- what is left where nothing is taken away after all: alone ---- */

static void break_alone(struct file *file)
{
	dax_filemap_invalidate_lock(file->space);
	if (dax_break_layouts(file->space, NULL))
		abort();
	dax_filemap_invalidate_unlock(file->space);
}

static void break_and_count(void *context, long unused)
{
	struct file *file = context;

	(void)unused;
	break_alone(file);
	dax_explore_check(!dax_page_count(file->pgmap, BLOCK),
		"an entry that may go holds no page");
}

static void break_and_look(void *context, long unused)
{
	struct file *file = context;
	struct dax_mapping *m = dax_space_mapping(file->space);

	(void)unused;
	break_alone(file);
	dax_explore_check(
		dax_is_zapped_entry(dax_tree_load(dax_mapping_tree(m), 0)),
		"an entry that holds no page says so");
}

static void break_and_kill_pages(void *context, long unused)
{
	struct file *file = context;
	uint64_t word;

	(void)unused;
	break_alone(file);
	dax_pgmap_kill(file->pgmap);
	dax_explore_check(dax_load(file->mm[0], file->address[0], &word,
				  sizeof(word)) == -EIO,
		"a fault asks for the page, and a dying device refuses it");
}

/* Alone: nothing makes it clean again. */
static void pin_to_write(void *context, long unused)
{
	struct file *file = context;

	(void)unused;
	pin_pages(file, DAX_PIN_WRITE);
	dax_explore_check(dax_tree_get_mark(dax_mapping_tree(dax_space_mapping(
						    file->space)),
				  0, DAX_MARK_DIRTY),
		"what is pinned for writing is dirty");
}

static void pin_longterm(void *context, long unused)
{
	struct file *file = context;
	struct dax_pinned page;

	(void)unused;
	dax_explore_check(
		pin(file, (struct dax_pin_params){.term = DAX_PIN_LONGTERM},
			&page) == -EOPNOTSUPP,
		"no page of a file is pinned for as long as somebody likes");
}

static void unpin_pages(void *context, long unused)
{
	struct file *file = context;

	(void)unused;
	unpin(file, &file->pinned);
}

static void check_not_shown(struct file *file, unsigned int i)
{
	struct dax_leaf leaf;

	dax_mm_leaf(file->mm[i], file->address[i], &leaf);
	dax_explore_check(
		!leaf.flags, "storage that is gone, or bad, is not shown");
}

static void kill_storage(void *context, long unused)
{
	struct file *file = context;

	(void)unused;
	dax_space_kill(file->space);
	dax_explore_check(!sync_load(&file->pins, memory_order_relaxed),
		"no storage goes away under a pin");
	file->is_gone = true;
}

static void evict(void *context, long unused)
{
	struct file *file = context;

	(void)unused;
	dax_space_evict(file->space);
}

/* As memory failure, which knows the page alone. */
static void lock_page(void *context, long unused)
{
	struct file *file = context;
	struct dax_page_lock lock;

	(void)unused;
	if (dax_lock_page(file->pgmap, BLOCK, &lock))
		return;
	dax_explore_check(!lock.index && dax_to_pfn(lock.entry) == BLOCK,
		"who locks for a page gets the entry that has it");
	dax_unlock_page(&lock);
}

static void memory_failure(void *context, long unused)
{
	struct file *file = context;

	(void)unused;
	sync_store(&file->is_bad, 1, memory_order_relaxed);
	dax_unmap_pages(file->pgmap, BLOCK, 1);
	for (unsigned int i = 0; i < NR_MMS; i++)
		check_not_shown(file, i);
}

static void delete_file(struct file *file)
{
	for (unsigned int i = 0; i < NR_MMS; i++)
		dax_mm_delete(&file->mm[i]);
	dax_space_delete(&file->space);
}

static void delete_now(void *context, long unused)
{
	struct file *file = context;

	(void)unused;
	delete_file(file);
	dax_explore_check(!sync_load(&file->pins, memory_order_relaxed),
		"no storage is given away under a pin");
}

/* The last one who uses it. */
static void lock_and_delete(void *context, long unused)
{
	struct file *file = context;
	dax_entry_t entry;

	(void)unused;
	if (dax_lock_entry(dax_space_mapping(file->space), 0, &entry))
		abort();
	dax_unlock_entry(dax_space_mapping(file->space), 0, entry);
	delete_file(file);
}

static const struct operation_kind operations[] = {
	{"load", load, 0},
	{"store", store, 0},
	{"load-1", load, 1},
	{"store-1", store, 1},
	{"load-fault", fault, DAX_LOAD},
	{"store-fault", fault, DAX_STORE},
	{"store-surely", store_fault_surely, 0},
	{"fsync", fsync_all, 0},
	{"write", write_bytes, 0},
	{"punch", punch, DAX_BREAK_WAIT},
	{"punch-unless-pinned", punch, DAX_BREAK_TRY},
	{"evict", evict, 0},
	{"kill", kill_storage, 0},
	{"lock-page", lock_page, 0},
	{"memory-failure", memory_failure, 0},
	{"lock-and-delete", lock_and_delete, 0},
	{"pin-pages", pin_pages, 0},
	{"pin-pages-fast", pin_pages, DAX_PIN_FAST},
	{"pin-to-write", pin_to_write, 0},
	{"pin-longterm", pin_longterm, 0},
	{"unpin-pages", unpin_pages, 0},
	{"break-and-count", break_and_count, 0},
	{"break-and-look", break_and_look, 0},
	{"break-and-kill-pages", break_and_kill_pages, 0},
	{"delete-file", delete_now, 0},
};

const struct operation_kind *file_operation(unsigned int i)
{
	return i < sizeof(operations) / sizeof(operations[0]) ? &operations[i]
							      : NULL;
}

const struct operation_kind *file_operation_named(const char *name)
{
	const struct operation_kind *kind;

	for (unsigned int i = 0; (kind = file_operation(i)); i++)
		if (!strcmp(kind->name, name))
			break;
	return kind;
}

/* ---- starting states ---- */

/* A kind of state, and what it is: a file with a block or a hole, two areas,
 * and what was done before. */
struct file_state {
	struct state_kind kind;
	unsigned int flags[NR_MMS]; /* of the areas */
	bool has_block;
	void (*before)(struct file *file);
	unsigned int order; /* of the file, and its largest leaves */
	bool has_pages;	    /* that are counted */
};

static void shown(struct file *file)
{
	load(file, 0);
}

/* What the file has was stored, and no more. */
static void dirty(struct file *file)
{
	sync_store(&file->durable, 0, memory_order_release);
	store_word(file, 0, OLD);
}

static void dirty_beside(struct file *file)
{
	const uint64_t word = OLD;

	dirty(file);
	if (dax_store(file->mm[1], file->address[1] + DAX_PAGE_SIZE, &word,
		    sizeof(word)))
		abort();
}

static void pinned(struct file *file)
{
	if (pin(file, (struct dax_pin_params){0}, &file->pinned))
		abort();
	sync_add(&file->pins, 1, memory_order_relaxed);
}

static void pinned_for_long(struct file *file)
{
	const struct dax_pin_params params = {
		.term = DAX_PIN_LONGTERM, .holder = "since before"};

	if (pin(file, params, &file->pinned))
		abort();
	sync_add(&file->pins, 1, memory_order_relaxed);
}

static void pinned_and_dirty(struct file *file)
{
	dirty(file);
	pinned(file);
}

static void pinned_once(struct file *file)
{
	pinned(file);
	for (unsigned int i = 0; i < NR_MMS; i++)
		if (dax_munmap(file->mm[i], file->address[i], file_size(file)))
			abort();
}

static void copied(struct file *file)
{
	store_word(file, 0, COPY);
}

static void file_body(const struct combination *combination);

#define PMD_STATE(name, flags, other_flags, has_block, before)                 \
	{                                                                      \
		{name, NULL, file_body}, {flags, other_flags}, has_block,      \
			before, DAX_PMD_ORDER, false                           \
	}
#define PUD_STATE(name, flags, has_block, before)                              \
	{                                                                      \
		{name, NULL, file_body}, {flags, flags}, has_block, before,    \
			DAX_PUD_ORDER, false                                   \
	}

#define OWNED_STATE(name, flags, has_block, before)                            \
	{                                                                      \
		{name, NULL, file_body}, {flags, flags}, has_block, before,    \
			DAX_PMD_ORDER, true                                    \
	}

/* As one of daxlock/devdax.h: leaves of one size, and pins that last. */
#define DEVICE_STATE(name, before)                                             \
	{                                                                      \
		{name, NULL, file_body}, {HUGE, HUGE}, true, before,           \
			DAX_PUD_ORDER, true                                    \
	}

static const struct file_state states[] = {
	PMD_STATE("hole", SMALL, SMALL, false, NULL),
	PMD_STATE("hole-shown", SMALL, SMALL, false, shown),
	PMD_STATE("pmd-hole", HUGE, HUGE, false, NULL),
	PMD_STATE("shown", SMALL, SMALL, true, shown),
	PMD_STATE("dirty", SMALL, SMALL, true, dirty),
	PMD_STATE("pmd-shown", HUGE, HUGE, true, shown),
	PMD_STATE("pmd-dirty", HUGE, HUGE, true, dirty),
	PMD_STATE("pmd-dirty-pte", HUGE, SMALL, true, dirty_beside),
	PMD_STATE("private", PRIVATE, PRIVATE, true, NULL),
	PMD_STATE("private-shown", PRIVATE, PRIVATE, true, shown),
	PMD_STATE("private-copied", PRIVATE, PRIVATE, true, copied),
	PUD_STATE("pud-hole", HUGE, false, NULL),
	PUD_STATE("pud-shown", HUGE, true, shown),
	PUD_STATE("pud-dirty", HUGE, true, dirty),
	PUD_STATE("pud-private", PRIVATE, true, NULL),
	PUD_STATE("pud-private-shown", PRIVATE, true, shown),
	OWNED_STATE("owned-hole", SMALL, false, shown),
	OWNED_STATE("unowned", SMALL, true, NULL),
	OWNED_STATE("owned", SMALL, true, shown),
	OWNED_STATE("pinned", SMALL, true, pinned),
	OWNED_STATE("pmd-pinned", HUGE, true, pinned),
	OWNED_STATE("pinned-dirty", SMALL, true, pinned_and_dirty),
	OWNED_STATE("pinned-once", SMALL, true, pinned_once),
	DEVICE_STATE("device", shown),
	DEVICE_STATE("device-pinned", pinned_for_long),
};

const struct state_kind *file_state(unsigned int i)
{
	return i < sizeof(states) / sizeof(states[0]) ? &states[i].kind : NULL;
}

const struct state_kind *file_state_named(const char *name)
{
	const struct state_kind *kind;

	for (unsigned int i = 0; (kind = file_state(i)); i++)
		if (!strcmp(kind->name, name))
			break;
	return kind;
}

/* ---- scenarios ---- */

static void map_file(struct file *file, unsigned int i, unsigned int flags)
{
	const struct dax_vma_params params = {
		.space = file->space,
		.len = file_size(file),
		.flags = flags,
	};

	if (dax_mm_new(NULL, &file->mm[i]) ||
		dax_mmap(file->mm[i], &params, &file->address[i]))
		abort();
}

static bool has_operation(const struct combination *combination,
	void (*function)(void *file, long argument))
{
	for (unsigned int i = 0; i < combination->nr; i++)
		if (combination->operations[i]->function == function)
			return true;
	return false;
}

static void make_pages(struct file *file)
{
	const struct dax_pgmap_params params = {.first = BLOCK,
		.nr = 1ul << file->order,
		.waitqs = file->waitqs};

	if (dax_pgmap_new(&params, &file->pgmap))
		abort();
	/* No mapping: nobody may come from a page to it. */
	if (file->is_punched &&
		dax_pgmap_add_owner(file->pgmap, &file->other, &file->other.id))
		abort();
}

/* With the default profile, in which loads leave an entry clean: what is clean
 * can be dropped. */
static void setup_file(struct file *file, const struct combination *combination)
{
	const struct file_state *state =
		(const struct file_state *)combination->state;
	const bool is_device =
		state->has_pages && state->order == DAX_PUD_ORDER;
	const struct dax_space_limits limits = {
		.min_order = is_device ? state->order : DAX_PTE_ORDER,
		.max_order = state->order,
		.shared_only = is_device,
		.longterm_pins = is_device,
	};
	struct dax_space_params params = {
		.ops = &file_ops, .owner = file, .limits = &limits};

	file->order = state->order;
	if (dax_waitq_table_new(combination->queues, 1, &file->waitqs))
		abort();
	params.waitqs = file->waitqs;
	file->is_punched = has_operation(combination, punch);
	if (state->has_pages)
		make_pages(file);
	params.pgmap = file->pgmap;
	if (dax_space_new(&params, &file->space))
		abort();
	for (unsigned int i = 0; i < NR_MMS; i++)
		map_file(file, i, state->flags[i]);
	if (state->has_block) {
		file->block.value = BLOCK;
		file->words[0].value = OLD;
		file->durable.value = OLD;
		file->certain.value = OLD;
	}
	file->is_private = !(state->flags[0] & DAX_VMA_SHARED);
	file->is_killed = has_operation(combination, kill_storage);
	if (state->before)
		state->before(file);
}

static void check_file(struct file *file)
{
	const char *wrong = dax_mapping_verify(dax_space_mapping(file->space));

	for (unsigned int i = 0; i < NR_MMS && !wrong; i++)
		wrong = dax_mm_verify(file->mm[i]);
	dax_explore_check(!wrong, wrong ? wrong : "");
	for (unsigned int i = 0;
		i < NR_MMS && (file->is_gone || file->is_bad.value); i++)
		check_not_shown(file, i);
	fsync_all(file, 0);
}

static void check_copy(struct file *file)
{
	uint64_t word;

	if (dax_load(file->mm[0], file->address[0], &word, sizeof(word)))
		abort();
	dax_explore_check(word == COPY, "a private copy stays");
}

static void file_body(const struct combination *combination)
{
	struct file file = {0};
	const struct file_state *state =
		(const struct file_state *)combination->state;

	setup_file(&file, combination);
	for (unsigned int i = 0; i < combination->nr; i++)
		dax_explore_thread(combination->operations[i]->name,
			combination->operations[i]->function, &file,
			combination->operations[i]->argument);
	dax_explore_run();
	if (file.space)
		check_file(&file);
	if (state->before == copied)
		check_copy(&file);
	if (file.pins.value)
		unpin(&file, &file.pinned);
	delete_file(&file);
	dax_pgmap_delete(&file.pgmap);
	dax_waitq_table_delete(&file.waitqs);
}

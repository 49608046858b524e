/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A device of two PMDs. File A has the first of them, or its last page; that
 * page is what is pinned, given up, and given to file C. File B shares it, or
 * maps a page of its own in the second PMD. Each pin is counted beside the
 * library's count, so that it can be seen when storage is given away under one;
 * and who pins it reads what is in it, which only those write who have it for
 * themselves.
 */
#include "explore/page_operations.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daxlock/pgmap.h"
#include "pgmap/pgmap.h"

#define FIRST	 (2 * PMD_PAGES)
#define PAGE	 (FIRST + PMD_PAGES - 1)
#define OTHER	 (FIRST + PMD_PAGES)
#define NR_PAGES (2 * PMD_PAGES)

enum file { A, B, C, NR_FILES, NEWCOMER = NR_FILES, NR_OWNERS };

struct device {
	struct dax_pgmap *pgmap; /* NULL: it was killed */
	struct dax_waitq_table *waitqs;
	struct dax_page_owner files[NR_OWNERS]; /* 0: it left, or never came */
	uint64_t mapped;			/* what A has, or 0 */
	struct dax_pin pin;
	struct sync_u64 pins;
	unsigned int content; /* of PAGE */
	struct sync_u64 dead; /* OTHER was idle when the device was killed */
	bool is_shared;	      /* B has PAGE, and goes last */
};

struct page_state {
	struct state_kind kind;
	unsigned int order; /* of what A has */
	enum {
		NOTHING,
		MAPPED,
		PINNED,
		PINNED_BY_NAME,
	} what;
};

/* ---- pins ---- */

static void count_pin(struct device *device)
{
	sync_add(&device->pins, 1, memory_order_relaxed);
}

/* As a device does it that the page was pinned for. */
static void read_content(const struct device *device)
{
	dax_explore_check(
		device->content < NR_FILES, "only so many files write it");
}

static void uncount_pin(struct device *device)
{
	sync_sub(&device->pins, 1, memory_order_relaxed);
}

/* Whoever has the page for himself. */
static void write_content(struct device *device)
{
	device->content++;
}

/* The device, when nobody has it. */
static void wipe_content(struct device *device)
{
	device->content = 0;
}

static void check_unpinned(struct device *device)
{
	dax_explore_check(!sync_load(&device->pins, memory_order_relaxed),
		"no storage is given away under a pin");
}

static void pin(void *context, long unused)
{
	struct device *device = context;

	(void)unused;
	if (!dax_page_try_get(device->pgmap, PAGE))
		return;
	count_pin(device);
	read_content(device);
	uncount_pin(device);
	dax_page_put(device->pgmap, PAGE);
}

static void pin_by_name(void *context, long unused)
{
	struct device *device = context;
	struct dax_pin mine;

	(void)unused;
	if (!dax_pin_get(device->pgmap, &mine, PAGE, DAX_PIN_SHORT, "me"))
		return;
	count_pin(device);
	read_content(device);
	uncount_pin(device);
	dax_pin_put(device->pgmap, &mine);
}

static void unpin(void *context, long unused)
{
	struct device *device = context;

	(void)unused;
	read_content(device);
	uncount_pin(device);
	dax_page_put(device->pgmap, PAGE);
}

static void unpin_by_name(void *context, long unused)
{
	struct device *device = context;

	(void)unused;
	read_content(device);
	uncount_pin(device);
	dax_pin_put(device->pgmap, &device->pin);
}

/* ---- entries ---- */

static int map(struct device *device, enum file file, uint64_t pfn,
	enum dax_page_use use)
{
	return dax_page_associate(
		device->pgmap, pfn, DAX_PTE_ORDER, &device->files[file], use);
}

/* Pins that were there when the page was unmapped are waited for. */
static void give_up(struct device *device, enum file file, uint64_t pfn)
{
	int error;

	while ((error = dax_page_dissociate(
			device->pgmap, pfn, &device->files[file])) == -EBUSY) {
		error = dax_page_wait_idle(device->pgmap, pfn, NULL);
		dax_explore_check(!error, "a wait without limit has no end");
	}
}

/* As a fault on a file that stays. */
static void share_and_stay(void *context, long unused)
{
	struct device *device = context;

	(void)unused;
	dax_explore_check(!map(device, B, PAGE, DAX_PAGE_SHARED),
		"what is shared can be shared");
	device->is_shared = true;
}

/* As dax_break_layouts(), after which the file gives the page up. */
static void break_layout(void *context, long unused)
{
	struct device *device = context;
	struct dax_waiter waiter;
	struct dax_waitq *queue;

	(void)unused;
	dax_page_put(device->pgmap, device->mapped);
	while (page_is_busy(device->pgmap, device->mapped)) {
		waiter = (struct dax_waiter){0};
		queue = page_join_queue(device->pgmap, device->mapped, &waiter);
		dax_explore_check(
			!queue || !dax_waitq_sleep(queue, &waiter, NULL),
			"a wait without limit has no end");
	}
	give_up(device, A, device->mapped);
	device->mapped = 0;
}

/* PAGE is free storage now: another file gets it. */
static void use_again(struct device *device)
{
	write_content(device);
	dax_explore_check(!map(device, C, PAGE, DAX_PAGE_SOLE),
		"what is free can be used");
	dax_page_put(device->pgmap, PAGE);
	give_up(device, C, PAGE);
}

static void truncate(void *context, long shared)
{
	struct device *device = context;

	dax_page_put(device->pgmap, device->mapped);
	give_up(device, A, device->mapped);
	device->mapped = 0;
	if (shared)
		return;
	check_unpinned(device);
	use_again(device);
}

static void truncate_unless_pinned(void *context, long unused)
{
	struct device *device = context;
	const struct dax_wait_limit limit = {.deadline_ns = sync_now() + 1000};

	(void)unused;
	dax_page_put(device->pgmap, device->mapped);
	if (dax_page_wait_idle(device->pgmap, device->mapped, &limit)) {
		dax_explore_check(
			!dax_page_request(device->pgmap, device->mapped),
			"what was unmapped can be mapped again");
		return;
	}
	give_up(device, A, device->mapped);
	device->mapped = 0;
	check_unpinned(device);
	use_again(device);
}

static void share(void *context, long unused)
{
	struct device *device = context;
	struct dax_page_owner owner = device->files[B];
	enum dax_page_owned owned;

	(void)unused;
	dax_explore_check(!map(device, B, PAGE, DAX_PAGE_SHARED),
		"what is shared can be shared");
	owned = dax_page_owner(device->pgmap, PAGE, &owner);
	dax_explore_check(
		owned != DAX_PAGE_OWNED ||
			(owner.id == device->files[B].id &&
				owner.index == device->files[B].index),
		"who is alone is the one who is there");
	dax_page_put(device->pgmap, PAGE);
	give_up(device, B, PAGE);
}

static void share_large(void *context, long unused)
{
	struct device *device = context;
	const int error = dax_page_associate(device->pgmap, FIRST,
		DAX_PMD_ORDER, &device->files[C], DAX_PAGE_SHARED);

	(void)unused;
	dax_explore_check(!error || error == -EBUSY,
		"a range can be had unless a part of it is in use");
	if (error)
		return;
	dax_page_put(device->pgmap, FIRST);
	give_up(device, C, FIRST);
}

static void look(void *context, long unused)
{
	struct device *device = context;
	const struct dax_page_owner *files = device->files;
	struct dax_page_owner owner;

	(void)unused;
	if (dax_page_owner(device->pgmap, PAGE, &owner) != DAX_PAGE_OWNED)
		return;
	dax_explore_check(owner.id >= files[A].id && owner.id <= files[C].id &&
				  owner.index == files[owner.id - 1].index,
		"who has a page has a name");
}

static void leave(void *context, long file)
{
	struct device *device = context;

	dax_pgmap_remove_owner(device->pgmap, device->files[file].id);
	device->files[file].id = 0;
}

static void join(void *context, long file)
{
	struct device *device = context;

	if (dax_pgmap_add_owner(device->pgmap, &device->files[file],
		    &device->files[file].id))
		abort();
}

/* ---- the device ---- */

/* The device is held since before the threads began (page_body()). */
static void fault(void *context, long unused)
{
	struct device *device = context;

	(void)unused;
	if (!map(device, B, OTHER, DAX_PAGE_SOLE)) {
		dax_explore_check(
			!sync_load(&device->dead, memory_order_relaxed),
			"no page of a dead device becomes live");
		dax_page_put(device->pgmap, OTHER);
		give_up(device, B, OTHER);
	}
	dax_pgmap_put(device->pgmap);
}

static void kill_device(void *context, long unused)
{
	struct device *device = context;
	int error;

	(void)unused;
	dax_pgmap_kill(device->pgmap);
	if (dax_page_is_idle(device->pgmap, OTHER))
		sync_store(&device->dead, 1, memory_order_relaxed);
	if (device->mapped)
		dax_page_put(device->pgmap, device->mapped);
	error = dax_pgmap_wait(device->pgmap, NULL);
	dax_explore_check(!error, "a wait without limit has no end");
	check_unpinned(device);
	write_content(device);
	if (device->mapped)
		give_up(device, A, device->mapped);
	dax_pgmap_delete(&device->pgmap);
}

static const struct operation_kind operations[] = {
	{"pin", pin, 0},
	{"pin-by-name", pin_by_name, 0},
	{"unpin", unpin, 0},
	{"unpin-by-name", unpin_by_name, 0},
	{"truncate", truncate, 0},
	{"truncate-shared", truncate, 1},
	{"truncate-unless-pinned", truncate_unless_pinned, 0},
	{"share", share, 0},
	{"share-large", share_large, 0},
	{"share-and-stay", share_and_stay, 0},
	{"break", break_layout, 0},
	{"owner", look, 0},
	{"leave", leave, B},
	{"join", join, NEWCOMER},
	{"map", fault, 0},
	{"kill-device", kill_device, 0},
};

const struct operation_kind *page_operation(unsigned int i)
{
	return i < sizeof(operations) / sizeof(operations[0]) ? &operations[i]
							      : NULL;
}

const struct operation_kind *page_operation_named(const char *name)
{
	const struct operation_kind *kind;

	for (unsigned int i = 0; (kind = page_operation(i)); i++)
		if (!strcmp(kind->name, name))
			break;
	return kind;
}

/* ---- starting states ---- */

static void page_body(const struct combination *combination);

static const struct page_state states[] = {
	{{"page-free", NULL, page_body}, DAX_PTE_ORDER, NOTHING},
	{{"page", NULL, page_body}, DAX_PTE_ORDER, MAPPED},
	{{"page-pinned", NULL, page_body}, DAX_PTE_ORDER, PINNED},
	{{"page-pinned-by-name", NULL, page_body}, DAX_PTE_ORDER,
		PINNED_BY_NAME},
	{{"page-pmd", NULL, page_body}, DAX_PMD_ORDER, MAPPED},
	{{"page-pmd-pinned", NULL, page_body}, DAX_PMD_ORDER, PINNED},
};

const struct state_kind *page_state(unsigned int i)
{
	return i < sizeof(states) / sizeof(states[0]) ? &states[i].kind : NULL;
}

const struct state_kind *page_state_named(const char *name)
{
	const struct state_kind *kind;

	for (unsigned int i = 0; (kind = page_state(i)); i++)
		if (!strcmp(kind->name, name))
			break;
	return kind;
}

/* ---- scenarios ---- */

static void page_free(void *owner, uint64_t pfn, uint64_t nr)
{
	if (PAGE - pfn < nr)
		wipe_content(owner);
}

static void make_device(struct device *device, unsigned int queues)
{
	static const struct dax_pgmap_ops ops = {.page_free = page_free};
	struct dax_pgmap_params params = {
		.first = FIRST, .nr = NR_PAGES, .ops = &ops, .owner = device};

	if (dax_waitq_table_new(queues, 1, &device->waitqs))
		abort();
	params.waitqs = device->waitqs;
	if (dax_pgmap_new(&params, &device->pgmap))
		abort();
	for (unsigned int i = 0; i < NR_FILES; i++) {
		device->files[i].index = 7 * i + PMD_PAGES;
		join(device, i);
	}
}

static void set_state(struct device *device, const struct page_state *state)
{
	if (state->what == NOTHING)
		return;
	device->mapped = state->order ? FIRST : PAGE;
	if (dax_page_associate(device->pgmap, device->mapped, state->order,
		    &device->files[A], DAX_PAGE_SHARED))
		abort();
	if (state->what == PINNED && !dax_page_try_get(device->pgmap, PAGE))
		abort();
	if (state->what == PINNED_BY_NAME &&
		!dax_pin_get(device->pgmap, &device->pin, PAGE, DAX_PIN_SHORT,
			"since before"))
		abort();
	if (state->what != MAPPED)
		count_pin(device);
}

/* Whoever maps pages has the device; it does not look at it once more. */
static void hold_device(
	struct device *device, const struct combination *combination)
{
	for (unsigned int i = 0; i < combination->nr; i++)
		if (combination->operations[i]->function == fault &&
			!dax_pgmap_get(device->pgmap))
			abort();
}

static void check_owners(struct device *device)
{
	for (unsigned int i = 0; i < NR_OWNERS; i++) {
		const uint32_t id = device->files[i].id;

		dax_explore_check(!id || pgmap_owner_rcu(device->pgmap, id) ==
						  &device->files[i],
			"who has come is found by his number");
	}
}

static void check_device(struct device *device)
{
	check_owners(device);
	if (device->mapped) {
		dax_page_put(device->pgmap, device->mapped);
		give_up(device, A, device->mapped);
	}
	if (device->is_shared) {
		dax_page_put(device->pgmap, PAGE);
		give_up(device, B, PAGE);
	}
	for (uint64_t pfn = FIRST; pfn < FIRST + NR_PAGES; pfn++) {
		const struct head head = page_head(device->pgmap, pfn);

		dax_explore_check(head.pfn == pfn && !head.state &&
					  !head.page->names.value,
			"nothing is left of a page that is free");
	}
	dax_pgmap_delete(&device->pgmap);
}

static void page_body(const struct combination *combination)
{
	struct device device = {0};

	make_device(&device, combination->queues);
	set_state(&device, (const struct page_state *)combination->state);
	hold_device(&device, combination);
	combination_run(combination, &device);
	if (device.pgmap)
		check_device(&device);
	dax_waitq_table_delete(&device.waitqs);
}

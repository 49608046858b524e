/* SPDX-License-Identifier: BSD-3-Clause */
#include "explore/operations.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daxlock/stats.h"
#include "explore/disk_operations.h"
#include "explore/file_operations.h"
#include "explore/page_operations.h"
#include "waitq/queue.h"

/* ---- ghosts: mutual exclusion as the callers see it ---- */

/* Of the ranges that scenarios use. */
static unsigned int ghost_of(dax_pgoff_t index)
{
	const unsigned int range = index < FAR ? 0 : index < HIGH ? 1 : 2;

	return (unsigned int)(range * PMD_PAGES + index % PMD_PAGES);
}

static void ghosts_set(struct world *world, dax_pgoff_t index,
	dax_entry_t entry, uint64_t from, uint64_t to)
{
	const dax_pgoff_t start = dax_entry_start(entry, index);
	const uint64_t pages = (uint64_t)1 << dax_entry_order(entry);

	for (dax_pgoff_t i = start; i < start + pages; i++) {
		dax_explore_check(sync_swap(&world->ghosts[ghost_of(i)], to,
					  memory_order_relaxed) == from,
			"one owner at a time");
		world->pages[ghost_of(i)]++;
	}
}

static void owned(struct world *world, dax_pgoff_t index, dax_entry_t entry)
{
	ghosts_set(world, index, entry, 0, 1);
}

static void give_up(struct world *world, dax_pgoff_t index, dax_entry_t entry)
{
	ghosts_set(world, index, entry, 1, 0);
	dax_unlock_entry(world->m, index, entry);
}

/* ---- operations ---- */

static void grab(struct world *world, dax_pgoff_t index, unsigned int order)
{
	dax_entry_t entry;
	const int error =
		dax_grab_mapping_entry(world->m, index, order, &entry);

	if (error) {
		dax_explore_check(
			error == -ENOMEM || (error == -EEXIST && order),
			"a grab fails for lack of memory, or falls back");
		return;
	}
	dax_explore_check(dax_entry_order(entry) >= order,
		"what was grabbed is as large as asked");
	owned(world, index, entry);
	give_up(world, index, entry);
}

static void grab_pte(void *world, long index)
{
	grab(world, (dax_pgoff_t)index, DAX_PTE_ORDER);
}

static void grab_pmd(void *world, long index)
{
	grab(world, (dax_pgoff_t)index, DAX_PMD_ORDER);
}

/* Nothing is in its way. */
static void grab_pmd_surely(void *context, long index)
{
	struct world *world = context;
	dax_entry_t entry;
	const int error = dax_grab_mapping_entry(
		world->m, (dax_pgoff_t)index, DAX_PMD_ORDER, &entry);

	dax_explore_check(!error, "a large grab succeeds where it can");
	owned(world, (dax_pgoff_t)index, entry);
	give_up(world, (dax_pgoff_t)index, entry);
}

static void insert_into(struct world *world, dax_pgoff_t index,
	unsigned int order, unsigned int flags)
{
	dax_entry_t entry;

	if (dax_grab_mapping_entry(world->m, index, order, &entry))
		return;
	owned(world, index, entry);
	if (dax_entry_order(entry) == DAX_PMD_ORDER)
		flags |= DAX_PMD;
	dax_insert_entry(world->m, index, &entry, 0x100 + index, flags);
	give_up(world, index, entry);
}

static void insert_dirty(void *world, long index)
{
	insert_into(world, (dax_pgoff_t)index, DAX_PTE_ORDER, DAX_DIRTY);
}

static void insert_zero(void *world, long index)
{
	insert_into(world, (dax_pgoff_t)index, DAX_PTE_ORDER, DAX_ZERO_PAGE);
}

static void insert_zero_pmd(void *world, long index)
{
	insert_into(world, (dax_pgoff_t)index, DAX_PMD_ORDER, DAX_ZERO_PAGE);
}

static void lock(void *context, long index)
{
	struct world *world = context;
	const dax_pgoff_t at = (dax_pgoff_t)index;
	dax_entry_t entry;

	if (dax_lock_entry(world->m, at, &entry))
		return;
	owned(world, at, entry);
	give_up(world, at, entry);
}

/* Whoever has just locked an entry: has it passed somebody? Looks, as no thread
 * may, at the queue; nothing but a search for races would mind. */
__attribute__((noinline, no_sanitize("thread"))) static bool passed_too_often(
	struct world *world)
{
	const struct waiter *heir = world->waitqs->queues[0].exclusive.first;

	world->passed = heir && heir == world->heir ? world->passed + 1 : 1;
	world->heir = heir;
	return heir && world->passed > world->waitqs->passes + 1;
}

#define OFTEN 4

static void lock_often(void *context, long index)
{
	struct world *world = context;
	const dax_pgoff_t at = (dax_pgoff_t)index;
	dax_entry_t entry;

	for (unsigned int i = 0; i < OFTEN; i++) {
		if (dax_lock_entry(world->m, at, &entry))
			return;
		dax_explore_check(!passed_too_often(world),
			"who is first in line is not passed too often");
		owned(world, at, entry);
		give_up(world, at, entry);
	}
}

static void trylock(void *context, long index)
{
	struct world *world = context;
	const dax_pgoff_t at = (dax_pgoff_t)index;
	dax_entry_t entry;

	if (dax_trylock_entry(world->m, at, &entry))
		return;
	owned(world, at, entry);
	give_up(world, at, entry);
}

static void lock_timed(void *context, long index)
{
	struct world *world = context;
	const dax_pgoff_t at = (dax_pgoff_t)index;
	dax_entry_t entry;

	if (dax_lock_entry_timed(world->m, at, 1000, &entry))
		return;
	owned(world, at, entry);
	give_up(world, at, entry);
}

/* Before a thread's first operation, up to which all run in order: no race,
 * whatever a search for them would say. */
__attribute__((noinline, no_sanitize("thread"))) static struct dax_cancel *
cancel_of_mine(struct world *world)
{
	return &world->cancels[world->nr_cancels++];
}

__attribute__((noinline, no_sanitize("thread"))) static unsigned int
cancels_in_use(const struct world *world)
{
	return world->nr_cancels;
}

static void lock_cancellable(void *context, long index)
{
	struct world *world = context;
	const dax_pgoff_t at = (dax_pgoff_t)index;
	struct dax_cancel *cancel = cancel_of_mine(world);
	dax_entry_t entry;

	if (dax_lock_entry_cancellable(world->m, at, cancel, &entry))
		return;
	owned(world, at, entry);
	give_up(world, at, entry);
}

static void cancel_fire(void *context, long unused)
{
	struct world *world = context;

	(void)unused;
	for (unsigned int i = 0; i < cancels_in_use(world); i++)
		dax_cancel_fire(&world->cancels[i]);
}

static void lock_for_page(void *context, long index)
{
	struct world *world = context;
	const dax_pgoff_t at = (dax_pgoff_t)index;
	dax_entry_t entry;
	uint64_t pfn;

	if (dax_lock_mapping_entry(world->m, at, &entry, &pfn) !=
		DAX_LOCK_TAKEN)
		return;
	owned(world, at, entry);
	give_up(world, at, entry);
}

static void get_put(void *context, long index)
{
	struct world *world = context;
	const dax_entry_t entry =
		dax_get_unlocked_entry(world->m, (dax_pgoff_t)index);

	dax_put_unlocked_entry(
		world->m, (dax_pgoff_t)index, entry, DAX_WAKE_NEXT);
}

static void invalidate(void *context, long index)
{
	struct world *world = context;

	dax_invalidate_mapping_entry_sync(world->m, (dax_pgoff_t)index);
}

static void delete (void *context, long index)
{
	struct world *world = context;

	dax_delete_mapping_entry(world->m, (dax_pgoff_t)index);
}

static void delete_range(void *context, long last)
{
	struct world *world = context;

	dax_delete_mapping_range(world->m, 0, (dax_pgoff_t)last);
}

/* Nobody makes entries meanwhile. */
static void delete_all(void *context, long last)
{
	struct world *world = context;

	dax_delete_mapping_range(world->m, 0, (dax_pgoff_t)last);
	dax_explore_check(
		!dax_mapping_nrpages(world->m), "nothing is left of a range");
}

static void iterate(void *context, long last)
{
	struct world *world = context;
	dax_pgoff_t end = 0;
	struct dax_xas xas;
	uint64_t word;

	dax_xas_init(&xas, dax_mapping_tree(world->m), 0, (dax_pgoff_t)last);
	dax_xas_for_each (&xas, word) {
		dax_explore_check(xas.index >= end, "no index is seen twice");
		end = dax_entry_start(word, xas.index) +
		      ((uint64_t)1 << dax_entry_order(word));
	}
}

static void iterate_dirty(void *context, long last)
{
	struct world *world = context;
	struct dax_xas xas;
	uint64_t word;

	dax_xas_init(&xas, dax_mapping_tree(world->m), 0, (dax_pgoff_t)last);
	dax_xas_for_each_marked (&xas, word, DAX_MARK_DIRTY)
		dax_explore_check(word & 1, "an entry");
}

static void set_mark(void *context, long index)
{
	struct world *world = context;

	dax_tree_set_mark(
		dax_mapping_tree(world->m), (dax_pgoff_t)index, DAX_MARK_DIRTY);
}

/* Something is there all the time. */
static void set_mark_surely(void *context, long index)
{
	struct world *world = context;

	dax_explore_check(dax_tree_set_mark(dax_mapping_tree(world->m),
				  (dax_pgoff_t)index, DAX_MARK_DIRTY),
		"what is there can be marked");
}

/* As a writeback ends: whoever has the entry says that it is clean. */
static void clean(void *context, long index)
{
	struct world *world = context;
	const dax_pgoff_t at = (dax_pgoff_t)index;
	dax_entry_t entry;

	if (dax_lock_entry(world->m, at, &entry))
		return;
	owned(world, at, entry);
	dax_tree_clear_mark(dax_mapping_tree(world->m), at, DAX_MARK_DIRTY);
	give_up(world, at, entry);
}

const struct operation_kind operation_kinds[] = {
	{"F0", grab_pte, 0},
	{"F1", grab_pte, 1},
	{"FP", grab_pmd, 1},
	{"FF", grab_pte, FAR},
	{"N0", insert_dirty, 0},
	{"NZ", insert_zero_pmd, 0},
	{"Z0", insert_zero, 0},
	{"Z1", insert_zero, 1},
	{"L0", lock, 0},
	{"L1", lock, 1},
	{"Y1", trylock, 1},
	{"D1", lock_timed, 1},
	{"C1", lock_cancellable, 1},
	{"CF", cancel_fire, 0},
	{"P1", lock_for_page, 1},
	{"G1", get_put, 1},
	{"I0", invalidate, 0},
	{"I1", invalidate, 1},
	{"X0", delete, 0},
	{"XR", delete_range, FAR},
	{"IT", iterate, FAR},
	{"ID", iterate_dirty, FAR},
	{"W0", clean, 0},
	{"M0", set_mark, 0},
	{"P0", lock_for_page, 0},
	{"G0", get_put, 0},
	{"F2", grab_pte, 2},
	{"F3", grab_pte, 3},
	/* Not for every combination: they claim more. */
	{"FS", grab_pmd_surely, 1},
	{"FH", grab_pte, HIGH + 1},
	{"HP", grab_pmd, HIGH},
	{"XS", delete_all, FAR},
	{"MS", set_mark_surely, 1},
	{"B1", lock_often, 1},
};
#define NR_OPERATIONS (sizeof(operation_kinds) / sizeof(operation_kinds[0]))
#define NR_SPECIAL    8

const unsigned int nr_operation_kinds = NR_OPERATIONS - NR_SPECIAL;

/* ---- starting states ---- */

static void put(struct world *world, dax_pgoff_t index, unsigned int order,
	uint64_t pfn, unsigned int flags)
{
	dax_entry_t entry;

	if (dax_grab_mapping_entry(world->m, index, order, &entry))
		abort();
	if (!(flags & DAX_EMPTY))
		dax_insert_entry(world->m, index, &entry, pfn, flags);
	dax_unlock_entry(world->m, index, entry);
}

static void empty(struct world *world)
{
	(void)world;
}

static void small0(struct world *world)
{
	put(world, 0, DAX_PTE_ORDER, 7, 0);
}

static void small0_empty(struct world *world)
{
	put(world, 0, DAX_PTE_ORDER, 0, DAX_EMPTY);
}

static void small1(struct world *world)
{
	put(world, 1, DAX_PTE_ORDER, 7, 0);
}

static void small01(struct world *world)
{
	put(world, 0, DAX_PTE_ORDER, 7, 0);
	put(world, 1, DAX_PTE_ORDER, 8, 0);
}

static void pmd_zero(struct world *world)
{
	put(world, 0, DAX_PMD_ORDER, 0, DAX_PMD | DAX_ZERO_PAGE);
}

static void pmd_storage(struct world *world)
{
	put(world, 0, DAX_PMD_ORDER, 4, DAX_PMD);
}

static void dirty0(struct world *world)
{
	put(world, 0, DAX_PTE_ORDER, 7, DAX_DIRTY);
}

static void pmd_zero_dirty(struct world *world)
{
	put(world, 0, DAX_PMD_ORDER, 0, DAX_PMD | DAX_ZERO_PAGE | DAX_DIRTY);
}

/* Nobody in line is passed, or once, or twice. */
static void small1_fair(struct world *world)
{
	dax_waitq_table_limit_passes(world->waitqs, 0);
	small1(world);
}

static void small1_once(struct world *world)
{
	dax_waitq_table_limit_passes(world->waitqs, 1);
	small1(world);
}

static void small1_fairly(struct world *world)
{
	dax_waitq_table_limit_passes(world->waitqs, 2);
	small1(world);
}

static void pmd_zero_fair(struct world *world)
{
	dax_waitq_table_limit_passes(world->waitqs, 0);
	pmd_zero(world);
}

static void mapping_body(const struct combination *combination);
static void counted_body(const struct combination *combination);

const struct state_kind state_kinds[] = {
	{"empty", empty, mapping_body},
	{"small0", small0, mapping_body},
	{"small1", small1, mapping_body},
	{"small01", small01, mapping_body},
	{"pmd-zero", pmd_zero, mapping_body},
	{"pmd-storage", pmd_storage, mapping_body},
	{"dirty0", dirty0, mapping_body},
	{"pmd-zero-dirty", pmd_zero_dirty, mapping_body},
	{"small0-empty", small0_empty, mapping_body},
	{"counted", small1, counted_body},
	{"small1-fair", small1_fair, mapping_body},
	{"small1-once", small1_once, mapping_body},
	{"small1-fairly", small1_fairly, mapping_body},
	{"pmd-zero-fair", pmd_zero_fair, mapping_body},
};
const unsigned int nr_state_kinds =
	sizeof(state_kinds) / sizeof(state_kinds[0]);

/* ---- combinations ---- */

static void unmap(void *owner, dax_pgoff_t index, uint64_t nr)
{
	struct world *world = owner;

	for (dax_pgoff_t i = index; i < index + nr; i++)
		world->pages[ghost_of(i)]++;
	sync_count(&world->unmapped, nr);
}

static void play(const struct combination *combination, struct dax_stats *stats)
{
	static const struct dax_mapping_ops ops = {.unmap = unmap};
	struct world world = {0};
	struct dax_mapping_params params = {
		.ops = &ops, .owner = &world, .stats = stats};
	const char *wrong;

	for (unsigned int i = 0; i < DAX_EXPLORE_THREADS; i++)
		dax_cancel_init(&world.cancels[i]);
	if (dax_waitq_table_new(combination->queues, 1, &world.waitqs))
		abort();
	params.waitqs = world.waitqs;
	if (dax_mapping_new(&params, &world.m))
		abort();
	combination->state->setup(&world);
	combination_run(combination, &world);
	wrong = dax_mapping_verify(world.m);
	dax_explore_check(!wrong, wrong ? wrong : "");
	dax_mapping_delete(&world.m);
	dax_waitq_table_delete(&world.waitqs);
}

static void mapping_body(const struct combination *combination)
{
	play(combination, NULL);
}

static void counted_body(const struct combination *combination)
{
	struct dax_stats_counts counts;
	struct dax_stats *stats;

	if (dax_stats_new(&stats))
		abort();
	play(combination, stats);
	dax_stats_read(stats, &counts);
	dax_explore_check(counts.woken == counts.sleeps - counts.gave_up,
		"who sleeps is woken or gives up, and both are counted");
	dax_stats_delete(&stats);
}

void combination_run(const struct combination *combination, void *world)
{
	unsigned int slept = 0;

	for (unsigned int i = 0; i < combination->nr; i++)
		dax_explore_thread(combination->operations[i]->name,
			combination->operations[i]->function, world,
			combination->operations[i]->argument);
	dax_explore_run();
	for (unsigned int i = 0; i < combination->nr; i++)
		slept += dax_explore_slept(i) != 0;
	dax_explore_sometimes(
		slept >= combination->sleepers, "enough threads slept");
}

void combination_body(void *context)
{
	const struct combination *combination = context;

	combination->state->body(combination);
}

void combination_name(
	const struct combination *combination, char *name, size_t size)
{
	size_t length =
		(size_t)snprintf(name, size, "%s:", combination->state->name);

	for (unsigned int i = 0; i < combination->nr && length < size; i++)
		length += (size_t)snprintf(name + length, size - length, "%c%s",
			i ? ',' : ' ', combination->operations[i]->name);
	if (length < size)
		snprintf(name + length, size - length, " /%u",
			combination->queues);
}

const struct operation_kind *operation_named(const char *name)
{
	const struct operation_kind *kind = file_operation_named(name);

	for (unsigned int i = 0; i < NR_OPERATIONS; i++)
		if (!strcmp(operation_kinds[i].name, name))
			return &operation_kinds[i];
	if (!kind)
		kind = page_operation_named(name);
	return kind ? kind : disk_operation_named(name);
}

const struct state_kind *state_named(const char *name)
{
	const struct state_kind *kind = file_state_named(name);

	for (unsigned int i = 0; i < nr_state_kinds; i++)
		if (!strcmp(state_kinds[i].name, name))
			return &state_kinds[i];
	if (!kind)
		kind = page_state_named(name);
	return kind ? kind : disk_state_named(name);
}

bool combination_read(struct combination *combination, const char *name)
{
	char copy[128];
	char *state, *word, *rest;

	snprintf(copy, sizeof(copy), "%s", name);
	state = strtok_r(copy, ": ", &rest);
	memset(combination, 0, sizeof(*combination));
	combination->queues = 1;
	if (!state || !(combination->state = state_named(state)))
		return false;
	while ((word = strtok_r(NULL, ": ,", &rest))) {
		const struct operation_kind *kind = operation_named(word);

		if (*word == '/')
			combination->queues = (unsigned int)atoi(word + 1);
		else if (!kind || combination->nr == DAX_EXPLORE_THREADS)
			return false;
		else
			combination->operations[combination->nr++] = kind;
	}
	return combination->nr;
}

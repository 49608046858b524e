/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Clocks and a shadow.
 *
 * A thread's time is counted in epochs; a release begins a new one. Its clock
 * says up to which epoch of each thread everything happened before what it does
 * now. A release leaves the clock at the word, an acquire joins it.
 *
 * The shadow of eight bytes is a list of accesses to them that may race with a
 * later one. An access covers an earlier one, which is then forgotten, when
 * whatever races with the earlier one races with it as well. (The idea is that
 * of FastTrack: Flanagan and Freund, 2009.)
 */
#include "explore/races.h"

#include <stdio.h>
#include <string.h>

#include "explore/engine.h"

bool races_on;

/* ---- clocks ---- */

struct race_clock {
	uint32_t at[MAX_THREADS];
};

static struct race_clock clocks[MAX_THREADS];
/* What was released at each object, and by RCU's callers and readers. */
static struct {
	uint32_t execution; /* a tag: of an earlier one it says nothing */
	struct race_clock clock;
} released[MAX_OBJECTS];
static struct race_clock rcu_clock;

static uint32_t execution;
static bool in_callback;

static void join(struct race_clock *clock, const struct race_clock *other)
{
	for (unsigned int i = 0; i < MAX_THREADS; i++)
		if (clock->at[i] < other->at[i])
			clock->at[i] = other->at[i];
}

static struct race_clock *released_at(uint16_t object)
{
	if (released[object].execution != execution) {
		memset(&released[object], 0, sizeof(released[object]));
		released[object].execution = execution;
	}
	return &released[object].clock;
}

static void acquire(uint16_t object)
{
	join(&clocks[run.who], released_at(object));
}

static void epoch_begin(void)
{
	clocks[run.who].at[run.who]++;
}

static void release(uint16_t object)
{
	join(released_at(object), &clocks[run.who]);
}

/* ---- the shadow ---- */

enum kind {
	KIND_WRITES = 1,
	KIND_ATOMIC = 2,
	KIND_SECTION = 4, /* inside an RCU read section */
	KIND_OURS = 8,	  /* the place is a struct explore_site */
};

struct access_record {
	const void *place;
	uint32_t epoch;
	uint8_t thread;
	uint8_t kind;
	uint8_t bytes; /* a bit each */
	uint8_t unused;
};

#define CELL_RECORDS 10
#define NR_CELLS     (1u << 16)

struct cell {
	uint64_t granule; /* address / 8 */
	uint32_t execution;
	uint32_t nr;
	struct access_record records[CELL_RECORDS];
};

static struct cell cells[NR_CELLS];
static unsigned int nr_cells;

static struct cell *cell_of(uint64_t granule)
{
	size_t i = (granule * 0x9e3779b97f4a7c15u) >> 48;

	while (cells[i].execution == execution && cells[i].granule != granule)
		i = (i + 1) % NR_CELLS;
	if (cells[i].execution != execution) {
		if (++nr_cells > NR_CELLS / 2)
			execution_fail(DAX_EXPLORE_STEP_LIMIT,
				"too much memory to look for races in");
		cells[i].granule = granule;
		cells[i].execution = execution;
		cells[i].nr = 0;
	}
	return &cells[i];
}

static bool conflict(unsigned int a, unsigned int b)
{
	return (a | b) & KIND_WRITES && !(a & b & KIND_ATOMIC);
}

static bool ordered(const struct access_record *before)
{
	return clocks[run.who].at[before->thread] >= before->epoch;
}

static void describe(char *text, size_t size, const struct access_record *a)
{
	const struct explore_site *site = a->place;
	char place[80] = "sync_parker_init()";
	char name[64];

	if (!(a->kind & KIND_OURS))
		symbol_name(a->place, place, sizeof(place));
	else if (site)
		snprintf(place, sizeof(place), "%s() at %s:%d", site->function,
			file_name(site->file), site->line);
	snprintf(text, size, "%s %s of %s in %s",
		a->kind & KIND_ATOMIC ? "an atomic" : "a plain",
		a->kind & KIND_WRITES ? "write" : "read",
		thread_name(a->thread, name, sizeof(name)), place);
}

static _Noreturn void race(
	const struct access_record *a, const struct access_record *b)
{
	char first[200], second[200];

	describe(first, sizeof(first), a);
	describe(second, sizeof(second), b);
	execution_fail(DAX_EXPLORE_DATA_RACE, "nothing orders %s and %s", first,
		second);
}

/* Does whatever races with @old race with @new as well? */
static bool covers(
	const struct access_record *new, const struct access_record *old)
{
	if (old->bytes & ~new->bytes)
		return false;
	if (old->thread != new->thread &&
		!(new->kind &KIND_WRITES &&ordered(old)))
		return false;
	/* A plain access conflicts with more, a write too. Who retires the
	 * memory waits for sections. */
	return !(new->kind & ~old->kind &(KIND_ATOMIC | KIND_SECTION)) &&
	       !(old->kind & ~new->kind &KIND_WRITES);
}

static void cell_access(struct cell *cell, const struct access_record *new)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < cell->nr; i++) {
		const struct access_record *old = &cell->records[i];

		if (old->thread != new->thread &&
			old->bytes &new->bytes &&conflict(
				old->kind, new->kind) &&
			!ordered(old))
			race(old, new);
		if (!covers(new, old))
			cell->records[kept++] = *old;
	}
	/* No room: forgets the oldest, and perhaps a race. */
	if (kept == CELL_RECORDS)
		memmove(&cell->records[0], &cell->records[1],
			--kept * sizeof(cell->records[0]));
	cell->records[kept] = *new;
	cell->nr = kept + 1;
}

/* Part of a range that is in one cell. */
struct piece {
	uint64_t granule;
	uint8_t bytes;
};

static struct piece piece_at(uintptr_t *at, uintptr_t end)
{
	const unsigned int first = *at % 8;
	const uintptr_t next = *at - first + 8;
	const unsigned int last = end < next ? (unsigned int)(end % 8) : 8;
	const struct piece piece = {
		*at / 8, (uint8_t)((0xff << first) & (0xff >> (8 - last)))};

	*at = next;
	return piece;
}

static void range_access(
	const void *start, size_t size, struct access_record *access)
{
	const uintptr_t end = (uintptr_t)start + size;
	uintptr_t at = (uintptr_t)start;

	access->thread = (uint8_t)run.who;
	access->epoch = clocks[run.who].at[run.who];
	if (self()->rcu_depth)
		access->kind |= KIND_SECTION;
	while (at < end) {
		const struct piece piece = piece_at(&at, end);

		access->bytes = piece.bytes;
		cell_access(cell_of(piece.granule), access);
	}
}

static bool watching(void)
{
	return in_thread() && !in_callback;
}

static void site_access(const void *start, size_t size, unsigned int kind,
	const struct explore_site *site)
{
	struct access_record access = {
		.place = site, .kind = (uint8_t)(kind | KIND_OURS)};

	range_access(start, size, &access);
}

/* Is it a variable that each thread has for itself, or the explorer's own? */
static bool is_exempt(const void *address)
{
	return coroutine_is_local(address) || address == &explore_peeking;
}

void races_plain(const void *start, size_t size, bool writes, const void *place)
{
	struct access_record access = {
		.place = place, .kind = writes ? KIND_WRITES : 0};

	if (watching() && !is_exempt(start))
		range_access(start, size, &access);
}

/* ---- what the seam does ---- */

void races_word(const struct sync_u64 *word, uint16_t object,
	enum word_operation operation, const struct explore_site *site)
{
	const unsigned int halves = order_in_force(site, operation);

	if (!watching())
		return;
	if (halves & HALF_ACQUIRE)
		acquire(object);
	site_access(&word->value, sizeof(word->value),
		KIND_ATOMIC | (operation >= WORD_STORED ? KIND_WRITES : 0),
		site);
	if (operation == WORD_STORED)
		memset(released_at(object), 0, sizeof(struct race_clock));
	if (halves & HALF_RELEASE) {
		release(object);
		epoch_begin();
	}
}

void races_locked(const struct sync_lock *lock, uint16_t object,
	const struct explore_site *site)
{
	if (!watching())
		return;
	acquire(object);
	site_access(&lock->held, 1, KIND_ATOMIC | KIND_WRITES, site);
}

void races_unlocked(const struct sync_lock *lock, uint16_t object,
	const struct explore_site *site)
{
	if (!watching())
		return;
	site_access(&lock->held, 1, KIND_ATOMIC | KIND_WRITES, site);
	release(object);
	epoch_begin();
}

void races_parker_init(const struct sync_parker *parker)
{
	if (watching())
		site_access(&parker->token, 1, KIND_WRITES, NULL);
}

void races_parked(const struct sync_parker *parker, uint16_t object,
	const struct explore_site *site)
{
	if (!watching())
		return;
	if (parker->token)
		acquire(object);
	site_access(&parker->token, 1, KIND_ATOMIC | KIND_WRITES, site);
}

void races_unparked(const struct sync_parker *parker, uint16_t object,
	const struct explore_site *site)
{
	if (!watching())
		return;
	site_access(&parker->token, 1, KIND_ATOMIC | KIND_WRITES, site);
	release(object);
	epoch_begin();
}

/* ---- memory ---- */

void races_alloc(
	const void *block, size_t size, const struct explore_site *site)
{
	if (watching())
		site_access(block, size, KIND_WRITES, site);
}

void races_free(const void *block, size_t size, const struct explore_site *site)
{
	if (watching())
		site_access(block, size, KIND_WRITES, site);
}

static void require_ordered(const struct access_record *use)
{
	char text[200], name[64];

	if (use->kind & KIND_SECTION || ordered(use))
		return;
	describe(text, sizeof(text), use);
	execution_fail(DAX_EXPLORE_DATA_RACE,
		"%s hands memory to RCU, and nothing orders that after %s",
		thread_name(run.who, name, sizeof(name)), text);
}

void races_retire(const void *block, size_t size)
{
	const uintptr_t end = (uintptr_t)block + size;
	uintptr_t at = (uintptr_t)block;

	if (!watching())
		return;
	while (at < end) {
		const struct cell *cell = cell_of(piece_at(&at, end).granule);

		for (unsigned int i = 0; i < cell->nr; i++)
			require_ordered(&cell->records[i]);
	}
	join(&rcu_clock, &clocks[run.who]);
	epoch_begin();
}

void races_rcu_left(void)
{
	if (!watching())
		return;
	join(&rcu_clock, &clocks[run.who]);
	epoch_begin();
}

void races_rcu_barrier(void)
{
	if (watching())
		join(&clocks[run.who], &rcu_clock);
}

void races_callback(bool begins)
{
	in_callback = begins;
}

/* ---- executions ---- */

void races_setup(bool on)
{
	races_on = on;
}

void races_reset(void)
{
	if (!races_on)
		return;
	execution++;
	nr_cells = 0;
	in_callback = false;
	memset(&rcu_clock, 0, sizeof(rcu_clock));
	memset(clocks, 0, sizeof(clocks));
	for (unsigned int i = 0; i < MAX_THREADS; i++)
		clocks[i].at[i] = 1;
}

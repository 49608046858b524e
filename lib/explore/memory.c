/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Allocation, and who may still use what.
 *
 * Freeing and RCU order nothing (E3), so that they cost no interleavings. A
 * use is judged by the clocks instead, which stand for every execution that is
 * equivalent to this one:
 *
 * M1  Freeing a block is right when every use of it by others happened before.
 * M2  Handing a block to RCU is right when every use of it by others happened
 *     before, or in a read section whose beginning happened before.
 * M3  Using a block that was handed to RCU is right in a read section whose
 *     beginning happened before that.
 *
 * For a reader that finds a block through a link, begins before it looks at
 * the link, and is followed by the writer that changes the link, that holds in
 * every order. Where it does not hold there is an order of the same steps in
 * which the block is gone when it is used: all readers that RCU waits for can
 * leave before.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "explore/engine.h"
#include "explore/races.h"

#define BODY_SIZE   ((size_t)4 << 20)
#define THREAD_SIZE ((size_t)1 << 20)
_Static_assert(ARENA_SIZE == BODY_SIZE + MAX_THREADS * THREAD_SIZE, "");
/* Always there, so that hashes of addresses are the same in every process. */
#define ARENA_ADDRESS ((void *)0x6d0000000000)
#define MAX_BLOCKS    16384
#define POISON	      0x6b

enum block_state {
	BLOCK_LIVE,
	BLOCK_RETIRED, /* handed to RCU */
	BLOCK_FREE,
};

struct block {
	char *start;
	const struct explore_site *site;
	uint32_t size;
	uint16_t retired; /* step + 1 */
	uint8_t state;	  /* enum block_state */
	/* Each thread's last use. The body's come before or after all others.
	 */
	struct {
		moment_t at;
		moment_t section; /* when that began, or NO_SECTION */
	} used[MAX_THREADS + 1];
};

struct region {
	char *start;
	size_t size;
};

char *arena;
static struct region regions[MAX_THREADS + 1];
/* Not kept by checkpoints: since the one to which we go back, blocks were only
 * added. */
uint16_t block_at[ARENA_SIZE / GRANULE];
static unsigned int nr_placed;		/* those that it knows */
static struct block blocks[MAX_BLOCKS]; /* from 1 on */

/* What changes from step to step, but for the memory itself. */
static struct {
	/* These tell states apart, */
	uint64_t nr_live;
	struct sync_rcu_head *rcu_first;
	size_t used[MAX_THREADS + 1]; /* of each region */
	uint8_t awaited[MAX_THREADS]; /* callbacks, by sync_rcu_barrier() */
	/* these do not. */
	struct sync_rcu_head **rcu_end;
	unsigned int nr_blocks;
	unsigned int nr_statics; /* known when a checkpoint was taken */
} now;

/* ---- static variables ---- */

#define MAX_STATICS  256
#define STATIC_BYTES 16

static struct {
	void *address;
	size_t size;
	char value[STATIC_BYTES];
} statics[MAX_STATICS];
static unsigned int nr_statics;

void memory_remember_static(const void *address, size_t size)
{
	unsigned int i = 0;
	unsigned int who;

	if (memory_is_stack(address, &who))
		return;
	while (i < nr_statics && statics[i].address != address)
		i++;
	if (i < nr_statics)
		return;
	/* Not to know one is to take states for one that differ in it. */
	if (i == MAX_STATICS)
		execution_fail(
			DAX_EXPLORE_STEP_LIMIT, "too many static variables");
	nr_statics++;
	statics[i].address = (void *)(uintptr_t)address;
	statics[i].size = size;
	memcpy(statics[i].value, address, size);
}

/* All but the first @but. */
static void statics_restore(unsigned int but)
{
	for (unsigned int i = but; i < nr_statics; i++)
		memcpy(statics[i].address, statics[i].value, statics[i].size);
}

void memory_forget_statics(void)
{
	statics_restore(0);
	nr_statics = 0;
}

/* ---- the arena ---- */

void memory_setup(void)
{
	char *next;

	if (arena)
		return;
	next = mmap(ARENA_ADDRESS, ARENA_SIZE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	DAX_REQUIRE(next != MAP_FAILED);
	arena = next;
	for (unsigned int i = 0; i <= MAX_THREADS; i++) {
		regions[i].start = next;
		regions[i].size = i == WHO_BODY ? BODY_SIZE : THREAD_SIZE;
		next += regions[i].size;
	}
}

void memory_pages(struct spans *spans)
{
	for (unsigned int i = 0; i <= MAX_THREADS; i++) {
		const size_t offset = (size_t)(regions[i].start - arena);

		span_add(spans, regions[i].start, 1);
		span_add(spans, &block_at[offset / GRANULE], 1);
	}
	span_add(spans, blocks, 64 * sizeof(blocks[0]));
}

static size_t granules(const struct block *block)
{
	return (block->size + GRANULE - 1u) / GRANULE;
}

static size_t first_granule(const struct block *block)
{
	return (size_t)(block->start - arena) / GRANULE;
}

static void block_place(void)
{
	const struct block *block = &blocks[now.nr_blocks];

	for (size_t i = 0; i < granules(block); i++)
		block_at[first_granule(block) + i] = (uint16_t)now.nr_blocks;
	nr_placed = now.nr_blocks;
}

/* All but the first @but. */
static void blocks_displace(unsigned int but)
{
	for (; nr_placed > but; nr_placed--)
		memset(&block_at[first_granule(&blocks[nr_placed])], 0,
			granules(&blocks[nr_placed]) * sizeof(block_at[0]));
}

void memory_reset(void)
{
	blocks_displace(0);
	memset(&now, 0, sizeof(now));
	now.rcu_end = &now.rcu_first;
	statics_restore(0);
}

static struct block *block_of(const void *address)
{
	const size_t offset = (size_t)((const char *)address - arena);
	const unsigned int number = block_at[offset / GRANULE];
	struct block *block = &blocks[number];

	if ((size_t)((const char *)address - block->start) >= block->size)
		return NULL;
	return block;
}

void memory_name(const void *address, char *text, size_t size)
{
	const struct block *block;

	/* Where a program is loaded differs from run to run. */
	if ((const char *)address >= __data_start &&
		(const char *)address < _end)
		snprintf(text, size, "s+0x%x",
			(unsigned int)((const char *)address - __data_start));
	else if (!in_arena(address) || !(block = block_of(address)))
		snprintf(text, size, "%p", address);
	else
		snprintf(text, size, "b%d+0x%x", (int)(block - blocks) - 1,
			(unsigned int)((const char *)address - block->start));
}

/* ---- allocation ---- */

static bool refused(void)
{
	if (!in_thread() || !run.state.failures_left || !schedule_choose(2))
		return false;
	run.state.failures_left--;
	return true;
}

void *explore_alloc(size_t size, size_t align, const struct explore_site *site)
{
	const unsigned int who = in_thread() ? run.who : WHO_BODY;
	struct region *region = &regions[who];
	struct block *block = &blocks[now.nr_blocks + 1];
	size_t offset = now.used[who] + GRANULE;
	size_t end;

	if (refused()) {
		event(OP_ALLOC, NULL, size, 0, site);
		sync_note("gets no memory");
		return NULL;
	}
	if (align > GRANULE)
		offset = (offset + align - 1) & -align;
	end = (offset + size + GRANULE - 1) & -(size_t)GRANULE;
	if (now.nr_blocks == MAX_BLOCKS - 1 || end > region->size)
		return NULL;
	now.used[who] = end;
	memset(block, 0, sizeof(*block));
	block->start = region->start + offset;
	block->size = (uint32_t)size;
	block->site = site;
	memset(block->start, 0, size);
	now.nr_blocks++;
	now.nr_live++;
	block_place();
	event(OP_ALLOC, block->start, size, 0, site);
	if (races_on)
		races_alloc(block->start, size, site);
	coroutine_wipe();
	return block->start;
}

/* ---- use ---- */

static const struct clock *clock_now(void)
{
	static const struct clock none;
	const struct thread *me = self();

	return in_thread() && me->last ? &steps[me->last - 1].clock : &none;
}

static _Noreturn void used_too_late(
	const struct block *block, const char *since, const char *where)
{
	const struct event *end = events_end_of(block->start, block->size);
	char me[64], other[64], by[96] = "";

	if (end)
		snprintf(by, sizeof(by), " by %s in step %u",
			thread_name(end->thread, other, sizeof(other)),
			end->step);
	execution_fail(DAX_EXPLORE_USE_AFTER_FREE,
		"%s uses memory of %s() at %s:%d after it was %s%s%s",
		thread_name(run.who, me, sizeof(me)), block->site->function,
		file_name(block->site->file), block->site->line, since, by,
		where);
}

/* M3 */
static void use_retired(const struct block *block)
{
	const struct thread *me = self();

	if (!block->retired || !in_thread())
		return;
	run.judged = run.depth;
	if (!me->rcu_depth ||
		steps[block->retired - 1].clock.at[run.who] <= me->section)
		used_too_late(block, "handed to RCU",
			", outside a read section begun before that");
}

static inline void note_use(struct block *block)
{
	const struct thread *me = self();

	block->used[run.who].at = run.moment;
	block->used[run.who].section = me->section;
}

static __attribute__((noinline)) void use_doubtful(
	struct block *block, const void *address)
{
	if (!block)
		execution_fail(DAX_EXPLORE_USE_AFTER_FREE,
			"%s uses %p, which never was allocated", self()->name,
			address);
	if (block->state == BLOCK_FREE)
		used_too_late(block, "freed", "");
	use_retired(block);
	note_use(block);
}

void memory_use(const void *address)
{
	struct block *block = block_of(address);

	if (block && block->state == BLOCK_LIVE)
		note_use(block);
	else
		use_doubtful(block, address);
}

const char *memory_block(const void *address)
{
	const struct block *block = block_of(address);

	return block ? block->start : NULL;
}

bool memory_is_alive(const void *address)
{
	const struct block *block =
		in_arena(address) ? block_of(address) : NULL;

	return !block || block->state != BLOCK_FREE;
}

/* ---- freeing ---- */

/* M1, and M2 when @in_sections. */
static void require_unused(const struct block *block, bool in_sections)
{
	const struct clock *clock = clock_now();

	if (!in_thread())
		return;
	run.judged = run.depth;
	for (unsigned int t = 0; t < run.nr_threads; t++) {
		const moment_t section = block->used[t].section;

		if (t == run.who || clock_has(clock, t, block->used[t].at) ||
			(in_sections && section != NO_SECTION &&
				clock->at[t] > section))
			continue;
		execution_fail(DAX_EXPLORE_USE_AFTER_FREE,
			"%s frees memory of %s() at %s:%d that %s may "
			"still use",
			self()->name, block->site->function,
			file_name(block->site->file), block->site->line,
			run.threads[t].name);
	}
}

static struct block *block_to_free(const void *address)
{
	struct block *block = in_arena(address) ? block_of(address) : NULL;

	if (!block || block->start != address || block->state == BLOCK_FREE ||
		(block->state == BLOCK_RETIRED && !self()->in_callback))
		execution_fail(DAX_EXPLORE_BAD_FREE, "%s frees %p, which %s",
			self()->name, address,
			block && block->start == address ? "is free already"
							 : "is no block");
	return block;
}

/* Nobody notes uses of memory that is freed by the body alone, in the end. That
 * there is other memory comes out when the first of it is freed; then the
 * search starts again. */
static void free_matters(void)
{
	if (!search.frees && (in_thread() || !run.depth))
		search.frees = search.found_shared = true;
}

void explore_free(void *address, const struct explore_site *site)
{
	struct block *block;

	if (!address)
		return;
	free_matters();
	block = block_to_free(address);
	order_everything();
	event(OP_FREE, address, 0, 0, site);
	if (block->state == BLOCK_LIVE)
		require_unused(block, self()->in_callback);
	if (races_on)
		races_free(block->start, block->size, site);
	if (search.states && in_thread())
		object_freed(block->start, block->size, run.who);
	block->state = BLOCK_FREE;
	memset(block->start, POISON, block->size);
	now.nr_live--;
	coroutine_wipe();
}

uint64_t sync_alloc_live(void)
{
	return now.nr_live;
}

void sync_alloc_fail_nth(uint64_t nth)
{
	/* A scenario says how many may fail; each is tried. */
	(void)nth;
}

void memory_check_end(void)
{
	for (unsigned int i = 1; now.nr_live && i <= now.nr_blocks; i++)
		if (blocks[i].state != BLOCK_FREE)
			execution_fail(DAX_EXPLORE_LEAK,
				"memory of %s() at %s:%d was not freed",
				blocks[i].site->function,
				file_name(blocks[i].site->file),
				blocks[i].site->line);
}

/* ---- RCU ---- */

/*
 * Who waits for callbacks can tell when others enter, leave and call: then
 * these order something, and are steps after all. That comes out when the
 * first thread waits, and the search starts again.
 */
static uint32_t rcu_object;

static uint16_t rcu_number(void)
{
	return object_of(&rcu_object, sizeof(rcu_object), &rcu_object);
}

static void rcu_step(enum operation operation)
{
	static const uint8_t always;

	if (__builtin_expect(!search.rcu_steps, 1) || !in_thread())
		return;
	schedule_point(operation, rcu_number(), &always, 0);
	order_access(rcu_number(), ACCESS_WRITE);
	order_own_done();
	coroutine_wipe();
}

void sync_rcu_enter(void)
{
	struct thread *me = self();

	if (!me->rcu_depth)
		rcu_step(OP_RCU_ENTER);
	if (me->rcu_depth++)
		return;
	me->section = run.moment;
	me->reading = search.rcu_steps || !search.states;
}

static void rcu_run(struct sync_rcu_head *head)
{
	/* It may be freed in there. */
	const uint32_t waiters = head->waiters;

	self()->in_callback = true;
	races_callback(true);
	head->function(head);
	races_callback(false);
	self()->in_callback = false;
	for (unsigned int i = 0; i < MAX_THREADS; i++)
		now.awaited[i] = (uint8_t)(now.awaited[i] - (waiters >> i & 1));
}

/* This thread has left: run what waited for it alone. Others may come and go
 * while it runs. */
static void rcu_left(void)
{
	struct sync_rcu_head **from = &now.rcu_first;
	struct sync_rcu_head *ready = NULL;
	struct sync_rcu_head **ready_end = &ready;

	while (*from) {
		struct sync_rcu_head *head = *from;

		head->readers &= ~(1u << run.who);
		if (head->readers) {
			from = &head->next;
			continue;
		}
		*from = head->next;
		*ready_end = head;
		ready_end = &head->next;
	}
	now.rcu_end = from;
	*ready_end = NULL;
	while (ready) {
		struct sync_rcu_head *head = ready;

		ready = head->next;
		rcu_run(head);
	}
}

void sync_rcu_leave(void)
{
	struct thread *me = self();

	if (!me->rcu_depth)
		execution_fail(DAX_EXPLORE_FAILED_ASSERTION,
			"%s leaves RCU without having entered", me->name);
	if (me->rcu_depth == 1) {
		rcu_step(OP_RCU_LEAVE);
		if (races_on)
			races_rcu_left();
	}
	if (--me->rcu_depth)
		return;
	me->section = NO_SECTION;
	me->reading = false;
	if (now.rcu_first) {
		order_everything();
		rcu_left();
	}
	coroutine_wipe();
}

static uint32_t rcu_readers(void)
{
	uint32_t readers = 0;

	for (unsigned int i = 0; i < run.nr_threads; i++)
		if (!is_done(i) && run.threads[i].reading)
			readers |= 1u << i;
	return readers;
}

bool rcu_tells_apart(unsigned int a, unsigned int b)
{
	for (const struct sync_rcu_head *head = now.rcu_first; head;
		head = head->next)
		if ((head->readers >> a ^ head->readers >> b) & 1)
			return true;
	return false;
}

void sync_rcu_call(struct sync_rcu_head *head,
	void (*function)(struct sync_rcu_head *head))
{
	struct block *block = in_arena(head) ? block_of(head) : NULL;

	free_matters();
	rcu_step(OP_RCU_CALL);
	order_everything();
	event(OP_RCU_CALL, head, 0, 0, NULL);
	if (block) {
		if (block->state != BLOCK_LIVE)
			execution_fail(DAX_EXPLORE_BAD_FREE,
				"%s hands memory to RCU twice", self()->name);
		require_unused(block, true);
		if (races_on)
			races_retire(block->start, block->size);
		block->state = BLOCK_RETIRED;
		block->retired = in_thread() ? self()->last : 0;
	}
	head->function = function;
	head->next = NULL;
	head->waiters = 0;
	head->readers = rcu_readers();
	if (head->readers) {
		*now.rcu_end = head;
		now.rcu_end = &head->next;
	} else {
		rcu_run(head);
	}
	coroutine_wipe();
}

void sync_rcu_barrier(void)
{
	uint8_t *awaited = &now.awaited[run.who];

	/* The body is alone: nothing is pending. */
	if (!in_thread())
		return;
	if (self()->rcu_depth)
		execution_fail(DAX_EXPLORE_DEADLOCK,
			"%s waits for callbacks inside a read section",
			self()->name);
	if (!search.rcu_steps)
		search.rcu_steps = search.found_shared = true;
	rcu_step(OP_RCU_BARRIER);
	for (struct sync_rcu_head *head = now.rcu_first; head;
		head = head->next) {
		DAX_REQUIRE(*awaited < UINT8_MAX);
		head->waiters |= 1u << run.who;
		++*awaited;
	}
	schedule_point(OP_RCU_BARRIER, rcu_number(), awaited, 0);
	order_access(rcu_number(), ACCESS_WRITE);
	order_own_done();
	if (races_on)
		races_rcu_barrier();
	coroutine_wipe();
}

/* ---- states ---- */

static void memory_contents(struct spans *spans)
{
	for (unsigned int i = 0; i <= MAX_THREADS; i++)
		if (now.used[i])
			span_add(spans, regions[i].start, now.used[i]);
	now.nr_statics = nr_statics;
	for (unsigned int i = 0; i < nr_statics; i++)
		span_add(spans, statics[i].address, statics[i].size);
}

void memory_state_spans(struct spans *spans)
{
	memory_contents(spans);
	span_add(spans, &now, offsetof(__typeof__(now), rcu_end));
}

void memory_spans(struct spans *spans)
{
	memory_contents(spans);
	span_add(spans, &now, sizeof(now));
	span_add(spans, &blocks[1], now.nr_blocks * sizeof(blocks[0]));
}

/* Nobody had touched the statics that were unknown then. */
void memory_restored(void)
{
	statics_restore(now.nr_statics);
	blocks_displace(now.nr_blocks);
}

/* ---- the end of a thread ---- */

void memory_check_thread_end(void)
{
	const struct thread *me = self();
	const struct rank_chain *chain = sync_rank_chain();

	if (me->rcu_depth)
		execution_fail(DAX_EXPLORE_LEAKED_LOCK, "%s ended inside RCU",
			me->name);
	if (chain->depth)
		lock_kept(&chain->held[0]);
}

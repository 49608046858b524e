/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The explorer's engine: runs a scenario again and again, each time with
 * another interleaving of its threads, until there is none left that differs.
 *
 *   thread	a coroutine that runs one of the scenario's functions
 *   body	the coroutine that runs the scenario itself
 *   operation	a call of the seam that others can see
 *   step	one operation and the code after it, up to the next operation;
 *		what the scheduler chooses between
 *   object	what an operation is on: a word, a lock, a parker
 *   footprint	the objects that a step touches, and how
 *   prefix	the steps that an execution repeats from the one before
 *   choice	a value the engine picks in the middle of a step, such as
 *		whether an allocation fails; it is a step of its own
 *
 * E1  A thread announces its next operation before it performs it. It is
 *     resumed only when the operation can succeed, so no operation blocks
 *     half-way.
 * E2  An object is an address, and keeps its number for the whole search.
 * E3  These operations are no steps of their own but merge with the step
 *     before: releasing a lock, RCU and freeing, and whatever is done to an
 *     object that is not shared. A release only ever enables others. RCU and
 *     freeing order nothing: whether a use comes too late is decided by the
 *     clocks, for all equivalent executions at once (memory.c). A search of
 *     states has no clocks: there a read section begins with the step after
 *     it, as late as it can, and what others free is shared. Only where a
 *     thread waits in sync_rcu_barrier(), RCU is steps as well.
 * E5  An object is shared when two threads have accessed it in ways that do
 *     not commute, in whatever execution. Nobody knows that at first: when one
 *     that was not shared becomes so, that execution is void, and the search
 *     starts again (objects.c).
 * E4  Memory is never used again in an execution, and each thread allocates
 *     from its own region: addresses do not depend on the interleaving more
 *     than the thread itself does.
 */
#ifndef EXPLORE_ENGINE_H
#define EXPLORE_ENGINE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/sync.h"
#include "daxlock/explore.h"
#include "explore/events.h"

#define MAX_STEPS 8192
/* Operations that merge with one step. */
#define MAX_MERGED 1000
#define NEVER	   UINT32_MAX

#include "explore/replay.h"

#define MAX_THREADS DAX_EXPLORE_THREADS
#define MAX_OBJECTS 16384

/* Who runs: threads from 0 on, then these. */
enum {
	WHO_BODY = MAX_THREADS,
	WHO_ENGINE,
	NR_WHO,
};

enum operation {
	OP_NONE,
	OP_LOAD,
	OP_STORE,
	OP_CAS,
	OP_SWAP,
	OP_ADD,
	OP_OR,
	OP_AND,
	OP_LOCK,
	OP_UNLOCK,
	OP_PARK,
	OP_UNPARK,
	OP_CHOOSE,
	OP_ALLOC,
	OP_FREE,
	OP_RCU_CALL,
	OP_RCU_BARRIER,
	OP_NOTE,
	OP_RCU_ENTER,
	OP_RCU_LEAVE,
	OP_FLUSH, /* of a store that was buffered (tso.h) */
	OP_DRAIN,
};

enum access {
	/* Each of these commutes with its like. */
	ACCESS_READ,
	ACCESS_COUNT,
	ACCESS_UNPARK,
	/* These do not. */
	ACCESS_WRITE,
	ACCESS_ACQUIRE,
	ACCESS_RELEASE,
	ACCESS_PARK,
	ACCESS_NONE,
};

/* The last stands for all that do not commute. */
#define ACCESS_KINDS (ACCESS_UNPARK + 2)

static inline bool accesses_commute(enum access a, enum access b)
{
	return a == b && a <= ACCESS_UNPARK;
}

/* ---- footprints and clocks ---- */

#define FOOTPRINT_MAX 6

struct touch {
	uint16_t object; /* by its history */
	uint16_t access;
};

struct footprint {
	uint8_t nr;
	bool everything; /* more than fits */
	struct touch at[FOOTPRINT_MAX];
};

/*
 * A moment in a thread: step i, from 1 on, has four. The first is that of its
 * own operation. What is merged with the step comes at the second; at the
 * third when there was a release before, at the fourth after another one. So a
 * release says exactly what happened before it. After a third nothing is
 * merged any more.
 */
typedef uint16_t moment_t;

#define MOMENTS	   4

#define NO_SECTION UINT16_MAX

static inline moment_t moment_first(unsigned int step)
{
	return (moment_t)(MOMENTS * (step - 1) + 1);
}

static inline unsigned int moment_step(moment_t moment)
{
	return (moment + MOMENTS - 1u) / MOMENTS;
}

/* For each thread, its latest moment that happened before; 0: none. It is read
 * whole, and therefore written whole: a part would hold up who reads it next
 * until it has left the CPU's store buffer. */
struct clock {
	moment_t at[MAX_THREADS];
};

/* Signed, as SSE2 can compare those. */
typedef int16_t lanes_t __attribute__((vector_size(sizeof(struct clock))));
_Static_assert(MOMENTS *(MAX_STEPS - 1) <= INT16_MAX, "");

static inline lanes_t lanes_of(const struct clock *clock)
{
	lanes_t lanes;

	memcpy(&lanes, clock, sizeof(lanes));
	return lanes;
}

/* Of each thread, all bits of its lane. */
extern const struct clock lane_masks[MAX_THREADS];

/* @clock becomes @lanes, with @thread at @moment. */
static inline void clock_set(struct clock *clock, lanes_t lanes,
	unsigned int thread, moment_t moment)
{
	const lanes_t mine = lanes_of(&lane_masks[thread]);

	lanes = (lanes & ~mine) | (mine & (int16_t)moment);
	memcpy(clock, &lanes, sizeof(*clock));
}

/* ---- objects ---- */

/* One for each address that is operated on, for the whole search. */
struct object {
	const void *address;
	/* Threads that have accessed it so, until it is shared; then 0. */
	uint8_t by[ACCESS_KINDS];
	uint16_t history; /* of a shared one, else 0 */
	uint16_t slot;	  /* where the table has its number */
};

/* The latest accesses of one kind that commute with each other. */
struct epoch {
	struct clock last; /* of each thread, or 0 */
	enum access access;
	moment_t first; /* of all, or 0: before the threads began */
};

/* What was done to a shared object in this execution. */
struct history { /* in one line of the cache */
	_Alignas(64) struct epoch now;
	struct epoch before;
	moment_t released; /* a lock: of its last release, or 0 */
};

/* ---- steps ---- */

/* All but what is asleep fills a line of the cache. */
struct step {
	_Alignas(64) struct clock clock;
	struct footprint footprint;
	uint16_t merged;      /* operations performed after its own (E3) */
	uint16_t preemptions; /* up to and with this step */
	uint16_t last;	      /* the thread's clock before this step */
	uint32_t state;	      /* before it: the number of a note, or 0 */
	uint8_t thread;
	uint8_t previous; /* who ran before */
	uint8_t operation;
	uint8_t enabled;   /* threads that could have been chosen */
	uint8_t waiting;   /* those of them that would time out */
	uint8_t todo;	   /* to be chosen yet; values, when it is a choice */
	uint8_t done;	   /* were chosen, and all that follows explored */
	uint8_t sleep;	   /* need not be chosen: explored elsewhere */
	uint8_t twins;	   /* another, who is alike, is chosen instead */
	uint8_t nr_values; /* of a choice, or 0 */
	uint8_t value;
	uint8_t timed; /* a park with a deadline */
	/* Of @done and @sleep. */
	_Alignas(64) struct footprint asleep[MAX_THREADS];
	uint8_t twin_of[MAX_THREADS]; /* of @twins */
};

/* ---- threads ---- */

struct thread {
	/* The announced operation may be resumed when *@flag == @want. */
	const uint8_t *flag;
	uint8_t want;
	uint8_t operation;
	uint8_t timed;	/* parks with a deadline */
	uint8_t daemon; /* need not end */
	uint16_t object;
	uint16_t last; /* step + 1 of its last step, or 0 */
	uint8_t like;  /* threads before it that can be exchanged with it */
	bool apart;    /* from all of them */
	uint64_t told; /* what it knows (twins.c) */
	uint32_t rcu_depth;
	moment_t section; /* when it entered RCU, or NO_SECTION */
	bool reading;	  /* states: RCU waits for it */
	bool in_callback; /* runs what waited for RCU readers */
	const char *name;
	void (*function)(void *context, long argument);
	void *context;
	long argument;
};

/* How far a thread has come, as far as others can tell. */
struct progress {
	uint64_t now;	 /* its clock, ns */
	uint64_t latest; /* @now may have come to be that, unless it is 0 */
	uint32_t slept;	 /* it had to wait in a park */
	uint32_t done;
	uint64_t spurious; /* how often it was woken by nobody */
};

/* ---- the state of the current execution ---- */

enum outcome {
	OUTCOME_RUNNING,
	OUTCOME_GOOD,
	OUTCOME_BUG,
	OUTCOME_CUT, /* all that follows is explored elsewhere */
	OUTCOME_DIVERGED,
};

struct execution {
	unsigned int who;
	unsigned int nr_threads;
	unsigned int depth; /* steps begun */
	uint16_t merged;    /* operations since the latest step (E3) */
	uint16_t may_merge; /* as many in all with the step */
	moment_t moment;    /* of the thread that runs */
	bool launching;
	bool uses;		 /* of memory are noted and judged (memory.c) */
	unsigned int watch_from; /* steps before which states are compared */
	unsigned int engine_from; /* the step before which it takes over */
	uint8_t stopped;	  /* who ran when the engine took over */
	uint8_t alive;		  /* threads that have not ended */
	unsigned int judged;	  /* steps until memory was judged by clocks */
	unsigned int nr_marks;	  /* states that were hashed (rest.c) */
	bool marked_last;	  /* so was that in which one thread is left */
	enum outcome outcome;
	enum dax_explore_bug bug;
	/* What can tell two states apart is here, up to the last thread. */
	struct {
		unsigned int failures_left;
		uint16_t choosing;  /* who waits for a value of a choice */
		uint16_t choice_of; /* how many values it has; 0: nobody */
		struct progress threads[NR_WHO];
	} state;
	struct thread threads[NR_WHO];
	char message[DAX_EXPLORE_MESSAGE];
};

extern struct execution run;
extern struct step steps[MAX_STEPS];
extern struct object objects[MAX_OBJECTS];
extern struct history histories[MAX_OBJECTS];

/* Does somebody look at what is no step? At plain accesses (races.h), at stores
 * before they are seen (tso.h), or to write all down. */
extern bool seam_watched;

/* Is this a thread, whose operations are steps? */
static inline bool in_thread(void)
{
	return run.who < MAX_THREADS && !explore_peeking;
}

static inline struct thread *self(void)
{
	return &run.threads[run.who];
}

static inline struct progress *my_progress(void)
{
	return &run.state.threads[run.who];
}

static inline bool is_done(unsigned int thread)
{
	return run.state.threads[thread].done;
}

/* ---- the search, as the engine sees it ---- */

struct search {
	const struct dax_scenario *scenario;
	const struct dax_explore_options *options;
	enum dax_explore_how how;
	int bound;		/* preemptions, or negative */
	uint64_t limit;		/* executions, or 0 */
	unsigned int max_steps; /* of an execution */
	unsigned int prefix;	/* steps to repeat */
	unsigned int first_new; /* steps from here on are new */
	bool races;		/* look for races: DPOR */
	bool sleep;		/* keep sleep sets */
	bool twins;		/* threads can be exchanged */
	bool states;		/* search states, not executions */
	bool checkpoints;	/* go back to one instead of starting again */
	bool rests;		/* do from notes what was done (rest.c) */
	bool found_shared;	/* an object was not known to be (E5) */
	bool rcu_steps;		/* RCU orders something (memory.c) */
	bool frees;		/* memory that threads use is freed */
	bool cyclic;		/* states come again (states.c) */
	unsigned int starts;	/* because of that */
	unsigned int next_checkpoint; /* take one at this step or later */
	unsigned int watch_from;      /* of each execution */
	uint64_t random;
	uint64_t nr_steps;
};

extern struct search search;

/* ---- spans: the memory that makes up the world of an execution ---- */

/* 256 static variables, and some of each thread. */
#define MAX_SPANS 320

struct spans {
	unsigned int nr;
	struct {
		void *address;
		size_t size;
	} at[MAX_SPANS];
};

static inline void span_add(struct spans *spans, void *address, size_t size)
{
	DAX_REQUIRE(spans->nr < MAX_SPANS);
	spans->at[spans->nr].address = address;
	spans->at[spans->nr].size = size;
	spans->nr++;
}

/* ---- coroutine.c ---- */

void coroutine_reset(void);
/* @who begins with @function, which calls coroutine_begin() first and never
 * returns. */
void coroutine_make(unsigned int who, void (*function)(void));
void coroutine_begin(void);
void coroutine_switch(unsigned int who);
_Noreturn void coroutine_leave(unsigned int who);
/* Is @address a variable that each thread has for itself? */
bool coroutine_is_local(const void *address);
struct rank_chain *coroutine_chain(unsigned int who);
/* Of the coroutines in the mask @live, what can tell two states apart: what
 * each has for itself, and of those in the mask @whole also the stacks. */
void coroutine_spans(
	struct spans *spans, unsigned int live, unsigned int whole);
/* Clears what the engine's own functions have left below the caller's frame, on
 * the stack of a thread. New frames have slots that nobody writes; what is in
 * them would tell apart states that are equal. */
void coroutine_leave_nothing(void);
/* What lies below its stack is no part of a state, but may come to be in slots
 * of new frames that nobody writes: make it the same on each path. */
void coroutine_clear_below(unsigned int who);

/* At the end of each operation, which has seen counts, numbers of blocks and
 * more that is no part of a state; where states are hashed. */
static inline void coroutine_wipe(void)
{
	if (search.states || search.checkpoints)
		coroutine_leave_nothing();
}

/* ---- schedule.c ---- */

/* The announced operation of this thread, which E1 allows to perform when
 * this returns. */
void schedule_point(enum operation operation, uint16_t object,
	const uint8_t *flag, uint8_t want);

/* Is an operation that can be performed now no step of its own? Each thread's
 * first one is always one. */
static inline bool schedule_merges(uint16_t object)
{
	if (objects[object].history || run.merged >= run.may_merge)
		return false;
	run.merged++;
	return true;
}
/* A value below @nr, all of which are explored. */
unsigned int schedule_choose(unsigned int nr);
void schedule_run_threads(void);
/* The next step begins: of the thread that is returned. WHO_BODY: all have
 * ended. WHO_ENGINE: the execution is over. */
unsigned int schedule_next(unsigned int previous);
/* Of those in the mask @among, the thread of @step where the way to search does
 * not leave that to the order of the threads. */
unsigned int schedule_thread(const struct step *step, unsigned int among);
/* Of the search's seed. */
uint64_t random_below(uint64_t limit);
/* Runs the body up to where the threads begin. */
void execution_begin(const struct dax_scenario *scenario);
/* Goes on from there, or from a checkpoint, to the end. */
void execution_finish(void);
/* Both. */
void execution_run(const struct dax_scenario *scenario);
/* States: lets @who go on up to its next operation, choice or end; the choice
 * it waits for, if any, is @value. */
void execution_resume(unsigned int who, unsigned int value);
/* What can tell two states apart, and all else that going back needs. */
void execution_state_spans(struct spans *spans, unsigned int stacks);
void execution_spans(struct spans *spans);
/* Threads that can go on; 0: all have ended, or nobody can, which is a bug. */
unsigned int execution_enabled(void);
/* Ends the execution. */
_Noreturn void execution_fail(enum dax_explore_bug bug, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* ---- pct.c ---- */

/* Before a search. */
void pct_setup(unsigned int depth);
/* The thread to run next, of those in the mask. */
unsigned int pct_choose(unsigned int among);

/* ---- objects.c ---- */

/* Forgets all. @shared: whatever comes is taken for shared at once. */
void objects_reset(bool shared);
/* The number of the object of @size bytes at @address, found or made. */
uint16_t object_find(const void *address, size_t size);
/* @thread accesses an object that is not shared; perhaps it is from now on. */
void object_accessed(
	struct object *object, unsigned int thread, enum access access);
/* States: @thread has freed @size bytes, or has RCU free them. */
void object_freed(const char *start, size_t size, unsigned int thread);
void histories_reset(void);
void histories_spans(struct spans *spans);

static inline bool object_is_shared(uint16_t number)
{
	return objects[number].history;
}

/* As object_find(); *@hint is what the object carries, perhaps its number. */
static inline uint16_t object_of(
	const void *address, size_t size, uint32_t *hint)
{
	uint32_t number = *hint;

	if (number >= MAX_OBJECTS || objects[number].address != address) {
		number = object_find(address, size);
		/* Paths that lead to one state must not differ in that. */
		if (!search.states)
			*hint = number;
	}
	return (uint16_t)number;
}

/* ---- twins.c: threads that can be exchanged ---- */

/* Before the first step of an execution. */
void twins_begin(void);
/* This thread has seen a shared word with that value; */
void twins_told(uint64_t value);
/* has done what others can see; */
void twins_part(void);
/* has come to the end of a step. */
void twins_step_done(void);
/* Of those in the mask, the first who is like @thread, or that itself. */
unsigned int twins_first(unsigned int thread, unsigned int among);
/* Those who need not be chosen for that. */
unsigned int twins_among(unsigned int enabled);
/* From here on there will be none. */
bool twins_are_over(void);

/* ---- order.c ---- */

/* The current step touches @object, which is shared. */
void order_shared(uint16_t history, enum access access);
void order_release(uint16_t object);
/* The same of an object that is shared. */
void order_released(uint16_t history);
/* It touches all that is in its footprint. */
void order_repeat(const struct step *step);
/* The body, before the threads: a parker that is unparked from now on, or not.
 */
void order_parker(uint16_t object, bool unparked);
/* It comes after the step whose number + 1 is @done, if that is not 0, and
 * could not have come before. */
void order_after(uint16_t done);
/* States: the current step does what commutes with nothing. */
void order_everything(void);
/* Races of the operations that are still blocked at the end. */
void order_blocked(void);
bool footprints_clash(const struct footprint *a, const struct footprint *b);

/* Sets up the clock of step @i, whose thread and last are known. */
static inline void order_step(unsigned int i)
{
	struct step *step = &steps[i];
	lanes_t before = {0};

	if (i < search.first_new)
		return;
	if (step->last)
		before = lanes_of(&steps[step->last - 1].clock);
	clock_set(&step->clock, before, step->thread, moment_first(i + 1));
}

static inline enum access access_kind(enum access access)
{
	return access < ACCESS_KINDS - 1 ? access : ACCESS_KINDS - 1;
}

/* The current step touches an object. */
static inline void order_access(uint16_t number, enum access access)
{
	struct object *object = &objects[number];

	if (object->history) {
		if (__builtin_expect(search.twins, 0) && access != ACCESS_READ)
			twins_part();
		order_shared(object->history, access);
	} else if (!(object->by[access_kind(access)] >> run.who & 1)) {
		object_accessed(object, run.who, access);
	}
}

/* The operation that the step is about is done. */
static inline void order_own_done(void)
{
	if (run.moment % MOMENTS == 1)
		run.moment++;
}

/* Did what thread @thread did at @at happen before what the step that has
 * @clock does? */
static inline bool clock_has(
	const struct clock *clock, unsigned int thread, moment_t at)
{
	return clock->at[thread] >= at;
}

/* ---- memory.c ---- */

void memory_setup(void);
void memory_reset(void);
/* Where all that is allocated lies. */
extern char *arena;
#define ARENA_SIZE ((size_t)12 << 20)

/* Where the block of @address begins, or NULL: it is in none. */
const char *memory_block(const void *address);
/* Is it in no block that was freed? */
bool memory_is_alive(const void *address);
/* Is @address in the arena alive? Fails the execution if not. */
void memory_use(const void *address);
/* Remembers the value that is there, if that is a static variable, to restore
 * it. */
void memory_remember_static(const void *address, size_t size);
/* After a search: they are as they were before it. */
void memory_forget_statics(void);

static inline bool in_arena(const void *address)
{
	return (uintptr_t)address - (uintptr_t)arena < ARENA_SIZE;
}

extern char __data_start[];
extern char _end[];

static inline void memory_remember(const void *address, size_t size)
{
	if ((uintptr_t)address - (uintptr_t)__data_start <
		(uintptr_t)_end - (uintptr_t)__data_start)
		memory_remember_static(address, size);
}

#define GRANULE 16
extern uint16_t block_at[ARENA_SIZE / GRANULE]; /* 0: none */

/* Something is about to use @address. */
static inline void memory_touch(const void *address)
{
	const size_t offset = (uintptr_t)address - (uintptr_t)arena;

	if (offset < ARENA_SIZE && (run.uses || !block_at[offset / GRANULE]))
		memory_use(address);
}
/* "b3+0x10" into @text, a block; "s+0x10", static, or on a stack. */
void memory_name(const void *address, char *text, size_t size);
bool memory_is_stack(const void *address, unsigned int *who);
/* Does RCU wait for only one of them? */
bool rcu_tells_apart(unsigned int a, unsigned int b);
void memory_check_end(void);
void memory_check_thread_end(void);
/* What can tell two states apart, and all else that going back needs. */
void memory_state_spans(struct spans *spans);
void memory_spans(struct spans *spans);
/* After going back. */
void memory_restored(void);

/* ---- checkpoint.c ---- */

#define ALL_STACKS ((1u << NR_WHO) - 1)

/*
 * A checkpoint is a copy of the world between two steps. All are of the
 * current path: going back to one drops those that are deeper.
 */
enum back {
	BACK_ORDER, /* what is known of threads and objects; nothing can run */
	BACK_WORLD,
};

void checkpoints_reset(void);
/* At run.depth, from the engine. False: there is no room. */
bool checkpoint_take(void);
/* The step before which the next one is worth what it costs, or NEVER. */
unsigned int checkpoint_next(void);
/* To the deepest one that is at most @depth. False: there is none. */
bool checkpoint_go_back(unsigned int depth, enum back how);
/* Of all that two equal states have in common; of stacks only those in the mask
 * @stacks. */
uint64_t checkpoint_hash(unsigned int stacks);

/* ---- hash.c ---- */

uint64_t hash_spans(const struct spans *spans);

/* ---- rest.c ---- */

/* A branch, those of the first new steps, and the last. */
#define MAX_MARKS 4

void rests_reset(void);
/* Does the next execution from notes alone. False: it must be run. */
bool rest_branch(void);
/* From the engine. Ends the execution if what follows is known. */
void rest_repeat(void);
/* The step before which that is worth a call the next time, or NEVER. */
unsigned int rest_next(void);
/* This execution has ended well. */
void rest_keep(void);

/* ---- endless.c ---- */

/* The execution has as many steps as it may have. */
void endless_limit(void);
/* @hash is that of the state at run.depth. */
void endless_state(uint64_t hash);
/* Is it that of an earlier one, after step @first or later, from which all is
 * repeated for ever? Then that is a bug. */
bool endless_cycle(uint64_t hash, unsigned int first);
/* Was this execution in that state before? */
bool endless_was_here(uint64_t hash);

/* ---- crash.c ---- */

/* During a search. */
void crashes_catch(void);
/* As it was before. */
void crashes_release(void);

/* ---- sometimes.c ---- */

void sometimes_reset(void);
/* What a scenario says must hold sometimes, and never did, or NULL. */
const char *sometimes_never(void);

/* ---- pages.c ---- */

/* Before the first search; memory is set up. */
void pages_get(void);
/* Add what to get of each. */
void coroutine_pages(struct spans *spans);
void objects_pages(struct spans *spans);
void memory_pages(struct spans *spans);
void checkpoint_pages(struct spans *spans);
void rest_pages(struct spans *spans);

/* ---- states.c ---- */

/* Searches all states. False: @limit of them, or the memory, were not enough.
 */
bool states_explore(const struct dax_scenario *scenario, uint64_t limit);

/* ---- seen.c ---- */

void seen_reset(void);
bool seen_has(uint64_t hash);
/* @hash was not there. False: there is no memory. */
bool seen_add(uint64_t hash);
/* Threads that were asleep each time that @hash was seen. */
uint8_t *seen_sleep(uint64_t hash);
uint64_t seen_count(void);

/* ---- blocked.c: when nobody can go on ---- */

enum dax_explore_bug blocked_bug(void);
void blocked_describe(char *text, size_t size);
/* Ends the execution: this thread unlocks @lock, which is not its own. */
_Noreturn void lock_misused(const struct sync_lock *lock);
/* Ends the execution of a thread that has ended and holds @lock. */
_Noreturn void lock_kept(const struct rank_lock *lock);

#endif

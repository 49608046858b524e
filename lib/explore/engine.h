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
 * E2  An object gets its number when an operation on it is announced. So all
 *     executions with one prefix know the objects of every step that may
 *     follow it by the same numbers, whichever they choose.
 * E3  Every operation is a step but these: releasing a lock, RCU and freeing
 *     merge with the step before. A release only ever enables others. RCU and
 *     freeing order nothing: whether a use comes too late is decided by the
 *     clocks, for all equivalent executions at once (memory.c).
 * E4  Memory is never used again in an execution, and each thread allocates
 *     from its own region: addresses do not depend on the interleaving more
 *     than the thread itself does.
 */
#ifndef EXPLORE_ENGINE_H
#define EXPLORE_ENGINE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/sync.h"
#include "daxlock/explore.h"

#define MAX_THREADS DAX_EXPLORE_THREADS
#define MAX_STEPS   8192
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

static inline bool accesses_commute(enum access a, enum access b)
{
	return a == b && a <= ACCESS_UNPARK;
}

/* ---- footprints and clocks ---- */

#define FOOTPRINT_MAX 6

struct footprint {
	uint8_t nr;
	bool everything; /* more than fits */
	struct {
		uint16_t object;
		uint16_t access;
	} at[FOOTPRINT_MAX];
};

/* For each thread, the number of steps of the execution up to and with its
 * last step that happened before; 0: none. */
struct clock {
	uint16_t at[MAX_THREADS];
};

/* ---- objects ---- */

/* The latest accesses of one kind that commute with each other. */
struct epoch {
	enum access access;
	uint16_t at[MAX_THREADS]; /* step + 1 of each thread's last, or 0 */
};

struct object {
	const void *address;
	struct epoch now;
	struct epoch before;
	uint16_t released; /* a lock: step + 1 of the last release, or 0 */
};

/* ---- steps ---- */

struct step {
	uint8_t thread;
	uint8_t previous; /* who ran before */
	uint8_t enabled;  /* threads that could have been chosen */
	uint8_t waiting;  /* those of them that would time out */
	uint8_t todo;	  /* to be chosen yet; values, when it is a choice */
	uint8_t done;	  /* were chosen, and all that follows explored */
	uint8_t sleep;	  /* need not be chosen: explored elsewhere */
	uint8_t operation;
	uint8_t nr_values; /* of a choice, or 0 */
	uint8_t value;
	uint16_t preemptions; /* up to and with this step */
	uint16_t last;	      /* the thread's clock before this step */
	const struct explore_site *site;
	struct clock clock;
	struct footprint footprint;
	struct footprint asleep[MAX_THREADS]; /* of @done and @sleep */
};

/* ---- threads ---- */

struct thread {
	/* The announced operation may be resumed when *@flag == @want. */
	const uint8_t *flag;
	uint8_t want;
	uint8_t operation;
	uint8_t done;
	uint8_t timed; /* parks with a deadline */
	uint16_t object;
	uint16_t last; /* step + 1 of its last step, or 0 */
	const struct explore_site *site;
	uint32_t rcu_depth;
	uint16_t rcu_since; /* @last when it entered */
	uint32_t slept;	    /* how often it had to wait in a park */
	uint64_t now;
	const char *name;
	void (*function)(void *context, long argument);
	void *context;
	long argument;
	struct rank_chain chain;
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
	unsigned int nr_objects;
	unsigned int failures_left;
	bool launching;
	uint8_t choosing;  /* states: who waits for a value of a choice */
	uint8_t choice_of; /* states: how many values it has; 0: nobody */
	enum outcome outcome;
	enum dax_explore_bug bug;
	char message[256];
	struct thread threads[NR_WHO];
};

extern struct execution run;
extern struct step steps[MAX_STEPS];
extern struct object objects[MAX_OBJECTS];

static inline bool in_thread(void)
{
	return run.who < MAX_THREADS;
}

static inline struct thread *self(void)
{
	return &run.threads[run.who];
}

/* ---- the search, as the engine sees it ---- */

struct search {
	const struct dax_explore_options *options;
	enum dax_explore_how how;
	int bound;		/* preemptions, or negative */
	uint64_t limit;		/* executions, or 0 */
	unsigned int prefix;	/* steps to repeat */
	unsigned int first_new; /* steps from here on are new */
	bool races;		/* look for races: DPOR */
	bool sleep;		/* keep sleep sets */
	bool states;		/* search states, not executions */
	uint64_t random;
	uint64_t nr_steps;
};

extern struct search search;

struct tape;

/* ---- coroutine.c ---- */

void coroutine_reset(void);
/* @who begins with @function, which calls coroutine_begin() first and never
 * returns. */
void coroutine_make(unsigned int who, void (*function)(void));
void coroutine_begin(void);
void coroutine_switch(unsigned int who);
_Noreturn void coroutine_leave(unsigned int who);
/* Its variables, and its stack. */
void coroutine_tape(struct tape *tape, unsigned int who, bool with_stack);

/* ---- schedule.c ---- */

/* The announced operation of this thread, which E1 allows to perform when
 * this returns. */
void schedule_point(enum operation operation, uint16_t object,
	const uint8_t *flag, uint8_t want, const struct explore_site *site);
/* A value below @nr, all of which are explored. */
unsigned int schedule_choose(unsigned int nr, const struct explore_site *site);
void schedule_run_threads(void);
/* Would @thread be a preemption, in place of whoever ran before @step? */
bool step_preempts(const struct step *step, unsigned int thread);
/* One execution from start to end. When states are searched, up to where the
 * threads begin. */
void execution_run(const struct dax_scenario *scenario);
/* States: lets @who go on up to its next operation, choice or end; the choice
 * it waits for, if any, is @value. */
void execution_resume(unsigned int who, unsigned int value);
/* Threads that can go on; 0: all have ended, or nobody can, which is a bug. */
unsigned int execution_enabled(void);
/* Ends the execution. */
_Noreturn void execution_fail(enum dax_explore_bug bug, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* ---- order.c ---- */

/* The number of the object at @address; *@hint is what it carries. */
uint16_t object_of(const void *address, uint32_t *hint);
/* The current step touches @object. */
void order_access(uint16_t object, enum access access);
void order_release(uint16_t object);
/* Sets up the clock of step @i, of thread @thread. */
void order_step(unsigned int i);
/* Races of the operations that are still blocked at the end. */
void order_blocked(void);
bool footprints_clash(const struct footprint *a, const struct footprint *b);

/* Did what thread @thread had done when its clock was @at happen before what
 * the step that has @clock does? */
static inline bool clock_has(
	const struct clock *clock, unsigned int thread, uint16_t at)
{
	return clock->at[thread] >= at;
}

/* ---- memory.c ---- */

void memory_setup(void);
void memory_reset(void);
/* Is @address alive? Fails the execution if not. */
void memory_touch(const void *address);
/* Remembers a static variable's value, to restore it. */
void memory_remember(void *address, size_t size);
/* "b3+0x10" into @text. */
void memory_name(const void *address, char *text, size_t size);
bool memory_is_stack(const void *address, unsigned int *who);
void memory_check_end(void);
void memory_check_thread_end(void);

/* ---- states.c ---- */

/* What makes up the state of a scenario, piece after piece: copied away,
 * copied back, or hashed. */
enum tape_mode {
	TAPE_SAVE,
	TAPE_RESTORE,
	TAPE_HASH,
};

struct tape {
	enum tape_mode mode;
	char *at;
	char *end;
	bool full;
	uint64_t hash;
};

void tape_bytes(struct tape *tape, void *bytes, size_t size);
void execution_tape(struct tape *tape);
void memory_tape(struct tape *tape);

/* Searches all states. False: @limit of them were not enough. */
bool states_explore(const struct dax_scenario *scenario, uint64_t limit,
	uint64_t *nr_states);

/* ---- events.c ---- */

struct event {
	uint8_t thread;
	uint8_t operation;
	uint16_t step;
	const void *address;
	uint64_t before;
	uint64_t after;
	const struct explore_site *site;
	char note[96];
};

void events_reset(void);
void event_add(enum operation operation, const void *address, uint64_t before,
	uint64_t after, const struct explore_site *site);
void event_note(const char *format, va_list arguments);
char *events_table(bool all);
/* "sleeps on the key 0x200", as the last note of @thread says, or "sleeps". */
const char *events_why_asleep(unsigned int thread);

static inline void event(enum operation operation, const void *address,
	uint64_t before, uint64_t after, const struct explore_site *site)
{
	if (__builtin_expect(explore_recording, 0))
		event_add(operation, address, before, after, site);
}

/* ---- token.c ---- */

struct replay {
	unsigned int nr;
	struct {
		uint8_t thread;
		uint8_t value;
		bool choice;
	} at[MAX_STEPS];
	uint32_t checksum;
};

char *token_write(void);
/* 0 or -EINVAL. */
int token_read(const char *token, struct replay *replay);
uint32_t token_checksum(void);

extern struct replay replay;

#endif

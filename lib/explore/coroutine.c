/* SPDX-License-Identifier: BSD-3-Clause */
/* Coroutines: a stack, a context and thread-local variables for each thread,
 * for the body, and for the engine, whose stack is the program's. */
#include <string.h>

#include "explore/context.h"
#include "explore/engine.h"

#define LOCALS_MAX 128

/* What else a coroutine has for itself. It lies above its stack, so that both
 * are copied, and hashed, at once. */
struct strand {
	struct context context;
	/* Thread-local variables, while it does not run. */
	_Alignas(16) char locals[LOCALS_MAX];
	struct rank_chain chain; /* the end of it is not in use */
};

/* As deep as calls within the engine go. */
#define LEFT	  256

#define STACK_END (STACK_SIZE - sizeof(struct strand))

static char stacks[NR_WHO][STACK_SIZE] __attribute__((aligned(64)));

static inline struct strand *strand_of(unsigned int who)
{
	return (struct strand *)(void *)&stacks[who][STACK_END];
}

struct rank_chain *coroutine_chain(unsigned int who)
{
	return &strand_of(who)->chain;
}

struct rank_chain *sync_rank_chain(void)
{
	return coroutine_chain(run.who);
}

/* ---- thread-local variables ---- */

/* What the linker puts into the section of SYNC_THREAD_LOCAL, if anything. */
extern char __start_explore_thread_local[] __attribute__((weak));
extern char __stop_explore_thread_local[] __attribute__((weak));

static char locals_at_first[LOCALS_MAX];
static bool locals_known;

static inline size_t locals_size(void)
{
	return (size_t)(__stop_explore_thread_local -
			__start_explore_thread_local);
}

void coroutine_reset(void)
{
	const size_t size = locals_size();

	DAX_REQUIRE(size <= LOCALS_MAX && !(size % sizeof(uint64_t)));
	if (size && !locals_known)
		memcpy(locals_at_first, __start_explore_thread_local, size);
	locals_known = true;
	for (unsigned int i = 0; i < NR_WHO; i++) {
		strand_of(i)->chain.depth = 0;
		memcpy(strand_of(i)->locals, locals_at_first, size);
	}
	if (size)
		memcpy(__start_explore_thread_local, locals_at_first, size);
}

bool coroutine_is_local(const void *address)
{
	return (const char *)address >= __start_explore_thread_local &&
	       (const char *)address < __stop_explore_thread_local;
}

#define PAIR (2 * sizeof(uint64_t))

/* A few words: not worth a call of memcpy(). */
static inline void locals_switch(struct strand *from, const struct strand *to)
{
	const size_t size = locals_size();
	char *here = __start_explore_thread_local;
	size_t i;

	for (i = 0; i + PAIR <= size; i += PAIR) {
		memcpy(from->locals + i, here + i, PAIR);
		memcpy(here + i, to->locals + i, PAIR);
	}
	if (i < size) {
		memcpy(from->locals + i, here + i, sizeof(uint64_t));
		memcpy(here + i, to->locals + i, sizeof(uint64_t));
	}
}

/* ---- switching ---- */

static void stacks_announce(void)
{
	static bool announced;

	for (unsigned int i = 0; i < WHO_ENGINE && !announced; i++)
		context_announce(stacks[i]);
	announced = true;
}

/* The engine's own, as ASan told us. */
static const void *engine_stack;
static size_t engine_stack_size;

void coroutine_begin(void)
{
	const void *from;
	size_t size;

	if (run.who == WHO_ENGINE || engine_stack)
		context_arrived(&from, &size);
	else
		context_arrived(&engine_stack, &engine_stack_size);
}

void coroutine_switch(unsigned int who)
{
	struct strand *from = strand_of(run.who);
	struct strand *to = strand_of(who);

	locals_switch(from, to);
	run.who = who;
	if (who == WHO_ENGINE)
		context_leaves(engine_stack, engine_stack_size);
	else
		context_leaves(stacks[who], STACK_SIZE);
	context_switch(&from->context, &to->context);
	coroutine_begin();
}

_Noreturn void coroutine_leave(unsigned int who)
{
	coroutine_switch(who);
	__builtin_unreachable();
}

void coroutine_make(unsigned int who, void (*function)(void))
{
	stacks_announce();
	context_make(
		&strand_of(who)->context, stacks[who], STACK_END, function);
}

/* ---- stacks ---- */

/* As deep as most threads go. */
#define DEEP 4096

void coroutine_pages(struct spans *spans)
{
	for (unsigned int i = 0; i < NR_WHO; i++)
		span_add(spans, &stacks[i][STACK_SIZE - DEEP], DEEP);
}

bool memory_is_stack(const void *address, unsigned int *who)
{
	const size_t offset = (size_t)((const char *)address - stacks[0]);

	if ((const char *)address < stacks[0] || offset >= sizeof(stacks))
		return false;
	*who = (unsigned int)(offset / STACK_SIZE);
	return true;
}

/* From @bottom on, with all that is above. */
static inline void strand_span(
	struct spans *spans, struct strand *strand, char *bottom)
{
	const char *top = (char *)&strand->chain.held[strand->chain.depth];

	context_copied(bottom, (size_t)(top - bottom));
	span_add(spans, bottom, (size_t)(top - bottom));
}

void coroutine_spans(struct spans *spans, unsigned int live, unsigned int whole)
{
	for (; live; live &= live - 1) {
		const unsigned int who = (unsigned int)__builtin_ctz(live);
		struct strand *strand = strand_of(who);
		char *bottom = (char *)strand;

#if CONTEXT_MOVABLE
		if (whole >> who & 1)
			bottom = strand->context.stack_pointer;
#else
		(void)whole;
#endif
		strand_span(spans, strand, bottom);
	}
}

/* Not by memset(), for which gcc takes "rep stos", several times as slow. */
typedef char wide_t __attribute__((vector_size(64), aligned(16)));

__attribute__((noinline)) void coroutine_leave_nothing(void)
{
	wide_t frames[LEFT / sizeof(wide_t)];

	for (unsigned int i = 0; i < LEFT / sizeof(wide_t); i++) {
		frames[i] = (wide_t){0};
		__asm__ volatile("" : : "r"(frames) : "memory");
	}
}

/* As deep as calls between two operations go. */
#define CLEARED 4096

void coroutine_clear_below(unsigned int who)
{
#if CONTEXT_MOVABLE
	char *bottom = strand_of(who)->context.stack_pointer;
	const size_t size = bottom - stacks[who] < CLEARED
				    ? (size_t)(bottom - stacks[who])
				    : CLEARED;

	context_copied(bottom - size, size);
	memset(bottom - size, 0, size);
#else
	(void)who;
#endif
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Coroutines: a stack, a context and thread-local variables for each thread,
 * for the body, and for the engine, whose stack is the program's. */
#include <string.h>

#include "explore/context.h"
#include "explore/engine.h"

static struct context contexts[NR_WHO];
static char stacks[NR_WHO][STACK_SIZE] __attribute__((aligned(64)));

/* ---- thread-local variables ---- */

#define LOCALS_MAX 256

/* What the linker puts into the section of SYNC_THREAD_LOCAL, if anything. */
extern char __start_explore_thread_local[] __attribute__((weak));
extern char __stop_explore_thread_local[] __attribute__((weak));

/* Packed: of each, as many words as there are. */
static uint64_t locals[NR_WHO * LOCALS_MAX / sizeof(uint64_t)];
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
	if (!size)
		return;
	if (!locals_known)
		memcpy(locals_at_first, __start_explore_thread_local, size);
	locals_known = true;
	for (unsigned int i = 0; i < NR_WHO; i++)
		memcpy((char *)locals + i * size, locals_at_first, size);
	memcpy(__start_explore_thread_local, locals_at_first, size);
}

bool coroutine_is_local(const void *address)
{
	return (const char *)address >= __start_explore_thread_local &&
	       (const char *)address < __stop_explore_thread_local;
}

/* A few words: not worth a call of memcpy(). */
static inline void locals_switch(unsigned int from, unsigned int to)
{
	const size_t words = locals_size() / sizeof(uint64_t);
	uint64_t *here = (uint64_t *)(void *)__start_explore_thread_local;

	for (size_t i = 0; i < words; i++) {
		locals[from * words + i] = here[i];
		here[i] = locals[to * words + i];
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
	const unsigned int from = run.who;

	locals_switch(from, who);
	run.who = who;
	if (who == WHO_ENGINE)
		context_leaves(engine_stack, engine_stack_size);
	else
		context_leaves(stacks[who], STACK_SIZE);
	context_switch(&contexts[from], &contexts[who]);
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
	context_make(&contexts[who], stacks[who], function);
}

/* ---- stacks ---- */

bool memory_is_stack(const void *address, unsigned int *who)
{
	const size_t offset = (size_t)((const char *)address - stacks[0]);

	if ((const char *)address < stacks[0] || offset >= sizeof(stacks))
		return false;
	*who = (unsigned int)(offset / STACK_SIZE);
	return true;
}

static inline void stack_span(struct spans *spans, unsigned int who)
{
#if CONTEXT_MOVABLE
	char *bottom = contexts[who].stack_pointer;
	const size_t size = (size_t)(stacks[who] + STACK_SIZE - bottom);

	context_copied(bottom, size);
	span_add(spans, bottom, size);
#else
	(void)spans;
	(void)who;
#endif
}

void coroutine_spans(struct spans *spans, unsigned int live)
{
	span_add(spans, contexts, WHO_ENGINE * sizeof(contexts[0]));
	span_add(spans, locals, WHO_ENGINE * locals_size());
	for (; live; live &= live - 1)
		stack_span(spans, (unsigned int)__builtin_ctz(live));
}

void coroutine_state_spans(
	struct spans *spans, unsigned int live, unsigned int whole)
{
	const size_t words = locals_size() / sizeof(uint64_t);

	for (; live; live &= live - 1) {
		const unsigned int who = (unsigned int)__builtin_ctz(live);

		span_add(spans, &contexts[who], sizeof(contexts[0]));
		span_add(spans, &locals[who * words], locals_size());
		if (whole >> who & 1)
			stack_span(spans, who);
	}
}

/* As deep as calls between two operations go. */
#define CLEARED 4096

void coroutine_clear_below(unsigned int who)
{
#if CONTEXT_MOVABLE
	char *bottom = contexts[who].stack_pointer;
	const size_t size = bottom - stacks[who] < CLEARED
				    ? (size_t)(bottom - stacks[who])
				    : CLEARED;

	context_copied(bottom - size, size);
	memset(bottom - size, 0, size);
#else
	(void)who;
#endif
}

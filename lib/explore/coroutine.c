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

static char locals[NR_WHO][LOCALS_MAX];
static char locals_at_first[LOCALS_MAX];
static bool locals_known;

static size_t locals_size(void)
{
	return (size_t)(__stop_explore_thread_local -
			__start_explore_thread_local);
}

void coroutine_reset(void)
{
	const size_t size = locals_size();

	DAX_REQUIRE(size <= LOCALS_MAX);
	if (!size)
		return;
	if (!locals_known)
		memcpy(locals_at_first, __start_explore_thread_local, size);
	locals_known = true;
	for (unsigned int i = 0; i < NR_WHO; i++)
		memcpy(locals[i], locals_at_first, size);
	memcpy(__start_explore_thread_local, locals_at_first, size);
}

static inline void locals_switch(unsigned int from, unsigned int to)
{
	const size_t size = locals_size();

	if (!size)
		return;
	memcpy(locals[from], __start_explore_thread_local, size);
	memcpy(__start_explore_thread_local, locals[to], size);
}

/* ---- switching ---- */

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

static void stack_tape(struct tape *tape, unsigned int who)
{
#if CONTEXT_MOVABLE
	char *top = stacks[who] + STACK_SIZE;
	void **bottom = &contexts[who].stack_pointer;

	tape_bytes(tape, bottom, sizeof(*bottom));
	tape_bytes(tape, *bottom, (size_t)(top - (char *)*bottom));
#else
	(void)tape;
	(void)who;
#endif
}

void coroutine_tape(struct tape *tape, unsigned int who, bool with_stack)
{
	tape_bytes(tape, locals[who], locals_size());
	if (with_stack)
		stack_tape(tape, who);
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "explore/context.h"

bool context_watched;

#if CONTEXT_INLINE

/* What context_switch() finds there as if it had saved it. */
void context_make(struct context *context, char *stack, size_t size,
	void (*function)(void))
{
	void **top = (void **)(void *)(stack + size);

	context_clean(stack);
#if defined(__x86_64__)
	/* As after a call: the stack is 8 bytes off a multiple of 16. */
	top -= 2;
	*--top = NULL;
	*--top = (void *)function;
#else
	top -= 4;
	top[0] = NULL;
	top[1] = (void *)function;
#endif
	context->stack_pointer = top;
}

#else

void context_make(struct context *context, char *stack, size_t size,
	void (*function)(void))
{
	context_clean(stack);
	getcontext(&context->machine);
	context->machine.uc_stack.ss_sp = stack;
	context->machine.uc_stack.ss_size = size;
	context->machine.uc_link = NULL;
	makecontext(&context->machine, function, 0);
}

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Contexts: what runs on a stack of its own. Switching takes a nanosecond on
 * x86-64, where the compiler saves around the switch what it needs; elsewhere
 * ucontext does it, with two system calls.
 */
#ifndef EXPLORE_CONTEXT_H
#define EXPLORE_CONTEXT_H

#include <stddef.h>

#if !defined(__x86_64__) || defined(EXPLORE_UCONTEXT)
#include <ucontext.h>
#endif

#if defined(__SANITIZE_ADDRESS__)
#define EXPLORE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define EXPLORE_ASAN 1
#endif
#endif
#ifndef EXPLORE_ASAN
#define EXPLORE_ASAN 0
#endif

#if EXPLORE_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

/* Can a context be copied away and back? */
#if defined(__x86_64__) && !defined(EXPLORE_UCONTEXT) && !EXPLORE_ASAN
#define CONTEXT_MOVABLE 1
#else
#define CONTEXT_MOVABLE 0
#endif

#define STACK_SIZE ((size_t)64 << 10)

struct context {
#if defined(__x86_64__) && !defined(EXPLORE_UCONTEXT)
	void *stack_pointer;
#else
	ucontext_t machine;
#endif
};

/* ASan wants to know on which stack the program is: before a switch to @stack,
 * of @size bytes, and after it. */
static inline void context_leaves(const char *stack, size_t size)
{
#if EXPLORE_ASAN
	__sanitizer_start_switch_fiber(NULL, stack, size);
#else
	(void)stack;
	(void)size;
#endif
}

/* Tells where the stack is that the program came from. */
static inline void context_arrived(const void **stack, size_t *size)
{
#if EXPLORE_ASAN
	__sanitizer_finish_switch_fiber(NULL, stack, size);
#else
	(void)stack;
	(void)size;
#endif
}

/* Frames that were left without returning keep their marks. */
static inline void context_clean(const char *stack)
{
#if EXPLORE_ASAN
	__asan_unpoison_memory_region(stack, STACK_SIZE);
#else
	(void)stack;
#endif
}

/* Makes @context run @function, which never returns, on @stack. */
void context_make(struct context *context, char *stack, void (*function)(void));

#if defined(__x86_64__) && !defined(EXPLORE_UCONTEXT)

/* Saves the place to go on at and the frame pointer on the stack (below the
 * red zone); all other registers are clobbered, so the compiler keeps nothing
 * in them. */
static inline void context_switch(struct context *from, struct context *to)
{
	register struct context *rdi __asm__("rdi") = from;
	register struct context *rsi __asm__("rsi") = to;

	__asm__ volatile("leaq 1f(%%rip), %%rax\n\t"
			 "leaq -128(%%rsp), %%rsp\n\t"
			 "pushq %%rbp\n\t"
			 "pushq %%rbx\n\t"
			 "pushq %%rax\n\t"
			 "movq %%rsp, (%%rdi)\n\t"
			 "movq (%%rsi), %%rsp\n\t"
			 "popq %%rax\n\t"
			 "jmpq *%%rax\n"
			 "1:\n\t"
			 "popq %%rbx\n\t"
			 "popq %%rbp\n\t"
			 "leaq 128(%%rsp), %%rsp"
			 : "+r"(rdi), "+r"(rsi)
			 :
			 : "rax", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12",
			 "r13", "r14", "r15", "memory", "cc", "st", "st(1)",
			 "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)",
			 "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",
			 "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12",
			 "xmm13", "xmm14", "xmm15");
}

#else

static inline void context_switch(struct context *from, struct context *to)
{
	swapcontext(&from->machine, &to->machine);
}

#endif

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Contexts: what runs on a stack of its own. Switching takes a nanosecond on
 * x86-64 and arm64, where the compiler saves around the switch what it needs;
 * elsewhere ucontext does it, with two system calls.
 */
#ifndef EXPLORE_CONTEXT_H
#define EXPLORE_CONTEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Not with SVE, whose predicates no clobber list of an older gcc can name. */
#if defined(EXPLORE_UCONTEXT) || defined(__ARM_FEATURE_SVE)
#define CONTEXT_INLINE 0
#elif defined(__x86_64__) || defined(__aarch64__)
#define CONTEXT_INLINE 1
#else
#define CONTEXT_INLINE 0
#endif

#if !CONTEXT_INLINE
#include <ucontext.h>
#endif

#ifdef EXPLORE_VALGRIND
#include <valgrind/memcheck.h>
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
#if CONTEXT_INLINE && !EXPLORE_ASAN
#define CONTEXT_MOVABLE 1
#else
#define CONTEXT_MOVABLE 0
#endif

#define STACK_SIZE ((size_t)64 << 10)

struct context {
#if CONTEXT_INLINE
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

/* By Valgrind. To tell it something takes a dozen instructions otherwise, too.
 */
extern bool context_watched;

/* Valgrind takes a far jump of the stack pointer for a large frame, unless it
 * knows the stacks. Once for each. */
static inline void context_announce(char *stack)
{
#ifdef EXPLORE_VALGRIND
	VALGRIND_STACK_REGISTER(stack, stack + STACK_SIZE);
	context_watched = RUNNING_ON_VALGRIND;
#else
	(void)stack;
#endif
}

/* A stack is copied and hashed whole, dead slots and all, and copied back to
 * where the stack pointer was not. */
static inline void context_copied(const void *bytes, size_t size)
{
#ifdef EXPLORE_VALGRIND
	if (__builtin_expect(context_watched, 0))
		VALGRIND_MAKE_MEM_DEFINED(bytes, size);
#else
	(void)bytes;
	(void)size;
#endif
}

/* Makes @context run @function, which never returns, on the @size bytes of
 * @stack. */
void context_make(struct context *context, char *stack, size_t size,
	void (*function)(void));

#if CONTEXT_INLINE && defined(__x86_64__)

/* Saves the place to go on at and the frame pointer on the stack, for which
 * there must be no red zone; all other registers are clobbered, so the compiler
 * keeps nothing in them. */
static inline void context_switch(struct context *from, struct context *to)
{
	register struct context *rdi __asm__("rdi") = from;
	register struct context *rsi __asm__("rsi") = to;

	__asm__ volatile("leaq 1f(%%rip), %%rax\n\t"
			 "pushq %%rbp\n\t"
			 "pushq %%rbx\n\t"
			 "pushq %%rax\n\t"
			 "movq %%rsp, (%%rdi)\n\t"
			 "movq (%%rsi), %%rsp\n\t"
			 "popq %%rax\n\t"
			 "jmpq *%%rax\n"
			 "1:\n\t"
			 "popq %%rbx\n\t"
			 "popq %%rbp"
			 : "+r"(rdi), "+r"(rsi)
			 :
			 : "rax", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12",
			 "r13", "r14", "r15", "memory", "cc", "st", "st(1)",
			 "st(2)", "st(3)", "st(4)", "st(5)", "st(6)", "st(7)",
			 "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6",
			 "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12",
			 "xmm13", "xmm14", "xmm15");
}

#elif CONTEXT_INLINE

/* The same, and x19, which a compiler may need to find its variables. There is
 * no red zone. */
static inline void context_switch(struct context *from, struct context *to)
{
	register struct context *x0 __asm__("x0") = from;
	register struct context *x1 __asm__("x1") = to;

	__asm__ volatile("adr x9, 1f\n\t"
			 "stp x29, x9, [sp, #-32]!\n\t"
			 "str x19, [sp, #16]\n\t"
			 "mov x9, sp\n\t"
			 "str x9, [x0]\n\t"
			 "ldr x9, [x1]\n\t"
			 "mov sp, x9\n\t"
			 "ldr x9, [sp, #8]\n\t"
			 "br x9\n"
			 "1:\n\t"
			 "ldr x19, [sp, #16]\n\t"
			 "ldp x29, x9, [sp], #32"
			 : "+r"(x0), "+r"(x1)
			 :
			 : "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9",
			 "x10", "x11", "x12", "x13", "x14", "x15", "x16", "x17",
			 "x18", "x20", "x21", "x22", "x23", "x24", "x25", "x26",
			 "x27", "x28", "x30", "memory", "cc", "v0", "v1", "v2",
			 "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11",
			 "v12", "v13", "v14", "v15", "v16", "v17", "v18", "v19",
			 "v20", "v21", "v22", "v23", "v24", "v25", "v26", "v27",
			 "v28", "v29", "v30", "v31");
}

#else

static inline void context_switch(struct context *from, struct context *to)
{
	swapcontext(&from->machine, &to->machine);
}

#endif

#endif

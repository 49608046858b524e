/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: daxlock/kernel.h - the kernel's names, for code in the style of fs/dax.c
 *
 * A piece of kernel code that locks entries of an XArray and sleeps on wait
 * queues compiles against this header, and runs in a process: with threads,
 * linked with libdaxlock, or in every interleaving, linked with
 * libdaxlock-explore (daxlock/explore.h). Every operation on what is declared
 * here is then a step of the explorer. Plain variables are not: guard them by a
 * lock, or use READ_ONCE() and WRITE_ONCE().
 *
 * doc/kernel-names.md says, name by name, what is there, what differs from the
 * kernel, and what is missing. What differs everywhere: there are no
 * interrupts, so _irq, _irqsave and _bh are the plain lock; GFP flags mean
 * nothing; a warning ends the program, as with panic_on_warn.
 *
 * What is declared here as dax_kernel_NAME() is called NAME(), but for
 * dax_kernel_wake_up(), which is __wake_up().
 *
 * For C. As C++ the header compiles, and its macros need not. It includes no
 * other header that declares dax_...() functions, so that the code may define
 * those of fs/dax.c itself; daxlock.h does not include it.
 *
 * Mistakes that end the program in checked builds, and the execution under the
 * explorer, besides what that finds anyhow:
 *   - an &struct xa_state used without the lock of its array, or used after
 *     that was dropped as if it still had its place (xas_reset(), xas_pause());
 *   - schedule() with a spinlock held.
 */
#ifndef DAXLOCK_KERNEL_H
#define DAXLOCK_KERNEL_H

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <daxlock/order.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/* ---- words of the trade ---- */

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef unsigned long pgoff_t;
typedef unsigned int gfp_t;

#define PAGE_SHIFT DAX_PAGE_SHIFT
#define PAGE_SIZE  (1UL << PAGE_SHIFT)
#define PMD_ORDER  DAX_PMD_ORDER
#define PUD_ORDER  DAX_PUD_ORDER

#define GFP_KERNEL 0u
#define GFP_NOFS   0u
#define GFP_NOWAIT 0u
#define GFP_ATOMIC 0u

#ifndef likely
#define likely(condition)   __builtin_expect(!!(condition), 1)
#define unlikely(condition) __builtin_expect(!!(condition), 0)
#endif

#ifndef container_of
#define container_of(pointer, type, member)                                    \
	((type *)((char *)(pointer)-offsetof(type, member)))
#endif

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#endif

/** hash_long() - a hash of @bits bits */
static inline unsigned long hash_long(unsigned long value, unsigned int bits)
{
	return (unsigned long)(value * 0x9e3779b97f4a7c15ull >> (64 - bits));
}

#define __init

/** fs_initcall() - have @function called before main() */
#define fs_initcall(function)                                                  \
	__attribute__((constructor)) static void function##_before_main(void)  \
	{                                                                      \
		(void)function();                                              \
	}                                                                      \
	_Static_assert(1, #function)

#define EXPORT_SYMBOL_GPL(name) _Static_assert(1, #name)
#define EXPORT_SYMBOL(name)	EXPORT_SYMBOL_GPL(name)

/**
 * WARN_ON() - must not hold; ends the program or the execution if it does
 *
 * Return: false.
 */
#define WARN_ON(condition)                                                     \
	dax_kernel_warn_on(!!(condition), #condition, __func__, __LINE__)
#define WARN_ON_ONCE(condition) WARN_ON(condition)
#define BUG_ON(condition)	((void)WARN_ON(condition))

/** dax_kernel_warn_on() - what WARN_ON() calls */
bool dax_kernel_warn_on(
	bool holds, const char *condition, const char *function, int line);

/**
 * READ_ONCE() - load a variable that others store to
 *
 * A step of the explorer, as WRITE_ONCE() is. All variables count as one: they
 * are never taken for independent, which costs time and misses nothing.
 */
#define READ_ONCE(variable)                                                    \
	__atomic_load_n(                                                       \
		(__typeof__(&(variable)))dax_kernel_read_once(&(variable)),    \
		__ATOMIC_RELAXED)

/** WRITE_ONCE() - store to a variable that others load */
#define WRITE_ONCE(variable, value)                                            \
	do {                                                                   \
		__typeof__(&(variable)) once_to = &(variable);                 \
		__typeof__(variable) once_value = (value);                     \
                                                                               \
		dax_kernel_write_once();                                       \
		__atomic_store_n(once_to, once_value, __ATOMIC_RELAXED);       \
	} while (0)

/** dax_kernel_read_once() - what READ_ONCE() and WRITE_ONCE() call */
void *dax_kernel_read_once(const volatile void *variable);
void dax_kernel_write_once(void);

#define kzalloc(size, gfp) ((void)(gfp), dax_kernel_kzalloc(size))
#define kmalloc(size, gfp) kzalloc(size, gfp)
#define kfree		   dax_kernel_kfree

/**
 * dax_kernel_kzalloc() - zeroed memory, or NULL
 *
 * The explorer has it fail, if told to, and finds what is not freed. Called
 * with GFP flags, too.
 */
void *dax_kernel_kzalloc(size_t size);

/** dax_kernel_kfree() - give memory of kzalloc() back; NULL is accepted */
void dax_kernel_kfree(const void *block);

static inline void cond_resched(void)
{
}

static inline void might_sleep(void)
{
}

/* ---- spinlocks ---- */

/** struct spinlock - spinlock_t, a lock; ready when it is all zeros */
typedef struct spinlock {
	/* private: */
	uint64_t opaque[4];
} spinlock_t;

#define __SPIN_LOCK_UNLOCKED(name)                                             \
	{                                                                      \
		{                                                              \
			0                                                      \
		}                                                              \
	}
#define DEFINE_SPINLOCK(name) spinlock_t name = __SPIN_LOCK_UNLOCKED(name)

#define spin_lock_init	      dax_kernel_spin_lock_init
#define spin_lock	      dax_kernel_spin_lock
#define spin_unlock	      dax_kernel_spin_unlock
#define lockdep_assert_held   dax_kernel_lockdep_assert_held

/** dax_kernel_spin_lock_init() - a lock that nobody has */
void dax_kernel_spin_lock_init(spinlock_t *lock);

/** dax_kernel_spin_lock() - take a lock, and give it back */
void dax_kernel_spin_lock(spinlock_t *lock);
void dax_kernel_spin_unlock(spinlock_t *lock);

/** dax_kernel_lockdep_assert_held() - this thread has the lock, or it is over
 */
void dax_kernel_lockdep_assert_held(const spinlock_t *lock);

#define spin_lock_irq			    spin_lock
#define spin_unlock_irq			    spin_unlock
#define spin_lock_bh			    spin_lock
#define spin_unlock_bh			    spin_unlock
#define spin_lock_irqsave(lock, flags)	    ((flags) = 0, spin_lock(lock))
#define spin_unlock_irqrestore(lock, flags) ((void)(flags), spin_unlock(lock))

/* ---- RCU ---- */

#define rcu_head dax_kernel_rcu_head

/** struct rcu_head - embedded in what is freed after a grace period */
struct dax_kernel_rcu_head {
	/* private: */
	uint64_t opaque[4];
	void (*function)(struct dax_kernel_rcu_head *head);
};

#define rcu_read_lock	dax_kernel_rcu_read_lock
#define rcu_read_unlock dax_kernel_rcu_read_unlock
#define call_rcu	dax_kernel_call_rcu

/** dax_kernel_rcu_read_lock() - begin and end to read; nests, does not sleep */
void dax_kernel_rcu_read_lock(void);
void dax_kernel_rcu_read_unlock(void);

/** dax_kernel_call_rcu() - call @function when all who read now have ended */
void dax_kernel_call_rcu(
	struct rcu_head *head, void (*function)(struct rcu_head *head));

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#include <daxlock/kernel_iomap.h>
#include <daxlock/kernel_wait.h>
#include <daxlock/kernel_xarray.h>

#endif

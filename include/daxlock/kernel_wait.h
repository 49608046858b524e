/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: daxlock/kernel_wait.h - the kernel's names, for sleeping and waking
 *
 * Wait queues whose sleepers have functions: __wake_up() asks each in turn. A
 * sleeper does it in this order, with the lock that its condition is under held
 * until it is queued:
 *
 *	prepare_to_wait_exclusive(queue, &wait, TASK_UNINTERRUPTIBLE);
 *	spin_unlock(lock);
 *	schedule();
 *	finish_wait(queue, &wait);
 *
 * Part of daxlock/kernel.h, which includes it and says what the names are.
 */
#ifndef DAXLOCK_KERNEL_WAIT_H
#define DAXLOCK_KERNEL_WAIT_H

#include <daxlock/kernel.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

#define TASK_RUNNING	     0x0u
#define TASK_INTERRUPTIBLE   0x1u
#define TASK_UNINTERRUPTIBLE 0x2u
#define TASK_NORMAL	     (TASK_INTERRUPTIBLE | TASK_UNINTERRUPTIBLE)

#define WQ_FLAG_EXCLUSIVE    0x1u

struct wait_queue_entry;
struct wait_queue_head;

/**
 * typedef wait_queue_func_t - asked by a wake-up about each sleeper
 *
 * Called with the lock of the queue. Return: 0 not woken; above 0 woken, and
 * counts if it is exclusive; below 0 ends the wake-up.
 */
typedef int (*wait_queue_func_t)(struct wait_queue_entry *entry,
	unsigned int mode, int flags, void *key);

/**
 * struct wait_queue_entry - wait_queue_entry_t, a sleeper, on its stack
 * @flags: WQ_FLAG_EXCLUSIVE
 * @func: whom a wake-up asks
 *
 * A thread is on one queue at a time. Differs: the kernel allows several.
 */
typedef struct wait_queue_entry {
	unsigned int flags;
	wait_queue_func_t func;
	/* private: */
	unsigned int state;
	struct wait_queue_head *queue;
	struct wait_queue_entry *previous;
	struct wait_queue_entry *next;
	uint64_t parker[4];
} wait_queue_entry_t;

/** struct wait_queue_head - wait_queue_head_t, a queue; ready when all zeros */
typedef struct wait_queue_head {
	spinlock_t lock;
	/* private: */
	struct wait_queue_entry *first;
	struct wait_queue_entry *last;
	uint64_t nr[4];
} wait_queue_head_t;

#define __WAIT_QUEUE_HEAD_INITIALIZER(name)                                    \
	{                                                                      \
		.lock = { {0} }                                                \
	}
#define DECLARE_WAIT_QUEUE_HEAD(name)                                          \
	wait_queue_head_t name = __WAIT_QUEUE_HEAD_INITIALIZER(name)
#define DEFINE_WAIT_FUNC(name, function)                                       \
	wait_queue_entry_t name = {.func = (function)}
#define DEFINE_WAIT(name)	  DEFINE_WAIT_FUNC(name, autoremove_wake_function)

#define init_waitqueue_head	  dax_kernel_init_waitqueue_head
#define init_wait		  dax_kernel_init_wait
#define prepare_to_wait		  dax_kernel_prepare_to_wait
#define prepare_to_wait_exclusive dax_kernel_prepare_to_wait_exclusive
#define finish_wait		  dax_kernel_finish_wait
#define schedule		  dax_kernel_schedule
#define waitqueue_active	  dax_kernel_waitqueue_active
#define default_wake_function	  dax_kernel_default_wake_function
#define autoremove_wake_function  dax_kernel_autoremove_wake_function
#define __wake_up		  dax_kernel_wake_up

/** dax_kernel_init_waitqueue_head() - a queue of nobody */
void dax_kernel_init_waitqueue_head(wait_queue_head_t *queue);

/** dax_kernel_init_wait() - an entry that leaves its queue when it is woken */
void dax_kernel_init_wait(wait_queue_entry_t *entry);

/**
 * dax_kernel_prepare_to_wait() - join a queue, if not on it, and be about to
 * sleep
 * @queue: queue
 * @entry: the caller's
 * @state: TASK_UNINTERRUPTIBLE or TASK_INTERRUPTIBLE, which are the same
 *
 * From now on a wake-up has schedule() return at once.
 */
void dax_kernel_prepare_to_wait(wait_queue_head_t *queue,
	wait_queue_entry_t *entry, unsigned int state);

/**
 * dax_kernel_prepare_to_wait_exclusive() - the same at the end of the queue, to
 *be woken one at a time
 *
 * Return: the queue was empty.
 */
bool dax_kernel_prepare_to_wait_exclusive(wait_queue_head_t *queue,
	wait_queue_entry_t *entry, unsigned int state);

/**
 * dax_kernel_finish_wait() - be about to sleep no more, and leave the queue
 *
 * Takes the lock of the queue, always. Differs: the kernel's need not.
 */
void dax_kernel_finish_wait(
	wait_queue_head_t *queue, wait_queue_entry_t *entry);

/**
 * dax_kernel_schedule() - sleep until woken, if about to
 *
 * Context: no spinlock held.
 */
void dax_kernel_schedule(void);

/** dax_kernel_waitqueue_active() - is somebody queued; takes no lock, orders
 * nothing */
bool dax_kernel_waitqueue_active(const wait_queue_head_t *queue);

/** dax_kernel_default_wake_function() - wake a sleeper that is about to sleep
 */
int dax_kernel_default_wake_function(
	wait_queue_entry_t *entry, unsigned int mode, int flags, void *key);

/** dax_kernel_autoremove_wake_function() - and take it from its queue */
int dax_kernel_autoremove_wake_function(
	wait_queue_entry_t *entry, unsigned int mode, int flags, void *key);

/**
 * dax_kernel_wake_up() - __wake_up(): ask the sleepers of a queue in turn
 * @queue: queue
 * @mode: TASK_NORMAL
 * @nr_exclusive: stop when so many exclusive ones are awake; 0: ask all
 * @key: passed to their functions
 */
void dax_kernel_wake_up(wait_queue_head_t *queue, unsigned int mode,
	int nr_exclusive, void *key);

#define wake_up(queue)	      __wake_up(queue, TASK_NORMAL, 1, NULL)
#define wake_up_nr(queue, nr) __wake_up(queue, TASK_NORMAL, nr, NULL)
#define wake_up_all(queue)    __wake_up(queue, TASK_NORMAL, 0, NULL)

/** wait_event() - sleep on @queue, an lvalue, until @condition holds */
#define wait_event(queue, condition)                                           \
	do {                                                                   \
		DEFINE_WAIT(wait_event_entry);                                 \
                                                                               \
		prepare_to_wait(                                               \
			&(queue), &wait_event_entry, TASK_UNINTERRUPTIBLE);    \
		while (!(condition)) {                                         \
			schedule();                                            \
			prepare_to_wait(&(queue), &wait_event_entry,           \
				TASK_UNINTERRUPTIBLE);                         \
		}                                                              \
		finish_wait(&(queue), &wait_event_entry);                      \
	} while (0)

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif

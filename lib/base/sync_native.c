/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/sync.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* ---- futex ---- */

/* Sleeps while *@word is @value, at most until @deadline_ns. Returns false
 * when the deadline passed; true is a hint to look again. Leaves errno to those
 * who call the library. */
static bool futex_wait(
	_Atomic(uint32_t) *word, uint32_t value, uint64_t deadline_ns)
{
	const struct timespec until = {
		.tv_sec = (time_t)(deadline_ns / 1000000000),
		.tv_nsec = (long)(deadline_ns % 1000000000),
	};
	const int errno_before = errno;
	bool in_time;

	in_time = !syscall(SYS_futex, word, FUTEX_WAIT_BITSET_PRIVATE, value,
			  deadline_ns == SYNC_FOREVER ? NULL : &until, NULL,
			  FUTEX_BITSET_MATCH_ANY) ||
		  errno != ETIMEDOUT;
	errno = errno_before;
	return in_time;
}

static void futex_wake_one(_Atomic(uint32_t) *word)
{
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

/* ---- locks ---- */

void sync_lock_contended(struct sync_lock *lock)
{
	for (struct sync_spin spin = SYNC_SPIN_INIT; sync_spin_again(&spin);) {
		uint32_t unlocked = SYNC_UNLOCKED;

		if (atomic_load_explicit(&lock->state, memory_order_relaxed) ==
				SYNC_UNLOCKED &&
			atomic_compare_exchange_strong_explicit(&lock->state,
				&unlocked, SYNC_LOCKED, memory_order_acquire,
				memory_order_relaxed))
			return;
	}
	while (atomic_exchange_explicit(&lock->state, SYNC_CONTENDED,
		       memory_order_acquire) != SYNC_UNLOCKED)
		futex_wait(&lock->state, SYNC_CONTENDED, SYNC_FOREVER);
}

void sync_lock_hand_over(struct sync_lock *lock)
{
	futex_wake_one(&lock->state);
}

/* ---- sleeping ---- */

enum {
	PARKER_EMPTY,
	PARKER_TOKEN,	 /* unparked */
	PARKER_SLEEPING, /* in the kernel, or about to be */
};

void sync_parker_init(struct sync_parker *parker)
{
	atomic_init(&parker->state, PARKER_EMPTY);
}

/*
 *  sleeper (sync_park)                 waker (sync_unpark)
 *  (A) state: EMPTY -> SLEEPING
 *                                      (B) swap TOKEN: finds SLEEPING
 *  futex_wait(SLEEPING): the kernel
 *  compares; TOKEN does not match
 *                                      futex_wake
 *
 * (B) before (A): the CAS at (A) fails and nobody sleeps. (A) before (B): the
 * waker calls the kernel, which orders its wake after the sleeper's compare.
 * Forbidden: asleep with a TOKEN in the state and no wake to come.
 */
bool sync_park(struct sync_parker *parker, uint64_t deadline_ns)
{
	uint32_t state = PARKER_EMPTY;
	bool in_time = true;

	atomic_compare_exchange_strong_explicit(&parker->state, &state,
		PARKER_SLEEPING, memory_order_relaxed, memory_order_relaxed);
	while (in_time && atomic_load_explicit(&parker->state,
				  memory_order_relaxed) != PARKER_TOKEN)
		in_time = futex_wait(
			&parker->state, PARKER_SLEEPING, deadline_ns);
	return atomic_exchange_explicit(&parker->state, PARKER_EMPTY,
		       memory_order_acquire) == PARKER_TOKEN;
}

void sync_unpark(struct sync_parker *parker)
{
	/* After the swap the sleeper may return and @parker be gone; waking
	 * an address that nobody sleeps on any more does no harm. */
	if (atomic_exchange_explicit(&parker->state, PARKER_TOKEN,
		    memory_order_release) == PARKER_SLEEPING)
		futex_wake_one(&parker->state);
}

/* ---- spinning ---- */

/* Longer than a short critical section on another CPU, shorter than the two
 * system calls that it saves; doc/performance.md has the measurement. */
#define SPIN_NS 3000

static uint64_t spin_limit_ns;
static struct sync_once spin_once = SYNC_ONCE_INIT;

static void spin_measure_cpus(void)
{
	/* On one CPU the word cannot change while we watch it. */
	spin_limit_ns = sysconf(_SC_NPROCESSORS_ONLN) > 1 ? SPIN_NS : 0;
}

bool sync_spin_clock(struct sync_spin *spin)
{
	const uint64_t now = sync_now();

	if (!spin->until_ns) {
		sync_once(&spin_once, spin_measure_cpus);
		spin->until_ns = now + spin_limit_ns;
	}
	return now < spin->until_ns;
}

/* ---- RCU ---- */

static pthread_key_t rcu_key;
static struct sync_once rcu_once = SYNC_ONCE_INIT;

static void rcu_unregister(void *unused)
{
	(void)unused;
	urcu_memb_unregister_thread();
}

static void rcu_make_key(void)
{
	if (pthread_key_create(&rcu_key, rcu_unregister))
		abort();
}

/* A thread that its program registered itself is left to its program: it
 * never comes here. */
static void rcu_register(void)
{
	sync_once(&rcu_once, rcu_make_key);
	urcu_memb_register_thread();
	/* Any value but NULL has rcu_unregister() called at thread exit. */
	if (pthread_setspecific(rcu_key, &rcu_key))
		abort();
}

#if SYNC_TSAN
char sync_tsan_grace_period;
#endif

struct urcu_reader sync_rcu_nobody;
SYNC_THREAD_LOCAL struct urcu_reader *sync_rcu_reader = &sync_rcu_nobody;

/* Whatever the model of our own: see sync_rcu_reader. */
extern DECLARE_URCU_TLS(struct urcu_reader, urcu_memb_reader)
	__attribute__((tls_model("global-dynamic")));

static void rcu_know_thread(void)
{
	if (!URCU_TLS(urcu_memb_reader).registered)
		rcu_register();
	/* Const: liburcu asks for membarrier(2) when the first registers. */
	if (!SYNC_TSAN && urcu_memb_has_sys_membarrier)
		sync_rcu_reader = &URCU_TLS(urcu_memb_reader);
}

void sync_rcu_enter_by_call(void)
{
	rcu_know_thread();
	urcu_memb_read_lock();
}

void sync_rcu_leave_by_call(void)
{
#if SYNC_TSAN
	__tsan_release(&sync_tsan_grace_period);
#endif
	urcu_memb_read_unlock();
}

/* A grace period sleeps until readers leave: an empty section wakes it. */
void sync_rcu_wake(void)
{
	urcu_memb_read_lock();
	urcu_memb_read_unlock();
}

/* Threads that empty nodes faster than one thread of liburcu's frees them, or
 * than it is given a CPU, would take all memory. So much may wait: 64 MiB of
 * nodes. From then on each pays with a nap, in which that thread can run. */
#define RCU_BACKLOG_MAX 16384
#define RCU_NAP_NS	1000000

/* Relaxed everywhere: a count. */
static struct sync_u64 rcu_backlog;

uint64_t sync_rcu_backlog(void)
{
	return sync_load(&rcu_backlog, memory_order_relaxed);
}

/* No more than one nap: perhaps a reader waits for something that our caller
 * holds. And none where the program is a reader itself. Not nanosleep(), where
 * a thread can be cancelled. */
void sync_rcu_relieve(void)
{
	const struct urcu_reader *reader = sync_rcu_reader;
	_Atomic(uint32_t) nobody_wakes = 0;

	if (sync_rcu_backlog() > RCU_BACKLOG_MAX &&
		!SYNC_RCU_DEPTH(reader->ctr))
		futex_wait(&nobody_wakes, 0, sync_now() + RCU_NAP_NS);
}

static void rcu_run(struct rcu_head *urcu)
{
	struct sync_rcu_head *head =
		caa_container_of(urcu, struct sync_rcu_head, urcu);

#if SYNC_TSAN
	__tsan_acquire(&sync_tsan_grace_period);
#endif
	head->function(head);
	sync_count(&rcu_backlog, -(uint64_t)1);
#if SYNC_TSAN
	__tsan_release(&sync_tsan_grace_period);
#endif
}

void sync_rcu_call(struct sync_rcu_head *head,
	void (*function)(struct sync_rcu_head *head))
{
	head->function = function;
	sync_count(&rcu_backlog, 1);
#if SYNC_TSAN
	__tsan_release(&sync_tsan_grace_period);
#endif
	rcu_know_thread();
	urcu_memb_call_rcu(&head->urcu, rcu_run);
}

void sync_rcu_barrier(void)
{
	urcu_memb_barrier();
#if SYNC_TSAN
	__tsan_acquire(&sync_tsan_grace_period);
#endif
}

void sync_rcu_synchronize(void)
{
	urcu_memb_synchronize_rcu();
#if SYNC_TSAN
	__tsan_acquire(&sync_tsan_grace_period);
#endif
}

/* ---- memory, time, threads ---- */

#if DAX_CHECKED

static struct sync_u64 alloc_countdown;
static struct sync_u64 alloc_live;

void sync_alloc_fail_nth(uint64_t nth)
{
	/* Relaxed here and below: counters of the tests, which set and read
	 * them while no other thread allocates. */
	sync_store(&alloc_countdown, nth, memory_order_relaxed);
}

uint64_t sync_alloc_live(void)
{
	return sync_load(&alloc_live, memory_order_relaxed);
}

static bool alloc_refused(void)
{
	uint64_t left = sync_load(&alloc_countdown, memory_order_relaxed);

	while (left && !sync_cas(&alloc_countdown, &left, left - 1,
			       memory_order_acquire))
		;
	return left == 1;
}

static void alloc_counted(int change)
{
	sync_count(&alloc_live, (uint64_t)change);
}

#else

static bool alloc_refused(void)
{
	return false;
}

static void alloc_counted(int change)
{
	(void)change;
}

#endif

void *sync_alloc(size_t size, size_t align)
{
	void *block;

	if (alloc_refused())
		return NULL;
	if (align <= _Alignof(max_align_t)) {
		block = calloc(1, size);
	} else {
		size = (size + align - 1) / align * align;
		block = aligned_alloc(align, size);
		if (block)
			memset(block, 0, size);
	}
	if (block)
		alloc_counted(1);
	return block;
}

void sync_free(void *block)
{
	if (block)
		alloc_counted(-1);
	free(block);
}

uint64_t sync_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static SYNC_THREAD_LOCAL uint64_t thread_id;

/* In the child of a fork, whose only thread has another number than its twin
 * in the parent. */
static void thread_id_forget(void)
{
	thread_id = 0;
}

static __attribute__((constructor)) void thread_id_setup(void)
{
	pthread_atfork(NULL, NULL, thread_id_forget);
}

uint64_t sync_thread_id(void)
{
	if (!thread_id)
		thread_id = (uint64_t)gettid();
	return thread_id;
}

#if DAX_CHECKED
struct rank_chain *sync_rank_chain(void)
{
	static SYNC_THREAD_LOCAL struct rank_chain chain;

	return &chain;
}
#endif

void sync_once(struct sync_once *once, void (*function)(void))
{
	pthread_once(&once->pthread, function);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The seam on a real machine: C11 atomics, futexes, liburcu's memb flavour,
 * malloc, CLOCK_MONOTONIC. Include base/sync.h, which says what each name
 * promises.
 */
#ifndef BASE_SYNC_NATIVE_H
#define BASE_SYNC_NATIVE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <urcu/list.h>
#include <urcu/urcu-memb.h>
/* For what a reader touches; its functions are not used. */
#include <urcu/static/urcu-memb.h>

#include "base/rank.h"

#if defined(__SANITIZE_THREAD__)
#define SYNC_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SYNC_TSAN 1
#endif
#endif
#ifndef SYNC_TSAN
#define SYNC_TSAN 0
#endif

#if defined(__SANITIZE_ADDRESS__)
#define SYNC_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SYNC_ASAN 1
#endif
#endif
#ifndef SYNC_ASAN
#define SYNC_ASAN 0
#endif

#define SYNC_THREAD_LOCAL _Thread_local

/* ---- atomic words ---- */

struct sync_u64 {
	_Atomic(uint64_t) value;
};

static inline uint64_t sync_load(
	const struct sync_u64 *word, memory_order order)
{
	return atomic_load_explicit(&word->value, order);
}

static inline void sync_store(
	struct sync_u64 *word, uint64_t value, memory_order order)
{
	atomic_store_explicit(&word->value, value, order);
}

static inline bool sync_cas(struct sync_u64 *word, uint64_t *expected,
	uint64_t value, memory_order order)
{
	return atomic_compare_exchange_strong_explicit(
		&word->value, expected, value, order, memory_order_acquire);
}

static inline uint64_t sync_swap(
	struct sync_u64 *word, uint64_t value, memory_order order)
{
	return atomic_exchange_explicit(&word->value, value, order);
}

static inline uint64_t sync_add(
	struct sync_u64 *word, uint64_t value, memory_order order)
{
	return atomic_fetch_add_explicit(&word->value, value, order);
}

static inline uint64_t sync_sub(
	struct sync_u64 *word, uint64_t value, memory_order order)
{
	return atomic_fetch_sub_explicit(&word->value, value, order);
}

static inline void sync_count(struct sync_u64 *word, uint64_t delta)
{
	atomic_fetch_add_explicit(&word->value, delta, memory_order_relaxed);
}

static inline bool sync_reserve(
	struct sync_u64 *word, uint64_t closed, memory_order order)
{
	return !(atomic_fetch_add_explicit(&word->value, 1, order) & closed);
}

static inline uint64_t sync_or(
	struct sync_u64 *word, uint64_t bits, memory_order order)
{
	return atomic_fetch_or_explicit(&word->value, bits, order);
}

static inline uint64_t sync_and(
	struct sync_u64 *word, uint64_t bits, memory_order order)
{
	return atomic_fetch_and_explicit(&word->value, bits, order);
}

/* ---- barriers ---- */

/* liburcu's: gcc refuses C11's under TSan. TSan knows nothing of it, and need
 * not: no plain access is ordered by it. */
static inline void sync_barrier(void)
{
	cmm_smp_mb();
}

static inline void sync_barrier_after_rmw(void)
{
#if defined(__x86_64__) || defined(__i386__)
	/* Nothing passes a locked instruction. */
	cmm_barrier();
#else
	cmm_smp_mb();
#endif
}

/* ---- locks ---- */

enum {
	SYNC_UNLOCKED,
	SYNC_LOCKED,
	SYNC_CONTENDED,	/* locked, and somebody may sleep in the kernel */
};

struct sync_lock {
	_Atomic(uint32_t) state;
	uint32_t rank;	/* const after init */
};

void sync_lock_contended(struct sync_lock *lock);
void sync_lock_hand_over(struct sync_lock *lock);

static inline struct rank_lock sync_lock_rank(const struct sync_lock *lock)
{
	return (struct rank_lock){.object = lock,
		.rank = (enum rank)lock->rank};
}

static inline void sync_lock_init(struct sync_lock *lock, enum rank rank)
{
	atomic_init(&lock->state, SYNC_UNLOCKED);
	lock->rank = rank;
}

static inline void sync_lock_acquire(struct sync_lock *lock)
{
	uint32_t unlocked = SYNC_UNLOCKED;

	rank_check(sync_lock_rank(lock));
	if (!atomic_compare_exchange_strong_explicit(&lock->state, &unlocked,
		    SYNC_LOCKED, memory_order_acquire, memory_order_relaxed))
		sync_lock_contended(lock);
	rank_push(sync_lock_rank(lock));
}

static inline void sync_lock_release(struct sync_lock *lock)
{
	rank_pop(sync_lock_rank(lock));
	if (atomic_exchange_explicit(&lock->state, SYNC_UNLOCKED,
		    memory_order_release) == SYNC_CONTENDED)
		sync_lock_hand_over(lock);
}

static inline void sync_lock_assert_held(const struct sync_lock *lock)
{
	DAX_INVARIANT(rank_holds(sync_lock_rank(lock)));
}

/* ---- sleeping ---- */

#define SYNC_FOREVER UINT64_MAX

struct sync_parker {
	_Atomic(uint32_t) state;
};

void sync_parker_init(struct sync_parker *parker);
bool sync_park(struct sync_parker *parker, uint64_t deadline_ns);
void sync_unpark(struct sync_parker *parker);

/* ---- spinning ---- */

struct sync_spin {
	uint64_t until_ns;
	unsigned int turns;
};

#define SYNC_SPIN_INIT ((struct sync_spin){0})

bool sync_spin_clock(struct sync_spin *spin);

static inline void sync_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("isb" ::: "memory");
#else
	atomic_signal_fence(memory_order_seq_cst);
#endif
}

static inline bool sync_spin_again(struct sync_spin *spin)
{
	sync_relax();
	/* Reading the clock costs several turns: look every eighth. */
	return ++spin->turns % 8 || sync_spin_clock(spin);
}

/* ---- RCU ---- */

struct sync_rcu_head {
	struct rcu_head urcu;
	void (*function)(struct sync_rcu_head *head);
};

void sync_rcu_call(struct sync_rcu_head *head,
	void (*function)(struct sync_rcu_head *head));
void sync_rcu_barrier(void);
void sync_rcu_synchronize(void);
void sync_rcu_relieve(void);
/* Callbacks given, and not run yet. */
uint64_t sync_rcu_backlog(void);

#if SYNC_TSAN
/* liburcu 0.13 tells TSan nothing: say that whatever a reader did is before
 * whatever runs after a grace period. */
void __tsan_acquire(void *address);
void __tsan_release(void *address);
extern char sync_tsan_grace_period;
#endif

/*
 * This thread's record in liburcu. Nobody's, which is not registered: not known
 * yet, or readers must call liburcu, for it fences in them, or must be seen by
 * TSan. A pointer, for the record is among the TLS of another library: what is
 * loaded late (dlopen(3)) cannot have that at a place that the linker knows.
 */
extern SYNC_THREAD_LOCAL struct urcu_reader *sync_rcu_reader;
extern struct urcu_reader sync_rcu_nobody;
void sync_rcu_enter_by_call(void) __attribute__((cold));
void sync_rcu_leave_by_call(void) __attribute__((cold));
/* Not cold, as rare as it is: gcc 12 would move each caller's way out, which
 * comes after it, to what is cold. */
void sync_rcu_wake(void);

#define SYNC_RCU_DEPTH(ctr) ((ctr) & URCU_GP_CTR_NEST_MASK)

/*
 * The usual case of urcu_memb_read_lock() and its unlock, without what they ask
 * three times: the outermost section of a registered thread, in a process that
 * has membarrier(2). The barriers of the grace period are then enough for both
 * sides, and only the compiler must keep the order:
 *
 *  reader                             grace period
 *  (A) ctr = phase                    (C) flips the phase, membarrier
 *      section                        (D) waits while ctr has the old one:
 *  (B) ctr = 0, looks at futex            futex = -1, membarrier, looks again
 *
 * Forbidden: asleep in (D), and the reader gone by (B) without a wake.
 */
static inline void *sync_rcu_try_enter(void)
{
	struct urcu_reader *const reader = sync_rcu_reader;

	if (__builtin_expect(
		    !reader->registered || SYNC_RCU_DEPTH(reader->ctr), 0))
		return NULL;
	_CMM_STORE_SHARED(reader->ctr, _CMM_LOAD_SHARED(urcu_memb_gp.ctr));
	cmm_barrier();
	return reader;
}

static inline void sync_rcu_enter(void)
{
	if (!sync_rcu_try_enter())
		sync_rcu_enter_by_call();
}

static inline void sync_rcu_leave_quickly(void *entered)
{
	struct urcu_reader *const reader = entered;

	cmm_barrier();
	_CMM_STORE_SHARED(reader->ctr, 0);
	cmm_barrier();
	if (__builtin_expect(_CMM_LOAD_SHARED(urcu_memb_gp.futex) == -1, 0))
		sync_rcu_wake();
}

static inline void sync_rcu_leave(void)
{
	struct urcu_reader *const reader = sync_rcu_reader;

	if (__builtin_expect(SYNC_RCU_DEPTH(reader->ctr) == 1, 1))
		sync_rcu_leave_quickly(reader);
	else
		sync_rcu_leave_by_call();
}

/* ---- memory, time, threads ---- */

void *sync_alloc(size_t size, size_t align);
void sync_free(void *block);

/* Blocks from slabs (slab.c). */
struct sync_cache {
	size_t size;  /* const after init: of a block */
	size_t align; /* const after init: at most a cache line */
	struct sync_lock lock;
	struct cds_list_head room; /* guarded by @lock: slabs with room */
	struct slab *spare;	   /* guarded by @lock: an empty one, or NULL */
	size_t nr_slabs;	   /* guarded by @lock: all that are mapped */
};

#define SYNC_CACHE_LINE ((size_t)64)

#define SYNC_CACHE_INIT(cache, size_, align_)                                  \
	{                                                                      \
		.size = ((size_) + SYNC_CACHE_LINE - 1) & -SYNC_CACHE_LINE,    \
		.align = (align_),                                             \
		.lock = {.state = SYNC_UNLOCKED, .rank = RANK_LEAF},           \
		.room = CDS_LIST_HEAD_INIT((cache).room),                      \
	}

void *slab_alloc(struct sync_cache *cache);
void slab_free(struct sync_cache *cache, void *block);

/* Where malloc() is watched, each block is malloc's. */
#define SYNC_SLABS (!DAX_CHECKED && !SYNC_ASAN && !SYNC_TSAN)

static inline void *sync_cache_alloc(struct sync_cache *cache)
{
	return SYNC_SLABS ? slab_alloc(cache)
			  : sync_alloc(cache->size, cache->align);
}

static inline void sync_cache_free(struct sync_cache *cache, void *block)
{
	if (SYNC_SLABS)
		slab_free(cache, block);
	else
		sync_free(block);
}

uint64_t sync_now(void);
uint64_t sync_thread_id(void);

struct sync_once {
	pthread_once_t pthread;
};

#define SYNC_ONCE_INIT {PTHREAD_ONCE_INIT}

void sync_once(struct sync_once *once, void (*function)(void));

/* ---- for the explorer ---- */

#define sync_peek(expression) (expression)
#define SYNC_DEVIATION(name)  0

__attribute__((format(printf, 1, 2))) static inline void sync_note_unused(
	const char *format, ...)
{
	(void)format;
}

#define sync_note(...)                                                         \
	do {                                                                   \
		if (0)                                                         \
			sync_note_unused(__VA_ARGS__);                         \
	} while (0)

static inline void sync_note_key_unused(enum sync_key_note what,
	const void *owner, uint64_t index, const struct sync_parker *parker)
{
	(void)what;
	(void)owner;
	(void)index;
	(void)parker;
}

#define sync_note_key(what, owner, index, parker)                              \
	do {                                                                   \
		if (0)                                                         \
			sync_note_key_unused(what, owner, index, parker);      \
	} while (0)

#if DAX_CHECKED
struct rank_chain *sync_rank_chain(void);
void sync_alloc_fail_nth(uint64_t nth);
uint64_t sync_alloc_live(void);
#endif

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The seam under the explorer: every operation is a step of a search through
 * interleavings (explore/engine.h). Include base/sync.h, which says what each
 * name promises; what this implementation adds to it:
 *
 *  - Threads are coroutines of one OS thread. A call that would block is not
 *    resumed before it can succeed.
 *  - Memory is sequentially consistent, or in total store order (tso.h), as
 *    the exploration asks. The orders say which plain accesses are ordered
 *    (races.h).
 *  - A park with a deadline may time out whenever it has no unpark.
 *  - Each thread has a clock of its own, which moves when it times out, and
 *    perhaps to its deadline when it is unparked before.
 *  - Waiting by spinning is over at once.
 *  - Any allocation may fail, as often as the scenario allows.
 *
 * Each word, lock and parker carries the number of its object in the current
 * execution; it is checked against the object's address, so it may hold
 * anything when the thing comes into being.
 */
#ifndef EXPLORE_SYNC_EXPLORE_H
#define EXPLORE_SYNC_EXPLORE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rank.h"

/* Where an operation stands in the source. */
struct explore_site {
	const char *file;
	const char *function;
	int line;
	memory_order order; /* relaxed when there is none */
};

/* All of them are one array, for those who look for orders (weaken.c). */
#define EXPLORE_AT(order)                                                      \
	(__extension__({                                                       \
		static const struct explore_site here __attribute__((          \
			section("explore_sites"), aligned(8), used)) = {       \
			__FILE__, __func__, __LINE__, order};                  \
		&here;                                                         \
	}))
#define EXPLORE_HERE EXPLORE_AT(memory_order_relaxed)

/* ---- atomic words ---- */

struct sync_u64 {
	uint64_t value;
	uint32_t object;
	uint32_t unused;
};

uint64_t explore_load(
	const struct sync_u64 *word, const struct explore_site *site);
void explore_store(
	struct sync_u64 *word, uint64_t value, const struct explore_site *site);
bool explore_cas(struct sync_u64 *word, uint64_t *expected, uint64_t value,
	const struct explore_site *site);
uint64_t explore_swap(
	struct sync_u64 *word, uint64_t value, const struct explore_site *site);
uint64_t explore_add(
	struct sync_u64 *word, uint64_t value, const struct explore_site *site);
bool explore_reserve(struct sync_u64 *word, uint64_t closed,
	const struct explore_site *site);
void explore_count(
	struct sync_u64 *word, uint64_t delta, const struct explore_site *site);
uint64_t explore_or(
	struct sync_u64 *word, uint64_t bits, const struct explore_site *site);
uint64_t explore_and(
	struct sync_u64 *word, uint64_t bits, const struct explore_site *site);

#define sync_load(word, order) explore_load(word, EXPLORE_AT(order))
#define sync_store(word, value, order)                                         \
	explore_store(word, value, EXPLORE_AT(order))
#define sync_cas(word, expected, value, order)                                 \
	explore_cas(word, expected, value, EXPLORE_AT(order))
#define sync_swap(word, value, order)                                          \
	explore_swap(word, value, EXPLORE_AT(order))
#define sync_add(word, value, order) explore_add(word, value, EXPLORE_AT(order))
#define sync_sub(word, value, order)                                           \
	explore_add(word, -(uint64_t)(value), EXPLORE_AT(order))
#define sync_count(word, delta) explore_count(word, delta, EXPLORE_HERE)
#define sync_reserve(word, closed, order)                                      \
	explore_reserve(word, closed, EXPLORE_AT(order))
#define sync_or(word, bits, order)  explore_or(word, bits, EXPLORE_AT(order))
#define sync_and(word, bits, order) explore_and(word, bits, EXPLORE_AT(order))

/* ---- locks ---- */

struct sync_lock {
	uint32_t object;
	uint8_t rank; /* const after init */
	uint8_t held;
	uint8_t owner; /* the thread, while @held */
	uint8_t unused;
};

void explore_lock(struct sync_lock *lock, const struct explore_site *site);
void explore_unlock(struct sync_lock *lock, const struct explore_site *site);

static inline struct rank_lock sync_lock_rank(const struct sync_lock *lock)
{
	return (struct rank_lock){
		.object = lock, .rank = (enum rank)lock->rank};
}

/* No step: before others know the lock. */
static inline void sync_lock_init(struct sync_lock *lock, enum rank rank)
{
	*lock = (struct sync_lock){.rank = (uint8_t)rank};
}

static inline void explore_lock_ranked(
	struct sync_lock *lock, const struct explore_site *site)
{
	rank_check(sync_lock_rank(lock));
	explore_lock(lock, site);
	rank_push(sync_lock_rank(lock));
}

static inline void explore_unlock_ranked(
	struct sync_lock *lock, const struct explore_site *site)
{
	rank_pop(sync_lock_rank(lock));
	explore_unlock(lock, site);
}

#define sync_lock_acquire(lock) explore_lock_ranked(lock, EXPLORE_HERE)
#define sync_lock_release(lock) explore_unlock_ranked(lock, EXPLORE_HERE)

static inline void sync_lock_assert_held(const struct sync_lock *lock)
{
	DAX_INVARIANT(rank_holds(sync_lock_rank(lock)));
}

/* ---- sleeping ---- */

#define SYNC_FOREVER UINT64_MAX

struct sync_parker {
	uint32_t object;
	uint8_t token; /* unparked */
};

void sync_parker_init(struct sync_parker *parker);
bool explore_park(struct sync_parker *parker, uint64_t deadline_ns,
	const struct explore_site *site);
void explore_unpark(
	struct sync_parker *parker, const struct explore_site *site);

#define sync_park(parker, deadline_ns)                                         \
	explore_park(parker, deadline_ns, EXPLORE_HERE)
/* Not of the library's seam, whose park ends for a reason: for protocols that
 * sleep as on a bare futex. May return without an unpark, as often in each
 * thread as the scenario says. */
bool explore_park_once(
	struct sync_parker *parker, const struct explore_site *site);

#define sync_park_once(parker) explore_park_once(parker, EXPLORE_HERE)
#define sync_unpark(parker)    explore_unpark(parker, EXPLORE_HERE)

/* ---- spinning ---- */

struct sync_spin {
	char unused;
};

#define SYNC_SPIN_INIT ((struct sync_spin){0})

static inline bool sync_spin_again(struct sync_spin *spin)
{
	(void)spin;
	return false;
}

/* ---- barriers ---- */

/* After it, the thread's own stores are seen by all; only total store order
 * (struct dax_explore_options) makes a difference, where a read-modify-write
 * waits for that by itself. For protocols other than the library's, heavy:
 * everybody's stores, as membarrier(2) has it; so others need no more than a
 * light one, which is the compiler's. */
void explore_barrier(const struct explore_site *site);
void explore_barrier_heavy(const struct explore_site *site);

#define sync_barrier()		 explore_barrier(EXPLORE_HERE)
#define sync_barrier_after_rmw() ((void)0)
#define sync_barrier_heavy()	 explore_barrier_heavy(EXPLORE_HERE)
#define sync_barrier_light()	 ((void)0)

/* ---- RCU ---- */

struct sync_rcu_head {
	struct sync_rcu_head *next;
	void (*function)(struct sync_rcu_head *head);
	uint32_t readers; /* threads that it waits for, a bit each */
	uint32_t waiters; /* those that wait for it, in sync_rcu_barrier() */
};

void sync_rcu_enter(void);
void sync_rcu_leave(void);
void sync_rcu_call(struct sync_rcu_head *head,
	void (*function)(struct sync_rcu_head *head));
void sync_rcu_barrier(void);

static inline void sync_rcu_over(struct sync_rcu_head *head)
{
	(void)head;
}

/* More than the native one: what ran as a callback happened before, too. */
static inline void sync_rcu_synchronize(void)
{
	struct sync_rcu_head head;

	sync_rcu_call(&head, sync_rcu_over);
	sync_rcu_barrier();
}

#define sync_rcu_relieve() ((void)0)

static inline void *sync_rcu_try_enter(void)
{
	static char entered;

	sync_rcu_enter();
	return &entered;
}

static inline void sync_rcu_leave_quickly(void *entered)
{
	(void)entered;
	sync_rcu_leave();
}

/* ---- memory, time, threads ---- */

void *explore_alloc(size_t size, size_t align, const struct explore_site *site);
void explore_free(void *block, const struct explore_site *site);

#define sync_alloc(size, align) explore_alloc(size, align, EXPLORE_HERE)
#define sync_free(block)	explore_free(block, EXPLORE_HERE)

struct sync_cache {
	size_t size;
	size_t align;
};

#define SYNC_CACHE_INIT(cache, size, align)                                    \
	{                                                                      \
		size, align                                                    \
	}
#define sync_cache_alloc(cache)	      sync_alloc((cache)->size, (cache)->align)
#define sync_cache_free(cache, block) sync_free(block)

uint64_t sync_now(void);
uint64_t sync_thread_id(void);

/* Thread-local storage proper is the OS thread's, which they share: these
 * variables are swapped when the thread is (schedule.c). */
#define SYNC_THREAD_LOCAL __attribute__((section("explore_thread_local")))

struct rank_chain *sync_rank_chain(void);

struct sync_once {
	struct sync_u64 state;
};

#define SYNC_ONCE_INIT                                                         \
	{                                                                      \
		{                                                              \
			0                                                      \
		}                                                              \
	}

void sync_once(struct sync_once *once, void (*function)(void));

/* ---- what only the explorer makes something of ---- */

#include "explore/deviations.h"

/* A line in this thread's column of the table, in the protocol's words. */
void explore_note(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

void explore_note_key(enum sync_key_note what, const void *owner,
	uint64_t index, const struct sync_parker *parker);

extern bool explore_recording;

#define sync_note(...)                                                         \
	do {                                                                   \
		if (__builtin_expect(explore_recording, 0))                    \
			explore_note(__VA_ARGS__);                             \
	} while (0)

#define sync_note_key(what, owner, index, parker)                              \
	do {                                                                   \
		if (__builtin_expect(explore_recording, 0))                    \
			explore_note_key(what, owner, index, parker);          \
	} while (0)

/* While it is true, this thread's loads are no steps: nobody gets between an
 * assertion and what it is about, and nothing waits for it. */
extern bool explore_peeking;

#define sync_peek(expression)                                                  \
	(__extension__({                                                       \
		explore_peeking = true;                                        \
		__typeof__(expression) peeked = (expression);                  \
		explore_peeking = false;                                       \
		peeked;                                                        \
	}))

void sync_alloc_fail_nth(uint64_t nth);
uint64_t sync_alloc_live(void);

#endif

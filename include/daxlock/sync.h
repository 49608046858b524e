/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: daxlock/sync.h - what your own code is explored with
 *
 * Words, locks and parkers whose operations are steps of the explorer: for
 * concurrent code that is not daxlock's. Write the code against names of its
 * own (queue_lock(), say), which are these in the test and atomics, mutexes and
 * futexes in your program; or write a model of it straight against these.
 * They work only inside a scenario of daxlock/explore.h, and are in
 * libdaxlock-explore alone.
 *
 * Every struct here may stand anywhere and is ready when it is all zeros. What
 * is static begins each execution with the value that it had before the first.
 * Plain variables are not steps: guard them by these.
 *
 * @order is a constant: one of C11's memory_order, or __ATOMIC_RELAXED and so
 * on. It says which plain accesses are ordered; what a word holds depends on it
 * only where struct dax_explore_options says so.
 */
#ifndef DAXLOCK_SYNC_H
#define DAXLOCK_SYNC_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/** struct dax_sync_word - an atomic word of 64 bits */
struct dax_sync_word {
	/* private: */
	uint64_t opaque[4];
};

/** struct dax_sync_lock - a lock, which its thread releases */
struct dax_sync_lock {
	/* private: */
	uint64_t opaque[4];
};

/** struct dax_sync_parker - where one thread sleeps until another says so */
struct dax_sync_parker {
	/* private: */
	uint64_t opaque[4];
};

/** struct dax_sync_site - where a call stands; DAX_SYNC_HERE */
struct dax_sync_site {
	const char *file;
	const char *function;
	int line;
	int order; /* constant */
};

#define DAX_SYNC_AT(order)                                                     \
	(__extension__({                                                       \
		static const struct dax_sync_site here = {                     \
			__FILE__, __func__, __LINE__, (int)(order)};           \
		&here;                                                         \
	}))
#define DAX_SYNC_HERE DAX_SYNC_AT(__ATOMIC_RELAXED)

/** dax_sync_load() - the value of @word */
#define dax_sync_load(word, order) dax_sync_load_at(word, DAX_SYNC_AT(order))

/** dax_sync_store() - @word becomes @value */
#define dax_sync_store(word, value, order)                                     \
	dax_sync_store_at(word, value, DAX_SYNC_AT(order))

/**
 * dax_sync_cas() - @word becomes @value if it is *@expected
 *
 * Return: whether it was; if not, *@expected is what it is. Never spurious.
 */
#define dax_sync_cas(word, expected, value, order)                             \
	dax_sync_cas_at(word, expected, value, DAX_SYNC_AT(order))

/** dax_sync_add() - adds @value to @word; returns what it was before */
#define dax_sync_add(word, value, order)                                       \
	dax_sync_add_at(word, value, DAX_SYNC_AT(order))

/** dax_sync_acquire() - take @lock; waits while another thread has it */
#define dax_sync_acquire(lock) dax_sync_acquire_at(lock, DAX_SYNC_HERE)

/** dax_sync_release() - give @lock back */
#define dax_sync_release(lock) dax_sync_release_at(lock, DAX_SYNC_HERE)

/** DAX_SYNC_FOREVER - a deadline that never passes */
#define DAX_SYNC_FOREVER UINT64_MAX

/** dax_sync_parker_init() - forget an unpark that came before */
void dax_sync_parker_init(struct dax_sync_parker *parker);

/**
 * dax_sync_park() - sleep until unparked, or until @deadline
 *
 * An unpark that came before counts, once. @deadline is a time of
 * dax_sync_now(); whether it passes first is explored, too.
 *
 * Return: whether it was unparked.
 */
#define dax_sync_park(parker, deadline)                                        \
	dax_sync_park_at(parker, deadline, DAX_SYNC_HERE)

/** dax_sync_unpark() - wake whoever parks, or will */
#define dax_sync_unpark(parker) dax_sync_unpark_at(parker, DAX_SYNC_HERE)

/** dax_sync_now() - nanoseconds of this thread's own clock */
uint64_t dax_sync_now(void);

/* private: what the macros call */
uint64_t dax_sync_load_at(
	const struct dax_sync_word *word, const struct dax_sync_site *site);
void dax_sync_store_at(struct dax_sync_word *word, uint64_t value,
	const struct dax_sync_site *site);
bool dax_sync_cas_at(struct dax_sync_word *word, uint64_t *expected,
	uint64_t value, const struct dax_sync_site *site);
uint64_t dax_sync_add_at(struct dax_sync_word *word, uint64_t value,
	const struct dax_sync_site *site);
void dax_sync_acquire_at(
	struct dax_sync_lock *lock, const struct dax_sync_site *site);
void dax_sync_release_at(
	struct dax_sync_lock *lock, const struct dax_sync_site *site);
bool dax_sync_park_at(struct dax_sync_parker *parker, uint64_t deadline,
	const struct dax_sync_site *site);
void dax_sync_unpark_at(
	struct dax_sync_parker *parker, const struct dax_sync_site *site);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif

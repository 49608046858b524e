/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What `daxlock-bench lock` measures: ways to lock a page of a file, and to
 * unlock it again.
 *
 * Each subject brings its own copy of the loops below, with its two functions
 * compiled into them: LOCK_LOOPS() instantiates them. So no subject pays for
 * an indirect call, what is short is inlined wherever it would be in a program
 * that uses it, and everything around it is the same code. What lives in a
 * shared library (daxlock, glibc, liburcu) is called through the linker's
 * table, as by any program that links it.
 *
 * What the lock returns goes to the unlock: a peer need not look the page up
 * twice.
 */
#ifndef BENCH_LOCK_SUBJECT_H
#define BENCH_LOCK_SUBJECT_H

#include "lane.h"

/* 2^bits entries, each of 2^order pages. */
struct lock_shape {
	unsigned int bits;
	unsigned int order;
};

/* Two lanes meet at one entry, again and again. */
struct lock_meeting {
	_Atomic(uint64_t) held; /* rounds in which lane 0 got the lock */
	_Atomic(uint64_t) came; /* when lane 1 came to wait */
	_Atomic(uint64_t) done; /* rounds in which lane 1 got it */
	uint64_t left;		/* under the lock measured: when lane 0 left */
	_Atomic(uint64_t) served; /* written under the lock measured */
};

struct lock_load {
	struct lane_run run;
	unsigned int page_bits; /* a lane's range has 2^page_bits pages */
	uint64_t lane_offset;	/* where lane 1's range is */
	unsigned int batch;	/* operations between two looks at the clock */
	uint64_t turns_inside;	/* of work_spin() */
	uint64_t turns_outside;
	unsigned int singles; /* operations to time one by one; rounds */
	bool one_lock;	      /* all lanes want the same */
	uint64_t wait_ticks;  /* of lane 1, before lane 0 unlocks */
	struct lock_meeting *meeting;
};

typedef void lock_loop(
	struct lane *lane, const struct lock_load *load, void *state);

struct lock_subject {
	const char *name;
	bool floor;
	double entry_bytes; /* about; to refuse what does not fit */
	/* All entries present and unlocked. NULL: out of memory. */
	void *(*open)(const struct lock_shape *shape);
	void (*close)(void *state);
	lock_loop *churn;    /* lock and unlock, for lane_run's time */
	lock_loop *singly;   /* the same, each operation timed */
	lock_loop *hand_off; /* lane 0 to lane 1, @singles times */
};

extern const struct lock_subject lock_daxlock;
extern const struct lock_subject lock_striped_mutex;
extern const struct lock_subject lock_flat_futex;
extern const struct lock_subject lock_rculfhash;
extern const struct lock_subject lock_cas_xchg;

/* ---- the loops ---- */

#define LOCK_INLINE static inline __attribute__((always_inline))

typedef uint64_t lock_fn(void *state, uint64_t index);
typedef void unlock_fn(void *state, uint64_t index, uint64_t cookie);

LOCK_INLINE uint64_t lock_index(struct lane *lane, const struct lock_load *load)
{
	return lane->number * load->lane_offset +
	       lane_random(lane, load->page_bits);
}

LOCK_INLINE void lock_once(struct lane *lane, const struct lock_load *load,
	void *state, lock_fn *lock, unlock_fn *unlock)
{
	const uint64_t index = lock_index(lane, load);
	const uint64_t cookie = lock(state, index);

	work_spin(load->turns_inside);
	unlock(state, index, cookie);
}

LOCK_INLINE void lock_churn(struct lane *lane, const struct lock_load *load,
	void *state, lock_fn *lock, unlock_fn *unlock)
{
	uint64_t ops = 0;

	lane_begin(lane, &load->run);
	do {
		for (unsigned int i = 0; i < load->batch; i++) {
			lock_once(lane, load, state, lock, unlock);
			work_spin(load->turns_outside);
		}
		ops += load->batch;
	} while (lane_goes_on(lane, ops));
}

/* Counts who was served since @came: those who were before it in the line, and
 * those who passed it. */
LOCK_INLINE void lock_count_served(
	struct lane *lane, const struct lock_load *load, uint64_t came)
{
	_Atomic(uint64_t) *served = &load->meeting->served;
	const uint64_t now = atomic_load_explicit(served, memory_order_relaxed);

	if (now - came > lane->passed)
		lane->passed = now - came;
	atomic_store_explicit(served, now + 1, memory_order_relaxed);
}

LOCK_INLINE void lock_singly(struct lane *lane, const struct lock_load *load,
	void *state, lock_fn *lock, unlock_fn *unlock)
{
	lane_begin(lane, &load->run);
	for (unsigned int i = 0; i < 2 * load->singles; i++) {
		const uint64_t index = lock_index(lane, load);
		const uint64_t start = ticks_now();
		const uint64_t came = atomic_load_explicit(
			&load->meeting->served, memory_order_relaxed);
		const uint64_t cookie = lock(state, index);

		if (load->one_lock)
			lock_count_served(lane, load, came);
		work_spin(load->turns_inside);
		unlock(state, index, cookie);
		if (i >= load->singles) /* warm by then */
			lane_single(lane, ticks_now() - start);
		work_spin(load->turns_outside);
	}
}

LOCK_INLINE void lock_leave(const struct lock_load *load, uint64_t round,
	void *state, lock_fn *lock, unlock_fn *unlock)
{
	struct lock_meeting *meeting = load->meeting;
	uint64_t came;
	uint64_t cookie;

	atomic_store_explicit(&meeting->came, 0, memory_order_relaxed);
	cookie = lock(state, 0);
	atomic_store_explicit(&meeting->held, round, memory_order_release);
	do
		came = atomic_load_explicit(
			&meeting->came, memory_order_acquire);
	while (!came);
	while (ticks_now() < came + load->wait_ticks)
		;
	meeting->left = ticks_now();
	unlock(state, 0, cookie);
	while (atomic_load_explicit(&meeting->done, memory_order_acquire) <
		round)
		cpu_relax();
}

LOCK_INLINE void lock_await(struct lane *lane, const struct lock_load *load,
	uint64_t round, void *state, lock_fn *lock, unlock_fn *unlock)
{
	struct lock_meeting *meeting = load->meeting;
	uint64_t cookie;
	uint64_t got;

	while (atomic_load_explicit(&meeting->held, memory_order_acquire) <
		round)
		cpu_relax();
	atomic_store_explicit(
		&meeting->came, ticks_now(), memory_order_release);
	cookie = lock(state, 0);
	got = ticks_now();
	lane_sample(lane, ticks_to_ns(got - meeting->left));
	lane_single(lane, got - meeting->left);
	unlock(state, 0, cookie);
	atomic_store_explicit(&meeting->done, round, memory_order_release);
}

LOCK_INLINE void lock_hand_off(struct lane *lane, const struct lock_load *load,
	void *state, lock_fn *lock, unlock_fn *unlock)
{
	lane_begin(lane, &load->run);
	for (uint64_t round = 1; round <= load->singles; round++)
		if (lane->number == 0)
			lock_leave(load, round, state, lock, unlock);
		else
			lock_await(lane, load, round, state, lock, unlock);
}

/* One loop of a subject: its functions compiled into a loop above. */
#define LOCK_LOOP(loop, lock, unlock)                                          \
	static void loop(                                                      \
		struct lane *lane, const struct lock_load *load, void *state)  \
	{                                                                      \
		lock_##loop(lane, load, state, lock, unlock);                  \
	}

/* Defines churn, singly and hand_off. */
#define LOCK_LOOPS(lock, unlock)                                               \
	LOCK_LOOP(churn, lock, unlock)                                         \
	LOCK_LOOP(singly, lock, unlock)                                        \
	LOCK_LOOP(hand_off, lock, unlock)

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Data races: two accesses of one byte by two threads, one of them a write and
 * one of them plain, which C11 does not order.
 *
 * What orders here is what C11 says does: a load with acquire after the store
 * with release that it read from, or after a read-modify-write that continues
 * that store's release sequence; a lock after its last release; a park after
 * its unpark; what a thread does after what it did before. Relaxed accesses
 * order nothing. Unlike the clocks of order.c, which say what the search has
 * seen in one order only, these do not mind that memory was sequentially
 * consistent while they were taken: a race is found in any interleaving in
 * which nothing orders the two, whichever came first.
 *
 * A release sequence is that of C++20: other stores of the same thread end it.
 */
#ifndef EXPLORE_RACES_H
#define EXPLORE_RACES_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct explore_site;
struct sync_lock;
struct sync_parker;
struct sync_u64;

enum word_operation {
	WORD_LOADED,
	WORD_FAILED, /* a CAS, to change what it looked at */
	WORD_STORED,
	WORD_CHANGED, /* a read-modify-write */
};

/* Does this exploration look for races? */
extern bool races_on;

void races_setup(bool on);
void races_reset(void);

/* Of the current thread, in its turn. @object: see order.c. */
void races_word(const struct sync_u64 *word, uint16_t object,
	enum word_operation operation, const struct explore_site *site);
void races_locked(const struct sync_lock *lock, uint16_t object,
	const struct explore_site *site);
void races_unlocked(const struct sync_lock *lock, uint16_t object,
	const struct explore_site *site);
void races_parker_init(const struct sync_parker *parker);
void races_parked(const struct sync_parker *parker, uint16_t object,
	const struct explore_site *site);
void races_unparked(const struct sync_parker *parker, uint16_t object,
	const struct explore_site *site);
/* A block begins with a plain write of all of it, and ends with one. */
void races_alloc(
	const void *block, size_t size, const struct explore_site *site);
void races_free(
	const void *block, size_t size, const struct explore_site *site);
/* As the end, but read sections are waited for. */
void races_retire(const void *block, size_t size);
void races_rcu_left(void);
void races_rcu_barrier(void);
/* A callback of RCU comes after all that could race with it. */
void races_callback(bool begins);
/* A plain access; @place is where the call of it returns to. */
void races_plain(
	const void *start, size_t size, bool writes, const void *place);

/* ---- weaken.c ---- */

enum order_half {
	HALF_ACQUIRE = 1,
	HALF_RELEASE = 2,
};

/* Every operation with an order, from 0 on; NULL: there are no more. */
const struct explore_site *order_site(unsigned int i);
/* The halves of what @site says, a bit each. */
unsigned int order_halves(const struct explore_site *site);
/* Those that an operation there has, unless it was weakened. */
unsigned int order_in_force(
	const struct explore_site *site, enum word_operation operation);

/* ---- symbol.c ---- */

/* "f() at file.c:12" into @text, of the call that returns to @address. */
void symbol_name(const void *address, char *text, size_t size);

#endif

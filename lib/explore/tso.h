/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Total store order: what x86 does to sequential consistency.
 *
 * T1  A store goes into its thread's buffer. Others see it when it is flushed,
 *     in the order of the thread's stores, at any time.
 * T2  A load finds the thread's own latest store to the word, flushed or not.
 * T3  Read-modify-writes, sequentially consistent stores, locks, parking and
 *     sync_barrier() wait until the thread's buffer is empty.
 * T4  sync_barrier_heavy() waits until all buffers are.
 *
 * A buffer is a thread of its own, whose steps are the flushes; so the search
 * needs to know nothing of it but that a buffer which stays empty is no
 * deadlock. It may go on after its thread has ended. To wait for a buffer is a
 * step even when it is empty, or the steps of a thread would depend on what no
 * footprint shows.
 *
 * Every object is taken for shared (E5), and executions start from the
 * beginning.
 *
 * Only words are buffered. Plain accesses take effect at once, so a protocol
 * must have no data races for this to mean anything (races.h); and a word on a
 * thread's stack must not go while a store to it may be pending.
 */
#ifndef EXPLORE_TSO_H
#define EXPLORE_TSO_H

#include <stdbool.h>
#include <stdint.h>

struct explore_site;
struct sync_u64;
struct spans;

/* Does this exploration buffer stores? */
extern bool tso_on;

void tso_setup(bool on);
void tso_reset(void);
/* Adds a buffer for each thread of the scenario. */
void tso_start(void);
/* T1. In the step of the store. */
void tso_store(
	struct sync_u64 *word, uint64_t value, const struct explore_site *site);
/* T2. What the current thread finds in @word; the body, which is no thread,
 * has nothing pending. */
uint64_t tso_load(const struct sync_u64 *word);
/* T3. A step of its own. */
void tso_drain(void);
/* What can tell two states apart. */
void tso_state_spans(struct spans *spans);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What `daxlock-bench tree` measures: ways to keep a word for each page of a
 * file. As for locks (lock_subject.h), each subject has its own copy of the
 * loops, with its functions compiled in: TREE_LOOKUP() and TREE_STEPS().
 *
 * An entry's number counts entries, its index pages: index = number << order.
 */
#ifndef BENCH_TREE_SUBJECT_H
#define BENCH_TREE_SUBJECT_H

#include "lane.h"

/* Room for 2^bits entries, each of 2^order pages. */
struct tree_shape {
	unsigned int bits;
	unsigned int order;
};

struct tree_load {
	struct lane_run run;
	unsigned int page_bits;
};

typedef void tree_lookup_loop(
	struct lane *lane, const struct tree_load *load, void *state);

/* Entries @first to @first + @nr - 1. */
typedef void tree_steps_fn(void *state, uint64_t first, uint64_t nr);

/* What a subject cannot do is NULL. */
struct tree_subject {
	const char *name;
	double entry_bytes; /* about; to refuse what does not fit */
	void *(*open)(const struct tree_shape *shape); /* empty; NULL: ENOMEM */
	void (*close)(void *state);
	tree_lookup_loop *lookup;
	tree_steps_fn *insert; /* a word where nothing is */
	tree_steps_fn *fault;  /* make and lock, set the page, unlock */
	tree_steps_fn *erase;
	bool defers; /* what it erases is freed some time later */
	void (*mark)(void *state, uint64_t number);
	void (*unmark)(void *state, uint64_t number);
	uint64_t (*scan)(void *state); /* visits all marked, counts them */
	/* What its entries take. NULL: all that malloc gave. */
	size_t (*bytes)(const void *state);
	bool counts_bytes; /* by the one or the other */
};

extern const struct tree_subject tree_daxlock;
extern const struct tree_subject tree_flat_array;
extern const struct tree_subject tree_rculfhash;
extern const struct tree_subject tree_bitmap; /* only marks */

/* ---- the loops ---- */

#define TREE_INLINE static inline __attribute__((always_inline))

typedef uint64_t tree_load_fn(void *state, uint64_t index);
typedef void tree_step_fn(void *state, uint64_t number);

/* One look-up does not wait for the one before, as in a program that does
 * something else in between. */
TREE_INLINE void tree_lookups(struct lane *lane, const struct tree_load *load,
	void *state, tree_load_fn *load_word)
{
	const unsigned int batch = 256;
	uint64_t ops = 0;

	lane_begin(lane, &load->run);
	do {
		for (unsigned int i = 0; i < batch; i++) {
			const uint64_t word = load_word(
				state, lane_random(lane, load->page_bits));

			/* Used: not to be left out. */
			__asm__ volatile("" ::"r"(word));
		}
		ops += batch;
	} while (lane_goes_on(lane, ops));
}

#define TREE_LOOKUP(name, load_word)                                           \
	static void name(                                                      \
		struct lane *lane, const struct tree_load *load, void *state)  \
	{                                                                      \
		tree_lookups(lane, load, state, load_word);                    \
	}

TREE_INLINE void tree_steps(
	void *state, uint64_t first, uint64_t nr, tree_step_fn *step)
{
	for (uint64_t number = first; number < first + nr; number++)
		step(state, number);
}

#define TREE_STEPS(name, step)                                                 \
	static void name(void *state, uint64_t first, uint64_t nr)             \
	{                                                                      \
		tree_steps(state, first, nr, step);                            \
	}

#endif

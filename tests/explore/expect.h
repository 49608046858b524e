/* SPDX-License-Identifier: BSD-3-Clause */
/* What the tests of the engine expect of a scenario. */
#ifndef EXPLORE_EXPECT_H
#define EXPLORE_EXPECT_H

#include <stdbool.h>
#include <stdint.h>

#include "daxlock/explore.h"

struct dax_explore_report explore_how(
	void (*body)(void *context), enum dax_explore_how how);
/* By AddressSanitizer, whose stacks cannot be copied, they are not. */
bool states_are_searched(const struct dax_explore_report *report);
void expect_bug(void (*body)(void *context), enum dax_explore_bug bug);
/* Interleavings, and those of them that do not come to the same. */
void expect_counts(void (*body)(void *context), uint64_t every, uint64_t all);

/* Threads: store to @word, load and store what is one more. */
void store_often(void *word, long times);
void increment(void *word, long unused);

#endif

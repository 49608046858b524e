/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Replaying an interleaving: one that a token tells, or one that the engine
 * makes up in order to shrink another.
 *
 *   item	one step: whose it is, of which kind, and of a choice the value
 *   run	items of one thread in a row
 */
#ifndef EXPLORE_REPLAY_H
#define EXPLORE_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "daxlock/explore.h"

struct replay_item {
	uint8_t thread;
	uint8_t kind; /* enum operation; OP_NONE: any but a choice */
	uint8_t value;
};

struct replay {
	unsigned int nr;
	unsigned int next;
	bool for_ever; /* in the end, what comes last is repeated */
	bool skips;    /* what differs is taken for gone, not for new */
	char differs[DAX_EXPLORE_DIFFERS]; /* where first; empty: nowhere */
	struct replay_item at[MAX_STEPS];
};

extern struct replay replay;

/* ---- token.c ---- */

/* Of steps[]. To be freed; NULL: no memory. */
char *token_write(void);
/* 0 or -EINVAL. */
int token_read(const char *token, struct replay *to);
/* Of the kinds of the operations in steps[]. */
uint32_t token_checksum(void);

/* ---- replay.c ---- */

/* The execution in steps[], with an item for each operation: of any kind, but
 * for choices. False: it is too long. */
bool replay_take(void);
/* Has an item of @kind? */
bool replay_has(unsigned int kind);
/* From its first item on. */
void replay_begin(void);
/* Whose turn it is @among the threads that can go on. False: the items are
 * used up. */
bool replay_thread(unsigned int among, unsigned int *thread);
/* The value of a choice of this thread's. */
unsigned int replay_value(unsigned int nr);
/* Was the execution not that of the replay? */
bool replay_differs(void);
/* Makes the @n-th variation of @token the replay; the first is as it is.
 * False: there are no more. */
bool replay_vary(const char *token, unsigned int n);
/* What the report of a token's replay has to say of it. */
void replay_judge(struct dax_explore_report *report);

/* ---- shrink.c ---- */

/* The execution of the replay ends with @bug: looks for one with fewer
 * preemptions that ends with the same, and makes it the replay. */
void shrink(const struct dax_scenario *scenario, enum dax_explore_bug bug);

#endif

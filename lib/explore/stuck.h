/* SPDX-License-Identifier: BSD-3-Clause */
/* A limit of the time between two operations. */
#ifndef EXPLORE_STUCK_H
#define EXPLORE_STUCK_H

#include <stdbool.h>
#include <stdint.h>

/* Fails an execution in which one coroutine runs for @limit_ns, or up to twice
 * as long, without an operation. 0: five seconds. */
void stuck_begin(uint64_t limit_ns);
void stuck_end(void);
/* Has one failed for that? */
bool stuck_found(void);

#endif

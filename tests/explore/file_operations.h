/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What threads do to a file that is mapped: the second set of operations and
 * states. Names are words in lower case, so that they can be told from those of
 * the mapping; both sets are not for one combination.
 */
#ifndef EXPLORE_FILE_OPERATIONS_H
#define EXPLORE_FILE_OPERATIONS_H

#include "explore/operations.h"

/* NULL: there is none. */
const struct operation_kind *file_operation_named(const char *name);
const struct state_kind *file_state_named(const char *name);

/* The @i-th, from 0 on; NULL: there are no more. */
const struct operation_kind *file_operation(unsigned int i);
const struct state_kind *file_state(unsigned int i);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What threads do to a file of daxlock/file.h and to its clone: the third set
 * of operations and states, all in lower case with "disk-" before them.
 */
#ifndef EXPLORE_DISK_OPERATIONS_H
#define EXPLORE_DISK_OPERATIONS_H

#include "explore/operations.h"

/* NULL: there is none. */
const struct operation_kind *disk_operation_named(const char *name);
const struct state_kind *disk_state_named(const char *name);

/* The @i-th, from 0 on; NULL: there are no more. */
const struct operation_kind *disk_operation(unsigned int i);
const struct state_kind *disk_state(unsigned int i);

#endif

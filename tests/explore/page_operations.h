/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What threads do to the pages of a device: the third set of operations and
 * states, as file_operations.h is the second.
 */
#ifndef EXPLORE_PAGE_OPERATIONS_H
#define EXPLORE_PAGE_OPERATIONS_H

#include "explore/operations.h"

/* NULL: there is none. */
const struct operation_kind *page_operation_named(const char *name);
const struct state_kind *page_state_named(const char *name);

/* The @i-th, from 0 on; NULL: there are no more. */
const struct operation_kind *page_operation(unsigned int i);
const struct state_kind *page_state(unsigned int i);

#endif

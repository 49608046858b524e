/* SPDX-License-Identifier: BSD-3-Clause */
/* The museum as daxlock-explore shows it. */
#ifndef EXPLORE_EXHIBITION_H
#define EXPLORE_EXHIBITION_H

#include <stdbool.h>
#include <stdint.h>

enum format {
	FORMAT_TEXT,
	FORMAT_JSON,
	FORMAT_TAP,
};

/* A line an exhibit, each without its bug for up to @executions. True: each is
 * as expected. */
bool show_museum(enum format format, uint64_t executions);

#endif

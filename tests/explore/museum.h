/* SPDX-License-Identifier: BSD-3-Clause */
/* The museum: each deviation with the smallest scenario that exposes it. */
#ifndef EXPLORE_MUSEUM_H
#define EXPLORE_MUSEUM_H

#include "daxlock/explore.h"

struct exhibit {
	const char *deviation;	       /* one, or several with + between them */
	const char *scenario;	       /* a combination (operations.h) */
	enum dax_explore_bug expected; /* DAX_EXPLORE_NO_BUG: equivalent */
	unsigned int allocs_fail;
};

extern const struct exhibit exhibits[];
extern const unsigned int nr_exhibits;

#endif

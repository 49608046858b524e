/* SPDX-License-Identifier: BSD-3-Clause */
/* A file shown in several ways beside each other, as races have it. */
#ifndef SUPPORT_AREAS_H
#define SUPPORT_AREAS_H

#include "support/disk.h"

enum area {
	AREA_HUGE,
	AREA_SMALL,
	AREA_SYNC,
	SHARED_AREAS,
	AREA_PRIVATE = SHARED_AREAS,
	AREAS,
};

/* The first @nr ways, each of the first @len bytes of @file. *@areas is where.
 * 0 or an errno, when some may be mapped. */
int areas_map(struct dax_mm *mm, struct dax_file *file, uint64_t len,
	unsigned int nr, uint64_t *areas);

#endif

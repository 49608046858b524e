/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The device under daxlock/file.h in the explorer: a page is one word, as
 * lib/space/bytes_first.c has it, and what is durable of it another.
 */
#ifndef EXPLORE_WORD_DEVICE_H
#define EXPLORE_WORD_DEVICE_H

#include "base/sync.h"
#include "daxlock/pmem.h"

/* What dax_fs_new() wants, and some more. */
#define WORD_DEVICE_PAGES 24

struct dax_pmem_map {
	struct sync_u64 words[WORD_DEVICE_PAGES];
	struct sync_u64 durable[WORD_DEVICE_PAGES];
	unsigned int renewals; /* of pages that were bad; by a plain access */
};

#endif

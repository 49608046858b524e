/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bytes.c for the explorer: an access is one word, its first. A page of them
 * would be 512 steps, which show nothing that one does not; and the explorer's
 * words, which carry a number, are larger than what they hold. What follows the
 * word is not kept, and reads as zeros.
 */
#include <string.h>

#include "space/space.h"

static size_t first(size_t len)
{
	return len < sizeof(uint64_t) ? len : sizeof(uint64_t);
}

void space_bytes_store(void *storage, const void *bytes, size_t len)
{
	uint64_t word = 0;

	memcpy(&word, bytes, first(len));
	sync_store((struct sync_u64 *)storage, word, memory_order_relaxed);
}

void space_bytes_load(const void *storage, void *bytes, size_t len)
{
	const uint64_t word = sync_load(
		(const struct sync_u64 *)storage, memory_order_relaxed);

	memset(bytes, 0, len);
	memcpy(bytes, &word, first(len));
}

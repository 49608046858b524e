/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The bytes of a device are written by stores through any page table and by
 * write(2), at once. To the machine each such access is a relaxed one, and so
 * it is here: whole words, relaxed; a part of a word by a CAS, which is the
 * only way not to touch the bytes beside it.
 */
#include <string.h>

#include "space/space.h"

#define WORD sizeof(struct sync_u64)

void *space_bytes_at(void *storage, uint64_t offset)
{
	return (char *)storage + offset;
}

/* The part of one word that an access touches. */
struct part {
	struct sync_u64 *word;
	size_t skip;
	size_t len;
};

static struct part part_of(void *storage, size_t len)
{
	const size_t skip = (uintptr_t)storage % WORD;

	return (struct part){
		.word = (struct sync_u64 *)((char *)storage - skip),
		.skip = skip,
		.len = len < WORD - skip ? len : WORD - skip,
	};
}

static void part_store(struct part part, const void *bytes)
{
	uint64_t old = sync_load(part.word, memory_order_relaxed);
	uint64_t new;

	if (part.len == WORD) {
		memcpy(&new, bytes, WORD);
		sync_store(part.word, new, memory_order_relaxed);
		return;
	}
	do {
		new = old;
		memcpy((char *)&new + part.skip, bytes, part.len);
		/* [MO-7] Nothing is ordered: the seam's CAS has no relaxed. */
	} while (!sync_cas(part.word, &old, new, memory_order_release));
}

void space_bytes_store(void *storage, const void *bytes, size_t len)
{
	while (len) {
		const struct part part = part_of(storage, len);

		part_store(part, bytes);
		storage = (char *)storage + part.len;
		bytes = (const char *)bytes + part.len;
		len -= part.len;
	}
}

void space_bytes_load(const void *storage, void *bytes, size_t len)
{
	while (len) {
		const struct part part = part_of((void *)storage, len);
		const uint64_t word =
			sync_load(part.word, memory_order_relaxed);

		memcpy(bytes, (const char *)&word + part.skip, part.len);
		storage = (const char *)storage + part.len;
		bytes = (char *)bytes + part.len;
		len -= part.len;
	}
}

void space_bytes_zero(void *storage, size_t len)
{
	static const char zeros[WORD];

	while (len) {
		const struct part part = part_of(storage, len);

		part_store(part, zeros);
		storage = (char *)storage + part.len;
		len -= part.len;
	}
}

void space_bytes_copy(void *to, const void *from, size_t len)
{
	char piece[256];

	while (len) {
		const size_t now = len < sizeof(piece) ? len : sizeof(piece);

		space_bytes_load(from, piece, now);
		space_bytes_store(to, piece, now);
		to = (char *)to + now;
		from = (const char *)from + now;
		len -= now;
	}
}

bool space_bytes_equal(const void *a, const void *b, size_t len)
{
	char piece[2][256];

	while (len) {
		const size_t now =
			len < sizeof(piece[0]) ? len : sizeof(piece[0]);

		space_bytes_load(a, piece[0], now);
		space_bytes_load(b, piece[1], now);
		if (memcmp(piece[0], piece[1], now))
			return false;
		a = (const char *)a + now;
		b = (const char *)b + now;
		len -= now;
	}
	return true;
}

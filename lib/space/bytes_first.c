/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bytes.c for the explorer: of each page that an access touches, it is one
 * word, the first that it touches. A page of them would be 512 steps, which
 * show nothing that one does not; and the explorer's words, which carry a
 * number, are larger than what they hold. So storage is an array of words, one
 * a page. What follows the word in its page is not kept, and reads as zeros.
 */
#include <string.h>

#include "daxlock/entry.h"
#include "space/space.h"

static struct sync_u64 *word_of(const void *storage, size_t page)
{
	return (struct sync_u64 *)storage + page;
}

void *space_bytes_at(void *storage, uint64_t offset)
{
	return word_of(storage, offset >> DAX_PAGE_SHIFT);
}

/* Of @len bytes, those of the word that stands for page @page. */
static size_t held(size_t len, size_t page)
{
	const size_t left = len - page * DAX_PAGE_SIZE;

	return left < sizeof(uint64_t) ? left : sizeof(uint64_t);
}

static size_t pages(size_t len)
{
	return (len + DAX_PAGE_SIZE - 1) >> DAX_PAGE_SHIFT;
}

void space_bytes_store(void *storage, const void *bytes, size_t len)
{
	for (size_t i = 0; i < pages(len); i++) {
		uint64_t word = 0;

		memcpy(&word, (const char *)bytes + i * DAX_PAGE_SIZE,
			held(len, i));
		sync_store(word_of(storage, i), word, memory_order_relaxed);
	}
}

void space_bytes_load(const void *storage, void *bytes, size_t len)
{
	memset(bytes, 0, len);
	for (size_t i = 0; i < pages(len); i++) {
		const uint64_t word =
			sync_load(word_of(storage, i), memory_order_relaxed);

		memcpy((char *)bytes + i * DAX_PAGE_SIZE, &word, held(len, i));
	}
}

void space_bytes_zero(void *storage, size_t len)
{
	for (size_t i = 0; i < pages(len); i++)
		sync_store(word_of(storage, i), 0, memory_order_relaxed);
}

void space_bytes_copy(void *to, const void *from, size_t len)
{
	for (size_t i = 0; i < pages(len); i++)
		sync_store(word_of(to, i),
			sync_load(word_of(from, i), memory_order_relaxed),
			memory_order_relaxed);
}

bool space_bytes_equal(const void *a, const void *b, size_t len)
{
	for (size_t i = 0; i < pages(len); i++)
		if (sync_load(word_of(a, i), memory_order_relaxed) !=
			sync_load(word_of(b, i), memory_order_relaxed))
			return false;
	return true;
}

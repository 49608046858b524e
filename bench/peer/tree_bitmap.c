/* SPDX-License-Identifier: BSD-3-Clause */
/* A bit an entry: for marks only. Finding the dirty ones costs in proportion to
 * the file, not to them. */
#include <stdlib.h>

#include "tree_subject.h"

struct bitmap {
	uint64_t nr_words;
	_Atomic(uint64_t) words[];
};

static void mark(void *state, uint64_t number)
{
	atomic_fetch_or_explicit(&((struct bitmap *)state)->words[number / 64],
		(uint64_t)1 << number % 64, memory_order_release);
}

static void unmark(void *state, uint64_t number)
{
	atomic_fetch_and_explicit(&((struct bitmap *)state)->words[number / 64],
		~((uint64_t)1 << number % 64), memory_order_release);
}

static uint64_t scan(void *state)
{
	const struct bitmap *bitmap = state;
	uint64_t found = 0;

	for (uint64_t i = 0; i < bitmap->nr_words; i++) {
		uint64_t word = atomic_load_explicit(
			&bitmap->words[i], memory_order_acquire);

		for (; word; word &= word - 1) {
			const uint64_t number =
				i * 64 + (unsigned int)__builtin_ctzll(word);

			/* Used: not to be replaced by a population count. */
			__asm__ volatile("" ::"r"(number));
			found++;
		}
	}
	return found;
}

static void *open_bitmap(const struct tree_shape *shape)
{
	const uint64_t nr_words = ((uint64_t)1 << shape->bits) / 64;
	struct bitmap *bitmap =
		calloc(1, sizeof(*bitmap) + nr_words * sizeof(*bitmap->words));

	if (bitmap)
		bitmap->nr_words = nr_words;
	return bitmap;
}

const struct tree_subject tree_bitmap = {
	.name = "bitmap",
	.entry_bytes = 1.0 / 8,
	.open = open_bitmap,
	.close = free,
	.mark = mark,
	.unmark = unmark,
	.scan = scan,
};

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bytes are stored where they belong and nowhere else, at any alignment, also
 * when another thread stores those beside them.
 */
#include <string.h>

#include "space/space.h"
#include "support/crew.h"

#define SIZE 64

static void every_alignment_and_length_is_stored_exactly(void **state)
{
	_Alignas(8) char storage[SIZE], expected[SIZE], bytes[SIZE];

	(void)state;
	memset(bytes, 'x', SIZE);
	for (size_t at = 0; at < 16; at++)
		for (size_t len = 0; len < 32; len++) {
			memset(storage, '.', SIZE);
			memset(expected, '.', SIZE);
			space_bytes_store(storage + at, bytes, len);
			memset(expected + at, 'x', len);
			assert_memory_equal(storage, expected, SIZE);
			space_bytes_load(storage + at, expected, len);
			assert_memory_equal(expected, bytes, len);
			memset(expected, '.', SIZE);
			space_bytes_zero(storage + at, len);
			memset(expected + at, 0, len);
			assert_memory_equal(storage, expected, SIZE);
		}
}

static void copies_are_equal(void **state)
{
	_Alignas(8) char from[1000], to[1000];

	(void)state;
	for (size_t i = 0; i < sizeof(from); i++)
		from[i] = (char)i;
	memset(to, 0, sizeof(to));
	space_bytes_copy(to, from, sizeof(from));
	assert_memory_equal(to, from, sizeof(from));
}

static void store_own_byte(struct crew_member *me)
{
	char *storage = me->shared;
	char byte;

	for (unsigned int i = 0; i < 5000; i++) {
		byte = (char)i;
		space_bytes_store(storage + me->number, &byte, 1);
		byte = 0;
		space_bytes_load(storage + me->number, &byte, 1);
		crew_check(me, byte == (char)i);
	}
}

static void neighbours_in_a_word_do_not_lose_bytes(void **state)
{
	_Alignas(8) char storage[8] = {0};
	struct crew crew;

	(void)state;
	crew_start(&crew, 4, store_own_byte, storage);
	crew_assert_content(&crew);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_alignment_and_length_is_stored_exactly),
		cmocka_unit_test(copies_are_equal),
		cmocka_unit_test(neighbours_in_a_word_do_not_lose_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

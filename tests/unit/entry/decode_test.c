/* SPDX-License-Identifier: BSD-3-Clause */
/* The decoder prints any raw word, ours or a kernel's, into any buffer. */
#include <signal.h>
#include <string.h>

#include "daxlock/entry.h"
#include "entry/word.h"
#include "support/cmocka.h"
#include "support/death.h"

/* Shortened in the tables. */
#define OURS   DAX_WORD_DAXLOCK
#define LINUX  DAX_WORD_XARRAY
#define RADIX  DAX_WORD_RADIX_PFN
#define SECTOR DAX_WORD_RADIX_SECTOR

#define EVERY_BIT                                                              \
	"LOCKED|WAITERS|PUD|PMD|ZERO_PAGE|EMPTY|ZAP|DIRTY|TOWRITE "            \
	"pfn 0xfffffffffffff"

struct decoding {
	uint64_t word;
	enum dax_word_format format;
	const char *text;
};

static void assert_decodes(const struct decoding *decoding)
{
	char buffer[80];

	assert_int_equal(dax_entry_decode(decoding->word, decoding->format,
				 buffer, sizeof(buffer)),
		strlen(decoding->text));
	assert_string_equal(buffer, decoding->text);
}

static void words_of_this_library(void **state)
{
	static const struct decoding table[] = {
		{0x1, OURS, "PTE pfn 0x0"},
		{0x8e00001, OURS, "PTE pfn 0x8e00"},
		{0x8e00003, OURS, "LOCKED pfn 0x8e00"},
		{0x8e00007, OURS, "LOCKED|WAITERS pfn 0x8e00"},
		{0x9, OURS, "PMD pfn 0x0"},
		{0x11, OURS, "PUD pfn 0x0"},
		{0x29, OURS, "PMD|ZERO_PAGE pfn 0x0"},
		{0x4b, OURS, "LOCKED|PMD|EMPTY pfn 0x0"},
		{0x5081, OURS, "ZAP pfn 0x5"},
		{0x5101, OURS, "DIRTY pfn 0x5"},
		{0x5201, OURS, "TOWRITE pfn 0x5"},
		{0x5401, OURS, "PTE pfn 0x5"},
		{0xfffffffffffffbff, OURS, EVERY_BIT},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		assert_decodes(&table[i]);
}

static void words_of_a_kernel(void **state)
{
	static const struct decoding table[] = {
		{0x11c00d, LINUX, "PMD|ZERO_PAGE pfn 0x8e00"},
		{0x11c00f, LINUX, "LOCKED|PMD|ZERO_PAGE pfn 0x8e00"},
		{0x11c001, LINUX, "PTE pfn 0x8e00"},
		{0x11, LINUX, "EMPTY pfn 0x0"},
		{0x13, LINUX, "LOCKED|EMPTY pfn 0x0"},
		{0x15, LINUX, "PMD|EMPTY pfn 0x0"},
		{0x9, LINUX, "ZERO_PAGE pfn 0x0"},
		{UINT64_MAX, LINUX,
			"LOCKED|PMD|ZERO_PAGE|EMPTY pfn 0x7ffffffffffffff"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		assert_decodes(&table[i]);
}

static void words_of_a_kernel_before_the_xarray(void **state)
{
	static const struct decoding table[] = {
		{0x238002, RADIX, "PTE pfn 0x8e00"},
		{0x23801a, RADIX, "PMD|ZERO_PAGE pfn 0x8e00"},
		{0x26, RADIX, "LOCKED|EMPTY pfn 0x0"},
		{0x2a, RADIX, "PMD|EMPTY pfn 0x0"},
		{0x23800e, SECTOR, "LOCKED|PMD sector 0x8e00"},
		{0x12, SECTOR, "ZERO_PAGE sector 0x0"},
		{0x7f001231, RADIX, "node 0x7f001231"},
		{0x7f001230, SECTOR, "node 0x7f001230"},
		{0, RADIX, "none"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		assert_decodes(&table[i]);
}

static void what_is_no_value(void **state)
{
	static const struct decoding table[] = {
		{0, OURS, "none"},
		{0, LINUX, "none"},
		{0x7f001234, OURS, "node 0x7f001234"},
		{0x7f001232, LINUX, "node 0x7f001232"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		assert_decodes(&table[i]);
}

static void each_flag_is_named(void **state)
{
	static const struct {
		unsigned int flag;
		const char *name;
	} table[] = {
		{DAX_PTE, "PTE"},
		{DAX_PMD, "PMD"},
		{DAX_PUD, "PUD"},
		{DAX_ZERO_PAGE, "ZERO_PAGE"},
		{DAX_EMPTY, "EMPTY"},
		{DAX_ZAP, "ZAP"},
	};
	char buffer[80];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		dax_entry_decode(dax_make_entry(0, table[i].flag), OURS, buffer,
			sizeof(buffer));
		assert_memory_equal(
			buffer, table[i].name, strlen(table[i].name));
		assert_string_equal(buffer + strlen(table[i].name), " pfn 0x0");
	}
}

static void a_short_buffer_gets_the_beginning_and_the_length(void **state)
{
	const struct decoding whole = {
		0x11c00f, LINUX, "LOCKED|PMD|ZERO_PAGE pfn 0x8e00"};
	const size_t length = strlen(whole.text);

	(void)state;
	for (size_t size = 1; size <= length + 2; size++) {
		const size_t kept = size <= length ? size - 1 : length;
		char buffer[64];

		memset(buffer, '#', sizeof(buffer));
		assert_int_equal(dax_entry_decode(whole.word, whole.format,
					 buffer, size),
			length);
		assert_memory_equal(buffer, whole.text, kept);
		assert_int_equal(buffer[kept], 0);
		/* Nothing behind the size given is touched. */
		for (size_t i = size; i < sizeof(buffer); i++)
			assert_int_equal(buffer[i], '#');
	}
}

static void a_buffer_of_no_bytes_gets_the_length_alone(void **state)
{
	char buffer[] = "#";

	(void)state;
	assert_int_equal(
		dax_entry_decode(0x9, OURS, NULL, 0), strlen("PMD pfn 0x0"));
	assert_int_equal(
		dax_entry_decode(0x9, OURS, buffer, 0), strlen("PMD pfn 0x0"));
	assert_int_equal(buffer[0], '#');
}

static void eighty_bytes_always_suffice(void **state)
{
	static const enum dax_word_format formats[] = {OURS, LINUX};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		assert_true(
			dax_entry_decode(UINT64_MAX, formats[i], NULL, 0) < 80);
		assert_true(dax_entry_decode(
				    UINT64_MAX - 1, formats[i], NULL, 0) < 80);
	}
}

static void decode_in_a_format_unknown(void *with)
{
	(void)with;
	dax_entry_decode(
		1, (enum dax_word_format)(DAX_WORD_RADIX_SECTOR + 1), NULL, 0);
}

static void a_format_unknown_is_refused(void **state)
{
	(void)state;
	assert_aborts_with(decode_in_a_format_unknown, NULL, "precondition");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_of_this_library),
		cmocka_unit_test(words_of_a_kernel),
		cmocka_unit_test(words_of_a_kernel_before_the_xarray),
		cmocka_unit_test(what_is_no_value),
		cmocka_unit_test(each_flag_is_named),
		cmocka_unit_test(
			a_short_buffer_gets_the_beginning_and_the_length),
		cmocka_unit_test(a_buffer_of_no_bytes_gets_the_length_alone),
		cmocka_unit_test(eighty_bytes_always_suffice),
		cmocka_unit_test(a_format_unknown_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

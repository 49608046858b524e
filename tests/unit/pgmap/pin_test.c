/* SPDX-License-Identifier: BSD-3-Clause */
/* Pins with a name: who waits for a page can say for whom. */
#include "device.h"

#include <string.h>

static const char *described(
	struct device *device, uint64_t first, uint64_t last)
{
	static char text[1024];
	const size_t length = dax_pgmap_describe_pins(
		device->pgmap, first, last, text, sizeof(text));

	assert_int_equal(length, strlen(text));
	return text;
}

static void a_free_page_gets_no_named_pin(void **state)
{
	struct device *device = *state;
	struct dax_pin pin;

	assert_false(
		dax_pin_get(device->pgmap, &pin, PTE, DAX_PIN_SHORT, "nobody"));
	assert_string_equal(described(device, 0, UINT64_MAX), "");
}

static void a_named_pin_holds_its_page(void **state)
{
	struct device *device = *state;
	struct dax_pin pin;

	map(device, PTE, DAX_PTE_ORDER);
	assert_true(
		dax_pin_get(device->pgmap, &pin, PTE, DAX_PIN_SHORT, "reader"));
	assert_int_equal(dax_page_count(device->pgmap, PTE), 2);
	dax_page_put(device->pgmap, PTE);
	assert_false(dax_page_is_idle(device->pgmap, PTE));
	dax_pin_put(device->pgmap, &pin);
	assert_true(dax_page_is_idle(device->pgmap, PTE));
	assert_int_equal(
		dax_page_dissociate(device->pgmap, PTE, &device->a), 0);
}

static void pins_are_described_the_oldest_first(void **state)
{
	struct device *device = *state;
	struct dax_pin pins[3];
	const char *text, *first, *second;

	map(device, PMD, DAX_PMD_ORDER);
	assert_true(dax_pin_get(
		device->pgmap, &pins[0], PMD + 2, DAX_PIN_SHORT, "reader"));
	assert_true(dax_pin_get(
		device->pgmap, &pins[1], PMD, DAX_PIN_LONGTERM, "the card"));
	assert_true(dax_pin_get(
		device->pgmap, &pins[2], PMD + 3, DAX_PIN_SHORT, "writer"));
	text = described(device, PMD, PMD + 2);
	first = strstr(text, ": short pin of \"reader\", ");
	second = strstr(text, ": long-term pin of \"the card\", ");
	assert_non_null(first);
	assert_non_null(second);
	assert_true(first < second);
	assert_null(strstr(text, "writer"));
	dax_pin_put(device->pgmap, &pins[1]);
	assert_null(strstr(described(device, 0, UINT64_MAX), "the card"));
	assert_non_null(strstr(described(device, 0, UINT64_MAX), "writer"));
	dax_pin_put(device->pgmap, &pins[0]);
	dax_pin_put(device->pgmap, &pins[2]);
	assert_string_equal(described(device, 0, UINT64_MAX), "");
	unmap(device, PMD);
}

static void a_description_is_cut_at_the_end_of_its_buffer(void **state)
{
	struct device *device = *state;
	struct dax_pin pins[2];
	size_t full;
	char text[64];

	map(device, PTE, DAX_PTE_ORDER);
	for (unsigned int i = 0; i < 2; i++)
		assert_true(dax_pin_get(device->pgmap, &pins[i], PTE,
			DAX_PIN_SHORT, "somebody"));
	full = strlen(described(device, PTE, PTE));
	for (size_t size = 0; size < sizeof(text); size++) {
		memset(text, '#', sizeof(text));
		assert_int_equal(dax_pgmap_describe_pins(
					 device->pgmap, PTE, PTE, text, size),
			full);
		assert_int_equal(text[size], '#');
		if (size)
			assert_int_equal(strlen(text), size - 1);
	}
	for (unsigned int i = 0; i < 2; i++)
		dax_pin_put(device->pgmap, &pins[i]);
	unmap(device, PTE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		DEVICE_TEST(a_free_page_gets_no_named_pin),
		DEVICE_TEST(a_named_pin_holds_its_page),
		DEVICE_TEST(pins_are_described_the_oldest_first),
		DEVICE_TEST(a_description_is_cut_at_the_end_of_its_buffer),
	};

	return cmocka_run_group_tests_name("pin", tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A file that somebody shortens under a device: errors instead of signals
 * where a call can know, SIGBUS where a store cannot, and what is left of the
 * file stays as it was.
 */
#include "ground.h"

struct fixture {
	int fd;
	struct dax_device *dev;
	struct dax_pmem_map *map;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->fd = ground_memfd(4 * MIB);
	assert_int_equal(dax_device_open_fd(f->fd, 0, &f->dev), 0);
	f->map = ground_map(f->dev, DAX_MAP_PTE);
	strcpy(dax_pmem_map_address(f->map), "first page");
	assert_int_equal(ftruncate(f->fd, MIB), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	dax_pmem_map_delete(&f->map);
	dax_device_delete(&f->dev);
	close(f->fd);
	free(f);
	return 0;
}

static void revalidate_says_it_is_stale(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(dax_device_revalidate(f->dev), -ESTALE);
	assert_true(dax_pmem_errormsg()[0] != '\0');
}

static void revalidate_is_content_when_the_size_is_back(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ftruncate(f->fd, 5 * MIB), 0);
	assert_int_equal(dax_device_revalidate(f->dev), 0);
}

static void a_shrink_by_less_than_a_page_is_stale_too(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ftruncate(f->fd, 4 * MIB - 1), 0);
	assert_int_equal(dax_device_revalidate(f->dev), -ESTALE);
}

static void populate_fails_without_a_signal(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(dax_pmem_map_populate(f->map), -EFAULT);
	assert_true(dax_pmem_errormsg()[0] != '\0');
}

static void a_stale_device_is_not_mapped_again(void **state)
{
	struct fixture *f = *state;
	struct dax_pmem_map *map;

	assert_int_equal(
		dax_pmem_map_new(f->dev, 0, 4 * MIB, DAX_MAP_PMD, &map),
		-ESTALE);
	assert_null(map);
}

static void what_is_left_of_the_file_is_untouched(void **state)
{
	struct fixture *f = *state;
	char text[11];

	assert_int_equal(dax_pmem_map_populate(f->map), -EFAULT);
	assert_int_equal(
		dax_pmem_persist(f->map, dax_pmem_map_address(f->map), 11), 0);
	assert_int_equal(pread(f->fd, text, 11, 0), 11);
	assert_string_equal(text, "first page");
}

static int store_past_the_end(void *map)
{
	char *bytes = dax_pmem_map_address(map);

	/* Sanitizers would report the signal instead of dying of it. */
	signal(SIGBUS, SIG_DFL);
	*(volatile char *)(bytes + 2 * MIB) = 1;
	return 0;
}

static void a_store_past_the_end_raises_sigbus(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(
		ground_in_child(store_past_the_end, f->map), -SIGBUS);
}

static void memory_devices_cannot_be_shortened(void **state)
{
	struct dax_device *dev;
	char path[64];
	int fd, next;

	(void)state;
	/* The descriptor the device gets is the next free one. */
	next = open("/dev/null", O_RDONLY | O_CLOEXEC);
	close(next);
	assert_int_equal(dax_device_open_memory(MIB, 0, &dev), 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", next);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd >= 0) {
		assert_int_equal(ftruncate(fd, 4096), -1);
		assert_int_equal(errno, EPERM);
		close(fd);
	}
	dax_device_delete(&dev);
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		test(revalidate_says_it_is_stale),
		test(revalidate_is_content_when_the_size_is_back),
		test(a_shrink_by_less_than_a_page_is_stale_too),
		test(populate_fails_without_a_signal),
		test(a_stale_device_is_not_mapped_again),
		test(what_is_left_of_the_file_is_untouched),
		test(a_store_past_the_end_raises_sigbus),
		cmocka_unit_test(memory_devices_cannot_be_shortened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

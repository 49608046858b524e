/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every failure of libpmem2 is an errno, with libpmem2's own words; the words
 * are those of the last failure in the same thread.
 */
#include "ground.h"

#include <dlfcn.h>
#include <limits.h>
#include <libpmem2.h>
#include <pthread.h>

/* What pmem2_map_new() returns instead of mapping; 0: libpmem2's own. */
static int map_error;

int pmem2_map_new(struct pmem2_map **map, const struct pmem2_config *config,
	const struct pmem2_source *source)
{
	int (*real)(struct pmem2_map **, const struct pmem2_config *,
		const struct pmem2_source *);

	if (map_error) {
		*map = NULL;
		return map_error;
	}
	*(void **)&real = dlsym(RTLD_NEXT, "pmem2_map_new");
	return real(map, config, source);
}

static int setup(void **state)
{
	struct dax_device *dev;

	assert_true(ground_device(GROUND_MEMORY, MIB, &dev));
	*state = dev;
	return 0;
}

static int teardown(void **state)
{
	struct dax_device *dev = *state;

	map_error = 0;
	dax_device_delete(&dev);
	return 0;
}

static int map_with_error(struct dax_device *dev, int error)
{
	struct dax_pmem_map *map = (void *)1;
	int ret;

	map_error = error;
	ret = dax_pmem_map_new(dev, 0, MIB, DAX_MAP_PTE, &map);
	map_error = 0;
	assert_null(map);
	return ret;
}

static void codes_become_the_errno_that_fits(void **state)
{
	static const struct {
		int code, err;
	} rows[] = {
		{.code = -ENOMEM, .err = ENOMEM},
		{.code = -EAGAIN, .err = EAGAIN},
		{.code = -4095, .err = 4095},
		{.code = PMEM2_E_UNKNOWN, .err = EIO},
		{.code = PMEM2_E_NOSUPP, .err = EOPNOTSUPP},
		{.code = PMEM2_E_INVALID_FILE_HANDLE, .err = EBADF},
		{.code = PMEM2_E_INVALID_FILE_TYPE, .err = ENODEV},
		{.code = PMEM2_E_MAP_RANGE, .err = ERANGE},
		{.code = PMEM2_E_GRANULARITY_NOT_SUPPORTED,
			.err = EOPNOTSUPP},
		{.code = PMEM2_E_LENGTH_UNALIGNED, .err = EINVAL},
		{.code = PMEM2_E_SOURCE_EMPTY, .err = ENODATA},
		{.code = PMEM2_E_NO_ACCESS, .err = EACCES},
		{.code = PMEM2_E_MAP_EXISTS, .err = EEXIST},
		{.code = PMEM2_E_IO_FAIL, .err = EIO},
		/* Nothing that is known: still an errno. */
		{.code = -4096, .err = EIO},
		{.code = -99999, .err = EIO},
		{.code = -100002, .err = EIO},
		{.code = -100038, .err = EIO},
		{.code = INT_MIN, .err = EIO},
		{.code = 5, .err = EIO},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(
			map_with_error(*state, rows[i].code), -rows[i].err);
}

static void every_code_is_an_errno(void **state)
{
	for (int code = PMEM2_E_UNKNOWN; code >= PMEM2_E_IO_FAIL; code--) {
		const int ret = map_with_error(*state, code);

		assert_in_range(-ret, 1, 4095);
	}
}

static void the_words_are_libpmem2s(void **state)
{
	struct pmem2_source *source;

	/* Has libpmem2 say something, of its own. */
	assert_int_equal(pmem2_source_from_fd(&source, -1),
		PMEM2_E_INVALID_FILE_HANDLE);
	assert_int_equal(map_with_error(*state, PMEM2_E_INVALID_FILE_HANDLE),
		-EBADF);
	assert_string_equal(dax_pmem_errormsg(), pmem2_errormsg());
	assert_true(dax_pmem_errormsg()[0] != '\0');
}

static void the_words_are_of_the_last_failure(void **state)
{
	struct dax_pmem_map *map;
	const char *first;

	assert_int_equal(dax_pmem_map_new(*state, 1, MIB, DAX_MAP_PTE, &map),
		-EINVAL);
	first = dax_pmem_errormsg();
	assert_int_equal(dax_pmem_map_new(*state, 0, MIB, 0, &map), -EINVAL);
	assert_string_not_equal(first, dax_pmem_errormsg());
}

static void *read_words(void *words)
{
	*(const char **)words = dax_pmem_errormsg();
	return NULL;
}

static void the_words_are_of_the_same_thread(void **state)
{
	struct dax_pmem_map *map;
	const char *words = NULL;
	pthread_t other;

	assert_int_equal(dax_pmem_map_new(*state, 0, MIB, 0, &map), -EINVAL);
	assert_int_equal(pthread_create(&other, NULL, read_words, &words), 0);
	pthread_join(other, NULL);
	assert_string_equal(words, "");
}

static void a_device_can_be_made_after_all_failures(void **state)
{
	struct dax_device *dev;

	(void)state;
	map_error = -ENOMEM;
	assert_int_equal(dax_device_open_memory(MIB, 0, &dev), -ENOMEM);
	assert_null(dev);
	map_error = 0;
	assert_int_equal(dax_device_open_memory(MIB, 0, &dev), 0);
	dax_device_delete(&dev);
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		test(codes_become_the_errno_that_fits),
		test(every_code_is_an_errno),
		test(the_words_are_libpmem2s),
		test(the_words_are_of_the_last_failure),
		test(the_words_are_of_the_same_thread),
		test(a_device_can_be_made_after_all_failures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

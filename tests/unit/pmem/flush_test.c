/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Flush, drain, persist and deep flush work at every store granularity; a
 * range outside of the map is refused; an error of msync() comes back.
 */
#include "ground.h"

#include <sys/syscall.h>

#include "base/check.h"

/* msync() as the kernel does it, unless a test has it fail. */
static int msync_error;

int msync(void *address, size_t len, int flags)
{
	if (msync_error) {
		errno = msync_error;
		return -1;
	}
	return (int)syscall(SYS_msync, address, len, flags);
}

struct fixture {
	struct dax_device *dev;
	struct dax_pmem_map *map;
	char *bytes;
};

static void open_on(struct fixture *f, struct dax_device *dev)
{
	f->dev = dev;
	f->map = ground_map(dev, DAX_MAP_PTE);
	f->bytes = dax_pmem_map_address(f->map);
}

static void close_all(struct fixture *f)
{
	dax_pmem_map_delete(&f->map);
	dax_device_delete(&f->dev);
}

static int setup(void **state)
{
	static struct fixture f;
	struct dax_device *dev;

	assert_true(ground_device(GROUND_MEMORY, 64 * KIB, &dev));
	open_on(&f, dev);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	msync_error = 0;
	close_all(*state);
	return 0;
}

static void persist_everywhere(struct fixture *f)
{
	const size_t size = dax_pmem_map_len(f->map);
	char *end = f->bytes + size;

	memset(f->bytes, 0x5a, size);
	assert_int_equal(dax_pmem_flush(f->map, f->bytes, size), 0);
	dax_pmem_drain(f->map);
	assert_int_equal(dax_pmem_persist(f->map, f->bytes + 1, 1), 0);
	assert_int_equal(dax_pmem_persist(f->map, end - 1, 1), 0);
	assert_int_equal(dax_pmem_persist(f->map, f->bytes + 4095, 2), 0);
	assert_int_equal(dax_pmem_deep_flush(f->map, f->bytes, size), 0);
	assert_int_equal(
		dax_pmem_memcpy_persist(f->map, end - 4, "end", 4), 0);
	assert_string_equal(end - 4, "end");
}

static void every_ground_persists(void **state)
{
	struct dax_device *dev;
	struct fixture f;

	(void)state;
	for (int ground = 0; ground < GROUNDS; ground++) {
		if (!ground_device(ground, 2 * MIB, &dev))
			continue;
		open_on(&f, dev);
		persist_everywhere(&f);
		close_all(&f);
	}
}

static void every_granularity_persists(void **state)
{
	static const struct {
		const char *name;
		enum dax_granularity granularity;
	} rows[] = {
		{.name = "BYTE", .granularity = DAX_GRANULARITY_BYTE},
		{.name = "CACHE_LINE",
			.granularity = DAX_GRANULARITY_CACHE_LINE},
		{.name = "PAGE", .granularity = DAX_GRANULARITY_PAGE},
	};
	struct dax_device_info info;
	struct dax_device *dev;
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		setenv("PMEM2_FORCE_GRANULARITY", rows[i].name, 1);
		assert_true(ground_device(GROUND_MEMORY, 2 * MIB, &dev));
		dax_device_describe(dev, &info);
		assert_int_equal(info.granularity, rows[i].granularity);
		open_on(&f, dev);
		persist_everywhere(&f);
		close_all(&f);
		unsetenv("PMEM2_FORCE_GRANULARITY");
	}
}

static int read_in_child(void *path)
{
	struct dax_pmem_map *map;
	struct dax_device *dev;
	int same;

	if (dax_device_open(path, DAX_DEVICE_READ_ONLY, &dev) ||
		dax_pmem_map_new(dev, 0, 4 * MIB, DAX_MAP_PMD, &map))
		return 2;
	same = !strcmp((char *)dax_pmem_map_address(map) + 3 * MIB, "durable");
	dax_pmem_map_delete(&map);
	dax_device_delete(&dev);
	return !same;
}

static void another_process_reads_what_was_persisted(void **state)
{
	struct dax_device *dev;
	struct fixture f;
	char path[256];

	(void)state;
	for (int ground = 0; ground < GROUNDS; ground++) {
		if (ground == GROUND_MEMORY || ground == GROUND_HUGETLB ||
			!ground_path(ground, path))
			continue;
		assert_int_equal(dax_device_create(path, 4 * MIB, &dev), 0);
		open_on(&f, dev);
		assert_int_equal(dax_pmem_memcpy_persist(f.map,
					 f.bytes + 3 * MIB, "durable", 8), 0);
		close_all(&f);
		assert_int_equal(ground_in_child(read_in_child, path), 0);
		unlink(path);
	}
}

static void no_bytes_are_nothing_to_do(void **state)
{
	struct fixture *f = *state;
	char *end = f->bytes + 64 * KIB;

	msync_error = EIO;
	assert_int_equal(dax_pmem_flush(f->map, f->bytes, 0), 0);
	assert_int_equal(dax_pmem_persist(f->map, end, 0), 0);
	assert_int_equal(dax_pmem_deep_flush(f->map, f->bytes, 0), 0);
	assert_int_equal(dax_pmem_memcpy_persist(f->map, end, "x", 0), 0);
}

static void a_copy_may_overlap_its_source(void **state)
{
	struct fixture *f = *state;

	strcpy(f->bytes, "0123456789");
	assert_int_equal(
		dax_pmem_memcpy_persist(f->map, f->bytes + 2, f->bytes, 8), 0);
	assert_string_equal(f->bytes, "0101234567");
}

static void an_io_error_comes_back(void **state)
{
	struct fixture *f = *state;

	msync_error = EIO;
	assert_int_equal(dax_pmem_flush(f->map, f->bytes, 1), -EIO);
	assert_int_equal(dax_pmem_persist(f->map, f->bytes, 1), -EIO);
	assert_int_equal(dax_pmem_deep_flush(f->map, f->bytes, 1), -EIO);
	assert_int_equal(
		dax_pmem_memcpy_persist(f->map, f->bytes, "x", 1), -EIO);
	assert_true(dax_pmem_errormsg()[0] != '\0');
}

/* Which range, relative to the map, and which call. */
struct outside {
	struct fixture *f;
	ptrdiff_t from;
	size_t len;
	int call;
};

static int call_outside(void *state)
{
	const struct outside *o = state;
	char *address = o->f->bytes + o->from;

	/* What a failed assertion prints is not part of the test's output. */
	close(STDERR_FILENO);
	switch (o->call) {
	case 0:
		return -dax_pmem_flush(o->f->map, address, o->len);
	case 1:
		return -dax_pmem_persist(o->f->map, address, o->len);
	case 2:
		return -dax_pmem_deep_flush(o->f->map, address, o->len);
	default:
		return -dax_pmem_memcpy_persist(
			o->f->map, address, "x", o->len);
	}
}

static void a_range_outside_is_a_bug_of_the_caller(void **state)
{
	static const struct outside rows[] = {
		{.from = -1, .len = 1},
		{.from = 65536, .len = 1},
		{.from = 65535, .len = 2},
		{.from = 0, .len = 65537},
		{.from = 4096, .len = SIZE_MAX},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (int call = 0; call < 4; call++) {
			struct outside o = rows[i];

			o.f = *state;
			o.call = call;
			assert_int_equal(ground_in_child(call_outside, &o),
				DAX_CHECKED ? -SIGABRT : EINVAL);
		}
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_ground_persists),
		cmocka_unit_test(every_granularity_persists),
		cmocka_unit_test(another_process_reads_what_was_persisted),
		test(no_bytes_are_nothing_to_do),
		test(a_copy_may_overlap_its_source),
		test(an_io_error_comes_back),
		test(a_range_outside_is_a_bug_of_the_caller),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

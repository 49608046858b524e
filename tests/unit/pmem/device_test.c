/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A device opens from a path, a descriptor or memory; says what it is; and
 * what cannot be a device is refused with an errno and words.
 */
#include "ground.h"

static void assert_open_fails(const char *path, unsigned int flags, int err)
{
	struct dax_device *dev = (void *)1;

	assert_int_equal(dax_device_open(path, flags, &dev), err);
	assert_null(dev);
	assert_true(dax_pmem_errormsg()[0] != '\0');
}

/* A file of @size bytes in the disk ground. */
static void make_file(char path[256], off_t size)
{
	int fd;

	assert_true(ground_path(GROUND_DISK, path));
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
	close(fd);
}

static void before_any_failure_there_are_no_words(void **state)
{
	(void)state;
	assert_string_equal(dax_pmem_errormsg(), "");
}

static void a_created_file_keeps_its_bytes_when_opened_again(void **state)
{
	struct dax_device *dev;
	struct dax_pmem_map *map;
	char path[256];

	(void)state;
	assert_true(ground_path(GROUND_DISK, path));
	assert_int_equal(dax_device_create(path, 4 * MIB, &dev), 0);
	map = ground_map(dev, DAX_MAP_PTE);
	assert_int_equal(dax_pmem_memcpy_persist(map,
				 dax_pmem_map_address(map), "kept", 5), 0);
	dax_pmem_map_delete(&map);
	dax_device_delete(&dev);
	assert_null(map);
	assert_null(dev);

	assert_int_equal(dax_device_open(path, 0, &dev), 0);
	map = ground_map(dev, DAX_MAP_PMD);
	assert_string_equal(dax_pmem_map_address(map), "kept");
	dax_pmem_map_delete(&map);
	dax_device_delete(&dev);
	unlink(path);
}

static void create_leaves_an_existing_file_alone(void **state)
{
	struct dax_device *dev;
	struct stat file;
	char path[256];

	(void)state;
	make_file(path, 12345);
	assert_int_equal(dax_device_create(path, 4 * KIB, &dev), -EEXIST);
	assert_null(dev);
	assert_int_equal(stat(path, &file), 0);
	assert_int_equal(file.st_size, 12345);
	unlink(path);
}

static void create_leaves_no_file_when_it_fails(void **state)
{
	static const uint64_t sizes[] = {0, 1, 4097, (uint64_t)INT64_MAX + 1,
		INT64_MAX - 4095};
	struct dax_device *dev;
	char path[256];

	(void)state;
	assert_true(ground_path(GROUND_DISK, path));
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		assert_true(dax_device_create(path, sizes[i], &dev) < 0);
		assert_null(dev);
		assert_int_equal(access(path, F_OK), -1);
	}
}

static void a_device_has_the_whole_pages_of_its_file(void **state)
{
	static const struct {
		off_t file_size;
		uint64_t pages;
	} rows[] = {
		{.file_size = 4096, .pages = 1},
		{.file_size = 4097, .pages = 1},
		{.file_size = 8191, .pages = 1},
		{.file_size = 2 << 20, .pages = 512},
		{.file_size = (3 << 20) + 100, .pages = 768},
	};
	struct dax_device_info info;
	struct dax_device *dev;
	char path[256];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		make_file(path, rows[i].file_size);
		assert_int_equal(dax_device_open(path, 0, &dev), 0);
		dax_device_describe(dev, &info);
		assert_int_equal(info.file_size, rows[i].file_size);
		assert_int_equal(info.nr_pages, rows[i].pages);
		assert_int_equal(info.size, rows[i].pages * 4 * KIB);
		assert_int_equal(info.alignment, 4 * KIB);
		dax_device_delete(&dev);
		unlink(path);
	}
}

static void a_file_without_a_whole_page_is_no_device(void **state)
{
	static const off_t sizes[] = {0, 1, 4095};
	char path[256];

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		make_file(path, sizes[i]);
		assert_open_fails(path, 0, -ENODATA);
		unlink(path);
	}
}

static void what_is_no_file_is_no_device(void **state)
{
	char path[256];

	(void)state;
	assert_open_fails("/nowhere/at/all", 0, -ENOENT);
	assert_open_fails("/tmp", 0, -EISDIR);
	assert_open_fails("/tmp", DAX_DEVICE_READ_ONLY, -EISDIR);
	assert_open_fails("/dev/zero", DAX_DEVICE_READ_ONLY, -ENODEV);

	assert_true(ground_path(GROUND_DISK, path));
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_open_fails(path, DAX_DEVICE_READ_ONLY, -ENODEV);
	unlink(path);
}

static int open_as_nobody(void *path)
{
	struct dax_device *dev;

	if (!geteuid() && setresuid(65534, 65534, 65534))
		return 0;
	return -dax_device_open(path, 0, &dev);
}

static void a_file_of_somebody_else_is_refused(void **state)
{
	char path[256];

	(void)state;
	make_file(path, 4096);
	chmod(path, 0);
	assert_int_equal(ground_in_child(open_as_nobody, path), EACCES);
	unlink(path);
}

static void unknown_flags_are_refused(void **state)
{
	struct dax_device *dev;

	(void)state;
	assert_open_fails("/tmp", DAX_DEVICE_HUGETLB, -EINVAL);
	assert_open_fails("/tmp", 1 << 9, -EINVAL);
	assert_int_equal(dax_device_open_fd(0, 1 << 9, &dev), -EINVAL);
	assert_int_equal(dax_device_open_memory(4 * KIB, DAX_DEVICE_READ_ONLY,
				 &dev), -EINVAL);
}

static void a_read_only_file_needs_the_read_only_flag(void **state)
{
	struct dax_device_info info;
	struct dax_device *dev;
	char path[256];
	int fd;

	(void)state;
	make_file(path, 4096);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(dax_device_open_fd(fd, 0, &dev), -EACCES);
	assert_int_equal(
		dax_device_open_fd(fd, DAX_DEVICE_READ_ONLY, &dev), 0);
	dax_device_describe(dev, &info);
	assert_int_equal(info.access, DAX_ACCESS_READ_ONLY);
	dax_device_delete(&dev);
	close(fd);
	unlink(path);
}

static int store_to(void *address)
{
	*(volatile char *)address = 1;
	return 0;
}

static int store_to_or_die(void *address)
{
	/* Sanitizers would report the signal instead of dying of it. */
	signal(SIGSEGV, SIG_DFL);
	return store_to(address);
}

static void a_read_only_device_is_readable_only(void **state)
{
	struct dax_pmem_map *map;
	struct dax_device *dev;
	const int fd = ground_memfd(2 * MIB);

	(void)state;
	assert_int_equal(
		dax_device_open_fd(fd, DAX_DEVICE_READ_ONLY, &dev), 0);
	map = ground_map(dev, DAX_MAP_PTE);
	assert_int_equal(dax_pmem_map_populate(map), 0);
	assert_int_equal(*(char *)dax_pmem_map_address(map), 0);
	assert_int_equal(dax_pmem_memcpy_persist(map,
				 dax_pmem_map_address(map), "x", 1), -EACCES);
	assert_int_equal(
		dax_pmem_persist(map, dax_pmem_map_address(map), 1), 0);
	assert_int_equal(ground_in_child(store_to_or_die,
				 dax_pmem_map_address(map)), -SIGSEGV);
	dax_pmem_map_delete(&map);
	dax_device_delete(&dev);
	close(fd);
}

static void a_descriptor_that_cannot_be_read_is_refused(void **state)
{
	struct dax_device *dev;
	char path[256];
	int fd;

	(void)state;
	make_file(path, 4096);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(dax_device_open_fd(fd, 0, &dev), -EBADF);
	close(fd);
	assert_int_equal(dax_device_open_fd(fd, 0, &dev), -EBADF);
	fd = open(path, O_PATH | O_CLOEXEC);
	assert_int_equal(
		dax_device_open_fd(fd, DAX_DEVICE_READ_ONLY, &dev), -EBADF);
	close(fd);
	assert_int_equal(dax_device_open_fd(-1, 0, &dev), -EBADF);
	unlink(path);
}

static void a_device_keeps_a_descriptor_of_its_own(void **state)
{
	struct dax_device *dev;
	const int fd = ground_memfd(4 * KIB);
	const int before = fcntl(fd, F_GETFD);

	(void)state;
	assert_true(before >= 0);
	assert_int_equal(dax_device_open_fd(fd, 0, &dev), 0);
	assert_int_equal(close(fd), 0);
	assert_int_equal(dax_device_revalidate(dev), 0);
	dax_device_delete(&dev);
	dax_device_delete(&dev);
}

static void failures_leak_no_descriptor(void **state)
{
	struct dax_device *dev;
	int before, after;

	(void)state;
	before = open("/dev/null", O_RDONLY | O_CLOEXEC);
	close(before);
	assert_open_fails("/dev/zero", DAX_DEVICE_READ_ONLY, -ENODEV);
	assert_open_fails("/dev/null", 0, -ENODEV);
	assert_int_equal(dax_device_open_memory(5000, 0, &dev), -EINVAL);
	after = open("/dev/null", O_RDONLY | O_CLOEXEC);
	close(after);
	assert_int_equal(before, after);
}

static void memory_is_a_device_too(void **state)
{
	struct dax_device_info info;
	struct dax_device *dev;

	(void)state;
	assert_int_equal(dax_device_open_memory(3 * MIB, 0, &dev), 0);
	dax_device_describe(dev, &info);
	assert_int_equal(info.size, 3 * MIB);
	assert_int_equal(info.nr_pages, 768);
	assert_int_equal(info.first_pfn, DAX_PFN_BASE);
	assert_int_equal(info.backing, DAX_BACKING_SHMEM);
	assert_int_equal(info.access, DAX_ACCESS_READ_WRITE);
	assert_int_equal(info.map_sync, DAX_MAP_SYNC_NO);
	assert_int_equal(info.granularity, DAX_GRANULARITY_PAGE);
	dax_device_delete(&dev);

	assert_int_equal(dax_device_open_memory(0, 0, &dev), -EINVAL);
	assert_int_equal(dax_device_open_memory(4097, 0, &dev), -EINVAL);
	assert_int_equal(
		dax_device_open_memory(4 * KIB, DAX_DEVICE_HUGETLB, &dev),
		-EINVAL);
}

static void huge_pages_come_from_a_pool_or_not_at_all(void **state)
{
	struct dax_device_info info;
	struct dax_device *dev;
	const int ret =
		dax_device_open_memory(4 * MIB, DAX_DEVICE_HUGETLB, &dev);

	(void)state;
	if (ret) {
		assert_null(dev);
		assert_true(dax_pmem_errormsg()[0] != '\0');
		skip();
	}
	dax_device_describe(dev, &info);
	assert_int_equal(info.backing, DAX_BACKING_HUGETLB);
	assert_int_equal(info.alignment, 2 * MIB);
	dax_device_delete(&dev);
}

static void a_dax_file_system_is_known_as_one(void **state)
{
	struct dax_device_info info;
	struct dax_device *dev;

	(void)state;
	if (!ground_device(GROUND_DAX, 4 * MIB, &dev))
		skip();
	dax_device_describe(dev, &info);
	assert_int_equal(info.backing, DAX_BACKING_FSDAX);
	assert_int_equal(info.map_sync, DAX_MAP_SYNC_YES);
	assert_true(info.granularity < DAX_GRANULARITY_PAGE);
	dax_device_delete(&dev);
}

static void every_kind_has_a_name(void **state)
{
	(void)state;
	for (int i = DAX_GRANULARITY_BYTE; i <= DAX_GRANULARITY_PAGE; i++)
		assert_string_not_equal(dax_granularity_name(i), "?");
	for (int i = DAX_BACKING_UNKNOWN; i <= DAX_BACKING_DEVDAX; i++)
		assert_string_not_equal(dax_backing_name(i), "?");
	for (int i = DAX_EVIDENCE_NONE; i <= DAX_EVIDENCE_FAULTS; i++)
		assert_string_not_equal(dax_evidence_name(i), "?");
	assert_string_equal(dax_granularity_name(99), "?");
	assert_string_equal(dax_backing_name(99), "?");
	assert_string_equal(dax_evidence_name(99), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(before_any_failure_there_are_no_words),
		cmocka_unit_test(
			a_created_file_keeps_its_bytes_when_opened_again),
		cmocka_unit_test(create_leaves_an_existing_file_alone),
		cmocka_unit_test(create_leaves_no_file_when_it_fails),
		cmocka_unit_test(a_device_has_the_whole_pages_of_its_file),
		cmocka_unit_test(a_file_without_a_whole_page_is_no_device),
		cmocka_unit_test(what_is_no_file_is_no_device),
		cmocka_unit_test(a_file_of_somebody_else_is_refused),
		cmocka_unit_test(unknown_flags_are_refused),
		cmocka_unit_test(a_read_only_file_needs_the_read_only_flag),
		cmocka_unit_test(a_read_only_device_is_readable_only),
		cmocka_unit_test(a_descriptor_that_cannot_be_read_is_refused),
		cmocka_unit_test(a_device_keeps_a_descriptor_of_its_own),
		cmocka_unit_test(failures_leak_no_descriptor),
		cmocka_unit_test(memory_is_a_device_too),
		cmocka_unit_test(huge_pages_come_from_a_pool_or_not_at_all),
		cmocka_unit_test(a_dax_file_system_is_known_as_one),
		cmocka_unit_test(every_kind_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

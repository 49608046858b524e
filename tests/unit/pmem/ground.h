/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The grounds a test stands on: each kind of storage this machine has. A test
 * of all grounds is a loop over them; one that the machine lacks is passed
 * over, and counted by nobody.
 */
#ifndef GROUND_H
#define GROUND_H

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "daxlock/pmem.h"

#define KIB ((uint64_t)1024)
#define MIB (KIB * 1024)

enum ground {
	GROUND_DISK,	/* TMPDIR, or /tmp: as a rule a page cache */
	GROUND_TMPFS,	/* /dev/shm */
	GROUND_MEMORY,
	GROUND_HUGETLB,
	GROUND_DAX,	/* the directory DAXLOCK_TEST_DAX_DIR, if it is set */
	GROUNDS,
};

static inline const char *ground_folder(enum ground ground)
{
	const char *folder = getenv("TMPDIR");

	switch (ground) {
	case GROUND_DISK:
		return folder ? folder : "/tmp";
	case GROUND_TMPFS:
		return "/dev/shm";
	default:
		return getenv("DAXLOCK_TEST_DAX_DIR");
	}
}

/* A path in @ground where there is no file; false: no such ground here. */
static inline bool ground_path(enum ground ground, char path[256])
{
	const char *folder = ground_folder(ground);
	int fd;

	if (!folder || access(folder, W_OK))
		return false;
	snprintf(path, 256, "%s/daxlock-test-XXXXXX", folder);
	fd = mkstemp(path);
	if (fd < 0)
		return false;
	close(fd);
	unlink(path);
	return true;
}

/* A new device of @size zero bytes without a name; false: no such ground. */
static inline bool ground_device(
	enum ground ground, uint64_t size, struct dax_device **dev)
{
	char path[256];
	int ret;

	if (ground == GROUND_MEMORY) {
		assert_int_equal(dax_device_open_memory(size, 0, dev), 0);
		return true;
	}
	if (ground == GROUND_HUGETLB) {
		ret = dax_device_open_memory(size, DAX_DEVICE_HUGETLB, dev);
		return ret == 0;
	}
	if (!ground_path(ground, path))
		return false;
	ret = dax_device_create(path, size, dev);
	unlink(path);
	assert_int_equal(ret, 0);
	return true;
}

/* A memory file of @size bytes, of which nothing is sealed. */
static inline int ground_memfd(uint64_t size)
{
	const int fd = memfd_create("daxlock-test", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	return fd;
}

static inline struct dax_pmem_map *ground_map(
	struct dax_device *dev, unsigned int flags)
{
	struct dax_device_info info;
	struct dax_pmem_map *map;

	dax_device_describe(dev, &info);
	assert_int_equal(dax_pmem_map_new(dev, 0, info.size, flags, &map), 0);
	return map;
}

/* How @run ends in a child: its exit status, or minus the signal that ended
 * it. No cmocka asserts in @run. */
static inline int ground_in_child(int (*run)(void *state), void *state)
{
	int status;
	const pid_t child = fork();

	assert_true(child >= 0);
	if (!child)
		_exit(run(state));
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/* A report accounts for every byte, and owns up to knowing nothing. */
static inline void ground_assert_report_adds_up(
	const struct dax_map_report *report)
{
	assert_int_equal(report->pmd_bytes + report->pte_bytes +
			report->absent_bytes + report->unknown_bytes,
		report->len);
	assert_true(report->evidence != DAX_EVIDENCE_NONE ||
		report->unknown_bytes == report->len);
}

#endif

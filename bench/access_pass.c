/* SPDX-License-Identifier: BSD-3-Clause */
#include "access_pass.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "fault_around.h"

/* Faults that are not the file's: this much is nothing. */
#define STRAY_FAULTS 64

/* ---- the file ---- */

static void shuffle(struct lane *lane, uint32_t *order, uint64_t nr)
{
	for (uint64_t i = 0; i < nr; i++)
		order[i] = (uint32_t)i;
	for (uint64_t i = nr - 1; i > 0; i--) {
		const uint64_t other = lane_random(lane, 32) % (i + 1);
		const uint32_t page = order[i];

		order[i] = order[other];
		order[other] = page;
	}
}

/* In memory, or without a name in @dir. */
static int make_file(const char *dir, uint64_t len)
{
	const int fd = dir ? open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600)
			   : memfd_create("daxlock-bench", MFD_CLOEXEC);
	int error;

	if (fd < 0)
		return -errno;
	/* A memory file gets its memory by being populated, in huge pages. */
	error = dir ? -posix_fallocate(fd, 0, (off_t)len)
		: ftruncate(fd, (off_t)len) ? -errno
					    : 0;
	if (!error)
		return fd;
	close(fd);
	return error;
}

/* Storage for each page, in huge pages where the kernel has them. */
static int fill(struct access_file *file)
{
	struct dax_pmem_map *map;
	int error = dax_device_open_fd(file->fd, 0, &file->device);

	if (!error)
		error = dax_pmem_map_new(
			file->device, 0, file->len, DAX_MAP_PMD, &map);
	if (error)
		return error;
	error = dax_pmem_map_populate(map);
	dax_pmem_map_delete(&map);
	return error;
}

int access_file_open(struct access_file *file, struct lane *lane,
	const char *dir, uint64_t len)
{
	const uint64_t nr = len >> DAX_PAGE_SHIFT;
	int error = -ENOMEM;

	*file = (struct access_file){.len = len};
	file->fd = make_file(dir, len);
	if (file->fd < 0)
		return file->fd;
	file->order = malloc(nr * sizeof(*file->order));
	file->buffer = calloc(1, DAX_PAGE_SIZE);
	if (file->order && file->buffer) {
		shuffle(lane, file->order, nr);
		error = fill(file);
	}
	if (error)
		access_file_close(file);
	return error;
}

void access_file_close(struct access_file *file)
{
	dax_device_delete(&file->device);
	close(file->fd);
	free(file->buffer);
	free(file->order);
}

/* ---- touching ---- */

static void touch(const struct access_file *file, char *page, bool store)
{
	if (store)
		memcpy(page, file->buffer, DAX_PAGE_SIZE);
	else
		memcpy(file->buffer, page, DAX_PAGE_SIZE);
}

static void call(const struct access_file *file, uint64_t pos, bool store)
{
	const ssize_t done = store ? pwrite(file->fd, file->buffer,
					     DAX_PAGE_SIZE, (off_t)pos)
				   : pread(file->fd, file->buffer,
					     DAX_PAGE_SIZE, (off_t)pos);

	if (done != (ssize_t)DAX_PAGE_SIZE)
		abort();
}

/* @base: NULL: by system calls. */
static void touch_all(
	const struct access_file *file, char *base, enum access_touch how)
{
	const uint64_t nr = file->len >> DAX_PAGE_SHIFT;

	for (uint64_t i = 0; i < nr; i++) {
		const uint64_t pos = (uint64_t)file->order[i] << DAX_PAGE_SHIFT;
		const bool store = how == TOUCH_STORES || i % 2;

		if (base)
			touch(file, base + pos, store);
		else
			call(file, pos, store);
	}
}

static uint64_t thread_faults(void)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	return (uint64_t)usage.ru_minflt + (uint64_t)usage.ru_majflt;
}

static void time_pass(const struct access_file *file, char *base,
	enum access_touch how, struct access_pass *pass)
{
	const uint64_t faults = thread_faults();
	const uint64_t start = clock_ns();

	touch_all(file, base, how);
	pass->kb_per_s =
		(double)file->len / 1024 * 1e9 / (double)(clock_ns() - start);
	pass->faults = thread_faults() - faults;
}

/* ---- is it what it is said to be? ---- */

static void check_map(const struct access_way *way, struct access_pass *pass)
{
	const struct dax_map_report *report = &pass->report;
	const bool pmd = way->map == DAX_MAP_PMD;

	if ((pmd ? report->pmd_bytes : report->pte_bytes) != report->len)
		snprintf(pass->wrong, sizeof(pass->wrong),
			"the kernel maps %d of %d MiB at 2M, %d at 4K (%s)",
			(int)(report->pmd_bytes >> 20),
			(int)(report->len >> 20),
			(int)(report->pte_bytes >> 20),
			dax_evidence_name(report->evidence));
}

static void check_faults(const struct access_way *way, struct access_pass *pass)
{
	const uint64_t leaves = pass->report.len >> DAX_PAGE_SHIFT >>
				(way->map == DAX_MAP_PMD ? DAX_PMD_ORDER : 0);
	const uint64_t least = way->faults == FAULTS_EACH_LEAF ? leaves : 0;

	if (way->faults == FAULTS_ANY || *pass->wrong)
		return;
	if (pass->faults < least ||
		pass->faults > least + least / 16 + STRAY_FAULTS)
		snprintf(pass->wrong, sizeof(pass->wrong),
			"%llu faults instead of %llu",
			(unsigned long long)pass->faults,
			(unsigned long long)least);
}

static int prepare(struct dax_pmem_map *map, const struct access_way *way,
	enum dax_backing backing, int *stopped)
{
	*stopped = -1;
	if (way->populate)
		return dax_pmem_map_populate(map);
	if (!way->no_fault_around || backing == DAX_BACKING_FSDAX)
		return 0;
	*stopped = fault_around_stop(
		dax_pmem_map_address(map), dax_pmem_map_len(map));
	return *stopped < 0 ? *stopped : 0;
}

static int pass_through(const struct access_file *file,
	const struct access_way *way, struct access_pass *pass)
{
	struct dax_device_info info;
	struct dax_pmem_map *map;
	int stopped;
	int error =
		dax_pmem_map_new(file->device, 0, file->len, way->map, &map);

	if (error)
		return error;
	dax_device_describe(file->device, &info);
	error = prepare(map, way, info.backing, &stopped);
	if (!error) {
		time_pass(file, dax_pmem_map_address(map), way->touch, pass);
		dax_pmem_map_verify(map, &pass->report);
		check_map(way, pass);
		check_faults(way, pass);
	}
	dax_pmem_map_delete(&map);
	if (stopped >= 0)
		close(stopped);
	return error;
}

void access_pass_run(const struct access_file *file,
	const struct access_way *way, struct access_pass *pass)
{
	int error = 0;

	*pass = (struct access_pass){0};
	if (way->map)
		error = pass_through(file, way, pass);
	else
		time_pass(file, NULL, way->touch, pass);
	if (error)
		snprintf(pass->wrong, sizeof(pass->wrong), "%s: %s",
			way->no_fault_around ? "one page a fault" : "mapping",
			strerror(-error));
}

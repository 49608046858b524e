/* SPDX-License-Identifier: BSD-3-Clause */
/* daxlock-demo [--seconds N] [--threads N] [FILE] */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "demo.h"

#define FILE_SIZE (UINT64_C(256) << 20)

static const char usage[] =
	"usage: daxlock-demo [--seconds N] [--threads N] [FILE]\n"
	"\n"
	"Maps a file at 4 KiB and at 2 MiB and has threads update records in\n"
	"it under DAX entry locks; has a fresh process verify every record;\n"
	"shows the downgrade of 2016 on three threads; and compares access\n"
	"through 4 KiB and 2 MiB page table entries.\n"
	"\n"
	"  FILE         does not exist yet, or was made by this program; may be\n"
	"               on a DAX file system. Without it: a file in memory\n"
	"  --seconds N  update records for N seconds (default 5, at most 60)\n"
	"  --threads N  with N threads (default 4, at most 64)\n"
	"\n"
	"Exit status: 0 all is well, 1 something is not, 2 wrong use.\n";

int demo_failed(const char *what, int error)
{
	fprintf(stderr, "daxlock-demo: %s: %s", what, strerror(-error));
	fprintf(stderr, "%s%s\n", *dax_pmem_errormsg() ? ": " : "",
		dax_pmem_errormsg());
	return 1;
}

uint64_t demo_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

uint64_t demo_random(uint64_t *state)
{
	uint64_t x = *state += UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

/* ---- the file ---- */

/* An existing file is only touched if this program made it. */
static int is_ours(int fd)
{
	struct demo_label label;
	const off_t size = lseek(fd, 0, SEEK_END);

	return size == (off_t)FILE_SIZE &&
	       pread(fd, &label, sizeof(label), 0) == sizeof(label) &&
	       label.magic == DEMO_MAGIC;
}

static int open_file(struct demo *demo, const char *path)
{
	int error = dax_device_create(path, FILE_SIZE, &demo->dev);

	if (error && error != -EEXIST)
		return demo_failed(path, error);
	demo->fd = open(path, O_RDWR | O_CLOEXEC);
	if (demo->fd < 0)
		return demo_failed(path, -errno);
	if (!error)
		return 0;
	if (!is_ours(demo->fd)) {
		fprintf(stderr,
			"daxlock-demo: %s: exists and is not a file of this "
			"program: left alone\n",
			path);
		return 2;
	}
	/* Records of an earlier run are not to be counted in this one. */
	if (ftruncate(demo->fd, 0) || ftruncate(demo->fd, FILE_SIZE))
		return demo_failed(path, -errno);
	error = dax_device_open_fd(demo->fd, 0, &demo->dev);
	return error ? demo_failed(path, error) : 0;
}

static int open_memory(struct demo *demo)
{
	int error;

	demo->fd = memfd_create("daxlock-demo", MFD_CLOEXEC);
	if (demo->fd < 0 || ftruncate(demo->fd, FILE_SIZE))
		return demo_failed("memfd_create", -errno);
	error = dax_device_open_fd(demo->fd, 0, &demo->dev);
	return error ? demo_failed("memory file", error) : 0;
}

/* ---- the fresh process ---- */

static int verify_fd(int fd)
{
	struct dax_device *dev;
	int error = dax_device_open_fd(fd, DAX_DEVICE_READ_ONLY, &dev);

	if (error)
		return demo_failed("opening the file again", error);
	error = demo_verify(dev);
	dax_device_delete(&dev);
	return error;
}

/* Runs this program again, from the start, on the same file. */
static int verify_in_fresh_process(const struct demo *demo)
{
	char fd[16];
	int status;
	pid_t child;

	snprintf(fd, sizeof(fd), "%d", demo->fd);
	fflush(stdout);
	child = fork();
	if (child < 0)
		return demo_failed("fork", -errno);
	if (!child) {
		fcntl(demo->fd, F_SETFD, 0);
		execl("/proc/self/exe", "daxlock-demo", "--verify-fd", fd,
			(char *)NULL);
		_exit(1);
	}
	if (waitpid(child, &status, 0) < 0)
		return demo_failed("waitpid", -errno);
	return !WIFEXITED(status) || WEXITSTATUS(status);
}

/* ---- the acts ---- */

static int play(const struct demo *demo, const char *path)
{
	int failed;

	printf("1. %s: %llu MiB, %s, store granularity: %s\n",
		path ? path : "a file in memory",
		(unsigned long long)demo->info.size >> 20,
		dax_backing_name(demo->info.backing),
		dax_granularity_name(demo->info.granularity));
	printf("2. %u threads update records under entry locks for %u s\n",
		demo->nr_threads, demo->seconds);
	failed = demo_records(demo);
	if (failed)
		return failed;
	printf("3. a fresh process opens the file and checks every record\n");
	failed = verify_in_fresh_process(demo);
	if (failed)
		return failed;
	printf("4. the downgrade of 2016: T1 splits a PMD entry on which T2 "
	       "and T3 sleep\n");
	failed = demo_downgrade();
	if (failed)
		return failed;
	printf("5. random 4 KiB reads and writes through fresh maps of the "
	       "same file\n");
	return demo_side_by_side(demo);
}

static unsigned int number(const char *text, unsigned int most)
{
	char *end;
	const unsigned long value = strtoul(text, &end, 10);

	if (*end || end == text || !value || value > most) {
		fprintf(stderr, "daxlock-demo: %s: not a number from 1 to %u\n",
			text, most);
		exit(2);
	}
	return (unsigned int)value;
}

int main(int argc, char **argv)
{
	enum { SECONDS = 256, THREADS, VERIFY, HELP };
	static const struct option options[] = {
		{"seconds", required_argument, NULL, SECONDS},
		{"threads", required_argument, NULL, THREADS},
		{"verify-fd", required_argument, NULL, VERIFY},
		{"help", no_argument, NULL, HELP},
		{0},
	};
	struct demo demo = {.fd = -1, .nr_threads = 4, .seconds = 5};
	const char *path;
	int option, failed;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case SECONDS:
			demo.seconds = number(optarg, 60);
			break;
		case THREADS:
			demo.nr_threads = number(optarg, 64);
			break;
		case VERIFY:
			return verify_fd((int)number(optarg, 1 << 20));
		case HELP:
			fputs(usage, stdout);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	if (argc - optind > 1) {
		fputs(usage, stderr);
		return 2;
	}
	path = argv[optind];
	failed = path ? open_file(&demo, path) : open_memory(&demo);
	if (!failed) {
		dax_device_describe(demo.dev, &demo.info);
		failed = play(&demo, path);
		puts(failed ? "FAILED" : "all is well");
	}
	dax_device_delete(&demo.dev);
	if (demo.fd >= 0)
		close(demo.fd);
	return failed;
}

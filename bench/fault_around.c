/* SPDX-License-Identifier: BSD-3-Clause */
#include "fault_around.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Younger than the kernel headers of some systems. What lets a process without
 * privilege in: the faults of the kernel on its behalf are not handed out. */
#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif

static int register_area(int fd, void *address, size_t len)
{
	struct uffdio_api api = {.api = UFFD_API};
	struct uffdio_register area = {
		.range = {.start = (uintptr_t)address, .len = len},
		.mode = UFFDIO_REGISTER_MODE_WP,
	};

	if (ioctl(fd, UFFDIO_API, &api) || ioctl(fd, UFFDIO_REGISTER, &area))
		return -errno;
	return 0;
}

int fault_around_stop(void *address, size_t len)
{
	const int fd =
		(int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
	int error;

	if (fd < 0)
		return -errno;
	error = register_area(fd, address, len);
	if (!error)
		return fd;
	close(fd);
	return error;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Files as the kernel shows them: making them, and telling the kinds apart.
 */
#include "pmem/device.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "pmem/errormsg.h"

/* Younger than the C library's headers on some systems. */
#ifndef STATX_ATTR_DAX
#define STATX_ATTR_DAX 0x00200000
#endif
#ifndef MFD_HUGE_2MB
#define MFD_HUGE_2MB (21U << 26)
#endif
#ifndef MAP_SYNC
#define MAP_SYNC 0x80000
#endif
#ifndef MAP_SHARED_VALIDATE
#define MAP_SHARED_VALIDATE 0x03
#endif

enum dax_backing pmem_file_backing(int fd)
{
	struct statx file;
	struct statfs fs;

	if (statx(fd, "", AT_EMPTY_PATH, STATX_TYPE, &file))
		return DAX_BACKING_UNKNOWN;
	if (S_ISCHR(file.stx_mode))
		return DAX_BACKING_DEVDAX;
	if (file.stx_attributes & STATX_ATTR_DAX)
		return DAX_BACKING_FSDAX;
	if (fstatfs(fd, &fs))
		return DAX_BACKING_UNKNOWN;
	if (fs.f_type == HUGETLBFS_MAGIC)
		return DAX_BACKING_HUGETLB;
	if (fs.f_type == TMPFS_MAGIC)
		return DAX_BACKING_SHMEM;
	return file.stx_attributes_mask & STATX_ATTR_DAX
		? DAX_BACKING_PAGE_CACHE
		: DAX_BACKING_UNKNOWN;
}

/* libpmem2 knows the alignment of device DAX, but takes hugetlb for a file of
 * small pages. A file system on hugetlb has its page size as block size. */
uint64_t pmem_file_alignment(int fd, enum dax_backing backing)
{
	struct statfs fs;

	if (backing != DAX_BACKING_HUGETLB || fstatfs(fd, &fs))
		return PMEM_PTE_SIZE;
	return (uint64_t)fs.f_bsize;
}

enum dax_map_sync pmem_file_map_sync(
	int fd, const struct dax_device_info *info)
{
	const int protection = info->access == DAX_ACCESS_READ_ONLY
		? PROT_READ
		: PROT_READ | PROT_WRITE;
	void *address = mmap(NULL, info->alignment, protection,
		MAP_SHARED_VALIDATE | MAP_SYNC, fd, 0);

	if (address == MAP_FAILED)
		return DAX_MAP_SYNC_NO;
	munmap(address, info->alignment);
	return DAX_MAP_SYNC_YES;
}

static int allocate(int fd, off_t size)
{
	int ret;

	do {
		ret = fallocate(fd, 0, 0, size) ? -errno : 0;
	} while (ret == -EINTR);
	/* A file system that cannot allocate ahead gives a sparse file. */
	if (ret == -EOPNOTSUPP || ret == -ENOSYS)
		ret = ftruncate(fd, size) ? -errno : 0;
	return ret;
}

int pmem_file_create(const char *path, uint64_t size)
{
	int fd, ret;

	if (!size || size % PMEM_PTE_SIZE || size > INT64_MAX)
		return pmem_fail(-EINVAL,
			"a device is created with a multiple of 4 KiB");
	/* O_EXCL: nobody's file is ever cut or cleared here (G3). */
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return pmem_fail(-errno, "the file cannot be created");
	ret = allocate(fd, (off_t)size);
	if (ret)
		goto err_unlink;
	return fd;

err_unlink:
	close(fd);
	unlink(path);
	return pmem_fail(ret, "the file's storage cannot be allocated");
}

int pmem_file_memory(uint64_t size, unsigned int flags)
{
	const uint64_t page = flags & DAX_DEVICE_HUGETLB ? PMEM_PMD_SIZE
							 : PMEM_PTE_SIZE;
	unsigned int memfd_flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	int fd, ret;

	if (flags & DAX_DEVICE_HUGETLB)
		memfd_flags |= MFD_HUGETLB | MFD_HUGE_2MB;
	if (!size || size % page || size > INT64_MAX)
		return pmem_fail(-EINVAL,
			"a memory device is a multiple of its page size");
	fd = memfd_create("daxlock", memfd_flags);
	if (fd < 0)
		return pmem_fail(-errno, "the kernel gives no memory file");
	if (ftruncate(fd, (off_t)size) ||
		fcntl(fd, F_ADD_SEALS,
			F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)) {
		ret = -errno;
		goto err_close;
	}
	return fd;

err_close:
	close(fd);
	return pmem_fail(ret, "the memory file cannot have this size");
}

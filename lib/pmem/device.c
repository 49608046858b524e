/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A device: a descriptor, libpmem2's source over it, and what was found out
 * about it once, when it was opened.
 */
#include "pmem/device.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "pmem/errormsg.h"
#include "pmem/map.h"

/* Fills size and alignment of @dev, whose backing is known. */
static int measure(struct dax_device *dev)
{
	struct dax_device_info *info = &dev->info;
	size_t file_size, alignment;
	int ret;

	ret = pmem2_source_size(dev->source, &file_size);
	if (!ret)
		ret = pmem2_source_alignment(dev->source, &alignment);
	if (ret)
		return pmem_fail_libpmem2(ret);
	info->file_size = file_size;
	info->alignment = pmem_file_alignment(dev->fd, info->backing);
	if (alignment > info->alignment)
		info->alignment = alignment;
	info->size = file_size - file_size % info->alignment;
	info->nr_pages = info->size / PMEM_PTE_SIZE;
	info->first_pfn = DAX_PFN_BASE;
	if (!info->size)
		return pmem_fail(-ENODATA, "the file has no whole page");
	return 0;
}

/* Only a mapping knows its granularity: make one, of the first page. */
static int probe_granularity(struct dax_device *dev)
{
	struct dax_pmem_map *map;
	int ret;

	ret = dax_pmem_map_new(
		dev, 0, dev->info.alignment, DAX_MAP_PMD, &map);
	if (ret)
		return ret;
	dev->info.granularity = map->granularity;
	dax_pmem_map_delete(&map);
	return 0;
}

static int check_descriptor(int fd, enum dax_access access)
{
	struct stat file;
	const int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || flags & O_PATH || (flags & O_ACCMODE) == O_WRONLY)
		return pmem_fail(-EBADF, "the file is not open for reading");
	if (fstat(fd, &file))
		return pmem_fail(-errno, "the file cannot be examined");
	if (S_ISDIR(file.st_mode))
		return pmem_fail(-EISDIR, "a directory cannot be a device");
	if (access == DAX_ACCESS_READ_WRITE && (flags & O_ACCMODE) != O_RDWR)
		return pmem_fail(-EACCES, "the file is not open for writing");
	if ((uint64_t)sysconf(_SC_PAGESIZE) != PMEM_PTE_SIZE)
		return pmem_fail(-EOPNOTSUPP, "pages here are not 4 KiB");
	return 0;
}

/* Takes over @fd: it is the device's on success, and closed on failure. */
static int device_new(int fd, enum dax_access access, struct dax_device **out)
{
	struct dax_device *dev;
	int ret;

	ret = check_descriptor(fd, access);
	if (ret)
		goto err_close;
	dev = sync_alloc(sizeof(*dev), 0);
	if (!dev) {
		ret = pmem_fail(-ENOMEM, "no memory for the device");
		goto err_close;
	}
	dev->fd = fd;
	ret = pmem2_source_from_fd(&dev->source, fd);
	if (ret) {
		ret = pmem_fail_libpmem2(ret);
		goto err_free;
	}
	dev->info.access = access;
	dev->info.backing = pmem_file_backing(fd);
	ret = measure(dev);
	if (!ret)
		ret = probe_granularity(dev);
	if (ret)
		goto err_source;
	dev->info.map_sync = pmem_file_map_sync(fd, &dev->info);
	*out = dev;
	return 0;

err_source:
	pmem2_source_delete(&dev->source);
err_free:
	sync_free(dev);
err_close:
	close(fd);
	return ret;
}

static enum dax_access access_of(unsigned int flags)
{
	return flags & DAX_DEVICE_READ_ONLY ? DAX_ACCESS_READ_ONLY
					    : DAX_ACCESS_READ_WRITE;
}

static int check_flags(unsigned int flags, unsigned int known)
{
	if (flags & ~known)
		return pmem_fail(-EINVAL, "a flag has no meaning here");
	return 0;
}

int dax_device_open(
	const char *path, unsigned int flags, struct dax_device **out)
{
	int fd, ret;

	DAX_REQUIRE(path && out);
	*out = NULL;
	ret = check_flags(flags, DAX_DEVICE_READ_ONLY);
	if (ret)
		return ret;
	/* O_NONBLOCK: a FIFO without a writer is refused, not waited for. */
	fd = open(path,
		O_CLOEXEC | O_NOCTTY | O_NONBLOCK |
			(flags & DAX_DEVICE_READ_ONLY ? O_RDONLY : O_RDWR));
	if (fd < 0)
		return pmem_fail(-errno, "the file cannot be opened");
	return device_new(fd, access_of(flags), out);
}

int dax_device_create(const char *path, uint64_t size, struct dax_device **out)
{
	int fd, ret;

	DAX_REQUIRE(path && out);
	*out = NULL;
	fd = pmem_file_create(path, size);
	if (fd < 0)
		return fd;
	ret = device_new(fd, DAX_ACCESS_READ_WRITE, out);
	if (ret)
		unlink(path);
	return ret;
}

int dax_device_open_fd(int fd, unsigned int flags, struct dax_device **out)
{
	int own, ret;

	DAX_REQUIRE(out);
	*out = NULL;
	ret = check_flags(flags, DAX_DEVICE_READ_ONLY);
	if (ret)
		return ret;
	own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (own < 0)
		return pmem_fail(-errno, "the descriptor cannot be duplicated");
	return device_new(own, access_of(flags), out);
}

int dax_device_open_memory(
	uint64_t size, unsigned int flags, struct dax_device **out)
{
	int fd, ret;

	DAX_REQUIRE(out);
	*out = NULL;
	ret = check_flags(flags, DAX_DEVICE_HUGETLB);
	if (ret)
		return ret;
	fd = pmem_file_memory(size, flags);
	if (fd < 0)
		return fd;
	return device_new(fd, DAX_ACCESS_READ_WRITE, out);
}

void dax_device_delete(struct dax_device **devp)
{
	struct dax_device *dev = *devp;

	if (!dev)
		return;
	DAX_REQUIRE(!sync_load(&dev->users, memory_order_relaxed));
	*devp = NULL;
	pmem2_source_delete(&dev->source);
	close(dev->fd);
	sync_free(dev);
}

void dax_device_describe(
	const struct dax_device *dev, struct dax_device_info *info)
{
	*info = dev->info;
}

int dax_device_revalidate(const struct dax_device *dev)
{
	struct stat file;

	if (fstat(dev->fd, &file))
		return pmem_fail(-errno, "the file cannot be examined");
	/* A device DAX node has no size of its own, and does not shrink. */
	if (S_ISREG(file.st_mode) &&
		(uint64_t)file.st_size < dev->info.file_size)
		return pmem_fail(-ESTALE, "the file is smaller than it was");
	return 0;
}

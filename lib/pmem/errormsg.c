/* SPDX-License-Identifier: BSD-3-Clause */
#include "pmem/errormsg.h"

#include <errno.h>
#include <libpmem2.h>
#include <stddef.h>

#include "base/check.h"
#include "daxlock/pmem.h"

/*
 * libpmem2 numbers its own errors from -100000 downwards, and passes errnos
 * through as they are. Its header declares a conversion that the library does
 * not export; and that one says EINVAL where the caller is not at fault.
 */
#define FIRST_CODE (-PMEM2_E_UNKNOWN)
#define ROW(code)  [-(code)-FIRST_CODE]

static const int errno_of_code[] = {
	ROW(PMEM2_E_UNKNOWN) = EIO,
	ROW(PMEM2_E_NOSUPP) = EOPNOTSUPP,
	ROW(PMEM2_E_FILE_HANDLE_NOT_SET) = EBADF,
	ROW(PMEM2_E_INVALID_FILE_HANDLE) = EBADF,
	ROW(PMEM2_E_INVALID_FILE_TYPE) = ENODEV,
	ROW(PMEM2_E_MAP_RANGE) = ERANGE,
	ROW(PMEM2_E_MAPPING_EXISTS) = EEXIST,
	ROW(PMEM2_E_GRANULARITY_NOT_SET) = EINVAL,
	ROW(PMEM2_E_GRANULARITY_NOT_SUPPORTED) = EOPNOTSUPP,
	ROW(PMEM2_E_OFFSET_OUT_OF_RANGE) = ERANGE,
	ROW(PMEM2_E_OFFSET_UNALIGNED) = EINVAL,
	/* What sysfs says about the device cannot be read: not EINVAL. */
	ROW(PMEM2_E_INVALID_ALIGNMENT_FORMAT) = EIO,
	ROW(PMEM2_E_INVALID_ALIGNMENT_VALUE) = EIO,
	ROW(PMEM2_E_INVALID_SIZE_FORMAT) = EIO,
	ROW(PMEM2_E_LENGTH_UNALIGNED) = EINVAL,
	ROW(PMEM2_E_MAPPING_NOT_FOUND) = ENOENT,
	ROW(PMEM2_E_BUFFER_TOO_SMALL) = ENOBUFS,
	ROW(PMEM2_E_SOURCE_EMPTY) = ENODATA,
	ROW(PMEM2_E_INVALID_SHARING_VALUE) = EINVAL,
	ROW(PMEM2_E_SRC_DEVDAX_PRIVATE) = EOPNOTSUPP,
	ROW(PMEM2_E_INVALID_ADDRESS_REQUEST_TYPE) = EINVAL,
	ROW(PMEM2_E_ADDRESS_UNALIGNED) = EINVAL,
	ROW(PMEM2_E_ADDRESS_NULL) = EINVAL,
	ROW(PMEM2_E_DEEP_FLUSH_RANGE) = ERANGE,
	ROW(PMEM2_E_INVALID_REGION_FORMAT) = EIO,
	ROW(PMEM2_E_DAX_REGION_NOT_FOUND) = ENODEV,
	ROW(PMEM2_E_INVALID_DEV_FORMAT) = EIO,
	/* Of a namespace: sysfs shows them to root alone. */
	ROW(PMEM2_E_CANNOT_READ_BOUNDS) = EACCES,
	ROW(PMEM2_E_NO_BAD_BLOCK_FOUND) = ENOENT,
	ROW(PMEM2_E_LENGTH_OUT_OF_RANGE) = ERANGE,
	ROW(PMEM2_E_INVALID_PROT_FLAG) = EINVAL,
	ROW(PMEM2_E_NO_ACCESS) = EACCES,
	ROW(PMEM2_E_VM_RESERVATION_NOT_EMPTY) = EBUSY,
	ROW(PMEM2_E_MAP_EXISTS) = EEXIST,
	ROW(PMEM2_E_FILE_DESCRIPTOR_NOT_SET) = EBADF,
	ROW(PMEM2_E_SOURCE_TYPE_NOT_SUPPORTED) = EOPNOTSUPP,
	ROW(PMEM2_E_IO_FAIL) = EIO,
};

/* Linux's largest errno; libpmem2 passes nothing between it and its own. */
#define LAST_ERRNO 4095

/* NULL: no failure yet. in_libpmem2: ask there. Else the words. */
static _Thread_local const char *last_words;
static const char in_libpmem2[] = "";

int pmem_fail(int err, const char *words)
{
	DAX_INVARIANT(err < 0 && err >= -LAST_ERRNO);
	last_words = words;
	return err;
}

static int errno_of(int code)
{
	const size_t codes = sizeof(errno_of_code) / sizeof(errno_of_code[0]);

	if (code < 0 && code >= -LAST_ERRNO)
		return -code;
	if (code <= -FIRST_CODE && (size_t)(-(code + FIRST_CODE)) < codes &&
		errno_of_code[-(code + FIRST_CODE)])
		return errno_of_code[-(code + FIRST_CODE)];
	return EIO;
}

int pmem_fail_libpmem2(int code)
{
	DAX_INVARIANT(code);
	/* The one code it gives without a message (1.12.1, another kind of
	 * character device): what it would show is of an older failure. */
	if (code == PMEM2_E_INVALID_FILE_TYPE)
		return pmem_fail(-errno_of(code),
			"this kind of file cannot be a device");
	last_words = in_libpmem2;
	return -errno_of(code);
}

const char *dax_pmem_errormsg(void)
{
	if (!last_words)
		return "";
	if (last_words == in_libpmem2)
		return pmem2_errormsg();
	return last_words;
}

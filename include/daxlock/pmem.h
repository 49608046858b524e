/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: daxlock/pmem.h - a dax device over libpmem2, and maps of it
 *
 * A device is a file whose pages are the storage: on a DAX file system, on
 * device DAX, on tmpfs or hugetlbfs, in memory only, or (for work without
 * persistent memory) an ordinary file in the page cache. A map is a range of
 * it in this process, placed so that the kernel can use 2 MiB page table
 * entries for it, or so that it cannot.
 *
 * Not to be confused: the size of page table entries, 4 KiB (PTE) or 2 MiB
 * (PMD), which a map asks for and dax_pmem_map_verify() finds out; and the
 * store granularity, which says how far a store is from durable.
 *
 * Guarantees
 *   G1	A map is never reported as 2 MiB because it was asked for: what
 *	dax_pmem_map_verify() counts is what the kernel shows at that moment.
 *   G2	Only whole pages of the file are mapped. The bytes of a last partial
 *	page are never read or written.
 *   G3	No call shortens or clears a file that existed before.
 *   G4	A call that fails leaves nothing behind: no map, no descriptor, no file.
 *   G5	Every failure is an errno, and dax_pmem_errormsg() has words for it.
 *
 * A file may be shortened by somebody else while it is mapped. Loads and
 * stores past its new end then raise SIGBUS, as with any mmap(2); memcpy and
 * flush functions of this header touch the same memory and raise it too.
 * dax_device_revalidate() and dax_pmem_map_populate() report it instead, and
 * what is still in the file stays as it was. Memory devices are sealed against
 * it.
 *
 * Concurrency: which calls on one object exclude each other. X: the caller
 * keeps them apart; -: free to race.
 *
 *			delete	populate verify	flush..	others
 *   delete		X	X	 X	X	X
 *   map_populate	X	-	 -	-	-
 *   map_verify		X	-	 -	-	-
 *   flush, persist	X	-	 -	-	-
 *   others		X	-	 -	-	-
 *
 * A device is in use by its maps and its bad block lists: delete those first.
 * One &struct dax_badblocks belongs to one thread at a time. After fork(2) the
 * child may use maps and devices it inherited.
 *
 * For every call, unless its comment says otherwise:
 *   Context: may sleep in the kernel; takes no lock of this library, and any
 *	may be held, but page faults and msync(2) are slow: better none.
 *   Ordering: none.
 *   Models: none; these are the user space ends of libpmem2.
 */
#ifndef DAXLOCK_PMEM_H
#define DAXLOCK_PMEM_H

#include <stddef.h>
#include <stdint.h>

#include <daxlock/attributes.h>
#include <daxlock/entry.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

struct dax_device;	/* storage in pages */
struct dax_pmem_map;	/* a range of a device in this process */
struct dax_badblocks;	/* the bad blocks of a device at one time */

/**
 * enum dax_device_flags - how to open a device; or-ed together
 * @DAX_DEVICE_READ_ONLY: maps are readable only, and stores to them fault
 * @DAX_DEVICE_HUGETLB: dax_device_open_memory() only: 2 MiB pages from the
 *	pool an administrator has reserved
 */
enum dax_device_flags {
	DAX_DEVICE_READ_ONLY = 1 << 0,
	DAX_DEVICE_HUGETLB = 1 << 1,
};

/** enum dax_access - what maps of a device allow */
enum dax_access {
	DAX_ACCESS_READ_WRITE,
	DAX_ACCESS_READ_ONLY,
};

/**
 * enum dax_granularity - what makes a store durable (libpmem2's word)
 * @DAX_GRANULARITY_BYTE: reaching the CPU cache; flushing is a fence
 * @DAX_GRANULARITY_CACHE_LINE: flushing the cache line
 * @DAX_GRANULARITY_PAGE: msync(2); also where nothing is durable, as tmpfs
 */
enum dax_granularity {
	DAX_GRANULARITY_BYTE,
	DAX_GRANULARITY_CACHE_LINE,
	DAX_GRANULARITY_PAGE,
};

/**
 * enum dax_backing - what stands behind a device's pages
 * @DAX_BACKING_UNKNOWN: the kernel does not say
 * @DAX_BACKING_PAGE_CACHE: a file on an ordinary file system
 * @DAX_BACKING_SHMEM: tmpfs, or a memory file
 * @DAX_BACKING_HUGETLB: hugetlbfs, or a memory file of huge pages
 * @DAX_BACKING_FSDAX: a file on a DAX file system, with DAX on for this file
 * @DAX_BACKING_DEVDAX: a device DAX character device
 */
enum dax_backing {
	DAX_BACKING_UNKNOWN,
	DAX_BACKING_PAGE_CACHE,
	DAX_BACKING_SHMEM,
	DAX_BACKING_HUGETLB,
	DAX_BACKING_FSDAX,
	DAX_BACKING_DEVDAX,
};

/** enum dax_map_sync - does flushing data suffice, without fsync(2) */
enum dax_map_sync {
	DAX_MAP_SYNC_NO,
	DAX_MAP_SYNC_YES,
};

/**
 * struct dax_device_info - what a device is; const after it was opened
 * @size: bytes that can be mapped: @file_size down to a multiple of @alignment
 * @file_size: bytes in the file
 * @nr_pages: @size in pages
 * @first_pfn: number of its first page, see dax_pmem_address_to_pfn()
 * @alignment: offsets and lengths of maps are multiples of it, in bytes
 * @granularity, @backing, @access, @map_sync: see there
 */
struct dax_device_info {
	uint64_t size;
	uint64_t file_size;
	uint64_t nr_pages;
	uint64_t first_pfn;
	uint64_t alignment;
	enum dax_granularity granularity;
	enum dax_backing backing;
	enum dax_access access;
	enum dax_map_sync map_sync;
};

/**
 * DAX_PFN_BASE - pfn of the first page of every device
 *
 * Not 0, so that no page of a device has the pfn that an entry without storage
 * has; a multiple of 1 GiB, so that a pfn is aligned as its offset is.
 */
#define DAX_PFN_BASE ((uint64_t)1 << 18)

/* ---- devices ---- */

/**
 * dax_device_open() - open the file at @path as a device
 * @path: a regular file or a device DAX node
 * @flags: 0 or DAX_DEVICE_READ_ONLY
 * @out: the device; NULL on failure
 *
 * The size is taken now: pages added to the file later are not part of the
 * device. A file that is no multiple of 4 KiB loses its last partial page
 * (G2); one without any whole page is refused.
 *
 * Return: 0; -ENODATA the file is empty or smaller than a page; -ENOENT,
 * -EACCES, -EROFS, -EMFILE, ... as open(2); -EISDIR a directory, -ENODEV
 * another kind of file that cannot be a device; -ENOMEM no memory, no address
 * space, or (hugetlb) no page in the pool; -EINVAL unknown flags; -EOPNOTSUPP
 * the machine's pages are not 4 KiB; else what libpmem2 said.
 */
DAX_MUST_CHECK int dax_device_open(
	const char *path, unsigned int flags, struct dax_device **out);

/**
 * dax_device_create() - make a file and open it as a device
 * @path: must not exist
 * @size: bytes; a multiple of 4 KiB, not 0
 * @out: the device; NULL on failure
 *
 * The storage is allocated, where the file system can do that, so that no
 * store meets a full disk. The file's mode is 0600.
 *
 * Return: 0; -EEXIST, which leaves the file as it is; -ENOSPC, -EFBIG; -EINVAL
 * @size; else as dax_device_open().
 */
DAX_MUST_CHECK int dax_device_create(
	const char *path, uint64_t size, struct dax_device **out);

/**
 * dax_device_open_fd() - a device over an open file
 * @fd: open for reading, and for writing unless read-only; duplicated, so the
 *	caller closes it whenever it likes
 * @flags: 0 or DAX_DEVICE_READ_ONLY
 * @out: the device; NULL on failure
 *
 * Return: 0; -EBADF not open, or not open for reading; -EACCES @fd is
 * read-only and @flags are not; else as dax_device_open().
 */
DAX_MUST_CHECK int dax_device_open_fd(
	int fd, unsigned int flags, struct dax_device **out);

/**
 * dax_device_open_memory() - a device in memory, gone when it is deleted
 * @size: bytes; a multiple of 4 KiB, of 2 MiB with DAX_DEVICE_HUGETLB, not 0
 * @flags: 0 or DAX_DEVICE_HUGETLB
 * @out: the device; NULL on failure
 *
 * Return: 0; -EINVAL @size or unknown flags; -ENOMEM no memory, or no huge
 * page in the pool (/proc/sys/vm/nr_hugepages); -ENOSYS no memfd_create(2);
 * else as dax_device_open().
 */
DAX_MUST_CHECK int dax_device_open_memory(
	uint64_t size, unsigned int flags, struct dax_device **out);

/**
 * dax_device_delete() - close a device
 * @dev: set to NULL; may point to NULL
 *
 * A file stays. No map and no bad block list of the device may be left.
 */
void dax_device_delete(struct dax_device **dev);

/** dax_device_describe() - what @dev is; never fails */
void dax_device_describe(
	const struct dax_device *dev, struct dax_device_info *info);

/**
 * dax_device_revalidate() - is the file still as large as when it was opened
 *
 * An answer about the past: another process may shorten the file at any time.
 *
 * Return: 0; -ESTALE it is smaller now; else as fstat(2).
 */
DAX_MUST_CHECK int dax_device_revalidate(const struct dax_device *dev);

/* ---- maps ---- */

/**
 * enum dax_map_flags - page table entries to map with; one, and STRICT or not
 * @DAX_MAP_PTE: 4 KiB: the address is 4 KiB off from where a 2 MiB entry
 *	would be possible. Not possible with hugetlb, which has 2 MiB pages
 * @DAX_MAP_PMD: 2 MiB wherever the range has a whole, aligned 2 MiB of the
 *	file; 4 KiB before the first and after the last of them
 * @DAX_MAP_STRICT: populate, verify, and fail if it is not what was asked for
 */
enum dax_map_flags {
	DAX_MAP_PTE = 1 << 0,
	DAX_MAP_PMD = 1 << 1,
	DAX_MAP_STRICT = 1 << 2,
};

/**
 * dax_pmem_map_new() - map a range of a device
 * @dev: device; must outlive the map
 * @offset: bytes into the device; a multiple of its alignment
 * @len: bytes; a multiple of its alignment, not 0
 * @flags: of &enum dax_map_flags
 * @out: the map; NULL on failure
 *
 * Without DAX_MAP_STRICT the range is mapped in any case, and not yet
 * populated; dax_pmem_map_verify() tells what became of it. Maps of one device
 * may overlap: all show the same bytes.
 *
 * Return: 0; -EINVAL the range is misaligned or past the end, or @flags;
 * -EOPNOTSUPP strict, and the kernel maps otherwise or does not show how;
 * -ESTALE the file became smaller; -ENOMEM; -EFAULT, -EHWPOISON strict, as
 * dax_pmem_map_populate(); else what libpmem2 said.
 */
DAX_MUST_CHECK int dax_pmem_map_new(struct dax_device *dev, uint64_t offset,
	uint64_t len, unsigned int flags, struct dax_pmem_map **out);

/**
 * dax_pmem_map_delete() - unmap
 * @map: set to NULL; may point to NULL
 *
 * Stores that were not persisted keep the fate they would have had.
 */
void dax_pmem_map_delete(struct dax_pmem_map **map);

/** dax_pmem_map_address() - the first byte of @map; then its bytes, and where
 * in its device it starts, in bytes */
void *dax_pmem_map_address(const struct dax_pmem_map *map);
uint64_t dax_pmem_map_len(const struct dax_pmem_map *map);
uint64_t dax_pmem_map_offset(const struct dax_pmem_map *map);

/**
 * dax_pmem_map_populate() - have every page of @map in the page table
 *
 * For writing if the device is writable, which allocates the storage of holes;
 * no byte changes. On tmpfs and memory files a DAX_MAP_PMD map is also
 * collapsed into huge pages here, if the kernel has any to give. Raises no
 * signal where a load or a store would.
 *
 * Return: 0; -EFAULT a page has no storage: the file became smaller, or the
 * disk is full; -EHWPOISON a page is bad; -ENOMEM; -EOPNOTSUPP Linux is older
 * than 5.14.
 */
DAX_MUST_CHECK int dax_pmem_map_populate(struct dax_pmem_map *map);

/**
 * enum dax_evidence - how a report was come by
 * @DAX_EVIDENCE_NONE: not at all; every byte is of unknown size
 * @DAX_EVIDENCE_PAGEMAP: the page tables, with PAGEMAP_SCAN (Linux 6.7)
 * @DAX_EVIDENCE_SMAPS: /proc/self/smaps
 * @DAX_EVIDENCE_FAULTS: page faults counted during the last
 *	dax_pmem_map_populate(). The process's other faults make 2 MiB entries
 *	look fewer, never more
 */
enum dax_evidence {
	DAX_EVIDENCE_NONE,
	DAX_EVIDENCE_PAGEMAP,
	DAX_EVIDENCE_SMAPS,
	DAX_EVIDENCE_FAULTS,
};

/**
 * struct dax_map_report - how the kernel maps a range; all in bytes
 * @len: of the map; the sum of the next four
 * @pmd_bytes: mapped by entries of 2 MiB or more
 * @pte_bytes: mapped by entries of 4 KiB
 * @absent_bytes: not in the page table: never touched, or reclaimed
 * @unknown_bytes: could not be found out
 * @eligible_bytes: in whole, aligned 2 MiB of the file, so that @pmd_bytes
 *	could be as much
 * @evidence: how it was found out
 */
struct dax_map_report {
	uint64_t len;
	uint64_t pmd_bytes;
	uint64_t pte_bytes;
	uint64_t absent_bytes;
	uint64_t unknown_bytes;
	uint64_t eligible_bytes;
	enum dax_evidence evidence;
};

/**
 * dax_pmem_map_verify() - how does the kernel map this now
 *
 * Never fails: what cannot be found out is reported as unknown. The answer is
 * a snapshot; reclaim, writeback and other processes change page tables.
 */
void dax_pmem_map_verify(
	const struct dax_pmem_map *map, struct dax_map_report *report);

/* ---- address <-> pfn ---- */

/** dax_device_offset_to_pfn() - page number of a byte offset in any device */
static inline uint64_t dax_device_offset_to_pfn(uint64_t offset)
{
	return DAX_PFN_BASE + (offset >> DAX_PAGE_SHIFT);
}

/**
 * dax_pmem_address_to_pfn() - the page of the device that @address is in
 * @map: map
 * @address: any
 * @pfn: result; DAX_PFN_BASE is the device's page 0. Written on success
 *
 * Return: 0; -ERANGE @address is not in @map.
 */
DAX_MUST_CHECK int dax_pmem_address_to_pfn(
	const struct dax_pmem_map *map, const void *address, uint64_t *pfn);

/**
 * dax_pmem_pfn_to_address() - where @map has the page @pfn
 * @map: map
 * @pfn: any
 * @address: the page's first byte. Written on success
 *
 * Return: 0; -ERANGE the page is not in @map.
 */
DAX_MUST_CHECK int dax_pmem_pfn_to_address(
	const struct dax_pmem_map *map, uint64_t pfn, void **address);

/* ---- durability ---- */

/**
 * dax_pmem_flush() - start making stores durable
 * @map: map
 * @address: in @map
 * @len: bytes; 0 does nothing
 *
 * By the map's store granularity: nothing, a write-back of each cache line, or
 * msync(2) of each page. Unlike libpmem2's own function it returns the error
 * of msync(2) instead of ending the process.
 *
 * Context: never sleeps, except at page granularity.
 * Ordering: durable only after dax_pmem_drain() in the same thread.
 * Return: 0; -EINVAL the range is not in @map (a caller's bug: aborts in
 * checked builds); -EIO, -ENOSPC, ... as msync(2), at page granularity only.
 */
DAX_MUST_CHECK int dax_pmem_flush(
	const struct dax_pmem_map *map, const void *address, size_t len);

/**
 * dax_pmem_drain() - wait for this thread's flushes
 *
 * Context: never sleeps.
 * Ordering: a store fence, except at page granularity, where a flush waits.
 */
void dax_pmem_drain(const struct dax_pmem_map *map);

/** dax_pmem_persist() - dax_pmem_flush(), then dax_pmem_drain() */
DAX_MUST_CHECK int dax_pmem_persist(
	const struct dax_pmem_map *map, const void *address, size_t len);

/**
 * dax_pmem_memcpy_persist() - copy into a map and make it durable
 * @map: map of a writable device
 * @to: in @map
 * @from: anywhere; may overlap
 * @len: bytes; 0 does nothing
 *
 * Not atomic: a crash may leave any part of it.
 *
 * Return: as dax_pmem_persist(); -EACCES the device is read-only.
 */
DAX_MUST_CHECK int dax_pmem_memcpy_persist(const struct dax_pmem_map *map,
	void *to, const void *from, size_t len);

/**
 * dax_pmem_deep_flush() - persist past what the platform promises on power loss
 * @map: map
 * @address: in @map
 * @len: bytes; 0 does nothing
 *
 * Persists the range, then flushes the memory controller's write queue as
 * libpmem2 can. Slow; against hardware that fails to keep its promise.
 *
 * Return: as dax_pmem_persist(); -ENODEV device DAX without its region; else
 * what libpmem2 said.
 */
DAX_MUST_CHECK int dax_pmem_deep_flush(
	const struct dax_pmem_map *map, void *address, size_t len);

/* ---- bad blocks ---- */

/** struct dax_badblock - a part of a device that cannot be read; in bytes */
struct dax_badblock {
	uint64_t offset;
	uint64_t len;
};

/**
 * dax_badblocks_new() - list the bad blocks of a device, as of now
 * @dev: device; must outlive the list
 * @out: the list, before its first element; NULL on failure
 *
 * Empty where nothing can go bad, or nothing says so: a file that is not on
 * persistent memory.
 *
 * Return: 0; -EOPNOTSUPP libpmem2 was built without it; -EACCES not allowed to
 * ask the device; -ENOMEM; else what libpmem2 said.
 */
DAX_MUST_CHECK int dax_badblocks_new(
	struct dax_device *dev, struct dax_badblocks **out);

/** dax_badblocks_delete() - end a list; @list is set to NULL, may be NULL */
void dax_badblocks_delete(struct dax_badblocks **list);

/**
 * dax_badblocks_next() - the next bad block
 * @list: list; used by one thread at a time
 * @block: result; written on success. May reach past dax_device_info.size
 *
 * Return: 0; -ENOENT no more; else what libpmem2 said.
 */
DAX_MUST_CHECK int dax_badblocks_next(
	struct dax_badblocks *list, struct dax_badblock *block);

/**
 * dax_badblocks_clear() - give the bad block new, zeroed storage
 * @list: list; used by one thread at a time
 *
 * The block is the one dax_badblocks_next() returned last. Its bytes were lost
 * before; they read as zeros now.
 *
 * Return: 0; -EINVAL the list is at no block, or it was cleared; -EACCES the
 * device is read-only; else what libpmem2 said.
 */
DAX_MUST_CHECK int dax_badblocks_clear(struct dax_badblocks *list);

/* ---- words ---- */

/**
 * dax_pmem_errormsg() - words for this thread's last failure in this header
 *
 * libpmem2's own message where the failure was libpmem2's. Valid until the
 * thread's next call to this header's functions or to libpmem2; "" before any.
 */
const char *dax_pmem_errormsg(void);

/** dax_granularity_name() - "byte", "cache line", ...; "?" for no such value */
const char *dax_granularity_name(enum dax_granularity granularity);
const char *dax_backing_name(enum dax_backing backing);
const char *dax_evidence_name(enum dax_evidence evidence);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif

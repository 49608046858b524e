/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: daxlock/devdax.h - device DAX: storage mapped without a file system
 *
 * A range of a device (daxlock/pmem.h) that is mapped as it is. All of it is
 * there from the beginning: no holes, no blocks to allocate, no metadata. It
 * has an alignment of 4 KiB, 2 MiB or 1 GiB, and all its leaves are of that
 * size:
 *
 *      alignment   entries and leaves   a fault that would need another size
 *      DAX_PTE_ORDER   PTE              larger: falls back
 *      DAX_PMD_ORDER   PMD              larger: falls back; smaller: SIGBUS
 *      DAX_PUD_ORDER   PUD              smaller: SIGBUS
 *
 * Its space (daxlock/space.h) is what dax_mmap() maps. Areas of it are shared,
 * and begin and end at multiples of the alignment, also when a part of one is
 * unmapped or protected; anything else is -EINVAL. An area without huge pages
 * (DAX_VMA_NOHUGEPAGE) is one that cannot be touched, unless the alignment is
 * that of a PTE.
 *
 * Guarantees
 *   G1	A fault makes a leaf of the device's alignment, or none.
 *   G2	When dax_devdax_kill() returns, no page table shows the device, no page
 *	of it is pinned, and no load, store, fault or flush of it runs, or
 *	will.
 *
 * Its pages may be pinned (dax_pin_pages()) for as long as somebody likes:
 * there is no file system that would want its storage back.
 *
 * A page that cannot be read takes all of its leaf with it: there is no smaller
 * one to show the pages beside it with.
 *
 * Models: drivers/dax/device.c, v6.12. Differs: the kernel sets leaves without
 * entries, so that nothing waits for anything but the page table's lock, and
 * nothing is tracked as dirty; here entries are made as for a file, and
 * dax_msync() flushes what was stored (the kernel says EINVAL, and leaves
 * flushing to the program).
 */
#ifndef DAXLOCK_DEVDAX_H
#define DAXLOCK_DEVDAX_H

#include <daxlock/attributes.h>
#include <daxlock/entry.h>
#include <daxlock/pmem.h>
#include <daxlock/space.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

struct dax_devdax;

/**
 * dax_devdax_new() - map a range of a device without a file system
 * @map: the range; outlives the result, or its kill
 * @order: the alignment: DAX_PTE_ORDER, DAX_PMD_ORDER or DAX_PUD_ORDER
 * @out: result; NULL on error
 *
 * Of a map of DAX_MAP_PTE, too, leaves of any size can be made: they are those
 * of this library's page tables, not of the process's own.
 *
 * What the device lists as bad (dax_badblocks_new()) is bad from the start, in
 * whole pages; where nobody can say, -EOPNOTSUPP, or this process may not ask,
 * -EACCES or -EPERM, nothing is.
 *
 * Context: may sleep: it asks the kernel for what is bad.
 * Threads: any number.
 * Return: 0; -EINVAL @map begins or ends at no multiple of the alignment;
 * -ENOMEM, 16 bytes for each page among the rest; what else
 * dax_badblocks_new() and dax_badblocks_next() say.
 */
DAX_MUST_CHECK int dax_devdax_new(const struct dax_pmem_map *map,
	unsigned int order, struct dax_devdax **out);

/**
 * dax_devdax_delete() - end it; the bytes stay
 * @device: set to NULL; may point to NULL
 *
 * Waits for the pins of its pages.
 *
 * Threads: no other call on it may run; no area shows it.
 */
void dax_devdax_delete(struct dax_devdax **device);

/** dax_devdax_space() - what to map; lives as long as @device */
struct dax_space *dax_devdax_space(struct dax_devdax *device);

/**
 * dax_devdax_kill() - unplug it while it is in use
 * @device: device; areas may show it, and threads use them
 *
 * Refuses new faults, which are SIGBUS, and new areas; waits for the faults
 * that run; takes all leaves and entries away, and waits for the pins. Then the
 * map may be deleted (G2); areas are left, to be unmapped whenever their owner
 * does.
 *
 * Context: may sleep. Takes INVALIDATE, ENTRY, I_MMAP, PTE; hold no ENTRY, nor
 * what those who have a page pinned need.
 * Threads: any number; once dead it stays so.
 * Models: drivers/dax/bus.c kill_dev_dax(), v6.12.
 */
void dax_devdax_kill(struct dax_devdax *device);

/**
 * dax_devdax_memory_failure() - pages of the device have gone bad
 * @device: device; may have been killed
 * @pfn: first page
 * @nr: pages; what is not of the device's range is left out
 *
 * When it returns, no page table shows a leaf that has one of the pages. Faults
 * there are DAX_FAULT_HWPOISON, so that accesses and new pins are -EHWPOISON.
 * Who has them pinned keeps them, and a kill waits for that.
 *
 * Context: may sleep. Takes and drops WAITQ, ENTRY, I_MMAP, PTE; hold none.
 * Threads: any number.
 * Models: mm/memory-failure.c mf_generic_kill_procs(), v6.12. Differs: there
 * are no processes to kill, and there the next fault shows the page again.
 */
void dax_devdax_memory_failure(
	struct dax_devdax *device, uint64_t pfn, uint64_t nr);

/**
 * dax_devdax_clear_poison() - have bad pages good again
 * @device: device
 * @pfn: first page
 * @nr: pages; those that are good, and not of the device's range, are left out
 *
 * What the device lists as bad of them gets new storage, and reads as zeros;
 * other bytes stay. Then faults may show the pages.
 *
 * Context: may sleep. Takes INVALIDATE; hold none.
 * Threads: any number.
 * Return: 0; -ENXIO the device was killed; what dax_badblocks_new(), _next()
 * and _clear() say but -EOPNOTSUPP, when all that was bad still is.
 * Models: drivers/nvdimm/bus.c nvdimm_clear_poison(), v6.12.
 */
DAX_MUST_CHECK int dax_devdax_clear_poison(
	struct dax_devdax *device, uint64_t pfn, uint64_t nr);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif

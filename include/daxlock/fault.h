/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: daxlock/fault.h - address spaces, page tables and page faults
 *
 * An address space (struct dax_mm) has areas that show files, and a page table
 * of PUD, PMD and PTE leaves. A load or a store goes through the page table;
 *where there is no leaf, or one that may not be written, it faults, and the
 *fault handler asks the file for its block and sets the leaf. The bytes are
 *real: a store through a shared area is in the device's memory when it returns.
 *
 * What a fault does, in the kernel's order (G2):
 *
 *      PUD  only if the space has such leaves (a device may, a file has none);
 *           then as for a PMD, but a hole         FALLBACK
 *      PMD  past the end of the file               SIGBUS
 *           colour, private write, area, end       FALLBACK
 *           grab the entry; smaller ones there     FALLBACK
 *           ask for the block; too short           FALLBACK
 *           a hole, read                           huge zero page
 *           not aligned, bad, dying                FALLBACK
 *           insert the entry, set the leaf         NOPAGE or NEEDDSYNC
 *      PTE  past the end of the file               SIGBUS
 *           grab the entry                         OOM
 *           a private write                        copy: DONE_COW
 *           a hole, read                           zero page
 *           insert the entry, set the leaf         NOPAGE, MAJOR, NEEDDSYNC
 *
 * Guarantees
 *   G1	A leaf is set while its entry is locked, and shows the block that the
 *	file had for the page at that time.
 *   G2	Checks that need no lock come before the entry is grabbed.
 *   G3	The entry of a page that can be stored to without a fault is dirty.
 *   G4	A load or a store is done under the lock of the page table: whoever
 *	takes a leaf away waits for it, as for a TLB shootdown.
 *
 * Concurrency: all calls may race with each other, but for dax_mm_delete().
 *
 * Context of every call, unless it says otherwise: may sleep; takes and drops
 * MMAP, INVALIDATE, ENTRY, EXTENT, I_MMAP, PTE; hold none of them.
 *
 * An int result is 0 or a negative errno, which for an access stands for the
 * signal that a process gets: -EFAULT SIGSEGV, -EIO and -EHWPOISON SIGBUS.
 */
#ifndef DAXLOCK_FAULT_H
#define DAXLOCK_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <daxlock/attributes.h>
#include <daxlock/entry.h>
#include <daxlock/pgmap.h>
#include <daxlock/space.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

struct dax_mm;

/* ---- address spaces and areas ---- */

/**
 * dax_mm_new() - an address space without areas
 * @profile: NULL: the default
 * @out: the address space, or NULL on error
 *
 * Return: 0; -ENOMEM.
 */
int dax_mm_new(
	const struct dax_profile *profile, struct dax_mm **out) DAX_MUST_CHECK;

/**
 * dax_mm_delete() - unmap everything and free an address space
 * @mm: set to NULL; NULL is accepted
 *
 * Threads: no other call on it may run.
 */
void dax_mm_delete(struct dax_mm **mm);

/**
 * dax_mm_fork() - a copy of an address space, as a child process gets
 * @mm: address space
 * @out: the copy, or NULL on error
 *
 * Leaves of shared areas, large leaves, and all leaves of areas that nobody has
 * written to privately are not copied: the child faults for them. Private
 * copies become read-only in both and are copied by whoever writes first.
 *
 * Return: 0; -ENOMEM.
 * Models: mm/memory.c copy_page_range(), v6.12.
 */
int dax_mm_fork(struct dax_mm *mm, struct dax_mm **out) DAX_MUST_CHECK;

/**
 * enum dax_vma_flags - what an area is
 * @DAX_VMA_SHARED: stores go to the file; otherwise to private copies
 * @DAX_VMA_WRITE: stores are allowed
 * @DAX_VMA_SYNC: MAP_SYNC: a store needs no fsync to be found again
 * @DAX_VMA_NOHUGEPAGE: only PTE leaves
 */
enum dax_vma_flags {
	DAX_VMA_SHARED = 1 << 0,
	DAX_VMA_WRITE = 1 << 1,
	DAX_VMA_SYNC = 1 << 2,
	DAX_VMA_NOHUGEPAGE = 1 << 3,
};

/**
 * struct dax_vma_params - an area to map
 * @space: what it shows; outlives it
 * @pos: first byte of the file; a multiple of the page size
 * @len: bytes; rounded up to pages
 * @flags: of &enum dax_vma_flags
 * @skew: how far its address is to be off a multiple of a PMD's size, or of a
 *	PUD's if the space has such leaves, in bytes; a multiple of the page
 *	size
 */
struct dax_vma_params {
	struct dax_space *space;
	uint64_t pos;
	uint64_t len;
	unsigned int flags;
	uint64_t skew;
};

/**
 * dax_mmap() - map a file
 * @mm: address space
 * @params: the area
 * @address: where it is; written only on success
 *
 * Nothing is faulted in.
 *
 * Return: 0; -EINVAL @len is 0, or @pos or @skew no multiple, or @pos does not
 * fit in 63 bits, or the space's limits (&struct dax_space_limits) forbid it;
 * -ENXIO the space was killed; -ENOMEM no memory, or no addresses.
 */
int dax_mmap(struct dax_mm *mm, const struct dax_vma_params *params,
	uint64_t *address) DAX_MUST_CHECK;

/**
 * dax_munmap() - unmap what is in a range
 * @mm: address space
 * @address: a multiple of the page size
 * @len: bytes
 *
 * Return: 0; -EINVAL @address, or the space's areas cannot be split there;
 * -ENOMEM no memory to split an area.
 */
int dax_munmap(
	struct dax_mm *mm, uint64_t address, uint64_t len) DAX_MUST_CHECK;

/** enum dax_prot - what mprotect(2) allows */
enum dax_prot {
	DAX_PROT_READ,
	DAX_PROT_READ_WRITE,
};

/**
 * dax_mprotect() - allow or forbid stores in a range
 * @mm: address space
 * @address: a multiple of the page size
 * @len: bytes
 * @prot: what is allowed
 *
 * Areas are split at the ends of the range, and with them large leaves, which
 * for files means: taken away. Areas that are equal again are merged.
 *
 * Return: 0; -EINVAL @address, or the space's areas cannot be split there;
 * -ENOMEM no memory, or nothing is mapped in a part of the range, which is
 * left out.
 */
int dax_mprotect(struct dax_mm *mm, uint64_t address, uint64_t len,
	enum dax_prot prot) DAX_MUST_CHECK;

/**
 * enum dax_advice - what madvise(2) is told
 * @DAX_DONTNEED: take the leaves away, private copies too
 * @DAX_POPULATE_READ: fault in for loads
 * @DAX_POPULATE_WRITE: fault in for stores
 */
enum dax_advice {
	DAX_DONTNEED,
	DAX_POPULATE_READ,
	DAX_POPULATE_WRITE,
};

/**
 * dax_madvise() - do something with a range
 * @mm: address space
 * @address: a multiple of the page size
 * @len: bytes
 * @advice: what
 *
 * Populating begins at @address, and ends at what is in its way.
 *
 * Return: 0; -EINVAL @address, or populating for stores what forbids them;
 * -ENOMEM no memory, or nothing is mapped in a part of the range; -EFAULT,
 * -EHWPOISON a page could not be populated.
 */
int dax_madvise(struct dax_mm *mm, uint64_t address, uint64_t len,
	enum dax_advice advice) DAX_MUST_CHECK;

/**
 * dax_msync() - make the file behind a range durable
 * @mm: address space
 * @address: a multiple of the page size
 * @len: bytes
 *
 * Does nothing for private areas.
 *
 * Return: 0; as dax_fsync_range(); -EINVAL @address; -ENOMEM nothing is mapped
 * in a part of the range.
 */
int dax_msync(struct dax_mm *mm, uint64_t address, uint64_t len) DAX_MUST_CHECK;

/* ---- accesses ---- */

/**
 * dax_load() - load bytes
 * @mm: address space
 * @address: any
 * @to: where to
 * @len: bytes; not one access but one for each page
 *
 * Ordering: relaxed, as a load is; 8 bytes that are aligned are not torn.
 * Return: 0; -EFAULT nothing is mapped; -EIO past the end of the file, or no
 * block; -EHWPOISON; -ENOMEM.
 */
int dax_load(struct dax_mm *mm, uint64_t address, void *to,
	size_t len) DAX_MUST_CHECK;

/**
 * dax_store() - store bytes
 * @mm: address space
 * @address: any
 * @from: where from
 * @len: bytes; not one access but one for each page
 *
 * Ordering: relaxed, as a store is.
 * Return: as dax_load(); -EFAULT also where stores are forbidden.
 */
int dax_store(struct dax_mm *mm, uint64_t address, const void *from,
	size_t len) DAX_MUST_CHECK;

/* ---- faults ---- */

/** enum dax_access_type - what is done at an address */
enum dax_access_type {
	DAX_LOAD,
	DAX_STORE,
};

/** enum dax_fault - results of a fault; VM_FAULT_* of v6.12 */
enum dax_fault {
	DAX_FAULT_OOM = 0x0001,
	DAX_FAULT_SIGBUS = 0x0002,
	DAX_FAULT_MAJOR = 0x0004,
	DAX_FAULT_HWPOISON = 0x0010,
	DAX_FAULT_SIGSEGV = 0x0040,
	DAX_FAULT_NOPAGE = 0x0100,
	DAX_FAULT_FALLBACK = 0x0800,
	DAX_FAULT_DONE_COW = 0x1000,
	DAX_FAULT_NEEDDSYNC = 0x2000,
};

/** DAX_FAULT_ERROR - the results that are errors */
#define DAX_FAULT_ERROR                                                        \
	(DAX_FAULT_OOM | DAX_FAULT_SIGBUS | DAX_FAULT_HWPOISON |               \
		DAX_FAULT_SIGSEGV)

/**
 * enum dax_cause - why there is no PMD leaf, nor a PUD leaf
 * @DAX_CAUSE_NONE: there is one, or nobody tried
 * @DAX_CAUSE_HUGE_DISABLED: the area has DAX_VMA_NOHUGEPAGE
 * @DAX_CAUSE_COLOUR: address and file offset differ modulo a PMD
 * @DAX_CAUSE_PRIVATE_WRITE: a private area copies by pages
 * @DAX_CAUSE_OUTSIDE_VMA: the PMD's range is not all in the area
 * @DAX_CAUSE_END_OF_FILE: it is not all in the file
 * @DAX_CAUSE_PTE_ENTRY: the file has entries of pages in it
 * @DAX_CAUSE_PTE_TABLE: the address space has a table of pages for it
 * @DAX_CAUSE_SHORT_EXTENT: one extent does not have it all
 * @DAX_CAUSE_MISALIGNED: its blocks are not aligned on the device
 * @DAX_CAUSE_NO_SPACE: the file system had no blocks to give
 * @DAX_CAUSE_NO_MEMORY: no memory for an entry, a table or the zero page
 * @DAX_CAUSE_POISON: a page of it is bad
 * @DAX_CAUSE_DEVICE: the device gives no access
 * @DAX_CAUSE_OTHER_SIZE: the device has leaves of another size only
 */
enum dax_cause {
	DAX_CAUSE_NONE,
	DAX_CAUSE_HUGE_DISABLED,
	DAX_CAUSE_COLOUR,
	DAX_CAUSE_PRIVATE_WRITE,
	DAX_CAUSE_OUTSIDE_VMA,
	DAX_CAUSE_END_OF_FILE,
	DAX_CAUSE_PTE_ENTRY,
	DAX_CAUSE_PTE_TABLE,
	DAX_CAUSE_SHORT_EXTENT,
	DAX_CAUSE_MISALIGNED,
	DAX_CAUSE_NO_SPACE,
	DAX_CAUSE_NO_MEMORY,
	DAX_CAUSE_POISON,
	DAX_CAUSE_DEVICE,
	DAX_CAUSE_OTHER_SIZE,
};

/**
 * dax_fault() - one page fault
 * @mm: address space
 * @address: any
 * @access: what was tried there
 * @cause: why the fault made no PMD leaf; NULL: do not tell
 *
 * Tries the largest leaf that the space has where the area may have one, and
 * the next smaller one if that fell back. The access may have to fault again.
 * Where a leaf already allows it, nothing happens.
 *
 * Return: of &enum dax_fault; 0 nothing had to be done.
 * Models: mm/memory.c handle_mm_fault(), fs/dax.c dax_iomap_fault(), v6.12.
 */
unsigned int dax_fault(struct dax_mm *mm, uint64_t address,
	enum dax_access_type access, enum dax_cause *cause);

/**
 * dax_fault_order() - one page fault that tries one size
 * @mm: address space
 * @address: any
 * @access: what was tried there
 * @order: DAX_PTE_ORDER, DAX_PMD_ORDER or DAX_PUD_ORDER
 * @cause: as for dax_fault()
 *
 * Return: as dax_fault(); DAX_FAULT_FALLBACK try a smaller order.
 * Models: struct vm_operations_struct.huge_fault, v6.12.
 */
unsigned int dax_fault_order(struct dax_mm *mm, uint64_t address,
	enum dax_access_type access, unsigned int order, enum dax_cause *cause);

/**
 * struct dax_explanation - a cause, for people
 * @name: one word, as "colour"
 * @sentence: what is the case
 * @cure: what to do about it
 */
struct dax_explanation {
	const char *name;
	const char *sentence;
	const char *cure;
};

/** dax_explain() - a cause in words; const and for ever */
const struct dax_explanation *dax_explain(enum dax_cause cause);

/* ---- pins ---- */

/**
 * enum dax_pin_flags - how pages are pinned
 * @DAX_PIN_WRITE: to write to them; faults as a store does
 * @DAX_PIN_FAST: only what the page table has: no fault, so no sleep for one
 */
enum dax_pin_flags {
	DAX_PIN_WRITE = 1 << 0,
	DAX_PIN_FAST = 1 << 1,
};

/**
 * struct dax_pin_params - what to pin
 * @address: any of the first page
 * @nr: pages
 * @flags: of &enum dax_pin_flags
 * @term: see there
 * @holder: who pins them, for dax_pgmap_describe_pins(); outlives the pins.
 *	NULL: pins without a name
 */
struct dax_pin_params {
	uint64_t address;
	size_t nr;
	unsigned int flags;
	enum dax_pin_term term;
	const char *holder;
};

/**
 * struct dax_pinned - a page that is pinned
 * @pgmap: device
 * @pfn: page
 * @bytes: those of the page
 *
 * Stays where it is until dax_unpin_pages().
 */
struct dax_pinned {
	struct dax_pgmap *pgmap;
	uint64_t pfn;
	void *bytes;
	/* private: */
	struct dax_pin pin;
	bool has_name;
};

/**
 * dax_pin_pages() - hold the pages behind a range, for a device to use
 * @mm: address space
 * @params: the range
 * @pages: @params->nr of them
 * @done: how many were pinned
 *
 * Takes no lock where the page table allows the access; where it does not, it
 * faults first. Until it has looked again, it may hold for a moment a page that
 * was taken away, which others then see as pinned. A page that
 * is pinned may be unmapped; its storage is not given to another file before
 * dax_unpin_pages(). Whoever writes after an fsync began flushes that himself,
 * or pins again: a pin does not make its page dirty a second time.
 *
 * Return: 0 one or more were pinned; else why the first was not: -EFAULT no
 * area allows it; -EOPNOTSUPP the storage has no counted pages, the page is a
 * zero page or a private copy, or a long-term pin of a file's; -EAGAIN
 * (DAX_PIN_FAST) it takes a fault; -EBUSY it is pinned too often; -EIO,
 * -EHWPOISON, -ENOMEM as dax_load().
 * Models: mm/gup.c pin_user_pages_fast(), v6.12.
 */
int dax_pin_pages(struct dax_mm *mm, const struct dax_pin_params *params,
	struct dax_pinned *pages, size_t *done) DAX_MUST_CHECK;

/**
 * dax_unpin_pages() - hold pages no longer
 * @pages: of dax_pin_pages()
 * @nr: pages
 *
 * Context: does not sleep. The areas, the address space and the file may be
 * gone by now.
 * Models: mm/gup.c unpin_user_pages(), v6.12.
 */
void dax_unpin_pages(struct dax_pinned *pages, size_t nr);

/* ---- looking ---- */

/**
 * enum dax_leaf_flags - what a leaf is
 * @DAX_LEAF_PRESENT: there is one
 * @DAX_LEAF_PMD: of the size of a PMD
 * @DAX_LEAF_WRITE: can be stored to
 * @DAX_LEAF_DIRTY: was stored to
 * @DAX_LEAF_ZERO: shows a zero page
 * @DAX_LEAF_COPY: shows a private copy
 * @DAX_LEAF_PUD: of the size of a PUD
 */
enum dax_leaf_flags {
	DAX_LEAF_PRESENT = 1 << 0,
	DAX_LEAF_PMD = 1 << 1,
	DAX_LEAF_WRITE = 1 << 2,
	DAX_LEAF_DIRTY = 1 << 3,
	DAX_LEAF_ZERO = 1 << 4,
	DAX_LEAF_COPY = 1 << 5,
	DAX_LEAF_PUD = 1 << 6,
};

/**
 * struct dax_leaf - a leaf of the page table
 * @flags: of &enum dax_leaf_flags; 0: there is none
 * @pfn: page of the device, of a leaf that shows one
 */
struct dax_leaf {
	unsigned int flags;
	uint64_t pfn;
};

/**
 * dax_mm_leaf() - the leaf that an address goes through
 * @mm: address space
 * @address: any
 * @leaf: result; @pfn is the page of @address
 */
void dax_mm_leaf(struct dax_mm *mm, uint64_t address, struct dax_leaf *leaf);

/**
 * dax_mm_verify() - check a page table against files that are at rest
 * @mm: address space; no call on it, or on the files it shows, runs
 *
 * Each leaf with a page of a device has an entry that holds that page, or one
 * that is not smaller; one that can be stored to has a dirty one; a zero page
 * is shown only where the file has no block, or one of zeros; no leaf is
 * outside every area or past the end of its file.
 *
 * Return: NULL, or a sentence of what is wrong.
 */
const char *dax_mm_verify(struct dax_mm *mm) DAX_MUST_CHECK;

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: daxlock/kernel_iomap.h - the kernel's names, for a file system's faults
 *
 * A file system's fault handler, written as for the kernel, calls
 * dax_iomap_fault() with its &struct iomap_ops, and has its blocks in page
 * tables of daxlock. What a kernel has around that is two calls here:
 * dax_kernel_inode_init() gives an inode memory for its device, and
 * dax_kernel_mmap() an area an address space.
 *
 *	static vm_fault_t my_huge_fault(struct vm_fault *vmf, unsigned int
 *order)
 *	{
 *		return dax_iomap_fault(vmf, order, NULL, NULL, &my_iomap_ops);
 *	}
 *
 * Part of daxlock/kernel.h, which includes it.
 */
#ifndef DAXLOCK_KERNEL_IOMAP_H
#define DAXLOCK_KERNEL_IOMAP_H

#include <stddef.h>
#include <stdint.h>

#include <daxlock/attributes.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

struct dax_mm;
struct dax_space;
struct inode;

/* ---- the block map ---- */

#define IOMAP_HOLE	0
#define IOMAP_MAPPED	2
#define IOMAP_UNWRITTEN 3

#define IOMAP_F_NEW	0x01u
#define IOMAP_F_DIRTY	0x02u

#define IOMAP_WRITE	0x001u
#define IOMAP_FAULT	0x008u
#define IOMAP_DAX	0x100u

#define IOMAP_NULL_ADDR UINT64_MAX

/**
 * struct iomap - a piece of the block map
 * @addr: byte of the device, of what is IOMAP_MAPPED or IOMAP_UNWRITTEN
 * @offset: first byte of the file
 * @length: bytes
 * @type: IOMAP_HOLE, IOMAP_MAPPED, IOMAP_UNWRITTEN
 * @flags: IOMAP_F_NEW; IOMAP_F_DIRTY means nothing, there is no MAP_SYNC
 *
 * All of it multiples of the page size. What is IOMAP_F_NEW has been zeroed.
 */
struct iomap {
	uint64_t addr;
	int64_t offset;
	uint64_t length;
	uint16_t type;
	uint16_t flags;
};

/**
 * struct iomap_ops - how to ask for the block map
 * @iomap_begin: the piece that has @pos; @flags are IOMAP_FAULT | IOMAP_DAX,
 *	and IOMAP_WRITE if it must have blocks. @srcmap is not looked at
 * @iomap_end: NULL, or the piece is no longer used
 *
 * Called with the entry of the page locked. 0 or a negative errno.
 */
struct iomap_ops {
	int (*iomap_begin)(struct inode *inode, int64_t pos, int64_t length,
		unsigned int flags, struct iomap *iomap, struct iomap *srcmap);
	int (*iomap_end)(struct inode *inode, int64_t pos, int64_t length,
		int64_t written, unsigned int flags, struct iomap *iomap);
};

/* ---- the file ---- */

/**
 * struct inode - a file
 * @i_ino: a number
 * @i_size: bytes; changed while no fault runs
 * @i_private: the file system's
 */
struct inode {
	unsigned long i_ino;
	int64_t i_size;
	void *i_private;
	/* private: */
	const struct iomap_ops *ops;
	struct dax_space *space;
	char *memory;
	uint64_t len;
};

/**
 * dax_kernel_inode_init() - give an inode what a kernel would have given it
 * @inode: its public fields are set
 * @ops: of the file system
 * @memory: of the device, aligned to a page, that @addr of &struct iomap
 *	counts in; outlives the inode
 * @len: of @memory, in bytes
 *
 * Return: 0; -ENOMEM.
 */
int dax_kernel_inode_init(struct inode *inode, const struct iomap_ops *ops,
	void *memory, uint64_t len) DAX_MUST_CHECK;

/** dax_kernel_inode_fini() - take it back; nothing shows the inode any more */
void dax_kernel_inode_fini(struct inode *inode);

/* ---- the area ---- */

#define VM_WRITE  0x02ul
#define VM_SHARED 0x08ul

/**
 * struct vm_area_struct - where an inode is shown
 * @vm_start: set by dax_kernel_mmap()
 * @vm_end: the same
 * @vm_pgoff: page of the file at @vm_start
 * @vm_flags: VM_WRITE, VM_SHARED
 * @vm_inode: what is shown. Differs: the kernel has vm_file there
 * @vm_mm: for dax_load() and so on of daxlock/fault.h, which fault as often as
 *	they need; with an address space for each area
 */
struct vm_area_struct {
	unsigned long vm_start;
	unsigned long vm_end;
	unsigned long vm_pgoff;
	unsigned long vm_flags;
	struct inode *vm_inode;
	struct dax_mm *vm_mm;
};

/**
 * dax_kernel_mmap() - map @len bytes of an inode
 *
 * Return: 0; -EINVAL; -ENOMEM.
 */
int dax_kernel_mmap(struct vm_area_struct *vma, uint64_t len) DAX_MUST_CHECK;

/** dax_kernel_munmap() - unmap an area */
void dax_kernel_munmap(struct vm_area_struct *vma);

/* ---- the fault ---- */

typedef unsigned int vm_fault_t;
typedef uint64_t pfn_t;

#define VM_FAULT_OOM	  0x0001u
#define VM_FAULT_SIGBUS	  0x0002u
#define VM_FAULT_MAJOR	  0x0004u
#define VM_FAULT_HWPOISON 0x0010u
#define VM_FAULT_SIGSEGV  0x0040u
#define VM_FAULT_NOPAGE	  0x0100u
#define VM_FAULT_FALLBACK 0x0800u
#define VM_FAULT_DONE_COW 0x1000u
#define VM_FAULT_ERROR                                                         \
	(VM_FAULT_OOM | VM_FAULT_SIGBUS | VM_FAULT_HWPOISON | VM_FAULT_SIGSEGV)

#define FAULT_FLAG_WRITE 0x01u

/**
 * struct vm_fault - a fault
 * @vma: where
 * @flags: FAULT_FLAG_WRITE
 * @pgoff: page of the file
 * @address: in the area
 */
struct vm_fault {
	struct vm_area_struct *vma;
	unsigned int flags;
	unsigned long pgoff;
	unsigned long address;
};

#define dax_iomap_fault dax_kernel_iomap_fault

/**
 * dax_kernel_iomap_fault() - dax_iomap_fault(): one fault, of one order
 * @vmf: fault
 * @order: 0 or PMD_ORDER; others fall back
 * @pfn: the page that is shown now, if any; may be NULL
 * @error: what iomap_begin() said last; may be NULL
 * @ops: those of the inode
 *
 * Differs: takes the locks of the address space and of the file's
 * invalidation itself, so hold none; VM_FAULT_NEEDDSYNC is never returned.
 *
 * Return: VM_FAULT_NOPAGE and so on; VM_FAULT_FALLBACK: try order 0.
 */
vm_fault_t dax_kernel_iomap_fault(struct vm_fault *vmf, unsigned int order,
	pfn_t *pfn, int *error, const struct iomap_ops *ops);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif

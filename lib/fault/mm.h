/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Address spaces. mm.c and vma.c have the areas, table.c the page table;
 * fault.c decides what kind of fault it is (mm/memory.c in the kernel);
 * iomap.c, fill.c and sync.c are the DAX part (fs/dax.c); access.c is the
 * processor.
 */
#ifndef FAULT_MM_H
#define FAULT_MM_H

#include "base/check.h"
#include "base/sync.h"
#include "daxlock/fault.h"
#include "daxlock/writeback.h"
#include "space/space.h"

#define PMD_PAGES ((uint64_t)1 << DAX_PMD_ORDER)
#define PMD_BYTES (PMD_PAGES << DAX_PAGE_SHIFT)

static inline uint64_t leaf_bytes(unsigned int order)
{
	return DAX_PAGE_SIZE << order;
}

/* Where the leaf of @order begins that @address is in. */
static inline uint64_t leaf_start(uint64_t address, unsigned int order)
{
	return address & -leaf_bytes(order);
}

/* ---- areas ---- */

struct vma {
	struct space_view view;	 /* first: a view is its area */
	struct dax_mm *mm;	 /* const after init */
	struct dax_space *space; /* const after init */
	/* written under MMAP alone, and I_MMAP where view.range follows them */
	uint64_t start;
	uint64_t end;
	dax_pgoff_t first;  /* page of the file at start */
	unsigned int flags; /* written under MMAP alone, read under it */
	bool has_copies;    /* guarded by page_lock */
	struct vma *next;   /* written under MMAP alone; sorted */
};

static inline dax_pgoff_t vma_index(const struct vma *vma, uint64_t address)
{
	return vma->first + ((address - vma->start) >> DAX_PAGE_SHIFT);
}

static inline struct space_range vma_pages(
	const struct vma *vma, uint64_t start, uint64_t end)
{
	return (struct space_range){
		vma_index(vma, start), vma_index(vma, end - 1)};
}

/* ---- page tables ---- */

/* A page that one or, after a fork, more address spaces have copied. */
struct copy {
	/* Relaxed: whoever drops the last reference, or finds itself alone,
	 * holds the page_lock under which its own leaf shows the copy. */
	struct sync_u64 refs;
	char bytes[DAX_PAGE_SIZE];
};

/* What a leaf may be besides enum dax_leaf_flags, as far as pins go. */
enum leaf_flags {
	LEAF_COUNTED = 1 << 7,	/* its pages can be pinned, */
	LEAF_LONGTERM = 1 << 8, /* and for as long as somebody likes */
};

struct leaf {
	unsigned int flags; /* both enums; 0: none */
	uint64_t pfn;	    /* of the device; 0: none of it */
	char *address;	    /* the bytes it shows */
	struct copy *copy;  /* of DAX_LEAF_COPY */
};

/*
 * Nothing, a leaf, or a table of PMD_PAGES cells of the next smaller order.
 * Guarded by page_lock but for what is shown to pins, which take no lock. A
 * table stays while its address space does; and addresses are not used again,
 * so a cell is of one space for ever, and of one device.
 */
struct cell {
	struct leaf leaf;
	struct cell *table;
	/* The table; or a leaf whose pages are counted, and their number; or 0:
	 * see cell_show(). The rest is of that leaf, or of an earlier one. */
	struct sync_u64 shown;
	struct sync_u64 bytes;
	struct sync_u64 pgmap;
};

/* The largest cells, in a hash. */
struct pud {
	uint64_t start;	  /* const after init; an address */
	struct pud *next; /* const after init */
	struct cell cell;
};

#define PUD_BUCKETS 64

struct dax_mm {
	const struct dax_profile *profile; /* const after init */
	struct rwsem lock;		   /* MMAP */
	struct vma *vmas;		   /* written under MMAP alone */
	uint64_t next_start;		   /* guarded by MMAP alone */

	struct sync_lock page_lock; /* PTE */
	/* written under page_lock; stay until the end */
	struct sync_u64 puds[PUD_BUCKETS];
	char *huge_zero; /* guarded by page_lock; a PMD */
};

struct vma *mm_find_vma(struct dax_mm *mm, uint64_t address);

/* mm.c: to and from the list of @vma's address space, and its space's views.
 * Hold MMAP alone. */
void vma_add(struct vma *vma);
void vma_remove(struct vma *vma);
/* For @mm; not added yet. NULL: no memory. */
struct vma *vma_copy(const struct vma *vma, struct dax_mm *mm);

/* What is at an address: a leaf, or none (its flags are 0). The order that it
 * has, or that a leaf may have there which needs no new table. */
unsigned int table_look(struct dax_mm *mm, uint64_t address, struct leaf *leaf);

/* A leaf as it was shown to who holds no lock. */
struct shown {
	const struct cell *cell;
	uint64_t word; /* 0: nothing to pin; else number and flags */
	uint64_t skip; /* bytes from where it begins */
};

struct shown table_shown(const struct dax_mm *mm, uint64_t address);
bool table_still_shows(const struct shown *shown);

/* The leaf that @address goes through, or NULL; and how many bytes into it.
 * Holds page_lock. */
struct leaf *table_leaf_locked(
	struct dax_mm *mm, uint64_t address, uint64_t *skip);

/* 0; -ENOMEM. A leaf that is there is kept, but made writable if @leaf is and
 * shows the same; where a larger or smaller one is, nothing happens. @leaf's
 * copy is taken over only if it was set (true). */
int table_set(struct vma *vma, uint64_t address, unsigned int order,
	struct leaf leaf, bool *set);

/* The zero page of a PMD; NULL: no memory. */
char *table_huge_zero(struct dax_mm *mm);

/* All leaves that reach into the range; a large one as a whole. */
void table_zap(struct dax_mm *mm, uint64_t start, uint64_t end,
	enum dax_truncate_mode mode);
/* A file's large leaf is not split into smaller ones: it goes, and faults will
 * bring them. The one that @address is in; the one that begins before it. */
void table_split(struct dax_mm *mm, uint64_t address);
void table_split_at(struct dax_mm *mm, uint64_t address);
void table_write_protect(struct dax_mm *mm, uint64_t start, uint64_t end);
void table_change_protection(
	struct vma *vma, uint64_t start, uint64_t end, enum dax_prot prot);
int table_copy(struct vma *from, struct vma *to);
void table_free(struct dax_mm *mm);

/* A private store to a page that is shown read-only. */
int table_copy_page(struct vma *vma, uint64_t address);

struct copy *copy_new(void);
void copy_put(struct copy *copy);

/* @address: where the leaf begins. */
typedef void table_visit(
	void *context, uint64_t address, struct leaf *leaf, unsigned int order);

/* Calls @visit for each leaf. Nobody else uses the page table. */
void table_for_each(struct dax_mm *mm, table_visit *visit, void *context);

/* ---- faults ---- */

struct fault {
	struct vma *vma;
	uint64_t address; /* of the page */
	dax_pgoff_t index;
	unsigned int order;
	bool store;
	bool mkwrite;	   /* of a page that is shown read-only */
	struct copy *copy; /* to fill, for a private store */
	enum dax_cause cause;

	/* While the entry is locked. */
	dax_entry_t entry;
	uint64_t pfn; /* that was inserted; 0: none was */
	int error;    /* of the file system */
};

static inline uint64_t fault_pages(const struct fault *f)
{
	return (uint64_t)1 << f->order;
}

/* The first page of what it is about. */
static inline dax_pgoff_t fault_first(const struct fault *f)
{
	return f->index & -fault_pages(f);
}

static inline bool fault_is_write(const struct fault *f)
{
	return f->store && !f->copy;
}

/* Results are of enum dax_fault. */

/* iomap.c: holds MMAP. */
unsigned int iomap_fault(struct fault *f, unsigned int order);
void fault_trace(
	const struct fault *f, enum dax_trace_id id, unsigned int result);
void fault_unlock(struct fault *f);

/* fill.c: the entry is locked. *@new: the file has made the block for us. */
unsigned int fault_with_iomap(struct fault *f, unsigned int *new);
unsigned int fault_insert_pfn(struct fault *f, uint64_t pfn, char *address);
unsigned int fault_of_errno(int error);
/* By the file system or the device: a PMD falls back to PTEs, if the space has
 * any. */
unsigned int fault_refused(struct fault *f, int error);

/* access.c: the errno of an access that faulted so; 0: it may be tried again.
 */
int fault_errno(unsigned int result);

/* sync.c: for NEEDDSYNC; holds INVALIDATE. */
unsigned int fault_finish_sync(struct fault *f);

#include "fault/deviate.h"

#endif

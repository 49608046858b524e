/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SPACE_SPACE_H
#define SPACE_SPACE_H

#include "base/check.h"
#include "base/sync.h"
#include "daxlock/space.h"
#include "daxlock/tree.h"
#include "space/rwsem.h"
#include "trace/trace.h"

/* Pages of a file, of an area or of a call. */
struct space_range {
	dax_pgoff_t first;
	dax_pgoff_t last; /* inclusive */
};

struct space_view;

struct space_view_ops {
	/* No page of @range is in the view's page table on return. */
	void (*unmap)(struct space_view *view, struct space_range range,
		enum dax_truncate_mode mode);
	/* No page of @range can be stored to without a fault. */
	void (*write_protect)(
		struct space_view *view, struct space_range range);
};

/* Something that shows pages of a space: a virtual memory area embeds one.
 * The operations are called with I_MMAP held and a range inside the view. */
struct space_view {
	const struct space_view_ops *ops; /* const while it is added */
	struct space_range range; /* guarded by i_mmap while it is added */
	struct space_view *next;  /* guarded by i_mmap */
};

struct dax_space {
	struct dax_mapping *mapping;	   /* const after init */
	const struct dax_space_ops *ops;   /* const after init */
	void *owner;			   /* const after init */
	struct dax_space_limits limits;	   /* const after init */
	uint64_t ino;			   /* const after init */
	const struct dax_profile *profile; /* const after init */
	struct dax_trace *trace;	   /* const after init */
	struct dax_pgmap *pgmap;	   /* const after init; NULL: none */
	struct rwsem invalidate;
	bool is_dead; /* written under invalidate alone, read under it */
	struct sync_lock i_mmap;
	struct space_view *views; /* guarded by i_mmap */
	/* Relaxed: an errno that nothing else depends on; 0: none to report. */
	struct sync_u64 wb_error;
};

void space_add_view(struct dax_space *space, struct space_view *view);
void space_remove_view(struct dax_space *space, struct space_view *view);
void space_resize_view(struct dax_space *space, struct space_view *view,
	struct space_range range);
bool space_is_shown(struct dax_space *space);
bool space_is_dead(struct dax_space *space);

/* dax_break_layouts() of all there is, however long it takes. */
void space_break_for_good(struct dax_space *space);
/* No page of the file is in any page table. */
void space_unmap_all(struct dax_space *space);
/* What the range had is others', and it has other storage now: page tables and
 * entries go, pinned or not. INVALIDATE held. */
void space_forget_moved(struct dax_space *space, struct space_range range);

void space_unmap(struct dax_space *space, struct space_range range,
	enum dax_truncate_mode mode);
void space_write_protect(struct dax_space *space, struct space_range range);
/* Blocks that are written may be shown as zero pages, as long as they are all
 * zeros. That ends: no page table shows a zero page of @range any more. */
void space_hide_zero_pages(struct dax_space *space, struct space_range range);

#include "space/deviate.h"

static inline uint64_t space_size(const struct dax_space *space)
{
	return space->ops->size(space->owner);
}

/* Pages in the file, a last partial one included. */
static inline uint64_t space_pages(const struct dax_space *space)
{
	const uint64_t size = space_size(space);

	return (size >> DAX_PAGE_SHIFT) + (size % DAX_PAGE_SIZE != 0);
}

/* ---- bytes.c: what stands in the device, byte for byte ---- */

/* Where byte @offset of @storage is; @storage begins a page. */
void *space_bytes_at(void *storage, uint64_t offset);
/* Bytes that several threads may touch at once, through any page table. A
 * word is never torn; @storage is in the device, @bytes is the caller's. */
void space_bytes_store(void *storage, const void *bytes, size_t len);
void space_bytes_load(const void *storage, void *bytes, size_t len);
void space_bytes_zero(void *storage, size_t len);
/* Both in the device. */
void space_bytes_copy(void *to, const void *from, size_t len);
bool space_bytes_equal(const void *a, const void *b, size_t len);

#endif

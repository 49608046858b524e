/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: daxlock/kernel_xarray.h - the kernel's names, for an XArray
 *
 * Entries by index, and positions among them. Behind it are a tree of
 * daxlock/tree.h and a spinlock.
 *
 * Part of daxlock/kernel.h, which includes it and says what the names are.
 */
#ifndef DAXLOCK_KERNEL_XARRAY_H
#define DAXLOCK_KERNEL_XARRAY_H

#include <daxlock/kernel.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/* ---- entries of an XArray ---- */

/** xa_mk_value() - @value, below 2^51, as an entry */
static inline void *xa_mk_value(unsigned long value)
{
	return (void *)(value << 1 | 1);
}

static inline unsigned long xa_to_value(const void *entry)
{
	return (unsigned long)entry >> 1;
}

static inline bool xa_is_value(const void *entry)
{
	return (unsigned long)entry & 1;
}

/** xa_mk_internal() - not to be stored; for results that are not entries */
static inline void *xa_mk_internal(unsigned long value)
{
	return (void *)(value << 2 | 2);
}

static inline unsigned long xa_to_internal(const void *entry)
{
	return (unsigned long)entry >> 2;
}

static inline bool xa_is_internal(const void *entry)
{
	return ((unsigned long)entry & 3) == 2;
}

#define XA_RETRY_ENTRY xa_mk_internal(256)

static inline bool xa_is_retry(const void *entry)
{
	return unlikely(entry == XA_RETRY_ENTRY);
}

/** xa_err() - the errno in what xa_store() and xa_erase() return, or 0 */
static inline int xa_err(const void *entry)
{
	const long error = (long)entry >> 2;

	return xa_is_internal(entry) && error < 0 ? (int)error : 0;
}

static inline bool xa_is_err(const void *entry)
{
	return xa_err(entry) != 0;
}

typedef unsigned int xa_mark_t;

/* There is no XA_MARK_1: the tree has two. */
#define XA_MARK_0	      ((xa_mark_t)0)
#define XA_MARK_2	      ((xa_mark_t)2)
#define PAGECACHE_TAG_DIRTY   XA_MARK_0
#define PAGECACHE_TAG_TOWRITE XA_MARK_2

/* ---- the XArray ---- */

/**
 * struct xarray - entries by index; ready when it is all zeros
 * @xa_lock: for those who look at it; take it by xa_lock()
 *
 * Entries are values, or pointers whose lowest two bits are 0, of at most 52
 * bits. They cover 1, 2^PMD_ORDER or 2^PUD_ORDER indices.
 */
struct xarray {
	spinlock_t xa_lock;
	/* private: */
	uint64_t epoch;
	uint64_t tree[8];
};

#define XARRAY_INIT(name, flags)                                               \
	{                                                                      \
		.xa_lock = { {0} }                                             \
	}
#define DEFINE_XARRAY(name)	 struct xarray name = XARRAY_INIT(name, 0)

#define XA_FLAGS_LOCK_IRQ	 0u
#define XA_FLAGS_ACCOUNT	 0u
#define xa_init_flags(xa, flags) ((void)(flags), xa_init(xa))

#define xa_init			 dax_kernel_xa_init
#define xa_destroy		 dax_kernel_xa_destroy
#define xa_lock(xa)		 dax_kernel_xa_lock(xa)
#define xa_unlock(xa)		 dax_kernel_xa_unlock(xa)
#define xa_load			 dax_kernel_xa_load
#define xa_get_order		 dax_kernel_xa_get_order
#define xa_get_mark		 dax_kernel_xa_get_mark
#define xa_marked		 dax_kernel_xa_marked
#define xa_empty		 dax_kernel_xa_empty
#define xa_store(xa, index, entry, gfp)                                        \
	((void)(gfp), dax_kernel_xa_store(xa, index, entry))
#define xa_erase(xa, index)		xa_store(xa, index, NULL, 0)

#define xa_lock_irq(xa)			xa_lock(xa)
#define xa_unlock_irq(xa)		xa_unlock(xa)
#define xa_lock_bh(xa)			xa_lock(xa)
#define xa_unlock_bh(xa)		xa_unlock(xa)
#define xa_lock_irqsave(xa, flags)	((flags) = 0, xa_lock(xa))
#define xa_unlock_irqrestore(xa, flags) ((void)(flags), xa_unlock(xa))

/** dax_kernel_xa_init() - an array without entries */
void dax_kernel_xa_init(struct xarray *xa);

/** dax_kernel_xa_destroy() - forget all entries and free what they took; no
 * lock held */
void dax_kernel_xa_destroy(struct xarray *xa);

/** dax_kernel_xa_lock() - take the lock of an array, and give it back */
void dax_kernel_xa_lock(struct xarray *xa);
void dax_kernel_xa_unlock(struct xarray *xa);

/** dax_kernel_xa_load() - the entry that covers @index, or NULL; needs no lock
 */
void *dax_kernel_xa_load(struct xarray *xa, unsigned long index);

/** dax_kernel_xa_get_order() - the order of that entry; 0: or none; no lock */
int dax_kernel_xa_get_order(struct xarray *xa, unsigned long index);

/** dax_kernel_xa_get_mark() - has that entry a mark; no lock */
bool dax_kernel_xa_get_mark(
	struct xarray *xa, unsigned long index, xa_mark_t mark);

/** dax_kernel_xa_marked() - has any entry a mark; no lock */
bool dax_kernel_xa_marked(const struct xarray *xa, xa_mark_t mark);

/** dax_kernel_xa_empty() - is there no entry; no lock */
bool dax_kernel_xa_empty(const struct xarray *xa);

/**
 * dax_kernel_xa_store() - xas_store() under the lock, until there is memory
 *
 * Called with GFP flags, too. xa_erase() stores NULL.
 *
 * Return: the old entry, or what xa_err() knows.
 */
void *dax_kernel_xa_store(struct xarray *xa, unsigned long index, void *entry);

/* ---- positions in an XArray ---- */

struct xa_node;

/**
 * struct xa_state - a position; on the stack
 * @xa: array
 * @xa_index: where it is
 * @xa_node: XAS_RESTART, XAS_BOUNDS (a search is over), XA_ERROR() or a place
 *
 * Every call needs the lock of @xa. Differs: the kernel's rcu_read_lock() is
 * not enough; there are no nodes to look at.
 */
struct xa_state {
	struct xarray *xa;
	unsigned long xa_index;
	struct xa_node *xa_node;
	/* private: */
	unsigned int order;
	unsigned long last; /* that the place covers */
	uint64_t epoch;	    /* in which the place was found */
};

#define XAS_RESTART	((struct xa_node *)0)
#define XAS_BOUNDS	((struct xa_node *)1)
#define XA_ERROR(error) ((struct xa_node *)(long)(error))

#define XA_STATE(name, array, index)                                           \
	struct xa_state name = {.xa = (array), .xa_index = (index)}
#define XA_STATE_ORDER(name, array, index, order_)                             \
	struct xa_state name = {                                               \
		.xa = (array),                                                 \
		.xa_index = (index) >> (order_) << (order_),                   \
		.order = (order_),                                             \
	}

#define xas_lock(xas)			  xa_lock((xas)->xa)
#define xas_unlock(xas)			  xa_unlock((xas)->xa)
#define xas_lock_irq(xas)		  xa_lock((xas)->xa)
#define xas_unlock_irq(xas)		  xa_unlock((xas)->xa)
#define xas_lock_bh(xas)		  xa_lock((xas)->xa)
#define xas_unlock_bh(xas)		  xa_unlock((xas)->xa)
#define xas_lock_irqsave(xas, flags)	  xa_lock_irqsave((xas)->xa, flags)
#define xas_unlock_irqrestore(xas, flags) xa_unlock_irqrestore((xas)->xa, flags)

static inline int xas_error(const struct xa_state *xas)
{
	const long error = (long)xas->xa_node;

	return error < 0 ? (int)error : 0;
}

static inline void xas_set_err(struct xa_state *xas, long error)
{
	xas->xa_node = XA_ERROR(error);
}

/** xas_invalid() - has no place: restarts, is over, or has an error */
static inline bool xas_invalid(const struct xa_state *xas)
{
	return xas->xa_node == XAS_RESTART || xas->xa_node == XAS_BOUNDS ||
	       xas_error(xas);
}

static inline bool xas_valid(const struct xa_state *xas)
{
	return !xas_invalid(xas);
}

/** xas_reset() - forget the place, and an error; before the lock is taken */
static inline void xas_reset(struct xa_state *xas)
{
	xas->xa_node = XAS_RESTART;
}

static inline void xas_set(struct xa_state *xas, unsigned long index)
{
	xas->xa_index = index;
	xas_reset(xas);
}

static inline void xas_set_order(
	struct xa_state *xas, unsigned long index, unsigned int order)
{
	xas_set(xas, index >> order << order);
	xas->order = order;
}

/** xas_retry() - did a reader without a lock meet a change? Never here. */
static inline bool xas_retry(struct xa_state *xas, const void *entry)
{
	if (!xa_is_retry(entry))
		return false;
	xas_reset(xas);
	return true;
}

#define xas_load	    dax_kernel_xas_load
#define xas_store	    dax_kernel_xas_store
#define xas_find	    dax_kernel_xas_find
#define xas_find_marked	    dax_kernel_xas_find_marked
#define xas_find_conflict   dax_kernel_xas_find_conflict
#define xas_pause	    dax_kernel_xas_pause
#define xas_get_mark	    dax_kernel_xas_get_mark
#define xas_set_mark	    dax_kernel_xas_set_mark
#define xas_clear_mark	    dax_kernel_xas_clear_mark
#define xas_next_entry	    xas_find
#define xas_next_marked	    xas_find_marked
#define xas_nomem(xas, gfp) ((void)(gfp), dax_kernel_xas_nomem(xas))

/**
 * dax_kernel_xas_load() - the entry at the index
 *
 * Return: NULL also when it is smaller than the state.
 */
void *dax_kernel_xas_load(struct xa_state *xas);

/**
 * dax_kernel_xas_store() - put an entry at the index, or, if it is NULL, remove
 *
 * Replaces the entry that covers the index as a whole, with its marks, if it
 * is at least as large as the state. Otherwise puts one of the state's order
 * there; removes all that the state covers. The error of the state is -ENOMEM:
 * xas_nomem(); -EINVAL: no such entry or order; -EEXIST: smaller entries are
 * there. Differs: the kernel replaces those.
 *
 * Return: the entry that covered the index.
 */
void *dax_kernel_xas_store(struct xa_state *xas, void *entry);

/**
 * dax_kernel_xas_find() - the next entry
 * @xas: state; a search begins at its index, and moves it
 * @max: the last index of the search
 *
 * Return: NULL: there is none.
 */
void *dax_kernel_xas_find(struct xa_state *xas, unsigned long max);

/** dax_kernel_xas_find_marked() - the next entry that has a mark */
void *dax_kernel_xas_find_marked(
	struct xa_state *xas, unsigned long max, xa_mark_t mark);

/**
 * dax_kernel_xas_find_conflict() - the next entry in the range that the state
 * covers
 *
 * Does not move the index, at which xas_store() and the marks work.
 */
void *dax_kernel_xas_find_conflict(struct xa_state *xas);

/** dax_kernel_xas_pause() - in a search, before the lock is dropped: go on
 * behind */
void dax_kernel_xas_pause(struct xa_state *xas);

/** dax_kernel_xas_get_mark() - has the entry at the place a mark */
bool dax_kernel_xas_get_mark(const struct xa_state *xas, xa_mark_t mark);

/** dax_kernel_xas_set_mark() - give or take it; without a place, nothing */
void dax_kernel_xas_set_mark(const struct xa_state *xas, xa_mark_t mark);
void dax_kernel_xas_clear_mark(const struct xa_state *xas, xa_mark_t mark);

/**
 * dax_kernel_xas_nomem() - is there memory now, for what had none?
 *
 * Without the lock. Tries to get as much as a node takes, and if it does,
 * gives it back and has the state forget its error.
 *
 * Return: true: try again.
 */
bool dax_kernel_xas_nomem(struct xa_state *xas);

#define xas_for_each(xas, entry, max)                                          \
	for (entry = xas_find(xas, max); entry;                                \
		entry = xas_next_entry(xas, max))
#define xas_for_each_marked(xas, entry, max, mark)                             \
	for (entry = xas_find_marked(xas, max, mark); entry;                   \
		entry = xas_next_marked(xas, max, mark))
#define xas_for_each_conflict(xas, entry)                                      \
	while ((entry = xas_find_conflict(xas)))

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif

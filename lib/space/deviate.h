/* SPDX-License-Identifier: BSD-3-Clause */
/* What a space does, or what it does instead when it is told to err; as in
 * mapping/deviate.h. Included by space/space.h. */
#ifndef SPACE_DEVIATE_H
#define SPACE_DEVIATE_H

/* The entries of @range have just been, or are about to be, dropped. */
static inline void unmap_before(
	struct dax_space *space, struct space_range range)
{
	if (SYNC_DEVIATION(unmap_before_delete))
		space_unmap(space, range, DAX_TRUNCATE_KEEP_COPIES);
}

static inline bool unmaps_after(void)
{
	return !SYNC_DEVIATION(unmap_before_delete) &&
	       !SYNC_DEVIATION(no_unmap);
}

/* Of all that show a file, whoever did so last. */
static inline bool stops_at_first_view(void)
{
	return SYNC_DEVIATION(unmap_one_mm);
}

static inline enum dax_truncate_mode unmap_mode(void)
{
	return SYNC_DEVIATION(even_cows) ? DAX_TRUNCATE_ALL
					 : DAX_TRUNCATE_KEEP_COPIES;
}

/* ---- pins, which are looked for after nobody can take a new one ---- */

static inline bool zaps_first(void)
{
	return SYNC_DEVIATION(check_before_unmap);
}

static inline bool skips_pins(
	struct dax_space *space, const struct dax_break *how)
{
	return (SYNC_DEVIATION(range_end_zero) && how->last == UINT64_MAX) ||
	       (SYNC_DEVIATION(skip_unmapped) && !space_is_shown(space));
}

static inline bool drops_first(void)
{
	return SYNC_DEVIATION(drop_entry_first);
}

static inline bool trusts_the_wake(void)
{
	return SYNC_DEVIATION(recheck_missing);
}

static inline bool waits_at_the_end(void)
{
	return !SYNC_DEVIATION(evict_nowait);
}

/* ---- eviction ---- */

static inline bool evicts_shown(void)
{
	return SYNC_DEVIATION(drop_mapped);
}

/* No: it may be done for whoever has the pins. */
static inline bool eviction_waits(const struct dax_space *space)
{
	return SYNC_DEVIATION(evict_waits_on_self) && space->pgmap;
}

/* ---- the end of a device ---- */

/* Faults hold INVALIDATE from before they look whether the space is dead. */
static inline enum rwsem_mode kill_mode(void)
{
	return SYNC_DEVIATION(lock_removed) ? RWSEM_SHARED : RWSEM_ALONE;
}

#endif

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

static inline bool evicts_shown(void)
{
	return SYNC_DEVIATION(drop_mapped);
}

#endif

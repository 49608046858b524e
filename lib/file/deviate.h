/* SPDX-License-Identifier: BSD-3-Clause */
/* What a file system does, or what it does instead when it is told to err; as
 * in mapping/deviate.h. Included by file/file.h. */
#ifndef FILE_DEVIATE_H
#define FILE_DEVIATE_H

/* Calls that change a file keep others out, writes too. */
static inline enum rwsem_mode write_mode(void)
{
	return SYNC_DEVIATION(write_shared_lock) ? RWSEM_SHARED : RWSEM_ALONE;
}

/* Before there is a block: a fault would find the hole again. */
static inline void invalidate_early(
	struct dax_file *file, const struct dax_iomap *iomap)
{
	const dax_pgoff_t first = iomap->pos >> DAX_PAGE_SHIFT;

	if (SYNC_DEVIATION(inval_early))
		dax_invalidate_inode_pages2_range(file->space, first,
			first + (iomap->len >> DAX_PAGE_SHIFT) - 1);
}

static inline bool invalidates_late(void)
{
	return !SYNC_DEVIATION(inval_early);
}

/* Entries that name what has moved go, clean or not. */
static inline bool keeps_dirty_entries(void)
{
	return SYNC_DEVIATION(cow_keeps_slot);
}

/* Nobody can store to what is compared. */
static inline bool breaks_first(void)
{
	return !SYNC_DEVIATION(compare_shown);
}

/* What was read from blocks that have been given back is read again. */
static inline bool reads_again(void)
{
	return !SYNC_DEVIATION(read_once);
}

#endif

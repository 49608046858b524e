/* SPDX-License-Identifier: BSD-3-Clause */
/* What a fault does, or what it does instead when it is told to err; as in
 * mapping/deviate.h. Included by fault/mm.h. */
#ifndef FAULT_DEVIATE_H
#define FAULT_DEVIATE_H

/* ---- page tables ---- */

/* What is there now, not what was there before the entry was locked. */
static inline bool looks_at_table_again(void)
{
	return !SYNC_DEVIATION(norecheck);
}

static inline bool upgrades(void)
{
	return !SYNC_DEVIATION(insert_skips_existing);
}

/* Or the fallback would meet the PMD leaf again. */
static inline void split_for_fallback(const struct fault *f)
{
	if (!SYNC_DEVIATION(fallback_nosplit))
		table_split(f->vma->mm, f->address);
}

static inline bool protects_large(void)
{
	return !SYNC_DEVIATION(mkclean_skip);
}

/* ---- pins ---- */

/* The page is the one that the leaf shows when it is pinned. */
static inline bool leaf_is_there(const struct shown *shown)
{
	return SYNC_DEVIATION(gup_norecheck) || table_still_shows(shown);
}

static inline bool pins_for_writing(const struct dax_pin_params *params)
{
	return params->flags & DAX_PIN_WRITE &&
	       !SYNC_DEVIATION(gup_ignores_write_bit);
}

/* Of storage that can be taken away. */
static inline bool refuses_longterm(const struct dax_space *space)
{
	return !space->limits.longterm_pins &&
	       !SYNC_DEVIATION(longterm_allowed);
}

/* ---- order ---- */

static inline bool keeps_blocks(void)
{
	return !SYNC_DEVIATION(no_fault_vs_truncate_lock);
}

/* No kill begins until the fault is over. */
static inline void keep_alive(struct dax_space *space)
{
	if (SYNC_DEVIATION(no_dev_ref)) {
		rwsem_release(&space->invalidate, RWSEM_SHARED);
		rwsem_acquire(&space->invalidate, RWSEM_SHARED);
	}
}

/* The entry has been locked since before the file was asked for the block. */
static inline void keep_asked(struct fault *f)
{
	struct dax_mapping *mapping = f->vma->space->mapping;

	if (!(f->order ? SYNC_DEVIATION(pmd_iomap_early)
		       : SYNC_DEVIATION(iomap_early)))
		return;
	fault_unlock(f);
	if (dax_grab_mapping_entry(mapping, f->index, f->order, &f->entry))
		f->entry = 0;
}

/* It stays locked until the leaf is set. */
static inline void keep_until_set(struct fault *f)
{
	if (fault_is_write(f) ? SYNC_DEVIATION(pte_after_unlock)
			      : SYNC_DEVIATION(map_after_unlock))
		fault_unlock(f);
}

/* Whatever can be stored to. */
static inline bool tags(const struct fault *f)
{
	return fault_is_write(f) && !(SYNC_DEVIATION(no_tag) && f->mkwrite);
}

#endif

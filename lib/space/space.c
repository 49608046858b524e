/* SPDX-License-Identifier: BSD-3-Clause */
#include "space/space.h"

#include <errno.h>

static void unmap_entry(void *owner, dax_pgoff_t index, uint64_t nr)
{
	dax_unmap_mapping_pages(owner, index, nr);
}

static const struct dax_mapping_ops mapping_ops = {.unmap = unmap_entry};

static const struct dax_space_limits limits_of_a_file = {
	.max_order = DAX_PMD_ORDER,
};

int dax_space_new(const struct dax_space_params *params, struct dax_space **out)
{
	const struct dax_profile *profile = params->profile;
	struct dax_space *space;
	int error;

	DAX_REQUIRE(params->ops && out);
	*out = NULL;
	space = sync_alloc(sizeof(*space), _Alignof(struct dax_space));
	if (!space)
		return -ENOMEM;
	space->ops = params->ops;
	space->owner = params->owner;
	space->limits = params->limits ? *params->limits : limits_of_a_file;
	space->ino = params->ino;
	space->profile = profile ? profile : dax_profile_find(NULL);
	space->trace = params->trace;
	space->pgmap = params->pgmap;
	rwsem_init(&space->invalidate, RANK_INVALIDATE);
	sync_lock_init(&space->i_mmap, RANK_I_MMAP);
	error = dax_mapping_new(
		&(struct dax_mapping_params){
			.waitqs = params->waitqs,
			.ops = &mapping_ops,
			.owner = space,
			.stats = params->stats,
			.pgmap = params->pgmap,
		},
		&space->mapping);
	if (error) {
		sync_free(space);
		return error;
	}
	*out = space;
	return 0;
}

static void wait_for_pins(struct dax_space *space)
{
	dax_filemap_invalidate_lock(space);
	if (waits_at_the_end())
		space_break_for_good(space);
	dax_filemap_invalidate_unlock(space);
}

void dax_space_delete(struct dax_space **space)
{
	DAX_REQUIRE(space);
	if (!*space)
		return;
	DAX_REQUIRE(!(*space)->views);
	if ((*space)->pgmap)
		wait_for_pins(*space);
	dax_mapping_delete(&(*space)->mapping);
	sync_free(*space);
	*space = NULL;
}

struct dax_mapping *dax_space_mapping(struct dax_space *space)
{
	DAX_REQUIRE(space);
	return space->mapping;
}

void dax_filemap_invalidate_lock(struct dax_space *space)
{
	DAX_REQUIRE(space);
	rwsem_acquire(&space->invalidate, RWSEM_ALONE);
}

void dax_filemap_invalidate_unlock(struct dax_space *space)
{
	DAX_REQUIRE(space);
	rwsem_release(&space->invalidate, RWSEM_ALONE);
}

void dax_truncate_pagecache_range(struct dax_space *space, dax_pgoff_t first,
	dax_pgoff_t last, enum dax_truncate_mode mode)
{
	const struct space_range range = {first, last};

	DAX_REQUIRE(space && first <= last);
	rwsem_assert_held(&space->invalidate);
	space_unmap(space, range, mode);
	dax_delete_mapping_range(space->mapping, first, last);
}

static void invalidate_entries(
	struct dax_space *space, dax_pgoff_t first, dax_pgoff_t last)
{
	struct dax_xas xas;
	uint64_t word;

	dax_xas_init(&xas, dax_mapping_tree(space->mapping), first, last);
	dax_xas_for_each (&xas, word)
		dax_invalidate_mapping_entry_sync(space->mapping, xas.index);
}

void dax_invalidate_inode_pages2_range(
	struct dax_space *space, dax_pgoff_t first, dax_pgoff_t last)
{
	DAX_REQUIRE(space && first <= last);
	if (!dax_mapping_nrpages(space->mapping))
		return;
	unmap_before(space, (struct space_range){first, last});
	invalidate_entries(space, first, last);
	/* After the entries: a fault that ran before them may have mapped what
	 * it found, one that runs after them finds the new blocks. */
	if (unmaps_after())
		dax_unmap_mapping_pages(space, first, last - first + 1);
}

/* Faults hold INVALIDATE from before they look at it to their end. */
void dax_space_kill(struct dax_space *space)
{
	DAX_REQUIRE(space);
	rwsem_acquire(&space->invalidate, kill_mode());
	space->is_dead = true;
	if (space->pgmap)
		space_break_for_good(space);
	dax_truncate_pagecache_range(space, 0, UINT64_MAX, DAX_TRUNCATE_ALL);
	rwsem_release(&space->invalidate, kill_mode());
}

bool space_is_dead(struct dax_space *space)
{
	bool is_dead;

	rwsem_acquire(&space->invalidate, RWSEM_SHARED);
	is_dead = space->is_dead;
	rwsem_release(&space->invalidate, RWSEM_SHARED);
	return is_dead;
}

/* The entry is locked, so that no fault is about to show what it found. */
static void hide_zero_page(struct dax_space *space, dax_pgoff_t index)
{
	dax_entry_t entry;

	if (dax_lock_entry(space->mapping, index, &entry))
		return;
	if (dax_is_zero_entry(entry))
		space_unmap(space, (struct space_range){index, index},
			DAX_TRUNCATE_KEEP_COPIES);
	dax_unlock_entry(space->mapping, index, entry);
}

void space_hide_zero_pages(struct dax_space *space, struct space_range range)
{
	struct dax_xas xas;
	uint64_t word;

	dax_xas_init(&xas, dax_mapping_tree(space->mapping), range.first,
		range.last);
	dax_xas_for_each (&xas, word)
		hide_zero_page(space, xas.index);
}

void dax_space_evict(struct dax_space *space)
{
	DAX_REQUIRE(space);
	dax_filemap_invalidate_lock(space);
	if (eviction_waits(space))
		space_break_for_good(space);
	if (!space_is_shown(space) || evicts_shown())
		invalidate_entries(space, 0, UINT64_MAX);
	dax_filemap_invalidate_unlock(space);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Owners and their numbers. A number that is free holds the one that was given
 * back before it, tagged by its lowest bit; 0 was never given out. */
#include <errno.h>

#include "pgmap/pgmap.h"

/* ---- names ---- */

#define INDEX_MASK (((uint64_t)1 << DAX_PGMAP_INDEX_BITS) - 1)

/* Below 0, an index borrows from the number: a sum cannot tell. */
uint64_t owner_name(const struct dax_page_owner *owner, uint64_t offset)
{
	DAX_REQUIRE(owner->index <= INDEX_MASK);
	return ((uint64_t)owner->id << DAX_PGMAP_INDEX_BITS) + owner->index -
	       offset;
}

static struct dax_page_owner owner_of_name(uint64_t name, uint64_t offset)
{
	name += offset;
	return (struct dax_page_owner){
		.id = (uint32_t)(name >> DAX_PGMAP_INDEX_BITS),
		.index = name & INDEX_MASK,
	};
}

enum dax_page_owned dax_page_owner(const struct dax_pgmap *pgmap, uint64_t pfn,
	struct dax_page_owner *owner)
{
	struct head head, again;
	uint64_t name;

	DAX_REQUIRE(pgmap && owner);
	/* The sum is a name at the second look at the state, so it is one if it
	 * was the same before and after. */
	do {
		head = page_head(pgmap, pfn);
		if (state_owners(head.state) != 1)
			return state_owners(head.state) ? DAX_PAGE_OWNERS
							: DAX_PAGE_UNOWNED;
		/* [MO-11] A second name in it was counted before. */
		name = sync_load(&head.page->names, memory_order_acquire);
		again = page_head(pgmap, pfn);
		/* Relaxed: after the look at the state, which acquires. */
	} while (again.page != head.page || state_owners(again.state) != 1 ||
		 sync_load(&head.page->names, memory_order_relaxed) != name);
	if (!name)
		return DAX_PAGE_UNOWNED;
	*owner = owner_of_name(name, pfn - head.pfn);
	return DAX_PAGE_OWNED;
}

/* ---- numbers ---- */

#define CHUNK_FIRST ((uint64_t)1 << OWNER_CHUNK_SHIFT)

struct place {
	unsigned int chunk;
	uint64_t slot;
};

static struct place place_of(uint32_t id)
{
	const uint64_t at = id + CHUNK_FIRST;
	const unsigned int top = 63 - (unsigned int)__builtin_clzll(at);

	return (struct place){
		.chunk = top - OWNER_CHUNK_SHIFT,
		.slot = at - ((uint64_t)1 << top),
	};
}

/* NULL: no such number was given out. */
static struct sync_u64 *slot_of(const struct owners *owners, uint32_t id)
{
	const struct place place = place_of(id);
	struct sync_u64 *chunk;

	if (place.chunk >= OWNER_CHUNKS)
		return NULL;
	/* [MO-12] The chunk's contents before its address. */
	chunk = (struct sync_u64 *)(uintptr_t)sync_load(
		&owners->chunks[place.chunk], memory_order_acquire);
	return chunk ? &chunk[place.slot] : NULL;
}

void owners_init(struct owners *owners)
{
	sync_lock_init(&owners->lock, RANK_LEAF);
}

void owners_destroy(struct owners *owners)
{
	for (unsigned int i = 0; i < OWNER_CHUNKS; i++)
		sync_free((void *)(uintptr_t)sync_load(
			&owners->chunks[i], memory_order_relaxed));
}

static struct sync_u64 *add_chunk_locked(
	struct owners *owners, unsigned int chunk)
{
	struct sync_u64 *slots;

	sync_lock_assert_held(&owners->lock);
	slots = sync_alloc(sizeof(*slots) << (chunk + OWNER_CHUNK_SHIFT), 16);
	/* [MO-12] */
	sync_store(
		&owners->chunks[chunk], (uintptr_t)slots, memory_order_release);
	return slots;
}

/* A number that nobody has, or 0, and why. */
static uint32_t take_number_locked(struct owners *owners, int *error)
{
	const uint32_t next = owners->used + 1;
	const uint32_t free = owners->free;
	const struct place place = place_of(next);

	sync_lock_assert_held(&owners->lock);
	*error = 0;
	if (free) {
		/* Relaxed: written under the lock. */
		owners->free = (uint32_t)(sync_load(slot_of(owners, free),
						  memory_order_relaxed) >>
					  1);
		return free;
	}
	*error = -EMFILE;
	if (place.chunk >= OWNER_CHUNKS)
		return 0;
	*error = -ENOMEM;
	if (!slot_of(owners, next) && !add_chunk_locked(owners, place.chunk))
		return 0;
	*error = 0;
	owners->used = next;
	return next;
}

int dax_pgmap_add_owner(struct dax_pgmap *pgmap, void *object, uint32_t *id)
{
	struct owners *owners = &pgmap->owners;
	uint32_t number;
	int error;

	DAX_REQUIRE(pgmap && id);
	DAX_REQUIRE(object && !((uintptr_t)object & 1));
	sync_lock_acquire(&owners->lock);
	number = take_number_locked(owners, &error);
	if (number)
		/* [MO-12] What the object is, before it can be found. */
		sync_store(slot_of(owners, number), (uintptr_t)object,
			memory_order_release);
	sync_lock_release(&owners->lock);
	if (number)
		*id = number;
	return error;
}

void dax_pgmap_remove_owner(struct dax_pgmap *pgmap, uint32_t id)
{
	struct owners *owners = &pgmap->owners;
	uint64_t link;

	DAX_REQUIRE(pgmap && pgmap_owner_rcu(pgmap, id));
	sync_lock_acquire(&owners->lock);
	link = (uint64_t)owners->free << 1 | 1;
	owners->free = id;
	keep_owners(owners);
	/* Relaxed: RCU keeps the object for those who have found it. */
	sync_store(slot_of(owners, id), link, memory_order_relaxed);
	sync_lock_release(&owners->lock);
}

void *pgmap_owner_rcu(const struct dax_pgmap *pgmap, uint32_t id)
{
	const struct sync_u64 *slot = slot_of(&pgmap->owners, id);
	uint64_t object;

	if (!slot)
		return NULL;
	/* [MO-12] */
	object = sync_load(slot, memory_order_acquire);
	return object & 1 ? NULL : (void *)(uintptr_t)object;
}

uint32_t pgmap_last_owner(struct dax_pgmap *pgmap)
{
	uint32_t last;

	sync_lock_acquire(&pgmap->owners.lock);
	last = pgmap->owners.used;
	sync_lock_release(&pgmap->owners.lock);
	return last;
}

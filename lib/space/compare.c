/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "space/space.h"

static int begin(struct dax_space *space, uint64_t pos, uint64_t len,
	struct dax_iomap *iomap)
{
	*iomap = (struct dax_iomap){.pos = pos, .len = len};
	return space->ops->iomap_begin(space->owner, DAX_IOMAP_READ, iomap);
}

static int address_of(struct dax_space *space, const struct dax_iomap *iomap,
	uint64_t len, void **address)
{
	return space->ops->direct_access(
		space->owner, iomap->pfn, len >> DAX_PAGE_SHIFT, address);
}

/* One piece of a space, and one of another, or of the same. */
struct pieces {
	struct dax_space *space[2];
	struct dax_iomap iomap[2];
	uint64_t len; /* that both have */
};

static int compare_bytes(const struct pieces *pieces)
{
	void *address[2];
	int error = 0;

	if (pieces->iomap[0].pfn == pieces->iomap[1].pfn)
		return 0;
	for (int i = 0; i < 2 && !error; i++)
		error = address_of(pieces->space[i], &pieces->iomap[i],
			pieces->len, &address[i]);
	if (error)
		return error;
	return space_bytes_equal(address[0], address[1], pieces->len) ? 0
								      : -EBADE;
}

/* Blocks that are not written hold somebody's old bytes: they are as holes. */
static int compare_pieces(struct pieces *pieces)
{
	const struct dax_iomap *iomap = pieces->iomap;
	const bool mapped = iomap[0].type == DAX_IOMAP_MAPPED;

	pieces->len = iomap[0].len < iomap[1].len ? iomap[0].len : iomap[1].len;
	if (mapped != (iomap[1].type == DAX_IOMAP_MAPPED))
		return -EBADE;
	return mapped ? compare_bytes(pieces) : 0;
}

static int compare_once(
	struct pieces *pieces, uint64_t pos, uint64_t other_pos, uint64_t len)
{
	struct dax_space *const *space = pieces->space;
	int error = begin(space[0], pos, len, &pieces->iomap[0]);

	if (error)
		return error;
	error = begin(space[1], other_pos, len, &pieces->iomap[1]);
	if (!error) {
		error = compare_pieces(pieces);
		space[1]->ops->iomap_end(space[1]->owner, &pieces->iomap[1]);
	}
	space[0]->ops->iomap_end(space[0]->owner, &pieces->iomap[0]);
	return error;
}

int dax_dedupe_file_range_compare(struct dax_space *src, uint64_t src_pos,
	struct dax_space *dst, uint64_t dst_pos, uint64_t len)
{
	struct pieces pieces = {.space = {src, dst}};
	int error = 0;

	DAX_REQUIRE(src && dst);
	DAX_REQUIRE(!((src_pos | dst_pos | len) % DAX_PAGE_SIZE));
	rwsem_assert_held(&src->invalidate);
	rwsem_assert_held(&dst->invalidate);
	for (uint64_t done = 0; done < len && !error; done += pieces.len)
		error = compare_once(
			&pieces, src_pos + done, dst_pos + done, len - done);
	return error;
}

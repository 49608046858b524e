/* SPDX-License-Identifier: BSD-3-Clause */
#include "support/bare.h"

void bare_init(struct bare *bare, unsigned int order)
{
	assert_int_equal(
		dax_device_open_memory(BARE_BYTES, 0, &bare->device), 0);
	assert_int_equal(dax_pmem_map_new(bare->device, 0, BARE_BYTES,
				 DAX_MAP_PMD, &bare->map),
		0);
	assert_int_equal(dax_devdax_new(bare->map, order, &bare->devdax), 0);
	assert_int_equal(dax_mm_new(NULL, &bare->mm), 0);
	assert_int_equal(
		bare_map(bare, 0, BARE_BYTES, DAX_VMA_SHARED | DAX_VMA_WRITE,
			&bare->address),
		0);
}

void bare_fini(struct bare *bare)
{
	const char *wrong = dax_mm_verify(bare->mm);

	if (!wrong)
		wrong = dax_mapping_verify(
			dax_space_mapping(dax_devdax_space(bare->devdax)));
	if (wrong)
		fail_msg("%s", wrong);
	dax_mm_delete(&bare->mm);
	dax_devdax_delete(&bare->devdax);
	dax_pmem_map_delete(&bare->map);
	dax_device_delete(&bare->device);
}

int bare_map(struct bare *bare, uint64_t pos, uint64_t len, unsigned int flags,
	uint64_t *address)
{
	const struct dax_vma_params params = {
		.space = dax_devdax_space(bare->devdax),
		.pos = pos,
		.len = len,
		.flags = flags,
	};

	return dax_mmap(bare->mm, &params, address);
}

unsigned int bare_leaf(struct bare *bare, uint64_t address)
{
	struct dax_leaf leaf;

	dax_mm_leaf(bare->mm, address, &leaf);
	return leaf.flags;
}

uint64_t bare_word(struct bare *bare, dax_pgoff_t index)
{
	return dax_tree_load(dax_mapping_tree(dax_space_mapping(
				     dax_devdax_space(bare->devdax))),
		index);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Does the page table show what entries and extents say? */
#include <string.h>

#include "fault/mm.h"

struct check {
	struct dax_mm *mm;
	const char *wrong;
};

static bool is_all_zeros(const struct vma *vma, const struct dax_iomap *iomap)
{
	char bytes[DAX_PAGE_SIZE];
	void *address;

	if (iomap->type != DAX_IOMAP_MAPPED ||
		vma->space->ops->direct_access(
			vma->space->owner, iomap->pfn, 1, &address))
		return true;
	space_bytes_load(address, bytes, sizeof(bytes));
	return !bytes[0] && !memcmp(bytes, bytes + 1, sizeof(bytes) - 1);
}

static const char *verify_zero(
	const struct vma *vma, dax_pgoff_t index, uint64_t word)
{
	struct dax_iomap iomap = {
		.pos = index << DAX_PAGE_SHIFT, .len = DAX_PAGE_SIZE};
	bool zeros;

	if (word && !dax_is_zero_entry(dax_entry_from_word(word)) &&
		!dax_is_empty_entry(dax_entry_from_word(word)))
		return "a zero page is shown where the entry has storage";
	if (vma->space->ops->iomap_begin(
		    vma->space->owner, DAX_IOMAP_READ, &iomap))
		return "the block map cannot be read";
	zeros = is_all_zeros(vma, &iomap);
	vma->space->ops->iomap_end(vma->space->owner, &iomap);
	return zeros ? NULL : "a zero page is shown instead of other bytes";
}

static const char *verify_page(const struct vma *vma, dax_pgoff_t index,
	uint64_t word, const struct leaf *leaf)
{
	const dax_entry_t entry = dax_entry_from_word(word);

	if (!word || dax_is_zero_entry(entry) || dax_is_empty_entry(entry))
		return "a page is shown without an entry that names it";
	if (dax_is_zapped_entry(entry))
		return "a page is shown whose entry does not hold it";
	if (leaf->pfn !=
		dax_to_pfn(entry) + index - dax_entry_start(entry, index))
		return "a page is shown that the entry does not name";
	if ((leaf->flags & DAX_LEAF_WRITE) &&
		!dax_tree_get_mark(dax_mapping_tree(vma->space->mapping), index,
			DAX_MARK_DIRTY))
		return "a page can be stored to, and its entry is clean";
	return NULL;
}

static const char *verify_leaf(
	const struct vma *vma, uint64_t address, const struct leaf *leaf)
{
	const dax_pgoff_t index = vma_index(vma, address);
	const uint64_t word =
		dax_tree_load(dax_mapping_tree(vma->space->mapping), index);

	if (leaf->copy)
		return NULL;
	if (index >= space_pages(vma->space))
		return "a page past the end of the file is shown";
	return leaf->flags & DAX_LEAF_ZERO
		       ? verify_zero(vma, index, word)
		       : verify_page(vma, index, word, leaf);
}

static void visit(
	void *context, uint64_t address, struct leaf *leaf, unsigned int order)
{
	struct check *check = context;
	const struct vma *vma = check->mm->vmas;

	if (check->wrong)
		return;
	while (vma && (vma->end <= address || vma->start > address))
		vma = vma->next;
	check->wrong = vma && address + leaf_bytes(order) <= vma->end
			       ? verify_leaf(vma, address, leaf)
			       : "a page is shown where no area is";
}

const char *dax_mm_verify(struct dax_mm *mm)
{
	struct check check = {.mm = mm};

	DAX_REQUIRE(mm);
	table_for_each(mm, visit, &check);
	return check.wrong;
}

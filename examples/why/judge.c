/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From layout and probe to an answer and its reason. Where a file is on DAX
 * the reasons are the library's own; a file in the page cache never gets as
 * far as those, so it has some more.
 */
#include <string.h>

#include "why.h"

static const struct dax_explanation not_dax_file_system = {
	"file-system-without-dax",
	"The file system has no DAX: its files go through the page cache, "
	"which has these 2 MiB in smaller pages.",
	"Put the file on ext4 or XFS on persistent memory, mounted with "
	"-o dax=always; or, if it need not last, on hugetlbfs.",
};
static const struct dax_explanation not_dax_device = {
	"device-without-dax",
	"The block device has no DAX, so the file goes through the page "
	"cache, which has these 2 MiB in smaller pages.",
	"Put the file on persistent memory (ndctl list; for a try, memmap= on "
	"the kernel's command line), mounted with -o dax=always.",
};
static const struct dax_explanation dax_off = {
	"dax-off",
	"The file system can have DAX, but this file does not use it and goes "
	"through the page cache, which has these 2 MiB in smaller pages.",
	"Mount with -o dax=always; or without it, set the file's flag "
	"(xfs_io -c 'chattr +x') and have everybody close it. Encryption, "
	"verity and a journal of data exclude DAX.",
};
static const struct dax_explanation small_pages = {
	"small-pages",
	"The file is in memory, and these 2 MiB of it are in smaller pages.",
	"Make them one: dax_pmem_map_populate(), or madvise(MADV_COLLAPSE) "
	"after mapping. For new files: mount with huge=advise and use "
	"madvise(MADV_HUGEPAGE) before the first touch.",
};
static const struct dax_explanation small_hugetlb = {
	"small-huge-pages",
	"The huge pages of this hugetlbfs are smaller than 2 MiB.",
	"Mount a hugetlbfs with -o pagesize=2M.",
};
static const struct dax_explanation not_stored = {
	"nothing-stored",
	"The file is in memory and has nothing here yet: its first touch "
	"decides the size of the page.",
	"Map with huge pages first: dax_pmem_map_populate() makes them.",
};
static const struct dax_explanation not_shown = {
	"not-shown",
	"Neither the page tables nor the file's layout tell.",
	"Linux 6.7 shows page tables (PAGEMAP_SCAN), Linux 5.14 fills them "
	"without signals; ask about one OFFSET of a large file.",
};

static const struct dax_explanation not_told_apart = {
	"misaligned-or-pte-entry",
	"A mapping got smaller pages: the blocks are not aligned to 2 MiB in "
	"memory, or somebody uses a single page of these.",
	"Ask as root, who may read where the device begins; see ndctl list -v "
	"and, for a device made of others, dmsetup table.",
};

bool why_file_system_can_dax(const char *name)
{
	static const char *const names[] = {
		"ext2", "ext4", "xfs", "erofs", "virtiofs"};

	for (unsigned int i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

static const struct dax_explanation *why_small(const struct why_place *place)
{
	if (place->backing == DAX_BACKING_SHMEM)
		return &small_pages;
	if (!why_file_system_can_dax(place->file_system))
		return &not_dax_file_system;
	return place->device_has_dax == WHY_NO ? &not_dax_device : &dax_off;
}

static void answer(struct why_piece *piece, enum why_known known,
	const struct dax_explanation *reason)
{
	piece->answer = known;
	piece->reason = known == WHY_YES ? NULL : reason;
}

/* ---- files on DAX ---- */

static void judge_dax(struct why_piece *piece, const struct why_place *place)
{
	const enum dax_cause cause = why_layout_cause(piece->layout);
	const bool known = piece->layout != WHY_UNSEEN &&
			   piece->layout != WHY_UNPLACED &&
			   place->device_start_known;

	if (piece->probe == WHY_PROBE_PMD)
		answer(piece, WHY_YES, NULL);
	else if (cause != DAX_CAUSE_NONE && cause != DAX_CAUSE_MISALIGNED)
		answer(piece, WHY_NO, dax_explain(cause));
	else if (!known && piece->probe == WHY_PROBE_PTE)
		answer(piece, WHY_NO, &not_told_apart);
	else if (!known)
		answer(piece, WHY_UNKNOWN, &not_shown);
	else if (cause == DAX_CAUSE_NONE && piece->probe == WHY_PROBE_PTE)
		answer(piece, WHY_NO, dax_explain(DAX_CAUSE_PTE_ENTRY));
	else
		answer(piece, cause ? WHY_NO : WHY_YES, dax_explain(cause));
}

/* ---- other files ---- */

static void judge_cached(struct why_piece *piece, const struct why_place *place)
{
	if (piece->probe == WHY_PROBE_PMD)
		answer(piece, WHY_YES, NULL);
	else if (piece->probe == WHY_PROBE_PTE)
		answer(piece, WHY_NO, why_small(place));
	else if (place->backing == DAX_BACKING_SHMEM &&
		 piece->layout == WHY_HOLE)
		answer(piece, WHY_UNKNOWN, &not_stored);
	else
		answer(piece, WHY_UNKNOWN, &not_shown);
}

static void judge_hugetlb(
	struct why_piece *piece, const struct why_place *place)
{
	const bool large = place->huge_page_size >= WHY_RANGE;

	answer(piece, large ? WHY_YES : WHY_NO, &small_hugetlb);
}

/* ---- all files ---- */

enum dax_cause why_layout_cause(enum why_layout layout)
{
	switch (layout) {
	case WHY_MISALIGNED:
		return DAX_CAUSE_MISALIGNED;
	case WHY_FRAGMENTED:
	case WHY_HOLE:
		return DAX_CAUSE_SHORT_EXTENT;
	case WHY_OUTSIDE:
		return DAX_CAUSE_OUTSIDE_VMA;
	case WHY_TAIL:
		return DAX_CAUSE_END_OF_FILE;
	default:
		return DAX_CAUSE_NONE;
	}
}

/* In the order in which a fault looks. */
enum dax_cause why_judge_mapping(
	const struct why_question *question, const struct why_place *place)
{
	const uint64_t apart = question->address - question->offset;

	if (place->thp_disabled && place->backing != DAX_BACKING_HUGETLB)
		return DAX_CAUSE_HUGE_DISABLED;
	if (question->has_address && apart % WHY_RANGE)
		return DAX_CAUSE_COLOUR;
	if (question->private_store && place->backing != DAX_BACKING_HUGETLB)
		return DAX_CAUSE_PRIVATE_WRITE;
	return DAX_CAUSE_NONE;
}

/* What is probed must be all in the file and have its storage: a hole on DAX
 * would get a zero entry, which is in the way later; one in memory a page. */
bool why_judge_wants_probe(
	const struct why_piece *piece, const struct why_place *place)
{
	switch (piece->layout) {
	case WHY_OUTSIDE:
	case WHY_TAIL:
		return false;
	case WHY_HOLE:
	case WHY_UNSEEN:
		return place->backing == DAX_BACKING_PAGE_CACHE ||
		       place->backing == DAX_BACKING_UNKNOWN;
	default:
		return place->backing != DAX_BACKING_HUGETLB;
	}
}

void why_judge_piece(struct why_piece *piece, const struct why_place *place,
	enum dax_cause mapping)
{
	const bool outside =
		piece->layout == WHY_OUTSIDE || piece->layout == WHY_TAIL;

	if (mapping != DAX_CAUSE_NONE)
		answer(piece, WHY_NO, dax_explain(mapping));
	else if (outside)
		answer(piece, WHY_NO,
			dax_explain(why_layout_cause(piece->layout)));
	else if (place->backing == DAX_BACKING_FSDAX)
		judge_dax(piece, place);
	else if (place->backing == DAX_BACKING_HUGETLB)
		judge_hugetlb(piece, place);
	else
		judge_cached(piece, place);
}

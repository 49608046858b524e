/* SPDX-License-Identifier: BSD-3-Clause */
/* Causes in words. The kernel only says FALLBACK. */
#include "fault/mm.h"

static const struct dax_explanation explanations[] = {
	[DAX_CAUSE_NONE] = {"none",
		"Nothing stands in the way of a 2 MiB mapping here.",
		"Nothing needs to be done."},
	[DAX_CAUSE_HUGE_DISABLED] = {"huge-pages-disabled",
		"Huge pages are switched off for this mapping.",
		"Do not use MADV_NOHUGEPAGE, nor prctl(PR_SET_THP_DISABLE)."},
	[DAX_CAUSE_COLOUR] = {"colour",
		"The address and the file offset differ modulo 2 MiB.",
		"Map at an address that is as far off a multiple of 2 MiB as "
		"the file offset is; libpmem2 does so for offset 0."},
	[DAX_CAUSE_PRIVATE_WRITE] = {"private-write",
		"A store to a private mapping copies single pages.",
		"Use MAP_SHARED where stores are meant for the file."},
	[DAX_CAUSE_OUTSIDE_VMA] = {"outside-vma",
		"The 2 MiB around the address are not all in the mapping, or "
		"not all with the same protection.",
		"Map and mprotect() whole, aligned 2 MiB."},
	[DAX_CAUSE_END_OF_FILE] = {"end-of-file",
		"The 2 MiB around the address reach past the end of the file.",
		"Make the file's size a multiple of 2 MiB."},
	[DAX_CAUSE_PTE_ENTRY] = {"pte-entry",
		"A single page of these 2 MiB is in use, through this mapping "
		"or another.",
		"Have all who map the file map it with huge pages, and touch "
		"it only after it has 2 MiB extents; punching the range or "
		"reopening the file forgets the pages."},
	[DAX_CAUSE_PTE_TABLE] = {"pte-table",
		"This process has mapped a single page of these 2 MiB before, "
		"and page tables are not put together again.",
		"Unmap the range and map it anew."},
	[DAX_CAUSE_SHORT_EXTENT] = {"extent-too-short",
		"The file has no single extent for these 2 MiB: it is "
		"fragmented, or partly a hole, or partly unwritten.",
		"Preallocate the file in multiples of 2 MiB before using it, "
		"on a file system with free space in one piece."},
	[DAX_CAUSE_MISALIGNED] = {"misaligned",
		"The blocks are in one piece, but not aligned to 2 MiB on the "
		"device.",
		"Align the partition to 2 MiB, make the file system with a "
		"stripe of 2 MiB, and preallocate aligned 2 MiB."},
	[DAX_CAUSE_NO_SPACE] = {"no-space",
		"The file system has no block left.", "Free some space."},
	[DAX_CAUSE_NO_MEMORY] = {"no-memory",
		"There was no memory for an entry, a page table or the huge "
		"zero page.",
		"Free some memory, and touch the range again."},
	[DAX_CAUSE_POISON] = {"poison", "One of the pages is bad.",
		"Write the bad blocks anew or punch them: ndctl list "
		"--media-errors, dax_badblocks_clear()."},
	[DAX_CAUSE_DEVICE] = {"device",
		"The device gives no access to these pages.",
		"See the kernel's log; the device may be going away."},
	[DAX_CAUSE_OTHER_SIZE] = {"other-size",
		"The device is made for mappings of another size.",
		"Make it anew with an alignment of 2 MiB: ndctl "
		"create-namespace --mode=devdax --align=2M."},
};

const struct dax_explanation *dax_explain(enum dax_cause cause)
{
	DAX_REQUIRE(cause <= DAX_CAUSE_OTHER_SIZE);
	return &explanations[cause];
}

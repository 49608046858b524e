/* SPDX-License-Identifier: BSD-3-Clause */
#include "daxlock/pmem.h"

const char *dax_granularity_name(enum dax_granularity granularity)
{
	switch (granularity) {
	case DAX_GRANULARITY_BYTE:
		return "byte";
	case DAX_GRANULARITY_CACHE_LINE:
		return "cache line";
	case DAX_GRANULARITY_PAGE:
		return "page";
	}
	return "?";
}

const char *dax_backing_name(enum dax_backing backing)
{
	switch (backing) {
	case DAX_BACKING_UNKNOWN:
		return "unknown";
	case DAX_BACKING_PAGE_CACHE:
		return "page cache";
	case DAX_BACKING_SHMEM:
		return "shmem";
	case DAX_BACKING_HUGETLB:
		return "hugetlb";
	case DAX_BACKING_FSDAX:
		return "fsdax";
	case DAX_BACKING_DEVDAX:
		return "devdax";
	}
	return "?";
}

const char *dax_evidence_name(enum dax_evidence evidence)
{
	switch (evidence) {
	case DAX_EVIDENCE_NONE:
		return "none";
	case DAX_EVIDENCE_PAGEMAP:
		return "pagemap";
	case DAX_EVIDENCE_SMAPS:
		return "smaps";
	case DAX_EVIDENCE_FAULTS:
		return "faults";
	}
	return "?";
}

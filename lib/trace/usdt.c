/* SPDX-License-Identifier: BSD-3-Clause */
#include "trace/usdt.h"

#define _SDT_HAS_SEMAPHORES 1
#include <sys/sdt.h>

/* Each probe has its own name for the one number that all share. */
volatile unsigned short usdt_attached __attribute__((section(".probes")));

#define PROBE_FUNCTION(name)                                                   \
	extern volatile unsigned short daxlock_##name##_semaphore              \
		__attribute__((alias("usdt_attached"), visibility("hidden"))); \
	static void name(const struct dax_trace_event *event)

/* What is asked for most comes first: bpftrace has names for six arguments. */

#define FAULT_PROBE(name)                                                      \
	PROBE_FUNCTION(name)                                                   \
	{                                                                      \
		STAP_PROBE9(daxlock, name, event->ino, event->index,           \
			event->flags, event->result, event->cause,             \
			event->address, event->vm_start, event->vm_end,        \
			event->max_pgoff);                                     \
	}

#define RANGE_PROBE(name)                                                      \
	PROBE_FUNCTION(name)                                                   \
	{                                                                      \
		STAP_PROBE3(                                                   \
			daxlock, name, event->ino, event->index, event->nr);   \
	}

#define ENTRY_PROBE(name)                                                      \
	PROBE_FUNCTION(name)                                                   \
	{                                                                      \
		STAP_PROBE4(daxlock, name, event->ino, event->index,           \
			event->error, event->entry);                           \
	}

FAULT_PROBE(dax_pmd_fault)
FAULT_PROBE(dax_pmd_fault_done)
FAULT_PROBE(dax_pte_fault)
FAULT_PROBE(dax_pte_fault_done)
FAULT_PROBE(dax_load_hole)
FAULT_PROBE(dax_pmd_load_hole)
FAULT_PROBE(dax_pmd_load_hole_fallback)
FAULT_PROBE(dax_insert_pfn_mkwrite)
FAULT_PROBE(dax_insert_pfn_mkwrite_no_entry)
RANGE_PROBE(dax_writeback_range)
RANGE_PROBE(dax_writeback_range_done)
RANGE_PROBE(dax_writeback_one)
ENTRY_PROBE(grab_mapping_entry)
RANGE_PROBE(unmap_mapping_pages)

static void (*const probes[])(const struct dax_trace_event *event) = {
	[DAX_TRACE_PMD_FAULT] = dax_pmd_fault,
	[DAX_TRACE_PMD_FAULT_DONE] = dax_pmd_fault_done,
	[DAX_TRACE_PTE_FAULT] = dax_pte_fault,
	[DAX_TRACE_PTE_FAULT_DONE] = dax_pte_fault_done,
	[DAX_TRACE_LOAD_HOLE] = dax_load_hole,
	[DAX_TRACE_PMD_LOAD_HOLE] = dax_pmd_load_hole,
	[DAX_TRACE_PMD_LOAD_HOLE_FALLBACK] = dax_pmd_load_hole_fallback,
	[DAX_TRACE_INSERT_PFN_MKWRITE] = dax_insert_pfn_mkwrite,
	[DAX_TRACE_INSERT_PFN_MKWRITE_NO_ENTRY] =
		dax_insert_pfn_mkwrite_no_entry,
	[DAX_TRACE_WRITEBACK_RANGE] = dax_writeback_range,
	[DAX_TRACE_WRITEBACK_RANGE_DONE] = dax_writeback_range_done,
	[DAX_TRACE_WRITEBACK_ONE] = dax_writeback_one,
	[DAX_TRACE_GRAB] = grab_mapping_entry,
	[DAX_TRACE_UNMAP] = unmap_mapping_pages,
};

void usdt_emit(const struct dax_trace_event *event)
{
	probes[event->id](event);
}

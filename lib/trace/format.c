/* SPDX-License-Identifier: BSD-3-Clause */
/* Events as text, in the words of include/trace/events/fs_dax.h. */
#include <inttypes.h>

#include "base/check.h"
#include "base/text.h"
#include "trace/trace.h"

static const char *const names[] = {
	[DAX_TRACE_PMD_FAULT] = "dax_pmd_fault",
	[DAX_TRACE_PMD_FAULT_DONE] = "dax_pmd_fault_done",
	[DAX_TRACE_PTE_FAULT] = "dax_pte_fault",
	[DAX_TRACE_PTE_FAULT_DONE] = "dax_pte_fault_done",
	[DAX_TRACE_LOAD_HOLE] = "dax_load_hole",
	[DAX_TRACE_PMD_LOAD_HOLE] = "dax_pmd_load_hole",
	[DAX_TRACE_PMD_LOAD_HOLE_FALLBACK] = "dax_pmd_load_hole_fallback",
	[DAX_TRACE_INSERT_PFN_MKWRITE] = "dax_insert_pfn_mkwrite",
	[DAX_TRACE_INSERT_PFN_MKWRITE_NO_ENTRY] =
		"dax_insert_pfn_mkwrite_no_entry",
	[DAX_TRACE_WRITEBACK_RANGE] = "dax_writeback_range",
	[DAX_TRACE_WRITEBACK_RANGE_DONE] = "dax_writeback_range_done",
	[DAX_TRACE_WRITEBACK_ONE] = "dax_writeback_one",
	[DAX_TRACE_GRAB] = "grab_mapping_entry",
	[DAX_TRACE_UNMAP] = "unmap_mapping_pages",
};

/* Bits of enum dax_fault, which are the kernel's VM_FAULT_*. */
static const struct {
	unsigned int bit;
	const char *name;
} results[] = {
	{0x0001, "OOM"},
	{0x0002, "SIGBUS"},
	{0x0004, "MAJOR"},
	{0x0010, "HWPOISON"},
	{0x0040, "SIGSEGV"},
	{0x0100, "NOPAGE"},
	{0x0200, "LOCKED"},
	{0x0400, "RETRY"},
	{0x0800, "FALLBACK"},
	{0x1000, "DONE_COW"},
	{0x2000, "NEEDDSYNC"},
};

const char *dax_trace_name(enum dax_trace_id id)
{
	DAX_REQUIRE(id <= DAX_TRACE_UNMAP);
	return names[id];
}

static void add_result(struct text *text, unsigned int result)
{
	const char *between = "";

	for (size_t i = 0; i < sizeof(results) / sizeof(*results); i++) {
		if (!(result & results[i].bit))
			continue;
		text_add(text, "%s%s", between, results[i].name);
		between = "|";
	}
}

size_t dax_trace_result(unsigned int result, char *buffer, size_t size)
{
	struct text text = text_in(buffer, size);

	add_result(&text, result);
	return text.length;
}

static void add_fault(struct text *text, const struct dax_trace_event *event)
{
	text_add(text,
		" %s %s%s address 0x%" PRIx64 " vm_start 0x%" PRIx64
		" vm_end 0x%" PRIx64 " pgoff 0x%" PRIx64,
		event->flags & DAX_TRACE_SHARED ? "shared" : "private",
		event->flags & DAX_TRACE_WRITE ? "WRITE" : "READ",
		event->flags & DAX_TRACE_MKWRITE ? "|MKWRITE" : "",
		event->address, event->vm_start, event->vm_end, event->index);
}

static void add_done(struct text *text, const struct dax_trace_event *event)
{
	if (event->id <= DAX_TRACE_PMD_FAULT_DONE)
		text_add(text, " max_pgoff 0x%" PRIx64, event->max_pgoff);
	if (event->result)
		text_add(text, " ");
	add_result(text, event->result);
	if (event->cause)
		text_add(text, " cause %u", event->cause);
}

static void add_entry(struct text *text, const struct dax_trace_event *event)
{
	char entry[80];

	text_add(text, " pgoff 0x%" PRIx64, event->index);
	if (event->error) {
		text_add(text, " error %d", event->error);
		return;
	}
	dax_entry_decode(event->entry, DAX_WORD_DAXLOCK, entry, sizeof(entry));
	text_add(text, " %s", entry);
}

static void add_range(struct text *text, const struct dax_trace_event *event)
{
	text_add(text, " pgoff 0x%" PRIx64, event->index);
	if (event->nr == DAX_TRACE_ALL)
		text_add(text, " to the end");
	else if (event->id == DAX_TRACE_WRITEBACK_RANGE ||
		 event->id == DAX_TRACE_WRITEBACK_RANGE_DONE)
		text_add(text, "-0x%" PRIx64, event->index + event->nr - 1);
	else
		text_add(text, " pages 0x%" PRIx64, event->nr);
}

size_t dax_trace_format(
	const struct dax_trace_event *event, char *buffer, size_t size)
{
	struct text text = text_in(buffer, size);

	DAX_REQUIRE(event);
	text_add(&text, "%s: ino 0x%" PRIx64, dax_trace_name(event->id),
		event->ino);
	switch (event->id) {
	case DAX_TRACE_WRITEBACK_RANGE:
	case DAX_TRACE_WRITEBACK_RANGE_DONE:
	case DAX_TRACE_WRITEBACK_ONE:
	case DAX_TRACE_UNMAP:
		add_range(&text, event);
		break;
	case DAX_TRACE_GRAB:
		add_entry(&text, event);
		break;
	default:
		add_fault(&text, event);
		add_done(&text, event);
	}
	return text.length;
}

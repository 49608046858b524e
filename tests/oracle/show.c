/* SPDX-License-Identifier: BSD-3-Clause */
/* Output in the form of the recorded traces (tests/oracle/FORMAT.md). */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "machine.h"

#define PMD_PAGES ((uint64_t)1 << DAX_PMD_ORDER)
#define PMD_BYTES (PMD_PAGES * DAX_PAGE_SIZE)

/* ---- results ---- */

void show_byte(unsigned char byte)
{
	printf("= 0x%02x\n", byte);
}

void show_error(int error)
{
	if (error)
		printf("= -%s\n", strerrorname_np(-error));
	else
		puts("= 0");
}

void show_access(int error, unsigned char byte)
{
	if (!error)
		show_byte(byte);
	else
		printf("= %s\n", error == -EFAULT ? "SIGSEGV" : "SIGBUS");
}

/* ---- events ---- */

/* "PMD|ZERO_PAGE", or MAPPED for what has storage. */
static void show_entry_kind(dax_entry_t entry)
{
	printf("%s%s", dax_is_pmd_entry(entry) ? "PMD|" : "",
		dax_is_zero_entry(entry)    ? "ZERO_PAGE"
		: dax_is_empty_entry(entry) ? "EMPTY"
					    : "MAPPED");
}

static void show_grab(const struct dax_trace_event *event)
{
	printf("  grab ");
	if (!event->error)
		show_entry_kind(event->entry);
	else
		printf("%s", event->error == -EEXIST   ? "FALLBACK"
			     : event->error == -ENOMEM ? "OOM"
						       : "SIGBUS");
	putchar('\n');
}

static void show_fault(const struct dax_trace_event *event, const char *what)
{
	printf("  %s %s %s 0x%" PRIx64 "\n", what,
		event->flags & DAX_TRACE_SHARED ? "shared" : "private",
		event->flags & DAX_TRACE_MKWRITE ? "W MKWRITE"
		: event->flags & DAX_TRACE_WRITE ? "W"
						 : "R",
		event->index);
}

static void show_result(const struct dax_trace_event *event, const char *what)
{
	char result[96];

	dax_trace_result(event->result, result, sizeof(result));
	printf("  %s %s\n", what, result);
}

static void show_unmap(const struct dax_trace_event *event)
{
	printf("  unmap 0x%" PRIx64, event->index);
	if (event->nr == DAX_TRACE_ALL)
		puts(" all");
	else
		printf(" 0x%" PRIx64 "\n", event->nr);
}

static void show_event(const struct dax_trace_event *event)
{
	const char *name = dax_trace_name(event->id) + strlen("dax_");

	switch (event->id) {
	case DAX_TRACE_PMD_FAULT:
	case DAX_TRACE_PTE_FAULT:
		show_fault(event, name);
		break;
	case DAX_TRACE_GRAB:
		show_grab(event);
		break;
	case DAX_TRACE_UNMAP:
		show_unmap(event);
		break;
	case DAX_TRACE_WRITEBACK_RANGE:
		printf("  %s 0x%" PRIx64 "-0x%" PRIx64 "\n", name, event->index,
			event->index + event->nr - 1);
		break;
	case DAX_TRACE_WRITEBACK_ONE:
		printf("  %s 0x%" PRIx64 " 0x%" PRIx64 "\n", name, event->index,
			event->nr);
		break;
	case DAX_TRACE_PMD_LOAD_HOLE:
	case DAX_TRACE_PMD_LOAD_HOLE_FALLBACK:
	case DAX_TRACE_WRITEBACK_RANGE_DONE:
		printf("  %s\n", name);
		break;
	default:
		show_result(event, name);
	}
}

static void show_as_kernel(const struct dax_trace_event *event)
{
	char text[256];

	dax_trace_format(event, text, sizeof(text));
	printf("  %s\n", text);
}

void show_events(struct machine *machine)
{
	struct dax_trace_event event;

	while (dax_trace_read(machine->trace, &event))
		if (machine->form == EVENTS_FS_DAX)
			show_as_kernel(&event);
		else
			show_event(&event);
}

/* ---- entries ---- */

static void show_entries_of(struct dax_file *file)
{
	struct dax_tree *tree =
		dax_mapping_tree(dax_space_mapping(dax_file_space(file)));
	struct dax_xas xas;
	uint64_t word;

	dax_xas_init(&xas, tree, 0, UINT64_MAX);
	dax_xas_for_each (&xas, word) {
		const dax_entry_t entry = dax_entry_from_word(word);

		printf("  XA 0x%" PRIx64 " %s %s%s%s\n", xas.index,
			dax_is_pmd_entry(entry) ? "PMD" : "PTE",
			dax_is_zero_entry(entry)    ? "ZERO_PAGE"
			: dax_is_empty_entry(entry) ? "EMPTY"
						    : "MAPPED",
			dax_tree_get_mark(tree, xas.index, DAX_MARK_DIRTY)
				? " dirty"
				: "",
			dax_tree_get_mark(tree, xas.index, DAX_MARK_TOWRITE)
				? " towrite"
				: "");
	}
}

void show_entries(struct machine *machine)
{
	for (unsigned int i = 0; i < machine->nr_files; i++) {
		if (machine->nr_files > 1)
			printf("  file %s\n", machine->files[i].name);
		show_entries_of(machine->files[i].file);
	}
}

/* ---- page tables ---- */

static const char *leaf_kind(const struct dax_leaf *leaf)
{
	const bool writable = leaf->flags & DAX_LEAF_WRITE;

	if (leaf->flags & DAX_LEAF_ZERO)
		return "zero-ro";
	if (leaf->flags & DAX_LEAF_COPY)
		return writable ? "cow-rw" : "cow-ro";
	return writable ? "pmem-rw" : "pmem-ro";
}

static void show_cells(struct dax_mm *mm, uint64_t start)
{
	const char *before = "PTE";
	struct dax_leaf leaf;

	for (unsigned int i = 0; i < PMD_PAGES; i++) {
		dax_mm_leaf(mm, start + i * DAX_PAGE_SIZE, &leaf);
		if (!leaf.flags)
			continue;
		printf("%s %u=%s", before, i, leaf_kind(&leaf));
		before = "";
	}
	puts(*before ? "NONE" : "");
}

void show_page_table(
	struct dax_mm *mm, const struct named_map *map, uint64_t offset)
{
	const uint64_t start = (map->address + offset) & -PMD_BYTES;
	const bool before = start < map->address;
	struct dax_leaf leaf;

	printf("  PT %s %c0x%" PRIx64 " ", map->name, before ? '-' : '+',
		before ? map->address - start : start - map->address);
	dax_mm_leaf(mm, start, &leaf);
	if (leaf.flags & DAX_LEAF_PMD)
		printf("PMD %s\n", leaf_kind(&leaf));
	else
		show_cells(mm, start);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: daxlock/trace.h - tracepoints, with fs_dax's names and fields
 *
 * A trace is a set of rings, one for each thread that has something to tell.
 * Files and address spaces are given one when they are made; those made
 * without have tracepoints that cost one predicted branch.
 *
 * Where the library was built with <sys/sdt.h>, each tracepoint is a USDT probe
 * too, of provider "daxlock", whether there is a trace or not; doc/faults.bt
 * shows it. Its arguments are the event's
 *
 *   faults, holes, mkwrite  ino, index, flags, result, cause, address,
 *                           vm_start, vm_end, max_pgoff
 *   writeback, unmap        ino, index, nr
 *   grab                    ino, index, error, entry
 *
 * Guarantees
 *   G1	Emitting takes no lock but the first time in a thread, and never fails:
 *	what cannot be kept is counted (dax_trace_lost()).
 *   G2	Events carry a sequence number of the trace. Of two events ordered by
 *	a lock, the later has the larger one.
 *   G3	A full ring forgets its oldest event.
 *
 * Concurrency: emitting races with emitting. Reading and deleting are for a
 * trace at rest: the caller keeps out whoever may emit.
 */
#ifndef DAXLOCK_TRACE_H
#define DAXLOCK_TRACE_H

#include <stddef.h>
#include <stdint.h>

#include <daxlock/attributes.h>
#include <daxlock/entry.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

struct dax_trace;

/**
 * enum dax_trace_id - the tracepoints; but for the last two, those of
 *	include/trace/events/fs_dax.h, v6.12
 * @DAX_TRACE_GRAB: grab_mapping_entry() returned; in the kernel a probe
 * @DAX_TRACE_UNMAP: unmap_mapping_pages() was called; in the kernel a probe
 */
enum dax_trace_id {
	DAX_TRACE_PMD_FAULT,
	DAX_TRACE_PMD_FAULT_DONE,
	DAX_TRACE_PTE_FAULT,
	DAX_TRACE_PTE_FAULT_DONE,
	DAX_TRACE_LOAD_HOLE,
	DAX_TRACE_PMD_LOAD_HOLE,
	DAX_TRACE_PMD_LOAD_HOLE_FALLBACK,
	DAX_TRACE_INSERT_PFN_MKWRITE,
	DAX_TRACE_INSERT_PFN_MKWRITE_NO_ENTRY,
	DAX_TRACE_WRITEBACK_RANGE,
	DAX_TRACE_WRITEBACK_RANGE_DONE,
	DAX_TRACE_WRITEBACK_ONE,
	DAX_TRACE_GRAB,
	DAX_TRACE_UNMAP,
};

/** enum dax_trace_flags - of a fault: the vma's, and what was asked */
enum dax_trace_flags {
	DAX_TRACE_SHARED = 1 << 0,
	DAX_TRACE_WRITE = 1 << 1,
	DAX_TRACE_MKWRITE = 1 << 2,
};

/** DAX_TRACE_ALL - @nr of an unmap to the end of the file */
#define DAX_TRACE_ALL UINT64_MAX

/**
 * struct dax_trace_event - one event; a field that an event has not is 0
 * @id: which
 * @flags: of &enum dax_trace_flags
 * @result: of &enum dax_fault, of whoever is done
 * @cause: of &enum dax_cause: why a PMD fault fell back
 * @error: of a grab that failed, a negative errno
 * @sequence: place in the trace
 * @thread: which ring it comes from, from 0
 * @ino: number of the file
 * @index: faults: the page; else the first page
 * @nr: pages; DAX_TRACE_ALL
 * @max_pgoff: faults: pages in the file
 * @address: of a fault
 * @vm_start, @vm_end: of the vma
 * @entry: what was grabbed, or stands there now
 */
struct dax_trace_event {
	enum dax_trace_id id;
	unsigned int flags;
	unsigned int result;
	unsigned int cause;
	int error;
	uint64_t sequence;
	uint64_t thread;
	uint64_t ino;
	dax_pgoff_t index;
	uint64_t nr;
	uint64_t max_pgoff;
	uint64_t address;
	uint64_t vm_start;
	uint64_t vm_end;
	dax_entry_t entry;
};

/**
 * dax_trace_new() - an empty trace
 * @size: events that each thread's ring keeps; not 0
 * @out: the trace, or NULL on error
 *
 * Return: 0; -ENOMEM.
 */
int dax_trace_new(size_t size, struct dax_trace **out) DAX_MUST_CHECK;

/**
 * dax_trace_delete() - free a trace
 * @trace: set to NULL; NULL is accepted
 *
 * Threads: nobody emits to it any more.
 */
void dax_trace_delete(struct dax_trace **trace);

/**
 * dax_trace_read() - take the oldest event
 * @trace: trace
 * @event: written when there is one
 *
 * Threads: nobody emits.
 * Return: 1; 0 no event is left.
 */
int dax_trace_read(
	struct dax_trace *trace, struct dax_trace_event *event) DAX_MUST_CHECK;

/**
 * dax_trace_lost() - events that were forgotten or not kept
 * @trace: trace
 *
 * Threads: exact when nobody emits.
 */
uint64_t dax_trace_lost(const struct dax_trace *trace);

/**
 * dax_trace_format() - an event as a line of the kernel's trace file
 * @event: event
 * @buffer: result, always terminated when @size is not 0
 * @size: of @buffer in bytes; 256 always suffices
 *
 * Without time, CPU and process, which a schedule of ours does not have.
 *
 * Return: the length of the full text in bytes, as snprintf().
 * Models: include/trace/events/fs_dax.h TP_printk(), v6.12. Differs: no device
 *	number; a field for the cause of a fallback.
 */
size_t dax_trace_format(
	const struct dax_trace_event *event, char *buffer, size_t size);

/** dax_trace_name() - "dax_pmd_fault" and so on */
const char *dax_trace_name(enum dax_trace_id id);

/**
 * dax_trace_result() - print a fault's result as fs_dax does: "MAJOR|NOPAGE"
 * @result: of &enum dax_fault
 * @buffer: result, always terminated when @size is not 0
 * @size: of @buffer in bytes; 96 always suffices
 *
 * Return: the length of the full text in bytes, as snprintf().
 */
size_t dax_trace_result(unsigned int result, char *buffer, size_t size);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif

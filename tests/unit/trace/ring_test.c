/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A trace keeps the newest events of each thread, gives them back in the order
 * in which they happened, counts what it lost, and prints them as fs_dax does.
 */
#include <string.h>

#include "base/sync.h"
#include "support/crew.h"
#include "trace/trace.h"

#define SIZE 8

static struct dax_trace *new_trace(void)
{
	struct dax_trace *trace;

	assert_int_equal(dax_trace_new(SIZE, &trace), 0);
	return trace;
}

static void emit(struct dax_trace *trace, uint64_t index)
{
	trace_emit(trace, &(struct dax_trace_event){
				  .id = DAX_TRACE_UNMAP, .index = index});
}

static void events_come_back_in_order(void **state)
{
	struct dax_trace *trace = new_trace();
	struct dax_trace_event event;

	(void)state;
	emit(trace, 1);
	emit(trace, 2);
	assert_int_equal(dax_trace_read(trace, &event), 1);
	assert_int_equal(event.index, 1);
	emit(trace, 3);
	assert_int_equal(dax_trace_read(trace, &event), 1);
	assert_int_equal(event.index, 2);
	assert_int_equal(dax_trace_read(trace, &event), 1);
	assert_int_equal(event.index, 3);
	assert_int_equal(dax_trace_read(trace, &event), 0);
	dax_trace_delete(&trace);
}

static void a_full_ring_forgets_the_oldest_and_counts_them(void **state)
{
	struct dax_trace *trace = new_trace();
	struct dax_trace_event event;

	(void)state;
	for (uint64_t i = 0; i < SIZE + 3; i++)
		emit(trace, i);
	assert_int_equal(dax_trace_lost(trace), 3);
	assert_int_equal(dax_trace_read(trace, &event), 1);
	assert_int_equal(event.index, 3);
	assert_int_equal(dax_trace_lost(trace), 3);
	dax_trace_delete(&trace);
}

static void emit_four(struct crew_member *me)
{
	for (uint64_t i = 0; i < 4; i++)
		emit(me->shared, 10 * me->number + i);
}

static void each_thread_has_a_ring_of_its_own(void **state)
{
	struct dax_trace *trace = new_trace();
	struct dax_trace_event event;
	uint64_t next[3] = {0};
	uint64_t sequence = 0;
	unsigned int nr = 0;
	struct crew crew;

	(void)state;
	crew_start(&crew, 3, emit_four, trace);
	crew_assert_content(&crew);
	for (; dax_trace_read(trace, &event); nr++) {
		assert_int_equal(event.index % 10, next[event.index / 10]++);
		assert_int_equal(event.sequence, sequence++);
	}
	assert_int_equal(nr, 12);
	assert_int_equal(dax_trace_lost(trace), 0);
	dax_trace_delete(&trace);
}

static void a_thread_keeps_its_ring_while_it_uses_another_trace(void **state)
{
	struct dax_trace *traces[2] = {new_trace(), new_trace()};
	struct dax_trace_event event;

	(void)state;
	for (uint64_t i = 0; i < 2 * SIZE; i++)
		emit(traces[i % 2], i);
	for (uint64_t i = 0; i < 2 * SIZE; i++) {
		assert_int_equal(dax_trace_read(traces[i % 2], &event), 1);
		assert_int_equal(event.index, i);
		assert_int_equal(event.thread, 0);
	}
	dax_trace_delete(&traces[0]);
	dax_trace_delete(&traces[1]);
}

static void an_event_without_memory_for_a_ring_is_lost(void **state)
{
	struct dax_trace *trace = new_trace();
	struct dax_trace_event event;

	(void)state;
	sync_alloc_fail_nth(1);
	emit(trace, 1);
	sync_alloc_fail_nth(0);
	emit(trace, 2);
	assert_int_equal(dax_trace_lost(trace), 1);
	assert_int_equal(dax_trace_read(trace, &event), 1);
	assert_int_equal(event.index, 2);
	dax_trace_delete(&trace);
}

static void no_trace_is_nothing(void **state)
{
	(void)state;
	emit(NULL, 1);
	dax_trace_delete(&(struct dax_trace *){NULL});
}

static void events_read_as_in_the_kernel(void **state)
{
	static const struct {
		struct dax_trace_event event;
		const char *text;
	} rows[] = {
		{{.id = DAX_TRACE_PTE_FAULT_DONE,
			 .flags = DAX_TRACE_SHARED | DAX_TRACE_WRITE |
				  DAX_TRACE_MKWRITE,
			 .result = 0x104,
			 .ino = 12,
			 .index = 0x201,
			 .address = 0x401000,
			 .vm_start = 0x200000,
			 .vm_end = 0x600000},
			"dax_pte_fault_done: ino 0xc shared WRITE|MKWRITE "
			"address 0x401000 vm_start 0x200000 vm_end 0x600000 "
			"pgoff 0x201 MAJOR|NOPAGE"},
		{{.id = DAX_TRACE_WRITEBACK_RANGE, .ino = 1, .nr = 512},
			"dax_writeback_range: ino 0x1 pgoff 0x0-0x1ff"},
		{{.id = DAX_TRACE_UNMAP, .ino = 1, .nr = DAX_TRACE_ALL},
			"unmap_mapping_pages: ino 0x1 pgoff 0x0 to the end"},
		{{.id = DAX_TRACE_GRAB, .ino = 1, .error = -17},
			"grab_mapping_entry: ino 0x1 pgoff 0x0 error -17"},
	};
	char text[256];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(
			dax_trace_format(&rows[i].event, text, sizeof(text)),
			strlen(rows[i].text));
		assert_string_equal(text, rows[i].text);
	}
}

static void text_that_does_not_fit_is_cut_and_counted(void **state)
{
	char text[6];

	(void)state;
	assert_int_equal(dax_trace_result(0x104, text, sizeof(text)), 12);
	assert_string_equal(text, "MAJOR");
	assert_int_equal(dax_trace_result(0x104, NULL, 0), 12);
	assert_int_equal(dax_trace_result(0, text, sizeof(text)), 0);
	assert_string_equal(text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_come_back_in_order),
		cmocka_unit_test(
			a_full_ring_forgets_the_oldest_and_counts_them),
		cmocka_unit_test(each_thread_has_a_ring_of_its_own),
		cmocka_unit_test(
			a_thread_keeps_its_ring_while_it_uses_another_trace),
		cmocka_unit_test(an_event_without_memory_for_a_ring_is_lost),
		cmocka_unit_test(no_trace_is_nothing),
		cmocka_unit_test(events_read_as_in_the_kernel),
		cmocka_unit_test(text_that_does_not_fit_is_cut_and_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

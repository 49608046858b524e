/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Rings of events. A ring is written by the thread it belongs to and read when
 * nobody writes, so its fields need no lock; the list of rings has one.
 */
#include <errno.h>

#include "base/check.h"
#include "base/sync.h"
#include "trace/trace.h"

struct ring {
	struct ring *next; /* const after it was linked */
	uint64_t thread;   /* const after it was linked */
	uint64_t owner;	   /* const after it was linked; number of a thread */
	uint64_t written;  /* owner; events ever */
	uint64_t read;	   /* at rest */
	uint64_t lost;	   /* owner */
	struct dax_trace_event events[];
};

struct dax_trace {
	size_t size; /* const after init */
	uint64_t id; /* const after init; of no other trace, ever */
	struct sync_lock lock;
	struct ring *rings; /* guarded by lock */
	uint64_t nr_rings;  /* guarded by lock */
	/* Relaxed: numbers on their own; a lock orders them as it orders all
	 * read-modify-writes of one word (G2). */
	struct sync_u64 sequence;
	struct sync_u64 homeless; /* events of threads without memory */
};

/* Relaxed: numbers that have been given out, and nothing else. An address would
 * not do: it is had again by a later trace, or thread. */
static struct sync_u64 nr_traces;
static struct sync_u64 nr_threads;

/* This thread, and its ring in the trace that it emitted to last. */
static SYNC_THREAD_LOCAL struct {
	uint64_t number;   /* from 1; 0: none yet */
	uint64_t trace_id; /* from 1; 0: none */
	struct ring *ring;
} mine;

int dax_trace_new(size_t size, struct dax_trace **out)
{
	struct dax_trace *trace;

	DAX_REQUIRE(size && out);
	*out = NULL;
	trace = sync_alloc(sizeof(*trace), _Alignof(struct dax_trace));
	if (!trace)
		return -ENOMEM;
	trace->size = size;
	trace->id = sync_add(&nr_traces, 1, memory_order_relaxed) + 1;
	sync_lock_init(&trace->lock, RANK_LEAF);
	*out = trace;
	return 0;
}

void dax_trace_delete(struct dax_trace **trace)
{
	struct ring *ring;

	DAX_REQUIRE(trace);
	if (!*trace)
		return;
	while ((ring = (*trace)->rings)) {
		(*trace)->rings = ring->next;
		sync_free(ring);
	}
	sync_free(*trace);
	*trace = NULL;
}

static struct ring *ring_new(struct dax_trace *trace)
{
	struct ring *ring =
		sync_alloc(sizeof(*ring) + trace->size * sizeof(*ring->events),
			_Alignof(struct ring));

	if (!ring)
		return NULL;
	ring->owner = mine.number;
	sync_lock_acquire(&trace->lock);
	ring->thread = trace->nr_rings++;
	ring->next = trace->rings;
	trace->rings = ring;
	sync_lock_release(&trace->lock);
	return ring;
}

/* That of this thread; NULL: it has none yet. */
static struct ring *ring_find(struct dax_trace *trace)
{
	struct ring *ring;

	sync_lock_acquire(&trace->lock);
	ring = trace->rings;
	while (ring && ring->owner != mine.number)
		ring = ring->next;
	sync_lock_release(&trace->lock);
	return ring;
}

static struct ring *my_ring(struct dax_trace *trace)
{
	if (mine.trace_id == trace->id)
		return mine.ring;
	if (!mine.number)
		mine.number =
			sync_add(&nr_threads, 1, memory_order_relaxed) + 1;
	mine.ring = ring_find(trace);
	if (!mine.ring)
		mine.ring = ring_new(trace);
	mine.trace_id = mine.ring ? trace->id : 0;
	return mine.ring;
}

static void keep(struct dax_trace *trace, const struct dax_trace_event *event)
{
	struct ring *ring = my_ring(trace);
	struct dax_trace_event *slot;

	if (!ring) {
		sync_add(&trace->homeless, 1, memory_order_relaxed);
		return;
	}
	slot = &ring->events[ring->written++ % trace->size];
	*slot = *event;
	slot->thread = ring->thread;
	slot->sequence = sync_add(&trace->sequence, 1, memory_order_relaxed);
}

void trace_record(struct dax_trace *trace, const struct dax_trace_event *event)
{
	usdt_emit(event);
	if (trace)
		keep(trace, event);
}

/* G3: what was overwritten before it was read is lost. */
static const struct dax_trace_event *oldest(
	const struct dax_trace *trace, struct ring *ring)
{
	if (ring->written - ring->read > trace->size) {
		ring->lost += ring->written - ring->read - trace->size;
		ring->read = ring->written - trace->size;
	}
	return ring->read == ring->written
		       ? NULL
		       : &ring->events[ring->read % trace->size];
}

int dax_trace_read(struct dax_trace *trace, struct dax_trace_event *event)
{
	const struct dax_trace_event *first = NULL;
	struct ring *from = NULL;

	DAX_REQUIRE(trace && event);
	for (struct ring *ring = trace->rings; ring; ring = ring->next) {
		const struct dax_trace_event *here = oldest(trace, ring);

		if (here && (!first || here->sequence < first->sequence)) {
			first = here;
			from = ring;
		}
	}
	if (!first)
		return 0;
	*event = *first;
	from->read++;
	return 1;
}

uint64_t dax_trace_lost(const struct dax_trace *trace)
{
	uint64_t lost = sync_load(&trace->homeless, memory_order_relaxed);

	for (struct ring *ring = trace->rings; ring; ring = ring->next) {
		oldest(trace, ring);
		lost += ring->lost;
	}
	return lost;
}

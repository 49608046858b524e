/* SPDX-License-Identifier: BSD-3-Clause */
#include "explore/tso.h"

#include <stdio.h>
#include <string.h>

#include "explore/engine.h"

#define TSO_THREADS (MAX_THREADS / 2)
#define MAX_PENDING 16

bool tso_on;

struct pending {
	struct sync_u64 *word;
	uint64_t value;
};

struct buffer {
	uint8_t busy; /* is anything pending? */
	uint8_t nr;
	struct pending pending[MAX_PENDING]; /* the oldest first, the rest 0 */
};

/* What can tell two states apart. */
static struct {
	struct buffer buffers[TSO_THREADS];
	uint8_t busy; /* buffers that are */
} tso;

struct origin {
	const struct explore_site *site;
	uint16_t step; /* + 1: of the store */
};

/* What else the search wants to know. */
static struct past {
	uint32_t object;  /* what stores and a heavy barrier race on */
	uint16_t flushed; /* step + 1 of the last flush, or 0 */
	struct origin origins[MAX_PENDING];
} pasts[TSO_THREADS];

static char names[TSO_THREADS][40];

/* ---- flushing ---- */

static void pop(unsigned int thread)
{
	struct buffer *buffer = &tso.buffers[thread];
	struct origin *origins = pasts[thread].origins;

	buffer->nr--;
	memmove(&buffer->pending[0], &buffer->pending[1],
		buffer->nr * sizeof(buffer->pending[0]));
	memset(&buffer->pending[buffer->nr], 0, sizeof(buffer->pending[0]));
	memmove(&origins[0], &origins[1], buffer->nr * sizeof(origins[0]));
	if (buffer->nr)
		return;
	buffer->busy = false;
	tso.busy--;
}

static void flush(unsigned int thread)
{
	const struct pending oldest = tso.buffers[thread].pending[0];
	const struct origin origin = pasts[thread].origins[0];

	order_after(origin.step);
	order_access(object_of(oldest.word, sizeof(*oldest.word),
			     &oldest.word->object),
		ACCESS_WRITE);
	order_own_done();
	pasts[thread].flushed = (uint16_t)run.depth;
	pop(thread);
	/* The store was judged in its own step. Its thread, or a grace period
	 * that flushes all buffers, may have freed the word since. */
	if (!memory_is_alive(oldest.word))
		return;
	event(OP_FLUSH, oldest.word, oldest.word->value, oldest.value,
		origin.site);
	oldest.word->value = oldest.value;
	coroutine_wipe();
}

static void buffer_main(void *unused, long thread)
{
	uint8_t *busy = &tso.buffers[thread].busy;

	(void)unused;
	for (;;) {
		schedule_point(OP_FLUSH, 0, busy, true);
		flush((unsigned int)thread);
	}
}

void tso_start(void)
{
	const unsigned int nr = run.nr_threads;

	DAX_REQUIRE(nr <= TSO_THREADS);
	for (unsigned int i = 0; i < nr; i++) {
		snprintf(names[i], sizeof(names[i]), "stores of %s",
			run.threads[i].name);
		dax_explore_thread(names[i], buffer_main, NULL, (long)i);
		run.threads[nr + i].daemon = true;
	}
}

/* ---- what threads do ---- */

/* The number of a buffer, of those of its thread's stores and of barriers. */
static uint16_t object_of_buffer(unsigned int thread)
{
	uint32_t *hint = &pasts[thread].object;

	return object_of(hint, sizeof(*hint), hint);
}

void tso_store(
	struct sync_u64 *word, uint64_t value, const struct explore_site *site)
{
	struct buffer *buffer = &tso.buffers[run.who];

	if (buffer->nr == MAX_PENDING)
		execution_fail(DAX_EXPLORE_STEP_LIMIT,
			"%s has %u stores pending, more than are modelled",
			self()->name, MAX_PENDING);
	order_access(object_of_buffer(run.who), ACCESS_COUNT);
	order_own_done();
	tso.busy = (uint8_t)(tso.busy + !buffer->nr);
	buffer->busy = true;
	pasts[run.who].origins[buffer->nr] =
		(struct origin){.site = site, .step = (uint16_t)run.depth};
	buffer->pending[buffer->nr++] =
		(struct pending){.word = word, .value = value};
	coroutine_wipe();
}

uint64_t tso_load(const struct sync_u64 *word)
{
	const struct buffer *buffer = &tso.buffers[run.who % TSO_THREADS];

	for (unsigned int i = run.who < TSO_THREADS ? buffer->nr : 0; i--;)
		if (buffer->pending[i].word == word)
			return buffer->pending[i].value;
	return word->value;
}

void tso_drain(void)
{
	schedule_point(OP_DRAIN, 0, &tso.buffers[run.who].busy, false);
	order_after(pasts[run.who].flushed);
	order_own_done();
}

void explore_barrier(const struct explore_site *site)
{
	(void)site;
	if (tso_on && in_thread())
		tso_drain();
}

void explore_barrier_heavy(const struct explore_site *site)
{
	(void)site;
	if (!tso_on || !in_thread())
		return;
	schedule_point(OP_DRAIN, 0, &tso.busy, 0);
	for (unsigned int i = 0; i < run.nr_threads / 2; i++) {
		order_access(object_of_buffer(i), ACCESS_WRITE);
		order_after(pasts[i].flushed);
	}
	order_own_done();
	coroutine_wipe();
}

/* ---- executions ---- */

void tso_setup(bool on)
{
	tso_on = on;
}

void tso_reset(void)
{
	memset(&tso, 0, sizeof(tso));
	for (unsigned int i = 0; i < TSO_THREADS; i++)
		pasts[i].flushed = 0;
}

void tso_state_spans(struct spans *spans)
{
	if (tso_on)
		span_add(spans, &tso, sizeof(tso));
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* Waits that take long: whoever waits wakes now and then, to tell. */
#include <errno.h>
#include <inttypes.h>

#include "base/text.h"
#include "pgmap/pgmap.h"

static uint64_t later(uint64_t now_ns, uint64_t after_ns)
{
	return after_ns < SYNC_FOREVER - now_ns ? now_ns + after_ns
						: SYNC_FOREVER;
}

struct patience patience_begin(
	struct dax_pgmap *pgmap, const struct dax_wait_limit *limit)
{
	struct patience patience = {
		.pgmap = pgmap,
		.limit = limit,
		.tell_ns = SYNC_FOREVER,
	};

	if (pgmap && pgmap->on_stuck.stuck) {
		patience.since_ns = sync_now();
		patience.tell_ns =
			later(patience.since_ns, pgmap->on_stuck.after_ns);
	}
	return patience;
}

static struct dax_stuck describe(const struct patience *patience)
{
	struct dax_stuck stuck = {.pgmap = patience->pgmap};
	struct head head;

	if (patience->pfn == NO_PFN) {
		stuck.references = pgmap_holders(patience->pgmap);
		return stuck;
	}
	head = page_head(patience->pgmap, patience->pfn);
	stuck.pfn = head.pfn;
	stuck.nr = state_level(head.state)
			   ? level_pages(state_level(head.state))
			   : 1;
	stuck.references = state_references(head.state);
	return stuck;
}

static void tell(struct patience *patience)
{
	const struct on_stuck *on_stuck = &patience->pgmap->on_stuck;
	struct dax_stuck stuck = describe(patience);

	stuck.waited_ns = sync_now() - patience->since_ns;
	on_stuck->stuck(on_stuck->context, &stuck);
	patience->tell_ns = later(sync_now(), on_stuck->after_ns);
}

int patience_sleep(struct patience *patience, struct dax_waitq *queue,
	struct dax_waiter *waiter)
{
	struct dax_wait_limit limit = {.deadline_ns = SYNC_FOREVER};
	bool tells;
	int error;

	if (patience->limit)
		limit = *patience->limit;
	tells = patience->tell_ns < limit.deadline_ns;
	if (tells)
		limit.deadline_ns = patience->tell_ns;
	error = dax_waitq_sleep(queue, waiter, &limit);
	if (error != -ETIMEDOUT || !tells)
		return error;
	tell(patience);
	return 0;
}

void dax_pgmap_on_stuck(struct dax_pgmap *pgmap, uint64_t after_ns,
	void (*stuck)(void *context, const struct dax_stuck *stuck),
	void *context)
{
	DAX_REQUIRE(pgmap);
	pgmap->on_stuck = (struct on_stuck){
		.stuck = stuck,
		.context = context,
		.after_ns = after_ns ? after_ns : DAX_STUCK_AFTER_NS,
	};
}

/* ---- in words ---- */

static void describe_wait(struct text *text, const struct dax_stuck *stuck)
{
	const uint64_t ms = stuck->waited_ns / 1000000;

	text_add(text,
		"thread %" PRIu64 " waits %" PRIu64 ".%03" PRIu64 " s for ",
		sync_thread_id(), ms / 1000, ms % 1000);
	if (stuck->nr)
		text_add(text, "%" PRIu64 " page%s from 0x%" PRIx64, stuck->nr,
			stuck->nr == 1 ? "" : "s", stuck->pfn);
	else
		text_add(text, "the device");
	text_add(text, ", held %" PRIu64 " time%s\n", stuck->references,
		stuck->references == 1 ? "" : "s");
}

size_t dax_stuck_describe(
	const struct dax_stuck *stuck, char *buffer, size_t size)
{
	struct text text;
	size_t written;

	DAX_REQUIRE(stuck && (buffer || !size));
	text = text_in(buffer, size);
	describe_wait(&text, stuck);
	if (!stuck->nr)
		return text.length;
	written = text.length < size ? text.length : size;
	return text.length + dax_pgmap_describe_pins(stuck->pgmap, stuck->pfn,
				     stuck->pfn + stuck->nr - 1,
				     size > written ? buffer + written : NULL,
				     size - written);
}

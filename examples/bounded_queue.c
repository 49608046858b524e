/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Somebody's bounded queue, explored. put() wakes a sleeper only when the queue
 * was empty, which looks right: who else would sleep? But two may sleep, and
 * two puts may come before the first of them is awake.
 */
#include <daxlock/explore.h>
#include <daxlock/sync.h>
#include <stdio.h>
#include <stdlib.h>

#define SLOTS 2

struct sleeper {
	struct sleeper *next;
	struct dax_sync_parker parker;
};

enum signal {
	WHEN_IT_WAS_EMPTY,
	ALWAYS,
};

struct queue {
	struct dax_sync_lock lock;
	int items[SLOTS];	  /* guarded by lock */
	unsigned int nr;	  /* guarded by lock */
	struct sleeper *sleepers; /* guarded by lock */
	enum signal signal;
};

static bool put(struct queue *queue, int item)
{
	struct sleeper *sleeper = NULL;
	bool room;

	dax_sync_acquire(&queue->lock);
	room = queue->nr < SLOTS;
	if (room && (queue->signal == ALWAYS || !queue->nr))
		sleeper = queue->sleepers;
	if (sleeper)
		queue->sleepers = sleeper->next;
	if (room)
		queue->items[queue->nr++] = item;
	dax_sync_release(&queue->lock);
	if (sleeper)
		dax_sync_unpark(&sleeper->parker);
	return room;
}

static int get(struct queue *queue)
{
	struct sleeper me;
	int item;

	dax_sync_acquire(&queue->lock);
	while (!queue->nr) {
		me = (struct sleeper){.next = queue->sleepers};
		queue->sleepers = &me;
		dax_sync_release(&queue->lock);
		dax_sync_park(&me.parker, DAX_SYNC_FOREVER);
		dax_sync_acquire(&queue->lock);
	}
	item = queue->items[--queue->nr];
	dax_sync_release(&queue->lock);
	return item;
}

static void produce(void *queue, long items)
{
	while (items)
		dax_explore_check(put(queue, (int)items--), "there is room");
}

static void consume(void *queue, long unused)
{
	(void)unused;
	dax_explore_check(get(queue) > 0, "an item");
}

static void one_producer_two_consumers(void *signal)
{
	struct queue queue = {.signal = *(enum signal *)signal};

	dax_explore_thread("consumer", consume, &queue, 0);
	dax_explore_thread("consumer", consume, &queue, 0);
	dax_explore_thread("producer", produce, &queue, 2);
	dax_explore_run();
	dax_explore_check(!queue.nr, "every item was consumed");
	dax_explore_sometimes(dax_explore_slept(0) && dax_explore_slept(1),
		"both consumers slept");
}

static enum dax_explore_verdict explore(enum signal signal)
{
	const struct dax_scenario scenario = {
		.name = "bounded-queue",
		.body = one_producer_two_consumers,
		.context = &signal,
	};
	struct dax_explore_report report;

	if (dax_explore(&scenario, NULL, &report))
		abort();
	printf("%s %s %s\n%s", dax_explore_verdict_name(report.verdict),
		report.bug ? dax_explore_bug_name(report.bug) : "",
		report.message, report.table ? report.table : "");
	dax_explore_report_free(&report);
	return report.verdict;
}

int main(void)
{
	/* 0: the first queue is found out, the second one is proved. */
	return explore(WHEN_IT_WAS_EMPTY) != DAX_EXPLORE_BUG ||
	       explore(ALWAYS) != DAX_EXPLORE_PROVED;
}

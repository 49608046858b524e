/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The end of a page's references, and waiting for it.
 *
 *  sleeper (join_queue)               last put (page_announce)
 *  takes the queue's lock
 *  (A) CAS: LIVE -> LIVE|WAITERS
 *                                     (B) CAS: LIVE and WAITERS -> 0
 *  joins the queue, gives its lock back
 *                                     (C) if WAITERS was set: takes the queue's
 *                                         lock, wakes all
 *  sleeps
 *
 * (B) before (A): (A) fails, nobody sleeps. (A) before (B): (C) waits for the
 * queue's lock until the sleeper has joined. Forbidden: asleep, the page idle,
 * and (C) over. After (B) the device may be gone: (C) has the address of the
 * word, and the table of queues, which outlives all.
 */
#include "pgmap/pgmap.h"

/* What is left of a state when nobody has a reference any more (P2, P3). */
static uint64_t idle_state(uint64_t state)
{
	state &= ~(PAGE_LIVE | PAGE_WAITERS);
	return state_owners(state) ? state : state_without_level(state);
}

void wake_all(struct dax_waitq_table *waitqs, const struct sync_u64 *word)
{
	const struct dax_wait_key key = {word, 0};
	struct dax_waitq *queue = dax_waitq_lock(waitqs, &key);
	struct dax_woken woken;

	dax_waitq_take_locked(queue, &key, DAX_WAKE_ALL, &woken);
	dax_waitq_unlock(queue);
	dax_waitq_wake(&woken);
}

void page_announce(struct dax_pgmap *pgmap, struct page *page, uint64_t pfn)
{
	struct dax_waitq_table *waitqs = pgmap->waitqs;
	struct sync_u64 *word = &page->state;
	/* Relaxed: the CAS decides. */
	uint64_t state = sync_load(word, memory_order_relaxed);

	if (pgmap->ops && pgmap->ops->page_free)
		pgmap->ops->page_free(
			pgmap->owner, pfn, level_pages(state_level(state)));
	/* (B). [MO-9] All use of the page before it is idle. */
	while (!sync_cas(word, &state, idle_state(state), memory_order_release))
		;
	leave_device(pgmap);
	if (idle_wakes(state))
		wake_all(waitqs, word);
}

/* (A). False: @word is not busy. */
static bool say_asleep(struct sync_u64 *word, bool (*is_busy)(uint64_t state),
	uint64_t waiters)
{
	/* [MO-9], [MO-10] All use before it is over. */
	uint64_t state = sync_load(word, memory_order_acquire);

	while (is_busy(state))
		/* [MO-9] One word: the CAS is the order. */
		if (state & waiters || sync_cas(word, &state, state | waiters,
					       memory_order_acquire))
			return true;
	return false;
}

/* Shared: all of them want to know, and none takes anything. */
static void enqueue_locked(struct dax_waitq *queue, struct sync_u64 *word,
	struct dax_waiter *waiter)
{
	const struct dax_wait_key key = {word, 0};

	dax_waitq_enqueue_locked(queue, waiter, &key, DAX_WAIT_SHARED);
}

int pgmap_sleep_while(struct dax_pgmap *pgmap, bool (*is_busy)(uint64_t refs),
	struct patience *patience)
{
	struct sync_u64 *word = &pgmap->refs;
	const struct dax_wait_key key = {word, 0};
	struct dax_waitq *queue = dax_waitq_lock(pgmap->waitqs, &key);
	const bool joins = say_asleep(word, is_busy, PGMAP_WAITERS);
	struct dax_waiter waiter = {0};

	if (joins)
		enqueue_locked(queue, word, &waiter);
	dax_waitq_unlock(queue);
	return joins ? patience_sleep(patience, queue, &waiter) : 0;
}

/* Does @head not count for @pfn any more? Its range may have ended, and whoever
 * has the head by now is not to be waited for. Asked after (A): if it counts
 * then, whoever ends it finds us. */
static bool is_another(
	const struct dax_pgmap *pgmap, const struct head *head, uint64_t pfn)
{
	return page_head(pgmap, pfn).page != head->page;
}

/* NULL: @pfn is not busy. */
static struct dax_waitq *join_queue(struct dax_pgmap *pgmap, uint64_t pfn,
	bool (*is_busy)(uint64_t state), struct dax_waiter *waiter)
{
	bool joins, again;
	struct dax_waitq *queue;

	do {
		const struct head head = page_head(pgmap, pfn);
		struct sync_u64 *word = &head.page->state;
		const struct dax_wait_key key = {word, 0};

		queue = dax_waitq_lock(pgmap->waitqs, &key);
		joins = say_asleep(word, is_busy, PAGE_WAITERS);
		again = joins && is_another(pgmap, &head, pfn);
		if (joins && !again)
			enqueue_locked(queue, word, waiter);
		dax_waitq_unlock(queue);
	} while (again);
	return joins ? queue : NULL;
}

int page_sleep_while(struct dax_pgmap *pgmap, uint64_t pfn,
	bool (*is_busy)(uint64_t state), struct patience *patience)
{
	struct dax_waiter waiter = {0};
	struct dax_waitq *queue = join_queue(pgmap, pfn, is_busy, &waiter);

	if (!queue)
		return 0;
	return patience ? patience_sleep(patience, queue, &waiter)
			: dax_waitq_sleep(queue, &waiter, NULL);
}

static bool state_is_busy(uint64_t state)
{
	return state_is_live(state) && state_owners(state) < 2 &&
	       !is_kept_alone(state);
}

bool page_is_busy(const struct dax_pgmap *pgmap, uint64_t pfn)
{
	return state_is_busy(page_head(pgmap, pfn).state);
}

static bool state_is_awaited(uint64_t state)
{
	return state_is_busy(state) || waits_beside_others(state);
}

struct dax_waitq *page_join_queue(
	struct dax_pgmap *pgmap, uint64_t pfn, struct dax_waiter *waiter)
{
	return join_queue(pgmap, pfn, state_is_awaited, waiter);
}

int page_wait_idle(uint64_t pfn, struct patience *patience)
{
	struct dax_pgmap *pgmap = patience->pgmap;
	int error = 0;

	patience->pfn = pfn;
	/* Its range may have ended, and another have begun. */
	while (!error && !dax_page_is_idle(pgmap, pfn))
		error = page_sleep_while(pgmap, pfn, state_is_live, patience);
	return error;
}

int dax_page_wait_idle(struct dax_pgmap *pgmap, uint64_t pfn,
	const struct dax_wait_limit *limit)
{
	struct patience patience;

	DAX_REQUIRE(pgmap);
	patience = patience_begin(pgmap, limit);
	return page_wait_idle(pfn, &patience);
}

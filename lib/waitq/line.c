/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Standing in line, and being handed over what one waits for (W3 to W5).
 *
 *  in line, chosen                    whoever has it
 *  (A) tries to take it: fails
 *                                     takes the queue's lock: it was passed too
 *                                     often: (B) granted, and not in line
 *  takes the queue's lock, to stand
 *  again or to leave: (C) granted
 *
 * What was handed over stays locked from (B) on, so nobody else can take it,
 * and (A) fails if it is later. Forbidden: given up at (C), by a deadline, say,
 * and locked for ever.
 */
#include "base/check.h"
#include "waitq/queue.h"

struct waiter *waitq_heir_locked(
	const struct dax_waitq *queue, const struct dax_wait_key *key)
{
	struct waiter *waiter = queue->exclusive.first;

	sync_lock_assert_held(&queue->lock);
	while (waiter && (waiter->mode != WAITQ_IN_LINE ||
				 !waitq_same_key(&waiter->key, key)))
		waiter = waiter->next;
	return waiter;
}

bool waitq_hand_over_locked(struct dax_waitq *queue,
	const struct dax_wait_key *key, unsigned int order, unsigned int passes,
	struct dax_woken *woken)
{
	struct waiter *heir = waitq_heir_locked(queue, key);

	if (!heir || heir->passed < passes || !waits_for_order(heir, order))
		return false;
	waitq_remove_locked(queue, heir);
	heir->granted = true;
	woken->first = NULL;
	/* Else whoever chose it has it in its own list. */
	if (!heir->chosen) {
		heir->next_woken = NULL;
		woken->first = heir;
	}
	return true;
}

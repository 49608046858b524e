/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Cancelling is taking a sleeper from its queue, as a waker does, and telling
 * it so. A sleeper is therefore chosen or cancelled, never both, and the wake
 * that it would have got is still in the queue for the next.
 */
#include "base/check.h"
#include "waitq/queue.h"

void dax_cancel_init(struct dax_cancel *opaque)
{
	struct cancel *cancel = cancel_of(opaque);

	DAX_REQUIRE(opaque);
	*cancel = (struct cancel){0};
	sync_lock_init(&cancel->lock, RANK_CANCEL);
}

bool cancel_arm(
	struct cancel *cancel, struct dax_waitq *queue, struct waiter *waiter)
{
	bool armed;

	sync_lock_acquire(&cancel->lock);
	DAX_REQUIRE(!cancel->sleeper);
	armed = !cancel->fired;
	if (armed) {
		cancel->sleeper = waiter;
		cancel->queue = queue;
	}
	sync_lock_release(&cancel->lock);
	return armed;
}

void cancel_disarm(struct cancel *cancel)
{
	sync_lock_acquire(&cancel->lock);
	cancel->sleeper = NULL;
	sync_lock_release(&cancel->lock);
}

bool cancel_has_fired(struct cancel *cancel)
{
	bool fired;

	sync_lock_acquire(&cancel->lock);
	fired = cancel->fired;
	sync_lock_release(&cancel->lock);
	return fired;
}

void dax_cancel_fire(struct dax_cancel *opaque)
{
	struct cancel *cancel = cancel_of(opaque);
	struct waiter *taken = NULL;

	DAX_REQUIRE(opaque);
	sync_lock_acquire(&cancel->lock);
	cancel->fired = true;
	if (cancel->sleeper && waitq_withdraw(cancel->queue, cancel->sleeper)) {
		taken = cancel->sleeper;
		taken->cancelled = true;
	}
	sync_lock_release(&cancel->lock);
	/* Still there: it waits for us (W2). */
	if (taken)
		sync_unpark(&taken->parker);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* What a line does, or what it does instead when it is told to err; as in
 * mapping/deviate.h. Included by waitq/queue.h. */
#ifndef WAITQ_DEVIATE_H
#define WAITQ_DEVIATE_H

/* May @heir have an entry of @order? If not it slept on what is gone, and is
 * about to be woken for that. */
static inline bool waits_for_order(
	const struct waiter *heir, unsigned int order)
{
	return heir->order == order || SYNC_DEVIATION(grant_other_order);
}

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory, RCU, and single variables. */
#include "kernel/opaque.h"

void *dax_kernel_kzalloc(size_t size)
{
	return sync_alloc(size, _Alignof(max_align_t));
}

void dax_kernel_kfree(const void *block)
{
	sync_free((void *)block);
}

/* ---- RCU ---- */

void dax_kernel_rcu_read_lock(void)
{
	sync_rcu_enter();
}

void dax_kernel_rcu_read_unlock(void)
{
	sync_rcu_leave();
}

static void grace_period_over(struct sync_rcu_head *sync_head)
{
	struct rcu_head *head = (struct rcu_head *)sync_head;

	head->function(head);
}

void dax_kernel_call_rcu(
	struct rcu_head *head, void (*function)(struct rcu_head *head))
{
	head->function = function;
	sync_rcu_call((struct sync_rcu_head *)head->opaque, grace_period_over);
}

/* ---- READ_ONCE(), WRITE_ONCE() ---- */

/* Stands for every variable that is accessed so: the explorer knows words of
 * the seam only. Nothing else may come between the step and the access, so all
 * that the access needs is evaluated before. */
static struct sync_u64 every_variable;

void *dax_kernel_read_once(const volatile void *variable)
{
	/* Relaxed here and below: they order nothing, as in the kernel. */
	sync_load(&every_variable, memory_order_relaxed);
	return (void *)variable;
}

void dax_kernel_write_once(void)
{
	sync_store(&every_variable, 0, memory_order_relaxed);
}

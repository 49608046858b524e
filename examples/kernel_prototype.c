/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A change to kernel code, tried before it is tried in a kernel. An entry of an
 * XArray is locked by a bit of its value; a huge entry that somebody wants to
 * have in pages is dropped, and who slept on it is woken. How many of them?
 */
#include <daxlock/explore.h>
#include <daxlock/kernel.h>
#include <stdio.h>

#define LOCKED 1UL
#define HUGE   2UL

struct file {
	struct xarray pages;
	wait_queue_head_t queue;
	int nr_woken; /* when a huge entry goes; 0: all */
};

struct sleeper {
	wait_queue_entry_t wait;
	unsigned long start;
};

static int wake_sleeper(
	wait_queue_entry_t *wait, unsigned int mode, int flags, void *start)
{
	return container_of(wait, struct sleeper, wait)->start ==
		       *(unsigned long *)start &&
	       autoremove_wake_function(wait, mode, flags, NULL);
}

static unsigned long start_of(void *entry, unsigned long index)
{
	return xa_to_value(entry) & HUGE ? index & (-1UL << PMD_ORDER) : index;
}

static void wait_for(struct file *file, struct xa_state *xas, void *entry)
{
	struct sleeper sleeper = {.start = start_of(entry, xas->xa_index)};

	init_wait(&sleeper.wait);
	sleeper.wait.func = wake_sleeper;
	prepare_to_wait_exclusive(
		&file->queue, &sleeper.wait, TASK_UNINTERRUPTIBLE);
	xas_unlock_irq(xas);
	xas_reset(xas);
	schedule();
	finish_wait(&file->queue, &sleeper.wait);
	xas_lock_irq(xas);
}

static void drop_huge(struct file *file, struct xa_state *xas, void *entry)
{
	unsigned long start = start_of(entry, xas->xa_index);

	xas_store(xas, xa_mk_value(HUGE | LOCKED));
	xas_unlock_irq(xas);
	xas_reset(xas); /* here it leaves the page tables */
	xas_lock_irq(xas);
	xas_store(xas, NULL);
	__wake_up(&file->queue, TASK_NORMAL, file->nr_woken, &start);
}

static void lock_page(struct file *file, unsigned long index)
{
	XA_STATE(xas, &file->pages, index);
	void *entry;

	xas_lock_irq(&xas);
	while ((entry = xas_load(&xas)) && xa_to_value(entry) & LOCKED)
		wait_for(file, &xas, entry);
	if (entry && xa_to_value(entry) & HUGE)
		drop_huge(file, &xas, entry);
	xas_store(&xas, xa_mk_value(LOCKED));
	xas_unlock_irq(&xas);
}

static void fault(void *context, long argument)
{
	struct file *file = context;
	unsigned long index = (unsigned long)argument;

	lock_page(file, index);
	xa_store(&file->pages, index, xa_mk_value(0), GFP_KERNEL);
	__wake_up(&file->queue, TASK_NORMAL, 1, &index);
}

static void three_faults_in_a_huge_page(void *nr_woken)
{
	struct file file = {.nr_woken = *(int *)nr_woken};
	XA_STATE_ORDER(xas, &file.pages, 0, PMD_ORDER);

	xas_lock_irq(&xas);
	xas_store(&xas, xa_mk_value(HUGE));
	xas_unlock_irq(&xas);
	for (long index = 0; index < 3; index++)
		dax_explore_thread("fault", fault, &file, index);
	dax_explore_run();
	xa_destroy(&file.pages);
}

int main(void)
{
	struct dax_explore_report reports[2];
	int nr_woken = 0;
	const struct dax_scenario scenario = {.name = "downgrade",
		.body = three_faults_in_a_huge_page,
		.context = &nr_woken};

	/* 0, which is all, is right; 1, the next, is not. */
	for (; nr_woken < 2; nr_woken++) {
		if (dax_explore(&scenario, NULL, &reports[nr_woken]))
			return 2;
		dax_explore_print(stdout, &reports[nr_woken]);
		dax_explore_report_free(&reports[nr_woken]);
	}
	return reports[0].verdict != DAX_EXPLORE_PROVED ||
	       reports[1].bug != DAX_EXPLORE_LOST_WAKE_UP;
}

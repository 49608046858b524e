/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * All: a PMD zero entry is split while threads sleep on it, each for another
 * page of it. They gather while the mapping's owner unmaps the 2 MiB, which is
 * when the entry is locked. Chain: they want to lock the entry, one after the
 * other.
 */
#include <daxlock.h>
#include <errno.h>
#include <stdlib.h>

#include "wake_subject.h"

struct splitting {
	struct dax_mapping *m;
	uint64_t start; /* ticks: the entry is unmapped, now it is split */
};

static void unmap(void *owner, dax_pgoff_t index, uint64_t nr)
{
	struct splitting *splitting = owner;

	(void)index;
	(void)nr;
	sleepers_gather();
	splitting->start = ticks_now();
}

/* Of those of the entry, but for the first. */
static dax_pgoff_t page_of(unsigned int number)
{
	return number % (((dax_pgoff_t)1 << DAX_PMD_ORDER) - 1) + 1;
}

static void require(int error)
{
	if (error)
		abort();
}

static void make_zero_entry(struct dax_mapping *m)
{
	dax_entry_t entry;

	require(dax_grab_mapping_entry(m, 0, DAX_PMD_ORDER, &entry));
	dax_insert_entry(m, 0, &entry, 0, DAX_PMD | DAX_ZERO_PAGE);
	dax_unlock_entry(m, 0, entry);
}

static void *open_mapping(void)
{
	static const struct dax_mapping_ops ops = {.unmap = unmap};
	struct splitting *splitting = calloc(1, sizeof(*splitting));
	const struct dax_mapping_params params = {
		.ops = &ops,
		.owner = splitting,
	};

	if (splitting && dax_mapping_new(&params, &splitting->m)) {
		free(splitting);
		return NULL;
	}
	return splitting;
}

static void close_mapping(void *state)
{
	struct splitting *splitting = state;

	dax_mapping_delete(&splitting->m);
	free(splitting);
}

static uint64_t split_round(void *state)
{
	struct splitting *splitting = state;
	dax_entry_t entry;

	make_zero_entry(splitting->m);
	require(dax_grab_mapping_entry(splitting->m, 0, DAX_PTE_ORDER, &entry));
	dax_unlock_entry(splitting->m, 0, entry);
	dax_delete_mapping_entry(splitting->m, 0);
	return splitting->start;
}

/* Woken, and nothing is at its page any more. */
static void split_sleep(void *state, unsigned int number)
{
	struct splitting *splitting = state;
	dax_entry_t entry;

	if (dax_lock_entry(splitting->m, page_of(number), &entry) != -ENOENT)
		abort();
}

static uint64_t chain_round(void *state)
{
	struct splitting *splitting = state;
	dax_entry_t entry;
	uint64_t start;

	if (!dax_mapping_nrpages(splitting->m))
		make_zero_entry(splitting->m);
	require(dax_lock_entry(splitting->m, 0, &entry));
	sleepers_gather();
	start = ticks_now();
	dax_unlock_entry(splitting->m, 0, entry);
	return start;
}

static void chain_sleep(void *state, unsigned int number)
{
	struct splitting *splitting = state;
	dax_entry_t entry;

	require(dax_lock_entry(splitting->m, page_of(number), &entry));
	dax_unlock_entry(splitting->m, page_of(number), entry);
}

const struct wake_subject wake_all_daxlock = {
	.name = "daxlock",
	.open = open_mapping,
	.close = close_mapping,
	.round = split_round,
	.sleep = split_sleep,
};

const struct wake_subject wake_chain_daxlock = {
	.name = "daxlock",
	.open = open_mapping,
	.close = close_mapping,
	.round = chain_round,
	.sleep = chain_sleep,
};

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * page_cache FILE [SEED...]: a storage engine's page cache on a mapped file. A
 * thread for each SEED updates pages of 2 MiB and 4 KiB in place, under entry
 * locks, after a record of how to redo it. A checkpoint writes back what is
 * dirty and retires the records. Kill it whenever you like: the next one finds
 * every update that was printed, and no torn page.
 */
#include <daxlock.h>
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS	    (DAX_PAGE_SIZE / sizeof(uint64_t))
#define PMD_PAGES   ((dax_pgoff_t)1 << DAX_PMD_ORDER)
#define NR_HUGE	    2
#define NR_SMALL    64
#define FIRST_SMALL ((NR_HUGE + 1) * PMD_PAGES)
#define FILE_SIZE   ((FIRST_SMALL + PMD_PAGES) * DAX_PAGE_SIZE)

static struct dax_pmem_map *map;
static struct dax_space *space;
/* The file: the versions that pages are to have, by index, 0 for those that are
 * durable; from 2 MiB on the pages, each filled with its version. */
static uint64_t *file;

static void must(const char *what, int error)
{
	if (error)
		errx(1, "%s: %s", what, strerror(-error));
}

static int set_redo(dax_pgoff_t index, uint64_t version)
{
	file[index] = version;
	return dax_pmem_persist(map, &file[index], sizeof(file[index]));
}

/* Writeback calls it with the page's entry locked: no update is half done. */
static int flush(void *unused, uint64_t pfn, uint64_t nr_pages)
{
	const dax_pgoff_t index = pfn - DAX_PFN_BASE;
	const int error = dax_pmem_persist(
		map, file + index * WORDS, nr_pages * DAX_PAGE_SIZE);

	(void)unused;
	return error ? error : set_redo(index, 0);
}

/* Makes a page @version, or the next one if that is 0, and returns it. */
static uint64_t update(dax_pgoff_t index, uint64_t version)
{
	struct dax_mapping *m = dax_space_mapping(space);
	const int order = index < FIRST_SMALL ? DAX_PMD_ORDER : DAX_PTE_ORDER;
	uint64_t *words = file + index * WORDS;
	dax_entry_t entry;

	must("grab", dax_grab_mapping_entry(m, index, order, &entry));
	/* Dirty before the first store, or a checkpoint could miss it. */
	dax_insert_entry(m, index, &entry, DAX_PFN_BASE + index,
		DAX_DIRTY | (order ? DAX_PMD : DAX_PTE));
	if (!version)
		version = words[0] + 1;
	must("redo record", set_redo(index, version));
	for (size_t i = 0; i < WORDS << order; i++)
		words[i] = version;
	dax_unlock_entry(m, index, entry);
	return version;
}

static void *work(void *number)
{
	unsigned int seed = (unsigned int)atoi(number);

	for (;;) {
		const dax_pgoff_t random = (dax_pgoff_t)rand_r(&seed);
		const dax_pgoff_t index =
			random % 16 ? FIRST_SMALL + random / 16 % NR_SMALL
				    : (1 + random / 16 % NR_HUGE) * PMD_PAGES;

		printf("%" PRIu64 " %" PRIu64 "\n", index, update(index, 0));
		if (random % 32 == 0)
			must("checkpoint", dax_writeback_mapping_range(
						   space, 0, DAX_LAST_PAGE));
	}
	return NULL;
}

static void open_and_recover(const char *path)
{
	static const struct dax_space_ops ops = {.flush = flush};
	const struct dax_space_params params = {.ops = &ops};
	struct dax_device *device;
	int error = dax_device_create(path, FILE_SIZE, &device);

	must(path,
		error == -EEXIST ? dax_device_open(path, 0, &device) : error);
	must("map", dax_pmem_map_new(device, 0, FILE_SIZE, DAX_MAP_PMD, &map));
	must("space", dax_space_new(&params, &space));
	file = dax_pmem_map_address(map);
	for (dax_pgoff_t i = PMD_PAGES; i < FIRST_SMALL + NR_SMALL; i++)
		if (file[i])
			update(i, file[i]);
}

int main(int argc, char **argv)
{
	pthread_t thread;

	must("usage: page_cache FILE [SEED...]", argc < 2 ? -EINVAL : 0);
	open_and_recover(argv[1]);
	setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
	for (int i = 2; i < argc; i++)
		must("thread", -pthread_create(&thread, NULL, work, argv[i]));
	return argc > 2 ? pthread_join(thread, NULL) : 0;
}

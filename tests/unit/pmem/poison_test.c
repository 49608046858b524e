/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Claim: poison begins with the device's bad blocks, widened to pages; it is
 * gone only after the device has given new storage for it.
 */
#include "ground.h"
#include "pmem/poison.h"
#include "support/played_badblocks.h"

#define PAGE DAX_PAGE_SIZE

/* The map begins here. */
#define MAP_PAGE 16
#define PAGES	 100

struct scene {
	struct dax_device *device;
	struct dax_pmem_map *map;
	struct pmem_poison poison;
};

static uint64_t pfn(uint64_t page)
{
	return DAX_PFN_BASE + MAP_PAGE + page;
}

/* Blocks of the device, @offset bytes into the map. */
static struct pmem2_badblock block_at(int64_t offset, size_t length)
{
	return (struct pmem2_badblock){
		(size_t)((int64_t)(MAP_PAGE * PAGE) + offset), length};
}

static void assert_bad(const struct scene *scene, uint64_t first, uint64_t nr)
{
	for (uint64_t page = 0; page < PAGES; page++)
		assert_int_equal(pmem_poison_has(&scene->poison, pfn(page), 1),
			page - first < nr);
}

static int setup(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	assert_non_null(scene);
	memset(&play, 0, sizeof(play));
	assert_true(ground_device(GROUND_MEMORY, MIB, &scene->device));
	assert_int_equal(dax_pmem_map_new(scene->device, MAP_PAGE * PAGE,
				 PAGES * PAGE, DAX_MAP_PTE, &scene->map),
		0);
	*state = scene;
	return 0;
}

static int teardown(void **state)
{
	struct scene *scene = *state;

	assert_int_equal(play.contexts, 0);
	pmem_poison_destroy(&scene->poison);
	dax_pmem_map_delete(&scene->map);
	dax_device_delete(&scene->device);
	free(scene);
	return 0;
}

static void init(struct scene *scene)
{
	assert_int_equal(pmem_poison_init(&scene->poison, scene->map), 0);
}

/* ---- at the beginning ---- */

static void a_bad_block_makes_bad_each_page_it_touches(void **state)
{
	static const struct {
		int64_t offset;
		size_t length;
		uint64_t first;
		uint64_t nr;
	} cases[] = {
		{5 * PAGE, PAGE, 5, 1},
		{5 * PAGE + 512, 512, 5, 1},
		{6 * PAGE - 512, 1024, 5, 2},
		{5 * PAGE - 1, PAGE + 2, 4, 3},
		{62 * PAGE, 4 * PAGE, 62, 4},
		{10 * PAGE, 80 * PAGE, 10, 80},
		/* Beside the map, and beyond its ends. */
		{-512, 512, 0, 0},
		{-(int64_t)PAGE, PAGE + 512, 0, 1},
		{PAGES * PAGE - 512, PAGE, PAGES - 1, 1},
		{PAGES * PAGE, PAGE, 0, 0},
	};
	struct scene *scene = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		play.blocks[0] = block_at(cases[i].offset, cases[i].length);
		init(scene);
		assert_bad(scene, cases[i].first, cases[i].nr);
		pmem_poison_destroy(&scene->poison);
	}
}

static void blocks_that_nobody_can_list_are_not_known(void **state)
{
	static const struct {
		int new_error;
		int clear; /* of what is bad nevertheless */
	} cases[] = {
		{PMEM2_E_NOSUPP, 0},
		{PMEM2_E_CANNOT_READ_BOUNDS, -EACCES},
		{-EACCES, -EACCES},
		{-EPERM, -EPERM},
	};
	struct scene *scene = *state;

	play.blocks[0] = block_at(0, PAGE);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		play.new_error = cases[i].new_error;
		init(scene);
		assert_bad(scene, 0, 0);
		pmem_poison_set(&scene->poison, pfn(0), 1);
		assert_int_equal(pmem_poison_clear(&scene->poison, pfn(0), 1),
			cases[i].clear);
		assert_bad(scene, 0, cases[i].clear != 0);
		pmem_poison_destroy(&scene->poison);
	}
}

static void what_else_goes_wrong_is_an_error(void **state)
{
	struct scene *scene = *state;

	play.new_error = -ENOMEM;
	assert_int_equal(pmem_poison_init(&scene->poison, scene->map), -ENOMEM);
	play.new_error = 0;
	play.next_error = PMEM2_E_IO_FAIL;
	assert_int_equal(pmem_poison_init(&scene->poison, scene->map), -EIO);
}

/* ---- later ---- */

static void pages_that_fail_are_bad_and_others_are_not(void **state)
{
	struct scene *scene = *state;

	init(scene);
	pmem_poison_set(&scene->poison, pfn(60), 10);
	assert_bad(scene, 60, 10);
	assert_true(pmem_poison_has(&scene->poison, pfn(0), 61));
	assert_false(pmem_poison_has(&scene->poison, pfn(0), 60));
	assert_true(pmem_poison_has(&scene->poison, 0, UINT64_MAX));
	assert_false(pmem_poison_has(&scene->poison, 0, pfn(60)));
	pmem_poison_set(&scene->poison, 0, pfn(0));
	pmem_poison_set(&scene->poison, pfn(PAGES), UINT64_MAX);
	assert_bad(scene, 60, 10);
	pmem_poison_forget(&scene->poison);
	assert_bad(scene, 0, 0);
}

/* What the device has not listed was said to have failed. */
static void a_clear_asks_the_device_only_for_what_it_has_listed(void **state)
{
	struct scene *scene = *state;

	play.blocks[0] = block_at(3 * PAGE + 512, 1024);
	init(scene);
	pmem_poison_set(&scene->poison, pfn(4), 1);
	assert_int_equal(pmem_poison_clear(&scene->poison, pfn(4), 1), 0);
	assert_int_equal(play.nr_cleared, 0);
	assert_bad(scene, 3, 1);
	assert_int_equal(pmem_poison_clear(&scene->poison, pfn(3), 1), 0);
	assert_bad(scene, 0, 0);
	assert_int_equal(play.nr_cleared, 1);
	assert_int_equal(play.cleared.offset, (MAP_PAGE + 3) * PAGE + 512);
	assert_int_equal(play.cleared.length, 1024);
	assert_int_equal(pmem_poison_clear(&scene->poison, pfn(3), 1), 0);
	assert_int_equal(play.nr_cleared, 1);
}

static void a_part_of_a_block_can_be_cleared(void **state)
{
	struct scene *scene = *state;

	play.blocks[0] = block_at(3 * PAGE, 8 * PAGE);
	init(scene);
	assert_int_equal(pmem_poison_clear(&scene->poison, pfn(0), 5), 0);
	assert_int_equal(play.cleared.offset, (MAP_PAGE + 3) * PAGE);
	assert_int_equal(play.cleared.length, 2 * PAGE);
	assert_bad(scene, 5, 6);
}

static void still_bad(void *context)
{
	assert_bad(context, 5, 1);
}

static void the_device_is_cleared_before_the_record_of_it(void **state)
{
	struct scene *scene = *state;

	play.blocks[0] = block_at(5 * PAGE, PAGE);
	init(scene);
	play.watch_clear = still_bad;
	play.watcher = scene;
	assert_int_equal(pmem_poison_clear(&scene->poison, pfn(5), 1), 0);
	assert_int_equal(play.nr_cleared, 1);
	assert_bad(scene, 0, 0);
}

static void a_clear_that_fails_leaves_all_bad(void **state)
{
	struct scene *scene = *state;

	play.blocks[0] = block_at(5 * PAGE, 2 * PAGE);
	init(scene);
	play.clear_error = -ENOSPC;
	assert_int_equal(pmem_poison_clear(&scene->poison, pfn(5), 2), -ENOSPC);
	play.clear_error = 0;
	play.new_error = -EIO;
	assert_int_equal(pmem_poison_clear(&scene->poison, pfn(5), 2), -EIO);
	assert_bad(scene, 5, 2);
	play.new_error = 0;
	assert_int_equal(pmem_poison_clear(&scene->poison, pfn(5), 2), 0);
	assert_bad(scene, 0, 0);
}

static void a_read_only_device_stays_as_bad_as_it_is(void **state)
{
	struct scene *scene = *state;
	const int fd = ground_memfd(MIB);
	struct pmem_poison poison;
	struct dax_device *device;
	struct dax_pmem_map *map;

	init(scene);
	play.blocks[0] = (struct pmem2_badblock){0, PAGE};
	assert_int_equal(
		dax_device_open_fd(fd, DAX_DEVICE_READ_ONLY, &device), 0);
	map = ground_map(device, DAX_MAP_PTE);
	assert_int_equal(pmem_poison_init(&poison, map), 0);
	assert_int_equal(pmem_poison_clear(&poison, DAX_PFN_BASE, 1), -EACCES);
	assert_true(pmem_poison_has(&poison, DAX_PFN_BASE, 1));
	assert_int_equal(play.nr_cleared, 0);
	pmem_poison_destroy(&poison);
	dax_pmem_map_delete(&map);
	dax_device_delete(&device);
	close(fd);
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		test(a_bad_block_makes_bad_each_page_it_touches),
		test(blocks_that_nobody_can_list_are_not_known),
		test(what_else_goes_wrong_is_an_error),
		test(pages_that_fail_are_bad_and_others_are_not),
		test(a_clear_asks_the_device_only_for_what_it_has_listed),
		test(a_part_of_a_block_can_be_cleared),
		test(the_device_is_cleared_before_the_record_of_it),
		test(a_clear_that_fails_leaves_all_bad),
		test(a_read_only_device_stays_as_bad_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

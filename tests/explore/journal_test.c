/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Claim: what a crash would leave is what was promised. A store through
 * MAP_SYNC is found after it, and no block belongs to two files.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "daxlock/fault.h"
#include "explore/expect.h"
#include "explore/word_device.h"
#include "file/file.h"

#define SHORT_SIZE 8

#define SOME_PAGES 3

/* A file, of which nothing is left to commit. */
struct scene {
	struct dax_pmem_map device;
	struct dax_waitq_table *waitqs;
	struct dax_fs *fs;
	struct dax_file *file;
	struct dax_mm *mm;
	uint64_t address;
	uint64_t first_block;
};

static void must(int error)
{
	if (error)
		abort();
}

static void write_at(struct scene *scene, uint64_t pos, size_t len)
{
	static const char bytes[DAX_PAGE_SIZE] = {1};
	size_t done;

	must(dax_file_write(scene->file, pos, bytes, len, &done));
}

static void map_file(struct scene *scene)
{
	const struct dax_vma_params vma = {
		.space = dax_file_space(scene->file),
		.len = DAX_PAGE_SIZE,
		.flags = DAX_VMA_SHARED | DAX_VMA_WRITE | DAX_VMA_SYNC,
	};

	must(dax_mm_new(NULL, &scene->mm));
	must(dax_mmap(scene->mm, &vma, &scene->address));
}

static void setup(struct scene *scene)
{
	struct dax_fs_params params = {.map = &scene->device};

	must(dax_waitq_table_new(1, 1, &scene->waitqs));
	params.waitqs = scene->waitqs;
	must(dax_fs_new(&params, &scene->fs));
	must(dax_file_new(scene->fs, &scene->file));
}

static void sync_all(struct scene *scene)
{
	must(dax_file_sync(scene->file, DAX_SYNC_ALL, 0, 0));
}

static void teardown(struct scene *scene)
{
	const char *wrong = dax_fs_verify(scene->fs);

	dax_explore_check(!wrong, wrong ? wrong : "");
	dax_mm_delete(&scene->mm);
	dax_file_delete(&scene->file);
	dax_fs_delete(&scene->fs);
	dax_waitq_table_delete(&scene->waitqs);
}

/* ---- the size ---- */

static void grow(void *context, long unused)
{
	(void)unused;
	write_at(context, DAX_PAGE_SIZE - SHORT_SIZE, SHORT_SIZE);
}

static void store_where_it_grew(void *context, long unused)
{
	struct scene *scene = context;
	const uint64_t word = 1;

	(void)unused;
	if (dax_file_size(scene->file) < DAX_PAGE_SIZE)
		return;
	dax_explore_sometimes(true, "the file grew before the store");
	must(dax_store(scene->mm, scene->address, &word, sizeof(word)));
	dax_explore_check(!journal_is_dirty(scene->file),
		"what is stored in a file is found after a crash");
}

static void grows_under_a_store(void *unused)
{
	struct scene scene = {0};

	(void)unused;
	setup(&scene);
	write_at(&scene, 0, SHORT_SIZE);
	sync_all(&scene);
	map_file(&scene);
	dax_explore_thread("grow", grow, &scene, 0);
	dax_explore_thread("store", store_where_it_grew, &scene, 0);
	dax_explore_run();
	teardown(&scene);
}

static void a_store_is_not_found_by_a_size_that_is_lost(void **state)
{
	(void)state;
	assert_int_equal(
		explore_how(grows_under_a_store, DAX_EXPLORE_ALL).verdict,
		DAX_EXPLORE_PROVED);
}

/* ---- blocks ---- */

static void write_two_extents(struct scene *scene)
{
	struct dax_extent extent;

	write_at(scene, 0, DAX_PAGE_SIZE);
	write_at(scene, (SOME_PAGES - 1) * DAX_PAGE_SIZE, DAX_PAGE_SIZE);
	dax_file_extent(scene->file, 0, &extent);
	scene->first_block = extent.pfn - DAX_PFN_BASE;
}

static void punch(void *context, long unused)
{
	struct scene *scene = context;

	(void)unused;
	must(dax_file_change(
		scene->file, DAX_FILE_PUNCH, 0, SOME_PAGES * DAX_PAGE_SIZE));
}

/* Others may have the block once it is free, and the commit that frees it
 * leaves it to them. */
static void commit_and_look(void *context, long unused)
{
	struct scene *scene = context;

	(void)unused;
	journal_commit(scene->fs);
	dax_explore_check(scene->fs->blocks[scene->first_block] != BLOCK_FREE ||
				  extents_at(&scene->file->extents, 0).type ==
					  DAX_IOMAP_HOLE,
		"what a commit frees is in no file");
}

static void commits_under_a_punch(void *unused)
{
	struct scene scene = {0};

	(void)unused;
	setup(&scene);
	write_two_extents(&scene);
	sync_all(&scene);
	dax_explore_thread("punch", punch, &scene, 0);
	dax_explore_thread("commit", commit_and_look, &scene, 0);
	dax_explore_run();
	teardown(&scene);
}

static void what_a_commit_frees_is_in_no_file(void **state)
{
	(void)state;
	assert_int_equal(
		explore_how(commits_under_a_punch, DAX_EXPLORE_ALL).verdict,
		DAX_EXPLORE_PROVED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_store_is_not_found_by_a_size_that_is_lost),
		cmocka_unit_test(what_a_commit_frees_is_in_no_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

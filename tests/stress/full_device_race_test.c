/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Threads write and punch a page of a file each, on a device with room for as
 * many pages as there are threads. What was punched is free only after a
 * commit, which whoever finds no block asks for:
 *
 *  1. T1 and T2 find no block.
 *  2. T1 commits, which frees two.
 *  3. T2 finds nothing left to commit, though there is a block for it.
 */
#include "support/crew.h"
#include "support/disk.h"
#include "support/rounds.h"

#define THREADS 2
#define ROUNDS	ROUNDS_OF(20000)

struct scene {
	struct disk *disk;
	struct dax_file *files[THREADS];
};

static void write_and_punch(struct crew_member *me)
{
	const struct scene *scene = me->shared;
	struct dax_file *file = scene->files[me->number];

	for (unsigned int i = 0; i < ROUNDS && !me->wrong; i++) {
		size_t done;

		crew_check(me, !dax_file_write(file, 0, "x", 1, &done));
		crew_check(me, !dax_file_change(file, DAX_FILE_PUNCH, 0, PAGE));
	}
}

static void who_needs_a_block_gets_what_another_commits(void **state)
{
	struct scene scene = {.disk = *state};
	struct dax_file *rest;
	struct crew crew;

	for (unsigned int i = 0; i < THREADS; i++)
		assert_int_equal(
			dax_file_new(scene.disk->fs, &scene.files[i]), 0);
	rest = disk_fill(scene.disk, THREADS);
	crew_start(&crew, THREADS, write_and_punch, &scene);
	crew_assert_content(&crew);
	dax_file_delete(&rest);
	for (unsigned int i = 0; i < THREADS; i++)
		dax_file_delete(&scene.files[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			who_needs_a_block_gets_what_another_commits, disk_setup,
			disk_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

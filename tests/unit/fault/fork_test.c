/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Forks race with changes of another file that the address space shows: the
 * child's page table is built for one file while unmaps of the other walk it.
 */
#include "support/crew.h"
#include "support/disk.h"

#define ROUNDS 300
#define PMDS   4

struct scene {
	struct disk *disk;
	struct dax_file *other;
	uint64_t copies; /* of disk's file, private */
	uint64_t shown;	 /* of @other */
	_Atomic(bool) is_over;
};

/* A value for each PMD, in its first page. */
static void make_copies(struct scene *scene)
{
	for (unsigned int i = 0; i < PMDS; i++)
		disk_store(scene->disk, scene->copies + i * PMD,
			(unsigned char)(i + 1));
}

static void check_copies(struct crew_member *me, struct dax_mm *child)
{
	struct scene *scene = me->shared;

	for (unsigned int i = 0; i < PMDS; i++) {
		unsigned char byte = 0;

		crew_check(me,
			!dax_load(child, scene->copies + i * PMD, &byte, 1));
		crew_check(me, byte == i + 1);
	}
}

static void fork_again_and_again(struct crew_member *me)
{
	struct scene *scene = me->shared;

	for (unsigned int i = 0; i < ROUNDS && !me->wrong; i++) {
		struct dax_mm *child;
		unsigned char byte;

		crew_check(me, !dax_mm_fork(scene->disk->mm, &child));
		if (!child)
			break;
		check_copies(me, child);
		crew_check(me, !dax_load(child, scene->shown, &byte, 1));
		dax_mm_delete(&child);
	}
	atomic_store(&scene->is_over, true);
}

static void punch_until_it_is_over(struct crew_member *me)
{
	struct scene *scene = me->shared;

	while (!atomic_load(&scene->is_over)) {
		crew_check(me, !dax_file_change(scene->other, DAX_FILE_PUNCH, 0,
				       PMDS * PMD));
		crew_check(
			me, !dax_store(scene->disk->mm, scene->shown, "x", 1));
	}
}

static void fork_or_punch(struct crew_member *me)
{
	if (me->number)
		punch_until_it_is_over(me);
	else
		fork_again_and_again(me);
}

static void a_child_is_whole_whatever_happens_to_other_files(void **state)
{
	struct scene scene = {.disk = *state};
	struct dax_vma_params params = {
		.len = PMDS * PMD, .flags = DISK_SHARED | DAX_VMA_NOHUGEPAGE};
	struct crew crew;

	assert_int_equal(dax_file_new(scene.disk->fs, &scene.other), 0);
	assert_int_equal(dax_file_truncate(scene.other, PMDS * PMD), 0);
	params.space = dax_file_space(scene.other);
	/* First, so that the child shows it while the rest is copied. */
	assert_int_equal(dax_mmap(scene.disk->mm, &params, &scene.shown), 0);
	scene.copies = disk_map(scene.disk, 0, PMDS * PMD, DAX_VMA_WRITE);
	make_copies(&scene);
	crew_start(&crew, 2, fork_or_punch, &scene);
	crew_assert_content(&crew);
	assert_int_equal(
		dax_munmap(scene.disk->mm, scene.shown, PMDS * PMD), 0);
	dax_file_delete(&scene.other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_child_is_whole_whatever_happens_to_other_files,
			disk_setup, disk_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

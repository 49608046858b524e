/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every PMD that is refused is refused for one cause, which has a name, a
 * sentence and a cure; and what the kernel sees first is what is told.
 */
#include "support/disk.h"

/* What stands in the way, how to bring it about, and where to look for it. */
struct obstacle {
	enum dax_cause cause;
	void (*build)(struct disk *disk);
	uint64_t pos;
	uint64_t len;
	uint64_t skew;
	unsigned int flags;
	uint64_t offset; /* into the area */
	enum dax_access_type access;
};

static void build_nothing(struct disk *disk)
{
	(void)disk;
}

static void cut_the_file(struct disk *disk)
{
	assert_int_equal(dax_file_truncate(disk->file, PMD - PAGE), 0);
}

static void use_one_page(struct disk *disk)
{
	disk_store(disk, disk_map_all(disk, DAX_VMA_NOHUGEPAGE), 1);
}

static void write_one_page(struct disk *disk)
{
	disk_write(disk, 0, 1, PAGE);
}

static void misalign(struct disk *disk)
{
	disk_change(disk, DAX_FILE_ALLOCATE, PAGE, 4 * PMD - PAGE);
}

static void poison_a_page(struct disk *disk)
{
	struct dax_extent extent;

	disk_write(disk, 0, 1, PMD);
	dax_file_extent(disk->file, 1, &extent);
	dax_fs_set_poison(disk->fs, extent.pfn, 1);
}

static const struct obstacle obstacles[] = {
	{.cause = DAX_CAUSE_NONE,
		.build = build_nothing,
		.len = PMD,
		.flags = DISK_SHARED,
		.access = DAX_STORE},
	{.cause = DAX_CAUSE_HUGE_DISABLED,
		.build = build_nothing,
		.len = PMD,
		.flags = DISK_SHARED | DAX_VMA_NOHUGEPAGE},
	{.cause = DAX_CAUSE_COLOUR,
		.build = build_nothing,
		.len = 2 * PMD,
		.skew = PAGE,
		.offset = PMD,
		.flags = DISK_SHARED},
	{.cause = DAX_CAUSE_PRIVATE_WRITE,
		.build = build_nothing,
		.len = PMD,
		.flags = DAX_VMA_WRITE,
		.access = DAX_STORE},
	{.cause = DAX_CAUSE_OUTSIDE_VMA,
		.build = build_nothing,
		.len = PMD - PAGE,
		.flags = DISK_SHARED},
	{.cause = DAX_CAUSE_OUTSIDE_VMA,
		.build = build_nothing,
		.pos = PAGE,
		.len = PMD,
		.skew = PAGE,
		.flags = DISK_SHARED},
	{.cause = DAX_CAUSE_END_OF_FILE,
		.build = cut_the_file,
		.len = PMD,
		.flags = DISK_SHARED},
	{.cause = DAX_CAUSE_PTE_ENTRY,
		.build = use_one_page,
		.len = PMD,
		.flags = DISK_SHARED},
	{.cause = DAX_CAUSE_SHORT_EXTENT,
		.build = write_one_page,
		.len = PMD,
		.flags = DISK_SHARED},
	{.cause = DAX_CAUSE_MISALIGNED,
		.build = misalign,
		.pos = PMD,
		.len = PMD,
		.flags = DISK_SHARED,
		.access = DAX_STORE},
	{.cause = DAX_CAUSE_POISON,
		.build = poison_a_page,
		.len = PMD,
		.flags = DISK_SHARED},
};

static void each_obstacle_has_its_cause(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(obstacles); i++) {
		const struct obstacle *o = &obstacles[i];
		struct dax_vma_params params = {.pos = o->pos,
			.len = o->len,
			.flags = o->flags,
			.skew = o->skew};
		enum dax_cause cause;
		struct disk *disk;
		uint64_t address;

		disk_setup(state);
		disk = *state;
		o->build(disk);
		params.space = dax_file_space(disk->file);
		assert_int_equal(dax_mmap(disk->mm, &params, &address), 0);
		dax_fault(disk->mm, address + o->offset, o->access, &cause);
		assert_int_equal(cause, o->cause);
		assert_int_equal(
			!(disk_leaf(disk, address + o->offset) & DAX_LEAF_PMD),
			cause != DAX_CAUSE_NONE);
		disk_teardown(state);
	}
}

static void a_table_that_is_there_is_not_put_together(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map(disk, 0, PMD, DAX_VMA_WRITE);
	enum dax_cause cause;

	disk_store(disk, a, 1);
	dax_fault(disk->mm, a + PAGE, DAX_LOAD, &cause);
	assert_int_equal(cause, DAX_CAUSE_PTE_TABLE);
}

static void a_full_device_is_told_apart(void **state)
{
	struct disk *disk = *state;
	const uint64_t a = disk_map_all(disk, 0);
	struct dax_file *rest = disk_fill(disk, 0);
	enum dax_cause cause;

	assert_int_equal(
		dax_fault(disk->mm, a, DAX_STORE, &cause), DAX_FAULT_SIGBUS);
	assert_int_equal(cause, DAX_CAUSE_NO_SPACE);
	dax_file_delete(&rest);
}

static void every_cause_has_words(void **state)
{
	(void)state;
	for (unsigned int i = 0; i <= DAX_CAUSE_OTHER_SIZE; i++) {
		const struct dax_explanation *words =
			dax_explain((enum dax_cause)i);

		assert_true(*words->name && !strchr(words->name, ' '));
		assert_int_equal(
			words->sentence[strlen(words->sentence) - 1], '.');
		assert_int_equal(words->cure[strlen(words->cure) - 1], '.');
		for (unsigned int j = 0; j < i; j++)
			assert_string_not_equal(words->name,
				dax_explain((enum dax_cause)j)->name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_obstacle_has_its_cause),
		cmocka_unit_test_setup_teardown(
			a_table_that_is_there_is_not_put_together, disk_setup,
			disk_teardown),
		cmocka_unit_test_setup_teardown(
			a_full_device_is_told_apart, disk_setup, disk_teardown),
		cmocka_unit_test(every_cause_has_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

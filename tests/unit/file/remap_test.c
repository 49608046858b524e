/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Random calls on three files that are cloned, deduped and unshared, beside a
 * model that keeps their bytes: whatever becomes of the blocks, each file has
 * what was put there last. Failures for want of blocks change nothing.
 *
 *   cell	the first or the last byte of a page
 */
#include "file/file.h"
#include "support/disk.h"
#include "support/random.h"

#define ROUNDS 2000
#define FILES  3
/* In use: the first pages of a PMD, and as many beyond it. */
#define HALF  4
#define PAGES (2 * HALF)
#define CELLS (2 * PAGES)
#define SIZE  (PMD + HALF * PAGE)
/* Few enough that pages are often equal. */
#define VALUES 2

struct model {
	struct dax_file *file;
	uint64_t huge; /* where it is shown */
	uint64_t small;
	unsigned char cells[CELLS];
};

struct scene {
	struct disk *disk;
	struct random random;
	struct model models[FILES];
	bool is_scarce; /* blocks */
	unsigned int shared;
	unsigned int differed;
	unsigned int unshared;
	unsigned int failed;
};

static uint64_t choose(struct scene *scene, uint64_t limit)
{
	return random_below(&scene->random, limit);
}

static struct model *any_model(struct scene *scene)
{
	return &scene->models[choose(scene, FILES)];
}

/* ---- cells ---- */

static uint64_t page_pos(uint64_t page)
{
	return page < HALF ? page * PAGE : PMD + (page - HALF) * PAGE;
}

static uint64_t cell_pos(uint64_t cell)
{
	return page_pos(cell / 2) + (cell % 2 ? PAGE - 1 : 0);
}

static void check_cell(
	struct scene *scene, const struct model *model, uint64_t cell)
{
	unsigned char byte;
	size_t done;

	assert_int_equal(
		dax_file_read(model->file, cell_pos(cell), &byte, 1, &done), 0);
	assert_int_equal(byte, model->cells[cell]);
	assert_int_equal(
		disk_load(scene->disk,
			(choose(scene, 2) ? model->huge : model->small) +
				cell_pos(cell)),
		model->cells[cell]);
}

static void check_all(struct scene *scene)
{
	const char *wrong = dax_fs_verify(scene->disk->fs);

	if (wrong)
		fail_msg("%s", wrong);
	for (unsigned int i = 0; i < FILES; i++)
		for (uint64_t cell = 0; cell < CELLS; cell++)
			check_cell(scene, &scene->models[i], cell);
}

/* False: there was no room, and nothing has changed. */
static bool is_done(struct scene *scene, int error)
{
	if (error) {
		assert_true(scene->is_scarce);
		/* A store has no other name for it. */
		assert_true(error == -ENOSPC || error == -EIO);
	}
	scene->failed += error != 0;
	return !error;
}

/* ---- files ---- */

static uint64_t show(
	struct scene *scene, const struct model *model, unsigned int flags)
{
	const struct dax_vma_params params = {
		.space = dax_file_space(model->file),
		.len = SIZE,
		.flags = DISK_SHARED | flags,
	};
	uint64_t address = 0;

	assert_int_equal(dax_mmap(scene->disk->mm, &params, &address), 0);
	return address;
}

static void show_model(struct scene *scene, struct model *model)
{
	model->huge = show(scene, model, 0);
	model->small = show(scene, model, DAX_VMA_NOHUGEPAGE);
}

static void drop_model(struct scene *scene, struct model *model)
{
	assert_int_equal(dax_munmap(scene->disk->mm, model->huge, SIZE), 0);
	assert_int_equal(dax_munmap(scene->disk->mm, model->small, SIZE), 0);
	dax_file_delete(&model->file);
}

static void make_model(struct scene *scene, struct model *model)
{
	assert_int_equal(dax_file_new(scene->disk->fs, &model->file), 0);
	assert_int_equal(dax_file_truncate(model->file, SIZE), 0);
	show_model(scene, model);
}

/* ---- deeds ---- */

static void write_cell(struct scene *scene)
{
	struct model *model = any_model(scene);
	const uint64_t cell = choose(scene, CELLS);
	const unsigned char byte = (unsigned char)choose(scene, VALUES);
	size_t done;

	if (is_done(scene, dax_file_write(model->file, cell_pos(cell), &byte, 1,
				   &done)))
		model->cells[cell] = byte;
}

static void store_cell(struct scene *scene)
{
	struct model *model = any_model(scene);
	const uint64_t address = choose(scene, 2) ? model->huge : model->small;
	const uint64_t cell = choose(scene, CELLS);
	const unsigned char byte = (unsigned char)choose(scene, VALUES);

	if (is_done(scene, dax_store(scene->disk->mm, address + cell_pos(cell),
				   &byte, 1)))
		model->cells[cell] = byte;
}

static void destroy_page(struct scene *scene)
{
	struct model *model = any_model(scene);
	const uint64_t page = choose(scene, PAGES);

	if (is_done(scene,
		    dax_file_change(model->file,
			    choose(scene, 2) ? DAX_FILE_PUNCH : DAX_FILE_ZERO,
			    page_pos(page), PAGE)))
		model->cells[2 * page] = model->cells[2 * page + 1] = 0;
}

static void sync_file(struct scene *scene)
{
	assert_int_equal(
		dax_file_sync(any_model(scene)->file, DAX_SYNC_ALL, 0, 0), 0);
}

static void clone_file(struct scene *scene)
{
	struct model *from = any_model(scene);
	struct model *to = any_model(scene);

	if (from == to)
		return;
	drop_model(scene, to);
	assert_int_equal(dax_file_clone(from->file, &to->file), 0);
	show_model(scene, to);
	memcpy(to->cells, from->cells, CELLS);
}

static void unshare_range(struct scene *scene)
{
	struct model *model = any_model(scene);
	const uint64_t page = choose(scene, PAGES);
	const bool all = !choose(scene, 4);
	struct dax_extent extent;

	if (!is_done(scene,
		    dax_file_unshare(model->file, all ? 0 : page_pos(page),
			    all ? SIZE : PAGE)))
		return;
	dax_file_extent(model->file, page_pos(page) / PAGE, &extent);
	assert_true(extent.shares < 2);
	scene->unshared++;
}

/* What is not written differs from zeros that are: the model does not know. */
static void check_result(struct scene *scene, const unsigned char *a,
	const unsigned char *b, uint64_t nr, int error)
{
	bool certain = true;

	assert_true(!error || error == -EBADE);
	for (uint64_t i = 0; i < nr; i += 2)
		certain &= a[i] || a[i + 1];
	if (memcmp(a, b, nr))
		assert_int_equal(error, -EBADE);
	else if (certain)
		assert_int_equal(error, 0);
	scene->shared += !error;
	scene->differed += error != 0;
}

static void dedupe_page(struct scene *scene)
{
	struct model *src = any_model(scene);
	struct model *dst = any_model(scene);
	const uint64_t from = choose(scene, PAGES);
	const uint64_t to = choose(scene, PAGES);

	if (src == dst && from == to)
		return;
	check_result(scene, &src->cells[2 * from], &dst->cells[2 * to], 2,
		dax_file_dedupe(src->file, page_pos(from), dst->file,
			page_pos(to), PAGE));
}

static void dedupe_all(struct scene *scene)
{
	struct model *src = any_model(scene);
	struct model *dst = any_model(scene);

	if (src != dst)
		check_result(scene, src->cells, dst->cells, CELLS,
			dax_file_dedupe(src->file, 0, dst->file, 0, SIZE));
}

static void act(struct scene *scene)
{
	static void (*const deeds[])(struct scene * scene) = {write_cell,
		write_cell, write_cell, store_cell, store_cell, store_cell,
		destroy_page, sync_file, clone_file, unshare_range, dedupe_page,
		dedupe_page, dedupe_page, dedupe_all};

	deeds[choose(scene, ARRAY_SIZE(deeds))](scene);
}

static void play(struct disk *disk, struct scene *scene)
{
	scene->disk = disk;
	for (unsigned int i = 0; i < FILES; i++)
		make_model(scene, &scene->models[i]);
	for (unsigned int i = 0; i < ROUNDS; i++) {
		act(scene);
		if (i % 8 == 0)
			check_all(scene);
	}
	check_all(scene);
	print_message("%u shared, %u differed, %u unshared, %u failures\n",
		scene->shared, scene->differed, scene->unshared, scene->failed);
	/* It met what it is about. */
	assert_true(scene->shared && scene->differed && scene->unshared);
	assert_int_equal(scene->failed != 0, scene->is_scarce);
	for (unsigned int i = 0; i < FILES; i++)
		drop_model(scene, &scene->models[i]);
}

static void files_that_share_have_the_bytes_of_the_model(void **state)
{
	struct scene scene = {.random = random_of(1)};

	play(*state, &scene);
}

static void they_have_them_when_blocks_are_scarce(void **state)
{
	struct scene scene = {.random = random_of(2), .is_scarce = true};
	struct dax_file *rest = disk_fill(*state, PAGES);

	play(*state, &scene);
	dax_file_delete(&rest);
}

#define REMAP_TEST(test, setup)                                                \
	cmocka_unit_test_setup_teardown(test, setup, disk_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		REMAP_TEST(files_that_share_have_the_bytes_of_the_model,
			disk_setup),
		REMAP_TEST(files_that_share_have_the_bytes_of_the_model,
			disk_setup_6_1),
		REMAP_TEST(they_have_them_when_blocks_are_scarce, disk_setup),
		REMAP_TEST(
			they_have_them_when_blocks_are_scarce, disk_setup_6_1),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

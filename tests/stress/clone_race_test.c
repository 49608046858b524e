/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Threads store, pin, write, punch, zero, cut, unshare and sync one file while
 * each clones it, does the same to its clones, and dedupes both. A page of the
 * file has one owner, a clone is its maker's, so everybody knows exactly what
 * his bytes are: what he put there last, wherever the blocks went; and that
 * does not change when a call fails for want of blocks or memory.
 *
 *   cell	the first or the last 8 bytes of a page
 */
#include <stdlib.h>

#include "base/sync.h"
#include "support/areas.h"
#include "support/crew.h"
#include "support/disk.h"
#include "support/random.h"
#include "support/rounds.h"

#define THREADS 4
#define ROUNDS	ROUNDS_OF(DAX_PMD_ORDER == 2 ? 10000 : 4000)
/* In use: some pages of a PMD, and as many beyond it. */
#define PAGES (2 * THREADS)
#define CELLS (2 * PAGES)
#define SIZE  (PMD + THREADS * PAGE)

/* A file, where it is shown, and what is in it as far as one knows. */
struct known {
	struct dax_file *file;
	struct dax_mm *mm;
	uint64_t areas[AREAS];
	uint64_t cells[CELLS];
};

struct scene {
	struct known origin; /* const while the threads run, but for cells */
	bool is_scarce;	     /* blocks and memory */
	_Atomic(unsigned int) nr_clones;
	_Atomic(unsigned int) nr_pins;
	_Atomic(unsigned int) nr_dedupes;
	_Atomic(unsigned int) nr_failures;
};

struct actor {
	struct crew_member *me;
	struct scene *scene;
	struct random random;
	struct known origin;
	struct known clone; /* of which all cells are known; or no file */
	uint64_t count;
};

static uint64_t choose(struct actor *actor, uint64_t limit)
{
	return random_below(&actor->random, limit);
}

/* ---- cells ---- */

static unsigned int owner_of(unsigned int cell)
{
	return cell / 2 % THREADS;
}

static uint64_t page_pos(unsigned int cell)
{
	const uint64_t page = cell / 2;

	return page < THREADS ? page * PAGE : PMD + (page - THREADS) * PAGE;
}

static uint64_t cell_pos(unsigned int cell)
{
	return page_pos(cell) + (cell % 2 ? PAGE - sizeof(uint64_t) : 0);
}

/* Says where it is, so nobody else puts it there. */
static uint64_t new_value(struct actor *actor, unsigned int cell)
{
	return (uint64_t)(cell + 1) << 48 | ++actor->count;
}

static bool belongs_to(uint64_t value, unsigned int cell)
{
	return !value || value >> 48 == cell + 1;
}

/* True: it was done; false: it was not, and nothing has changed. */
static bool is_done(struct actor *actor, int error)
{
	crew_check(actor->me,
		!error || (actor->scene->is_scarce &&
				  (error == -EIO || error == -ENOSPC ||
					  error == -ENOMEM)));
	atomic_fetch_add(&actor->scene->nr_failures, error != 0);
	return !error;
}

/* ---- deeds: to a cell of the file, or of a clone ---- */

static void store(struct actor *actor, struct known *known, unsigned int cell)
{
	const uint64_t value = new_value(actor, cell);
	const uint64_t address = known->areas[choose(actor, SHARED_AREAS)];

	if (is_done(actor, dax_store(known->mm, address + cell_pos(cell),
				   &value, sizeof(value))))
		known->cells[cell] = value;
}

static void load(struct actor *actor, struct known *known, unsigned int cell)
{
	const uint64_t address = known->areas[choose(actor, AREAS)];
	uint64_t value;

	if (is_done(actor, dax_load(known->mm, address + cell_pos(cell), &value,
				   sizeof(value))))
		crew_check(actor->me, value == known->cells[cell]);
}

/* ---- deeds through a pin, which no other call waits for in vain ---- */

static int pin(struct actor *actor, const struct known *known,
	unsigned int cell, unsigned int flags, struct dax_pinned *page)
{
	const struct dax_pin_params params = {
		.address = known->areas[choose(actor, SHARED_AREAS)] +
			   page_pos(cell),
		.nr = 1,
		.flags = flags,
		.holder = choose(actor, 2) ? "actor" : NULL,
	};
	size_t done;

	return dax_pin_pages(known->mm, &params, page, &done);
}

static uint64_t *pinned_cell(const struct dax_pinned *page, unsigned int cell)
{
	return (uint64_t *)((char *)page->bytes + cell_pos(cell) -
			    page_pos(cell));
}

static void store_pinned(
	struct actor *actor, struct known *known, unsigned int cell)
{
	const uint64_t value = new_value(actor, cell);
	struct dax_pinned page;

	if (!is_done(actor, pin(actor, known, cell, DAX_PIN_WRITE, &page)))
		return;
	atomic_fetch_add(&actor->scene->nr_pins, 1);
	sched_yield();
	__atomic_store_n(pinned_cell(&page, cell), value, __ATOMIC_RELAXED);
	known->cells[cell] = value;
	dax_unpin_pages(&page, 1);
}

/* As long as the file has the block. A store to a neighbour may move the page,
 * as a PMD moves as one; then the block is a clone's that stores there, too, at
 * the same place unless it was shared for being all zeros. */
static bool may_show(const struct known *known, unsigned int cell,
	const struct dax_pinned *page, uint64_t value)
{
	const uint64_t last = known->cells[cell];
	struct dax_extent extent;

	if (value == last)
		return true;
	dax_file_extent(known->file, page_pos(cell) / PAGE, &extent);
	return extent.pfn != page->pfn && (!last || belongs_to(value, cell));
}

static void load_pinned(
	struct actor *actor, struct known *known, unsigned int cell)
{
	struct dax_pinned page;
	const int error = pin(actor, known, cell, 0, &page);

	/* A hole. */
	if (error == -EOPNOTSUPP || !is_done(actor, error))
		return;
	sched_yield();
	crew_check(actor->me, may_show(known, cell, &page,
				      __atomic_load_n(pinned_cell(&page, cell),
					      __ATOMIC_RELAXED)));
	dax_unpin_pages(&page, 1);
}

/* ---- deeds of the file ---- */

static void write_cell(
	struct actor *actor, struct known *known, unsigned int cell)
{
	const uint64_t value = new_value(actor, cell);
	size_t done;

	if (is_done(actor, dax_file_write(known->file, cell_pos(cell), &value,
				   sizeof(value), &done)))
		known->cells[cell] = value;
}

/* 0 past the end. */
static uint64_t read_value(
	struct actor *actor, struct dax_file *file, unsigned int cell)
{
	uint64_t value = 0;
	size_t done;

	crew_check(actor->me, !dax_file_read(file, cell_pos(cell), &value,
				      sizeof(value), &done));
	crew_check(actor->me, !done || done == sizeof(value));
	return value;
}

static void read_cell(
	struct actor *actor, struct known *known, unsigned int cell)
{
	crew_check(actor->me,
		read_value(actor, known->file, cell) == known->cells[cell]);
}

static enum dax_file_change any_destruction(struct actor *actor)
{
	return choose(actor, 2) ? DAX_FILE_PUNCH : DAX_FILE_ZERO;
}

static void destroy_page(
	struct actor *actor, struct known *known, unsigned int cell)
{
	if (is_done(actor, dax_file_change(known->file, any_destruction(actor),
				   page_pos(cell), PAGE)))
		known->cells[cell] = known->cells[cell ^ 1] = 0;
}

static void destroy_cell(
	struct actor *actor, struct known *known, unsigned int cell)
{
	if (is_done(actor, dax_file_change(known->file, any_destruction(actor),
				   cell_pos(cell), sizeof(uint64_t))))
		known->cells[cell] = 0;
}

static void cut(struct actor *actor, struct known *known, unsigned int cell)
{
	const bool whole = choose(actor, 2);

	/* All that is past the end goes: it must be the owner's. */
	if (cell < CELLS - 2 ||
		!is_done(actor, dax_file_truncate(known->file,
					SIZE - (whole ? PAGE : PAGE / 2))))
		return;
	known->cells[CELLS - 1] = 0;
	if (whole)
		known->cells[CELLS - 2] = 0;
	while (!actor->me->wrong &&
		!is_done(actor, dax_file_truncate(known->file, SIZE)))
		sched_yield();
}

static void sync_file(
	struct actor *actor, struct known *known, unsigned int cell)
{
	is_done(actor, dax_file_sync(known->file, DAX_SYNC_ALL,
			       choose(actor, 2) ? page_pos(cell) : 0, PAGE));
}

static void unmap(struct actor *actor, struct known *known, unsigned int cell)
{
	const uint64_t address = known->areas[choose(actor, SHARED_AREAS)];

	is_done(actor, dax_madvise(known->mm, address + page_pos(cell), PAGE,
			       DAX_DONTNEED));
}

/* ---- deeds that change no byte, only where it is ---- */

static void unshare_pages(
	struct actor *actor, struct known *known, unsigned int cell)
{
	const bool all = !choose(actor, 4);

	is_done(actor, dax_file_unshare(known->file, all ? 0 : page_pos(cell),
			       all ? SIZE : PAGE));
}

/* They differ, or one is in the middle of a cut(). */
static void check_dedupe(struct actor *actor, int error)
{
	if (error != -EBADE && error != -EINVAL && is_done(actor, error))
		atomic_fetch_add(&actor->scene->nr_dedupes, 1);
}

static void dedupe_pages(
	struct actor *actor, struct known *known, unsigned int cell)
{
	const uint64_t to = page_pos((unsigned int)choose(actor, CELLS));

	if (to != page_pos(cell))
		check_dedupe(actor, dax_file_dedupe(known->file, page_pos(cell),
					    known->file, to, PAGE));
}

static void dedupe_with_clone(
	struct actor *actor, struct known *known, unsigned int cell)
{
	struct dax_file *origin = actor->origin.file;
	struct dax_file *clone = actor->clone.file;
	const bool back = known->file == origin;
	const bool all = !choose(actor, 4);
	const uint64_t pos = all ? 0 : page_pos(cell);

	if (clone)
		check_dedupe(actor,
			dax_file_dedupe(back ? clone : origin, pos,
				back ? origin : clone, pos, all ? SIZE : PAGE));
}

static void act_on(struct actor *actor, struct known *known, unsigned int cell)
{
	static void (*const deeds[])(struct actor * actor, struct known * known,
		unsigned int cell) = {store, store, store, store, load, load,
		load, store_pinned, load_pinned, write_cell, write_cell,
		read_cell, read_cell, destroy_page, destroy_cell, cut,
		sync_file, unmap, unshare_pages, dedupe_pages,
		dedupe_with_clone, dedupe_with_clone};

	deeds[choose(actor, ARRAY_SIZE(deeds))](actor, known, cell);
}

/* ---- clones ---- */

static int map_known(struct known *known)
{
	return areas_map(known->mm, known->file, SIZE, AREAS, known->areas);
}

static void drop_clone(struct known *clone)
{
	dax_mm_delete(&clone->mm);
	dax_file_delete(&clone->file);
}

static int make_clone(struct dax_file *from, struct known *clone)
{
	int error = dax_file_clone(from, &clone->file);

	/* It may be short, as the file is in the middle of a cut(). */
	if (!error)
		error = dax_file_truncate(clone->file, SIZE);
	if (!error)
		error = dax_mm_new(NULL, &clone->mm);
	if (!error)
		error = map_known(clone);
	return error;
}

/* From here on, whatever is done to the file does not change it. */
static void look_at_clone(struct actor *actor)
{
	struct known *clone = &actor->clone;

	atomic_fetch_add(&actor->scene->nr_clones, 1);
	for (unsigned int cell = 0; cell < CELLS; cell++) {
		clone->cells[cell] = read_value(actor, clone->file, cell);
		crew_check(actor->me, belongs_to(clone->cells[cell], cell));
		if (owner_of(cell) == actor->me->number)
			crew_check(
				actor->me, clone->cells[cell] ==
						   actor->origin.cells[cell]);
	}
}

static void change_clone(struct actor *actor)
{
	if (actor->clone.file) {
		for (unsigned int cell = 0; cell < CELLS; cell++)
			read_cell(actor, &actor->clone, cell);
		drop_clone(&actor->clone);
	} else if (is_done(actor,
			   make_clone(actor->origin.file, &actor->clone))) {
		look_at_clone(actor);
	} else {
		drop_clone(&actor->clone);
	}
}

/* ---- the threads ---- */

static unsigned int own_cell(struct actor *actor)
{
	const unsigned int half = (unsigned int)choose(actor, CELLS / THREADS);

	return (half / 2 * THREADS + actor->me->number) * 2 + half % 2;
}

static void act_once(struct actor *actor)
{
	if (actor->scene->is_scarce && !choose(actor, 8))
		sync_alloc_fail_nth(1 + choose(actor, 20));
	if (!choose(actor, 20))
		change_clone(actor);
	else if (actor->clone.file && choose(actor, 2))
		act_on(actor, &actor->clone,
			(unsigned int)choose(actor, CELLS));
	else
		act_on(actor, &actor->origin, own_cell(actor));
}

static void act(struct crew_member *me)
{
	struct scene *scene = me->shared;
	struct actor actor = {
		.me = me,
		.scene = scene,
		.random = random_of(me->number),
		.origin = scene->origin,
	};

	for (unsigned int i = 0; i < ROUNDS && !me->wrong; i++)
		act_once(&actor);
	drop_clone(&actor.clone);
	for (unsigned int cell = 0; cell < CELLS; cell++)
		if (owner_of(cell) == me->number)
			read_cell(&actor, &actor.origin, cell);
}

static void run(struct scene *scene, struct disk *disk)
{
	struct crew crew;

	scene->origin.file = disk->file;
	scene->origin.mm = disk->mm;
	assert_int_equal(dax_file_truncate(disk->file, SIZE), 0);
	assert_int_equal(map_known(&scene->origin), 0);
	crew_start(&crew, THREADS, act, scene);
	crew_assert_content(&crew);
	sync_alloc_fail_nth(0);
	print_message("%u clones, %u pins, %u dedupes, %u failures\n",
		scene->nr_clones, scene->nr_pins, scene->nr_dedupes,
		scene->nr_failures);
	/* It met what it is about. */
	assert_true(scene->nr_clones);
	assert_true(scene->nr_pins);
	assert_true(scene->nr_dedupes);
	assert_int_equal(scene->nr_failures != 0, scene->is_scarce);
}

static void a_clone_and_its_source_keep_their_own_bytes(void **state)
{
	struct scene scene = {0};

	run(&scene, *state);
}

/* Enough for the file, and now and then for a clone. */
static void they_do_so_where_blocks_and_memory_are_scarce(void **state)
{
	struct scene scene = {.is_scarce = true};
	struct disk *disk = *state;
	struct dax_file *rest = disk_fill(disk, 3 * PMD_PAGES);

	run(&scene, disk);
	dax_file_delete(&rest);
}

#define RACE_TEST(test, setup)                                                 \
	cmocka_unit_test_setup_teardown(test, setup, disk_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RACE_TEST(a_clone_and_its_source_keep_their_own_bytes,
			disk_setup),
		RACE_TEST(a_clone_and_its_source_keep_their_own_bytes,
			disk_setup_6_1),
		RACE_TEST(they_do_so_where_blocks_and_memory_are_scarce,
			disk_setup),
		RACE_TEST(they_do_so_where_blocks_and_memory_are_scarce,
			disk_setup_6_1),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

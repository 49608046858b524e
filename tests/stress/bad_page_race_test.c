/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Pages go bad, and are made good again, while threads load, store, pin, read,
 * write, sync and lock them, and another cuts and punches the end of the file.
 * Each knows before and after a deed what the page is known to be. While it is
 *
 *   good	every deed succeeds, and bytes are what was stored there last;
 *   failing	it does, or says that the page is bad;
 *   bad	it says so: no leaf shows the page, and nobody pins it;
 *   mending	as failing.
 */
#include <stdatomic.h>

#include "support/areas.h"
#include "support/crew.h"
#include "support/disk.h"
#include "support/random.h"
#include "support/rounds.h"

#define USERS	3
#define THREADS (2 + USERS)
#define ROUNDS	ROUNDS_OF(DAX_PMD_ORDER == 2 ? 2000 : 1500)
/* At the beginning of the first PMD, never cut. */
#define PAGES 4
/* Of the second PMD, which are. */
#define TAIL 6
#define SIZE (PMD + TAIL * PAGE)

/* Of a page, counted up for ever: its place in the round. */
enum phase {
	GOOD,
	FAILING,
	BAD,
	MENDING,
	PHASES,
};

#define SPACES 2

struct scene {
	struct disk *disk;
	struct dax_mm *mms[SPACES];
	uint64_t areas[SPACES][SHARED_AREAS];
	_Atomic(uint64_t) phases[PAGES];
	_Atomic(bool) over;
	_Atomic(uint64_t) nr_good;
	_Atomic(uint64_t) nr_bad;
};

struct actor {
	struct crew_member *me;
	struct scene *scene;
	struct random random;
	uint64_t stored[PAGES]; /* in the own cell */
	uint64_t phases[PAGES]; /* when it was */
	uint64_t count;
};

static uint64_t choose(struct actor *actor, uint64_t limit)
{
	return random_below(&actor->random, limit);
}

static struct dax_mm *any_mm(struct actor *actor, uint64_t *area)
{
	const uint64_t space = choose(actor, SPACES);

	*area = actor->scene->areas[space][choose(actor, SHARED_AREAS)];
	return actor->scene->mms[space];
}

static uint64_t pfn_of(const struct scene *scene, dax_pgoff_t index)
{
	struct dax_extent extent;

	dax_file_extent(scene->disk->file, index, &extent);
	return extent.pfn;
}

/* ---- users ---- */

static uint64_t own_cell(const struct actor *actor, uint64_t page)
{
	return page * PAGE + 8 * actor->me->number;
}

/* A deed to @page began at @phase. True: it was done, and all the time the page
 * was good. */
static bool was_done(
	struct actor *actor, uint64_t page, uint64_t phase, int error)
{
	struct scene *scene = actor->scene;

	crew_check(actor->me, !error || error == -EHWPOISON);
	if (phase != atomic_load(&scene->phases[page]))
		return false;
	if (phase % PHASES == GOOD) {
		crew_check(actor->me, !error);
		atomic_fetch_add(&scene->nr_good, 1);
		return true;
	}
	if (phase % PHASES == BAD) {
		crew_check(actor->me, error == -EHWPOISON);
		atomic_fetch_add(&scene->nr_bad, 1);
	}
	return false;
}

static void check_value(
	struct actor *actor, uint64_t page, uint64_t phase, uint64_t value)
{
	if (actor->phases[page] == phase)
		crew_check(actor->me, value == actor->stored[page]);
}

static void note_value(
	struct actor *actor, uint64_t page, uint64_t phase, uint64_t value)
{
	actor->stored[page] = value;
	actor->phases[page] = phase;
}

static int store_at(struct actor *actor, uint64_t pos, uint64_t value)
{
	uint64_t area;
	struct dax_mm *mm = any_mm(actor, &area);

	return dax_store(mm, area + pos, &value, sizeof(value));
}

static int write_at(struct actor *actor, uint64_t pos, uint64_t value)
{
	size_t done;

	return dax_file_write(
		actor->scene->disk->file, pos, &value, sizeof(value), &done);
}

static void put(struct actor *actor, uint64_t page, uint64_t phase,
	int (*put_at)(struct actor *actor, uint64_t pos, uint64_t value))
{
	const uint64_t value = ++actor->count;

	/* What fails may still be there when it is called good again. */
	actor->phases[page] = UINT64_MAX;
	if (was_done(actor, page, phase,
		    put_at(actor, own_cell(actor, page), value)))
		note_value(actor, page, phase, value);
}

static void store(struct actor *actor, uint64_t page, uint64_t phase)
{
	put(actor, page, phase, store_at);
}

static void write_cell(struct actor *actor, uint64_t page, uint64_t phase)
{
	put(actor, page, phase, write_at);
}

static void load(struct actor *actor, uint64_t page, uint64_t phase)
{
	uint64_t area, value = 0;
	struct dax_mm *mm = any_mm(actor, &area);

	if (was_done(actor, page, phase,
		    dax_load(mm, area + own_cell(actor, page), &value,
			    sizeof(value))))
		check_value(actor, page, phase, value);
}

static void read_cell(struct actor *actor, uint64_t page, uint64_t phase)
{
	uint64_t value = 0;
	size_t done;

	if (was_done(actor, page, phase,
		    dax_file_read(actor->scene->disk->file,
			    own_cell(actor, page), &value, sizeof(value),
			    &done)))
		check_value(actor, page, phase, value);
}

static void pin(struct actor *actor, uint64_t page, uint64_t phase)
{
	struct dax_pin_params params = {.nr = 1, .flags = DAX_PIN_WRITE};
	struct dax_mm *mm = any_mm(actor, &params.address);
	struct dax_pinned pinned;
	size_t done;
	int error;

	params.address += page * PAGE;
	error = dax_pin_pages(mm, &params, &pinned, &done);
	was_done(actor, page, phase, error);
	if (!error)
		dax_unpin_pages(&pinned, 1);
}

static void lock(struct actor *actor, uint64_t page, uint64_t phase)
{
	struct dax_mapping *m =
		dax_space_mapping(dax_file_space(actor->scene->disk->file));
	dax_entry_t entry;

	(void)phase;
	if (dax_lock_entry(m, page, &entry))
		return;
	sched_yield();
	dax_unlock_entry(m, page, entry);
}

static void unmap(struct actor *actor, uint64_t page, uint64_t phase)
{
	uint64_t area;
	struct dax_mm *mm = any_mm(actor, &area);

	(void)page;
	(void)phase;
	crew_check(actor->me, !dax_madvise(mm, area, SIZE, DAX_DONTNEED));
}

static void sync_file(struct actor *actor, uint64_t page, uint64_t phase)
{
	(void)page;
	(void)phase;
	crew_check(actor->me,
		!dax_file_sync(actor->scene->disk->file, DAX_SYNC_ALL, 0, 0));
}

static bool may_be_past_the_end(int error)
{
	return !error || error == -EHWPOISON || error == -EIO;
}

static void use_tail(struct actor *actor, uint64_t page, uint64_t phase)
{
	const uint64_t pos = PMD + choose(actor, TAIL) * PAGE;
	uint64_t area, value;
	struct dax_mm *mm = any_mm(actor, &area);

	(void)page;
	(void)phase;
	crew_check(actor->me, may_be_past_the_end(store_at(actor, pos, 1)));
	crew_check(actor->me, may_be_past_the_end(dax_load(
				      mm, area + pos, &value, sizeof(value))));
}

static void use_once(struct actor *actor)
{
	static void (*const deeds[])(
		struct actor * actor, uint64_t page, uint64_t phase) = {store,
		store, store, load, load, load, write_cell, read_cell, pin,
		lock, unmap, sync_file, use_tail, use_tail};
	const uint64_t page = choose(actor, PAGES);

	deeds[choose(actor, ARRAY_SIZE(deeds))](
		actor, page, atomic_load(&actor->scene->phases[page]));
}

static int write_zeros(struct actor *actor, uint64_t pos, uint64_t len)
{
	static const char zeros[PMD];
	size_t done = 0;
	const int error = dax_file_write(
		actor->scene->disk->file, pos, zeros, len, &done);

	crew_check(actor->me, error || done == len);
	return error;
}

/* ---- who cuts the file ---- */

/* A page of the tail may fail while it is written. */
static void write_tail(struct actor *actor, uint64_t pos)
{
	const int error = write_zeros(actor, pos & -PAGE, PAGE);

	crew_check(actor->me, !error || error == -EHWPOISON);
}

/* What is in the last page past the end is zeroed, unless it is bad. */
static void grow(struct actor *actor)
{
	struct dax_file *file = actor->scene->disk->file;
	int error;

	while ((error = dax_file_truncate(file, SIZE)) == -EHWPOISON &&
		!actor->me->wrong)
		write_tail(actor, dax_file_size(file));
	crew_check(actor->me, !error);
}

static void cut_once(struct actor *actor)
{
	struct dax_file *file = actor->scene->disk->file;
	const uint64_t pos = PMD + choose(actor, 2 * TAIL) * PAGE / 2;
	int error = 0;

	switch (choose(actor, 3)) {
	case 0:
		error = dax_file_truncate(file, pos);
		break;
	case 1:
		error = dax_file_change(file, DAX_FILE_PUNCH, pos, PAGE);
		break;
	default:
		write_tail(actor, pos);
	}
	crew_check(actor->me, !error || error == -EHWPOISON);
	grow(actor);
}

/* ---- who says that pages fail ---- */

static void enter(struct actor *actor, uint64_t page, enum phase phase)
{
	struct scene *scene = actor->scene;
	const uint64_t next = atomic_load(&scene->phases[page]) + 1;

	crew_check(actor->me, next % PHASES == phase);
	atomic_store(&scene->phases[page], next);
}

static enum phase phase_of(const struct actor *actor, uint64_t page)
{
	return atomic_load(&actor->scene->phases[page]) % PHASES;
}

static bool is_shown(const struct scene *scene, uint64_t page)
{
	struct dax_leaf leaf;

	for (unsigned int space = 0; space < SPACES; space++)
		for (unsigned int area = 0; area < SHARED_AREAS; area++) {
			dax_mm_leaf(scene->mms[space],
				scene->areas[space][area] + page * PAGE, &leaf);
			if (leaf.flags)
				return true;
		}
	return false;
}

static void spoil(struct actor *actor, uint64_t page)
{
	struct scene *scene = actor->scene;

	enter(actor, page, FAILING);
	dax_fs_memory_failure(scene->disk->fs, pfn_of(scene, page), 1);
	enter(actor, page, BAD);
	crew_check(actor->me, !is_shown(scene, page));
}

static void mend(struct actor *actor, uint64_t page)
{
	enter(actor, page, MENDING);
	crew_check(actor->me, !write_zeros(actor, page * PAGE, PAGE));
	enter(actor, page, GOOD);
}

/* Drops all entries of the first PMD, so that there may be a large one. */
static void mend_all(struct actor *actor)
{
	for (uint64_t page = 0; page < PAGES; page++) {
		if (phase_of(actor, page) == GOOD)
			spoil(actor, page);
		enter(actor, page, MENDING);
	}
	crew_check(actor->me, !dax_file_change(actor->scene->disk->file,
				      DAX_FILE_ZERO, 0, PMD));
	crew_check(actor->me, !write_zeros(actor, 0, PMD));
	for (uint64_t page = 0; page < PAGES; page++)
		enter(actor, page, GOOD);
}

static void spoil_tail(struct actor *actor)
{
	const uint64_t pfn =
		pfn_of(actor->scene, PMD_PAGES + choose(actor, TAIL));

	/* 0: a hole just now. */
	if (pfn)
		dax_fs_memory_failure(actor->scene->disk->fs, pfn, 1);
}

static void spoil_or_mend_once(struct actor *actor)
{
	const uint64_t page = choose(actor, PAGES);

	if (!choose(actor, 16))
		mend_all(actor);
	else if (!choose(actor, 4))
		spoil_tail(actor);
	else if (phase_of(actor, page) == GOOD)
		spoil(actor, page);
	else
		mend(actor, page);
	sched_yield();
}

/* ---- the threads ---- */

static void act(struct crew_member *me)
{
	struct scene *scene = me->shared;
	struct actor actor = {
		.me = me, .scene = scene, .random = random_of(me->number)};

	memset(actor.phases, 0xff, sizeof(actor.phases));
	if (me->number == 0) {
		for (unsigned int i = 0; i < ROUNDS && !me->wrong; i++)
			spoil_or_mend_once(&actor);
		atomic_store(&scene->over, true);
	}
	while (!atomic_load(&scene->over) && !me->wrong)
		if (me->number == 1)
			cut_once(&actor);
		else
			use_once(&actor);
}

static void a_bad_page_is_shown_by_nobody_until_it_is_good(void **state)
{
	struct disk *disk = *state;
	struct scene scene = {.disk = disk, .mms = {disk->mm}};
	struct crew crew;

	assert_int_equal(dax_file_truncate(disk->file, SIZE), 0);
	disk_write(disk, 0, 1, PMD);
	assert_int_equal(dax_mm_new(NULL, &scene.mms[1]), 0);
	for (unsigned int space = 0; space < SPACES; space++)
		assert_int_equal(areas_map(scene.mms[space], disk->file, SIZE,
					 SHARED_AREAS, scene.areas[space]),
			0);
	crew_start(&crew, THREADS, act, &scene);
	crew_assert_content(&crew);
	/* It met what it is about. */
	print_message("%llu good, %llu bad\n",
		(unsigned long long)scene.nr_good,
		(unsigned long long)scene.nr_bad);
	assert_true(scene.nr_good && scene.nr_bad);
	/* All of it at once; but a hole shows the zero page. */
	dax_fs_memory_failure(disk->fs, 0, UINT64_MAX);
	for (uint64_t page = 0; page < SIZE / PAGE; page++)
		assert_false(pfn_of(&scene, page) && is_shown(&scene, page));
	dax_mm_delete(&scene.mms[1]);
}

#define RACE_TEST(test, setup)                                                 \
	cmocka_unit_test_setup_teardown(test, setup, disk_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RACE_TEST(a_bad_page_is_shown_by_nobody_until_it_is_good,
			disk_setup),
		RACE_TEST(a_bad_page_is_shown_by_nobody_until_it_is_good,
			disk_setup_6_1),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Threads fault, store, load, write, read, sync, punch, zero, truncate and
 * protect the same two files through two address spaces, at once. Each has a
 * cell of its own in every page, and holds that
 *
 *   what it loads there is what it stored last, unless somebody destroyed the
 *   page since then: then it may be 0;
 *   what it loads from another's cell was stored there by that one.
 *
 * So no byte is lost, and none comes from another page, file or time of a
 * block. At the end blocks, extents, entries and page tables agree.
 */
#include <stdatomic.h>
#include <stdlib.h>

#include "support/areas.h"
#include "support/crew.h"
#include "support/disk.h"
#include "support/random.h"
#include "support/rounds.h"

#define THREADS 4
#define ROUNDS	ROUNDS_OF(DAX_PMD_ORDER == 2 ? 20000 : 4000)
#define FILES	2
#define SPACES	2
#define PMDS	3
/* Pages in use of each PMD: all at the small order. */
#define IN_PMD 4
#define PAGES  (PMDS * IN_PMD)
#define SIZE   (PMDS * PMD)

/* Stores are allowed at times. */
enum { AREA_PROTECTED = AREAS, ALL_AREAS };

/* How often a page was destroyed: begun and ended. */
struct destruction {
	_Atomic(uint64_t) begun;
	_Atomic(uint64_t) ended;
};

struct scene {
	struct disk *disk;
	struct dax_file *files[FILES];
	struct dax_mm *mms[SPACES];
	uint64_t areas[SPACES][FILES][ALL_AREAS];
	struct destruction destroyed[FILES][PAGES];
};

struct actor {
	struct crew_member *me;
	struct scene *scene;
	struct random random;
	uint64_t stored[FILES][PAGES];	  /* last value */
	uint64_t destroyed[FILES][PAGES]; /* begun, before that */
	uint64_t count;
};

static uint64_t choose(struct actor *actor, uint64_t limit)
{
	return random_below(&actor->random, limit);
}

/* ---- places ---- */

struct place {
	unsigned int file;
	unsigned int page; /* of those in use */
};

static struct place any_place(struct actor *actor)
{
	return (struct place){(unsigned int)choose(actor, FILES),
		(unsigned int)choose(actor, PAGES)};
}

static uint64_t page_pos(unsigned int page)
{
	return page / IN_PMD * PMD + page % IN_PMD * PAGE;
}

static uint64_t cell_pos(struct place place, unsigned int thread)
{
	return page_pos(place.page) + 8 * thread;
}

/* Where @place's cell is in some address space. */
static uint64_t any_address(struct actor *actor, struct place place,
	unsigned int thread, struct dax_mm **mm)
{
	const uint64_t space = choose(actor, SPACES);

	*mm = actor->scene->mms[space];
	return actor->scene
		       ->areas[space][place.file][choose(actor, SHARED_AREAS)] +
	       cell_pos(place, thread);
}

/* ---- values ---- */

/* Says who stored it where: nobody else stores the same. */
static uint64_t new_value(struct actor *actor, struct place place)
{
	return (uint64_t)(actor->me->number + 1) << 56 |
	       (uint64_t)place.file << 48 | (uint64_t)place.page << 40 |
	       ++actor->count;
}

static bool is_from(uint64_t value, struct place place, unsigned int thread)
{
	return !value || (value >> 56 == thread + 1 &&
				 (value >> 48 & 0xff) == place.file &&
				 (value >> 40 & 0xff) == place.page);
}

static struct destruction *destruction(struct actor *actor, struct place place)
{
	return &actor->scene->destroyed[place.file][place.page];
}

/* No destruction is under way, and as many have begun as when we stored. */
static bool is_intact(struct actor *actor, struct place place)
{
	struct destruction *d = destruction(actor, place);
	const uint64_t begun = atomic_load(&d->begun);

	return begun == actor->destroyed[place.file][place.page];
}

static void expect(struct actor *actor, struct place place, uint64_t value)
{
	const uint64_t last = actor->stored[place.file][place.page];

	crew_check(actor->me, is_from(value, place, actor->me->number));
	if (value != last)
		crew_check(actor->me, !is_intact(actor, place));
	/* Once gone, it must not come back. */
	if (!value)
		actor->stored[place.file][place.page] = 0;
	crew_check(actor->me, !value || value == last);
}

/* A store is about to happen: what was destroyed before does not matter. */
static uint64_t destroyed_before(struct actor *actor, struct place place)
{
	struct destruction *d = destruction(actor, place);
	uint64_t ended = atomic_load(&d->ended);

	/* One that is under way may hit us before or after the store. */
	return ended;
}

static void remember(struct actor *actor, struct place place, uint64_t value,
	uint64_t destroyed)
{
	actor->stored[place.file][place.page] = value;
	actor->destroyed[place.file][place.page] = destroyed;
}

/* Did the access fail for no good reason? */
static void check_error(
	struct actor *actor, struct place place, int error, uint64_t destroyed)
{
	crew_check(actor->me, !error || error == -EIO);
	if (error)
		crew_check(actor->me,
			atomic_load(&destruction(actor, place)->begun) !=
				destroyed);
}

/* ---- deeds ---- */

static void store(struct actor *actor)
{
	const struct place place = any_place(actor);
	const uint64_t destroyed = destroyed_before(actor, place);
	const uint64_t value = new_value(actor, place);
	struct dax_mm *mm;
	const uint64_t address =
		any_address(actor, place, actor->me->number, &mm);
	const int error = dax_store(mm, address, &value, sizeof(value));

	check_error(actor, place, error, destroyed);
	if (!error)
		remember(actor, place, value, destroyed);
}

static void load(struct actor *actor)
{
	const struct place place = any_place(actor);
	const uint64_t destroyed = destroyed_before(actor, place);
	struct dax_mm *mm;
	const uint64_t address =
		any_address(actor, place, actor->me->number, &mm);
	uint64_t value = 0;
	const int error = dax_load(mm, address, &value, sizeof(value));

	check_error(actor, place, error, destroyed);
	if (!error)
		expect(actor, place, value);
}

static void load_another(struct actor *actor)
{
	const struct place place = any_place(actor);
	const unsigned int thread = (unsigned int)choose(actor, THREADS);
	struct dax_mm *mm;
	const uint64_t address = any_address(actor, place, thread, &mm);
	uint64_t value = 0;

	if (!dax_load(mm, address, &value, sizeof(value)))
		crew_check(actor->me, is_from(value, place, thread));
}

static void write_cell(struct actor *actor)
{
	const struct place place = any_place(actor);
	const uint64_t destroyed = destroyed_before(actor, place);
	const uint64_t value = new_value(actor, place);
	size_t done = 0;

	crew_check(actor->me, !dax_file_write(actor->scene->files[place.file],
				      cell_pos(place, actor->me->number),
				      &value, sizeof(value), &done));
	crew_check(actor->me, done == sizeof(value));
	remember(actor, place, value, destroyed);
}

static void read_cell(struct actor *actor)
{
	const struct place place = any_place(actor);
	uint64_t value = 0;
	size_t done = 0;

	crew_check(actor->me, !dax_file_read(actor->scene->files[place.file],
				      cell_pos(place, actor->me->number),
				      &value, sizeof(value), &done));
	if (done == sizeof(value))
		expect(actor, place, value);
}

static void sync_file(struct actor *actor)
{
	struct scene *scene = actor->scene;
	const uint64_t file = choose(actor, FILES);

	if (choose(actor, 2))
		crew_check(actor->me,
			!dax_file_sync(scene->files[file], DAX_SYNC_ALL, 0, 0));
	else
		crew_check(actor->me,
			!dax_msync(scene->mms[0],
				scene->areas[0][file][AREA_HUGE], PMD));
}

static void begin(struct actor *actor, unsigned int file, unsigned int first,
	unsigned int last)
{
	for (unsigned int page = first; page <= last; page++)
		atomic_fetch_add(&actor->scene->destroyed[file][page].begun, 1);
}

static void end(struct actor *actor, unsigned int file, unsigned int first,
	unsigned int last)
{
	for (unsigned int page = first; page <= last; page++)
		atomic_fetch_add(&actor->scene->destroyed[file][page].ended, 1);
}

static void destroy(struct actor *actor)
{
	const struct place place = any_place(actor);
	const bool whole = choose(actor, 2);
	const unsigned int first =
		whole ? place.page / IN_PMD * IN_PMD : place.page;
	const unsigned int last = whole ? first + IN_PMD - 1 : first;
	const enum dax_file_change change =
		choose(actor, 2) ? DAX_FILE_PUNCH : DAX_FILE_ZERO;

	begin(actor, place.file, first, last);
	crew_check(actor->me,
		!dax_file_change(actor->scene->files[place.file], change,
			page_pos(first), whole ? PMD : PAGE));
	end(actor, place.file, first, last);
}

static void truncate_and_grow(struct actor *actor)
{
	const struct place place = any_place(actor);
	struct dax_file *file = actor->scene->files[place.file];

	begin(actor, place.file, place.page, PAGES - 1);
	crew_check(actor->me, !dax_file_truncate(file, page_pos(place.page)));
	crew_check(actor->me, !dax_file_truncate(file, SIZE));
	end(actor, place.file, place.page, PAGES - 1);
}

/* Private copies and what is under them: both from the same thread. */
static void store_privately(struct actor *actor)
{
	const struct place place = any_place(actor);
	struct dax_mm *mm = actor->scene->mms[0];
	const uint64_t address =
		actor->scene->areas[0][place.file][AREA_PRIVATE] +
		cell_pos(place, actor->me->number);
	uint64_t value = new_value(actor, place);

	if (!dax_store(mm, address, &value, sizeof(value)) &&
		!dax_load(mm, address, &value, sizeof(value)))
		crew_check(actor->me, is_from(value, place, actor->me->number));
}

static void protect_some(struct actor *actor)
{
	const struct place place = any_place(actor);
	const uint64_t address =
		actor->scene->areas[0][place.file][AREA_PROTECTED];
	uint64_t value;

	crew_check(actor->me, !dax_mprotect(actor->scene->mms[0],
				      address + page_pos(place.page), PAGE,
				      choose(actor, 2) ? DAX_PROT_READ
						       : DAX_PROT_READ_WRITE));
	if (!dax_load(actor->scene->mms[0], address + cell_pos(place, 0),
		    &value, sizeof(value)))
		crew_check(actor->me, is_from(value, place, 0));
}

static void load_in_a_child(struct actor *actor)
{
	const struct place place = any_place(actor);
	struct dax_mm *child;
	uint64_t value;

	crew_check(actor->me, !dax_mm_fork(actor->scene->mms[0], &child));
	for (unsigned int area = 0; area < ALL_AREAS; area++)
		if (!dax_load(child,
			    actor->scene->areas[0][place.file][area] +
				    cell_pos(place, actor->me->number),
			    &value, sizeof(value)))
			crew_check(actor->me,
				is_from(value, place, actor->me->number));
	dax_mm_delete(&child);
}

static void unmap_some(struct actor *actor)
{
	const struct place place = any_place(actor);
	struct dax_mm *mm;
	const uint64_t address = any_address(actor, place, 0, &mm);

	crew_check(actor->me,
		!dax_madvise(mm, address & -PAGE, PAGE, DAX_DONTNEED));
}

static void allocate_some(struct actor *actor)
{
	const struct place place = any_place(actor);

	crew_check(actor->me,
		!dax_file_change(actor->scene->files[place.file],
			DAX_FILE_ALLOCATE, page_pos(place.page), PAGE));
}

static void act(struct crew_member *me)
{
	static void (*const deeds[])(struct actor * actor) = {store, store,
		store, load, load, load, load_another, load_another, write_cell,
		read_cell, sync_file, destroy, unmap_some, allocate_some,
		truncate_and_grow, store_privately, protect_some,
		load_in_a_child};
	struct actor *actor = calloc(1, sizeof(*actor));

	if (!actor) {
		crew_complain(me, "no memory");
		return;
	}
	actor->me = me;
	actor->scene = me->shared;
	actor->random = random_of(me->number);
	for (unsigned int i = 0; i < ROUNDS && !me->wrong; i++)
		deeds[choose(actor, ARRAY_SIZE(deeds))](actor);
	free(actor);
}

/* ---- the scene ---- */

static void map_areas(struct scene *scene, unsigned int space, unsigned int f)
{
	const struct dax_vma_params protected = {
		.space = dax_file_space(scene->files[f]),
		.len = SIZE,
		.flags = DISK_SHARED,
	};
	uint64_t *areas = scene->areas[space][f];

	assert_int_equal(areas_map(scene->mms[space], scene->files[f], SIZE,
				 AREAS, areas),
		0);
	assert_int_equal(
		dax_mmap(scene->mms[space], &protected, &areas[AREA_PROTECTED]),
		0);
}

static void scene_build(struct scene *scene, struct disk *disk)
{
	*scene = (struct scene){.disk = disk, .mms = {disk->mm}};
	assert_int_equal(dax_mm_new(NULL, &scene->mms[1]), 0);
	scene->files[0] = disk->file;
	assert_int_equal(dax_file_new(disk->fs, &scene->files[1]), 0);
	for (unsigned int f = 0; f < FILES; f++) {
		assert_int_equal(dax_file_truncate(scene->files[f], SIZE), 0);
		for (unsigned int space = 0; space < SPACES; space++)
			map_areas(scene, space, f);
	}
}

static void scene_end(struct scene *scene)
{
	const char *wrong = dax_mm_verify(scene->mms[1]);

	if (wrong)
		fail_msg("%s", wrong);
	dax_mm_delete(&scene->mms[1]);
	wrong = dax_fs_verify(scene->disk->fs);
	if (wrong)
		fail_msg("%s", wrong);
	dax_mm_delete(&scene->disk->mm);
	assert_int_equal(dax_mm_new(NULL, &scene->disk->mm), 0);
	dax_file_delete(&scene->files[1]);
}

static void no_byte_is_lost_and_none_is_another_s(void **state)
{
	static struct scene scene;
	struct crew crew;
	const char *wrong;

	scene_build(&scene, *state);
	crew_start(&crew, THREADS, act, &scene);
	crew_assert_content(&crew);
	wrong = dax_mm_verify(scene.mms[0]);
	if (wrong)
		fail_msg("%s", wrong);
	scene_end(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			no_byte_is_lost_and_none_is_another_s, disk_setup,
			disk_teardown),
		cmocka_unit_test_setup_teardown(
			no_byte_is_lost_and_none_is_another_s, disk_setup_6_1,
			disk_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

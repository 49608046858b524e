/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A device is unplugged while threads use it. When the kill returns, its
 * storage is unmapped from the process for good: a load, store, fault or flush
 * that still used it would end the test by a signal.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "support/bare.h"
#include "support/crew.h"
#include "support/random.h"

#define THREADS 3
#define ROUNDS	30
/* Each thread has a cell of 8 bytes in each of these pages. */
#define PLACES 4

static const uint64_t places[PLACES] = {0, PAGE, PMD + PAGE, PUD};

static void unplug(struct bare *bare)
{
	dax_devdax_kill(bare->devdax);
	dax_pmem_map_delete(&bare->map);
}

static void what_is_mapped_answers_sigbus(void **state)
{
	struct bare bare;
	uint64_t address;
	char byte;

	(void)state;
	bare_init(&bare, DAX_PMD_ORDER);
	assert_int_equal(dax_store(bare.mm, bare.address, "x", 1), 0);
	unplug(&bare);
	assert_int_equal(bare_leaf(&bare, bare.address), 0);
	assert_int_equal(dax_load(bare.mm, bare.address, &byte, 1), -EIO);
	assert_int_equal(dax_store(bare.mm, bare.address, "x", 1), -EIO);
	assert_int_equal(dax_msync(bare.mm, bare.address, BARE_BYTES), 0);
	assert_int_equal(
		bare_map(&bare, 0, PMD, DAX_VMA_SHARED, &address), -ENXIO);
	bare_fini(&bare);
}

/* ---- pins ---- */

static void *unplugs(void *bare)
{
	unplug(bare);
	return NULL;
}

/* The storage would be gone, and the byte's store end the test by a signal. */
static void a_kill_waits_for_those_who_have_a_page_pinned(void **state)
{
	struct dax_pin_params params = {
		.nr = 1, .flags = DAX_PIN_WRITE, .term = DAX_PIN_LONGTERM};
	struct dax_pinned page, other;
	struct bare bare;
	pthread_t thread;
	size_t done;

	(void)state;
	bare_init(&bare, DAX_PUD_ORDER);
	params.address = bare.address + PMD + PAGE;
	assert_int_equal(dax_pin_pages(bare.mm, &params, &page, &done), 0);
	assert_int_equal(pthread_create(&thread, NULL, unplugs, &bare), 0);
	while (bare_leaf(&bare, bare.address))
		sched_yield();
	*(volatile char *)page.bytes = 1;
	assert_int_equal(dax_pin_pages(bare.mm, &params, &other, &done), -EIO);
	dax_unpin_pages(&page, 1);
	pthread_join(thread, NULL);
	bare_fini(&bare);
}

/* ---- threads ---- */

struct scene {
	struct bare bare;
	_Atomic(unsigned int) busy; /* threads that have stored something */
	uint64_t stored[THREADS][PLACES];
};

struct actor {
	struct crew_member *me;
	struct scene *scene;
	struct random random;
	uint64_t count;
	bool is_dead; /* the device, to this thread's knowledge */
};

static uint64_t cell(const struct scene *scene, uint64_t place, uint64_t thread)
{
	return scene->bare.address + places[place] + 8 * thread;
}

/* Once it failed, it fails for ever. */
static bool succeeded(struct actor *actor, int error)
{
	crew_check(actor->me, error == 0 || error == -EIO);
	crew_check(actor->me, error == -EIO || !actor->is_dead);
	actor->is_dead |= error == -EIO;
	return !error;
}

static void store(struct actor *actor)
{
	const unsigned int number = actor->me->number;
	const uint64_t place = random_below(&actor->random, PLACES);
	const uint64_t value = (uint64_t)(number + 1) << 32 | ++actor->count;

	if (!succeeded(actor, dax_store(actor->scene->bare.mm,
				      cell(actor->scene, place, number), &value,
				      sizeof(value))))
		return;
	actor->scene->stored[number][place] = value;
	if (actor->count == 1)
		atomic_fetch_add(&actor->scene->busy, 1);
}

static void load(struct actor *actor)
{
	const uint64_t place = random_below(&actor->random, PLACES);
	const uint64_t thread = random_below(&actor->random, THREADS);
	uint64_t value = 0;

	if (!succeeded(actor, dax_load(actor->scene->bare.mm,
				      cell(actor->scene, place, thread), &value,
				      sizeof(value))))
		return;
	crew_check(actor->me, !value || value >> 32 == thread + 1);
	if (thread == actor->me->number)
		crew_check(actor->me,
			value == actor->scene->stored[thread][place]);
}

static void sync_or_forget(struct actor *actor)
{
	const struct bare *bare = &actor->scene->bare;

	crew_check(actor->me, !dax_msync(bare->mm, bare->address, BARE_BYTES));
	crew_check(actor->me,
		!dax_madvise(bare->mm, bare->address, PUD, DAX_DONTNEED));
}

static void use_until_it_is_dead(struct crew_member *me)
{
	struct actor actor = {
		.me = me, .scene = me->shared, .random = random_of(me->number)};

	store(&actor);
	while (!actor.is_dead && !me->wrong) {
		if (random_below(&actor.random, 8) == 0)
			sync_or_forget(&actor);
		else if (random_below(&actor.random, 2))
			store(&actor);
		else
			load(&actor);
	}
	for (unsigned int i = 0; i < 2 * PLACES; i++)
		load(&actor);
}

static void unplug_or_use(struct crew_member *me)
{
	struct scene *scene = me->shared;

	if (me->number < THREADS) {
		use_until_it_is_dead(me);
		return;
	}
	crew_await(atomic_load(&scene->busy) == THREADS);
	unplug(&scene->bare);
}

/* What was stored before the device went is on it. */
static void check_storage(struct scene *scene)
{
	const char *storage;

	assert_int_equal(dax_pmem_map_new(scene->bare.device, 0, BARE_BYTES,
				 DAX_MAP_PMD, &scene->bare.map),
		0);
	storage = dax_pmem_map_address(scene->bare.map);
	for (size_t t = 0; t < THREADS; t++)
		for (size_t p = 0; p < PLACES; p++)
			assert_memory_equal(storage + places[p] + 8 * t,
				&scene->stored[t][p], 8);
}

static void race(unsigned int order)
{
	struct scene scene = {.busy = 0};
	struct crew crew;

	bare_init(&scene.bare, order);
	crew_start(&crew, THREADS + 1, unplug_or_use, &scene);
	crew_assert_content(&crew);
	check_storage(&scene);
	bare_fini(&scene.bare);
}

static void nothing_is_used_after_a_kill_and_nothing_is_lost(void **state)
{
	static const unsigned int orders[] = {
		DAX_PTE_ORDER, DAX_PMD_ORDER, DAX_PUD_ORDER};

	(void)state;
	for (unsigned int i = 0; i < ROUNDS; i++)
		race(orders[i % ARRAY_SIZE(orders)]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_mapped_answers_sigbus),
		cmocka_unit_test(a_kill_waits_for_those_who_have_a_page_pinned),
		cmocka_unit_test(
			nothing_is_used_after_a_kill_and_nothing_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A page of a device fails and is cleared, again and again, while threads use
 * the leaf that it is in; then the device is unplugged. No leaf shows a page
 * that has failed, and nothing is cleared on a device that is gone.
 */
#include <stdatomic.h>

#include "support/bare.h"
#include "support/crew.h"
#include "support/played_badblocks.h"

#define USERS	2
#define THREADS (USERS + 2)
#define ROUNDS	12
#define CLEARS	10

#define BAD	(PUD + PMD + PAGE)
#define BAD_PFN (DAX_PFN_BASE + BAD / PAGE)

struct scene {
	struct bare bare;
	_Atomic(unsigned int) nr_cleared;
	_Atomic(bool) is_done; /* nothing will be cleared any more */
	_Atomic(bool) is_gone;
};

static void check_not_gone(void *context)
{
	struct crew_member *me = context;
	struct scene *scene = me->shared;

	crew_check(me, !atomic_load(&scene->is_gone));
}

static int load(const struct scene *scene)
{
	char byte;

	return dax_load(scene->bare.mm, scene->bare.address + BAD, &byte, 1);
}

/* Alone asks libpmem2. True: the device is alive. */
static bool fail_and_clear(struct crew_member *me)
{
	struct scene *scene = me->shared;
	struct bare *bare = &scene->bare;
	int error;

	play.blocks[0] = (struct pmem2_badblock){BAD, PAGE};
	dax_devdax_memory_failure(bare->devdax, BAD_PFN, 1);
	crew_check(me, !bare_leaf(bare, bare->address + BAD));
	error = load(scene);
	crew_check(me, error == -EHWPOISON || error == -EIO);
	error = dax_devdax_clear_poison(bare->devdax, BAD_PFN, 1);
	crew_check(me, !error || error == -ENXIO);
	if (error)
		return false;
	atomic_fetch_add(&scene->nr_cleared, 1);
	return true;
}

static void fail_until_it_is_dead(struct crew_member *me)
{
	play.watch_clear = check_not_gone;
	play.watcher = me;
	while (fail_and_clear(me) && !me->wrong)
		sched_yield();
	atomic_store(&((struct scene *)me->shared)->is_done, true);
}

static void use_until_it_is_dead(struct crew_member *me)
{
	const struct scene *scene = me->shared;
	const uint64_t address = scene->bare.address + BAD;
	int error;

	do {
		error = me->number ? load(scene)
				   : dax_store(scene->bare.mm, address, "x", 1);
		crew_check(me, !error || error == -EHWPOISON || error == -EIO);
	} while (error != -EIO && !me->wrong);
	crew_check(me, load(scene) == -EIO);
}

static void unplug(struct crew_member *me)
{
	struct scene *scene = me->shared;

	crew_await(atomic_load(&scene->nr_cleared) >= CLEARS ||
		   atomic_load(&scene->is_done));
	dax_devdax_kill(scene->bare.devdax);
	atomic_store(&scene->is_gone, true);
	dax_pmem_map_delete(&scene->bare.map);
}

static void act(struct crew_member *me)
{
	if (me->number < USERS)
		use_until_it_is_dead(me);
	else if (me->number == USERS)
		fail_until_it_is_dead(me);
	else
		unplug(me);
}

static void a_page_fails_and_comes_back_until_the_device_is_gone(void **state)
{
	static const unsigned int orders[] = {
		DAX_PTE_ORDER, DAX_PMD_ORDER, DAX_PUD_ORDER};

	(void)state;
	for (unsigned int i = 0; i < ROUNDS; i++) {
		struct scene scene = {.nr_cleared = 0};
		struct crew crew;

		memset(&play, 0, sizeof(play));
		bare_init(&scene.bare, orders[i % ARRAY_SIZE(orders)]);
		crew_start(&crew, THREADS, act, &scene);
		crew_assert_content(&crew);
		bare_fini(&scene.bare);
		assert_int_equal(play.contexts, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_page_fails_and_comes_back_until_the_device_is_gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

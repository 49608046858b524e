/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A mapping with statistics counts each lock, sleep and wake, whichever call it
 * comes from, and knows which entries are slept on most.
 */
#include "counted.h"
#include "mapping/mapping.h"
#include "mapping/stats.h"
#include "support/crew.h"

static struct dax_stats_counts counts(void)
{
	struct dax_stats_counts now;

	dax_stats_read(stats, &now);
	return now;
}

static uint64_t sum(const uint64_t *numbers, size_t nr)
{
	uint64_t all = 0;

	for (size_t i = 0; i < nr; i++)
		all += numbers[i];
	return all;
}

/* ---- locks ---- */

/* An actor that nobody keeps waiting. */
static void act(struct scene *scene, enum deed deed, dax_pgoff_t index)
{
	struct actor actor = {
		.deed = deed, .index = index, .timeout_ns = 1000000000};

	actor_start(scene, &actor);
	actor_finish(&actor);
}

static void each_lock_is_counted(void **state)
{
	struct scene *scene = *state;
	dax_entry_t entry;

	scene_fill(scene, BASE, DAX_PTE);
	act(scene, GRAB, BASE);
	act(scene, LOCK, BASE);
	act(scene, LOCK_TIMED, BASE);
	act(scene, LOCK_FOR_PAGE, BASE);
	assert_int_equal(dax_trylock_entry(scene->m, BASE, &entry), 0);
	assert_int_equal(dax_trylock_entry(scene->m, BASE, &entry), -EBUSY);
	dax_unlock_entry(scene->m, BASE, entry);
	act(scene, GET_PUT, BASE);
	assert_int_equal(counts().locks, 6);
	assert_int_equal(counts().wakes, 0);
}

static void a_downgrade_is_two_locks(void **state)
{
	struct scene *scene = *state;

	scene_fill(scene, BASE, DAX_PMD | DAX_ZERO_PAGE);
	assert_int_equal(counts().locks, 1);
	act(scene, GRAB, BASE + 1);
	assert_int_equal(counts().locks, 3);
}

static void an_entry_shows_no_trace_of_it(void **state)
{
	struct scene *scene = *state;

	scene_fill(scene, BASE, DAX_PTE);
	assert_true(scene_word(scene, BASE) & WORD_COUNTED);
	assert_int_equal(
		scene_entry(scene, BASE), dax_make_entry(PFN(BASE), DAX_PTE));
}

/* ---- sleeps and wakes ---- */

static void a_sleep_and_its_wake_are_counted(void **state)
{
	struct scene *scene = *state;
	struct actor actor = {.deed = LOCK, .index = BASE};
	const dax_entry_t entry = scene_hold(scene, BASE, DAX_PTE);

	actor_start_asleep(scene, &actor, BASE);
	dax_unlock_entry(scene->m, BASE, entry);
	actor_finish(&actor);
	assert_int_equal(counts().sleeps, 1);
	assert_int_equal(counts().sleeps_again, 0);
	assert_int_equal(sum(counts().slept_ns, DAX_STATS_TIMES), 1);
	assert_int_equal(counts().wakes, 1);
	assert_int_equal(counts().woken, 1);
	assert_int_equal(counts().herds[0], 1);
	assert_int_equal(counts().collisions, 0);
}

static void a_hand_over_is_counted(void **state)
{
	struct scene *scene = *state;
	struct actor actor = {.deed = LOCK, .index = BASE};
	const dax_entry_t entry = scene_hold(scene, BASE, DAX_PTE);

	dax_waitq_table_limit_passes(scene->waitqs, 0);
	actor_start_asleep(scene, &actor, BASE);
	assert_int_equal(counts().handed_over, 0);
	dax_unlock_entry(scene->m, BASE, entry);
	assert_int_equal(counts().handed_over, 1);
	actor_finish(&actor);
	assert_int_equal(counts().handed_over, 1);
	assert_int_equal(counts().locks, 2);
	assert_int_equal(counts().woken, 1);
}

static void a_sleep_that_is_given_up_is_no_wake(void **state)
{
	struct scene *scene = *state;
	const dax_entry_t held = scene_hold(scene, BASE, DAX_PTE);
	dax_entry_t entry;

	assert_int_equal(
		dax_lock_entry_timed(scene->m, BASE, 1, &entry), -ETIMEDOUT);
	assert_int_equal(counts().sleeps, 1);
	assert_int_equal(counts().gave_up, 1);
	/* It left WAITERS. */
	dax_unlock_entry(scene->m, BASE, held);
	assert_int_equal(counts().wakes, 1);
	assert_int_equal(counts().wakes_idle, 1);
	assert_int_equal(counts().woken, 0);
}

/* The first in line was chosen, and gives up before it slept again. */
static void a_wake_that_is_passed_on_is_counted(void **state)
{
	struct scene *scene = *state;
	struct wait wait = WAIT_INIT(WAITQ_IN_LINE, NULL);
	struct actor actor = {.deed = LOCK, .index = BASE};
	const dax_entry_t entry = scene_hold(scene, BASE, DAX_PTE);
	const uint64_t word = scene_word(scene, BASE);
	struct tree_place place = {.word = word};
	struct dax_waitq *queue = entry_join_queue(scene->m, BASE, word, &wait);

	actor_start_asleep(scene, &actor, BASE);
	dax_unlock_entry(scene->m, BASE, entry);
	assert_int_equal(dax_waitq_sleep(queue, &wait.waiter, NULL), 0);
	assert_int_equal(counts().woken, 1);
	wait.in_line = true;
	assert_int_equal(wait_end(scene->m, BASE, &wait, -ETIMEDOUT, &place),
		-ETIMEDOUT);
	assert_int_equal(counts().wakes, 2);
	assert_int_equal(counts().woken, 2);
	actor_finish(&actor);
}

static void a_herd_is_one_wake(void **state)
{
	struct scene *scene = *state;
	struct actor actors[3] = {
		{.deed = GRAB, .index = BASE + 1},
		{.deed = GRAB, .index = BASE + 2},
		{.deed = GRAB, .index = BASE + 3},
	};
	const dax_entry_t held =
		scene_hold(scene, BASE, DAX_PMD | DAX_ZERO_PAGE);

	actors_start_settled(scene, actors, 3, BASE);
	/* The first downgrades it, and wakes the other two. */
	dax_unlock_entry(scene->m, BASE, held);
	actors_finish(actors, 3);
	assert_int_equal(counts().sleeps, 3);
	assert_int_equal(counts().woken, 3);
	assert_int_equal(counts().herds[0], 1);
	assert_int_equal(counts().herds[1], 1);
}

static void sleepers_on_other_entries_are_collisions(void **state)
{
	struct scene *scene = *state;
	struct actor actors[2] = {{.deed = LOCK, .index = BASE},
		{.deed = LOCK, .index = BASE + 1}};
	const dax_entry_t first = scene_hold(scene, BASE, DAX_PTE);
	const dax_entry_t second = scene_hold(scene, BASE + 1, DAX_PTE);

	actor_start_asleep(scene, &actors[0], BASE);
	actor_start_asleep(scene, &actors[1], BASE + 1);
	dax_unlock_entry(scene->m, BASE, first);
	assert_int_equal(counts().collisions, 1);
	dax_unlock_entry(scene->m, BASE + 1, second);
	assert_int_equal(counts().collisions, 1);
	actors_finish(actors, 2);
}

/* ---- the hottest entries ---- */

static void sleep_on(uint64_t index, unsigned int times)
{
	static int owner;
	struct waiter waiter = {.key = {&owner, index}};

	while (times--)
		stats_slept(stats, &waiter, stats_sleep(&waiter), 0);
}

static void the_hottest_come_first(void **state)
{
	struct dax_stats_entry hottest[2];

	(void)state;
	assert_int_equal(dax_stats_hottest(stats, hottest, 2), 0);
	sleep_on(1, 2);
	sleep_on(2, 3);
	sleep_on(3, 1);
	assert_int_equal(dax_stats_hottest(stats, hottest, 2), 2);
	assert_int_equal(hottest[0].index, 2);
	assert_int_equal(hottest[0].sleeps, 3);
	assert_int_equal(hottest[1].index, 1);
	assert_int_equal(hottest[1].sleeps, 2);
	assert_int_equal(hottest[1].surplus, 0);
}

/* Many more than are kept sleep meanwhile, once each. */
static void a_hot_one_is_found_among_many(void **state)
{
	struct dax_stats_entry hottest;

	(void)state;
	for (uint64_t i = 0; i < 4000; i++) {
		sleep_on(1000 + i, 1);
		if (i % 20 == 0)
			sleep_on(5, 1);
	}
	assert_int_equal(dax_stats_hottest(stats, &hottest, 1), 1);
	assert_int_equal(hottest.index, 5);
	assert_true(hottest.sleeps >= 200);
	assert_true(hottest.sleeps - hottest.surplus <= 200);
}

/* ---- all at once ---- */

#define ROUNDS 2000

static void lock_and_unlock(struct crew_member *me)
{
	struct scene *scene = me->shared;
	dax_entry_t entry;

	for (unsigned int i = 0; i < ROUNDS; i++) {
		crew_check(me, !dax_lock_entry(scene->m, BASE + i % 2, &entry));
		dax_unlock_entry(scene->m, BASE + i % 2, entry);
	}
}

static void nothing_is_lost_in_a_race(void **state)
{
	struct scene *scene = *state;
	struct dax_stats_counts now;
	struct crew crew;

	scene_fill(scene, BASE, DAX_PTE);
	scene_fill(scene, BASE + 1, DAX_PTE);
	crew_start(&crew, 3, lock_and_unlock, scene);
	crew_assert_content(&crew);
	now = counts();
	assert_int_equal(now.locks, 2 + 3 * ROUNDS);
	assert_int_equal(now.sleeps, now.woken);
	assert_int_equal(sum(now.slept_ns, DAX_STATS_TIMES), now.sleeps);
	assert_int_equal(
		sum(now.herds, DAX_STATS_HERDS) + now.wakes_idle, now.wakes);
}

static void no_memory_is_said(void **state)
{
	struct dax_stats *none;

	(void)state;
	sync_alloc_fail_nth(1);
	assert_int_equal(dax_stats_new(&none), -ENOMEM);
	assert_null(none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		COUNTED_TEST(each_lock_is_counted),
		COUNTED_TEST(a_downgrade_is_two_locks),
		COUNTED_TEST(an_entry_shows_no_trace_of_it),
		COUNTED_TEST(a_sleep_and_its_wake_are_counted),
		COUNTED_TEST(a_sleep_that_is_given_up_is_no_wake),
		COUNTED_TEST(a_wake_that_is_passed_on_is_counted),
		COUNTED_TEST(a_herd_is_one_wake),
		COUNTED_TEST(a_hand_over_is_counted),
		COUNTED_TEST(sleepers_on_other_entries_are_collisions),
		COUNTED_TEST(the_hottest_come_first),
		COUNTED_TEST(a_hot_one_is_found_among_many),
		COUNTED_TEST(nothing_is_lost_in_a_race),
		cmocka_unit_test(no_memory_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A dump names each entry that is locked and each thread that sleeps; with
 * statistics also who has locked it, and since when.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "counted.h"
#include "support/crew.h"

#define LINE 128

static unsigned int count_in(const char *text, const char *what)
{
	unsigned int count = 0;

	while ((text = strstr(text, what))) {
		count++;
		text += strlen(what);
	}
	return count;
}

static void at_rest_it_is_empty(void **state)
{
	struct scene *scene = *state;
	char text[LINE] = "before";

	scene_fill(scene, BASE, DAX_PTE);
	assert_int_equal(dax_mapping_dump(scene->m, text, sizeof(text)), 0);
	assert_string_equal(text, "");
}

static void it_names_who_holds_what_and_since_when(void **state)
{
	struct scene *scene = *state;
	const dax_entry_t held = scene_hold(scene, BASE + 1, DAX_PTE);
	char text[2 * LINE], expected[LINE];
	double seconds;

	snprintf(expected, sizeof(expected),
		"index 0x%x: LOCKED pfn 0x%x, by thread %d for %%lf s\n",
		(unsigned int)BASE + 1, (unsigned int)PFN(BASE + 1),
		(int)gettid());
	dax_mapping_dump(scene->m, text, sizeof(text));
	assert_int_equal(count_in(text, "\n"), 1);
	assert_int_equal(sscanf(text, expected, &seconds), 1);
	assert_true(seconds >= 0);
	dax_unlock_entry(scene->m, BASE + 1, held);
}

/* In a thread of its own, so not the one that holds. */
static void it_names_who_sleeps_on_what(void **state)
{
	struct scene *scene = *state;
	struct actor actors[2] = {{.deed = GRAB, .index = BASE + 1},
		{.deed = LOCK_FOR_PAGE, .index = BASE + 2}};
	const dax_entry_t held = scene_hold(scene, BASE, DAX_PMD);
	char text[4 * LINE];
	unsigned int index;
	const char *line;
	int thread;

	actors_start_settled(scene, actors, 2, BASE);
	dax_mapping_dump(scene->m, text, sizeof(text));
	assert_int_equal(count_in(text, "\n"), 3);
	line = strchr(text, '\n') + 1;
	assert_int_equal(sscanf(line, "index 0x%x: thread %d sleeps for",
				 &index, &thread),
		2);
	assert_int_equal(index, BASE);
	assert_int_not_equal(thread, gettid());
	assert_int_equal(count_in(text, " s, for any wake\n"), 1);
	dax_unlock_entry(scene->m, BASE, held);
	actors_finish(actors, 2);
}

static void without_statistics_it_names_no_threads(void **state)
{
	struct scene *scene = *state;
	struct actor actor = {.deed = LOCK, .index = BASE};
	const dax_entry_t held = scene_hold(scene, BASE, DAX_PTE);
	char text[4 * LINE], expected[2 * LINE];

	actor_start_asleep(scene, &actor, BASE);
	snprintf(expected, sizeof(expected),
		"index 0x%x: LOCKED|WAITERS pfn 0x%x\n"
		"index 0x%x: a thread sleeps\n",
		(unsigned int)BASE, (unsigned int)PFN(BASE),
		(unsigned int)BASE);
	dax_mapping_dump(scene->m, text, sizeof(text));
	assert_string_equal(text, expected);
	dax_unlock_entry(scene->m, BASE, held);
	actor_finish(&actor);
}

static void a_short_buffer_gets_the_beginning_and_the_length(void **state)
{
	struct scene *scene = *state;
	const dax_entry_t held = scene_hold(scene, BASE, DAX_PTE);
	char text[6] = "";

	assert_true(dax_mapping_dump(scene->m, NULL, 0) > sizeof(text));
	assert_true(
		dax_mapping_dump(scene->m, text, sizeof(text)) > sizeof(text));
	assert_string_equal(text, "index");
	dax_unlock_entry(scene->m, BASE, held);
}

/* What is known of entries so far apart is in one place, which has room for 16.
 * The others are not known; later ones are. */
#define APART(i) ((dax_pgoff_t)(i) << DAX_PMD_ORDER << 4)

static void of_too_many_holders_some_are_not_known(void **state)
{
	enum { MANY = 20 };
	struct scene *scene = *state;
	char text[MANY * LINE];
	dax_entry_t held[MANY];

	for (unsigned int i = 0; i < MANY; i++)
		held[i] = scene_hold(scene, APART(i), DAX_PTE);
	dax_mapping_dump(scene->m, text, sizeof(text));
	assert_int_equal(count_in(text, "LOCKED"), MANY);
	assert_int_equal(count_in(text, "by thread"), 16);
	for (unsigned int i = 0; i < MANY; i++)
		dax_unlock_entry(scene->m, APART(i), held[i]);
	held[0] = scene_hold(scene, APART(MANY), DAX_PTE);
	dax_mapping_dump(scene->m, text, sizeof(text));
	assert_int_equal(count_in(text, "by thread"), 1);
	dax_unlock_entry(scene->m, APART(MANY), held[0]);
}

/* ---- while others go on ---- */

#define ROUNDS 1000

static void lock_and_unlock(struct crew_member *me)
{
	struct scene *scene = me->shared;
	dax_entry_t entry;

	for (unsigned int i = 0; i < ROUNDS; i++) {
		crew_check(me, !dax_lock_entry(scene->m, BASE + i % 2, &entry));
		dax_unlock_entry(scene->m, BASE + i % 2, entry);
	}
}

static void dump(struct crew_member *me)
{
	struct scene *scene = me->shared;
	char text[8 * LINE];

	for (unsigned int i = 0; i < ROUNDS / 10; i++) {
		/* A thread may go to the other entry behind the dump's back. */
		dax_mapping_dump(scene->m, text, sizeof(text));
		crew_check(me, count_in(text, "LOCKED") <= 2);
		crew_check(me, count_in(text, "sleeps") <= 4);
	}
}

static void dump_or_lock(struct crew_member *me)
{
	if (me->number)
		lock_and_unlock(me);
	else
		dump(me);
}

static void it_may_race_with_all_it_tells_of(void **state)
{
	struct scene *scene = *state;
	struct crew crew;

	scene_fill(scene, BASE, DAX_PTE);
	scene_fill(scene, BASE + 1, DAX_PTE);
	crew_start(&crew, 3, dump_or_lock, scene);
	crew_assert_content(&crew);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		COUNTED_TEST(at_rest_it_is_empty),
		COUNTED_TEST(it_names_who_holds_what_and_since_when),
		COUNTED_TEST(it_names_who_sleeps_on_what),
		SCENE_TEST(without_statistics_it_names_no_threads),
		COUNTED_TEST(a_short_buffer_gets_the_beginning_and_the_length),
		COUNTED_TEST(of_too_many_holders_some_are_not_known),
		COUNTED_TEST(it_may_race_with_all_it_tells_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Misuse aborts in checked builds, and says what the tree has and what the
 * caller has in words.
 */
#include "scene.h"

#include <signal.h>
#include <string.h>

#include "support/death.h"

#define WORDS 4

/* @misuse ends a child by abort(), after it said all of @words. */
static void assert_complains(struct scene *scene, void (*misuse)(void *scene),
	const char *const words[WORDS])
{
	const struct death death = death_of(misuse, scene);

	assert_int_equal(death.signal, SIGABRT);
	for (unsigned int i = 0; i < WORDS && words[i]; i++)
		if (!strstr(death.words, words[i]))
			fail_msg("\"%s\" is not in: %s", words[i], death.words);
}

/* ---- unlocking ---- */

static void unlock_storage(void *with)
{
	struct scene *scene = with;

	dax_unlock_entry(scene->m, BASE, dax_make_entry(PFN(BASE), DAX_PTE));
}

static void unlock_of_an_unlocked_entry(void **state)
{
	static const char *const words[WORDS] = {"the entry is not locked",
		"the tree has:", "the caller has:", "pfn 0x8"};

	scene_fill(*state, BASE, DAX_PTE);
	assert_complains(*state, unlock_storage, words);
}

static void unlock_of_no_entry(void **state)
{
	static const char *const words[WORDS] = {"the entry is not locked"};

	assert_complains(*state, unlock_storage, words);
}

static void unlock_of_another_value(void **state)
{
	static const char *const words[WORDS] = {
		"the entry is another one", "LOCKED", "PMD", "ZERO_PAGE"};
	struct scene *scene = *state;
	const dax_entry_t held =
		scene_hold(scene, BASE, DAX_PMD | DAX_ZERO_PAGE);

	assert_complains(scene, unlock_storage, words);
	dax_unlock_entry(scene->m, BASE, held);
}

static void *unlock_elsewhere(void *scene)
{
	unlock_storage(scene);
	return NULL;
}

static void unlock_by_a_new_thread(void *scene)
{
	pthread_t thread;

	pthread_create(&thread, NULL, unlock_elsewhere, scene);
	pthread_join(thread, NULL);
}

static void unlock_by_another_thread(void **state)
{
	static const char *const words[WORDS] = {
		"another thread has locked it", "LOCKED"};
	struct scene *scene = *state;
	const dax_entry_t held = scene_hold(scene, BASE, DAX_PTE);

	assert_complains(scene, unlock_by_a_new_thread, words);
	dax_unlock_entry(scene->m, BASE, held);
}

/* ---- inserting ---- */

static void insert_storage(void *with)
{
	struct scene *scene = with;
	dax_entry_t entry = dax_make_entry(0, DAX_EMPTY);

	dax_insert_entry(scene->m, BASE, &entry, PFN(BASE), DAX_PTE);
}

static void insert_without_the_lock(void **state)
{
	static const char *const words[WORDS] = {
		"the entry is not locked", "EMPTY"};

	scene_fill(*state, BASE, DAX_EMPTY);
	assert_complains(*state, insert_storage, words);
}

static void insert_over_another_value(void **state)
{
	static const char *const words[WORDS] = {
		"the entry is another one", "LOCKED"};
	struct scene *scene = *state;
	const dax_entry_t held = scene_hold(scene, BASE, DAX_PTE);

	assert_complains(scene, insert_storage, words);
	dax_unlock_entry(scene->m, BASE, held);
}

static void insert_pmd(void *with)
{
	struct scene *scene = with;
	dax_entry_t entry = dax_make_entry(0, DAX_EMPTY);

	dax_insert_entry(scene->m, BASE, &entry, PFN(BASE), DAX_PMD);
}

static void insert_of_another_size(void **state)
{
	static const char *const words[WORDS] = {
		"precondition", "dax_entry_order"};
	struct scene *scene = *state;
	const dax_entry_t held = scene_hold(scene, BASE, DAX_EMPTY);

	assert_complains(scene, insert_pmd, words);
	dax_unlock_entry(scene->m, BASE, held);
}

/* ---- lock order ---- */

static void lock_base(void *with)
{
	struct scene *scene = with;
	dax_entry_t entry;

	/* What fails instead of aborting, lives. */
	if (dax_lock_entry(scene->m, BASE, &entry))
		return;
}

static void grab_base(void *with)
{
	struct scene *scene = with;
	dax_entry_t entry;

	if (dax_grab_mapping_entry(scene->m, BASE, 0, &entry))
		return;
}

static void invalidate_pmd(void *with)
{
	struct scene *scene = with;

	dax_invalidate_mapping_entry_sync(scene->m, BASE + 1);
}

static const char *const out_of_rank[WORDS] = {
	"out of rank", "holds ENTRY", "wants ENTRY", "index 0x"};

static void locking_below_what_is_held(void **state)
{
	struct scene *scene = *state;
	dax_entry_t held;

	scene_fill(scene, BASE, DAX_PTE);
	held = scene_hold(scene, BASE + 1, DAX_PTE);
	assert_complains(scene, lock_base, out_of_rank);
	assert_complains(scene, grab_base, out_of_rank);
	dax_unlock_entry(scene->m, BASE + 1, held);
}

static void waiting_for_what_the_thread_itself_holds(void **state)
{
	struct scene *scene = *state;
	const dax_entry_t held = scene_hold(scene, BASE, DAX_PMD);

	assert_complains(scene, lock_base, out_of_rank);
	assert_complains(scene, grab_base, out_of_rank);
	assert_complains(scene, invalidate_pmd, out_of_rank);
	dax_unlock_entry(scene->m, BASE, held);
}

static void in_order_or_without_waiting_for_ever_is_no_misuse(void **state)
{
	struct scene *scene = *state;
	dax_entry_t low, middle, high;

	scene_fill(scene, BASE, DAX_PTE);
	scene_fill(scene, 2 * BASE, DAX_PMD);
	assert_int_equal(dax_lock_entry(scene->m, 2 * BASE, &middle), 0);
	assert_int_equal(dax_grab_mapping_entry(
				 scene->m, 3 * BASE, DAX_PMD_ORDER, &high),
		0);
	assert_int_equal(dax_trylock_entry(scene->m, BASE, &low), 0);
	dax_unlock_entry(scene->m, BASE, low);
	assert_int_equal(dax_lock_entry_timed(scene->m, BASE, 1, &low), 0);
	dax_unlock_entry(scene->m, 2 * BASE, middle);
	dax_unlock_entry(scene->m, BASE, low);
	dax_unlock_entry(scene->m, 3 * BASE, high);
}

/* ---- arguments ---- */

static void grab_odd_order(void *with)
{
	struct scene *scene = with;
	dax_entry_t entry;

	if (dax_grab_mapping_entry(scene->m, BASE, 1, &entry))
		return;
}

static void grab_of_an_order_that_no_entry_has(void **state)
{
	static const char *const words[WORDS] = {
		"precondition", "dax_grab_mapping_entry"};

	assert_complains(*state, grab_odd_order, words);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE_TEST(unlock_of_an_unlocked_entry),
		SCENE_TEST(unlock_of_no_entry),
		SCENE_TEST(unlock_of_another_value),
		SCENE_TEST(unlock_by_another_thread),
		SCENE_TEST(insert_without_the_lock),
		SCENE_TEST(insert_over_another_value),
		SCENE_TEST(insert_of_another_size),
		SCENE_TEST(locking_below_what_is_held),
		SCENE_TEST(waiting_for_what_the_thread_itself_holds),
		SCENE_TEST(in_order_or_without_waiting_for_ever_is_no_misuse),
		SCENE_TEST(grab_of_an_order_that_no_entry_has),
	};

	return cmocka_run_group_tests_name("misuse", tests, NULL, NULL);
}

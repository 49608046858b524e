/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Any thread may enter: the library registers it with liburcu when it first
 * does, and unregisters it when it exits. A thread that its program registered
 * is its program's to unregister.
 */
#include "base/sync.h"
#include "daxlock/tree.h"
#include "support/crew.h"

#define THREADS 100

/* What the threads of a test do, and what was seen of them at their exit. */
struct visit {
	struct dax_tree *tree;
	atomic_uint exits;
	atomic_uint registered_at_exit;
};

static struct visit visit;
static pthread_key_t exit_key;

static bool is_registered(void)
{
	return URCU_TLS(urcu_memb_reader).registered;
}

/*
 * Destructors run in rounds, in an order that is not promised within a round:
 * what the first round did is seen in the second.
 */
static void at_exit(void *round)
{
	static char second_round;

	if (round != &second_round) {
		pthread_setspecific(exit_key, &second_round);
		return;
	}
	atomic_fetch_add(&visit.exits, 1);
	if (is_registered())
		atomic_fetch_add(&visit.registered_at_exit, 1);
}

static int setup(void **state)
{
	const uint64_t word = dax_make_entry(1, DAX_PTE);

	*state = &visit;
	visit = (struct visit){0};
	if (pthread_key_create(&exit_key, at_exit))
		return -1;
	return dax_tree_new(&visit.tree) ||
	       dax_tree_insert(visit.tree, 5, word);
}

static int teardown(void **state)
{
	(void)state;
	dax_tree_delete(&visit.tree);
	pthread_key_delete(exit_key);
	return 0;
}

static void loads(struct crew_member *me)
{
	pthread_setspecific(exit_key, &visit);
	crew_check(me, !is_registered());
	crew_check(me, dax_tree_load(visit.tree, 5));
	crew_check(me, is_registered());
	crew_check(me, dax_tree_load(visit.tree, 5));
}

static void a_thread_is_registered_by_its_first_load(void **state)
{
	struct crew crew;

	(void)state;
	crew_start(&crew, 1, loads, NULL);
	crew_assert_content(&crew);
	assert_int_equal(atomic_load(&visit.exits), 1);
}

static void threads_are_unregistered_when_they_exit(void **state)
{
	struct crew crew;

	(void)state;
	for (int i = 0; i < THREADS / 4; i++) {
		crew_start(&crew, 4, loads, NULL);
		crew_assert_content(&crew);
	}
	assert_int_equal(atomic_load(&visit.exits), THREADS);
	assert_int_equal(atomic_load(&visit.registered_at_exit), 0);
	/* It would wait for, or read the memory of, one that is still known. */
	sync_rcu_barrier();
}

static void registers_itself(struct crew_member *me)
{
	pthread_setspecific(exit_key, &visit);
	urcu_memb_register_thread();
	crew_check(me, dax_tree_load(visit.tree, 5));
	sync_rcu_enter();
	sync_rcu_leave();
	crew_check(me, is_registered());
	urcu_memb_unregister_thread();
}

static void a_thread_that_registered_itself_can_unregister_itself(void **state)
{
	struct crew crew;

	(void)state;
	crew_start(&crew, 4, registers_itself, NULL);
	crew_assert_content(&crew);
	assert_int_equal(atomic_load(&visit.exits), 4);
	assert_int_equal(atomic_load(&visit.registered_at_exit), 0);
	sync_rcu_barrier();
}

static pthread_key_t unregister_key;

/* In the last round: after whatever the library might do at exit. */
static void unregister_late(void *round)
{
	const uintptr_t left = (uintptr_t)round;

	if (left > 1)
		pthread_setspecific(unregister_key, (void *)(left - 1));
	else if (is_registered())
		urcu_memb_unregister_thread();
}

static void registers_itself_and_exits(struct crew_member *me)
{
	pthread_setspecific(exit_key, &visit);
	pthread_setspecific(unregister_key, (void *)(uintptr_t)3);
	urcu_memb_register_thread();
	crew_check(me, dax_tree_load(visit.tree, 5));
}

static void a_thread_that_registered_itself_is_left_registered(void **state)
{
	struct crew crew;

	(void)state;
	assert_int_equal(
		pthread_key_create(&unregister_key, unregister_late), 0);
	crew_start(&crew, 4, registers_itself_and_exits, NULL);
	crew_assert_content(&crew);
	assert_int_equal(atomic_load(&visit.exits), 4);
	assert_int_equal(atomic_load(&visit.registered_at_exit), 4);
	sync_rcu_barrier();
	pthread_key_delete(unregister_key);
}

#define VISIT_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		VISIT_TEST(a_thread_is_registered_by_its_first_load),
		VISIT_TEST(threads_are_unregistered_when_they_exit),
		VISIT_TEST(
			a_thread_that_registered_itself_can_unregister_itself),
		VISIT_TEST(a_thread_that_registered_itself_is_left_registered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

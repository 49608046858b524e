/* SPDX-License-Identifier: BSD-3-Clause */
/* A sync_lock is held by one thread at a time, and by the one that took it. */
#include <signal.h>
#include <string.h>

#include "base/sync.h"
#include "support/crew.h"
#include "support/death.h"

#define THREADS 4
#define TURNS	5000

struct guarded {
	struct sync_lock lock;
	uint64_t count; /* guarded by @lock */
	atomic_bool held;
	atomic_bool release;
};

static int setup(void **state)
{
	static struct guarded guarded;

	guarded = (struct guarded){0};
	sync_lock_init(&guarded.lock, RANK_LEAF);
	*state = &guarded;
	return 0;
}

static void counts(struct crew_member *me)
{
	struct guarded *guarded = me->shared;

	for (int i = 0; i < TURNS; i++) {
		sync_lock_acquire(&guarded->lock);
		guarded->count++;
		sync_lock_release(&guarded->lock);
	}
}

static void threads_that_count_under_the_lock_lose_no_count(void **state)
{
	struct guarded *guarded = *state;
	struct crew crew;

	crew_start(&crew, THREADS, counts, guarded);
	crew_assert_content(&crew);
	assert_int_equal(guarded->count, THREADS * TURNS);
}

static void counts_once(struct crew_member *me)
{
	struct guarded *guarded = me->shared;

	sync_lock_acquire(&guarded->lock);
	guarded->count++;
	sync_lock_release(&guarded->lock);
}

static void whoever_sleeps_for_the_lock_gets_it(void **state)
{
	struct guarded *guarded = *state;
	struct crew crew;

	sync_lock_acquire(&guarded->lock);
	crew_start(&crew, THREADS, counts_once, guarded);
	crew_await(atomic_load(&guarded->lock.state) == SYNC_CONTENDED);
	assert_int_equal(guarded->count, 0);
	sync_lock_release(&guarded->lock);
	crew_assert_content(&crew);
	assert_int_equal(guarded->count, THREADS);
}

static void a_lock_can_be_taken_again(void **state)
{
	struct guarded *guarded = *state;

	for (int i = 0; i < 3; i++) {
		sync_lock_acquire(&guarded->lock);
		sync_lock_assert_held(&guarded->lock);
		sync_lock_release(&guarded->lock);
	}
}

static void assert_held(void *with)
{
	sync_lock_assert_held(with);
}

static void a_lock_that_is_not_held_is_known(void **state)
{
	struct guarded *guarded = *state;

	assert_aborts_with(assert_held, &guarded->lock, "broke an invariant");
}

static void release(void *with)
{
	sync_lock_release(with);
}

static void holds_until_told(struct crew_member *me)
{
	struct guarded *guarded = me->shared;

	sync_lock_acquire(&guarded->lock);
	atomic_store(&guarded->held, true);
	crew_await(atomic_load(&guarded->release));
	sync_lock_release(&guarded->lock);
}

static void a_lock_of_another_thread_cannot_be_released(void **state)
{
	struct guarded *guarded = *state;
	struct death death;
	struct crew crew;

	crew_start(&crew, 1, holds_until_told, guarded);
	crew_await(atomic_load(&guarded->held));
	death = death_of(release, &guarded->lock);
	atomic_store(&guarded->release, true);
	crew_assert_content(&crew);
	assert_int_equal(death.signal, SIGABRT);
	assert_non_null(strstr(death.words, "does not hold"));
}

static void acquire(void *with)
{
	sync_lock_acquire(with);
}

static void a_lock_cannot_be_taken_twice(void **state)
{
	struct guarded *guarded = *state;

	sync_lock_acquire(&guarded->lock);
	assert_aborts_with(acquire, &guarded->lock, "out of rank");
	sync_lock_release(&guarded->lock);
}

#define LOCK_TEST(test) cmocka_unit_test_setup(test, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LOCK_TEST(threads_that_count_under_the_lock_lose_no_count),
		LOCK_TEST(whoever_sleeps_for_the_lock_gets_it),
		LOCK_TEST(a_lock_can_be_taken_again),
		LOCK_TEST(a_lock_that_is_not_held_is_known),
		LOCK_TEST(a_lock_of_another_thread_cannot_be_released),
		LOCK_TEST(a_lock_cannot_be_taken_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

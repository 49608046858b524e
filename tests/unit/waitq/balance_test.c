/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * However sleeps, wakes, deadlines and cancels meet: whoever a waker took
 * returns 0, nobody else does, and no wake is lost.
 */
#include "sleepers.h"
#include "support/random.h"

#define SLEEPING 4
#define TURNS	 1000

/* A cancel for each sleep, since a canceller may come late. */
struct balance {
	struct dax_waitq_table *table;
	struct dax_cancel cancels[SLEEPING][TURNS];
	atomic_uint turns[SLEEPING]; /* TURNS: done */
	uint64_t chosen[SLEEPING];   /* owner: the sleeper */
	uint64_t taken;		     /* owner: the waker */
};

static bool all_done(struct balance *balance)
{
	for (int i = 0; i < SLEEPING; i++)
		if (atomic_load(&balance->turns[i]) < TURNS)
			return false;
	return true;
}

static void sleeps(struct crew_member *me, struct random *random)
{
	struct balance *balance = me->shared;
	struct dax_waiter waiter = {0};

	for (unsigned int turn = 0; turn < TURNS; turn++) {
		const struct dax_wait_limit limit = {
			random_below(random, 3) ? UINT64_MAX : sync_now(),
			&balance->cancels[me->number][turn]};
		struct dax_waitq *queue;
		int error;

		atomic_store(&balance->turns[me->number], turn);
		queue = enqueue(balance->table, &waiter,
			random_below(random, 2) ? &key_a : &key_b,
			random_below(random, 4) ? DAX_WAIT_EXCLUSIVE
						: DAX_WAIT_SHARED);
		error = dax_waitq_sleep(queue, &waiter, &limit);
		balance->chosen[me->number] += !error;
		crew_check(me,
			!error || error == -ECANCELED || error == -ETIMEDOUT);
	}
	atomic_store(&balance->turns[me->number], TURNS);
}

static void wakes(struct balance *balance, struct random *random)
{
	while (!all_done(balance)) {
		const struct dax_wait_key *key =
			random_below(random, 2) ? &key_a : &key_b;
		struct dax_waitq *queue = dax_waitq_lock(balance->table, key);
		struct dax_woken woken;

		dax_waitq_take_locked(queue, key,
			random_below(random, 8) ? DAX_WAKE_NEXT : DAX_WAKE_ALL,
			&woken);
		dax_waitq_unlock(queue);
		for (const struct waiter *waiter = woken.first; waiter;
			waiter = waiter->next_woken)
			balance->taken++;
		dax_waitq_wake(&woken);
	}
}

static void cancels(struct balance *balance, struct random *random)
{
	while (!all_done(balance)) {
		const uint64_t i = random_below(random, SLEEPING);
		const unsigned int turn = atomic_load(&balance->turns[i]);

		if (turn < TURNS)
			dax_cancel_fire(&balance->cancels[i][turn]);
		sched_yield();
	}
}

static void takes_its_part(struct crew_member *me)
{
	struct random random = random_of(me->number);

	if (me->number < SLEEPING)
		sleeps(me, &random);
	else if (me->number == SLEEPING)
		wakes(me->shared, &random);
	else
		cancels(me->shared, &random);
}

static void as_many_are_chosen_as_were_taken(void **state)
{
	static struct balance balance;
	uint64_t chosen = 0;
	struct crew crew;

	balance = (struct balance){.table = table_of(state)};
	for (int i = 0; i < SLEEPING; i++)
		for (int turn = 0; turn < TURNS; turn++)
			dax_cancel_init(&balance.cancels[i][turn]);
	crew_start(&crew, SLEEPING + 2, takes_its_part, &balance);
	crew_assert_content(&crew);
	for (int i = 0; i < SLEEPING; i++)
		chosen += balance.chosen[i];
	assert_int_equal(chosen, balance.taken);
	assert_false(waitq_table_sleeps(balance.table, NULL));
}

/* A lock made of a queue; it is free, or its owner wakes the next (R1). */
struct queue_lock {
	struct dax_waitq_table *table;
	bool locked;		    /* guarded by the queue of key_a */
	uint64_t count;		    /* guarded by the lock made here */
	uint64_t counted[SLEEPING]; /* owner: the thread */
};

/* False: gave up, and owes nothing (R3). */
static bool queue_lock_acquire(
	struct queue_lock *lock, const struct dax_wait_limit *limit)
{
	struct dax_waiter waiter = {0};

	for (;;) {
		struct dax_waitq *queue = dax_waitq_lock(lock->table, &key_a);
		const bool free = !lock->locked;

		if (free)
			lock->locked = true;
		else
			dax_waitq_enqueue_locked(
				queue, &waiter, &key_a, DAX_WAIT_EXCLUSIVE);
		dax_waitq_unlock(queue);
		if (free)
			return true;
		if (dax_waitq_sleep(queue, &waiter, limit))
			return false;
	}
}

static void queue_lock_release(struct queue_lock *lock)
{
	struct dax_waitq *queue = dax_waitq_lock(lock->table, &key_a);
	struct dax_woken woken;

	lock->locked = false;
	dax_waitq_take_locked(queue, &key_a, DAX_WAKE_NEXT, &woken);
	dax_waitq_unlock(queue);
	dax_waitq_wake(&woken);
}

/* Some are patient, some are not; a lost wake leaves a patient one asleep. */
static void counts_under_the_lock(struct crew_member *me)
{
	struct random random = random_of(me->number);
	struct queue_lock *lock = me->shared;

	for (int i = 0; i < TURNS; i++) {
		const struct dax_wait_limit limit = {
			random_below(&random, 2) ? UINT64_MAX : sync_now(),
			NULL};

		if (!queue_lock_acquire(lock, &limit))
			continue;
		lock->count++;
		lock->counted[me->number]++;
		if (random_below(&random, 4) == 0)
			sched_yield();
		queue_lock_release(lock);
	}
}

static void a_lock_made_of_a_queue_loses_no_wake(void **state)
{
	struct queue_lock lock = {.table = table_of(state)};
	uint64_t counted = 0;
	struct crew crew;

	crew_start(&crew, SLEEPING, counts_under_the_lock, &lock);
	crew_assert_content(&crew);
	for (int i = 0; i < SLEEPING; i++)
		counted += lock.counted[i];
	assert_int_equal(lock.count, counted);
	assert_false(lock.locked);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SLEEPERS_TEST(as_many_are_chosen_as_were_taken),
		SLEEPERS_TEST(a_lock_made_of_a_queue_loses_no_wake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

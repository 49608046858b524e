/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * An unpark is never lost: it ends the park under way, or the next one. A
 * parker holds one of them at most. A deadline that has passed ends a park
 * that was not unparked, and no other.
 */
#include <errno.h>
#include <signal.h>

#include "base/sync.h"
#include "support/crew.h"

#define LONG_PAST 1

static atomic_bool park_is_over;

static int setup(void **state)
{
	static struct sync_parker parker;

	sync_parker_init(&parker);
	atomic_store(&park_is_over, false);
	*state = &parker;
	return 0;
}

static bool is_parked(struct sync_parker *parker)
{
	return atomic_load(&parker->state);
}

static void an_unpark_before_the_park_ends_it_at_once(void **state)
{
	sync_unpark(*state);
	assert_true(sync_park(*state, SYNC_FOREVER));
}

static void a_park_leaves_errno_alone(void **state)
{
	errno = ERANGE;
	assert_false(sync_park(*state, LONG_PAST));
	assert_int_equal(errno, ERANGE);
}

static void parks_for_ever(struct crew_member *me)
{
	crew_check(me, sync_park(me->shared, SYNC_FOREVER));
	atomic_store(&park_is_over, true);
}

static void an_unpark_ends_the_park_under_way(void **state)
{
	struct crew crew;

	crew_start(&crew, 1, parks_for_ever, *state);
	crew_await(is_parked(*state));
	sync_unpark(*state);
	crew_assert_content(&crew);
}

static atomic_int signals_seen;

static void count_signal(int number)
{
	(void)number;
	atomic_fetch_add(&signals_seen, 1);
}

/* TSan keeps a signal back until the thread calls what TSan intercepts. */
static bool has_seen(int signals)
{
	return SYNC_TSAN || atomic_load(&signals_seen) == signals;
}

static void a_signal_does_not_end_a_park(void **state)
{
	const struct sigaction counting = {.sa_handler = count_signal};
	struct sigaction before;
	struct crew crew;

	sigaction(SIGUSR1, &counting, &before);
	crew_start(&crew, 1, parks_for_ever, *state);
	crew_await(is_parked(*state));
	for (int sent = 1; sent <= 5; sent++) {
		pthread_kill(crew.members[0].thread, SIGUSR1);
		crew_await(has_seen(sent) || atomic_load(&park_is_over));
	}
	sync_unpark(*state);
	crew_assert_content(&crew);
	sigaction(SIGUSR1, &before, NULL);
}

static void a_deadline_in_the_past_ends_a_park(void **state)
{
	assert_false(sync_park(*state, 0));
	assert_false(sync_park(*state, LONG_PAST));
}

static void a_park_does_not_end_before_its_deadline(void **state)
{
	const uint64_t deadline = sync_now() + 2000000;

	assert_false(sync_park(*state, deadline));
	assert_true(sync_now() >= deadline);
}

static void an_unpark_beats_a_deadline_in_the_past(void **state)
{
	sync_unpark(*state);
	assert_true(sync_park(*state, LONG_PAST));
}

static void an_unpark_ends_one_park(void **state)
{
	sync_unpark(*state);
	assert_true(sync_park(*state, LONG_PAST));
	assert_false(sync_park(*state, LONG_PAST));
}

static void two_unparks_end_one_park(void **state)
{
	sync_unpark(*state);
	sync_unpark(*state);
	assert_true(sync_park(*state, LONG_PAST));
	assert_false(sync_park(*state, LONG_PAST));
}

static void a_timed_out_park_leaves_nothing_behind(void **state)
{
	assert_false(sync_park(*state, LONG_PAST));
	assert_false(is_parked(*state));
	sync_unpark(*state);
	assert_true(sync_park(*state, SYNC_FOREVER));
}

static void init_forgets_an_unpark(void **state)
{
	sync_unpark(*state);
	sync_parker_init(*state);
	assert_false(sync_park(*state, LONG_PAST));
}

#define ROUNDS 5000

/* Each thread unparks the other and parks; plain memory goes with the turn. */
struct table_tennis {
	struct sync_parker parkers[2];
	int ball; /* owner: whoever was unparked last */
};

static void plays(struct crew_member *me)
{
	struct table_tennis *game = me->shared;

	for (int i = 0; i < ROUNDS; i++) {
		if (me->number || i)
			crew_check(me, sync_park(&game->parkers[me->number],
					       SYNC_FOREVER));
		game->ball++;
		sync_unpark(&game->parkers[!me->number]);
	}
}

static void no_unpark_of_many_is_lost(void **state)
{
	static struct table_tennis game;
	struct crew crew;

	(void)state;
	crew_start(&crew, 2, plays, &game);
	crew_assert_content(&crew);
	assert_int_equal(game.ball, 2 * ROUNDS);
}

/* Parks whose deadline passes at about the time of their unpark. */
struct close_call {
	struct sync_parker parker;
	atomic_uint turn;
	atomic_uint done;
};

static void parks_till_now(struct crew_member *me)
{
	struct close_call *call = me->shared;

	for (unsigned int turn = 1; turn <= ROUNDS; turn++) {
		crew_await(atomic_load(&call->turn) == turn);
		if (!sync_park(&call->parker, sync_now())) {
			/* Then the unpark is still to come, or to be had. */
			crew_check(me, sync_park(&call->parker, SYNC_FOREVER));
		}
		crew_check(me, !sync_park(&call->parker, LONG_PAST));
		atomic_store(&call->done, turn);
	}
}

static void an_unpark_at_the_deadline_is_not_lost(void **state)
{
	static struct close_call call;
	struct crew crew;

	(void)state;
	sync_parker_init(&call.parker);
	crew_start(&crew, 1, parks_till_now, &call);
	for (unsigned int turn = 1; turn <= ROUNDS; turn++) {
		atomic_store(&call.turn, turn);
		sync_unpark(&call.parker);
		crew_await(atomic_load(&call.done) == turn);
	}
	crew_assert_content(&crew);
}

#define PARK_TEST(test) cmocka_unit_test_setup(test, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PARK_TEST(an_unpark_before_the_park_ends_it_at_once),
		PARK_TEST(a_park_leaves_errno_alone),
		PARK_TEST(an_unpark_ends_the_park_under_way),
		PARK_TEST(a_signal_does_not_end_a_park),
		PARK_TEST(a_deadline_in_the_past_ends_a_park),
		PARK_TEST(a_park_does_not_end_before_its_deadline),
		PARK_TEST(an_unpark_beats_a_deadline_in_the_past),
		PARK_TEST(an_unpark_ends_one_park),
		PARK_TEST(two_unparks_end_one_park),
		PARK_TEST(a_timed_out_park_leaves_nothing_behind),
		PARK_TEST(init_forgets_an_unpark),
		PARK_TEST(no_unpark_of_many_is_lost),
		PARK_TEST(an_unpark_at_the_deadline_is_not_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

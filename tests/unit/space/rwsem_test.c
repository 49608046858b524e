/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Many may be inside together, or one alone; who came first goes first.
 */
#include "space/rwsem.h"
#include "support/crew.h"

#define ROUNDS 2000

struct room {
	struct rwsem sem;
	_Atomic(unsigned int) sharing;
	_Atomic(unsigned int) alone;
	uint64_t count; /* guarded by sem, alone */
	uint64_t copy;	/* the same */
};

static void room_init(struct room *room)
{
	*room = (struct room){0};
	rwsem_init(&room->sem, RANK_INODE);
}

static void be_alone(struct crew_member *me, struct room *room)
{
	rwsem_acquire(&room->sem, RWSEM_ALONE);
	crew_check(me, !atomic_load(&room->sharing));
	crew_check(me, !atomic_exchange(&room->alone, 1));
	room->count++;
	room->copy++;
	atomic_store(&room->alone, 0);
	rwsem_release(&room->sem, RWSEM_ALONE);
}

static void share(struct crew_member *me, struct room *room)
{
	rwsem_acquire(&room->sem, RWSEM_SHARED);
	atomic_fetch_add(&room->sharing, 1);
	crew_check(me, !atomic_load(&room->alone));
	crew_check(me, room->count == room->copy);
	atomic_fetch_sub(&room->sharing, 1);
	rwsem_release(&room->sem, RWSEM_SHARED);
}

static void come_and_go(struct crew_member *me)
{
	for (unsigned int i = 0; i < ROUNDS; i++) {
		if ((i + me->number) % 3)
			share(me, me->shared);
		else
			be_alone(me, me->shared);
	}
}

static void one_alone_or_many_together(void **state)
{
	struct room room;
	struct crew crew;

	(void)state;
	room_init(&room);
	crew_start(&crew, 4, come_and_go, &room);
	crew_assert_content(&crew);
	assert_in_range(room.count, 4 * (ROUNDS / 3), 4 * (ROUNDS / 3 + 1));
	assert_null(room.sem.first);
}

static void share_until_all_do(struct crew_member *me)
{
	struct room *room = me->shared;

	rwsem_acquire(&room->sem, RWSEM_SHARED);
	atomic_fetch_add(&room->sharing, 1);
	crew_await(atomic_load(&room->sharing) == 3);
	rwsem_release(&room->sem, RWSEM_SHARED);
}

static void those_who_share_are_inside_together(void **state)
{
	struct room room;
	struct crew crew;

	(void)state;
	room_init(&room);
	crew_start(&crew, 3, share_until_all_do, &room);
	crew_assert_content(&crew);
}

static bool somebody_waits(struct rwsem *sem)
{
	bool waits;

	sync_lock_acquire(&sem->guard);
	waits = sem->first;
	sync_lock_release(&sem->guard);
	return waits;
}

/* 0 shares, and does not leave before 1 waits to be alone. */
static void arrive_in_turn(struct crew_member *me)
{
	struct room *room = me->shared;

	if (me->number == 0) {
		rwsem_acquire(&room->sem, RWSEM_SHARED);
		atomic_store(&room->sharing, 1);
		crew_await(somebody_waits(&room->sem));
		rwsem_release(&room->sem, RWSEM_SHARED);
		return;
	}
	crew_await(atomic_load(&room->sharing));
	rwsem_acquire(&room->sem, RWSEM_ALONE);
	room->count++;
	rwsem_release(&room->sem, RWSEM_ALONE);
}

static void who_waits_to_be_alone_gets_in(void **state)
{
	struct room room;
	struct crew crew;

	(void)state;
	room_init(&room);
	crew_start(&crew, 2, arrive_in_turn, &room);
	crew_assert_content(&crew);
	assert_int_equal(room.count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_alone_or_many_together),
		cmocka_unit_test(those_who_share_are_inside_together),
		cmocka_unit_test(who_waits_to_be_alone_gets_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

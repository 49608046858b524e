/* SPDX-License-Identifier: BSD-3-Clause */
/* A callback runs once, when all who were inside have left, by the barrier. */
#include <pthread.h>

#include "base/sync.h"
#include "support/crew.h"

/* How long a test looks for what must not happen. Longer finds more surely
 * what is wrong; nothing that is right depends on it. */
#define WATCH_NS 30000000

struct object {
	struct sync_rcu_head rcu;
	atomic_uint calls;
	atomic_uint readers;	     /* inside, and not about to leave */
	atomic_uint readers_at_call; /* seen by the callback */
	atomic_bool leave;
};

static struct object *object_of(struct sync_rcu_head *head)
{
	return (struct object *)((char *)head - offsetof(struct object, rcu));
}

static void called(struct sync_rcu_head *head)
{
	struct object *object = object_of(head);

	atomic_store(&object->readers_at_call, atomic_load(&object->readers));
	atomic_fetch_add(&object->calls, 1);
}

static void a_barrier_waits_for_the_callback(void **state)
{
	struct object object = {0};

	(void)state;
	sync_rcu_call(&object.rcu, called);
	sync_rcu_barrier();
	assert_int_equal(atomic_load(&object.calls), 1);
}

#define OBJECTS 200

static void a_barrier_waits_for_every_callback_and_each_runs_once(void **state)
{
	static struct object objects[OBJECTS];

	(void)state;
	for (int i = 0; i < OBJECTS; i++)
		sync_rcu_call(&objects[i].rcu, called);
	sync_rcu_barrier();
	sync_rcu_barrier();
	for (int i = 0; i < OBJECTS; i++)
		assert_int_equal(atomic_load(&objects[i].calls), 1);
}

/* Enters @depth times and leaves all but one of them before it waits. */
static void read_nested(struct object *object, unsigned int depth)
{
	for (unsigned int i = 0; i < depth; i++)
		sync_rcu_enter();
	for (unsigned int i = 1; i < depth; i++)
		sync_rcu_leave();
	atomic_fetch_add(&object->readers, 1);
	crew_await(atomic_load(&object->leave));
	atomic_fetch_sub(&object->readers, 1);
	sync_rcu_leave();
}

static void reads(struct crew_member *me)
{
	read_nested(me->shared, 1);
}

static void reads_nested(struct crew_member *me)
{
	read_nested(me->shared, 3);
}

static void assert_callback_waits_for(
	unsigned int readers, void (*reader)(struct crew_member *me))
{
	struct object object = {0};
	const uint64_t until = sync_now() + WATCH_NS;
	struct crew crew;
	bool early;

	crew_start(&crew, readers, reader, &object);
	crew_await(atomic_load(&object.readers) == readers);
	sync_rcu_call(&object.rcu, called);
	crew_await(atomic_load(&object.calls) || sync_now() > until);
	early = atomic_load(&object.calls);
	atomic_store(&object.leave, true);
	crew_assert_content(&crew);
	sync_rcu_barrier();
	assert_false(early);
	assert_int_equal(atomic_load(&object.calls), 1);
	assert_int_equal(atomic_load(&object.readers_at_call), 0);
}

static void a_callback_does_not_run_while_a_reader_is_inside(void **state)
{
	(void)state;
	assert_callback_waits_for(1, reads);
}

static void a_callback_waits_for_every_reader(void **state)
{
	(void)state;
	assert_callback_waits_for(3, reads);
}

static void an_inner_leave_does_not_end_the_section(void **state)
{
	(void)state;
	assert_callback_waits_for(1, reads_nested);
}

static void gives_a_callback(struct crew_member *me)
{
	struct object *objects = me->shared;

	sync_rcu_call(&objects[me->number].rcu, called);
}

static void a_thread_unknown_to_urcu_may_give_callbacks(void **state)
{
	struct object objects[3] = {0};
	struct crew crew;

	(void)state;
	crew_start(&crew, 3, gives_a_callback, objects);
	crew_assert_content(&crew);
	sync_rcu_barrier();
	for (int i = 0; i < 3; i++)
		assert_int_equal(atomic_load(&objects[i].calls), 1);
}

static void calls_again(struct sync_rcu_head *head)
{
	struct object *object = object_of(head);

	atomic_fetch_add(&object->calls, 1);
	sync_rcu_call(&object->rcu, called);
}

static void a_callback_may_give_a_callback(void **state)
{
	struct object object = {0};

	(void)state;
	sync_rcu_call(&object.rcu, calls_again);
	sync_rcu_barrier();
	sync_rcu_barrier();
	assert_int_equal(atomic_load(&object.calls), 2);
}

/* One thread publishes an object and takes it back, the others read it. */
struct published {
	struct sync_u64 address;
	bool synchronizes; /* and frees by itself */
	uint64_t times;
	atomic_bool done;
};

struct item {
	struct sync_rcu_head rcu;
	uint64_t value;
	uint64_t same_value;
};

static void free_item(struct sync_rcu_head *head)
{
	struct item *item =
		(struct item *)((char *)head - offsetof(struct item, rcu));

	/* Not atomic: TSan and the readers see it if it comes too early. */
	item->value = 0;
	sync_free(item);
}

static void publish(struct published *published, uint64_t value)
{
	struct item *item = sync_alloc(sizeof(*item), _Alignof(struct item));
	struct item *old;

	item->value = item->same_value = value;
	old = (struct item *)(uintptr_t)sync_swap(
		&published->address, (uintptr_t)item, memory_order_acq_rel);
	if (old && published->synchronizes) {
		sync_rcu_synchronize();
		free_item(&old->rcu);
	} else if (old) {
		sync_rcu_call(&old->rcu, free_item);
	}
}

static void reads_or_publishes(struct crew_member *me)
{
	struct published *published = me->shared;

	if (!me->number) {
		for (uint64_t i = 2; i < published->times; i++)
			publish(published, i);
		atomic_store(&published->done, true);
		return;
	}
	while (!atomic_load(&published->done)) {
		const struct item *item;

		sync_rcu_enter();
		item = (struct item *)(uintptr_t)sync_load(
			&published->address, memory_order_acquire);
		crew_check(me, item->value == item->same_value);
		sync_rcu_leave();
	}
}

static void assert_readers_are_waited_for(struct published published)
{
	const uint64_t live = sync_alloc_live();
	struct crew crew;

	publish(&published, 1);
	crew_start(&crew, 3, reads_or_publishes, &published);
	crew_assert_content(&crew);
	sync_rcu_barrier();
	assert_int_equal(sync_alloc_live(), live + 1);
	sync_free((void *)(uintptr_t)sync_load(
		&published.address, memory_order_relaxed));
}

static void what_a_reader_reached_stays_until_it_leaves(void **state)
{
	(void)state;
	assert_readers_are_waited_for((struct published){.times = 2000});
}

static void who_synchronizes_waits_until_it_leaves(void **state)
{
	(void)state;
	assert_readers_are_waited_for(
		(struct published){.times = 200, .synchronizes = true});
}

#define VERY_MANY 20000

/* Who is cancelled in a call of the library leaves its locks behind. */
static void *relieves_cancelled(void *relieved)
{
	pthread_cancel(pthread_self());
	sync_rcu_relieve();
	*(bool *)relieved = true;
	return NULL;
}

/* Were it to wait for the reader, it would do so for ever. */
static void a_backlog_is_counted_and_waits_for_no_reader(void **state)
{
	static struct object objects[VERY_MANY];
	struct object object = {0};
	struct crew crew;
	pthread_t cancelled;
	bool relieved = false;

	(void)state;
	sync_rcu_barrier();
	assert_int_equal(sync_rcu_backlog(), 0);
	crew_start(&crew, 1, reads, &object);
	crew_await(atomic_load(&object.readers) == 1);
	for (int i = 0; i < VERY_MANY; i++)
		sync_rcu_call(&objects[i].rcu, called);
	assert_int_equal(sync_rcu_backlog(), VERY_MANY);
	sync_rcu_relieve();
	assert_int_equal(
		pthread_create(&cancelled, NULL, relieves_cancelled, &relieved),
		0);
	pthread_join(cancelled, NULL);
	assert_true(relieved);
	atomic_store(&object.leave, true);
	crew_assert_content(&crew);
	sync_rcu_barrier();
	assert_int_equal(sync_rcu_backlog(), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_barrier_waits_for_the_callback),
		cmocka_unit_test(
			a_barrier_waits_for_every_callback_and_each_runs_once),
		cmocka_unit_test(
			a_callback_does_not_run_while_a_reader_is_inside),
		cmocka_unit_test(a_callback_waits_for_every_reader),
		cmocka_unit_test(an_inner_leave_does_not_end_the_section),
		cmocka_unit_test(a_thread_unknown_to_urcu_may_give_callbacks),
		cmocka_unit_test(a_callback_may_give_a_callback),
		cmocka_unit_test(what_a_reader_reached_stays_until_it_leaves),
		cmocka_unit_test(who_synchronizes_waits_until_it_leaves),
		cmocka_unit_test(a_backlog_is_counted_and_waits_for_no_reader),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

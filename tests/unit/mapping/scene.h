/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A scene: a mapping with wait queues of its own, and actors, which are
 * threads that make one call on it each. Events are put in order by looking at
 * the queues, never by time: who is queued sleeps until somebody says
 * otherwise, so a story goes on as soon as all who should sleep are queued.
 *
 * cmocka's asserts belong to the main thread; actors record.
 */
#ifndef SCENE_H
#define SCENE_H

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/sync.h"
#include "daxlock/mapping.h"
#include "entry/word.h"
#include "support/cmocka.h"
#include "waitq/queue.h"

#define PMD_PAGES ((uint64_t)1 << DAX_PMD_ORDER)
#define PUD_PAGES ((uint64_t)1 << DAX_PUD_ORDER)

/* Stories play in the PMD at 0x200 (at 4 with the small order), at offsets up
 * to 3, which every order has. */
#define BASE PMD_PAGES

/* The device page behind an index, wherever a test has no reason to choose. */
#define PFN(index) (0x8000 + ((index)&0xffffffff))

/* ---- the scene ---- */

struct unmapped {
	unsigned int calls;
	dax_pgoff_t index; /* of the last call, as the others */
	uint64_t nr;
	uint64_t word; /* what the tree had then */
};

struct scene {
	struct dax_mapping *m;
	struct dax_waitq_table *waitqs;
	struct unmapped unmapped;
	void (*in_unmap)(struct scene *scene); /* what happens meanwhile */
	_Atomic(unsigned int) turns;
	uint64_t live; /* blocks allocated before the scene */
};

static inline void scene_unmap(void *owner, dax_pgoff_t index, uint64_t nr)
{
	struct scene *scene = owner;

	scene->unmapped.calls++;
	scene->unmapped.index = index;
	scene->unmapped.nr = nr;
	scene->unmapped.word = dax_tree_load(dax_mapping_tree(scene->m), index);
	if (scene->in_unmap)
		scene->in_unmap(scene);
}

static inline int scene_open(void **state)
{
	static const struct dax_mapping_ops ops = {.unmap = scene_unmap};
	struct scene *scene = calloc(1, sizeof(*scene));
	struct dax_mapping_params params = {.ops = &ops, .owner = scene};

	sync_rcu_barrier();
	scene->live = sync_alloc_live();
	if (dax_waitq_table_new(8, 1, &scene->waitqs))
		return -1;
	params.waitqs = scene->waitqs;
	if (dax_mapping_new(&params, &scene->m))
		return -1;
	*state = scene;
	return 0;
}

static inline const char *scene_wrong(const struct scene *scene)
{
	return dax_mapping_verify(scene->m);
}

/* Every test leaves its mapping at rest, whatever else it asserts. */
static inline int scene_close(void **state)
{
	struct scene *scene = *state;
	const char *wrong = scene_wrong(scene);

	if (wrong) {
		print_error("at the end: %s\n", wrong);
		return -1;
	}
	dax_mapping_delete(&scene->m);
	dax_waitq_table_delete(&scene->waitqs);
	sync_rcu_barrier();
	if (sync_alloc_live() != scene->live) {
		print_error("blocks leaked\n");
		return -1;
	}
	free(scene);
	return 0;
}

#define SCENE_TEST(name)                                                       \
	cmocka_unit_test_setup_teardown(name, scene_open, scene_close)

/* ---- looking ---- */

static inline uint64_t scene_word(const struct scene *scene, dax_pgoff_t index)
{
	return dax_tree_load(dax_mapping_tree(scene->m), index);
}

static inline dax_entry_t scene_entry(
	const struct scene *scene, dax_pgoff_t index)
{
	return dax_entry_from_word(scene_word(scene, index));
}

static inline bool scene_locked(const struct scene *scene, dax_pgoff_t index)
{
	return dax_is_locked_entry(scene_word(scene, index));
}

static inline bool scene_marked(
	const struct scene *scene, dax_pgoff_t index, enum dax_mark mark)
{
	return dax_tree_get_mark(dax_mapping_tree(scene->m), index, mark);
}

static inline unsigned int count_key(
	const struct waiter *waiter, const struct dax_wait_key *key)
{
	unsigned int count = 0;

	for (; waiter; waiter = waiter->next)
		count += waiter->key.owner == key->owner &&
			 waiter->key.index == key->index;
	return count;
}

/* How many are queued on the entry that starts at @start. */
static inline unsigned int scene_asleep(
	const struct scene *scene, dax_pgoff_t start)
{
	const struct dax_wait_key key = {scene->m, start};
	struct dax_waitq *queue = dax_waitq_lock(scene->waitqs, &key);
	const unsigned int count = count_key(queue->exclusive.first, &key) +
				   count_key(queue->shared.first, &key);

	dax_waitq_unlock(queue);
	return count;
}

static inline void scene_await_asleep(
	const struct scene *scene, dax_pgoff_t start, unsigned int count)
{
	while (scene_asleep(scene, start) != count)
		sched_yield();
}

/* ---- building ---- */

static inline unsigned int order_of(unsigned int flags)
{
	if (flags & DAX_PUD)
		return DAX_PUD_ORDER;
	return flags & DAX_PMD ? DAX_PMD_ORDER : DAX_PTE_ORDER;
}

/* Grabs @index for an entry of @flags, and inserts it unless it is to stay
 * EMPTY. The main thread holds it then. */
static inline dax_entry_t scene_hold(
	struct scene *scene, dax_pgoff_t index, unsigned int flags)
{
	const dax_pgoff_t start = index >> order_of(flags) << order_of(flags);
	dax_entry_t entry;

	assert_int_equal(dax_grab_mapping_entry(
				 scene->m, index, order_of(flags), &entry),
		0);
	if (!(flags & DAX_EMPTY))
		dax_insert_entry(scene->m, index, &entry,
			flags & DAX_ZERO_PAGE ? 0 : PFN(start), flags);
	return entry;
}

static inline dax_entry_t scene_fill(
	struct scene *scene, dax_pgoff_t index, unsigned int flags)
{
	const dax_entry_t entry = scene_hold(scene, index, flags);

	dax_unlock_entry(scene->m, index, entry);
	return entry;
}

/* ---- actors ---- */

enum deed {
	GRAB, /* of @order; unlocks */
	LOCK,
	LOCK_TIMED,
	LOCK_CANCELLABLE,
	LOCK_FOR_PAGE, /* dax_lock_mapping_entry() */
	GET_PUT,       /* waits until unlocked, then declines */
	GET_PUT_ALL,
	INVALIDATE,
	DELETE,
	DELETE_RANGE, /* of one index */
};

struct actor {
	enum deed deed;
	dax_pgoff_t index;
	unsigned int order;
	uint64_t timeout_ns;
	struct dax_cancel *cancel;
	bool keeps; /* what it got, until actor_finish() */

	struct scene *scene;
	pthread_t thread;
	_Atomic(bool) returned;
	_Atomic(bool) dismissed;
	/* recorded before @returned */
	int result; /* errno, count, or enum dax_lock_result */
	bool holds; /* it has the entry locked */
	dax_entry_t entry;
	uint64_t pfn;
	unsigned int turn; /* how many calls of actors returned before */
};

static inline void actor_call(struct actor *actor)
{
	struct dax_mapping *m = actor->scene->m;
	const dax_pgoff_t index = actor->index;

	switch (actor->deed) {
	case GRAB:
		actor->result = dax_grab_mapping_entry(
			m, index, actor->order, &actor->entry);
		break;
	case LOCK:
		actor->result = dax_lock_entry(m, index, &actor->entry);
		break;
	case LOCK_TIMED:
		actor->result = dax_lock_entry_timed(
			m, index, actor->timeout_ns, &actor->entry);
		break;
	case LOCK_CANCELLABLE:
		actor->result = dax_lock_entry_cancellable(
			m, index, actor->cancel, &actor->entry);
		break;
	case LOCK_FOR_PAGE:
		actor->result = (int)dax_lock_mapping_entry(
			m, index, &actor->entry, &actor->pfn);
		break;
	case GET_PUT:
	case GET_PUT_ALL:
		actor->entry = dax_get_unlocked_entry(m, index);
		break;
	case INVALIDATE:
		actor->result = dax_invalidate_mapping_entry_sync(m, index);
		break;
	case DELETE:
		actor->result = dax_delete_mapping_entry(m, index);
		break;
	case DELETE_RANGE:
		actor->result = (int)dax_delete_mapping_range(m, index, index);
		break;
	}
	actor->holds = actor->deed <= LOCK_FOR_PAGE && !actor->result;
}

static inline void actor_end(struct actor *actor)
{
	struct dax_mapping *m = actor->scene->m;

	if (actor->holds)
		dax_unlock_entry(m, actor->index, actor->entry);
	if (actor->deed == GET_PUT || actor->deed == GET_PUT_ALL)
		dax_put_unlocked_entry(m, actor->index, actor->entry,
			actor->deed == GET_PUT ? DAX_WAKE_NEXT : DAX_WAKE_ALL);
}

static inline void *actor_main(void *arg)
{
	struct actor *actor = arg;

	actor_call(actor);
	actor->turn = atomic_fetch_add(&actor->scene->turns, 1);
	atomic_store(&actor->returned, true);
	while (actor->keeps && !atomic_load(&actor->dismissed))
		sched_yield();
	actor_end(actor);
	return NULL;
}

static inline void actor_start(struct scene *scene, struct actor *actor)
{
	actor->scene = scene;
	assert_int_equal(
		pthread_create(&actor->thread, NULL, actor_main, actor), 0);
}

/* Starts an actor that will have to sleep on the entry at @start, where
 * nobody is woken meanwhile; returns when it is queued. */
static inline void actor_start_asleep(
	struct scene *scene, struct actor *actor, dax_pgoff_t start)
{
	const unsigned int before = scene_asleep(scene, start);

	actor_start(scene, actor);
	scene_await_asleep(scene, start, before + 1);
}

static inline bool actor_returned(struct actor *actor)
{
	return atomic_load(&actor->returned);
}

static inline void actor_await_return(struct actor *actor)
{
	while (!actor_returned(actor))
		sched_yield();
}

static inline void actor_finish(struct actor *actor)
{
	atomic_store(&actor->dismissed, true);
	assert_int_equal(pthread_join(actor->thread, NULL), 0);
}

static inline void actors_finish(struct actor *actors, size_t count)
{
	for (size_t i = 0; i < count; i++)
		actor_finish(&actors[i]);
}

/* Starts @count actors, one after the other: each is queued on the entry at
 * @start, or has returned, before the next one starts. */
static inline void actors_start_settled(struct scene *scene,
	struct actor *actors, size_t count, dax_pgoff_t start)
{
	for (size_t i = 0; i < count; i++) {
		const unsigned int before = scene_asleep(scene, start);

		actor_start(scene, &actors[i]);
		while (scene_asleep(scene, start) != before + 1 &&
			!actor_returned(&actors[i]))
			sched_yield();
	}
}

#endif

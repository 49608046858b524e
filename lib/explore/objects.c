/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What operations are on, and which of it is shared.
 *
 * Most of what a thread does concerns nobody else: it fills a node that only
 * it knows, or reads a root that nobody changes. To stop before each such
 * operation shows nothing new. So an operation is a step only when its object
 * is shared (E5); which objects are, the search finds out as it goes.
 *
 * That loses nothing. Say that in some interleaving two threads conflict on an
 * object that is taken for private, and take the first such conflict. All
 * before it commutes with what others did, so it can be moved to where its
 * thread's step is, and the search has seen an interleaving like that: up to
 * there, and with the conflict. So it knows, and has started again.
 */
#include <string.h>

#include "explore/engine.h"

struct object objects[MAX_OBJECTS];
struct history histories[MAX_OBJECTS];

static unsigned int nr_objects;
static unsigned int nr_histories;
static bool all_shared;

/* Numbers by address. */
#define TABLE_SIZE (2 * MAX_OBJECTS)

static uint16_t table[TABLE_SIZE];

void objects_reset(bool shared)
{
	for (unsigned int i = 1; i <= nr_objects; i++) {
		table[objects[i].slot] = 0;
		memset(&objects[i], 0, sizeof(objects[i]));
	}
	nr_objects = nr_histories = 0;
	all_shared = shared;
}

static void history_add(struct object *object)
{
	object->history = (uint16_t)++nr_histories;
	memset(object->by, 0, sizeof(object->by));
	memset(&histories[nr_histories], 0, sizeof(histories[0]));
	histories[nr_histories].now.access = ACCESS_NONE;
	histories[nr_histories].before.access = ACCESS_NONE;
}

static uint16_t object_new(const void *address, size_t size)
{
	struct object *object;

	if (nr_objects == MAX_OBJECTS - 1)
		execution_fail(DAX_EXPLORE_STEP_LIMIT, "too many objects");
	object = &objects[++nr_objects];
	memset(object, 0, sizeof(*object));
	object->address = address;
	memory_remember(address, size);
	if (all_shared)
		history_add(object);
	return (uint16_t)nr_objects;
}

uint16_t object_find(const void *address, size_t size)
{
	size_t i = (uintptr_t)address * 0x9e3779b97f4a7c15u >> 40;

	for (i %= TABLE_SIZE; table[i]; i = (i + 1) % TABLE_SIZE)
		if (objects[table[i]].address == address)
			return table[i];
	table[i] = object_new(address, size);
	objects[table[i]].slot = (uint16_t)i;
	return table[i];
}

static void object_share(struct object *object)
{
	history_add(object);
	search.found_shared = true;
}

/* Stands for the life of the block at @start, which ends by a write. */
static struct object *life_of(const char *start)
{
	return &objects[object_find(start + 1, 0)];
}

static unsigned int freers(const void *address)
{
	const char *start = search.states && in_arena(address)
				    ? memory_block(address)
				    : NULL;

	return start ? life_of(start)->by[ACCESS_KINDS - 1] : 0;
}

void object_accessed(
	struct object *object, unsigned int thread, enum access access)
{
	const unsigned int kind = access_kind(access);
	unsigned int rivals = freers(object->address);

	object->by[kind] |= (uint8_t)(1u << thread);
	for (unsigned int i = 0; i < ACCESS_KINDS; i++)
		if (i != kind || kind == ACCESS_KINDS - 1)
			rivals |= object->by[i];
	if (rivals & ~(1u << thread))
		object_share(object);
}

static unsigned int accessors(const struct object *object)
{
	unsigned int threads = 0;

	for (unsigned int i = 0; i < ACCESS_KINDS; i++)
		threads |= object->by[i];
	return threads;
}

void object_freed(const char *start, size_t size, unsigned int thread)
{
	struct object *life = life_of(start);

	for (unsigned int i = 1; i <= nr_objects; i++) {
		struct object *object = &objects[i];

		if ((size_t)((const char *)object->address - start) < size &&
			object != life && !object->history &&
			accessors(object) & ~(1u << thread))
			object_share(object);
	}
	life->by[ACCESS_KINDS - 1] |= (uint8_t)(1u << thread);
}

void histories_reset(void)
{
	if (all_shared)
		objects_reset(true);
	memset(&histories[1], 0, nr_histories * sizeof(histories[0]));
	for (unsigned int i = 1; i <= nr_histories; i++)
		histories[i].now.access = histories[i].before.access =
			ACCESS_NONE;
}

void objects_pages(struct spans *spans)
{
	span_add(spans, table, sizeof(table));
	span_add(spans, objects, 256 * sizeof(objects[0]));
	span_add(spans, histories, 64 * sizeof(histories[0]));
}

void histories_spans(struct spans *spans)
{
	span_add(spans, &histories[1], nr_histories * sizeof(histories[0]));
}

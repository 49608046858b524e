/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Searching states. Many interleavings lead to one state: all of a scenario's
 * memory, stacks included. Each state is kept as a hash, so that what follows
 * it is explored once; those on the way to the current one are kept whole, so
 * that a step can be taken from each again.
 *
 * Two states whose hashes are equal are taken for one. With 64 bits and a
 * million states that happens once in 37 million searches.
 */
#include <stdlib.h>
#include <string.h>

#include "explore/context.h"
#include "explore/engine.h"

/* ---- tapes ---- */

static uint64_t mix(uint64_t hash, uint64_t word)
{
	hash = (hash ^ word) * 0x9fb21c651e98df25u;
	return hash ^ hash >> 32;
}

static void hash_bytes(struct tape *tape, const char *bytes, size_t size)
{
	uint64_t hash = tape->hash;
	uint64_t word;

	for (; size >= sizeof(word); size -= sizeof(word)) {
		memcpy(&word, bytes, sizeof(word));
		hash = mix(hash, word);
		bytes += sizeof(word);
	}
	word = size;
	memcpy(&word, bytes, size);
	tape->hash = mix(hash, word ^ (uint64_t)size << 56);
}

void tape_bytes(struct tape *tape, void *bytes, size_t size)
{
	if (tape->mode == TAPE_HASH) {
		hash_bytes(tape, bytes, size);
		return;
	}
	if (tape->full || size > (size_t)(tape->end - tape->at)) {
		tape->full = true;
		return;
	}
	if (tape->mode == TAPE_SAVE)
		memcpy(tape->at, bytes, size);
	else
		memcpy(bytes, tape->at, size);
	tape->at += size;
}

static void world_tape(struct tape *tape)
{
	execution_tape(tape);
	memory_tape(tape);
}

/* ---- states seen ---- */

static uint64_t *seen;
static size_t nr_seen;
static size_t seen_size; /* a power of two */

static void seen_put(uint64_t hash)
{
	size_t i = hash & (seen_size - 1);

	while (seen[i])
		i = (i + 1) & (seen_size - 1);
	seen[i] = hash;
}

static bool seen_grow(void)
{
	uint64_t *before = seen;
	const size_t size = seen_size;
	uint64_t *larger = calloc(size ? 4 * size : 1 << 16, sizeof(*seen));

	if (!larger)
		return false;
	seen = larger;
	seen_size = size ? 4 * size : 1 << 16;
	for (size_t i = 0; i < size; i++)
		if (before[i])
			seen_put(before[i]);
	free(before);
	return true;
}

/* Is @hash new? */
static bool seen_add(uint64_t hash)
{
	size_t i;

	hash |= !hash;
	i = hash & (seen_size - 1);
	while (seen[i] && seen[i] != hash)
		i = (i + 1) & (seen_size - 1);
	if (seen[i])
		return false;
	seen[i] = hash;
	nr_seen++;
	return true;
}

/* ---- the search ---- */

#define TAPE_SIZE ((size_t)24 << 10)

/* A state on the way to the current one. */
struct place {
	unsigned int todo; /* threads, or values of a choice */
	char tape[TAPE_SIZE];
};

static struct place *places;
static unsigned int nr_places;

static bool place_room(unsigned int depth)
{
	struct place *more;

	if (depth < nr_places)
		return true;
	more = realloc(places, (nr_places + 64) * sizeof(*places));
	if (!more)
		return false;
	places = more;
	nr_places += 64;
	return true;
}

static void place_restore(struct place *place)
{
	struct tape tape = {.mode = TAPE_RESTORE,
		.at = place->tape,
		.end = place->tape + TAPE_SIZE};

	world_tape(&tape);
	run.outcome = OUTCOME_RUNNING;
}

enum arrival {
	ARRIVAL_NEW,
	ARRIVAL_SEEN, /* or the end of a good execution */
	ARRIVAL_BUG,
	ARRIVAL_FULL,
};

/* The world is in a state, @depth steps from the first. */
static enum arrival arrive(unsigned int depth)
{
	struct tape hash = {.mode = TAPE_HASH};
	struct tape save = {.mode = TAPE_SAVE};
	unsigned int todo;

	if (run.outcome == OUTCOME_BUG)
		return ARRIVAL_BUG;
	todo = run.choice_of ? (1u << run.choice_of) - 1 : execution_enabled();
	if (run.outcome == OUTCOME_BUG)
		return ARRIVAL_BUG;
	if (!todo) {
		execution_resume(WHO_BODY, 0);
		return run.outcome == OUTCOME_BUG ? ARRIVAL_BUG : ARRIVAL_SEEN;
	}
	world_tape(&hash);
	if (!seen_add(hash.hash))
		return ARRIVAL_SEEN;
	if (depth >= MAX_STEPS - 2 || !place_room(depth) ||
		(nr_seen * 2 > seen_size && !seen_grow()))
		return ARRIVAL_FULL;
	save.at = places[depth].tape;
	save.end = save.at + TAPE_SIZE;
	world_tape(&save);
	places[depth].todo = todo;
	return save.full ? ARRIVAL_FULL : ARRIVAL_NEW;
}

/* Takes the next step that @depth's state has to offer. */
static void take_step(unsigned int depth)
{
	struct place *place = &places[depth];
	const unsigned int next = (unsigned int)__builtin_ctz(place->todo);
	struct step *step = &steps[depth];

	place->todo &= place->todo - 1;
	place_restore(place);
	step->nr_values = run.choice_of;
	step->value = (uint8_t)next;
	step->thread = (uint8_t)(run.choice_of ? run.choosing : next);
	step->operation =
		run.choice_of ? OP_CHOOSE : run.threads[next].operation;
	run.depth = depth + 1;
	search.nr_steps++;
	execution_resume(step->thread, next);
}

static void forget_states(void)
{
	free(seen);
	seen = NULL;
	seen_size = nr_seen = 0;
}

bool states_explore(const struct dax_scenario *scenario, uint64_t limit,
	uint64_t *nr_states)
{
	enum arrival arrival;
	unsigned int depth = 0;

	if (!CONTEXT_MOVABLE || !seen_grow())
		return false;
	execution_run(scenario);
	if (run.outcome == OUTCOME_GOOD) {
		forget_states();
		return true;
	}
	arrival = arrive(0);
	while (arrival <= ARRIVAL_SEEN && !(limit && nr_seen >= limit)) {
		if (arrival == ARRIVAL_NEW && places[depth].todo) {
			take_step(depth);
		} else {
			while (depth && !places[depth].todo)
				depth--;
			if (!places[depth].todo)
				break;
			take_step(depth);
		}
		arrival = arrive(depth + 1);
		if (arrival == ARRIVAL_NEW)
			depth++;
	}
	*nr_states = nr_seen;
	limit = arrival <= ARRIVAL_SEEN && !places[depth].todo && !depth;
	forget_states();
	return limit;
}

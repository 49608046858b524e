/* SPDX-License-Identifier: BSD-3-Clause */
/* The operations of the seam: announce, wait for one's turn, say what is
 * touched, do it. */
#include "explore/context.h"
#include "explore/engine.h"
#include "explore/races.h"
#include "explore/tso.h"

static const uint8_t always;

/* ---- atomic words ---- */

/* Those that take effect at once wait for the stores before them. */
static void drain_for(enum operation operation, const struct explore_site *site)
{
	if (operation != OP_LOAD &&
		(operation != OP_STORE || site->order == memory_order_seq_cst))
		tso_drain();
}

/* Waits for this thread's turn. 0 in the body, which is alone. */
static inline uint16_t word_turn(const struct sync_u64 *word,
	enum operation operation, const struct explore_site *site)
{
	/* The number of its object is no part of a word's value. */
	struct sync_u64 *changeable = (struct sync_u64 *)(uintptr_t)word;
	uint16_t object;

	if (__builtin_expect(!in_thread(), 0)) {
		memory_remember(word, sizeof(*word));
		return 0;
	}
	if (__builtin_expect(tso_on, 0))
		drain_for(operation, site);
	object = object_of(word, sizeof(*word), &changeable->object);
	if (!schedule_merges(object))
		schedule_point(operation, object, &always, 0);
	return object;
}

/* This thread looks at a word. */
static inline void word_tells(uint16_t object, uint64_t value)
{
	if (__builtin_expect(search.twins, 0) && object_is_shared(object))
		twins_told(value);
}

static inline void word_access(
	const struct sync_u64 *word, uint16_t object, enum access access)
{
	if (object)
		order_access(object, access);
	memory_touch(word);
	order_own_done();
}

/* What most loads are: of an object that others do not write. */
static inline bool load_merges(const struct sync_u64 *word)
{
	const struct object *object = &objects[word->object % MAX_OBJECTS];

	if (object->address != word ||
		!(object->by[ACCESS_READ] >> run.who & 1) ||
		run.merged >= run.may_merge || explore_peeking || seam_watched)
		return false;
	run.merged++;
	return true;
}

static void word_synchronises(const struct sync_u64 *word, uint16_t object,
	enum word_operation operation, const struct explore_site *site)
{
	if (__builtin_expect(races_on, 0))
		races_word(word, object, operation, site);
}

static __attribute__((noinline)) uint64_t load_in_turn(
	const struct sync_u64 *word, const struct explore_site *site)
{
	const uint16_t object = word_turn(word, OP_LOAD, site);
	uint64_t value;

	word_access(word, object, ACCESS_READ);
	word_tells(object, word->value);
	word_synchronises(word, object, WORD_LOADED, site);
	value = __builtin_expect(tso_on, 0) ? tso_load(word) : word->value;
	event(OP_LOAD, word, word->value, value, site);
	coroutine_wipe();
	return value;
}

uint64_t explore_load(
	const struct sync_u64 *word, const struct explore_site *site)
{
	if (!load_merges(word))
		return load_in_turn(word, site);
	memory_touch(word);
	return word->value;
}

void explore_store(
	struct sync_u64 *word, uint64_t value, const struct explore_site *site)
{
	const uint16_t object = word_turn(word, OP_STORE, site);

	event(OP_STORE, word, word->value, value, site);
	if (__builtin_expect(tso_on, 0) && in_thread() &&
		site->order != memory_order_seq_cst) {
		memory_touch(word);
		tso_store(word, value, site);
		return;
	}
	word_access(word, object, ACCESS_WRITE);
	word_synchronises(word, object, WORD_STORED, site);
	word->value = value;
	coroutine_wipe();
}

bool explore_cas(struct sync_u64 *word, uint64_t *expected, uint64_t value,
	const struct explore_site *site)
{
	const uint16_t object = word_turn(word, OP_CAS, site);
	const uint64_t before = word->value;
	const bool equal = before == *expected;

	/* One that fails has only looked. */
	word_access(word, object, equal ? ACCESS_WRITE : ACCESS_READ);
	word_tells(object, before);
	word_synchronises(
		word, object, equal ? WORD_CHANGED : WORD_FAILED, site);
	event(OP_CAS, word, before, equal ? value : before, site);
	if (equal)
		word->value = value;
	else
		*expected = before;
	coroutine_wipe();
	return equal;
}

/* As does one that leaves what it found. */
static inline uint64_t word_change(struct sync_u64 *word, uint64_t value,
	enum operation operation, uint16_t object,
	const struct explore_site *site)
{
	const uint64_t before = word->value;

	word_access(word, object, value == before ? ACCESS_READ : ACCESS_WRITE);
	word_tells(object, before);
	word_synchronises(word, object, WORD_CHANGED, site);
	event(operation, word, before, value, site);
	word->value = value;
	coroutine_wipe();
	return before;
}

uint64_t explore_swap(
	struct sync_u64 *word, uint64_t value, const struct explore_site *site)
{
	const uint16_t object = word_turn(word, OP_SWAP, site);

	return word_change(word, value, OP_SWAP, object, site);
}

uint64_t explore_add(
	struct sync_u64 *word, uint64_t value, const struct explore_site *site)
{
	const uint16_t object = word_turn(word, OP_ADD, site);

	return word_change(word, word->value + value, OP_ADD, object, site);
}

/* Two of them commute: nobody sees which was first. */
void explore_count(
	struct sync_u64 *word, uint64_t delta, const struct explore_site *site)
{
	const uint16_t object = word_turn(word, OP_ADD, site);
	const uint64_t before = word->value;

	word_access(word, object, ACCESS_COUNT);
	word_synchronises(word, object, WORD_CHANGED, site);
	event(OP_ADD, word, before, before + delta, site);
	word->value = before + delta;
	coroutine_wipe();
}

bool explore_reserve(
	struct sync_u64 *word, uint64_t closed, const struct explore_site *site)
{
	const uint16_t object = word_turn(word, OP_ADD, site);
	const uint64_t before = word->value;
	const bool open = !(before & closed);

	/* Which was first decides who acquires what the other has released. */
	word_access(
		word, object, open && !races_on ? ACCESS_COUNT : ACCESS_WRITE);
	word_synchronises(word, object, WORD_CHANGED, site);
	event(OP_ADD, word, before, before + 1, site);
	word->value = before + 1;
	coroutine_wipe();
	return open;
}

uint64_t explore_or(
	struct sync_u64 *word, uint64_t bits, const struct explore_site *site)
{
	const uint16_t object = word_turn(word, OP_OR, site);

	return word_change(word, word->value | bits, OP_OR, object, site);
}

uint64_t explore_and(
	struct sync_u64 *word, uint64_t bits, const struct explore_site *site)
{
	const uint16_t object = word_turn(word, OP_AND, site);

	return word_change(word, word->value & bits, OP_AND, object, site);
}

/* ---- locks ---- */

void explore_lock(struct sync_lock *lock, const struct explore_site *site)
{
	uint16_t object;

	if (in_thread()) {
		if (tso_on)
			tso_drain();
		object = object_of(lock, sizeof(*lock), &lock->object);
		if (lock->held || !schedule_merges(object))
			schedule_point(OP_LOCK, object, &lock->held, 0);
		order_access(object, ACCESS_ACQUIRE);
		if (races_on)
			races_locked(lock, object, site);
	} else if (lock->held) {
		execution_fail(DAX_EXPLORE_DEADLOCK,
			"the body waits for a lock of %s",
			run.threads[lock->owner].name);
	}
	memory_touch(lock);
	order_own_done();
	event(OP_LOCK, lock, 0, 1, site);
	lock->held = true;
	lock->owner = (uint8_t)run.who;
	coroutine_wipe();
}

void explore_unlock(struct sync_lock *lock, const struct explore_site *site)
{
	uint16_t object;

	if (tso_on && in_thread())
		tso_drain();
	order_own_done();
	memory_touch(lock);
	if (!lock->held || lock->owner != run.who)
		lock_misused(lock);
	event(OP_UNLOCK, lock, 1, 0, site);
	lock->held = false;
	/* Who had it tells no states apart. */
	lock->owner = 0;
	if (!in_thread())
		return;
	object = object_of(lock, sizeof(*lock), &lock->object);
	order_release(object);
	if (races_on)
		races_unlocked(lock, object, site);
	coroutine_wipe();
}

/* ---- sleeping ---- */

static uint16_t parker_object(struct sync_parker *parker)
{
	return object_of(parker, sizeof(*parker), &parker->object);
}

/* Who does so late forgets an unpark, so it is as much a step as that. */
void sync_parker_init(struct sync_parker *parker)
{
	const uint16_t object = parker_object(parker);

	if (!in_thread()) {
		order_parker(object, false);
	} else {
		if (!schedule_merges(object))
			schedule_point(OP_STORE, object, &always, 0);
		order_access(object, ACCESS_WRITE);
	}
	memory_touch(parker);
	order_own_done();
	if (races_on)
		races_parker_init(parker);
	event(OP_STORE, parker, parker->token, 0, NULL);
	*parker = (struct sync_parker){0};
	coroutine_wipe();
}

/* A record on the stack of a thread that has moved on. */
static void require_frame(const struct sync_parker *parker)
{
	unsigned int who;

	if (memory_is_stack(parker, &who) && who < MAX_THREADS && is_done(who))
		execution_fail(DAX_EXPLORE_USE_AFTER_FREE,
			"%s unparks %s, which has ended", self()->name,
			run.threads[who].name);
}

static bool park_body(struct sync_parker *parker, uint64_t deadline_ns)
{
	const bool unparked = parker->token;

	if (!unparked && deadline_ns == SYNC_FOREVER)
		execution_fail(DAX_EXPLORE_LOST_WAKE_UP,
			"the body sleeps, and nobody else is there");
	parker->token = false;
	order_parker(parker_object(parker), false);
	return unparked;
}

bool explore_park(struct sync_parker *parker, uint64_t deadline_ns,
	const struct explore_site *site)
{
	struct thread *me = self();
	uint16_t object;
	bool unparked;

	if (!in_thread())
		return park_body(parker, deadline_ns);
	if (tso_on)
		tso_drain();
	me->timed = deadline_ns != SYNC_FOREVER;
	if (!parker->token)
		my_progress()->slept = true;
	object = parker_object(parker);
	if (!parker->token && explore_recording)
		explore_note_park(parker);
	if (!parker->token || me->timed || !schedule_merges(object))
		schedule_point(OP_PARK, object, &parker->token, true);
	order_access(object, ACCESS_PARK);
	me->timed = false;
	memory_touch(parker);
	order_own_done();
	if (races_on)
		races_parked(parker, object, site);
	unparked = parker->token;
	if (!unparked && my_progress()->now < deadline_ns)
		my_progress()->now = deadline_ns;
	my_progress()->latest =
		unparked && deadline_ns != SYNC_FOREVER ? deadline_ns : 0;
	event(OP_PARK, parker, unparked, 0, site);
	sync_note("%s", unparked ? "goes on" : "has waited long enough");
	parker->token = false;
	coroutine_wipe();
	return unparked;
}

bool explore_park_once(
	struct sync_parker *parker, const struct explore_site *site)
{
	struct progress *me = my_progress();
	const uint64_t before = me->now;
	bool unparked;

	/* It may always end, as if a deadline had passed; but no time has. */
	if (!in_thread() || me->spurious == search.scenario->spurious)
		return explore_park(parker, SYNC_FOREVER, site);
	unparked = explore_park(parker, before, site);
	me->spurious += !unparked;
	return true;
}

void explore_unpark(struct sync_parker *parker, const struct explore_site *site)
{
	const uint16_t object = parker_object(parker);
	unsigned int who;

	if (!in_thread()) {
		order_parker(object, true);
	} else {
		if (tso_on)
			tso_drain();
		if (!schedule_merges(object))
			schedule_point(OP_UNPARK, object, &always, 0);
		order_access(object, ACCESS_UNPARK);
	}
	require_frame(parker);
	memory_touch(parker);
	order_own_done();
	if (races_on)
		races_unparked(parker, object, site);
	event(OP_UNPARK, parker, parker->token, 1, site);
	if (explore_recording && (who = events_sleeper(parker)) < MAX_THREADS)
		sync_note("unparks %s (%u)", run.threads[who].name, who + 1);
	parker->token = true;
	coroutine_wipe();
}

/* ---- the rest ---- */

/* An unpark may have come at any time up to the very deadline; which of the
 * two ends it was matters only to who asks. */
uint64_t sync_now(void)
{
	struct progress *me = my_progress();

	if (me->latest > me->now && schedule_choose(2))
		me->now = me->latest;
	me->latest = 0;
	return me->now;
}

uint64_t sync_thread_id(void)
{
	return run.who + 1;
}

enum {
	ONCE_NOT_YET,
	ONCE_RUNNING,
	ONCE_DONE,
};

void sync_once(struct sync_once *once, void (*function)(void))
{
	uint64_t state = ONCE_NOT_YET;

	if (sync_cas(
		    &once->state, &state, ONCE_RUNNING, memory_order_acq_rel)) {
		function();
		sync_store(&once->state, ONCE_DONE, memory_order_release);
		return;
	}
	while (state == ONCE_RUNNING)
		state = sync_load(&once->state, memory_order_acquire);
}

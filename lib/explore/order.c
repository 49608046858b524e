/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What happened before what, and which steps race.
 *
 * Two steps of different threads race when they touch one object in ways that
 * do not commute, and nothing in between orders them. For each race the search
 * must also see the two the other way round. The clocks say what is ordered;
 * each shared object knows its latest accesses, so that only few steps are
 * compared. The rule for which thread to try instead is that of source sets
 * (Abdulla, Aronsson, Jonsson, Sagonas: Optimal Dynamic Partial Order
 * Reduction, 2014).
 */
#include <string.h>

#include "explore/engine.h"

/* ---- footprints ---- */

static inline void footprint_add(
	struct footprint *footprint, uint16_t object, enum access access)
{
	if (footprint->nr == FOOTPRINT_MAX) {
		footprint->everything = true;
		return;
	}
	footprint->at[footprint->nr].object = object;
	footprint->at[footprint->nr].access = (uint16_t)access;
	footprint->nr++;
}

bool footprints_clash(const struct footprint *a, const struct footprint *b)
{
	if (a->everything || b->everything)
		return true;
	for (unsigned int i = 0; i < a->nr; i++)
		for (unsigned int j = 0; j < b->nr; j++)
			if (a->at[i].object == b->at[j].object &&
				!accesses_commute((enum access)a->at[i].access,
					(enum access)b->at[j].access))
				return true;
	return false;
}

/* ---- clocks ---- */

#define LANE(t)                                                                \
	{                                                                      \
		.at[t] = UINT16_MAX                                            \
	}

const struct clock lane_masks[MAX_THREADS] = {
	LANE(0), LANE(1), LANE(2), LANE(3), LANE(4), LANE(5), LANE(6), LANE(7)};

static inline void clock_join(struct clock *clock, const struct clock *other)
{
	const lanes_t a = lanes_of(clock);
	const lanes_t b = lanes_of(other);
	const lanes_t less = (lanes_t)(a < b);
	const lanes_t latest = (b & less) | (a & ~less);

	memcpy(clock, &latest, sizeof(*clock));
}

/* ---- races ---- */

static unsigned int instead_of_twins(
	const struct step *step, unsigned int threads)
{
	for (unsigned int left = threads & step->twins; left; left &= left - 1)
		threads |= 1u << step->twin_of[__builtin_ctz(left)];
	return threads & ~(unsigned int)step->twins;
}

/*
 * Have step @j and the thread of step @i explored in the other order. The
 * candidates: threads that can begin a sequence which leads to step @i without
 * step @j, the steps between them that do not come after @j, and @i.
 */
static unsigned int initials_of(unsigned int j, unsigned int i)
{
	static uint16_t between[MAX_STEPS];
	const unsigned int first = steps[j].thread;
	unsigned int initials = 0;
	unsigned int seen = 0;
	unsigned int nr = 0;

	for (unsigned int k = j + 1; k <= i; k++) {
		const struct step *step = &steps[k];
		bool initial = !(seen >> step->thread & 1);

		if (k < i &&
			clock_has(&step->clock, first, moment_first(j + 1)))
			continue;
		for (unsigned int m = 0; m < nr && initial; m++)
			initial = !clock_has(&step->clock,
				steps[between[m]].thread,
				moment_first(between[m] + 1u));
		seen |= 1u << step->thread;
		if (initial)
			initials |= 1u << step->thread;
		between[nr++] = (uint16_t)k;
	}
	return initials;
}

static void reverse(unsigned int j, unsigned int i)
{
	struct step *at = &steps[j];
	unsigned int initials;
	unsigned int known;

	/* A choice is made in the middle of a step. */
	while (at->nr_values && at != steps)
		at--;
	known = at->todo | at->done | at->sleep | 1u << at->thread;
	if (at->nr_values || !(at->enabled & ~known))
		return;
	initials = instead_of_twins(at, initials_of(j, i) & at->enabled);
	if (known & initials)
		return;
	if (initials >> steps[i].thread & 1)
		at->todo |= (uint8_t)(1u << steps[i].thread);
	else if (initials)
		at->todo |= (uint8_t)(initials & -initials);
	else
		at->todo |= at->enabled & ~at->done & ~at->sleep & ~at->twins;
}

static inline struct step *step_of(moment_t moment)
{
	return &steps[moment_step(moment) - 1];
}

/* The threads of @rivals that have not happened before: mostly none. */
static inline unsigned int clock_lacks(
	const struct clock *clock, const struct clock *rivals)
{
	const lanes_t less = (lanes_t)(lanes_of(clock) < lanes_of(rivals));
	const lanes_t bits = less & (lanes_t){1, 2, 4, 8, 16, 32, 64, 128};
	uint64_t halves[2];

	memcpy(halves, &bits, sizeof(halves));
	halves[0] |= halves[1];
	halves[0] |= halves[0] >> 32;
	halves[0] |= halves[0] >> 16;
	return halves[0] & 0xff;
}

/* Did one of the threads in the mask @others do what @rivals says after @t? */
static bool comes_between(
	const struct clock *rivals, unsigned int others, unsigned int t)
{
	for (; others; others &= others - 1) {
		const unsigned int u = (unsigned int)__builtin_ctz(others);

		if (clock_has(&step_of(rivals->at[u])->clock, t, rivals->at[t]))
			return true;
	}
	return false;
}

/* Joins the clocks of what those in the mask @races did into that of step @i,
 * and has its races with them reversed, but for those in the mask @enabling:
 * without them step @i could not be. */
static __attribute__((noinline)) void follow(unsigned int i,
	const struct clock *rivals, unsigned int races, unsigned int enabling)
{
	for (unsigned int left = races; left; left &= left - 1)
		clock_join(&steps[i].clock,
			&step_of(rivals->at[__builtin_ctz(left)])->clock);
	if (!search.races)
		return;
	races &= ~enabling;
	for (unsigned int left = races; left; left &= left - 1) {
		const unsigned int t = (unsigned int)__builtin_ctz(left);

		if (!comes_between(rivals, races & ~(1u << t), t))
			reverse(moment_step(rivals->at[t]) - 1, i);
	}
}

static inline void epoch_add(
	struct history *history, enum access access, unsigned int i)
{
	lanes_t last = lanes_of(&history->now.last);

	if (!accesses_commute(history->now.access, access)) {
		history->before = history->now;
		history->now.access = access;
		history->now.first = moment_first(i + 1);
		last = (lanes_t){0};
	}
	clock_set(
		&history->now.last, last, steps[i].thread, moment_first(i + 1));
}

static inline const struct clock *rivals_of(
	const struct history *history, enum access access)
{
	return accesses_commute(history->now.access, access)
		       ? &history->before.last
		       : &history->now.last;
}

/* An untimed park cannot come before the only unpark that there was. Of two,
 * either lets it go on, and the other leaves a token when it comes later. */
static unsigned int enabling_unpark(
	const struct epoch *unparks, const struct step *sleep)
{
	unsigned int threads = 0;

	if (sleep->timed || !unparks->first)
		return 0;
	for (unsigned int t = 0; t < run.nr_threads; t++)
		if (unparks->last.at[t] == unparks->first)
			threads = 1u << t;
		else if (unparks->last.at[t])
			return 0;
	return threads;
}

static void join_release(struct clock *clock, moment_t released)
{
	const struct step *step = step_of(released);

	clock_join(clock, &step->clock);
	if (clock->at[step->thread] < released)
		clock_set(clock, lanes_of(clock), step->thread, released);
}

static unsigned int enabling(
	const struct history *history, const struct step *sleep)
{
	return history->now.access == ACCESS_UNPARK
		       ? enabling_unpark(&history->now, sleep)
		       : 0;
}

/* In the common case none; then @races is 0, and no lock was released. */
static inline void come_after(unsigned int i, struct history *history,
	enum access access, unsigned int races)
{
	const struct clock *rivals = rivals_of(history, access);
	struct step *step = &steps[i];

	if (races)
		follow(i, rivals, races,
			access == ACCESS_PARK ? enabling(history, step) : 0);
	/* Who takes a lock comes after its last release; the race is with the
	 * step that took it. */
	if (access == ACCESS_ACQUIRE && history->released)
		join_release(&step->clock, history->released);
}

static void access_new(
	unsigned int i, struct history *history, enum access access)
{
	come_after(i, history, access,
		clock_lacks(&steps[i].clock, rivals_of(history, access)));
}

static __attribute__((noinline)) void come_after_and_add(unsigned int i,
	struct history *history, enum access access, unsigned int races)
{
	come_after(i, history, access, races);
	epoch_add(history, access, i);
}

/* The latest step touches an object. */
static inline void touch(uint16_t number, enum access access)
{
	struct history *history = &histories[number];
	const unsigned int i = run.depth - 1;
	unsigned int races;

	if (i >= search.first_new) {
		races = clock_lacks(
			&steps[i].clock, rivals_of(history, access));
		/* Seldom; so that nothing need be saved for the call. */
		if (races || access == ACCESS_ACQUIRE) {
			come_after_and_add(i, history, access, races);
			return;
		}
	}
	epoch_add(history, access, i);
}

static inline void touch_release(uint16_t number)
{
	order_own_done();
	histories[number].released = run.moment;
	if (run.moment % MOMENTS)
		run.moment++;
	else
		run.may_merge = 0;
}

void order_shared(uint16_t number, enum access access)
{
	footprint_add(&steps[run.depth - 1].footprint, number, access);
	if (!search.states)
		touch(number, access);
}

void order_released(uint16_t number)
{
	footprint_add(&steps[run.depth - 1].footprint, number, ACCESS_RELEASE);
	touch_release(number);
}

void order_repeat(const struct step *step)
{
	const struct footprint *footprint = &step->footprint;

	/* A choice has no operation of its own. */
	if (step->nr_values)
		order_own_done();
	for (unsigned int i = 0; i < footprint->nr; i++)
		if (footprint->at[i].access == ACCESS_RELEASE)
			touch_release(footprint->at[i].object);
		else
			touch(footprint->at[i].object,
				(enum access)footprint->at[i].access);
}

void order_release(uint16_t number)
{
	order_own_done();
	if (!objects[number].history)
		return;
	if (search.states)
		footprint_add(&steps[run.depth - 1].footprint,
			objects[number].history, ACCESS_RELEASE);
	else
		order_released(objects[number].history);
}

void order_parker(uint16_t number, bool unparked)
{
	if (object_is_shared(number))
		histories[objects[number].history].now.access =
			unparked ? ACCESS_UNPARK : ACCESS_NONE;
}

void order_everything(void)
{
	/* What a thread does before its first step comes before all. */
	if (search.states && in_thread() && run.depth)
		steps[run.depth - 1].footprint.everything = true;
}

void order_after(uint16_t done)
{
	const unsigned int i = run.depth - 1;

	if (!search.states && done && i >= search.first_new)
		clock_join(&steps[i].clock, &steps[done - 1].clock);
}

void order_blocked(void)
{
	for (unsigned int t = 0; t < run.nr_threads; t++) {
		const struct thread *thread = &run.threads[t];
		struct step *step = &steps[run.depth];

		if (is_done(t) || !object_is_shared(thread->object) ||
			(thread->operation != OP_LOCK &&
				thread->operation != OP_RCU_BARRIER))
			continue;
		step->thread = (uint8_t)t;
		step->last = thread->last;
		step->enabled = 0;
		order_step(run.depth);
		access_new(run.depth,
			&histories[objects[thread->object].history],
			thread->operation == OP_LOCK ? ACCESS_ACQUIRE
						     : ACCESS_WRITE);
	}
}

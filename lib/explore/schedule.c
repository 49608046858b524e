/* SPDX-License-Identifier: BSD-3-Clause */
/* Who runs next. The scheduler runs in the coroutine that stops; a switch is
 * made only when another one goes on. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "explore/engine.h"
#include "explore/races.h"
#include "explore/step.h"
#include "explore/tso.h"

struct execution run = {.who = WHO_ENGINE};
bool explore_peeking;
bool seam_watched;
struct step steps[MAX_STEPS];

/* ---- ending ---- */

_Noreturn void execution_fail(enum dax_explore_bug bug, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(run.message, sizeof(run.message), format, arguments);
	va_end(arguments);
	run.bug = bug;
	run.outcome = OUTCOME_BUG;
	coroutine_leave(WHO_ENGINE);
}

static void diverged(unsigned int depth, const char *what)
{
	snprintf(run.message, sizeof(run.message),
		"step %u is not what it was before: %s", depth + 1, what);
	run.outcome = OUTCOME_DIVERGED;
}

/* ---- when nobody can go on ---- */

static void nobody_can_go_on(void)
{
	if (search.races && run.depth >= search.prefix)
		order_blocked();
	run.bug = blocked_bug();
	run.outcome = OUTCOME_BUG;
	if (explore_recording)
		blocked_describe(run.message, sizeof(run.message));
}

/* ---- choosing ---- */

static bool somebody_waits(void)
{
	for (unsigned int left = run.alive; left; left &= left - 1)
		if (!run.threads[__builtin_ctz(left)].daemon)
			return true;
	return false;
}

static inline unsigned int enabled_threads(unsigned int *waiting)
{
	unsigned int enabled = 0;
	unsigned int late = 0;

	for (unsigned int left = run.alive; left; left &= left - 1) {
		const unsigned int i = (unsigned int)__builtin_ctz(left);
		const struct thread *thread = &run.threads[i];

		if (*thread->flag == thread->want)
			enabled |= 1u << i;
		else if (thread->timed)
			late |= 1u << i;
	}
	*waiting = late;
	enabled |= late;
	if (!enabled && somebody_waits())
		nobody_can_go_on();
	return enabled;
}

uint64_t random_below(uint64_t limit)
{
	search.random ^= search.random << 13;
	search.random ^= search.random >> 7;
	search.random ^= search.random << 17;
	return (uint64_t)((unsigned __int128)search.random * limit >> 64);
}

static unsigned int nth_bit(unsigned int bits, uint64_t n)
{
	while (n--)
		bits &= bits - 1;
	return (unsigned int)__builtin_ctz(bits);
}

unsigned int schedule_thread(const struct step *step, unsigned int among)
{
	unsigned int thread;

	if (search.how == DAX_EXPLORE_RANDOM)
		return nth_bit(among,
			random_below((uint64_t)__builtin_popcount(among)));
	if (search.how == DAX_EXPLORE_PCT)
		return pct_choose(among);
	return replay_thread(among, &thread) ? thread : step_go_on(step, among);
}

/* Perhaps a loop on what nobody else knows. */
static void merged_too_much(void)
{
	if (run.watch_from > run.depth + 1 && search.watch_from != NEVER)
		run.watch_from = run.engine_from = run.depth + 1;
}

/* The step at run.depth begins. */
static inline unsigned int step_begin(struct step *step)
{
	const struct thread *thread = &run.threads[step->thread];

	step->operation = thread->operation;
	step->timed = thread->timed;
	step->footprint.nr = 0;
	step->footprint.everything = false;
	if (run.merged == MAX_MERGED)
		merged_too_much();
	step_count(step);
	run.merged = 0;
	run.may_merge = MAX_MERGED;
	return step->thread;
}

/* Of the prefix. */
static unsigned int step_again(struct step *step)
{
	if (!(run.alive >> step->thread & 1))
		diverged(run.depth, "its thread has ended");
	else if (run.depth + 1 < search.prefix &&
		 step->operation != run.threads[step->thread].operation)
		diverged(run.depth, "another operation");
	return run.outcome == OUTCOME_DIVERGED ? WHO_ENGINE : step_begin(step);
}

static bool too_many_steps(void)
{
	/* What is replayed has a step for each operation. */
	if (search.how == DAX_EXPLORE_REPLAY && run.depth < replay.nr &&
		run.depth < MAX_STEPS - 2)
		return false;
	endless_limit();
	return true;
}

static inline bool out_of_steps(void)
{
	return run.depth >= search.max_steps && too_many_steps();
}

unsigned int schedule_next(unsigned int previous)
{
	struct step *step = &steps[run.depth];
	unsigned int waiting;
	unsigned int enabled;

	if (run.depth < search.prefix)
		return step_again(step);
	enabled = enabled_threads(&waiting);
	if (!enabled)
		return run.outcome == OUTCOME_BUG ? WHO_ENGINE : WHO_BODY;
	if (out_of_steps())
		return WHO_ENGINE;
	if (!step_plan(step, previous, enabled, waiting)) {
		run.outcome = OUTCOME_CUT;
		return WHO_ENGINE;
	}
	return step_begin(step);
}

void schedule_point(enum operation operation, uint16_t object,
	const uint8_t *flag, uint8_t want)
{
	struct thread *me = self();
	unsigned int next;

	me->flag = flag;
	me->want = want;
	me->operation = (uint8_t)operation;
	me->object = object;
	if (search.twins && !run.launching)
		twins_step_done();
	if (run.depth < run.engine_from)
		next = schedule_next(run.who);
	else
		next = run.launching ? WHO_BODY : WHO_ENGINE;
	/* A buffer was the last; the engine ends it. */
	if (next == WHO_BODY && !run.launching)
		next = WHO_ENGINE;
	run.stopped = (uint8_t)run.who;
	if (next != run.who)
		coroutine_switch(next);
	me->reading = me->rcu_depth;
	if (explore_recording)
		dax_explore_breakpoint(run.depth);
}

static unsigned int chosen_value;

/* The engine chooses. */
static unsigned int choose_state(unsigned int nr)
{
	run.state.choosing = (uint8_t)run.who;
	run.state.choice_of = (uint8_t)nr;
	coroutine_switch(WHO_ENGINE);
	return chosen_value;
}

static unsigned int choose_value(unsigned int nr)
{
	if (search.how == DAX_EXPLORE_RANDOM || search.how == DAX_EXPLORE_PCT)
		return (unsigned int)random_below(nr);
	return search.how == DAX_EXPLORE_REPLAY ? replay_value(nr) : 0;
}

unsigned int schedule_choose(unsigned int nr)
{
	struct step *step = &steps[run.depth];
	struct thread *me = self();

	if (!in_thread())
		return 0;
	if (search.twins)
		twins_part();
	if (search.states)
		return choose_state(nr);
	me->operation = OP_CHOOSE;
	if (run.depth < search.prefix) {
		if (step->nr_values != nr || step->thread != run.who)
			diverged(run.depth, "a choice");
	} else if (!out_of_steps()) {
		step_new(step);
		step->thread = (uint8_t)run.who;
		step->previous = WHO_BODY;
		step->enabled = (uint8_t)(1u << run.who);
		step->nr_values = (uint8_t)nr;
		step->value = (uint8_t)choose_value(nr);
		step->todo = (uint8_t)(((1u << nr) - 1) & ~(1u << step->value));
	}
	if (run.outcome != OUTCOME_RUNNING)
		coroutine_leave(WHO_ENGINE);
	step_begin(step);
	order_own_done();
	if (explore_recording)
		dax_explore_breakpoint(run.depth);
	return step->value;
}

/* ---- coroutines ---- */

static const struct dax_scenario *the_scenario;
static const uint8_t always;

static void thread_main(void)
{
	struct thread *me = self();

	coroutine_begin();
	me->function(me->context, me->argument);
	memory_check_thread_end();
	my_progress()->done = true;
	run.alive &= (uint8_t) ~(1u << run.who);
	if (run.launching)
		coroutine_leave(WHO_BODY);
	run.stopped = (uint8_t)run.who;
	coroutine_leave(WHO_ENGINE);
}

static void body_main(void)
{
	coroutine_begin();
	the_scenario->body(the_scenario->context);
	memory_check_end();
	run.outcome = OUTCOME_GOOD;
	coroutine_leave(WHO_ENGINE);
}

/* Every thread runs up to its first operation; nobody can see what it does
 * before that. */
static void launch(void)
{
	twins_begin();
	run.launching = true;
	run.uses = search.frees;
	run.alive = (uint8_t)((1u << run.nr_threads) - 1);
	for (unsigned int i = 0; i < run.nr_threads; i++) {
		/* Nothing merges with a choice of the one before. */
		run.may_merge = 0;
		run.moment = 0;
		coroutine_make(i, thread_main);
		run.threads[i].flag = &always;
		coroutine_switch(i);
	}
	run.launching = false;
}

void schedule_run_threads(void)
{
	launch();
	run.stopped = WHO_BODY;
	coroutine_switch(WHO_ENGINE);
}

static void execution_reset(void)
{
	memset(&run.state, 0, sizeof(run.state));
	for (unsigned int i = 0; i < NR_WHO; i++) {
		run.threads[i].rcu_depth = 0;
		run.threads[i].section = NO_SECTION;
		run.threads[i].reading = false;
		run.threads[i].in_callback = false;
		run.state.threads[i].now = 1000000000;
		run.threads[i].last = 0;
		run.threads[i].name = "the body";
	}
	run.nr_threads = 0;
	run.alive = 0;
	run.depth = run.engine_from = 0;
	run.bug = DAX_EXPLORE_NO_BUG;
	run.outcome = OUTCOME_RUNNING;
	run.launching = false;
	run.uses = true;
	seam_watched = explore_recording || races_on || tso_on;
	run.judged = run.nr_marks = 0;
	run.marked_last = false;
	run.watch_from = search.watch_from;
	run.message[0] = '\0';
	explore_peeking = false;
	coroutine_reset();
	memory_reset();
	histories_reset();
	events_reset();
	races_reset();
	tso_reset();
}

void execution_begin(const struct dax_scenario *scenario)
{
	execution_reset();
	the_scenario = scenario;
	run.state.failures_left = scenario->allocs_fail;
	coroutine_make(WHO_BODY, body_main);
	run.who = WHO_ENGINE;
	coroutine_switch(WHO_BODY);
}

static void checkpoint_due(void)
{
	if (checkpoint_take())
		search.next_checkpoint = checkpoint_next();
	else
		search.next_checkpoint = NEVER;
}

/* All threads have ended. What the body does next depends only on the state
 * that they left: once is enough. */
static void end(void)
{
	const uint64_t hash =
		search.checkpoints ? checkpoint_hash(ALL_STACKS) : 0;

	if (search.checkpoints && seen_has(hash)) {
		run.outcome = OUTCOME_GOOD;
		return;
	}
	run.uses = true;
	coroutine_switch(WHO_BODY);
	if (search.checkpoints && run.outcome == OUTCOME_GOOD)
		seen_add(hash);
}

/* Was all as it is now, before? If so, that is a bug. */
static bool goes_round(void)
{
	const bool replays = search.how == DAX_EXPLORE_REPLAY;
	/* Who is recorded has other things in the dead places of its stack each
	 * time. That it goes round was seen when the token was made. */
	const uint64_t hash =
		checkpoint_hash(replays ? 1u << WHO_BODY : ALL_STACKS);

	endless_state(hash);
	return (!replays || replay.next == replay.nr) &&
	       endless_cycle(hash, run.watch_from);
}

static unsigned int least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/* Who goes on from here. WHO_ENGINE: nobody, it is over. */
static unsigned int engine_turn(void)
{
	if (run.depth >= run.watch_from && goes_round())
		return WHO_ENGINE;
	if (run.depth >= search.next_checkpoint)
		checkpoint_due();
	rest_repeat();
	if (run.outcome != OUTCOME_RUNNING)
		return WHO_ENGINE;
	run.engine_from = least(run.watch_from, search.next_checkpoint);
	run.engine_from = least(run.engine_from, rest_next());
	return schedule_next(run.stopped);
}

void execution_finish(void)
{
	while (run.outcome == OUTCOME_RUNNING) {
		const unsigned int next = engine_turn();

		if (next == WHO_BODY)
			end();
		else if (next != WHO_ENGINE)
			coroutine_switch(next);
	}
	if (run.outcome == OUTCOME_GOOD)
		rest_keep();
}

/* ---- states ---- */

void execution_resume(unsigned int who, unsigned int value)
{
	chosen_value = value;
	run.state.choosing = run.state.choice_of = 0;
	run.merged = 0;
	run.may_merge = who < MAX_THREADS ? MAX_MERGED : 0;
	run.uses = search.frees || who == WHO_BODY;
	coroutine_switch(who);
}

unsigned int execution_enabled(void)
{
	unsigned int waiting;

	return enabled_threads(&waiting);
}

static unsigned int live_coroutines(void)
{
	return 1u << WHO_BODY | run.alive;
}

void execution_state_spans(struct spans *spans, unsigned int stacks)
{
	span_add(spans, &run.state,
		(size_t)((char *)&run.state.threads[run.nr_threads] -
			 (char *)&run.state));
	coroutine_spans(spans, live_coroutines(), stacks);
}

void execution_spans(struct spans *spans)
{
	span_add(spans, &run,
		(size_t)((char *)&run.threads[run.nr_threads] - (char *)&run));
	span_add(spans, &run.threads[WHO_BODY], sizeof(run.threads[0]));
	coroutine_spans(spans, live_coroutines(), ALL_STACKS);
}

/* ---- what a scenario calls ---- */

void dax_explore_thread(const char *name,
	void (*function)(void *context, long argument), void *context,
	long argument)
{
	struct thread *thread = &run.threads[run.nr_threads];

	DAX_REQUIRE(run.who == WHO_BODY && run.nr_threads < MAX_THREADS);
	thread->name = name;
	thread->function = function;
	thread->context = context;
	thread->argument = argument;
	thread->timed = false;
	thread->daemon = false;
	run.nr_threads++;
}

void dax_explore_run(void)
{
	DAX_REQUIRE(run.who == WHO_BODY && !run.depth);
	if (tso_on)
		tso_start();
	schedule_run_threads();
}

unsigned int dax_explore_choose(unsigned int nr)
{
	DAX_REQUIRE(nr && nr <= 8);
	return schedule_choose(nr);
}

bool dax_explore_slept(unsigned int thread)
{
	return run.state.threads[thread].slept;
}

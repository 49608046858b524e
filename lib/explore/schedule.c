/* SPDX-License-Identifier: BSD-3-Clause */
/* Who runs next. The scheduler runs in the coroutine that stops; a switch is
 * made only when another one goes on. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "explore/engine.h"
#include "explore/races.h"
#include "explore/tso.h"

struct execution run = {.who = WHO_ENGINE};
struct rank_chain chains[NR_WHO];
bool explore_peeking;
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

static unsigned int enabled_threads(unsigned int *waiting)
{
	unsigned int enabled = 0;
	unsigned int unfinished = 0;

	*waiting = 0;
	for (unsigned int i = 0; i < MAX_THREADS && i < run.nr_threads; i++) {
		const struct thread *thread = &run.threads[i];

		if (is_done(i))
			continue;
		unfinished |= (unsigned int)!thread->daemon << i;
		if (thread->timed) {
			enabled |= 1u << i;
			if (*thread->flag != thread->want)
				*waiting |= 1u << i;
		} else if (*thread->flag == thread->want) {
			enabled |= 1u << i;
		}
	}
	if (!enabled && unfinished)
		nobody_can_go_on();
	return enabled;
}

/* Threads that need not be chosen here: what follows was explored where they
 * were chosen before, and nothing since has touched what they are about to. */
static void inherit_sleep(struct step *step, const struct step *before)
{
	unsigned int asleep = before->sleep;

	if (!before->nr_values)
		asleep |= before->done;
	asleep &= ~(1u << before->thread);
	while (asleep) {
		const int i = __builtin_ctz(asleep);

		asleep &= asleep - 1;
		if (footprints_clash(&before->asleep[i], &before->footprint))
			continue;
		step->sleep |= (uint8_t)(1u << i);
		step->asleep[i] = before->asleep[i];
	}
}

static struct step *step_new(void)
{
	struct step *step = &steps[run.depth];

	step->todo = step->done = step->sleep = 0;
	step->nr_values = step->value = 0;
	step->enabled = step->waiting = 0;
	step->preemptions = run.depth ? step[-1].preemptions : 0;
	if (run.depth && search.sleep)
		inherit_sleep(step, step - 1);
	return step;
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

static unsigned int choose_thread(const struct step *step, unsigned int among)
{
	unsigned int thread;

	if (search.how == DAX_EXPLORE_RANDOM)
		return nth_bit(among,
			random_below((uint64_t)__builtin_popcount(among)));
	if (search.how == DAX_EXPLORE_PCT)
		return pct_choose(among);
	if (search.how == DAX_EXPLORE_REPLAY && replay_thread(among, &thread))
		return thread;
	/* Nobody times out while others can go on, if there is a choice. */
	if (among & ~step->waiting)
		among &= ~(unsigned int)step->waiting;
	if (step->previous < MAX_THREADS && among >> step->previous & 1)
		return step->previous;
	return (unsigned int)__builtin_ctz(among);
}

bool step_preempts(const struct step *step, unsigned int thread)
{
	return step->previous < MAX_THREADS && thread != step->previous &&
	       (step->enabled & ~step->waiting) >> step->previous & 1;
}

/* The step at run.depth begins. */
static unsigned int step_begin(struct step *step)
{
	struct thread *thread = &run.threads[step->thread];

	if (run.depth + 1 < search.prefix &&
		step->operation != thread->operation) {
		diverged(run.depth, "another operation");
		return WHO_ENGINE;
	}
	step->operation = thread->operation;
	step->site = thread->site;
	step->last = thread->last;
	step->timed = thread->timed;
	if (run.depth)
		step[-1].merged = run.merged;
	/* Perhaps a loop on what nobody else knows. */
	if (run.merged == MAX_MERGED && run.watch_from > run.depth + 1 &&
		search.watch_from != NEVER)
		run.watch_from = run.depth + 1;
	run.merged = 0;
	run.merging = true;
	step->footprint.nr = 0;
	step->footprint.everything = false;
	order_step(run.depth++);
	thread->last = (uint16_t)run.depth;
	run.moment = moment_first(run.depth);
	search.nr_steps++;
	return step->thread;
}

static bool out_of_steps(void)
{
	unsigned int limit = search_max_steps();

	/* What is replayed has a step for each operation. */
	if (search.how == DAX_EXPLORE_REPLAY && limit < replay.nr)
		limit = replay.nr;
	if (run.depth < limit && run.depth < MAX_STEPS - 2)
		return false;
	endless_limit();
	return true;
}

unsigned int schedule_next(unsigned int previous)
{
	unsigned int waiting;
	unsigned int enabled;
	unsigned int among;
	struct step *step;

	if (run.depth < search.prefix)
		return step_begin(&steps[run.depth]);
	enabled = enabled_threads(&waiting);
	if (run.outcome == OUTCOME_BUG)
		return WHO_ENGINE;
	if (!enabled)
		return WHO_BODY;
	if (out_of_steps())
		return WHO_ENGINE;
	step = step_new();
	step->previous = (uint8_t)previous;
	step->enabled = (uint8_t)enabled;
	step->waiting = (uint8_t)waiting;
	among = enabled & ~(unsigned int)step->sleep;
	if (!among) {
		run.outcome = OUTCOME_CUT;
		return WHO_ENGINE;
	}
	step->thread = (uint8_t)choose_thread(step, among);
	if (run.outcome == OUTCOME_DIVERGED)
		return WHO_ENGINE;
	if (!search.races)
		step->todo = (uint8_t)(among & ~(1u << step->thread));
	step->preemptions += step_preempts(step, step->thread);
	return step_begin(step);
}

void schedule_alone(unsigned int who)
{
	struct step *step = step_new();

	step->previous = step->thread = (uint8_t)who;
	step->enabled = (uint8_t)(1u << who);
	step_begin(step);
}

void schedule_point(enum operation operation, uint16_t object,
	const uint8_t *flag, uint8_t want, const struct explore_site *site)
{
	struct thread *me = self();
	unsigned int next;

	me->flag = flag;
	me->want = want;
	me->operation = (uint8_t)operation;
	me->object = object;
	me->site = site;
	if (run.launching)
		next = WHO_BODY;
	else if (run.depth >= search.next_checkpoint ||
		 run.depth >= run.watch_from)
		next = WHO_ENGINE;
	else
		next = schedule_next(run.who);
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

unsigned int schedule_choose(unsigned int nr, const struct explore_site *site)
{
	struct step *step = &steps[run.depth];
	struct thread *me = self();

	if (!in_thread())
		return 0;
	if (search.states)
		return choose_state(nr);
	me->operation = OP_CHOOSE;
	me->site = site;
	if (run.depth < search.prefix) {
		if (step->nr_values != nr || step->thread != run.who)
			diverged(run.depth, "a choice");
	} else if (!out_of_steps()) {
		step = step_new();
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
	run.launching = true;
	run.merging = false;
	run.moment = 0;
	for (unsigned int i = 0; i < run.nr_threads; i++) {
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
		chains[i].depth = 0;
		run.threads[i].rcu_depth = 0;
		run.threads[i].section = NO_SECTION;
		run.threads[i].reading = false;
		run.threads[i].in_callback = false;
		run.state.threads[i].now = 1000000000;
		run.threads[i].last = 0;
		run.threads[i].name = "the body";
	}
	run.nr_threads = 0;
	run.depth = 0;
	run.bug = DAX_EXPLORE_NO_BUG;
	run.outcome = OUTCOME_RUNNING;
	run.launching = false;
	run.last_from = NEVER;
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
		search.next_checkpoint = run.depth + CHECKPOINT_EVERY;
	else
		search.next_checkpoint = UINT32_MAX;
}

/* All threads have ended. What the body does next depends only on the state
 * that they left: once is enough. */
static void end(void)
{
	const uint64_t hash =
		search.checkpoints ? checkpoint_hash(ALL_STACKS) : 0;

	if (search.checkpoints && seen_has(hash)) {
		run.outcome = OUTCOME_GOOD;
		ending_keep();
		return;
	}
	coroutine_switch(WHO_BODY);
	if (search.checkpoints && run.outcome == OUTCOME_GOOD) {
		seen_add(hash);
		ending_keep();
	}
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

void execution_finish(void)
{
	while (run.outcome == OUTCOME_RUNNING) {
		unsigned int next;

		if (run.depth >= run.watch_from && goes_round())
			return;
		if (run.depth >= search.next_checkpoint)
			checkpoint_due();
		ending_repeat();
		if (run.outcome != OUTCOME_RUNNING)
			return;
		next = schedule_next(run.stopped);
		if (next == WHO_BODY)
			end();
		else if (next != WHO_ENGINE)
			coroutine_switch(next);
	}
}

/* ---- states ---- */

void execution_resume(unsigned int who, unsigned int value)
{
	chosen_value = value;
	run.state.choosing = run.state.choice_of = 0;
	run.merged = 0;
	run.merging = who < MAX_THREADS;
	coroutine_switch(who);
}

unsigned int execution_enabled(void)
{
	unsigned int waiting;

	return enabled_threads(&waiting);
}

static void chain_spans(struct spans *spans, unsigned int who)
{
	span_add(spans, &chains[who],
		offsetof(struct rank_chain, held) +
			chains[who].depth * sizeof(chains[who].held[0]));
}

/* Their rank chains; a mask of them. */
static unsigned int live_spans(struct spans *spans)
{
	unsigned int live = 1u << WHO_BODY;

	for (unsigned int i = 0; i < run.nr_threads; i++) {
		if (is_done(i))
			continue;
		live |= 1u << i;
		chain_spans(spans, i);
	}
	return live;
}

void execution_state_spans(struct spans *spans, unsigned int stacks)
{
	span_add(spans, &run.state,
		(size_t)((char *)&run.state.threads[run.nr_threads] -
			 (char *)&run.state));
	coroutine_state_spans(spans, live_spans(spans), stacks);
}

void execution_spans(struct spans *spans)
{
	span_add(spans, &run, offsetof(struct execution, message));
	coroutine_spans(spans, live_spans(spans));
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
	return schedule_choose(nr, NULL);
}

bool dax_explore_slept(unsigned int thread)
{
	return run.state.threads[thread].slept;
}

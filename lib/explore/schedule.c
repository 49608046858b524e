/* SPDX-License-Identifier: BSD-3-Clause */
/* Who runs next. The scheduler runs in the coroutine that stops; a switch is
 * made only when another one goes on. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "explore/engine.h"

struct execution run;
struct step steps[MAX_STEPS];

#define DEFAULT_MAX_STEPS 2000

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

static _Noreturn void over(enum outcome outcome)
{
	run.outcome = outcome;
	coroutine_leave(WHO_ENGINE);
}

static _Noreturn void diverged(unsigned int depth, const char *what)
{
	snprintf(run.message, sizeof(run.message),
		"step %u is not what it was before: %s", depth + 1, what);
	run.outcome = OUTCOME_DIVERGED;
	coroutine_leave(WHO_ENGINE);
}

/* ---- when nobody can go on ---- */

static const char *who_holds(const struct thread *blocked, bool *ended)
{
	const struct sync_lock *lock = objects[blocked->object].address;
	const struct thread *holder = &run.threads[lock->owner];

	*ended = holder->done;
	return holder->name;
}

static int describe_blocked(char *text, size_t size,
	const struct thread *blocked, enum dax_explore_bug *bug)
{
	bool ended;
	const char *holder;

	if (blocked->operation == OP_PARK) {
		*bug = DAX_EXPLORE_LOST_WAKE_UP;
		return snprintf(text, size, "%s (%u) %s since step %u",
			blocked->name,
			(unsigned int)(blocked - run.threads) + 1,
			events_why_asleep(
				(unsigned int)(blocked - run.threads)),
			(unsigned int)blocked->last);
	}
	if (blocked->operation != OP_LOCK)
		return snprintf(
			text, size, "%s waits for RCU readers", blocked->name);
	holder = who_holds(blocked, &ended);
	if (ended && *bug == DAX_EXPLORE_DEADLOCK)
		*bug = DAX_EXPLORE_LEAKED_LOCK;
	return snprintf(text, size, "%s waits for a lock of %s%s",
		blocked->name, holder, ended ? ", which has ended" : "");
}

static void nobody_can_go_on(void)
{
	enum dax_explore_bug bug = DAX_EXPLORE_DEADLOCK;
	char text[200];
	size_t length = 0;

	if (search.races && run.depth >= search.prefix)
		order_blocked();
	for (unsigned int i = 0; i < run.nr_threads; i++) {
		if (run.threads[i].done)
			continue;
		if (length && length < sizeof(text))
			length += (size_t)snprintf(
				text + length, sizeof(text) - length, "; ");
		if (length < sizeof(text))
			length += (size_t)describe_blocked(text + length,
				sizeof(text) - length, &run.threads[i], &bug);
	}
	snprintf(
		run.message, sizeof(run.message), "nobody can go on: %s", text);
	run.bug = bug;
	run.outcome = OUTCOME_BUG;
}

/* ---- choosing ---- */

static unsigned int enabled_threads(unsigned int *waiting)
{
	unsigned int enabled = 0;
	unsigned int unfinished = 0;

	*waiting = 0;
	for (unsigned int i = 0; i < MAX_THREADS && i < run.nr_threads; i++) {
		const struct thread *thread = &run.threads[i];

		if (thread->done)
			continue;
		unfinished |= 1u << i;
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

static uint64_t random_below(uint64_t limit)
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
	if (search.how == DAX_EXPLORE_RANDOM)
		return nth_bit(among,
			random_below((uint64_t)__builtin_popcount(among)));
	if (search.how == DAX_EXPLORE_REPLAY) {
		if (run.depth >= replay.nr)
			diverged(run.depth, "the token ends here");
		if (replay.at[run.depth].choice ||
			!(among >> replay.at[run.depth].thread & 1))
			diverged(run.depth, "the thread cannot go on");
		return replay.at[run.depth].thread;
	}
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
		step->operation != thread->operation)
		diverged(run.depth, "another operation");
	step->operation = thread->operation;
	step->site = thread->site;
	step->last = thread->last;
	step->footprint.nr = 0;
	step->footprint.everything = false;
	order_step(run.depth++);
	thread->last = (uint16_t)run.depth;
	search.nr_steps++;
	return step->thread;
}

static void require_room(void)
{
	const unsigned int limit = search.options->max_steps
					   ? search.options->max_steps
					   : DEFAULT_MAX_STEPS;

	if (run.depth >= limit || run.depth >= MAX_STEPS - 2)
		execution_fail(DAX_EXPLORE_STEP_LIMIT,
			"%u steps, perhaps without end", run.depth);
}

/* The thread to run next. WHO_BODY: all have ended. */
static unsigned int next_thread(unsigned int previous)
{
	unsigned int waiting;
	unsigned int enabled;
	unsigned int among;
	struct step *step;

	if (run.depth < search.prefix)
		return step_begin(&steps[run.depth]);
	enabled = enabled_threads(&waiting);
	if (run.outcome == OUTCOME_BUG)
		coroutine_leave(WHO_ENGINE);
	if (!enabled)
		return WHO_BODY;
	require_room();
	step = step_new();
	step->previous = (uint8_t)previous;
	step->enabled = (uint8_t)enabled;
	step->waiting = (uint8_t)waiting;
	among = enabled & ~(unsigned int)step->sleep;
	if (!among)
		over(OUTCOME_CUT);
	step->thread = (uint8_t)choose_thread(step, among);
	if (!search.races)
		step->todo = (uint8_t)(among & ~(1u << step->thread));
	step->preemptions += step_preempts(step, step->thread);
	return step_begin(step);
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
	if (run.launching) {
		coroutine_switch(WHO_BODY);
		return;
	}
	if (search.states) {
		coroutine_switch(WHO_ENGINE);
		return;
	}
	next = next_thread(run.who);
	if (next != run.who)
		coroutine_switch(next);
}

static unsigned int chosen_value;

/* The engine chooses. */
static unsigned int choose_state(unsigned int nr)
{
	run.choosing = (uint8_t)run.who;
	run.choice_of = (uint8_t)nr;
	coroutine_switch(WHO_ENGINE);
	return chosen_value;
}

static unsigned int choose_value(unsigned int nr)
{
	if (search.how == DAX_EXPLORE_RANDOM)
		return (unsigned int)random_below(nr);
	if (search.how != DAX_EXPLORE_REPLAY)
		return 0;
	if (run.depth >= replay.nr || !replay.at[run.depth].choice ||
		replay.at[run.depth].value >= nr)
		diverged(run.depth, "a choice");
	return replay.at[run.depth].value;
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
	} else {
		require_room();
		step = step_new();
		step->thread = (uint8_t)run.who;
		step->previous = WHO_BODY;
		step->enabled = (uint8_t)(1u << run.who);
		step->nr_values = (uint8_t)nr;
		step->value = (uint8_t)choose_value(nr);
		step->todo = (uint8_t)(((1u << nr) - 1) & ~(1u << step->value));
	}
	step_begin(step);
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
	me->done = true;
	if (run.launching)
		coroutine_leave(WHO_BODY);
	coroutine_leave(search.states ? WHO_ENGINE : next_thread(run.who));
}

static void body_main(void)
{
	coroutine_begin();
	the_scenario->body(the_scenario->context);
	memory_check_end();
	over(OUTCOME_GOOD);
}

/* Every thread runs up to its first operation; nobody can see what it does
 * before that. */
static void launch(void)
{
	run.launching = true;
	for (unsigned int i = 0; i < run.nr_threads; i++) {
		coroutine_make(i, thread_main);
		run.threads[i].flag = &always;
		coroutine_switch(i);
	}
	run.launching = false;
}

void schedule_run_threads(void)
{
	unsigned int first;

	launch();
	if (search.states) {
		coroutine_switch(WHO_ENGINE);
		return;
	}
	first = next_thread(WHO_BODY);
	if (first != WHO_BODY)
		coroutine_switch(first);
}

static void execution_reset(void)
{
	for (unsigned int i = 0; i < NR_WHO; i++) {
		run.threads[i].chain.depth = 0;
		run.threads[i].rcu_depth = 0;
		run.threads[i].now = 1000000000;
		run.threads[i].last = 0;
		run.threads[i].name = "the body";
	}
	run.nr_threads = 0;
	run.depth = 0;
	run.nr_objects = 1;
	run.bug = DAX_EXPLORE_NO_BUG;
	run.outcome = OUTCOME_RUNNING;
	run.launching = false;
	run.choice_of = 0;
	run.message[0] = '\0';
	coroutine_reset();
	memory_reset();
	events_reset();
}

void execution_run(const struct dax_scenario *scenario)
{
	execution_reset();
	the_scenario = scenario;
	run.failures_left = scenario->allocs_fail;
	coroutine_make(WHO_BODY, body_main);
	run.who = WHO_ENGINE;
	coroutine_switch(WHO_BODY);
}

/* ---- states ---- */

void execution_resume(unsigned int who, unsigned int value)
{
	chosen_value = value;
	run.choice_of = 0;
	coroutine_switch(who);
}

unsigned int execution_enabled(void)
{
	unsigned int waiting;

	return enabled_threads(&waiting);
}

static void thread_tape(struct tape *tape, unsigned int who)
{
	struct thread *thread = &run.threads[who];
	struct rank_chain *chain = &thread->chain;

	if (tape->mode == TAPE_HASH)
		tape_bytes(tape, &thread->done, sizeof(thread->done));
	else
		tape_bytes(tape, thread, offsetof(struct thread, chain));
	tape_bytes(tape, &thread->now, sizeof(thread->now));
	tape_bytes(tape, &chain->depth, sizeof(chain->depth));
	tape_bytes(tape, chain->held, chain->depth * sizeof(chain->held[0]));
	coroutine_tape(tape, who, !thread->done || who == WHO_BODY);
}

void execution_tape(struct tape *tape)
{
	tape_bytes(tape, &run.failures_left, sizeof(run.failures_left));
	tape_bytes(tape, &run.choosing, sizeof(run.choosing));
	tape_bytes(tape, &run.choice_of, sizeof(run.choice_of));
	for (unsigned int i = 0; i < run.nr_threads; i++)
		thread_tape(tape, i);
	thread_tape(tape, WHO_BODY);
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
	thread->done = false;
	thread->timed = false;
	thread->slept = 0;
	run.nr_threads++;
}

void dax_explore_run(void)
{
	DAX_REQUIRE(run.who == WHO_BODY && !run.depth);
	schedule_run_threads();
}

unsigned int dax_explore_choose(unsigned int nr)
{
	DAX_REQUIRE(nr && nr <= 8);
	return schedule_choose(nr, NULL);
}

unsigned int dax_explore_slept(unsigned int thread)
{
	return run.threads[thread].slept;
}

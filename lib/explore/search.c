/* SPDX-License-Identifier: BSD-3-Clause */
/* Execution after execution, until nothing is left that differs. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "explore/context.h"
#include "explore/engine.h"
#include "explore/races.h"
#include "explore/step.h"
#include "explore/stuck.h"
#include "explore/tso.h"

struct search search;

/* ---- the next execution ---- */

static bool within_bound(unsigned int preemptions)
{
	return search.bound < 0 || preemptions <= (unsigned int)search.bound;
}

/* Chooses the next of @step->todo. False: none is left. */
static bool step_next(struct step *step)
{
	const unsigned int before = step == steps ? 0 : step[-1].preemptions;

	while (step->todo) {
		const unsigned int next =
			(unsigned int)__builtin_ctz(step->todo);
		unsigned int preemptions = before;

		step->todo &= (uint8_t)(step->todo - 1);
		if (step->nr_values) {
			step->value = (uint8_t)next;
		} else {
			preemptions += step_preempts(step, next);
			if (!within_bound(preemptions))
				continue;
			step->thread = (uint8_t)next;
		}
		step->preemptions = (uint16_t)preemptions;
		return true;
	}
	return false;
}

/* Its thread, and all that follows, has been explored. */
static void step_done(struct step *step)
{
	if (step->nr_values)
		return;
	step->done |= (uint8_t)(1u << step->thread);
	step->asleep[step->thread] = step->footprint;
	step->todo &= (uint8_t) ~(step->done | step->sleep);
}

/* Depth first: the last step that can be another one. */
static bool backtrack(void)
{
	for (unsigned int i = run.depth; i--;) {
		struct step *step = &steps[i];

		if (!step->todo)
			continue;
		step_done(step);
		if (step_next(step)) {
			search.prefix = i + 1;
			search.first_new = i;
			return true;
		}
	}
	return false;
}

/* ---- searching ---- */

#define DEFAULT_STEPS 2000

static uint64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void execution_run(const struct dax_scenario *scenario)
{
	execution_begin(scenario);
	execution_finish();
}

/* Can what tells two states apart be read, and copied? */
static bool world_is_known(void)
{
	return CONTEXT_MOVABLE && search.scenario->snapshots;
}

/* Seldom does one have half the steps that it may have. */
static unsigned int watch_from(enum dax_explore_how how)
{
	if (!world_is_known() || races_on || tso_on)
		return NEVER;
	if (how == DAX_EXPLORE_REPLAY)
		return replay.for_ever ? 0 : NEVER;
	return search.max_steps / 2;
}

/* Runs the execution in steps[] again, now with a step for each operation, or
 * one like it that is simpler, and writes down what it does. */
static void record(
	const struct dax_scenario *scenario, struct dax_explore_report *report)
{
	const struct search before = search;
	const enum dax_explore_bug bug = run.bug;
	char was[sizeof(run.message) / 2];

	snprintf(was, sizeof(was), "%.120s", run.message);
	memcpy(report->message, run.message, sizeof(report->message));
	report->bug = bug;
	if (search.how == DAX_EXPLORE_REPLAY)
		replay_differs();
	if (!replay_take()) {
		snprintf(report->message, sizeof(report->message),
			"%.900s (too long to be written down)", run.message);
		return;
	}
	objects_reset(true);
	search.how = DAX_EXPLORE_REPLAY;
	search.prefix = search.first_new = 0;
	search.next_checkpoint = NEVER;
	replay.for_ever = bug == DAX_EXPLORE_LIVELOCK;
	search.watch_from = watch_from(search.how);
	search.races = search.sleep = search.twins = search.states = false;
	search.checkpoints = search.rests = false;
	/* One without an operation costs its time each time it is tried. */
	if (before.how != DAX_EXPLORE_REPLAY && !replay.for_ever &&
		!stuck_found())
		shrink(scenario, bug);
	replay_begin();
	explore_recording = true;
	execution_run(scenario);
	explore_recording = false;
	report->preemptions = run.depth ? steps[run.depth - 1].preemptions : 0;
	report->token = token_write();
	report->table = events_table(search.options->steps);
	/* Says more now that it knows the notes. */
	memcpy(report->message, run.message, sizeof(report->message));
	/* Clocks may judge memory that in the state was not used yet. */
	if (before.states && run.bug == DAX_EXPLORE_USE_AFTER_FREE) {
		report->bug = run.bug;
	} else if (run.bug != bug) {
		report->verdict = DAX_EXPLORE_NONDETERMINISTIC;
		snprintf(report->message, sizeof(report->message),
			"%s the first time, %s the second", was,
			dax_explore_bug_name(run.bug));
	}
	search = before;
}

static void count(const struct dax_scenario *scenario,
	struct dax_explore_report *report, uint64_t start_ns)
{
	if (run.depth > report->longest)
		report->longest = run.depth;
	if (run.outcome == OUTCOME_CUT) {
		report->cut++;
		return;
	}
	report->executions++;
	report->average += run.depth; /* the sum, as yet */
	if (run.outcome != OUTCOME_BUG || report->bugs++)
		return;
	report->verdict = DAX_EXPLORE_BUG;
	report->first_bug = report->executions;
	report->first_bug_ns = clock_ns() - start_ns;
	if (!search.options->keep_going)
		record(scenario, report);
}

#define REPEAT_EVERY 1024

/* Does the scenario do the same when it is run again? */
static bool repeats(const struct dax_scenario *scenario)
{
	const struct search before = search;
	const enum outcome outcome = run.outcome;
	const unsigned int depth = run.depth;
	const uint32_t checksum = token_checksum();
	bool same;

	search.prefix = search.first_new = depth;
	search.next_checkpoint = NEVER;
	search.races = false;
	execution_run(scenario);
	search = before;
	same = run.outcome == outcome && run.depth == depth &&
	       token_checksum() == checksum;
	if (!same && run.outcome != OUTCOME_DIVERGED)
		snprintf(run.message, sizeof(run.message),
			"the same interleaving takes %u steps, then %u", depth,
			run.depth);
	return same;
}

static bool over_limits(
	const struct dax_explore_report *report, uint64_t start_ns)
{
	const struct dax_explore_options *options = search.options;
	const uint64_t done = report->executions + report->cut;

	if (search.limit && done >= search.limit)
		return true;
	/* Reading the clock costs as much as a short execution. */
	return options->max_ns && !(done % 256) &&
	       clock_ns() - start_ns >= options->max_ns;
}

#define MAX_STARTS 1000

/* At its first execution, or state. */
static void search_start(struct dax_explore_report *report)
{
	search.prefix = search.first_new = 0;
	search.found_shared = false;
	search.next_checkpoint =
		search.checkpoints || search.states ? 0 : NEVER;
	checkpoints_reset();
	seen_reset();
	rests_reset();
	report->verdict = DAX_EXPLORE_CLEAN_WITHIN;
	report->executions = report->cut = report->states = report->bugs = 0;
	report->average = 0;
}

/* What was taken for private is shared: all that was done is void (E5). */
static void start_again(struct dax_explore_report *report)
{
	/* Addresses that are new each time: take all for shared. */
	if (++search.starts == MAX_STARTS) {
		objects_reset(true);
		search.checkpoints = search.rests = false;
	}
	search_start(report);
}

static bool go_on(const struct dax_scenario *scenario,
	struct dax_explore_report *report, uint64_t start_ns)
{
	if (search.found_shared) {
		start_again(report);
		return true;
	}
	if (run.outcome == OUTCOME_DIVERGED) {
		report->verdict = DAX_EXPLORE_NONDETERMINISTIC;
		memcpy(report->message, run.message, sizeof(run.message));
		return false;
	}
	if (run.outcome == OUTCOME_GOOD &&
		report->executions % REPEAT_EVERY == 1 && !repeats(scenario)) {
		report->verdict = DAX_EXPLORE_NONDETERMINISTIC;
		memcpy(report->message, run.message, sizeof(run.message));
		return false;
	}
	if (report->verdict == DAX_EXPLORE_NONDETERMINISTIC ||
		(report->bugs && !search.options->keep_going) ||
		search.how == DAX_EXPLORE_REPLAY)
		return false;
	if (search.how == DAX_EXPLORE_RANDOM || search.how == DAX_EXPLORE_PCT) {
		search.prefix = search.first_new = 0;
	} else if (!backtrack()) {
		if (!report->bugs && search.bound < 0)
			report->verdict = DAX_EXPLORE_PROVED;
		return false;
	}
	return !over_limits(report, start_ns);
}

static void search_begin(enum dax_explore_how how, int bound, uint64_t limit)
{
	search.how = how;
	search.bound = bound;
	search.limit = limit;
	search.races = how == DAX_EXPLORE_ALL;
	search.sleep = search.races || how == DAX_EXPLORE_SLEEP_SETS;
	search.states = how == DAX_EXPLORE_STATES;
	search.checkpoints = how != DAX_EXPLORE_REPLAY && !search.states &&
			     !races_on && !tso_on && world_is_known();
	search.rests = search.checkpoints && how != DAX_EXPLORE_RANDOM &&
		       how != DAX_EXPLORE_PCT;
	/* A replay does not start again. */
	search.frees |= how == DAX_EXPLORE_REPLAY;
	search.twins = search.scenario->interchangeable && !races_on &&
		       !tso_on && (search.sleep || search.states);
	search.watch_from = watch_from(how);
	pct_setup(search.options->depth);
	search.random = (search.options->seed ^ 0x9e3779b97f4a7c15u) | 1;
}

/* What is repeated of the one before is not run again when it was kept. */
static void execution_next(const struct dax_scenario *scenario)
{
	if (rest_branch())
		return;
	if (!search.checkpoints ||
		!checkpoint_go_back(search.first_new, BACK_WORLD))
		execution_begin(scenario);
	else
		search.next_checkpoint = checkpoint_next();
	execution_finish();
}

/* To find out what is shared before it costs much (E5), until some in a row
 * have found nothing. Bugs are left for the search. */
#define PROBES	     32
#define PROBES_QUIET 6

static void probe(const struct dax_scenario *scenario)
{
	const struct search before = search;
	struct search found;
	unsigned int quiet = 0;

	search.how = DAX_EXPLORE_RANDOM;
	search.races = search.sleep = search.twins = false;
	search.checkpoints = search.rests = false;
	search.next_checkpoint = NEVER;
	search.prefix = search.first_new = 0;
	for (unsigned int i = 0; i < PROBES && quiet < PROBES_QUIET; i++) {
		search.found_shared = false;
		execution_run(scenario);
		quiet = search.found_shared ? 0 : quiet + 1;
	}
	found = search;
	search = before;
	search.frees = found.frees;
	search.rcu_steps = found.rcu_steps;
}

static void explore(const struct dax_scenario *scenario,
	struct dax_explore_report *report, uint64_t start_ns)
{
	const uint64_t begun_ns = clock_ns();

	if (search.races)
		probe(scenario);
	search_start(report);
	do {
		execution_next(scenario);
		if (run.outcome != OUTCOME_DIVERGED && !search.found_shared)
			count(scenario, report, start_ns);
	} while (go_on(scenario, report, start_ns));
	if (report->executions)
		report->average /= (double)report->executions;
	report->search_ns = clock_ns() - begun_ns;
}

static bool can_search_states(void)
{
	return world_is_known() && !search.options->races;
}

static void explore_states(const struct dax_scenario *scenario,
	struct dax_explore_report *report, uint64_t start_ns)
{
	const uint64_t begun_ns = clock_ns();
	bool complete;

	search_start(report);
	if (!can_search_states())
		return;
	complete = states_explore(scenario, search.limit);
	while (search.found_shared) {
		start_again(report);
		complete = states_explore(scenario, search.limit);
	}
	report->states = seen_count();
	report->search_ns = clock_ns() - begun_ns;
	if (run.outcome == OUTCOME_BUG) {
		report->verdict = DAX_EXPLORE_BUG;
		report->bugs = 1;
		report->first_bug_ns = clock_ns() - start_ns;
		record(scenario, report);
	} else if (complete) {
		report->verdict = DAX_EXPLORE_PROVED;
	}
}

/* Executions tried with each number of preemptions before a proof, and at
 * random after none. */
#define AUTO_EXECUTIONS 4000
#define AUTO_BOUND	2
#define AUTO_FIRST	16000
#define AUTO_ALL	1000000
#define AUTO_STATES	3 /* a state costs a third of an execution */

/* Looks at random into what was too much to see it all. */
static void sample(const struct dax_scenario *scenario,
	struct dax_explore_report *report, uint64_t start_ns)
{
	const struct dax_explore_report before = *report;

	search_begin(DAX_EXPLORE_PCT, -1, AUTO_EXECUTIONS);
	explore(scenario, report, start_ns);
	if (report->verdict == DAX_EXPLORE_CLEAN_WITHIN) {
		search_begin(DAX_EXPLORE_RANDOM, -1, AUTO_EXECUTIONS);
		explore(scenario, report, start_ns);
	}
	if (report->verdict != DAX_EXPLORE_CLEAN_WITHIN)
		return;
	report->executions = before.executions;
	report->cut = before.cut;
	report->states = before.states;
	report->search_ns = before.search_ns;
}

static void explore_simplest(const struct dax_scenario *scenario,
	struct dax_explore_report *report, uint64_t start_ns)
{
	report->verdict = DAX_EXPLORE_CLEAN_WITHIN;
	for (int bound = 0; bound <= AUTO_BOUND &&
			    report->verdict == DAX_EXPLORE_CLEAN_WITHIN;
		bound++) {
		search_begin(DAX_EXPLORE_EVERY, bound, AUTO_EXECUTIONS);
		explore(scenario, report, start_ns);
	}
}

/* One execution of each kind, or each state, whichever is over sooner: nobody
 * knows before. So by turns, each time for longer. */
static void explore_all(const struct dax_scenario *scenario, uint64_t limit,
	struct dax_explore_report *report, uint64_t start_ns)
{
	const bool states = can_search_states();

	for (uint64_t turn = states ? AUTO_FIRST : limit;; turn *= 4) {
		if (turn > limit)
			turn = limit;
		search_begin(DAX_EXPLORE_ALL, -1, turn);
		explore(scenario, report, start_ns);
		if (report->verdict == DAX_EXPLORE_CLEAN_WITHIN && states) {
			search_begin(
				DAX_EXPLORE_STATES, -1, AUTO_STATES * turn);
			explore_states(scenario, report, start_ns);
		}
		if (report->verdict != DAX_EXPLORE_CLEAN_WITHIN ||
			turn == limit)
			return;
	}
}

static void explore_automatically(const struct dax_scenario *scenario,
	struct dax_explore_report *report, uint64_t start_ns)
{
	const uint64_t limit = search.options->max_executions
				       ? search.options->max_executions
				       : AUTO_ALL;

	explore_simplest(scenario, report, start_ns);
	if (report->verdict == DAX_EXPLORE_CLEAN_WITHIN)
		explore_all(scenario, limit, report, start_ns);
	if (report->verdict == DAX_EXPLORE_CLEAN_WITHIN)
		sample(scenario, report, start_ns);
}

static void judge(struct dax_explore_report *report)
{
	const char *never = sometimes_never();

	if (report->verdict == DAX_EXPLORE_CLEAN_WITHIN) {
		if (search.bound >= 0)
			snprintf(report->message, sizeof(report->message),
				"up to %d preemptions", search.bound);
		else if (search.states && !can_search_states())
			snprintf(report->message, sizeof(report->message),
				"states want .snapshots, no search for races, "
				"and no AddressSanitizer");
		else
			snprintf(report->message, sizeof(report->message),
				"not all interleavings were seen");
	}

	if (report->verdict == DAX_EXPLORE_PROVED && never) {
		report->verdict = DAX_EXPLORE_VACUOUS;
		snprintf(report->message, sizeof(report->message),
			"never \"%s\"", never);
	}
	if (search.how == DAX_EXPLORE_REPLAY)
		replay_judge(report);
}

static void explore_replay(const struct dax_scenario *scenario,
	struct dax_explore_report *report, uint64_t start_ns)
{
	/* Known from the first step on, as when the token was written. */
	search.rcu_steps = replay_has(OP_RCU_ENTER) ||
			   replay_has(OP_RCU_CALL) ||
			   replay_has(OP_RCU_BARRIER);
	for (unsigned int n = 0; replay_vary(search.options->replay, n); n++) {
		search_begin(DAX_EXPLORE_REPLAY, -1, 0);
		explore(scenario, report, start_ns);
		if (report->bugs || !replay_differs())
			break;
	}
}

static void explore_as_asked(
	const struct dax_scenario *scenario, struct dax_explore_report *report)
{
	const struct dax_explore_options *options = search.options;
	const bool bounded = options->how == DAX_EXPLORE_EVERY;
	const uint64_t start_ns = clock_ns();

	if (options->how == DAX_EXPLORE_AUTO) {
		explore_automatically(scenario, report, start_ns);
	} else if (options->how == DAX_EXPLORE_REPLAY) {
		explore_replay(scenario, report, start_ns);
	} else {
		search_begin(options->how, bounded ? options->preemptions : -1,
			options->max_executions);
		if (options->how == DAX_EXPLORE_STATES)
			explore_states(scenario, report, start_ns);
		else
			explore(scenario, report, start_ns);
	}
	judge(report);
	report->steps = search.nr_steps;
	report->elapsed_ns = clock_ns() - start_ns;
}

static unsigned int max_steps(const struct dax_explore_options *options)
{
	const unsigned int asked =
		options->max_steps ? options->max_steps : DEFAULT_STEPS;

	return asked < MAX_STEPS - 2 ? asked : MAX_STEPS - 2;
}

int dax_explore(const struct dax_scenario *scenario,
	const struct dax_explore_options *options,
	struct dax_explore_report *report)
{
	static const struct dax_explore_options defaults;

	memset(report, 0, sizeof(*report));
	memset(&search, 0, sizeof(search));
	search.options = options ? options : &defaults;
	search.scenario = scenario;
	search.max_steps = max_steps(search.options);
	sometimes_reset();
	objects_reset(search.options->how == DAX_EXPLORE_REPLAY ||
		      search.options->tso);
	if (search.options->how == DAX_EXPLORE_REPLAY &&
		(!search.options->replay ||
			token_read(search.options->replay, &replay)))
		return -EINVAL;
	memory_setup();
	pages_get();
	races_setup(search.options->races && !search.options->tso &&
		    search.options->how != DAX_EXPLORE_STATES);
	tso_setup(search.options->tso);
	crashes_catch();
	stuck_begin(search.options->max_pause_ns);
	explore_as_asked(scenario, report);
	stuck_end();
	crashes_release();
	memory_forget_statics();
	seen_reset();
	races_setup(false);
	tso_setup(false);
	return 0;
}

void dax_explore_report_free(struct dax_explore_report *report)
{
	free(report->table);
	free(report->token);
	report->table = NULL;
	report->token = NULL;
}

/* ---- names ---- */

const char *dax_explore_verdict_name(enum dax_explore_verdict verdict)
{
	static const char *const names[] = {
		[DAX_EXPLORE_PROVED] = "PROVED",
		[DAX_EXPLORE_CLEAN_WITHIN] = "CLEAN_WITHIN",
		[DAX_EXPLORE_BUG] = "BUG",
		[DAX_EXPLORE_NONDETERMINISTIC] = "NONDETERMINISTIC",
		[DAX_EXPLORE_VACUOUS] = "VACUOUS",
	};

	return names[verdict];
}

const char *dax_explore_bug_name(enum dax_explore_bug bug)
{
	static const char *const names[] = {
		[DAX_EXPLORE_NO_BUG] = "none",
		[DAX_EXPLORE_LOST_WAKE_UP] = "LOST WAKE-UP",
		[DAX_EXPLORE_DEADLOCK] = "DEADLOCK",
		[DAX_EXPLORE_LEAKED_LOCK] = "LEAKED LOCK",
		[DAX_EXPLORE_MISUSED_LOCK] = "MISUSED LOCK",
		[DAX_EXPLORE_FAILED_CHECK] = "FAILED CHECK",
		[DAX_EXPLORE_FAILED_ASSERTION] = "FAILED ASSERTION",
		[DAX_EXPLORE_USE_AFTER_FREE] = "USE AFTER FREE",
		[DAX_EXPLORE_BAD_FREE] = "BAD FREE",
		[DAX_EXPLORE_LEAK] = "LEAK",
		[DAX_EXPLORE_CRASH] = "CRASH",
		[DAX_EXPLORE_STEP_LIMIT] = "STEP LIMIT",
		[DAX_EXPLORE_DATA_RACE] = "DATA RACE",
		[DAX_EXPLORE_LIVELOCK] = "LIVELOCK",
	};

	return names[bug];
}

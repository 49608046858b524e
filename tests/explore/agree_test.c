/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The ways to search agree: on small programs made at random, all of them find
 * a bug where each interleaving is looked at and one has a bug, and else come
 * to the same outcomes. What they leave out is what they take for equivalent,
 * or for seen; a footprint that lacks an access shows here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/sync.h"
#include "daxlock/explore.h"
#include "explore/expect.h"

#define NR_WORDS    2
#define MAX_ACTORS  3
#define MAX_ACTIONS 3
#define CLOSED	    ((uint64_t)1 << 63)

/* ---- programs ---- */

struct act;

struct action {
	const struct act *kind;
	uint8_t word;
	uint8_t value;
	uint8_t other; /* thread */
};

static struct program {
	unsigned int nr_threads;
	unsigned int nr_actions; /* of each thread */
	bool alike;		 /* all threads do the same */
	uint8_t unparked;	 /* threads, before they begin */
	struct action actions[MAX_ACTORS][MAX_ACTIONS];
} program;

struct node {
	struct sync_u64 word;
	struct sync_rcu_head head;
};

static struct sync_u64 words[NR_WORDS];
static struct sync_u64 link;
static struct sync_lock lock;
static struct sync_parker parkers[MAX_ACTORS];
/* What each has seen; of threads that are alike, how many have seen that. */
static struct sync_u64 results[MAX_ACTORS];
static struct sync_u64 tallies[8];

/* ---- what threads do; each returns what it has seen ---- */

static uint64_t act_load(const struct action *action, long me)
{
	(void)me;
	return sync_load(&words[action->word], memory_order_relaxed);
}

static uint64_t act_store(const struct action *action, long me)
{
	(void)me;
	sync_store(&words[action->word], action->value, memory_order_relaxed);
	return 0;
}

static uint64_t act_cas(const struct action *action, long me)
{
	uint64_t expected = 0;

	(void)me;
	return sync_cas(&words[action->word], &expected, action->value,
		memory_order_acq_rel);
}

static uint64_t act_swap(const struct action *action, long me)
{
	(void)me;
	return sync_swap(
		&words[action->word], action->value, memory_order_acq_rel);
}

static uint64_t act_or(const struct action *action, long me)
{
	(void)me;
	return sync_or(
		&words[action->word], action->value, memory_order_acq_rel);
}

static uint64_t act_count(const struct action *action, long me)
{
	(void)me;
	sync_count(&words[action->word], action->value);
	return 0;
}

static uint64_t act_reserve(const struct action *action, long me)
{
	(void)me;
	return sync_reserve(&words[action->word], CLOSED, memory_order_acq_rel);
}

static uint64_t act_close(const struct action *action, long me)
{
	(void)me;
	return sync_or(&words[action->word], CLOSED, memory_order_acq_rel);
}

static uint64_t act_locked(const struct action *action, long me)
{
	uint64_t before;

	(void)me;
	sync_lock_acquire(&lock);
	before = sync_load(&words[action->word], memory_order_relaxed);
	sync_store(&words[action->word], before + 1, memory_order_relaxed);
	sync_lock_release(&lock);
	return before;
}

static uint64_t act_park(const struct action *action, long me)
{
	(void)action;
	return sync_park(&parkers[me], SYNC_FOREVER);
}

static uint64_t act_park_timed(const struct action *action, long me)
{
	(void)action;
	return sync_park(&parkers[me], sync_now() + 1);
}

static uint64_t act_unpark(const struct action *action, long me)
{
	(void)me;
	sync_unpark(&parkers[action->other]);
	return 0;
}

static uint64_t act_forget(const struct action *action, long me)
{
	(void)action;
	sync_parker_init(&parkers[me]);
	return 0;
}

static uint64_t act_choose(const struct action *action, long me)
{
	(void)me;
	sync_store(&words[action->word], dax_explore_choose(2),
		memory_order_relaxed);
	return 0;
}

static uint64_t act_check(const struct action *action, long me)
{
	dax_explore_check(act_load(action, me) != 2, "it is not 2");
	return 0;
}

static uint64_t act_read(const struct action *action, long me)
{
	struct node *node;
	uint64_t value = 0;

	(void)action;
	(void)me;
	sync_rcu_enter();
	node = (struct node *)(uintptr_t)sync_load(&link, memory_order_acquire);
	if (node)
		value = sync_load(&node->word, memory_order_relaxed);
	sync_rcu_leave();
	return value;
}

static void node_free(struct sync_rcu_head *head)
{
	sync_free((char *)head - offsetof(struct node, head));
}

static uint64_t act_remove(const struct action *action, long me)
{
	struct node *node = (struct node *)(uintptr_t)sync_swap(
		&link, 0, memory_order_acq_rel);

	(void)me;
	if (!node)
		return 0;
	if (action->value == 1)
		sync_free(node);
	else
		sync_rcu_call(&node->head, node_free);
	return 1;
}

static uint64_t act_call(const struct action *action, long me)
{
	struct node *node = sync_alloc(sizeof(*node), 16);

	(void)action;
	(void)me;
	sync_rcu_call(&node->head, node_free);
	return 0;
}

/* Some are more frequent. */
static const struct act {
	const char *name;
	uint64_t (*function)(const struct action *action, long me);
} acts[] = {
	{"load", act_load},
	{"load", act_load},
	{"store", act_store},
	{"store", act_store},
	{"cas", act_cas},
	{"swap", act_swap},
	{"or", act_or},
	{"count", act_count},
	{"reserve", act_reserve},
	{"close", act_close},
	{"locked", act_locked},
	{"choose", act_choose},
	{"check", act_check},
	{"read", act_read},
	{"remove", act_remove},
	{"call", act_call},
	/* Those that know who they are. */
	{"unpark", act_unpark},
	{"unpark", act_unpark},
	{"unpark", act_unpark},
	{"park", act_park},
	{"park_timed", act_park_timed},
	{"park_timed", act_park_timed},
	{"forget", act_forget},
};

#define NR_ACTS	 (sizeof(acts) / sizeof(acts[0]))
#define NR_ALIKE 16

static void perform(void *unused, long me)
{
	uint64_t seen = 0;

	(void)unused;
	for (unsigned int i = 0; i < program.nr_actions; i++) {
		const struct action *action = &program.actions[me][i];

		seen = seen * 4 + (action->kind->function(action, me) & 3);
	}
	if (program.alike)
		sync_count(&tallies[seen % 8], 1);
	else
		sync_store(&results[me], seen, memory_order_relaxed);
}

/* ---- outcomes ---- */

#define MAX_OUTCOMES 4096

static struct outcomes {
	unsigned int nr;
	uint64_t at[MAX_OUTCOMES];
} * outcomes;

static void outcome_add(uint64_t outcome)
{
	for (unsigned int i = 0; i < outcomes->nr; i++)
		if (outcomes->at[i] == outcome)
			return;
	if (outcomes->nr < MAX_OUTCOMES)
		outcomes->at[outcomes->nr++] = outcome;
}

static uint64_t mix(uint64_t hash, const struct sync_u64 *word, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		hash ^= sync_load(&word[i], memory_order_relaxed);
		hash *= 0x9e3779b97f4a7c15u;
		hash ^= hash >> 32;
	}
	return hash;
}

static void body(void *unused)
{
	struct node *node = sync_alloc(sizeof(*node), 16);
	uint64_t outcome;

	(void)unused;
	sync_lock_init(&lock, RANK_LEAF);
	sync_store(&node->word, 3, memory_order_relaxed);
	sync_store(&link, (uintptr_t)node, memory_order_relaxed);
	for (unsigned int i = 0; i < program.nr_threads; i++)
		dax_explore_thread(
			"t", perform, NULL, program.alike ? 0 : (long)i);
	for (unsigned int i = 0; i < program.nr_threads; i++)
		if (program.unparked >> i & 1)
			sync_unpark(&parkers[i]);
	dax_explore_run();
	node = (struct node *)(uintptr_t)sync_load(&link, memory_order_relaxed);
	outcome = mix(node != NULL, words, NR_WORDS);
	outcome = mix(outcome, results, MAX_ACTORS);
	outcome_add(mix(outcome, tallies, 8));
	sync_free(node);
}

/* ---- making programs ---- */

static uint64_t random_state;

static unsigned int below(unsigned int limit)
{
	random_state =
		random_state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned int)(random_state >> 33) % limit;
}

static struct action action_make(void)
{
	return (struct action){
		.kind = &acts[below(program.alike ? NR_ALIKE : NR_ACTS)],
		.word = (uint8_t)below(NR_WORDS),
		.value = (uint8_t)(1 + below(2)),
		.other = (uint8_t)below(program.nr_threads),
	};
}

static void program_make(uint64_t seed, bool alike)
{
	random_state = seed;
	program.alike = alike;
	program.nr_threads = 2 + below(2);
	program.nr_actions = program.nr_threads == 2 ? 2 + below(2) : 2;
	program.unparked = (uint8_t)(below(4) ? 0 : below(8));
	for (unsigned int t = 0; t < program.nr_threads; t++)
		for (unsigned int i = 0; i < program.nr_actions; i++)
			program.actions[t][i] = action_make();
}

/* ---- comparing ---- */

#define LIMIT 300000

static struct dax_explore_report explore_program(
	enum dax_explore_how how, bool interchangeable, struct outcomes *to)
{
	const struct dax_scenario scenario = {.name = "program",
		.body = body,
		.snapshots = true,
		.interchangeable = interchangeable};
	const struct dax_explore_options options = {
		.how = how, .preemptions = -1, .max_executions = LIMIT};
	struct dax_explore_report report;

	to->nr = 0;
	outcomes = to;
	assert_int_equal(dax_explore(&scenario, &options, &report), 0);
	return report;
}

static void program_print(uint64_t seed, const char *message)
{
	print_error("program %u: %s\n", (unsigned int)seed, message);
	for (unsigned int t = 0; t < program.nr_threads; t++) {
		for (unsigned int i = 0; i < program.nr_actions; i++) {
			const struct action *action = &program.actions[t][i];

			print_error("%s(%u, %u, %u); ", action->kind->name,
				action->word, action->value, action->other);
		}
		print_error("\n");
	}
}

static bool agrees(enum dax_explore_how how, bool interchangeable,
	enum dax_explore_verdict verdict, const struct outcomes *all)
{
	static struct outcomes those;
	static uint64_t executions;
	struct dax_explore_report report =
		explore_program(how, interchangeable, &those);
	const bool searched =
		how != DAX_EXPLORE_STATES || states_are_searched(&report);

	dax_explore_report_free(&report);
	/* ALL looks at some at random first, whose outcomes are here, too. */
	if (how == DAX_EXPLORE_ALL)
		executions = report.executions;
	else if (how == DAX_EXPLORE_SLEEP_SETS &&
		 verdict == DAX_EXPLORE_PROVED &&
		 executions != report.executions)
		return false;
	return !searched ||
	       (report.verdict == verdict &&
		       (verdict == DAX_EXPLORE_BUG || those.nr == all->nr));
}

static bool all_agree(uint64_t seed)
{
	static const enum dax_explore_how hows[] = {
		DAX_EXPLORE_ALL, DAX_EXPLORE_SLEEP_SETS, DAX_EXPLORE_STATES};
	static struct outcomes all;
	struct dax_explore_report report =
		explore_program(DAX_EXPLORE_EVERY, false, &all);
	bool agree = report.verdict == DAX_EXPLORE_PROVED ||
		     report.verdict == DAX_EXPLORE_BUG;

	for (unsigned int i = 0; agree && i < 6; i++)
		agree = (i >= 3 && !program.alike) ||
			agrees(hows[i % 3], i >= 3, report.verdict, &all);
	if (!agree)
		program_print(seed, report.message);
	dax_explore_report_free(&report);
	return agree;
}

static void programs_agree(uint64_t nr, bool alike)
{
	unsigned int disagree = 0;

	for (uint64_t seed = 1; seed <= nr && disagree < 5; seed++) {
		program_make(seed, alike);
		disagree += !all_agree(seed);
	}
	assert_int_equal(disagree, 0);
}

static void on_programs_made_at_random(void **state)
{
	(void)state;
	programs_agree(4000, false);
}

static void on_threads_that_are_alike(void **state)
{
	(void)state;
	programs_agree(1000, true);
}

/* ---- what random programs seldom meet ---- */

static const struct act *the_act(const char *name)
{
	unsigned int i = 0;

	while (strcmp(acts[i].name, name))
		i++;
	return &acts[i];
}

static void two_threads(const char *const *first, const char *const *second)
{
	memset(&program, 0, sizeof(program));
	program.nr_threads = 2;
	program.nr_actions = 3;
	for (unsigned int i = 0; i < 3; i++) {
		program.actions[0][i].kind = the_act(first[i]);
		program.actions[0][i].other = 1;
		program.actions[1][i].kind = the_act(second[i]);
	}
}

/* The second comes before the park, or leaves its token to the next. */
static void on_two_unparks_by_one_thread(void **state)
{
	(void)state;
	two_threads((const char *[]){"unpark", "unpark", "load"},
		(const char *[]){"park", "park_timed", "load"});
	assert_true(all_agree(0));
}

static void on_an_unpark_when_the_body_has_unparked(void **state)
{
	(void)state;
	two_threads((const char *[]){"unpark", "load", "load"},
		(const char *[]){"load", "park", "park_timed"});
	program.unparked = 1 << 1;
	assert_true(all_agree(0));
}

/* Between a store and the park: the unpark is forgotten. */
static void on_an_unpark_that_is_forgotten(void **state)
{
	(void)state;
	two_threads((const char *[]){"unpark", "load", "load"},
		(const char *[]){"store", "forget", "park"});
	assert_true(all_agree(0));
	two_threads((const char *[]){"unpark", "load", "load"},
		(const char *[]){"store", "forget", "park_timed"});
	assert_true(all_agree(0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(on_two_unparks_by_one_thread),
		cmocka_unit_test(on_an_unpark_when_the_body_has_unparked),
		cmocka_unit_test(on_an_unpark_that_is_forgotten),
		cmocka_unit_test(on_programs_made_at_random),
		cmocka_unit_test(on_threads_that_are_alike),
	};

	return cmocka_run_group_tests_name(
		"the ways to search agree", tests, NULL, NULL);
}

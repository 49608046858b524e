/* SPDX-License-Identifier: BSD-3-Clause */
/* Total store order: each litmus test has exactly the outcomes that it has on
 * x86, by every way to search; and a lock that only it breaks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/sync.h"
#include "daxlock/explore.h"
#include "explore/context.h"
#include "explore/operations.h"
#include "explore/scenarios.h"

#define RELAXED memory_order_relaxed
#define SEQ_CST memory_order_seq_cst

/*
 * ---- litmus tests ----
 *
 * A program is of x=1, a store; x!1, a sequentially consistent one; x~1, a
 * swap; x?, a load into the thread's next register; and barriers: full, light,
 * heavy, and after, that after a swap.
 */

#define LITMUS_THREADS 4

struct litmus {
	const char *name;
	const char *programs[LITMUS_THREADS];
	/* Registers in order of threads, then x and y: with sequential
	 * consistency, and what total store order adds. */
	const char *always;
	const char *with_tso;
};

static struct sync_u64 x, y;
static const struct litmus *litmus;
static char registers[LITMUS_THREADS][4];
static char outcomes[256];

static void execute_barrier(char kind)
{
	if (kind == 'f')
		sync_barrier();
	else if (kind == 'h')
		sync_barrier_heavy();
	else if (kind == 'a')
		sync_barrier_after_rmw();
	else
		sync_barrier_light();
}

static void execute(const char *at, char **next)
{
	struct sync_u64 *word = *at == 'x' ? &x : &y;
	const uint64_t value = (uint64_t)(at[2] - '0');

	switch (at[1]) {
	case '=':
		sync_store(word, value, RELAXED);
		break;
	case '!':
		sync_store(word, value, SEQ_CST);
		break;
	case '~':
		sync_swap(word, value, RELAXED);
		break;
	case '?':
		*(*next)++ = (char)('0' + sync_load(word, RELAXED));
		break;
	default:
		execute_barrier(*at);
		break;
	}
}

static void run_program(void *unused, long thread)
{
	const char *at = litmus->programs[thread];
	char *next = registers[thread];

	(void)unused;
	while (*at) {
		execute(at, &next);
		at += strcspn(at, " ");
		at += strspn(at, " ");
	}
	*next = '\0';
}

static void outcome_add(const char *outcome)
{
	if (strstr(outcomes, outcome))
		return;
	strcat(strcat(outcomes, outcome), " ");
}

static void litmus_body(void *unused)
{
	char outcome[LITMUS_THREADS * 4 + 4] = "";

	(void)unused;
	for (long i = 0; i < LITMUS_THREADS; i++)
		if (litmus->programs[i])
			dax_explore_thread("thread", run_program, NULL, i);
	dax_explore_run();
	for (long i = 0; i < LITMUS_THREADS; i++)
		if (litmus->programs[i])
			strcat(outcome, registers[i]);
	sprintf(outcome + strlen(outcome), "/%u%u",
		(unsigned int)sync_load(&x, RELAXED),
		(unsigned int)sync_load(&y, RELAXED));
	outcome_add(outcome);
}

static const struct litmus tests_of_litmus[] = {
	{"SB", {"x=1 y?", "y=1 x?"}, "01/11 10/11 11/11", "00/11"},
	{"SB, full", {"x=1 full y?", "y=1 full x?"}, "01/11 10/11 11/11", ""},
	{"SB, half", {"x=1 full y?", "y=1 x?"}, "01/11 10/11 11/11", "00/11"},
	{"SB, heavy", {"x=1 heavy y?", "y=1 light x?"}, "01/11 10/11 11/11",
		""},
	{"SB, seq_cst", {"x!1 y?", "y!1 x?"}, "01/11 10/11 11/11", ""},
	{"SB, swap", {"x~1 y?", "y~1 x?"}, "01/11 10/11 11/11", ""},
	{"SB, own", {"x=1 x? y?", "y=1 y? x?"}, "1011/11 1110/11 1111/11",
		"1010/11"},
	{"MP", {"x=1 y=1", "y? x?"}, "00/11 01/11 11/11", ""},
	{"LB", {"x? y=1", "y? x=1"}, "00/11 01/11 10/11", ""},
	{"R", {"x=1 y=1", "y=2 x?"}, "0/11 1/11 1/12", "0/12"},
	{"S", {"x=2 y=1", "y? x=1"}, "0/11 0/21 1/11", ""},
	{"2+2W", {"x=1 y=2", "y=1 x=2"}, "/12 /21 /22", ""},
	{"IRIW", {"x=1", "y=1", "x? y?", "y? x?"},
		"0000/11 0001/11 0010/11 0011/11 0100/11 0101/11 0110/11 "
		"0111/11 1000/11 1001/11 1011/11 1100/11 1101/11 1110/11 "
		"1111/11",
		""},
};

/* The look for faults that did not see that a page is bad [MO-14]. */
static const struct litmus tests_of_one_swap[] = {
	{"SB, after a swap", {"x=1 full y?", "y~1 after x?"},
		"01/11 10/11 11/11", ""},
	{"SB, after a swap, half", {"x=1 y?", "y~1 after x?"},
		"01/11 10/11 11/11", "00/11"},
};

static uint64_t explore_litmus(enum dax_explore_how how, bool tso)
{
	const struct dax_scenario scenario = {.body = litmus_body};
	const struct dax_explore_options options = {
		.how = how, .preemptions = -1, .tso = tso};
	struct dax_explore_report report;

	outcomes[0] = '\0';
	assert_int_equal(dax_explore(&scenario, &options, &report), 0);
	assert_int_equal(report.verdict, DAX_EXPLORE_PROVED);
	return report.executions;
}

static size_t words_in(const char *text)
{
	size_t nr = 0;

	for (; *text; text += strspn(text, " ")) {
		text += strcspn(text, " ");
		nr++;
	}
	return nr;
}

static bool all_found(const char *expected)
{
	char copy[256];
	char *rest = copy;
	char *word;

	strcpy(copy, expected);
	while ((word = strtok_r(rest, " ", &rest)))
		if (!strstr(outcomes, word))
			return false;
	return true;
}

static void expect_outcomes(enum dax_explore_how how, bool tso)
{
	const size_t nr = words_in(litmus->always) +
			  (tso ? words_in(litmus->with_tso) : 0);
	const bool right = words_in(outcomes) == nr &&
			   all_found(litmus->always) &&
			   (!tso || all_found(litmus->with_tso));

	if (!right)
		print_message("%s, searched as %d, tso %d: %s\n", litmus->name,
			(int)how, (int)tso, outcomes);
	assert_true(right);
}

#define WAYS 3

static void expect_in_every_way(
	const struct litmus *test, bool tso, uint64_t executions[WAYS])
{
	static const enum dax_explore_how hows[WAYS] = {
		DAX_EXPLORE_ALL, DAX_EXPLORE_SLEEP_SETS, DAX_EXPLORE_EVERY};

	litmus = test;
	for (size_t h = 0; h < WAYS; h++) {
		executions[h] = explore_litmus(hows[h], tso);
		expect_outcomes(hows[h], tso);
	}
}

static void each_litmus_test_has_exactly_its_outcomes(void **state)
{
	(void)state;
	for (size_t i = 0;
		i < 2 * sizeof(tests_of_litmus) / sizeof(tests_of_litmus[0]);
		i++) {
		uint64_t executions[WAYS];

		expect_in_every_way(&tests_of_litmus[i / 2], i % 2, executions);
		assert_int_equal(executions[0], executions[1]);
	}
}

/* Here sleep sets alone do some of them twice. */
static void a_swap_is_a_barrier_and_a_store_needs_one(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * sizeof(tests_of_one_swap) /
				       sizeof(tests_of_one_swap[0]);
		i++) {
		uint64_t executions[WAYS];

		expect_in_every_way(
			&tests_of_one_swap[i / 2], i % 2, executions);
		assert_true(executions[0] < executions[2]);
	}
}

/* ---- a lock whose unlock is a store, then a look at who waits ---- */

enum dekker_barriers {
	DEKKER_NONE,
	DEKKER_FULL,	   /* between the unlock and the look */
	DEKKER_LIGHT_HEAVY /* nothing there, but much in the one who waits */
};

static struct sync_u64 locked, waiting;
static struct sync_parker parker;

static void unlock_and_look(void *unused, long barriers)
{
	(void)unused;
	sync_store(&locked, 0, RELAXED);
	if (barriers == DEKKER_FULL)
		sync_barrier();
	if (sync_load(&waiting, RELAXED))
		sync_unpark(&parker);
}

static void wait_for_lock(void *unused, long barriers)
{
	(void)unused;
	sync_store(&waiting, 1, RELAXED);
	if (barriers == DEKKER_LIGHT_HEAVY)
		sync_barrier_heavy();
	else
		sync_barrier();
	if (sync_load(&locked, RELAXED))
		sync_park(&parker, SYNC_FOREVER);
}

static void dekker_body(void *barriers)
{
	const long which = (long)(intptr_t)barriers;

	sync_store(&locked, 1, RELAXED);
	sync_parker_init(&parker);
	dax_explore_thread("owner", unlock_and_look, NULL, which);
	dax_explore_thread("waiter", wait_for_lock, NULL, which);
	dax_explore_run();
}

static struct dax_explore_report explore_dekker(
	enum dekker_barriers barriers, enum dax_explore_how how, bool tso)
{
	const struct dax_scenario scenario = {.body = dekker_body,
		.context = (void *)(intptr_t)barriers,
		.snapshots = true};
	const struct dax_explore_options options = {.how = how, .tso = tso};
	struct dax_explore_report report;

	assert_int_equal(dax_explore(&scenario, &options, &report), 0);
	return report;
}

static void a_wake_is_lost_in_a_store_buffer(void **state)
{
	static const enum dax_explore_how hows[] = {DAX_EXPLORE_AUTO,
		DAX_EXPLORE_ALL, DAX_EXPLORE_SLEEP_SETS,
		/* Where stacks can be copied. */
		CONTEXT_MOVABLE ? DAX_EXPLORE_STATES : DAX_EXPLORE_ALL};

	(void)state;
	for (size_t i = 0; i < sizeof(hows) / sizeof(hows[0]); i++) {
		struct dax_explore_report report =
			explore_dekker(DEKKER_NONE, hows[i], true);

		assert_int_equal(report.bug, DAX_EXPLORE_LOST_WAKE_UP);
		assert_non_null(strstr(report.message, "waiter"));
		dax_explore_report_free(&report);
	}
	assert_int_equal(
		explore_dekker(DEKKER_NONE, DAX_EXPLORE_ALL, false).verdict,
		DAX_EXPLORE_PROVED);
}

static void a_barrier_or_a_heavy_one_elsewhere_keeps_it(void **state)
{
	(void)state;
	for (int barriers = DEKKER_FULL; barriers <= DEKKER_LIGHT_HEAVY;
		barriers++)
		assert_int_equal(explore_dekker((enum dekker_barriers)barriers,
					 DAX_EXPLORE_ALL, true)
					 .verdict,
			DAX_EXPLORE_PROVED);
}

/* ---- the core ---- */

static void named_scenarios_are_proved_in_total_store_order(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < nr_named_scenarios; i++) {
		const struct named_scenario *named = &named_scenarios[i];
		struct combination combination;
		const struct dax_scenario scenario = {.name = named->name,
			.body = combination_body,
			.context = &combination,
			.allocs_fail = named->allocs_fail};
		const struct dax_explore_options options = {
			.how = DAX_EXPLORE_ALL, .tso = true};
		struct dax_explore_report report;

		assert_true(combination_read(&combination, named->combination));
		assert_int_equal(dax_explore(&scenario, &options, &report), 0);
		assert_int_equal(report.verdict, DAX_EXPLORE_PROVED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_litmus_test_has_exactly_its_outcomes),
		cmocka_unit_test(a_swap_is_a_barrier_and_a_store_needs_one),
		cmocka_unit_test(a_wake_is_lost_in_a_store_buffer),
		cmocka_unit_test(a_barrier_or_a_heavy_one_elsewhere_keeps_it),
		cmocka_unit_test(
			named_scenarios_are_proved_in_total_store_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: daxlock/explore.h - every interleaving of a small concurrent test
 *
 * A scenario is a function that sets something up, names a few threads, runs
 * them, and checks what came of it. The explorer calls it again and again,
 * each time with another interleaving of the threads, until none is left that
 * differs, and says what it found:
 *
 *	static void fault(void *m, long index)
 *	{
 *		dax_entry_t entry;
 *
 *		if (!dax_grab_mapping_entry(m, index, DAX_PTE_ORDER, &entry))
 *			dax_unlock_entry(m, index, entry);
 *	}
 *
 *	static void two_faults(void *unused)
 *	{
 *		struct dax_mapping *m = ...;
 *
 *		dax_explore_thread("fault 0", fault, m, 0);
 *		dax_explore_thread("fault 1", fault, m, 1);
 *		dax_explore_run();
 *		dax_explore_check(!dax_mapping_verify(m), "the tree is sound");
 *		dax_mapping_delete(&m);
 *	}
 *
 * What the threads call goes through the library's seam (lib/base/sync.h),
 * compiled for the explorer: link libdaxlock-explore, not libdaxlock. Code of
 * your own uses daxlock/sync.h. All of it runs in one OS thread. So a scenario
 * must do the same whenever it is run: no clock, no random numbers, no static
 * variables that keep a value but for words of the seam, no blocking but
 * through the seam.
 *
 * What is found, in the order of enum dax_explore_bug: see there.
 *
 * What it knows of memory: interleavings are of whole operations, on a memory
 * that is sequentially consistent, or that of x86 (@tso of struct
 * dax_explore_options). Where memory orders are too weak for the plain accesses
 * that rest on them, that is a data race in C11's sense, and found as such in
 * any interleaving (@races). What is not covered: loads that are reordered, as
 * on ARM, where only atomic words are involved.
 */
#ifndef DAXLOCK_EXPLORE_H
#define DAXLOCK_EXPLORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

/** DAX_EXPLORE_THREADS - threads in a scenario, at most */
#define DAX_EXPLORE_THREADS 8

/** DAX_EXPLORE_MESSAGE - size of what a report says in words */
#define DAX_EXPLORE_MESSAGE 1024
#define DAX_EXPLORE_DIFFERS 128

/** DAX_EXPLORE_VALUES - values of dax_explore_choose(), at most */
#define DAX_EXPLORE_VALUES 8

/**
 * struct dax_scenario - what to explore
 * @name: one word
 * @claim: one sentence of what is shown
 * @body: the scenario
 * @context: passed to @body
 * @allocs_fail: allocations that may fail in one execution, at most
 * @spurious: how often a thread's sync_park_once() returns without an unpark,
 *	at most
 * @snapshots: all that the threads change lies on their stacks, on that of
 *	@body, in words of the seam, or was allocated through the library: not
 *	in memory of malloc(), not in other static variables. Then a search
 *	goes back to copies of it instead of running @body again, which is
 *	several times as fast, and DAX_EXPLORE_STATES can work
 * @interchangeable: two threads of the same function, context and argument
 *	differ in nothing but their names, neither to each other nor to @body.
 *	Then of what differs only in which of them does what, one is explored
 */
struct dax_scenario {
	const char *name;
	const char *claim;
	void (*body)(void *context);
	void *context;
	unsigned int allocs_fail;
	unsigned int spurious;
	bool snapshots;
	bool interchangeable;
};

/* ---- inside a scenario ---- */

/**
 * dax_explore_thread() - name a thread
 * @name: head of its column; lives as long as the exploration
 * @function: what it runs
 * @context: passed to @function
 * @argument: passed to @function
 */
void dax_explore_thread(const char *name,
	void (*function)(void *context, long argument), void *context,
	long argument);

/**
 * dax_explore_run() - run the threads named, in one interleaving
 *
 * Returns when all have returned. At most once in a scenario.
 */
void dax_explore_run(void);

/**
 * dax_explore_check() - must hold in every interleaving
 * @holds: whether it does
 * @claim: what was claimed
 *
 * In a thread or in the body. Does not return when it does not hold.
 */
void dax_explore_check(bool holds, const char *claim);

/**
 * dax_explore_sometimes() - must hold in some interleaving
 * @holds: whether it does
 * @claim: what was claimed; a string literal, one of 16 at most
 *
 * A scenario that never gets to what it is about proves nothing.
 */
void dax_explore_sometimes(bool holds, const char *claim);

/**
 * dax_explore_choose() - a value that is explored, too
 * @nr: how many values, at most DAX_EXPLORE_VALUES
 *
 * Return: 0 to @nr - 1.
 */
unsigned int dax_explore_choose(unsigned int nr);

/**
 * dax_explore_slept() - has a thread had to sleep?
 * @thread: in the order of dax_explore_thread(), from 0 on
 */
bool dax_explore_slept(unsigned int thread);

/** dax_explore_note() - a line in this thread's column, as printf() */
void dax_explore_note(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/* ---- exploring ---- */

/**
 * enum dax_explore_how - which interleavings
 * @DAX_EXPLORE_AUTO: those with 0, 1 and 2 preemptions, some thousands of each,
 *	which finds most bugs in the simplest form; then DAX_EXPLORE_ALL and
 *	DAX_EXPLORE_STATES by turns, a million executions and three million
 *	states unless @max_executions says otherwise
 * @DAX_EXPLORE_ALL: one of each kind that differs (source-DPOR, sleep sets)
 * @DAX_EXPLORE_SLEEP_SETS: the same, found more slowly in another way
 * @DAX_EXPLORE_STATES: every state once, however many ways lead there; the
 *	memory that RCU protects is judged less strictly. @max_executions
 *	then is a number of states
 * @DAX_EXPLORE_EVERY: every one, up to @preemptions if that is not negative
 * @DAX_EXPLORE_RANDOM: random ones, up to @max_executions
 * @DAX_EXPLORE_REPLAY: the one of @replay, or, where the code has changed
 *	since, one that is like it
 * @DAX_EXPLORE_PCT: random ones, up to @max_executions, by priorities of the
 *	threads that change @depth - 1 times; meets a bug that needs @depth
 *	orderings more often than DAX_EXPLORE_RANDOM when executions are long
 */
enum dax_explore_how {
	DAX_EXPLORE_AUTO,
	DAX_EXPLORE_ALL,
	DAX_EXPLORE_SLEEP_SETS,
	DAX_EXPLORE_STATES,
	DAX_EXPLORE_EVERY,
	DAX_EXPLORE_RANDOM,
	DAX_EXPLORE_REPLAY,
	DAX_EXPLORE_PCT,
};

/**
 * struct dax_explore_options - how to explore; {0} is a good default
 * @how: which interleavings
 * @preemptions: of DAX_EXPLORE_EVERY: switches away from a thread that could
 *	go on, at most; negative: any number
 * @seed: of DAX_EXPLORE_RANDOM and DAX_EXPLORE_PCT
 * @depth: of DAX_EXPLORE_PCT, from 1 on; 0: 3
 * @replay: a token of struct dax_explore_report
 * @max_executions: 0: no limit
 * @max_ns: give up after that time; 0: no limit
 * @max_steps: of one execution; 0: 2000
 * @max_pause_ns: of CPU time, without an operation of the seam; 0: 5 s. While
 *	it explores, SIGVTALRM and the timer of that name are the explorer's
 * @keep_going: count all bugs instead of stopping at the first
 * @steps: the table shows each operation, not only notes
 * @races: look for data races; not with DAX_EXPLORE_STATES. Plain accesses are
 *	seen where the code was compiled with -fsanitize=thread
 * @tso: total store order, that of x86: a store is seen by others later, when
 *	its thread's buffer is flushed. Four threads at most. Replaces @races,
 *	which look at sequentially consistent executions
 */
struct dax_explore_options {
	enum dax_explore_how how;
	int preemptions;
	uint64_t seed;
	unsigned int depth;
	const char *replay;
	uint64_t max_executions;
	uint64_t max_ns;
	unsigned int max_steps;
	uint64_t max_pause_ns;
	bool keep_going;
	bool steps;
	bool races;
	bool tso;
};

/**
 * enum dax_explore_verdict - what was found
 * @DAX_EXPLORE_PROVED: every interleaving is fine
 * @DAX_EXPLORE_CLEAN_WITHIN: those within the limits are
 * @DAX_EXPLORE_BUG: one is not
 * @DAX_EXPLORE_NONDETERMINISTIC: the scenario did not do the same twice, or
 *	is not the one that @replay was made with and has no bug there
 * @DAX_EXPLORE_VACUOUS: fine, but a dax_explore_sometimes() never held
 */
enum dax_explore_verdict {
	DAX_EXPLORE_PROVED,
	DAX_EXPLORE_CLEAN_WITHIN,
	DAX_EXPLORE_BUG,
	DAX_EXPLORE_NONDETERMINISTIC,
	DAX_EXPLORE_VACUOUS,
};

/**
 * enum dax_explore_bug - kinds of bugs
 * @DAX_EXPLORE_NO_BUG: none
 * @DAX_EXPLORE_LOST_WAKE_UP: somebody sleeps and nobody is left to wake him
 * @DAX_EXPLORE_DEADLOCK: threads wait for each other's locks
 * @DAX_EXPLORE_LEAKED_LOCK: a thread ended with a lock
 * @DAX_EXPLORE_MISUSED_LOCK: unlock by another thread, or of a free lock
 * @DAX_EXPLORE_FAILED_CHECK: dax_explore_check()
 * @DAX_EXPLORE_FAILED_ASSERTION: the library's own, or abort()
 * @DAX_EXPLORE_USE_AFTER_FREE: also in an interleaving equivalent to the one
 *	seen, and of memory that RCU no longer protects
 * @DAX_EXPLORE_BAD_FREE: of what is free, or never was allocated
 * @DAX_EXPLORE_LEAK: memory is left at the end
 * @DAX_EXPLORE_CRASH: an invalid address
 * @DAX_EXPLORE_STEP_LIMIT: too many steps, perhaps without end; or too long
 *	without one
 * @DAX_EXPLORE_DATA_RACE: nothing in C11's sense orders two accesses of one
 *	byte, one of them a write and one of them plain
 * @DAX_EXPLORE_LIVELOCK: what was before comes again, for ever, and each thread
 *	that can go on goes on; seen in scenarios with .snapshots
 */
enum dax_explore_bug {
	DAX_EXPLORE_NO_BUG,
	DAX_EXPLORE_LOST_WAKE_UP,
	DAX_EXPLORE_DEADLOCK,
	DAX_EXPLORE_LEAKED_LOCK,
	DAX_EXPLORE_MISUSED_LOCK,
	DAX_EXPLORE_FAILED_CHECK,
	DAX_EXPLORE_FAILED_ASSERTION,
	DAX_EXPLORE_USE_AFTER_FREE,
	DAX_EXPLORE_BAD_FREE,
	DAX_EXPLORE_LEAK,
	DAX_EXPLORE_CRASH,
	DAX_EXPLORE_STEP_LIMIT,
	DAX_EXPLORE_DATA_RACE,
	DAX_EXPLORE_LIVELOCK,
};

/**
 * struct dax_explore_report - what an exploration found
 * @verdict: in a word
 * @bug: the first bug's kind
 * @message: the first bug, or why not all was explored, in a sentence
 * @table: the first bug's schedule, a column a thread, or NULL
 * @token: replays the first bug, or NULL
 * @differs: of DAX_EXPLORE_REPLAY: where the scenario first does not do what
 *	the token says, or empty
 * @preemptions: of the schedule in @table and @token: switches away from a
 *	thread that could go on
 * @executions: complete ones
 * @cut: given up, as all that follows is explored elsewhere
 * @states: of DAX_EXPLORE_STATES
 * @bugs: executions with a bug
 * @first_bug: the first bug's execution, from 1 on; 0: it was found in states
 * @steps: of all executions
 * @longest: steps of the longest execution
 * @average: steps of an execution, of @executions
 * @elapsed_ns: time
 * @search_ns: time of the last search, which @executions and @cut count
 * @first_bug_ns: time until the first bug
 */
struct dax_explore_report {
	enum dax_explore_verdict verdict;
	enum dax_explore_bug bug;
	char message[DAX_EXPLORE_MESSAGE];
	char *table;
	char *token;
	char differs[DAX_EXPLORE_DIFFERS];
	unsigned int preemptions;
	uint64_t executions;
	uint64_t cut;
	uint64_t states;
	uint64_t bugs;
	uint64_t first_bug;
	uint64_t steps;
	uint64_t longest;
	double average;
	uint64_t elapsed_ns;
	uint64_t search_ns;
	uint64_t first_bug_ns;
};

/**
 * dax_explore() - explore a scenario
 * @scenario: what
 * @options: how; NULL: defaults
 * @report: what was found; dax_explore_report_free()
 *
 * Context: not inside a scenario.
 * Threads: one at a time in a process.
 * Return: 0; -EINVAL @options->replay is no token; -ENOMEM.
 */
int dax_explore(const struct dax_scenario *scenario,
	const struct dax_explore_options *options,
	struct dax_explore_report *report) __attribute__((warn_unused_result));

/** dax_explore_report_free() - free what hangs on a report */
void dax_explore_report_free(struct dax_explore_report *report);

/* ---- saying what was found ---- */

/** dax_explore_passed() - proved, or clean within the limits asked for */
bool dax_explore_passed(const struct dax_explore_report *report);

/**
 * dax_explore_print() - a report as text
 * @to: where
 * @report: what
 *
 * "PROVED: 450 executions, ..."; or "BUG: LOST WAKE-UP ...", the table, and
 * the token on a line "replay: TOKEN".
 */
void dax_explore_print(FILE *to, const struct dax_explore_report *report);

/**
 * dax_explore_print_tap() - a report as a line of TAP
 * @to: where
 * @number: of the test, from 1 on; the plan is the caller's
 * @scenario: what was explored
 * @report: what was found; a table and a token go into a YAML block
 */
void dax_explore_print_tap(FILE *to, unsigned int number,
	const struct dax_scenario *scenario,
	const struct dax_explore_report *report);

/**
 * dax_explore_print_json() - a report as a JSON object, on one line
 * @to: where
 * @scenario: what was explored; the deviations named are those that are on
 * @report: what was found
 */
void dax_explore_print_json(FILE *to, const struct dax_scenario *scenario,
	const struct dax_explore_report *report);

/**
 * dax_explore_main() - main() of a program that tests scenarios
 * @argc: of main()
 * @argv: of main(); "--help" tells the options
 * @scenarios: what it can explore
 * @nr: how many
 *
 * TAP on stdout, for a test runner. Options list the scenarios, choose among
 * them, replay a token, and replay a bug under gdb:
 *
 *	int main(int argc, char **argv)
 *	{
 *		static const struct dax_scenario scenarios[] = {
 *			{.name = "two_faults", .body = two_faults},
 *		};
 *
 *		return dax_explore_main(argc, argv, scenarios, 1);
 *	}
 *
 * Other frameworks call dax_explore() in a test of theirs. What ends a test by
 * a jump, as the assertions of cmocka do, is for the test itself: threads of
 * a scenario, and its body, have stacks of their own, and use
 * dax_explore_check(). With cmocka:
 *
 *	static void two_faults_are_proved(void **state)
 *	{
 *		struct dax_explore_report report;
 *
 *		assert_int_equal(dax_explore(&scenario, NULL, &report), 0);
 *		if (!dax_explore_passed(&report)) {
 *			dax_explore_print(stderr, &report);
 *			fail_msg("%s", report.message);
 *		}
 *	}
 *
 * Return: the exit status: 0 clean, 1 a finding, 2 wrong use.
 */
int dax_explore_main(int argc, char **argv,
	const struct dax_scenario *scenarios, unsigned int nr);

/**
 * dax_explore_breakpoint() - does nothing, at the beginning of each step
 * @step: as in the table, from 1 on
 *
 * Called on the stack of the step's thread, before it does its operation, only
 * in the execution that becomes the table of a report: for breakpoints.
 */
void dax_explore_breakpoint(unsigned int step);

/**
 * dax_explore_gdb() - become a gdb that replays a bug
 * @arguments: those with which this program explores the scenario again, up to
 *	a NULL; "--replay" and @token are added
 * @token: what to replay
 *
 * Stops in dax_explore_breakpoint() in the last step.
 *
 * Return: only if that fails: -ENOENT gdb is not installed; -EINVAL @token is
 * no token; another error of execve().
 */
int dax_explore_gdb(const char *const *arguments, const char *token);

/* ---- deviations: bugs on demand ---- */

/**
 * struct dax_explore_deviation - a bug that can be switched on
 * @name: for dax_explore_deviate()
 * @exhibit: its number in the museum
 * @commit: the commit that repaired it
 * @year: of that; 0: it never was in a kernel
 * @sentence: what it does
 */
struct dax_explore_deviation {
	const char *name;
	const char *exhibit;
	const char *commit;
	unsigned int year;
	const char *sentence;
};

/** dax_explore_deviation() - the @i-th, from 0 on; NULL: there are no more */
const struct dax_explore_deviation *dax_explore_deviation(unsigned int i);

/**
 * dax_explore_deviate() - have the library make mistakes from now on
 * @names: of deviations, with + between them; NULL or "": none
 *
 * Return: 0; -EINVAL no such deviation.
 */
int dax_explore_deviate(const char *names) __attribute__((warn_unused_result));

/**
 * dax_explore_weaken() - take a memory order away from now on
 * @order: "FUNCTION:acquire" or "FUNCTION:release", of all operations of the
 *	seam in that function; NULL or "": none
 *
 * For those who want to see that a race is found then.
 *
 * Return: 0; -EINVAL no function of that name has such an order.
 */
int dax_explore_weaken(const char *order) __attribute__((warn_unused_result));

/** dax_explore_verdict_name() - "PROVED", "CLEAN_WITHIN", ... */
const char *dax_explore_verdict_name(enum dax_explore_verdict verdict);

/** dax_explore_bug_name() - "LOST WAKE-UP", "DEADLOCK", ... */
const char *dax_explore_bug_name(enum dax_explore_bug bug);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif

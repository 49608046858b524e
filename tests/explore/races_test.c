/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Data races: found where C11 orders nothing, though the interleaving that
 * shows it was not run; the core has none; and which of its memory orders some
 * scenario cannot do without (doc/memory-ordering.md).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daxlock/stats.h"
#include "explore/operations.h"
#include "explore/races.h"
#include "explore/scenarios.h"
#include "explore/word_device.h"
#include "pgmap/pgmap.h"
#include "pmem/poison.h"

#define RELAXED memory_order_relaxed
#define ACQUIRE memory_order_acquire
#define RELEASE memory_order_release

static struct dax_explore_report explore_for_races(
	const struct dax_scenario *scenario, uint64_t max_executions)
{
	const struct dax_explore_options options = {.how = DAX_EXPLORE_ALL,
		.races = true,
		.max_executions = max_executions};
	struct dax_explore_report report;

	assert_int_equal(dax_explore(scenario, &options, &report), 0);
	return report;
}

/* ---- small programs, with what C11 says of each ---- */

static struct sync_u64 ready;
static struct sync_lock mutex;
static struct sync_parker parker;
static unsigned int plain;
static struct sync_u64 *published;

static void write_plain(void *unused, long unused_too)
{
	(void)unused;
	(void)unused_too;
	plain = 1;
}

static void publish_relaxed(void *unused, long unused_too)
{
	(void)unused;
	(void)unused_too;
	plain = 1;
	sync_store(&ready, 1, RELAXED);
}

static void publish(void *unused, long unused_too)
{
	(void)unused;
	(void)unused_too;
	plain = 1;
	sync_store(&ready, 1, RELEASE);
}

static void publish_and_store_again(void *unused, long unused_too)
{
	publish(unused, unused_too);
	sync_store(&ready, 2, RELAXED);
}

static void publish_and_write_again(void *unused, long unused_too)
{
	publish(unused, unused_too);
	plain = 2;
}

static void publish_and_count(void *unused, long unused_too)
{
	publish(unused, unused_too);
	sync_add(&ready, 1, RELAXED);
}

static void consume(void *unused, long unused_too)
{
	(void)unused;
	(void)unused_too;
	if (sync_load(&ready, ACQUIRE))
		plain++;
}

static void consume_last(void *unused, long unused_too)
{
	(void)unused;
	(void)unused_too;
	if (sync_load(&ready, ACQUIRE) == 2)
		plain++;
}

static void consume_relaxed(void *unused, long unused_too)
{
	(void)unused;
	(void)unused_too;
	if (sync_load(&ready, RELAXED))
		plain++;
}

static void write_locked(void *unused, long unused_too)
{
	(void)unused;
	(void)unused_too;
	sync_lock_acquire(&mutex);
	plain++;
	sync_lock_release(&mutex);
}

static void write_unlocked(void *unused, long unused_too)
{
	write_locked(unused, unused_too);
	plain++;
}

static void write_and_unpark(void *unused, long unused_too)
{
	(void)unused;
	(void)unused_too;
	plain = 1;
	sync_unpark(&parker);
}

static void park_and_write(void *unused, long deadline_ns)
{
	(void)unused;
	sync_park(&parker, deadline_ns ? (uint64_t)deadline_ns : SYNC_FOREVER);
	plain = 2;
}

static void allocate(void *unused, long order)
{
	struct sync_u64 *block = sync_alloc(sizeof(*block), 16);

	(void)unused;
	published = block;
	if (order)
		sync_store(&ready, (uintptr_t)block, RELEASE);
	else
		sync_store(&ready, (uintptr_t)block, RELAXED);
}

static void look_into(void *unused, long unused_too)
{
	const struct sync_u64 *block =
		(const struct sync_u64 *)(uintptr_t)sync_load(&ready, ACQUIRE);

	(void)unused;
	(void)unused_too;
	if (block)
		(void)sync_load(block, RELAXED);
}

struct program {
	void (*functions[2])(void *unused, long argument);
	long arguments[2];
	enum dax_explore_bug expected;
};

static void program_body(void *context)
{
	const struct program *program = context;

	sync_store(&ready, 0, RELAXED);
	sync_lock_init(&mutex, RANK_LEAF);
	sync_parker_init(&parker);
	published = NULL;
	for (unsigned int i = 0; i < 2; i++)
		dax_explore_thread(i ? "b" : "a", program->functions[i], NULL,
			program->arguments[i]);
	dax_explore_run();
	sync_free(published);
}

#define FINE DAX_EXPLORE_NO_BUG
#define RACE DAX_EXPLORE_DATA_RACE

static const struct program programs[] = {
	{{write_plain, write_plain}, {0}, RACE},
	{{publish, consume}, {0}, FINE},
	{{publish_relaxed, consume}, {0}, RACE},
	{{publish, consume_relaxed}, {0}, RACE},
	{{publish_and_write_again, consume}, {0}, RACE},
	{{publish_and_store_again, consume_last}, {0}, RACE},
	{{publish_and_count, consume_last}, {0}, FINE},
	{{write_locked, write_locked}, {0}, FINE},
	{{write_locked, write_unlocked}, {0}, RACE},
	{{write_and_unpark, park_and_write}, {0}, FINE},
	{{write_and_unpark, park_and_write}, {0, 5}, RACE},
	{{allocate, look_into}, {1, 0}, FINE},
	{{allocate, look_into}, {0, 0}, RACE},
};

static void each_program_is_what_c11_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		struct program program = programs[i];
		const struct dax_scenario scenario = {
			.body = program_body, .context = &program};
		struct dax_explore_report report =
			explore_for_races(&scenario, 0);

		if (report.bug != program.expected)
			print_message("program %zu: %s\n", i, report.message);
		assert_int_equal(report.bug, program.expected);
		dax_explore_report_free(&report);
	}
}

static void a_race_is_found_in_the_order_that_hides_it(void **state)
{
	struct program program = {{publish_relaxed, consume}, {0}, RACE};
	const struct dax_scenario scenario = {
		.body = program_body, .context = &program};
	struct dax_explore_report report = explore_for_races(&scenario, 0);

	(void)state;
	/* The reader sees the word set, and the data with it. */
	assert_int_equal(report.first_bug, 1);
	assert_non_null(strstr(report.message, "publish_relaxed"));
	assert_non_null(strstr(report.message, "consume"));
	dax_explore_report_free(&report);
}

/* ---- the core ---- */

/* What is freed or found with the entry, not only its page. */
static struct dax_mapping *mapping;
static struct dax_waitq_table *waitqs;

static void write_and_delete(void *unused, long index)
{
	(void)unused;
	plain = 1;
	dax_delete_mapping_entry(mapping, (dax_pgoff_t)index);
}

static void fill_and_read(void *unused, long index)
{
	dax_entry_t entry;

	(void)unused;
	if (dax_grab_mapping_entry(
		    mapping, (dax_pgoff_t)index, DAX_PTE_ORDER, &entry))
		return;
	/* Made anew: the old one was removed before. */
	if (!dax_to_pfn(entry))
		plain = 2;
	dax_unlock_entry(mapping, (dax_pgoff_t)index, entry);
}

static void put_small(dax_pgoff_t index)
{
	dax_entry_t entry;

	if (dax_grab_mapping_entry(mapping, index, DAX_PTE_ORDER, &entry))
		abort();
	dax_insert_entry(mapping, index, &entry, 7, 0);
	dax_unlock_entry(mapping, index, entry);
}

typedef void thread_fn(void *unused, long index);

/* In a mapping of their own, with queues of their own. */
static void explore_two(
	thread_fn *first, thread_fn *second, struct dax_stats *stats)
{
	struct dax_mapping_params params = {.stats = stats};

	if (dax_waitq_table_new(1, 1, &waitqs))
		abort();
	params.waitqs = waitqs;
	if (dax_mapping_new(&params, &mapping))
		abort();
	put_small(0);
	put_small(1);
	dax_explore_thread("first", first, NULL, 0);
	dax_explore_thread("second", second, NULL, 0);
	dax_explore_run();
	dax_mapping_delete(&mapping);
	dax_waitq_table_delete(&waitqs);
}

static void deleted_and_made_anew(void *unused)
{
	(void)unused;
	explore_two(write_and_delete, fill_and_read, NULL);
}

static void make_and_unlock(void *unused, long index)
{
	struct dax_mapping *m = mapping;
	dax_entry_t entry;

	(void)unused;
	if (dax_grab_mapping_entry(
		    m, (dax_pgoff_t)index + 2, DAX_PTE_ORDER, &entry))
		return;
	dax_unlock_entry(m, (dax_pgoff_t)index + 2, entry);
}

/* What it drops has been unlocked, so that nobody is in the mapping any more,
 * but for the owner that returns. If it gave up waiting, it left WAITERS. */
static void give_up_and_delete(void *unused, long index)
{
	dax_entry_t entry;

	(void)unused;
	if (!dax_lock_entry_timed(
		    mapping, (dax_pgoff_t)index + 2, 1000, &entry))
		dax_unlock_entry(mapping, (dax_pgoff_t)index + 2, entry);
	if (dax_delete_mapping_entry(mapping, (dax_pgoff_t)index + 2))
		dax_mapping_delete(&mapping);
}

static void deleted_behind_an_unlock(void *unused)
{
	(void)unused;
	explore_two(make_and_unlock, give_up_and_delete, NULL);
}

/* What counts the unlock is not in the mapping any more, either. */
static void deleted_behind_a_counted_unlock(void *unused)
{
	struct dax_stats *stats;

	(void)unused;
	if (dax_stats_new(&stats))
		abort();
	explore_two(make_and_unlock, give_up_and_delete, stats);
	dax_stats_delete(&stats);
}

/* By somebody who has not learned the number from whoever added it. */
static struct dax_pgmap *pgmap;

static void write_and_add_owner(void *unused, long also_unused)
{
	uint32_t id;

	(void)unused;
	(void)also_unused;
	plain = 1;
	if (dax_pgmap_add_owner(pgmap, &plain, &id))
		abort();
}

static void find_and_read_owner(void *unused, long also_unused)
{
	const unsigned int *owner;

	(void)unused;
	(void)also_unused;
	sync_rcu_enter();
	owner = pgmap_owner_rcu(pgmap, 1);
	if (owner)
		dax_explore_check(*owner == 1, "what is found is whole");
	sync_rcu_leave();
}

enum number { NEW_NUMBER, USED_NUMBER };

static void explore_owners(enum number number)
{
	struct dax_pgmap_params params = {.nr = 1};
	uint32_t id;

	plain = 0;
	if (dax_waitq_table_new(1, 1, &waitqs))
		abort();
	params.waitqs = waitqs;
	if (dax_pgmap_new(&params, &pgmap))
		abort();
	if (number == USED_NUMBER) {
		if (dax_pgmap_add_owner(pgmap, &plain, &id))
			abort();
		dax_pgmap_remove_owner(pgmap, id);
	}
	dax_explore_thread("adds", write_and_add_owner, NULL, 0);
	dax_explore_thread("finds", find_and_read_owner, NULL, 0);
	dax_explore_run();
	dax_pgmap_delete(&pgmap);
	dax_waitq_table_delete(&waitqs);
}

static void owner_added_and_found(void *unused)
{
	(void)unused;
	explore_owners(NEW_NUMBER);
}

/* Where numbers stand has been linked long before. */
static void owner_added_anew_and_found(void *unused)
{
	(void)unused;
	explore_owners(USED_NUMBER);
}

/* A page of a device that was bad. */
struct bad_page {
	struct dax_pmem_map device;
	struct pmem_poison poison;
};

static void have_page_renewed(void *context, long unused)
{
	struct bad_page *page = context;

	(void)unused;
	if (pmem_poison_clear(&page->poison, DAX_PFN_BASE, 1))
		abort();
}

static void use_page_if_good(void *context, long unused)
{
	struct bad_page *page = context;

	(void)unused;
	if (!pmem_poison_has(&page->poison, DAX_PFN_BASE, 1))
		dax_explore_check(page->device.renewals == 1,
			"what is good again is what the device gave");
}

static void bad_page_renewed_and_used(void *unused)
{
	struct bad_page page = {0};

	(void)unused;
	if (pmem_poison_init(&page.poison, &page.device))
		abort();
	pmem_poison_set(&page.poison, DAX_PFN_BASE, 1);
	dax_explore_thread("renews", have_page_renewed, &page, 0);
	dax_explore_thread("uses", use_page_if_good, &page, 0);
	dax_explore_run();
	pmem_poison_destroy(&page.poison);
}

static const struct {
	const char *name;
	void (*body)(void *unused);
} bodies[] = {
	{"deleted and made anew", deleted_and_made_anew},
	{"deleted behind an unlock", deleted_behind_an_unlock},
	{"deleted behind a counted unlock", deleted_behind_a_counted_unlock},
	{"owner added and found", owner_added_and_found},
	{"owner added anew and found", owner_added_anew_and_found},
	{"bad page renewed and used", bad_page_renewed_and_used},
};
#define NR_BODIES (sizeof(bodies) / sizeof(bodies[0]))

static bool find_body(const char *name, struct dax_scenario *scenario)
{
	for (size_t i = 0; i < NR_BODIES; i++)
		if (!strcmp(bodies[i].name, name))
			scenario->body = bodies[i].body;
	return scenario->body;
}

static struct dax_explore_report explore_named(
	const char *name, unsigned int allocs_fail, uint64_t max_executions)
{
	struct combination combination;
	struct dax_scenario scenario = {.allocs_fail = allocs_fail};

	if (!find_body(name, &scenario)) {
		assert_true(combination_read(&combination, name));
		scenario.body = combination_body;
		scenario.context = &combination;
	}
	return explore_for_races(&scenario, max_executions);
}

static void expect_no_race(
	const char *name, unsigned int allocs_fail, uint64_t max_executions)
{
	struct dax_explore_report report =
		explore_named(name, allocs_fail, max_executions);

	if (report.bug)
		print_message("%s: %s\n", name, report.message);
	assert_int_equal(report.bug, DAX_EXPLORE_NO_BUG);
}

static void named_scenarios_have_no_races(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < nr_named_scenarios; i++)
		expect_no_race(named_scenarios[i].combination,
			named_scenarios[i].allocs_fail, 0);
	for (size_t i = 0; i < NR_BODIES; i++)
		expect_no_race(bodies[i].name, 0, 0);
}

static void pairs_have_no_races(void **state)
{
	struct combination pair = {.nr = 2, .queues = 1};
	char name[64];

	(void)state;
	for (unsigned int s = 0; s < nr_state_kinds; s++)
		for (unsigned int a = 0; a < nr_operation_kinds; a++)
			for (unsigned int b = a; b < nr_operation_kinds; b++) {
				pair.state = &state_kinds[s];
				pair.operations[0] = &operation_kinds[a];
				pair.operations[1] = &operation_kinds[b];
				combination_name(&pair, name, sizeof(name));
				expect_no_race(name, 0, 0);
			}
}

/* ---- every order of the core, and who misses it ---- */

struct order {
	const char *name;
	const char *missed_by; /* a scenario; NULL: none that we know */
};

static const struct order orders[] = {
	{"slot_load:acquire", "empty: F0,F0 /1"},
	{"fill_root:release", "empty: F0,F0 /1"},
	{"fill_slot:release", "small0: FF,FF /1"},
	{"fill_raise:release", "empty: F0,FF /1"},
	{"tree_split:release", "pmd-zero: F1,F2,F3 /1"},
	{"unlock_slot:release", "empty: F0,F0 /1"},
	{"unlock_in_turn:release", "small1: L1,P1,I1 /1"},
	{"lock_entry:acquire", "small1: L1,P1,I1 /1"},
	{"place_trylock:acquire", "small1: F1,C1,CF /1"},
	{"place_lock_once:acquire", "small0: F0,P0 /1"},
	{"fill_root:acquire", "empty: F0,F0,X0 /1"},
	{"fill_slot:acquire", "small1: F0,F0,X0 /1"},
	{"tree_clear:acquire", "small01: F0,XR /1"},
	{"tree_clear:release", "deleted and made anew"},
	{"unlink_last_locked:release", "small0: F0,F0,I0 /1"},
	{"node_release:release", "small0: FP,X0 /1"},
	{"node_kill:acquire", "small0: FP,X0 /1"},
	{"head_at:acquire", "page-pinned: unpin,kill-device /1"},
	{"dax_page_try_get:acquire", "page: pin,truncate /1"},
	{"put:acquire", "page: pin,truncate /1"},
	{"put:release", "page: pin,truncate /1"},
	{"page_announce:release", "page-pinned: unpin,kill-device /1"},
	{"claim_once:release", "page: pin,truncate /1"},
	{"table_puds:acquire", "unowned: load,pin-pages-fast /1"},
	{"make_pud:release", "unowned: load,pin-pages-fast /1"},
	{"table_shown:acquire", "unowned: load,pin-pages-fast /1"},
	{"make_table:release", "unowned: load,pin-pages-fast /1"},
	{"dax_pgmap_put:release", "page-free: map,kill-device /1"},
	{"dax_pgmap_wait:acquire", "page-free: map,kill-device /1"},
	{"slot_of:acquire", "owner added and found"},
	{"add_chunk_locked:release", "owner added and found"},
	{"dax_pgmap_add_owner:release", "owner added anew and found"},
	{"pgmap_owner_rcu:acquire", "owner added anew and found"},
	{"has:acquire", "bad page renewed and used"},
	{"clear_locked:release", "bad page renewed and used"},
	/* Of a read-modify-write whose other half is the one that counts. */
	{"node_release:acquire", NULL},
	{"node_kill:release", NULL},
	{"tree_split:acquire", NULL},
	{"node_reserve:acquire", NULL},
	{"node_reserve:release", NULL},
	{"claim_once:acquire", NULL},
	{"page_dissociate:acquire", NULL},
	{"page_dissociate:release", NULL},
	{"dax_pgmap_get:acquire", NULL},
	/* The lock of the statistics orders the same. */
	{"unlock_counted:release", NULL},
	/* No scenario looks at what these order: a page found without its
	 * lock; the default table. */
	{"entry_store:release", NULL},
	{"dax_tree_replace:acquire", NULL},
	{"dax_tree_replace:release", NULL},
	{"dax_waitq_table_default:acquire", NULL},
	{"dax_waitq_table_default:release", NULL},
	{"copy_put:acquire", NULL}, /* no scenario forks */
	{"copy_put:release", NULL},
	/* Only atomics are involved, which never race. */
	{"mark_entry:acquire", NULL},
	{"mark_entry:release", NULL},
	{"dax_tree_clear_mark:acquire", NULL},
	{"dax_tree_clear_mark:release", NULL},
	{"dax_tree_marked:acquire", NULL},
	{"step_to_marked:acquire", NULL},
	{"word_wanted:acquire", NULL},
	{"announce_sleeper:acquire", NULL},
	{"say_asleep:acquire", NULL},
	{"cell_show:release", NULL},
	{"show_new:release", NULL},
	{"read_shown:acquire", NULL},
	{"dax_page_associate:release", NULL},
	{"dax_page_owner:acquire", NULL},
};
#define NR_ORDERS (sizeof(orders) / sizeof(orders[0]))

static void orders_that_scenarios_miss(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_ORDERS; i++) {
		struct dax_explore_report report;

		if (!orders[i].missed_by)
			continue;
		assert_int_equal(dax_explore_weaken(orders[i].name), 0);
		report = explore_named(orders[i].missed_by, 0, 0);
		assert_int_equal(dax_explore_weaken(NULL), 0);
		if (report.bug != DAX_EXPLORE_DATA_RACE)
			print_message("without %s: %s\n", orders[i].name,
				report.message);
		assert_int_equal(report.bug, DAX_EXPLORE_DATA_RACE);
		dax_explore_report_free(&report);
	}
}

/* If one does now, the table and the document say too little. */
static void orders_that_no_scenario_misses(void **state)
{
	(void)state;
	for (size_t i = 0; i < NR_ORDERS; i++) {
		if (orders[i].missed_by)
			continue;
		assert_int_equal(dax_explore_weaken(orders[i].name), 0);
		for (size_t j = 0; j < NR_ORDERS; j++)
			if (orders[j].missed_by)
				expect_no_race(orders[j].missed_by, 0, 1000);
		assert_int_equal(dax_explore_weaken(NULL), 0);
	}
}

static bool listed(const struct explore_site *site, const char *half)
{
	char name[80];

	snprintf(name, sizeof(name), "%s:%s", site->function, half);
	for (size_t i = 0; i < NR_ORDERS; i++)
		if (!strcmp(orders[i].name, name))
			return true;
	print_message("%s is not in the table\n", name);
	return false;
}

static void every_order_of_the_core_is_in_the_table(void **state)
{
	const struct explore_site *site;
	unsigned int nr = 0;

	(void)state;
	for (unsigned int i = 0; (site = order_site(i)); i++) {
		const unsigned int halves = order_halves(site);

		if (!strstr(site->file, "lib/") ||
			strstr(site->file, "lib/explore/"))
			continue;
		nr += halves != 0;
		if (halves & HALF_ACQUIRE)
			assert_true(listed(site, "acquire"));
		if (halves & HALF_RELEASE)
			assert_true(listed(site, "release"));
	}
	assert_true(nr > 0);
	assert_int_equal(dax_explore_weaken("no_such_function:acquire"), -22);
	assert_int_equal(dax_explore_weaken("slot_load:release"), -22);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_program_is_what_c11_says),
		cmocka_unit_test(a_race_is_found_in_the_order_that_hides_it),
		cmocka_unit_test(named_scenarios_have_no_races),
		cmocka_unit_test(pairs_have_no_races),
		cmocka_unit_test(orders_that_scenarios_miss),
		cmocka_unit_test(orders_that_no_scenario_misses),
		cmocka_unit_test(every_order_of_the_core_is_in_the_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Files come and go on a few blocks, each at 4K or as a part of 2M, some of
 * them shared, while pins are taken and dropped. The content of a block is a
 * plain word that is written when no file has the block: a pin must never see
 * it change, and ThreadSanitizer finds what nothing orders.
 */
#include <errno.h>

#include "base/sync.h"
#include "daxlock/pgmap.h"
#include "support/crew.h"
#include "support/random.h"

#define PMD_PAGES ((uint64_t)1 << DAX_PMD_ORDER)
#define FIRST	  PMD_PAGES

enum { BLOCKS = 2, PAGES = 4, FILES = 4, THREADS = 6, ROUNDS = 20000 };

/* Of a PMD; one page in each quarter of it is in play. */
struct block {
	pthread_mutex_t lock;
	unsigned int files;	     /* guarded by @lock: who has it */
	unsigned int content[PAGES]; /* written under @lock, while no file has
				      * the block; read under a pin */
};

struct race {
	struct dax_pgmap *pgmap;
	struct block blocks[BLOCKS];
	uint32_t ids[FILES];
	uint64_t pinned[THREADS]; /* owner: the thread */
	uint64_t mapped[THREADS];
	uint64_t
		frees[BLOCKS]; /* written by whoever drops the last reference */
};

static void page_free(void *owner, uint64_t pfn, uint64_t nr)
{
	struct race *race = owner;
	const uint64_t block = (pfn - FIRST) / PMD_PAGES;

	/* Of 4K pages, several may be freed at the same time. */
	if (nr == PMD_PAGES)
		race->frees[block]++;
}

static uint64_t page_of(unsigned int block, unsigned int page)
{
	return FIRST + (block * PAGES + page) * (PMD_PAGES / PAGES);
}

static void look_through_pin(
	struct crew_member *me, struct race *race, struct random *random)
{
	const unsigned int block = (unsigned int)random_below(random, BLOCKS);
	const unsigned int page = (unsigned int)random_below(random, PAGES);
	const unsigned int *content = &race->blocks[block].content[page];
	const uint64_t pfn = page_of(block, page);
	struct dax_pin pin;
	unsigned int before;

	if (!dax_pin_get(race->pgmap, &pin, pfn, DAX_PIN_SHORT, "a test"))
		return;
	before = *content;
	sched_yield();
	crew_check(me, *content == before);
	race->pinned[me->number]++;
	dax_pin_put(race->pgmap, &pin);
}

static void take_block(struct block *block)
{
	pthread_mutex_lock(&block->lock);
	if (!block->files++)
		for (unsigned int i = 0; i < PAGES; i++)
			block->content[i]++;
	pthread_mutex_unlock(&block->lock);
}

static void give_block_back(struct block *block)
{
	pthread_mutex_lock(&block->lock);
	block->files--;
	pthread_mutex_unlock(&block->lock);
}

static void unmap(struct crew_member *me, struct race *race, uint64_t pfn,
	const struct dax_page_owner *owner)
{
	dax_page_put(race->pgmap, pfn);
	while (dax_page_dissociate(race->pgmap, pfn, owner) == -EBUSY)
		crew_check(me, !dax_page_wait_idle(race->pgmap, pfn, NULL));
}

/* False: the device is dying. */
static bool have_file(
	struct crew_member *me, struct race *race, struct random *random)
{
	const unsigned int block = (unsigned int)random_below(random, BLOCKS);
	const unsigned int page = (unsigned int)random_below(random, PAGES);
	const bool large = !random_below(random, 3);
	const uint64_t pfn = page_of(block, large ? 0 : page);
	const struct dax_page_owner owner = {
		race->ids[random_below(random, FILES)], pfn};
	int error;

	take_block(&race->blocks[block]);
	error = dax_page_associate(race->pgmap, pfn,
		large ? DAX_PMD_ORDER : DAX_PTE_ORDER, &owner, DAX_PAGE_SHARED);
	if (!error) {
		race->mapped[me->number]++;
		look_through_pin(me, race, random);
		unmap(me, race, pfn, &owner);
	}
	give_block_back(&race->blocks[block]);
	/* Others have a part of it, at another size. */
	crew_check(me, !error || error == -EBUSY || error == -EIO);
	return error != -EIO;
}

static void play(struct crew_member *me)
{
	struct random random = random_of(me->number);
	struct race *race = me->shared;

	for (unsigned int i = 0; i < ROUNDS; i++)
		if (me->number % 2)
			look_through_pin(me, race, &random);
		else
			have_file(me, race, &random);
}

static void play_until_killed(struct crew_member *me)
{
	struct random random = random_of(me->number);
	struct race *race = me->shared;

	while (have_file(me, race, &random))
		;
	dax_pgmap_put(race->pgmap);
}

static void open_race(struct race *race)
{
	static const struct dax_pgmap_ops ops = {.page_free = page_free};
	const struct dax_pgmap_params params = {
		.first = FIRST,
		.nr = BLOCKS * PMD_PAGES,
		.ops = &ops,
		.owner = race,
	};

	assert_int_equal(dax_pgmap_new(&params, &race->pgmap), 0);
	for (unsigned int i = 0; i < BLOCKS; i++)
		pthread_mutex_init(&race->blocks[i].lock, NULL);
	for (unsigned int i = 0; i < FILES; i++)
		assert_int_equal(
			dax_pgmap_add_owner(race->pgmap, race, &race->ids[i]),
			0);
}

static void close_race(struct race *race)
{
	uint64_t frees = 0, pinned = 0, mapped = 0;

	for (unsigned int i = 0; i < BLOCKS; i++) {
		assert_int_equal(race->blocks[i].files, 0);
		pthread_mutex_destroy(&race->blocks[i].lock);
		frees += race->frees[i];
	}
	for (unsigned int i = 0; i < THREADS; i++) {
		pinned += race->pinned[i];
		mapped += race->mapped[i];
	}
	assert_true(pinned && mapped && frees && frees <= mapped);
	dax_pgmap_delete(&race->pgmap);
}

static void no_block_changes_under_a_pin(void **state)
{
	static struct race race;
	struct crew crew;

	(void)state;
	race = (struct race){0};
	open_race(&race);
	crew_start(&crew, THREADS, play, &race);
	crew_assert_content(&crew);
	for (uint64_t i = 0; i < BLOCKS * PMD_PAGES; i++)
		assert_int_equal(dax_page_count(race.pgmap, FIRST + i), 0);
	close_race(&race);
}

static bool all_have_mapped(const struct race *race)
{
	uint64_t live = 0;

	for (uint64_t i = 0; i < BLOCKS * PMD_PAGES; i++)
		live += dax_page_count(race->pgmap, FIRST + i);
	return live >= 2;
}

/* Nothing of the device is touched after the wait: it is freed at once. */
static void a_device_is_killed_under_them(void **state)
{
	static struct race race;
	struct crew crew;

	(void)state;
	race = (struct race){0};
	open_race(&race);
	for (unsigned int i = 0; i < THREADS; i++)
		assert_true(dax_pgmap_get(race.pgmap));
	crew_start(&crew, THREADS, play_until_killed, &race);
	crew_await(all_have_mapped(&race));
	dax_pgmap_kill(race.pgmap);
	assert_int_equal(dax_pgmap_wait(race.pgmap, NULL), 0);
	dax_pgmap_delete(&race.pgmap);
	crew_assert_content(&crew);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_block_changes_under_a_pin),
		cmocka_unit_test(a_device_is_killed_under_them),
	};

	return cmocka_run_group_tests_name("pin_race", tests, NULL, NULL);
}

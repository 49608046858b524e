/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * All threads use all files (lifetime.h): they store, write, pin, punch, zero,
 * cut, sync, evict, unshare and dedupe; clones come and go, pages go bad and
 * are written anew; and half-way the storage is taken away under them. In the
 * end nobody has a reference, a pin, a node or a block, and every byte is what
 * its owner put there last.
 */
#include <stdlib.h>

#include "lifetime.h"
#include "support/rounds.h"

#define ROUNDS ROUNDS_OF(DAX_PMD_ORDER == 2 ? 12000 : 8000)

/* ---- deeds of a page's owner ---- */

static void store(struct actor *actor, struct slot *slot, unsigned int page,
	struct block *block)
{
	const bool last = choose(actor, 2);
	const uint64_t address = slot->areas[choose(actor, SHARED_AREAS)] +
				 page_pos(page) + (last ? LAST_WORD * 8 : 0);
	const uint64_t value = new_value(actor, page);

	if (is_done(actor, dax_store(slot->mm, address, &value, sizeof(value))))
		*(last ? &block->last : &block->first) = value;
}

static void load(struct actor *actor, struct slot *slot, unsigned int page,
	struct block *block)
{
	const uint64_t address =
		slot->areas[choose(actor, AREAS)] + page_pos(page);
	uint64_t words[PAGE_WORDS];

	if (is_done(actor, dax_load(slot->mm, address, words, PAGE)))
		crew_check(actor->me, block_is(block, words));
}

static void write_page(struct actor *actor, struct slot *slot,
	unsigned int page, struct block *block)
{
	const uint64_t value = new_value(actor, page);
	uint64_t words[PAGE_WORDS];
	size_t done;

	for (size_t i = 0; i < PAGE_WORDS; i++)
		words[i] = value;
	if (is_done(actor, dax_file_write(slot->file, page_pos(page), words,
				   PAGE, &done)))
		*block = (struct block){value, value, value};
}

static void write_word(struct actor *actor, struct slot *slot,
	unsigned int page, struct block *block)
{
	const uint64_t value = new_value(actor, page);
	size_t done;

	if (is_done(actor, dax_file_write(slot->file, page_pos(page), &value,
				   sizeof(value), &done)))
		block->first = value;
}

static void read_page(struct actor *actor, struct slot *slot, unsigned int page,
	struct block *block)
{
	uint64_t words[PAGE_WORDS];

	if (is_done(actor, read_words(slot->file, page, words)))
		crew_check(actor->me, block_is(block, words));
}

static enum dax_file_change any_destruction(struct actor *actor)
{
	return choose(actor, 2) ? DAX_FILE_PUNCH : DAX_FILE_ZERO;
}

static void destroy_page(struct actor *actor, struct slot *slot,
	unsigned int page, struct block *block)
{
	if (is_done(actor, dax_file_change(slot->file, any_destruction(actor),
				   page_pos(page), PAGE)))
		*block = (struct block){0};
}

static void destroy_word(struct actor *actor, struct slot *slot,
	unsigned int page, struct block *block)
{
	if (is_done(actor, dax_file_change(slot->file, any_destruction(actor),
				   page_pos(page), sizeof(uint64_t))))
		block->first = 0;
}

/* All that is past the end goes: it must be the owner's. */
static void cut(struct actor *actor, struct slot *slot, unsigned int page,
	struct block *block)
{
	if (page != PAGES - 1 ||
		!is_done(actor, dax_file_truncate(slot->file, SIZE - PAGE)))
		return;
	*block = (struct block){0};
	crew_check(actor->me, !dax_file_truncate(slot->file, SIZE));
}

static void store_pinned(struct actor *actor, struct slot *slot,
	unsigned int page, struct block *block)
{
	const struct dax_pin_params params = {
		.address = slot->areas[choose(actor, SHARED_AREAS)] +
			   page_pos(page),
		.nr = 1,
		.flags = DAX_PIN_WRITE,
	};
	const uint64_t value = new_value(actor, page);
	struct dax_pinned pinned;
	size_t done;

	if (!is_done(actor, dax_pin_pages(slot->mm, &params, &pinned, &done)))
		return;
	sched_yield();
	__atomic_store_n((uint64_t *)pinned.bytes, value, __ATOMIC_RELAXED);
	block->first = value;
	dax_unpin_pages(&pinned, 1);
}

/* ---- deeds that change nothing ---- */

static void sync_page(struct actor *actor, struct slot *slot, unsigned int page,
	struct block *block)
{
	(void)block;
	is_done(actor, dax_file_sync(slot->file, DAX_SYNC_ALL,
			       choose(actor, 2) ? page_pos(page) : 0, PAGE));
}

static void unmap(struct actor *actor, struct slot *slot, unsigned int page,
	struct block *block)
{
	const uint64_t address =
		slot->areas[choose(actor, AREAS)] + page_pos(page);

	(void)block;
	is_done(actor, dax_madvise(slot->mm, address, PAGE, DAX_DONTNEED));
}

static void unshare_page(struct actor *actor, struct slot *slot,
	unsigned int page, struct block *block)
{
	(void)block;
	is_done(actor, dax_file_unshare(slot->file, page_pos(page), PAGE));
}

/* If both have the same, which the owner knows, they share it then. */
static void dedupe(struct actor *actor, struct slot *slot, unsigned int page,
	struct block *block)
{
	struct slot *other = &actor->scene->slots[choose(actor, SLOTS)];
	int error = -EBADE;

	(void)block;
	if (other == slot || pthread_rwlock_tryrdlock(&other->lock))
		return;
	if (other->file)
		error = dax_file_dedupe(slot->file, page_pos(page), other->file,
			page_pos(page), PAGE);
	pthread_rwlock_unlock(&other->lock);
	/* They differ, or the last page is in the middle of a cut(). */
	if (error != -EBADE && !(error == -EINVAL && page == PAGES - 1))
		is_done(actor, error);
}

static void evict(struct actor *actor, struct slot *slot, unsigned int page,
	struct block *block)
{
	(void)actor;
	(void)page;
	(void)block;
	dax_space_evict(dax_file_space(slot->file));
}

static uint64_t storage_of(struct slot *slot, unsigned int page)
{
	struct dax_extent extent;

	dax_file_extent(slot->file, page_pos(page) / PAGE, &extent);
	return extent.type == DAX_IOMAP_MAPPED ? extent.pfn : 0;
}

/* Seldom: most of what follows is to succeed. Nobody shows the page any more.
 * What an owner of another page of the PMD stored may have moved this one
 * first, if the file shared both. */
static void go_bad(struct actor *actor, struct slot *slot, unsigned int page,
	struct block *block)
{
	const uint64_t address =
		slot->areas[choose(actor, AREAS)] + page_pos(page);
	const uint64_t pfn = storage_of(slot, page);
	uint64_t value;

	(void)block;
	if (!pfn || choose(actor, 10))
		return;
	dax_fs_memory_failure(actor->scene->fs, pfn, 1);
	if (is_done(actor, dax_load(slot->mm, address, &value, sizeof(value))))
		crew_check(actor->me, storage_of(slot, page) != pfn);
}

/* Faults, in place of the owner. */
static void peek(struct actor *actor, struct slot *slot, unsigned int page,
	struct block *block)
{
	const unsigned int other = (unsigned int)choose(actor, PAGES);
	const uint64_t address =
		slot->areas[choose(actor, AREAS)] + page_pos(other);
	uint64_t words[PAGE_WORDS];
	int error;

	(void)page;
	(void)block;
	error = choose(actor, 2) ? read_words(slot->file, other, words)
				 : dax_load(slot->mm, address, words, PAGE);
	/* In the middle of a cut(). */
	if (error == -EIO && other == PAGES - 1)
		return;
	if (is_done(actor, error))
		crew_check(actor->me, words_belong_to(words, other));
}

static void ask_for_too_much(struct actor *actor, struct slot *slot,
	unsigned int page, struct block *block)
{
	const struct dax_pin_params params = {
		.address = slot->areas[AREA_SMALL] + page_pos(page),
		.nr = 1,
		.term = DAX_PIN_LONGTERM,
		.holder = "for ever",
	};
	struct dax_pinned pinned;
	size_t done;

	(void)block;
	crew_check(actor->me, dax_pin_pages(slot->mm, &params, &pinned,
				      &done) == -EOPNOTSUPP);
}

/* ---- slots ---- */

static void fill_slot(struct actor *actor, struct slot *slot, struct slot *from)
{
	int error = dax_file_clone(from->file, &slot->file);

	/* It may be short, as the other is in the middle of a cut(). */
	if (!error)
		error = dax_file_truncate(slot->file, SIZE);
	if (!error)
		error = map_slot(slot);
	if (!is_done(actor, error))
		empty_slot(slot);
	slot->life++;
	atomic_fetch_add(&actor->scene->tally.clones, 1);
}

/* The first slot keeps its file. */
static void replace(struct actor *actor)
{
	struct slot *slots = actor->scene->slots;
	struct slot *slot = &slots[1 + choose(actor, SLOTS - 1)];
	struct slot *from = &slots[choose(actor, SLOTS)];

	if (pthread_rwlock_trywrlock(&slot->lock))
		return;
	if (slot != from && !pthread_rwlock_tryrdlock(&from->lock)) {
		empty_slot(slot);
		if (from->file)
			fill_slot(actor, slot, from);
		pthread_rwlock_unlock(&from->lock);
	}
	pthread_rwlock_unlock(&slot->lock);
}

/* ---- pins that outlive the lock of the slot ---- */

static size_t pin_first_pages(
	struct actor *actor, struct slot *slot, struct dax_pinned *pinned)
{
	const struct dax_pin_params params = {
		.address = slot->areas[choose(actor, SHARED_AREAS)],
		.nr = THREADS,
		.flags = choose(actor, 2) ? DAX_PIN_FAST : 0,
		.holder = choose(actor, 2) ? "a holder" : NULL,
	};
	size_t done = 0;
	const int error = dax_pin_pages(slot->mm, &params, pinned, &done);

	/* It takes a fault; or there is a hole. */
	if (error && error != -EAGAIN && error != -EOPNOTSUPP)
		is_done(actor, error);
	return done;
}

/* Nobody but owners of the page writes to it, whichever files have it. */
static void look_at_pinned(
	struct actor *actor, const struct dax_pinned *pinned, unsigned int page)
{
	const uint64_t *words = pinned->bytes;

	crew_check(actor->me,
		belongs_to(__atomic_load_n(&words[0], __ATOMIC_RELAXED), page));
	crew_check(actor->me,
		belongs_to(__atomic_load_n(&words[LAST_WORD], __ATOMIC_RELAXED),
			page));
}

/* Others may hold any lock, but those that a fault takes, while they wait for
 * our pins. */
static void access_while_pinned(struct actor *actor)
{
	const unsigned int nr = (unsigned int)choose(actor, SLOTS);
	const unsigned int own = (unsigned int)choose(actor, OWN);
	const unsigned int page = own * THREADS + actor->me->number;
	struct slot *slot = &actor->scene->slots[nr];
	struct known *known;

	if (pthread_rwlock_tryrdlock(&slot->lock))
		return;
	known = known_of(actor, nr);
	if (slot->file && known->is_known[own])
		(choose(actor, 2) ? store : load)(
			actor, slot, page, &known->blocks[own]);
	pthread_rwlock_unlock(&slot->lock);
}

static void hold_pins(struct actor *actor, struct slot *slot)
{
	struct dax_pinned pinned[THREADS];
	size_t nr = 0;

	pthread_rwlock_rdlock(&slot->lock);
	if (slot->file)
		nr = pin_first_pages(actor, slot, pinned);
	pthread_rwlock_unlock(&slot->lock);
	for (unsigned int i = 0; i < nr; i++) {
		sched_yield();
		access_while_pinned(actor);
		look_at_pinned(actor, &pinned[i], i);
	}
	atomic_fetch_add(&actor->scene->tally.pins, (unsigned int)nr);
	dax_unpin_pages(pinned, nr);
}

/* ---- the threads ---- */

static void use_slot(struct actor *actor, unsigned int nr)
{
	static void (*const deeds[])(struct actor * actor, struct slot * slot,
		unsigned int page, struct block *block) = {store, store, store,
		load, load, write_page, write_page, write_word, read_page,
		destroy_page, destroy_word, cut, store_pinned, sync_page, unmap,
		evict, unshare_page, dedupe, go_bad, peek, peek, peek,
		ask_for_too_much};
	const unsigned int own = (unsigned int)choose(actor, OWN);
	const unsigned int page = own * THREADS + actor->me->number;
	struct slot *slot = &actor->scene->slots[nr];
	struct block *block = NULL;

	pthread_rwlock_rdlock(&slot->lock);
	if (slot->file)
		block = look_up(actor, nr, own, page);
	if (block)
		deeds[choose(actor, ARRAY_SIZE(deeds))](
			actor, slot, page, block);
	pthread_rwlock_unlock(&slot->lock);
}

static void act_once(struct actor *actor)
{
	const unsigned int nr = (unsigned int)choose(actor, SLOTS);

	if (!choose(actor, 30))
		replace(actor);
	else if (!choose(actor, 12))
		hold_pins(actor, &actor->scene->slots[nr]);
	else
		use_slot(actor, nr);
	atomic_fetch_add(&actor->scene->tally.rounds, 1);
}

static void act(struct crew_member *me)
{
	struct scene *scene = me->shared;
	struct actor *actor = &scene->actors[me->number];

	actor->me = me;
	actor->scene = scene;
	actor->random = random_of(scene->seed + me->number);
	for (unsigned int i = 0; i < ROUNDS && !me->wrong; i++)
		act_once(actor);
	/* Or who waits for the rounds to pass would wait for ever. */
	atomic_fetch_add(&scene->tally.rounds, ROUNDS);
}

/* ---- the end ---- */

static void kill_all(struct scene *scene)
{
	scene->is_dying = true;
	for (unsigned int i = 0; i < SLOTS; i++) {
		struct slot *slot = &scene->slots[i];

		pthread_rwlock_rdlock(&slot->lock);
		if (slot->file)
			dax_space_kill(dax_file_space(slot->file));
		pthread_rwlock_unlock(&slot->lock);
	}
}

static void assert_page(struct scene *scene, unsigned int nr, unsigned int page)
{
	const struct known *known = &scene->actors[owner_of(page)].known[nr];
	const struct slot *slot = &scene->slots[nr];
	const unsigned int own = page / THREADS;
	uint64_t words[PAGE_WORDS];

	assert_int_equal(read_words(slot->file, page, words), 0);
	assert_true(words_belong_to(words, page));
	if (known->life == slot->life && known->is_known[own])
		assert_true(block_is(&known->blocks[own], words));
}

/* No page, and no node: the storage was taken away. */
static void assert_slot(struct scene *scene, unsigned int nr)
{
	struct dax_space *space = dax_file_space(scene->slots[nr].file);
	struct dax_mapping *m = dax_space_mapping(space);

	for (unsigned int page = 0; page < PAGES; page++)
		assert_page(scene, nr, page);
	assert_null(dax_mapping_verify(m));
	assert_int_equal(dax_mapping_nrpages(m), 0);
	assert_int_equal(dax_tree_nr_nodes(dax_mapping_tree(m)), 0);
}

static void assert_idle(struct dax_pgmap *pgmap)
{
	struct dax_page_owner owner;

	for (uint64_t pfn = DAX_PFN_BASE;
		pfn < DAX_PFN_BASE + DISK_PMDS * PMD_PAGES; pfn++) {
		assert_int_equal(dax_page_count(pgmap, pfn), 0);
		assert_true(dax_page_is_idle(pgmap, pfn));
		assert_int_equal(
			dax_page_owner(pgmap, pfn, &owner), DAX_PAGE_UNOWNED);
	}
	assert_int_equal(
		dax_pgmap_describe_pins(pgmap, 0, UINT64_MAX, NULL, 0), 0);
}

static void open_scene(struct scene *scene, struct disk *disk)
{
	scene->fs = disk->fs;
	for (unsigned int i = 0; i < SLOTS; i++)
		pthread_rwlock_init(&scene->slots[i].lock, NULL);
	assert_int_equal(dax_file_new(disk->fs, &scene->slots[0].file), 0);
	assert_int_equal(dax_file_truncate(scene->slots[0].file, SIZE), 0);
	assert_int_equal(map_slot(&scene->slots[0]), 0);
}

static void close_scene(struct scene *scene)
{
	kill_all(scene);
	dax_fs_set_poison(scene->fs, 0, 0);
	for (unsigned int i = 0; i < SLOTS; i++) {
		if (scene->slots[i].file)
			assert_slot(scene, i);
		empty_slot(&scene->slots[i]);
		pthread_rwlock_destroy(&scene->slots[i].lock);
	}
	assert_idle(dax_fs_pgmap(scene->fs));
}

static void assert_met(const struct tally *tally)
{
	print_message("%u clones, %u pins, %u bad, %u dead\n", tally->clones,
		tally->pins, tally->bad, tally->dead);
	assert_true(tally->clones && tally->pins);
	assert_true(tally->bad && tally->dead);
}

static void play(struct disk *disk)
{
	static struct scene scene;
	const uint64_t free_blocks = dax_fs_free_blocks(disk->fs);
	const char *seed = getenv("DAX_TEST_SEED");
	struct crew crew;

	scene = (struct scene){
		.seed = seed ? strtoull(seed, NULL, 0) : 1,
		.is_scarce = free_blocks < SLOTS * PAGES,
	};
	print_message("DAX_TEST_SEED=%llu\n", (unsigned long long)scene.seed);
	open_scene(&scene, disk);
	crew_start(&crew, THREADS, act, &scene);
	crew_await(scene.tally.rounds >= THREADS * ROUNDS / 2);
	kill_all(&scene);
	crew_assert_content(&crew);
	close_scene(&scene);
	assert_met(&scene.tally);
	/* Blocks are free when a change was committed after that. */
	assert_int_equal(dax_file_truncate(disk->file, 0), 0);
	disk_sync(disk);
	assert_int_equal(dax_fs_free_blocks(disk->fs), free_blocks);
}

static void nothing_is_lost_and_nothing_is_left(void **state)
{
	play(*state);
}

/* Whatever is free is another page's at once. */
static void nor_where_blocks_are_scarce(void **state)
{
	struct disk *disk = *state;
	struct dax_file *rest = disk_fill(disk, 2 * PAGES);

	play(disk);
	dax_file_delete(&rest);
}

#define RACE_TEST(test, setup)                                                 \
	cmocka_unit_test_setup_teardown(test, setup, disk_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RACE_TEST(nothing_is_lost_and_nothing_is_left, disk_setup),
		RACE_TEST(nothing_is_lost_and_nothing_is_left, disk_setup_6_1),
		RACE_TEST(nor_where_blocks_are_scarce, disk_setup),
		RACE_TEST(nor_where_blocks_are_scarce, disk_setup_6_1),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

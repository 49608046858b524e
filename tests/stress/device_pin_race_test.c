/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Threads hold pages of a device for long, as many others would, while all of
 * them store, load, flush and pin more; pages go bad and are cleared; then the
 * device is unplugged, which waits for each of them to let go. What was stored,
 * through a leaf or through a pin, is on the device then, and nothing else.
 *
 *   place	a page in which each thread has a cell of 8 bytes
 */
#include "support/bare.h"
#include "support/crew.h"
#include "support/random.h"

enum { THREADS = 4, PLACES = 4, HELD = 3, ROUNDS = 20000, DEVICES = 9 };

static const uint64_t places[PLACES] = {0, PAGE, PMD + PAGE, PUD};

struct scene {
	struct bare bare;
	_Atomic(unsigned int) rounds;
	_Atomic(unsigned int) nr_pins;
	_Atomic(unsigned int) nr_bad;
	uint64_t stored[THREADS][PLACES]; /* owner: the thread */
};

struct actor {
	struct crew_member *me;
	struct scene *scene;
	struct random random;
	struct dax_pinned held[HELD];
	unsigned int places[HELD]; /* of which */
	unsigned int nr_held;
	uint64_t count;
	bool is_dead; /* the device, to this thread's knowledge */
};

static unsigned int choose(struct actor *actor, uint64_t limit)
{
	return (unsigned int)random_below(&actor->random, limit);
}

static uint64_t cell(const struct actor *actor, unsigned int place)
{
	return actor->scene->bare.address + places[place] +
	       8 * actor->me->number;
}

static uint64_t *stored(struct actor *actor, unsigned int place)
{
	return &actor->scene->stored[actor->me->number][place];
}

static uint64_t new_value(struct actor *actor)
{
	return (uint64_t)(actor->me->number + 1) << 32 | ++actor->count;
}

/* Once the device is gone, it is for ever. */
static bool is_done(struct actor *actor, int error)
{
	crew_check(actor->me, !error || error == -EHWPOISON || error == -EIO);
	crew_check(actor->me, error == -EIO || !actor->is_dead);
	actor->is_dead |= error == -EIO;
	atomic_fetch_add(&actor->scene->nr_bad, error == -EHWPOISON);
	return !error;
}

/* ---- deeds ---- */

static void store(struct actor *actor)
{
	const unsigned int place = choose(actor, PLACES);
	const uint64_t value = new_value(actor);

	if (is_done(actor, dax_store(actor->scene->bare.mm, cell(actor, place),
				   &value, sizeof(value))))
		*stored(actor, place) = value;
}

static void load(struct actor *actor)
{
	const unsigned int place = choose(actor, PLACES);
	uint64_t value;

	if (is_done(actor, dax_load(actor->scene->bare.mm, cell(actor, place),
				   &value, sizeof(value))))
		crew_check(actor->me, value == *stored(actor, place));
}

static void flush(struct actor *actor)
{
	const struct bare *bare = &actor->scene->bare;
	const uint64_t address = bare->address + places[choose(actor, PLACES)];

	crew_check(actor->me, !dax_msync(bare->mm, address, PAGE));
}

static void pin(struct actor *actor)
{
	const unsigned int place = choose(actor, PLACES);
	const struct dax_pin_params params = {
		.address = cell(actor, place),
		.nr = 1,
		.flags = DAX_PIN_WRITE | (choose(actor, 2) ? DAX_PIN_FAST : 0),
		.term = DAX_PIN_LONGTERM,
		.holder = "a device",
	};
	size_t done;
	int error;

	if (actor->nr_held == HELD)
		return;
	error = dax_pin_pages(actor->scene->bare.mm, &params,
		&actor->held[actor->nr_held], &done);
	/* It takes a fault. */
	if (error == -EAGAIN || !is_done(actor, error))
		return;
	actor->places[actor->nr_held++] = place;
	atomic_fetch_add(&actor->scene->nr_pins, 1);
}

static void unpin(struct actor *actor)
{
	if (actor->nr_held)
		dax_unpin_pages(&actor->held[--actor->nr_held], 1);
}

/* Bad or not, shown or not, until it is unpinned. */
static void use_pinned(struct actor *actor)
{
	uint64_t *bytes;
	unsigned int i;

	if (!actor->nr_held)
		return;
	i = choose(actor, actor->nr_held);
	bytes = (uint64_t *)actor->held[i].bytes + actor->me->number;
	crew_check(actor->me, __atomic_load_n(bytes, __ATOMIC_RELAXED) ==
				      *stored(actor, actor->places[i]));
	*stored(actor, actor->places[i]) = new_value(actor);
	__atomic_store_n(
		bytes, *stored(actor, actor->places[i]), __ATOMIC_RELAXED);
}

/* Seldom: most of what follows is to succeed. */
static void go_bad(struct actor *actor)
{
	struct dax_devdax *device = actor->scene->bare.devdax;
	const uint64_t pfn =
		DAX_PFN_BASE + places[choose(actor, PLACES)] / PAGE;
	int error;

	if (choose(actor, 8))
		return;
	dax_devdax_memory_failure(device, pfn, 1);
	load(actor);
	error = dax_devdax_clear_poison(device, pfn, 1);
	crew_check(actor->me, !error || error == -ENXIO);
}

/* ---- threads ---- */

static void act_once(struct actor *actor)
{
	static void (*const deeds[])(struct actor * actor) = {
		store, load, load, flush, pin, unpin, use_pinned, go_bad};

	deeds[choose(actor, ARRAY_SIZE(deeds))](actor);
	atomic_fetch_add(&actor->scene->rounds, 1);
}

static void act(struct crew_member *me)
{
	struct actor actor = {
		.me = me, .scene = me->shared, .random = random_of(me->number)};

	while (!actor.is_dead && !me->wrong)
		act_once(&actor);
	/* Not before: the device is there as long as it is held. */
	use_pinned(&actor);
	while (actor.nr_held)
		unpin(&actor);
	load(&actor);
	crew_check(me, actor.is_dead);
}

static void unplug_at_last(struct crew_member *me)
{
	struct scene *scene = me->shared;

	if (me->number < THREADS) {
		act(me);
		return;
	}
	crew_await(atomic_load(&scene->rounds) >= ROUNDS);
	dax_devdax_kill(scene->bare.devdax);
	/* Whoever still used it would end the test by a signal. */
	dax_pmem_map_delete(&scene->bare.map);
}

/* ---- what is left ---- */

static void assert_place(const struct scene *scene, unsigned int place)
{
	const char *storage = dax_pmem_map_address(scene->bare.map);
	uint64_t expected[PAGE / sizeof(uint64_t)] = {0};

	for (unsigned int t = 0; t < THREADS; t++)
		expected[t] = scene->stored[t][place];
	assert_memory_equal(storage + places[place], expected, PAGE);
}

static void assert_nothing_is_left(struct scene *scene)
{
	struct dax_mapping *m =
		dax_space_mapping(dax_devdax_space(scene->bare.devdax));

	assert_int_equal(dax_pmem_map_new(scene->bare.device, 0, BARE_BYTES,
				 DAX_MAP_PMD, &scene->bare.map),
		0);
	for (unsigned int place = 0; place < PLACES; place++)
		assert_place(scene, place);
	assert_int_equal(dax_mapping_nrpages(m), 0);
	assert_int_equal(dax_tree_nr_nodes(dax_mapping_tree(m)), 0);
}

static void race(unsigned int order)
{
	struct scene scene = {.rounds = 0};
	struct crew crew;

	bare_init(&scene.bare, order);
	crew_start(&crew, THREADS + 1, unplug_at_last, &scene);
	crew_assert_content(&crew);
	assert_nothing_is_left(&scene);
	/* It met what it is about. */
	assert_true(scene.nr_pins && scene.nr_bad);
	bare_fini(&scene.bare);
}

static void a_device_goes_when_all_have_let_go(void **state)
{
	static const unsigned int orders[] = {
		DAX_PTE_ORDER, DAX_PMD_ORDER, DAX_PUD_ORDER};

	(void)state;
	for (unsigned int i = 0; i < DEVICES; i++)
		race(orders[i % ARRAY_SIZE(orders)]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_device_goes_when_all_have_let_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

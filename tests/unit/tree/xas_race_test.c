/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * While others change the tree around them, entries that are there during the
 * whole pass are returned once each, in order; a mark that is there during the
 * whole pass is found.
 */
#include "fixture.h"
#include "support/crew.h"
#include "support/random.h"

#define WORKERS 2
#define PASSES	300
#define STAYING 12
#define CHANGES 3000 /* at least; passes go on until so many were made */

/* Entry i stays at place(i); what comes and goes is beside it. */
struct scene {
	struct dax_tree *tree;
	atomic_uint changes; /* made by the workers */
	atomic_bool done;
};

#define STAYING_PFN(i) (1000 + (i))

static uint64_t place(unsigned int i)
{
	/* Every other one has a node to itself. */
	return i * PMD_PAGES + 1 + (i % 2 ? 0 : PMD_PAGES / 2);
}

static void plant(struct scene *scene, struct dax_tree *tree)
{
	*scene = (struct scene){.tree = tree};
	for (unsigned int i = 0; i < STAYING; i++)
		assert_insert(tree, place(i), pte(STAYING_PFN(i)));
}

/* Never the index of an entry that stays: those are not 0 in their node. */
static uint64_t beside(struct random *random)
{
	const uint64_t node = random_below(random, 2 * STAYING);

	return node * PMD_PAGES;
}

static void changes_neighbours(struct crew_member *me)
{
	struct random random = random_of(me->number + 1);
	struct scene *scene = me->shared;

	while (!atomic_load(&scene->done)) {
		const uint64_t index = beside(&random);
		const uint64_t word = dax_tree_load(scene->tree, index);
		int error = 0;

		if (word)
			error = dax_tree_erase(scene->tree, index, word);
		else
			error = dax_tree_insert(scene->tree, index,
				random_below(&random, 2) ? pmd(1) : pte(2));
		/* Another worker may be faster. */
		(void)error;
		if (word)
			dax_tree_clear_mark(scene->tree, index, DAX_MARK_DIRTY);
		else
			dax_tree_set_mark(scene->tree, index, DAX_MARK_DIRTY);
		atomic_fetch_add(&scene->changes, 1);
	}
}

typedef uint64_t next_entry(struct dax_xas *xas);

static uint64_t next_dirty(struct dax_xas *xas)
{
	return dax_xas_next_marked(xas, DAX_MARK_DIRTY);
}

/* What is wrong with a pass, or NULL. */
static const char *pass(struct scene *scene, next_entry *next)
{
	unsigned int expected = 0;
	uint64_t before = 0;
	bool any = false;
	struct dax_xas xas;
	uint64_t word;

	dax_xas_init(&xas, scene->tree, 0, LAST_PAGE);
	while ((word = next(&xas))) {
		if (any && xas.index <= before)
			return "the index did not grow";
		any = true;
		before = xas.index;
		if (dax_to_pfn(word) < STAYING_PFN(0))
			continue;
		if (dax_to_pfn(word) != STAYING_PFN(expected))
			return "an entry that stayed was missed or seen twice";
		if (xas.index != place(expected))
			return "an entry was found where it is not";
		expected++;
	}
	return expected == STAYING ? NULL : "entries that stayed were missed";
}

static bool changed_enough(struct scene *scene)
{
	return atomic_load(&scene->changes) >= CHANGES;
}

static const char *passes(struct scene *scene, next_entry *next)
{
	const char *wrong = NULL;
	struct crew crew;

	crew_start(&crew, WORKERS, changes_neighbours, scene);
	for (int i = 0; !wrong && (i < PASSES || !changed_enough(scene)); i++)
		wrong = pass(scene, next);
	atomic_store(&scene->done, true);
	crew_join(&crew);
	return wrong;
}

static void an_entry_that_stays_is_returned_once_a_pass(void **state)
{
	struct scene scene;
	const char *wrong;

	plant(&scene, tree_of(state));
	wrong = passes(&scene, dax_xas_next);
	if (wrong)
		fail_msg("%s", wrong);
}

static void a_marked_entry_that_stays_is_returned_once_a_pass(void **state)
{
	struct scene scene;
	const char *wrong;

	plant(&scene, tree_of(state));
	for (unsigned int i = 0; i < STAYING; i++)
		assert_true(dax_tree_set_mark(
			scene.tree, place(i), DAX_MARK_DIRTY));
	wrong = passes(&scene, next_dirty);
	if (wrong)
		fail_msg("%s", wrong);
}

/* Marks its own entry and finds it, while neighbours' marks come and go. */
static void finds_its_mark(struct crew_member *me)
{
	struct scene *scene = me->shared;
	const uint64_t index = place(0) + 2 * me->number * PMD_PAGES;

	for (int i = 0; i < PASSES; i++) {
		struct dax_xas xas;

		crew_check(me, dax_tree_set_mark(
				       scene->tree, index, DAX_MARK_TOWRITE));
		dax_xas_init(&xas, scene->tree, index, index);
		crew_check(me, dax_xas_next_marked(&xas, DAX_MARK_TOWRITE));
		crew_check(me, xas.index == index);
		dax_tree_clear_mark(scene->tree, index, DAX_MARK_TOWRITE);
		dax_xas_init(&xas, scene->tree, index, index);
		crew_check(me, !dax_xas_next_marked(&xas, DAX_MARK_TOWRITE));
	}
}

static void a_search_that_starts_after_the_marking_finds_the_mark(void **state)
{
	struct scene scene;
	struct crew crew;

	plant(&scene, tree_of(state));
	crew_start(&crew, 4, finds_its_mark, &scene);
	crew_assert_content(&crew);
	assert_false(dax_tree_marked(scene.tree, DAX_MARK_TOWRITE));
	assert_tree(scene.tree, STAYING);
}

static void loads_what_stays(struct crew_member *me)
{
	struct scene *scene = me->shared;

	for (int i = 0; i < PASSES || !changed_enough(scene); i++)
		for (unsigned int at = 0; at < STAYING; at++)
			crew_check(me, dax_tree_load(scene->tree, place(at)) ==
					       pte(STAYING_PFN(at)));
}

static void does_one_or_the_other(struct crew_member *me)
{
	struct scene *scene = me->shared;

	if (me->number) {
		changes_neighbours(me);
		return;
	}
	loads_what_stays(me);
	atomic_store(&scene->done, true);
}

static void an_entry_that_stays_is_always_loaded(void **state)
{
	struct scene scene;
	struct crew crew;

	plant(&scene, tree_of(state));
	crew_start(&crew, 1 + WORKERS, does_one_or_the_other, &scene);
	crew_assert_content(&crew);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TREE_TEST(an_entry_that_stays_is_returned_once_a_pass),
		TREE_TEST(a_marked_entry_that_stays_is_returned_once_a_pass),
		TREE_TEST(
			a_search_that_starts_after_the_marking_finds_the_mark),
		TREE_TEST(an_entry_that_stays_is_always_loaded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

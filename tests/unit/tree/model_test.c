/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whatever calls a single thread makes, a tree answers as a sorted array does.
 * A failure names the seed and the step.
 */
#include "model.h"

#include "fixture.h"
#include "support/random.h"

#define STEPS			    4000
#define STEPS_BETWEEN_VERIFICATIONS 100
#define SEEDS			    6

struct run {
	struct dax_tree *tree;
	struct model model;
	struct random random;
	uint64_t seed;
	unsigned int step;
};

#define same(run, a, b)                                                        \
	do {                                                                   \
		const uint64_t a_ = (uint64_t)(a);                             \
		const uint64_t b_ = (uint64_t)(b);                             \
                                                                               \
		if (a_ != b_)                                                  \
			fail_msg("seed %llu step %u: %s is %#llx, not %#llx",  \
				(unsigned long long)(run)->seed, (run)->step,  \
				#a, (unsigned long long)a_,                    \
				(unsigned long long)b_);                       \
	} while (0)

/* Places where a few entries meet often: both ends, borders, far out. */
static uint64_t some_index(struct run *run)
{
	static const uint64_t places[] = {0, PMD_PAGES, PUD_PAGES - PMD_PAGES,
		PUD_PAGES, (uint64_t)1 << 40, ((uint64_t)1 << 63) - PMD_PAGES,
		-PMD_PAGES, -PUD_PAGES};
	const uint64_t place =
		places[random_below(&run->random, ARRAY_SIZE(places))];

	switch (random_below(&run->random, 3)) {
	case 0:
		return place + random_below(&run->random, 4);
	case 1:
		return place + random_below(&run->random, 2 * PMD_PAGES);
	default:
		return place + PMD_PAGES - 1 - random_below(&run->random, 3);
	}
}

static uint64_t some_word(struct run *run)
{
	const uint64_t kind = random_below(&run->random, 8);
	const uint64_t pfn = random_below(&run->random, 1000);

	return dax_make_entry(pfn, kind < 5   ? DAX_PTE
				   : kind < 7 ? DAX_PMD
					      : DAX_PUD);
}

/* The word at @index, or now and then another. */
static uint64_t expected_word(struct run *run, uint64_t index)
{
	const uint64_t word = model_load(&run->model, index);

	return word && random_below(&run->random, 8) ? word : some_word(run);
}

static enum dax_mark some_mark(struct run *run)
{
	return random_below(&run->random, 2) ? DAX_MARK_DIRTY
					     : DAX_MARK_TOWRITE;
}

static void step_insert(struct run *run, uint64_t index)
{
	const uint64_t word = some_word(run);

	if (run->model.count == MODEL_MAX - 1)
		return;
	same(run, dax_tree_insert(run->tree, index, word),
		model_insert(&run->model, index, word));
}

static void step_erase(struct run *run, uint64_t index)
{
	const uint64_t old = expected_word(run, index);

	same(run, dax_tree_erase(run->tree, index, old),
		model_erase(&run->model, index, old));
}

static void step_replace(struct run *run, uint64_t index)
{
	const uint64_t old = expected_word(run, index);
	const uint64_t word = old ^ random_below(&run->random, 9)
					    << WORD_PFN_SHIFT;

	same(run, dax_tree_replace(run->tree, index, old, word),
		model_replace(&run->model, index, old, word));
}

static void step_mark(struct run *run, uint64_t index)
{
	const enum dax_mark mark = some_mark(run);

	if (random_below(&run->random, 3)) {
		same(run, dax_tree_set_mark(run->tree, index, mark),
			model_set_mark(&run->model, index, mark));
	} else {
		dax_tree_clear_mark(run->tree, index, mark);
		model_clear_mark(&run->model, index, mark);
	}
	same(run, dax_tree_get_mark(run->tree, index, mark),
		!!(model_load(&run->model, index) & WORD_MARK(mark)));
}

static void step_load(struct run *run, uint64_t index)
{
	same(run, dax_tree_load(run->tree, index),
		model_load(&run->model, index));
}

/* @bits: what the search asks of a word. */
static uint64_t search_next(struct dax_xas *xas, uint64_t bits)
{
	if (bits == WORD_VALUE)
		return dax_xas_next(xas);
	return dax_xas_next_marked(
		xas, bits == WORD_MARK(0) ? DAX_MARK_DIRTY : DAX_MARK_TOWRITE);
}

static void step_search(
	struct run *run, uint64_t first, uint64_t last, uint64_t bits)
{
	const struct model_entry *expected;
	struct dax_xas xas;

	dax_xas_init(&xas, run->tree, first, last);
	do {
		const uint64_t word = search_next(&xas, bits);

		expected = first > last
				   ? NULL
				   : model_next(&run->model, first, last, bits);
		same(run, word, expected ? expected->word : 0);
		if (!expected)
			return;
		same(run, xas.index,
			expected->first > first ? expected->first : first);
		first = expected->last + 1;
	} while (expected->last < last);
	same(run, search_next(&xas, bits), 0);
}

static void verify(struct run *run)
{
	static const uint64_t searched[] = {
		WORD_VALUE, WORD_MARK(0), WORD_MARK(1)};
	uint64_t pages;
	const char *wrong = tree_verify(run->tree, &pages);

	if (wrong)
		fail_msg("seed %llu step %u: %s", (unsigned long long)run->seed,
			run->step, wrong);
	same(run, pages, model_pages(&run->model));
	for (size_t i = 0; i < ARRAY_SIZE(searched); i++)
		step_search(run, 0, LAST_PAGE, searched[i]);
	for (unsigned int mark = 0; mark < NR_MARKS; mark++)
		same(run, dax_tree_marked(run->tree, (enum dax_mark)mark),
			model_next(&run->model, 0, LAST_PAGE,
				WORD_MARK(mark)) != NULL);
}

static void step(struct run *run)
{
	const uint64_t index = some_index(run);
	/* Times of growth and times of decline, so that nodes come and go. */
	const uint64_t insertions = run->step / 500 % 2 ? 2 : 5;
	const uint64_t call = random_below(&run->random, 16);

	if (call < insertions)
		step_insert(run, index);
	else if (call < 8)
		step_erase(run, index);
	else if (call < 9)
		step_replace(run, index);
	else if (call < 13)
		step_mark(run, index);
	else if (call < 14)
		step_load(run, index);
	else
		step_search(run, index, some_index(run),
			call == 14 ? WORD_VALUE : WORD_MARK(some_mark(run)));
}

static void erase_all(struct run *run)
{
	while (run->model.count) {
		const struct model_entry *entry =
			&run->model.entries[random_below(
				&run->random, run->model.count)];
		const uint64_t index = entry->last;

		same(run, dax_tree_erase(run->tree, index, entry->word), 0);
		model_erase(&run->model, index, entry->word);
	}
	verify(run);
	same(run, dax_tree_nr_nodes(run->tree), 0);
}

static void a_tree_answers_as_a_sorted_array_does(void **state)
{
	static struct run run;

	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		run = (struct run){.tree = tree_of(state), .seed = seed};
		run.random = random_of(seed);
		for (run.step = 0; run.step < STEPS; run.step++) {
			step(&run);
			if (run.step % STEPS_BETWEEN_VERIFICATIONS == 0)
				verify(&run);
		}
		verify(&run);
		erase_all(&run);
		assert_int_equal(tree_blocks(*state), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TREE_TEST(a_tree_answers_as_a_sorted_array_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

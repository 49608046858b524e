/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Threads insert, erase, replace and mark in so few places that nodes die and
 * are born all the time. Every word inserted is erased once or still there at
 * the end; the tree is sound, and empties to nothing.
 */
#include "fixture.h"
#include "support/crew.h"
#include "support/random.h"

#define THREADS 4
#define TURNS	4000

/* Who made a word, and which of his it is; replaced words are new ones. */
#define PFN_MAKER_SHIFT 40

/* Owner: the thread; read after the join. */
struct tally {
	uint64_t made; /* inserted, or put by a replace */
	uint64_t unmade;
	uint64_t next_pfn;
};

struct churn {
	struct dax_tree *tree;
	uint64_t seed;
	struct tally tallies[THREADS];
};

/* Two neighbouring nodes, and one that only the root has in common. */
static uint64_t some_index(struct random *random)
{
	static const uint64_t places[] = {
		0, 1, PMD_PAGES, PMD_PAGES + 1, PUD_PAGES, -1};

	return places[random_below(random, ARRAY_SIZE(places))];
}

static uint64_t new_word(
	struct crew_member *me, struct tally *tally, unsigned int flag)
{
	const uint64_t maker = (uint64_t)me->number << PFN_MAKER_SHIFT;

	return dax_make_entry(maker | tally->next_pfn++, flag);
}

static void turn(struct crew_member *me, struct random *random)
{
	struct churn *churn = me->shared;
	struct tally *tally = &churn->tallies[me->number];
	const uint64_t index = some_index(random);
	const enum dax_mark mark =
		random_below(random, 2) ? DAX_MARK_DIRTY : DAX_MARK_TOWRITE;
	const uint64_t seen = dax_tree_load(churn->tree, index);
	uint64_t word;

	switch (random_below(random, 8)) {
	case 0:
		word = new_word(me, tally, DAX_PMD);
		tally->made += !dax_tree_insert(churn->tree, index, word);
		break;
	case 1:
	case 2:
		word = new_word(me, tally, DAX_PTE);
		tally->made += !dax_tree_insert(churn->tree, index, word);
		break;
	case 3:
	case 4:
		if (seen)
			tally->unmade +=
				!dax_tree_erase(churn->tree, index, seen);
		break;
	case 5:
		word = new_word(
			me, tally, dax_is_pmd_entry(seen) ? DAX_PMD : DAX_PTE);
		if (seen && !dax_tree_replace(churn->tree, index, seen,
				    word | (seen & WORD_MARKS))) {
			tally->unmade++;
			tally->made++;
		}
		break;
	case 6:
		dax_tree_set_mark(churn->tree, index, mark);
		break;
	default:
		dax_tree_clear_mark(churn->tree, index, mark);
	}
}

static void churns(struct crew_member *me)
{
	struct churn *churn = me->shared;
	struct random random = random_of(churn->seed * THREADS + me->number);

	for (int i = 0; i < TURNS; i++)
		turn(me, &random);
}

static uint64_t words_left(const struct churn *churn)
{
	uint64_t left = 0;

	for (int i = 0; i < THREADS; i++)
		left += churn->tallies[i].made - churn->tallies[i].unmade;
	return left;
}

/* Counts what a search finds, and erases it. */
static void assert_left_and_erase(struct dax_tree *tree, uint64_t expected)
{
	struct dax_xas xas;
	uint64_t found = 0;
	uint64_t word;

	dax_xas_init(&xas, tree, 0, LAST_PAGE);
	dax_xas_for_each (&xas, word) {
		assert_int_equal(dax_tree_erase(tree, xas.index, word), 0);
		found++;
	}
	assert_int_equal(found, expected);
	assert_int_equal(dax_tree_nr_nodes(tree), 0);
	assert_false(dax_tree_marked(tree, DAX_MARK_DIRTY));
}

#define assert_sound(tree)                                                     \
	do {                                                                   \
		uint64_t pages_;                                               \
		const char *wrong_ = tree_verify(tree, &pages_);               \
                                                                               \
		if (wrong_)                                                    \
			fail_msg("%s", wrong_);                                \
	} while (0)

static void nothing_is_lost_and_nothing_is_left(void **state)
{
	for (uint64_t seed = 1; seed <= 4; seed++) {
		struct churn churn = {.tree = tree_of(state), .seed = seed};
		struct crew crew;

		crew_start(&crew, THREADS, churns, &churn);
		crew_assert_content(&crew);
		assert_sound(churn.tree);
		assert_left_and_erase(churn.tree, words_left(&churn));
		assert_int_equal(tree_blocks(*state), 0);
	}
}

/* Nodes of one place die and are born under a reader's feet. */
static void comes_and_goes(struct crew_member *me)
{
	struct churn *churn = me->shared;
	const uint64_t index = me->number < 2 ? PMD_PAGES : LAST_PAGE;
	const uint64_t word = pte(me->number + 1);
	struct tally *tally = &churn->tallies[me->number];

	for (int i = 0; i < TURNS; i++) {
		tally->made += !dax_tree_insert(churn->tree, index, word);
		tally->unmade += !dax_tree_erase(churn->tree, index, word);
	}
	tally->unmade += !dax_tree_erase(churn->tree, index, word);
}

static void a_lone_entry_may_come_and_go_in_several_threads(void **state)
{
	struct churn churn = {.tree = tree_of(state)};
	struct crew crew;

	crew_start(&crew, THREADS, comes_and_goes, &churn);
	crew_assert_content(&crew);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(
			churn.tallies[i].made, churn.tallies[i].unmade);
	assert_tree(churn.tree, 0);
	assert_int_equal(dax_tree_nr_nodes(churn.tree), 0);
}

/* The sizes fight for the same indices. */
static void wants_its_size(struct crew_member *me)
{
	struct churn *churn = me->shared;
	const struct entry_size *size = &entry_sizes[me->number % ENTRY_SIZES];
	const uint64_t word = dax_make_entry(me->number + 1, size->flag);
	struct tally *tally = &churn->tallies[me->number];

	for (int i = 0; i < TURNS; i++) {
		if (dax_tree_insert(churn->tree, PUD_PAGES + 1, word))
			continue;
		tally->made++;
		crew_check(
			me, dax_tree_load(churn->tree, PUD_PAGES + 1) == word);
		crew_check(
			me, !dax_tree_erase(churn->tree, PUD_PAGES + 1, word));
	}
}

static void an_index_has_one_entry_whatever_the_sizes(void **state)
{
	struct churn churn = {.tree = tree_of(state)};
	uint64_t made = 0;
	struct crew crew;

	crew_start(&crew, ENTRY_SIZES, wants_its_size, &churn);
	crew_assert_content(&crew);
	for (int i = 0; i < THREADS; i++)
		made += churn.tallies[i].made;
	assert_true(made > 0);
	assert_tree(churn.tree, 0);
	assert_int_equal(dax_tree_nr_nodes(churn.tree), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TREE_TEST(nothing_is_lost_and_nothing_is_left),
		TREE_TEST(a_lone_entry_may_come_and_go_in_several_threads),
		TREE_TEST(an_index_has_one_entry_whatever_the_sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

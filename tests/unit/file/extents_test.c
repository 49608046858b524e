/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Extents are a map from pages to blocks: whatever is inserted and removed, in
 * whatever order, they say of each page what an array would say, and stay
 * sorted and merged.
 */
#include <string.h>

#include "file/file.h"
#include "support/cmocka.h"
#include "support/random.h"

#define PAGES  64
#define ROUNDS 20000

/* What each page has: 0, or a block and a type. */
struct model {
	uint64_t block[PAGES];
	enum dax_iomap_type type[PAGES];
};

static void assert_same(
	const struct extents *extents, const struct model *model)
{
	for (uint64_t page = 0; page < PAGES; page++) {
		const struct extent found = extents_at(extents, page);

		assert_int_equal(found.type, model->type[page]);
		if (found.type != DAX_IOMAP_HOLE)
			assert_int_equal(found.block, model->block[page]);
		assert_int_equal(found.lblk, page);
	}
	assert_int_equal(extents_at(extents, PAGES).type, DAX_IOMAP_HOLE);
}

static void assert_sorted_and_merged(const struct extents *extents)
{
	for (size_t i = 1; i < extents->nr; i++) {
		const struct extent *left = &extents->list[i - 1];
		const struct extent *right = &extents->list[i];

		assert_true(left->lblk + left->nr <= right->lblk);
		assert_false(left->lblk + left->nr == right->lblk &&
			     left->block + left->nr == right->block &&
			     left->type == right->type);
	}
}

static void model_set(struct model *model, struct extent extent)
{
	for (uint64_t i = 0; i < extent.nr && extent.lblk + i < PAGES; i++) {
		model->block[extent.lblk + i] = extent.block + i;
		model->type[extent.lblk + i] = extent.type;
	}
}

static struct extent any_extent(struct random *random)
{
	const uint64_t lblk = random_below(random, PAGES);

	return (struct extent){
		.lblk = lblk,
		.nr = 1 + random_below(random, PAGES - lblk),
		/* Near each other, so that they merge at times. */
		.block = 1000 + lblk + PAGES * random_below(random, 2),
		.type = 1 + (enum dax_iomap_type)random_below(random, 2),
	};
}

static void extents_say_what_an_array_would_say(void **state)
{
	struct random random = random_of(1);
	struct extents extents = {0};
	struct model model = {0};

	(void)state;
	for (unsigned int i = 0; i < ROUNDS; i++) {
		struct extent extent = any_extent(&random);

		assert_int_equal(extents_reserve(&extents, 3), 0);
		extents_remove(&extents, extent.lblk, extent.nr);
		if (random_below(&random, 2))
			extents_insert(&extents, extent);
		else
			extent.type = DAX_IOMAP_HOLE;
		model_set(&model, extent);
		assert_sorted_and_merged(&extents);
		assert_same(&extents, &model);
	}
	sync_free(extents.list);
}

static void removing_to_the_end_leaves_what_is_before(void **state)
{
	struct extents extents = {0};

	(void)state;
	assert_int_equal(extents_reserve(&extents, 3), 0);
	extents_insert(&extents, (struct extent){4, 8, 100, DAX_IOMAP_MAPPED});
	extents_remove(&extents, 6, UINT64_MAX);
	assert_int_equal(extents.nr, 1);
	assert_int_equal(extents_at(&extents, 5).nr, 1);
	assert_int_equal(extents_at(&extents, 6).type, DAX_IOMAP_HOLE);
	sync_free(extents.list);
}

static void collapsing_moves_what_follows_and_merges(void **state)
{
	struct extents extents = {0};

	(void)state;
	assert_int_equal(extents_reserve(&extents, 4), 0);
	extents_insert(&extents, (struct extent){0, 4, 100, DAX_IOMAP_MAPPED});
	extents_insert(&extents, (struct extent){4, 4, 50, DAX_IOMAP_MAPPED});
	extents_insert(&extents, (struct extent){8, 4, 104, DAX_IOMAP_MAPPED});
	extents_collapse(&extents, 4, 4);
	assert_int_equal(extents.nr, 1);
	assert_int_equal(extents_at(&extents, 7).block, 107);
	sync_free(extents.list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(extents_say_what_an_array_would_say),
		cmocka_unit_test(removing_to_the_end_leaves_what_is_before),
		cmocka_unit_test(collapsing_moves_what_follows_and_merges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One thread, many calls in a random order: a mapping is an array of entries
 * that do not overlap, with a few rules. Each call is compared with such an
 * array at once, the whole content now and then.
 */
#include "scene.h"

#include "support/random.h"

enum { ENTRIES = 64, STEPS = 12000, STEPS_BETWEEN_CHECKS = 50 };

struct model_entry {
	dax_pgoff_t start;
	dax_entry_t entry;
	bool marks[2];
};

struct model {
	struct scene *scene;
	struct random random;
	unsigned int nr_unmaps;
	unsigned int nr_entries;
	struct model_entry entries[ENTRIES];
};

/* ---- the array ---- */

static uint64_t pages_of(const struct model_entry *e)
{
	return (uint64_t)1 << dax_entry_order(e->entry);
}

static dax_pgoff_t last_of(const struct model_entry *e)
{
	return e->start + pages_of(e) - 1;
}

/* The first entry that reaches into [first, last]. */
static struct model_entry *find(
	struct model *model, dax_pgoff_t first, dax_pgoff_t last)
{
	for (unsigned int i = 0; i < model->nr_entries; i++) {
		struct model_entry *e = &model->entries[i];

		if (e->start <= last && last_of(e) >= first)
			return e;
	}
	return NULL;
}

static struct model_entry *at(struct model *model, dax_pgoff_t index)
{
	return find(model, index, index);
}

static void drop(struct model *model, struct model_entry *e)
{
	*e = model->entries[--model->nr_entries];
}

static struct model_entry *add(
	struct model *model, dax_pgoff_t index, unsigned int order)
{
	struct model_entry *e = &model->entries[model->nr_entries++];
	const unsigned int size = order == DAX_PUD_ORDER ? DAX_PUD
				  : order		 ? DAX_PMD
							 : DAX_PTE;

	assert_true(model->nr_entries <= ENTRIES);
	*e = (struct model_entry){.start = index >> order << order,
		.entry = dax_make_entry(0, DAX_EMPTY | size)};
	return e;
}

/* ---- choices ---- */

/* Few places, so that calls meet: some close together, some at the ends. */
static dax_pgoff_t any_index(struct model *model)
{
	const dax_pgoff_t bases[] = {0, BASE, 2 * BASE, PUD_PAGES,
		PUD_PAGES + BASE, (dax_pgoff_t)1 << 40, -PUD_PAGES, -PMD_PAGES};
	const uint64_t offsets[] = {0, 1, 2, PMD_PAGES - 1};

	return bases[random_below(&model->random, ARRAY_SIZE(bases))] +
	       offsets[random_below(&model->random, ARRAY_SIZE(offsets))];
}

static unsigned int any_order(struct model *model)
{
	const uint64_t roll = random_below(&model->random, 20);

	if (!roll)
		return DAX_PUD_ORDER;
	return roll < 7 ? DAX_PMD_ORDER : DAX_PTE_ORDER;
}

static bool maybe(struct model *model)
{
	return random_below(&model->random, 2);
}

/* ---- calls, with what they should do ---- */

static bool is_hollow(dax_entry_t entry)
{
	return dax_is_zero_entry(entry) || dax_is_empty_entry(entry);
}

/* The entry that a grab should return, or NULL when it should fall back. */
static struct model_entry *grab_in_model(
	struct model *model, dax_pgoff_t index, unsigned int order)
{
	const dax_pgoff_t start = index >> order << order;
	const dax_pgoff_t last = start + (((uint64_t)1 << order) - 1);
	struct model_entry *e = find(model, start, last);

	if (!e)
		return add(model, index, order);
	if (dax_entry_order(e->entry) < order)
		return NULL;
	if (dax_entry_order(e->entry) == order || !is_hollow(e->entry))
		return e;
	model->nr_unmaps += dax_is_zero_entry(e->entry);
	drop(model, e);
	return add(model, index, order);
}

static void insert(
	struct model *model, dax_pgoff_t index, struct model_entry *e)
{
	const unsigned int size = dax_is_pud_entry(e->entry)   ? DAX_PUD
				  : dax_is_pmd_entry(e->entry) ? DAX_PMD
							       : DAX_PTE;
	const unsigned int zero = maybe(model) ? DAX_ZERO_PAGE : 0;
	const unsigned int dirty = maybe(model) ? DAX_DIRTY : 0;
	const unsigned int cow = random_below(&model->random, 4) ? 0 : DAX_COW;
	const uint64_t pfn = zero ? 0 : PFN(random_next(&model->random));
	const bool was_zero = dax_is_zero_entry(e->entry);
	dax_entry_t entry = e->entry;

	dax_insert_entry(
		model->scene->m, index, &entry, pfn, size | zero | dirty | cow);
	model->nr_unmaps += cow || (was_zero && !zero);
	if (cow || is_hollow(e->entry))
		e->entry = dax_make_entry(pfn, size | zero);
	e->marks[DAX_MARK_DIRTY] |= dirty != 0;
	e->marks[DAX_MARK_TOWRITE] |= dirty && cow;
	assert_int_equal(entry, e->entry);
}

static void do_grab(struct model *model)
{
	const dax_pgoff_t index = any_index(model);
	const unsigned int order = any_order(model);
	struct model_entry *e = grab_in_model(model, index, order);
	dax_entry_t entry = 0;

	assert_int_equal(
		dax_grab_mapping_entry(model->scene->m, index, order, &entry),
		e ? 0 : -EEXIST);
	if (!e)
		return;
	assert_int_equal(entry, e->entry);
	if (maybe(model))
		insert(model, index, e);
	assert_true(scene_locked(model->scene, index));
	dax_unlock_entry(model->scene->m, index, e->entry);
}

static void do_lock(struct model *model)
{
	const dax_pgoff_t index = any_index(model);
	const struct model_entry *e = at(model, index);
	struct dax_mapping *m = model->scene->m;
	dax_entry_t entry = 0;
	int error;

	if (maybe(model))
		error = dax_lock_entry(m, index, &entry);
	else if (maybe(model))
		error = dax_trylock_entry(m, index, &entry);
	else
		error = dax_lock_entry_timed(m, index, 1, &entry);
	assert_int_equal(error, e ? 0 : -ENOENT);
	assert_int_equal(entry, e ? e->entry : 0);
	if (!e)
		return;
	assert_int_equal(dax_trylock_entry(m, index, &entry), -EBUSY);
	assert_int_equal(dax_lock_entry_timed(m, index, 0, &entry), -ETIMEDOUT);
	dax_unlock_entry(m, index, entry);
}

static enum dax_lock_result lock_in_model(const struct model_entry *e)
{
	if (!e)
		return DAX_LOCK_ABSENT;
	if (dax_is_zero_entry(e->entry))
		return DAX_LOCK_ZERO;
	return dax_is_empty_entry(e->entry) ? DAX_LOCK_EMPTY : DAX_LOCK_TAKEN;
}

static void do_lock_for_page(struct model *model)
{
	const dax_pgoff_t index = any_index(model);
	const struct model_entry *e = at(model, index);
	struct dax_mapping *m = model->scene->m;
	dax_entry_t cookie;
	uint64_t pfn;

	assert_int_equal(dax_lock_mapping_entry(m, index, &cookie, &pfn),
		lock_in_model(e));
	if (lock_in_model(e) != DAX_LOCK_TAKEN)
		return;
	assert_int_equal(cookie, e->entry);
	assert_int_equal(pfn, dax_to_pfn(e->entry) + index - e->start);
	dax_unlock_entry(m, index, cookie);
}

static void do_get_and_put(struct model *model)
{
	const dax_pgoff_t index = any_index(model);
	const struct model_entry *e = at(model, index);
	const dax_entry_t entry =
		dax_get_unlocked_entry(model->scene->m, index);

	assert_int_equal(entry, e ? e->entry : 0);
	dax_put_unlocked_entry(model->scene->m, index, entry,
		maybe(model) ? DAX_WAKE_NEXT : DAX_WAKE_ALL);
}

static void do_drop(struct model *model)
{
	const dax_pgoff_t index = any_index(model);
	struct model_entry *e = at(model, index);
	const bool clean = e && !e->marks[0] && !e->marks[1];

	if (maybe(model)) {
		assert_int_equal(dax_invalidate_mapping_entry_sync(
					 model->scene->m, index),
			clean);
		if (clean)
			drop(model, e);
	} else {
		assert_int_equal(
			dax_delete_mapping_entry(model->scene->m, index),
			e != NULL);
		if (e)
			drop(model, e);
	}
}

static void do_drop_range(struct model *model)
{
	const dax_pgoff_t first = any_index(model);
	const dax_pgoff_t last =
		first > UINT64_MAX - 2 * PMD_PAGES
			? UINT64_MAX
			: first + random_below(&model->random, 2 * PMD_PAGES);
	struct model_entry *e;
	uint64_t dropped = 0;

	while ((e = find(model, first, last))) {
		drop(model, e);
		dropped++;
	}
	assert_int_equal(dax_delete_mapping_range(model->scene->m, first, last),
		dropped);
}

static void do_mark(struct model *model)
{
	const dax_pgoff_t index = any_index(model);
	const enum dax_mark mark = (enum dax_mark)maybe(model);
	const bool set = maybe(model);
	struct dax_tree *tree = dax_mapping_tree(model->scene->m);
	struct model_entry *e = at(model, index);

	if (set)
		assert_int_equal(
			dax_tree_set_mark(tree, index, mark), e != NULL);
	else
		dax_tree_clear_mark(tree, index, mark);
	if (e)
		e->marks[mark] = set;
}

static void step(struct model *model)
{
	static void (*const calls[])(struct model * model) = {do_grab, do_grab,
		do_grab, do_grab, do_grab, do_lock, do_lock_for_page,
		do_get_and_put, do_drop, do_drop, do_mark, do_drop_range};

	calls[random_below(&model->random, ARRAY_SIZE(calls))](model);
}

/* ---- comparing ---- */

static void assert_same_entry(struct model *model, struct model_entry *e)
{
	assert_int_equal(scene_entry(model->scene, e->start), e->entry);
	assert_int_equal(scene_entry(model->scene, last_of(e)), e->entry);
	for (int mark = 0; mark < 2; mark++)
		assert_int_equal(scene_marked(model->scene, e->start,
					 (enum dax_mark)mark),
			e->marks[mark]);
}

static unsigned int count_marked(struct model *model, enum dax_mark mark)
{
	unsigned int count = 0;
	struct dax_xas xas;
	uint64_t word;

	dax_xas_init(&xas, dax_mapping_tree(model->scene->m), 0, UINT64_MAX);
	dax_xas_for_each_marked (&xas, word, mark)
		count++;
	return count;
}

static void assert_same(struct model *model)
{
	unsigned int marked[2] = {0};
	uint64_t nr_pages = 0;

	assert_null(scene_wrong(model->scene));
	for (unsigned int i = 0; i < model->nr_entries; i++) {
		assert_same_entry(model, &model->entries[i]);
		nr_pages += pages_of(&model->entries[i]);
		for (int mark = 0; mark < 2; mark++)
			marked[mark] += model->entries[i].marks[mark];
	}
	/* With no pages but those of the model, nothing else is there. */
	assert_int_equal(dax_mapping_nrpages(model->scene->m), nr_pages);
	for (int mark = 0; mark < 2; mark++)
		assert_int_equal(
			count_marked(model, (enum dax_mark)mark), marked[mark]);
	assert_int_equal(model->scene->unmapped.calls, model->nr_unmaps);
}

static void play(struct scene *scene, uint64_t seed)
{
	struct model model = {.scene = scene,
		.random = random_of(seed),
		.nr_unmaps = scene->unmapped.calls};

	for (unsigned int i = 0; i < STEPS; i++) {
		step(&model);
		if (i % STEPS_BETWEEN_CHECKS == 0)
			assert_same(&model);
	}
	assert_same(&model);
	assert_int_equal(dax_delete_mapping_range(scene->m, 0, UINT64_MAX),
		model.nr_entries);
	assert_int_equal(dax_tree_nr_nodes(dax_mapping_tree(scene->m)), 0);
}

static void random_calls_do_what_an_array_would_do(void **state)
{
	for (uint64_t seed = 1; seed <= 8; seed++) {
		print_message("seed %u\n", (unsigned int)seed);
		play(*state, seed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE_TEST(random_calls_do_what_an_array_would_do),
	};

	return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}

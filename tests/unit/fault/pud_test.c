/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * PUD leaves, of a file system that has them: each of a file's two PUDs is a
 * hole or one aligned extent. What takes a leaf away or makes it read-only does
 * so for all of its bytes, and smaller leaves come in its place.
 */
#include <sys/mman.h>

#include "support/disk.h"

#define PUD_PAGES ((uint64_t)1 << DAX_PUD_ORDER)
#define PUD	  (PUD_PAGES * PAGE)
#define PUDS	  2
#define SIZE	  (PUDS * PUD)

struct vast {
	struct dax_space *space;
	char *bytes;
	enum dax_iomap_type types[PUDS];
	uint64_t flushed; /* pages, by the last flush */
	struct dax_mm *mm;
};

/* ---- a file system ---- */

static uint64_t vast_size(void *owner)
{
	(void)owner;
	return SIZE;
}

static int vast_begin(
	void *owner, enum dax_iomap_use use, struct dax_iomap *iomap)
{
	struct vast *vast = owner;
	enum dax_iomap_type *type = &vast->types[iomap->pos / PUD];

	if (use == DAX_IOMAP_WRITE)
		*type = DAX_IOMAP_MAPPED;
	iomap->type = *type;
	iomap->pfn = PUD_PAGES + (iomap->pos >> DAX_PAGE_SHIFT);
	return 0;
}

static void vast_end(void *owner, const struct dax_iomap *iomap)
{
	(void)owner;
	(void)iomap;
}

static int vast_access(void *owner, uint64_t pfn, uint64_t nr, void **address)
{
	struct vast *vast = owner;

	(void)nr;
	*address = vast->bytes + ((pfn - PUD_PAGES) << DAX_PAGE_SHIFT);
	return 0;
}

static int vast_flush(void *owner, uint64_t pfn, uint64_t nr)
{
	struct vast *vast = owner;

	(void)pfn;
	vast->flushed = nr;
	return 0;
}

static int vast_sync(void *owner)
{
	(void)owner;
	return 0;
}

static bool vast_make_room(void *owner)
{
	(void)owner;
	return false;
}

static const struct dax_space_ops vast_ops = {
	.size = vast_size,
	.iomap_begin = vast_begin,
	.iomap_end = vast_end,
	.direct_access = vast_access,
	.flush = vast_flush,
	.sync = vast_sync,
	.make_room = vast_make_room,
};

static int setup(void **state)
{
	static const struct dax_space_limits limits = {
		.max_order = DAX_PUD_ORDER};
	static struct vast vast;
	const struct dax_space_params params = {
		.ops = &vast_ops, .owner = &vast, .limits = &limits};

	vast = (struct vast){.types = {DAX_IOMAP_MAPPED, DAX_IOMAP_HOLE}};
	/* Sparse: what is not touched takes no memory. */
	vast.bytes = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert_ptr_not_equal(vast.bytes, MAP_FAILED);
	assert_int_equal(dax_space_new(&params, &vast.space), 0);
	assert_int_equal(dax_mm_new(NULL, &vast.mm), 0);
	*state = &vast;
	return 0;
}

static int teardown(void **state)
{
	struct vast *vast = *state;
	const char *wrong = dax_mm_verify(vast->mm);

	if (!wrong)
		wrong = dax_mapping_verify(dax_space_mapping(vast->space));
	if (wrong)
		fail_msg("%s", wrong);
	dax_mm_delete(&vast->mm);
	dax_space_delete(&vast->space);
	munmap(vast->bytes, SIZE);
	return 0;
}

/* ---- what tests say ---- */

static uint64_t map(
	struct vast *vast, uint64_t pos, uint64_t len, unsigned int flags)
{
	const struct dax_vma_params params = {.space = vast->space,
		.pos = pos,
		.len = len,
		.flags = flags,
		.skew = pos % PUD};
	uint64_t address = 0;

	assert_int_equal(dax_mmap(vast->mm, &params, &address), 0);
	return address;
}

static uint64_t map_all(struct vast *vast)
{
	return map(vast, 0, SIZE, DISK_SHARED);
}

static void store(struct vast *vast, uint64_t address, char byte)
{
	assert_int_equal(dax_store(vast->mm, address, &byte, 1), 0);
}

static char load(struct dax_mm *mm, uint64_t address)
{
	char byte = 0;

	assert_int_equal(dax_load(mm, address, &byte, 1), 0);
	return byte;
}

/* DAX_LEAF_PUD, DAX_LEAF_PMD; 0: a page, or none. */
static unsigned int size_of_leaf(struct vast *vast, uint64_t address)
{
	struct dax_leaf leaf;

	dax_mm_leaf(vast->mm, address, &leaf);
	return leaf.flags & (DAX_LEAF_PUD | DAX_LEAF_PMD);
}

static bool is_shown(struct vast *vast, uint64_t address)
{
	struct dax_leaf leaf;

	dax_mm_leaf(vast->mm, address, &leaf);
	return leaf.flags;
}

static uint64_t word(struct vast *vast, dax_pgoff_t index)
{
	return dax_tree_load(
		dax_mapping_tree(dax_space_mapping(vast->space)), index);
}

/* ---- tests ---- */

static void one_fault_shows_a_pud(void **state)
{
	struct vast *vast = *state;
	const uint64_t a = map_all(vast);
	struct dax_leaf leaf;
	enum dax_cause cause;

	assert_int_equal(dax_fault(vast->mm, a + PAGE, DAX_STORE, &cause),
		DAX_FAULT_NOPAGE);
	assert_int_equal(cause, DAX_CAUSE_NONE);
	assert_true(dax_is_pud_entry(word(vast, PUD_PAGES - 1)));
	dax_mm_leaf(vast->mm, a + PUD - 1, &leaf);
	assert_int_equal(leaf.flags, DAX_LEAF_PRESENT | DAX_LEAF_PUD |
					     DAX_LEAF_WRITE | DAX_LEAF_DIRTY);
	assert_int_equal(leaf.pfn, 2 * PUD_PAGES - 1);
	store(vast, a, 1);
	store(vast, a + PMD + 5, 2);
	store(vast, a + PUD - 1, 3);
	assert_int_equal(vast->bytes[0], 1);
	assert_int_equal(vast->bytes[PMD + 5], 2);
	assert_int_equal(vast->bytes[PUD - 1], 3);
}

static void populating_takes_one_fault_for_a_pud(void **state)
{
	struct vast *vast = *state;
	const uint64_t a = map_all(vast);

	assert_int_equal(dax_madvise(vast->mm, a, SIZE, DAX_POPULATE_WRITE), 0);
	assert_int_equal(size_of_leaf(vast, a), DAX_LEAF_PUD);
	assert_int_equal(size_of_leaf(vast, a + PUD), DAX_LEAF_PUD);
}

static void a_pud_that_is_not_all_in_the_area_is_shown_as_pmds(void **state)
{
	struct vast *vast = *state;
	const uint64_t a = map(vast, 0, PUD - PMD, DISK_SHARED);

	store(vast, a, 1);
	assert_int_equal(size_of_leaf(vast, a), DAX_LEAF_PMD);
	assert_true(dax_is_pmd_entry(word(vast, 0)));
}

static void an_area_without_huge_pages_has_none(void **state)
{
	struct vast *vast = *state;
	const uint64_t a = map(vast, 0, PUD, DISK_SHARED | DAX_VMA_NOHUGEPAGE);

	store(vast, a, 1);
	assert_true(is_shown(vast, a));
	assert_int_equal(size_of_leaf(vast, a), 0);
}

/* Its entry is there already: two sizes of leaf, one entry. */
static void smaller_leaves_show_parts_of_a_pud_entry(void **state)
{
	struct vast *vast = *state;
	const uint64_t a = map_all(vast);
	const uint64_t part = map(vast, PMD, PMD, DISK_SHARED);
	const uint64_t small = map(vast, PMD + PAGE, PAGE, DISK_SHARED);

	store(vast, a + PMD + PAGE, 4);
	assert_int_equal(load(vast->mm, part + PAGE), 4);
	assert_int_equal(load(vast->mm, small), 4);
	store(vast, small, 5);
	store(vast, part, 6);
	assert_int_equal(size_of_leaf(vast, part), DAX_LEAF_PMD);
	assert_int_equal(load(vast->mm, a + PMD + PAGE), 5);
	assert_int_equal(load(vast->mm, a + PMD), 6);
	assert_true(dax_is_pud_entry(word(vast, 0)));
}

static void smaller_entries_keep_a_pud_out(void **state)
{
	struct vast *vast = *state;
	const uint64_t small = map(vast, PMD, PAGE, DISK_SHARED);
	const uint64_t a = map_all(vast);

	store(vast, small, 1);
	assert_int_equal(load(vast->mm, a + PMD), 1);
	assert_int_equal(size_of_leaf(vast, a + PMD), 0);
	store(vast, a, 2);
	assert_int_equal(size_of_leaf(vast, a), DAX_LEAF_PMD);
}

/* The PUD fault leaves an empty entry behind, and falls back. */
static void a_hole_is_shown_as_pmds_of_zeros(void **state)
{
	struct vast *vast = *state;
	const uint64_t a = map_all(vast) + PUD;
	struct dax_leaf leaf;

	assert_int_equal(load(vast->mm, a + PMD), 0);
	dax_mm_leaf(vast->mm, a + PMD, &leaf);
	assert_int_equal(
		leaf.flags, DAX_LEAF_PRESENT | DAX_LEAF_PMD | DAX_LEAF_ZERO);
	assert_true(dax_is_zero_entry(word(vast, PUD_PAGES + PMD_PAGES)));
	assert_int_equal(word(vast, PUD_PAGES), 0);
	store(vast, a + PMD, 7);
	assert_int_equal(load(vast->mm, a + PMD), 7);
	assert_int_equal(vast->bytes[PUD + PMD], 7);
}

static void protecting_a_part_takes_the_leaf_away(void **state)
{
	struct vast *vast = *state;
	const uint64_t a = map_all(vast);

	store(vast, a, 1);
	store(vast, a + PMD, 2);
	assert_int_equal(
		dax_mprotect(vast->mm, a + PMD, PMD, DAX_PROT_READ), 0);
	assert_false(is_shown(vast, a));
	assert_int_equal(dax_store(vast->mm, a + PMD, "x", 1), -EFAULT);
	assert_int_equal(load(vast->mm, a + PMD), 2);
	assert_int_equal(size_of_leaf(vast, a + PMD), DAX_LEAF_PMD);
	store(vast, a, 3);
}

static void protecting_all_of_it_keeps_the_leaf(void **state)
{
	struct vast *vast = *state;
	const uint64_t a = map_all(vast);

	store(vast, a, 1);
	assert_int_equal(dax_mprotect(vast->mm, a, PUD, DAX_PROT_READ), 0);
	assert_int_equal(size_of_leaf(vast, a), DAX_LEAF_PUD);
	assert_int_equal(dax_store(vast->mm, a + PMD, "x", 1), -EFAULT);
	assert_int_equal(
		dax_mprotect(vast->mm, a, PUD, DAX_PROT_READ_WRITE), 0);
	store(vast, a + PMD, 2);
	assert_int_equal(size_of_leaf(vast, a), DAX_LEAF_PUD);
}

static void unmapping_a_part_takes_the_leaf_away(void **state)
{
	struct vast *vast = *state;
	const uint64_t a = map_all(vast);
	char byte;

	store(vast, a, 1);
	assert_int_equal(dax_munmap(vast->mm, a + PUD - PAGE, PAGE), 0);
	assert_false(is_shown(vast, a));
	assert_int_equal(dax_load(vast->mm, a + PUD - PAGE, &byte, 1), -EFAULT);
	assert_int_equal(load(vast->mm, a), 1);
	assert_int_equal(size_of_leaf(vast, a), DAX_LEAF_PMD);
}

static void what_takes_a_page_away_takes_the_leaf(void **state)
{
	struct vast *vast = *state;
	const uint64_t a = map_all(vast);

	store(vast, a, 1);
	dax_unmap_mapping_pages(vast->space, PUD_PAGES - 1, 1);
	assert_false(is_shown(vast, a));
	assert_int_equal(load(vast->mm, a), 1);
	assert_int_equal(dax_madvise(vast->mm, a, PAGE, DAX_DONTNEED), 0);
	assert_false(is_shown(vast, a + PUD - 1));
}

static void an_fsync_of_a_page_cleans_the_pud(void **state)
{
	struct vast *vast = *state;
	const uint64_t a = map_all(vast);
	struct dax_leaf leaf;

	store(vast, a, 1);
	assert_int_equal(dax_fsync_range(vast->space, 5, 5), 0);
	assert_int_equal(vast->flushed, PUD_PAGES);
	dax_mm_leaf(vast->mm, a, &leaf);
	assert_int_equal(leaf.flags, DAX_LEAF_PRESENT | DAX_LEAF_PUD);
	store(vast, a + PUD - 1, 2);
	vast->flushed = 0;
	assert_int_equal(dax_fsync_range(vast->space, 0, 0), 0);
	assert_int_equal(vast->flushed, PUD_PAGES);
}

static void a_private_store_copies_one_page_of_a_pud(void **state)
{
	struct vast *vast = *state;
	const uint64_t a = map_all(vast);
	const uint64_t c = map(vast, 0, PUD, DAX_VMA_WRITE);

	store(vast, a + PMD, 1);
	assert_int_equal(load(vast->mm, c + PMD), 1);
	assert_int_equal(size_of_leaf(vast, c), DAX_LEAF_PUD);
	store(vast, c + PMD, 2);
	assert_int_equal(load(vast->mm, c + PMD), 2);
	assert_int_equal(load(vast->mm, a + PMD), 1);
	assert_false(is_shown(vast, c));
}

static void a_child_faults_for_its_own_puds(void **state)
{
	struct vast *vast = *state;
	const uint64_t a = map_all(vast);
	struct dax_leaf leaf;
	struct dax_mm *child;

	store(vast, a + PMD, 1);
	assert_int_equal(dax_mm_fork(vast->mm, &child), 0);
	dax_mm_leaf(child, a, &leaf);
	assert_int_equal(leaf.flags, 0);
	assert_int_equal(load(child, a + PMD), 1);
	dax_mm_leaf(child, a, &leaf);
	assert_true(leaf.flags & DAX_LEAF_PUD);
	assert_null(dax_mm_verify(child));
	dax_mm_delete(&child);
}

#define PUD_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PUD_TEST(one_fault_shows_a_pud),
		PUD_TEST(populating_takes_one_fault_for_a_pud),
		PUD_TEST(a_pud_that_is_not_all_in_the_area_is_shown_as_pmds),
		PUD_TEST(an_area_without_huge_pages_has_none),
		PUD_TEST(smaller_leaves_show_parts_of_a_pud_entry),
		PUD_TEST(smaller_entries_keep_a_pud_out),
		PUD_TEST(a_hole_is_shown_as_pmds_of_zeros),
		PUD_TEST(protecting_a_part_takes_the_leaf_away),
		PUD_TEST(protecting_all_of_it_keeps_the_leaf),
		PUD_TEST(unmapping_a_part_takes_the_leaf_away),
		PUD_TEST(what_takes_a_page_away_takes_the_leaf),
		PUD_TEST(an_fsync_of_a_page_cleans_the_pud),
		PUD_TEST(a_private_store_copies_one_page_of_a_pud),
		PUD_TEST(a_child_faults_for_its_own_puds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

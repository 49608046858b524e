/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Blocks from slabs are zeroed and nobody else's, slabs that are empty go back,
 * and huge pages come when there is use for them. The checked library has
 * malloc for its nodes; so slabs are called by their own names here.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/sync.h"
#include "support/crew.h"

#define SLAB_BYTES ((size_t)2 << 20)
#define BLOCK	   ((size_t)4160)
#define A_SLAB	   (SLAB_BYTES / BLOCK)

static struct sync_cache cache;

static unsigned char *blocks[4 * A_SLAB];
static size_t nr_blocks;

static int setup(void **state)
{
	(void)state;
	cache = (struct sync_cache)SYNC_CACHE_INIT(cache, BLOCK - 8, 16);
	nr_blocks = 0;
	return 0;
}

static void take(size_t nr)
{
	for (; nr; nr--) {
		blocks[nr_blocks] = slab_alloc(&cache);
		assert_non_null(blocks[nr_blocks++]);
	}
}

static void give_back(size_t nr)
{
	for (; nr; nr--)
		slab_free(&cache, blocks[--nr_blocks]);
}

static int teardown(void **state)
{
	(void)state;
	give_back(nr_blocks);
	if (cache.spare && munmap(cache.spare, SLAB_BYTES))
		return -1;
	return cache.nr_slabs > 1;
}

static bool block_is(const unsigned char *block, unsigned char value)
{
	return *block == value && !memcmp(block, block + 1, BLOCK - 1);
}

static void blocks_are_zeroed_aligned_and_apart(void **state)
{
	(void)state;
	take(2 * A_SLAB + 1);
	for (size_t i = 0; i < nr_blocks; i++) {
		assert_int_equal((uintptr_t)blocks[i] % SYNC_CACHE_LINE, 0);
		assert_true(block_is(blocks[i], 0));
		memset(blocks[i], 1 + (int)(i % 255), BLOCK);
	}
	for (size_t i = 0; i < nr_blocks; i++)
		assert_true(block_is(blocks[i], (unsigned char)(1 + i % 255)));
}

static void blocks_that_came_back_are_zeroed(void **state)
{
	(void)state;
	take(A_SLAB);
	for (size_t i = 0; i < nr_blocks; i++)
		memset(blocks[i], 0xa5, BLOCK);
	give_back(A_SLAB);
	take(A_SLAB);
	for (size_t i = 0; i < nr_blocks; i++)
		assert_true(block_is(blocks[i], 0));
	assert_int_equal(cache.nr_slabs, 1);
}

static void empty_slabs_go_back_but_for_one(void **state)
{
	(void)state;
	take(4 * A_SLAB);
	assert_int_equal(cache.nr_slabs, 4);
	give_back(2 * A_SLAB);
	assert_int_equal(cache.nr_slabs, 3);
	give_back(2 * A_SLAB);
	assert_int_equal(cache.nr_slabs, 1);
	assert_non_null(cache.spare);
}

static void the_edge_of_a_slab_costs_no_mapping(void **state)
{
	const struct slab *spare;

	(void)state;
	take(A_SLAB + 1);
	give_back(1);
	spare = cache.spare;
	assert_non_null(spare);
	take(1);
	assert_null(cache.spare);
	give_back(1);
	assert_ptr_equal(cache.spare, spare);
}

/* So that some slabs become empty where many come and go. */
static void the_slab_last_given_back_to_is_used_first(void **state)
{
	unsigned char *first;

	(void)state;
	take(2 * A_SLAB + 1);
	first = blocks[0];
	slab_free(&cache, first);
	blocks[0] = slab_alloc(&cache);
	assert_ptr_equal(blocks[0], first);
}

static void without_memory_there_is_no_block(void **state)
{
	struct rlimit old, none;
	void *refused;

	(void)state;
	/* Sanitizers map memory of their own, and end if they get none. */
	if (SYNC_ASAN || SYNC_TSAN)
		skip();
	take(A_SLAB);
	assert_int_equal(getrlimit(RLIMIT_AS, &old), 0);
	none = (struct rlimit){.rlim_cur = 0, .rlim_max = old.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_AS, &none), 0);
	refused = slab_alloc(&cache);
	setrlimit(RLIMIT_AS, &old);
	assert_null(refused);
	assert_int_equal(cache.nr_slabs, 1);
	take(1);
}

/* ---- huge pages ---- */

static bool kernel_has_huge_pages(void)
{
	return !access("/sys/kernel/mm/transparent_hugepage/enabled", F_OK);
}

/* Does the kernel know that it may back @block with huge pages? */
static bool may_be_huge(const void *block)
{
	FILE *smaps = fopen("/proc/self/smaps", "r");
	char line[512];
	unsigned long start, end;
	bool here = false, huge = false;

	assert_non_null(smaps);
	while (fgets(line, sizeof(line), smaps)) {
		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			here = (uintptr_t)block - start < end - start;
		if (here && !strncmp(line, "VmFlags:", 8))
			huge = strstr(line, " hg");
	}
	fclose(smaps);
	return huge;
}

static void only_who_has_much_takes_huge_pages(void **state)
{
	(void)state;
	if (!kernel_has_huge_pages())
		skip();
	take(A_SLAB);
	assert_false(may_be_huge(blocks[0]));
	take(1);
	assert_true(may_be_huge(blocks[A_SLAB]));
}

/* ---- threads ---- */

#define THREADS 4
#define KEPT	(A_SLAB / 2)
#define ROUNDS	20

/* Blocks that lie between the threads: one puts in, any takes out. */
static _Atomic(unsigned char *) shelf[KEPT];

static void give_what_another_took(struct crew_member *me)
{
	for (size_t i = 0; i < ROUNDS * KEPT; i++) {
		unsigned char *block = slab_alloc(&cache);

		crew_check(me, block && block_is(block, 0));
		if (!block)
			return;
		memset(block, 1 + (int)me->number, BLOCK);
		block = atomic_exchange(&shelf[i % KEPT], block);
		if (!block)
			continue;
		crew_check(me, block_is(block, *block));
		slab_free(&cache, block);
	}
}

static void any_thread_gives_back_what_another_took(void **state)
{
	struct crew crew;

	(void)state;
	crew_start(&crew, THREADS, give_what_another_took, NULL);
	crew_assert_content(&crew);
	for (size_t i = 0; i < KEPT; i++)
		slab_free(&cache, shelf[i]);
	assert_int_equal(cache.nr_slabs, 1);
}

#define SLAB_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SLAB_TEST(blocks_are_zeroed_aligned_and_apart),
		SLAB_TEST(blocks_that_came_back_are_zeroed),
		SLAB_TEST(empty_slabs_go_back_but_for_one),
		SLAB_TEST(the_edge_of_a_slab_costs_no_mapping),
		SLAB_TEST(the_slab_last_given_back_to_is_used_first),
		SLAB_TEST(without_memory_there_is_no_block),
		SLAB_TEST(only_who_has_much_takes_huge_pages),
		SLAB_TEST(any_thread_gives_back_what_another_took),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

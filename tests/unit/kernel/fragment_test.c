/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The fragment with threads, as it is explored in tests/explore/kernel_test.c:
 * an entry has one owner, whatever becomes of it, and all threads get to their
 * end.
 */
#include "unit/kernel/fragment.h"

#include "support/crew.h"
#include "support/random.h"

#define THREADS 4
#define ROUNDS	2000
#define PAGES	((1UL << PMD_ORDER) + 2) /* a huge one and two */

struct world {
	struct file file;
	/* Of an entry, by its first page; guarded by its lock bit. */
	unsigned long uses[PAGES];
};

static void use(struct crew_member *me, unsigned long index, void *entry)
{
	struct world *world = me->shared;
	unsigned long *uses =
		&world->uses[index >> entry_order(entry) << entry_order(entry)];

	/* Others would be seen between the two. */
	(*uses)++;
	sched_yield();
	crew_check(me, (*uses)-- == 1);
}

static void grab_use_unlock(
	struct crew_member *me, unsigned long index, unsigned int order)
{
	struct world *world = me->shared;
	void *entry;
	const int error = grab_entry(&world->file, index, order, &entry);

	crew_check(me, !error || (order && error == -EEXIST));
	if (error)
		return;
	use(me, index, entry);
	unlock_entry(&world->file, index, entry);
}

static void do_anything(struct crew_member *me)
{
	struct random random = random_of(me->number);
	struct world *world = me->shared;

	for (unsigned int i = 0; i < ROUNDS; i++) {
		const unsigned long index = random_below(&random, 3);

		switch (random_below(&random, 6)) {
		case 0:
			invalidate_entry(&world->file, index);
			break;
		case 1:
			grab_use_unlock(me, 0, PMD_ORDER);
			break;
		case 2:
			dirty_entry(&world->file, index);
			break;
		case 3:
			write_back(&world->file);
			break;
		default:
			grab_use_unlock(me, index, 0);
		}
	}
}

static unsigned long count_pages(struct file *file)
{
	XA_STATE(xas, &file->pages, 0);
	unsigned long nr = 0;
	void *entry;

	xas_lock_irq(&xas);
	xas_for_each (&xas, entry, ULONG_MAX) {
		assert_false(entry_is_locked(entry));
		nr += 1UL << entry_order(entry);
	}
	xas_unlock_irq(&xas);
	return nr;
}

static void entries_have_one_owner(void **state)
{
	static struct world world;
	struct crew crew;

	(void)state;
	file_init(&world.file, NO_BUG);
	crew_start(&crew, THREADS, do_anything, &world);
	crew_assert_content(&crew);
	assert_int_equal(count_pages(&world.file), world.file.nrpages);
	xa_destroy(&world.file.pages);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_have_one_owner),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

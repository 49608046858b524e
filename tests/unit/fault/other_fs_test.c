/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Another file system can be plugged in: the fault handlers know files only
 * through iomap, and end what they began whatever happens in between.
 */
#include "space/space.h"
#include "support/crew.h"
#include "support/disk.h"

/* One PMD of memory, all of it a file's, or none. */
struct ram {
	struct dax_space *space;
	char *bytes;
	enum dax_iomap_type type;
	unsigned int begun;
	unsigned int ended;
	int begin_error;
	int access_error;
	bool dirty;	      /* metadata, until synced */
	bool spoiled_by_sync; /* a page, not the first */
	bool spoiled;
	void (*meanwhile)(struct ram *ram); /* NULL: nothing */
	_Atomic(bool) inside;		    /* a fault */
	_Atomic(bool) got_in;		    /* who took blocks away */
	struct dax_mm *mm;
	uint64_t address;
};

static uint64_t ram_size(void *owner)
{
	(void)owner;
	return PMD;
}

static int ram_begin(
	void *owner, enum dax_iomap_use use, struct dax_iomap *iomap)
{
	struct ram *ram = owner;

	if (ram->begin_error)
		return ram->begin_error;
	ram->begun++;
	if (ram->meanwhile)
		ram->meanwhile(ram);
	if (use == DAX_IOMAP_WRITE)
		ram->type = DAX_IOMAP_MAPPED;
	iomap->type = ram->type;
	iomap->flags = ram->dirty ? DAX_IOMAP_DIRTY : 0;
	iomap->pfn = PMD_PAGES + (iomap->pos >> DAX_PAGE_SHIFT);
	return 0;
}

static void ram_end(void *owner, const struct dax_iomap *iomap)
{
	struct ram *ram = owner;

	(void)iomap;
	ram->ended++;
}

static int ram_access(void *owner, uint64_t pfn, uint64_t nr, void **address)
{
	struct ram *ram = owner;

	*address = ram->bytes + ((pfn - PMD_PAGES) << DAX_PAGE_SHIFT);
	if (ram->spoiled && nr > 1)
		return -EHWPOISON;
	return ram->access_error;
}

static int ram_flush(void *owner, uint64_t pfn, uint64_t nr)
{
	(void)owner;
	(void)pfn;
	(void)nr;
	return 0;
}

static int ram_sync(void *owner)
{
	struct ram *ram = owner;

	ram->dirty = false;
	ram->spoiled = ram->spoiled_by_sync;
	return 0;
}

static bool ram_make_room(void *owner)
{
	(void)owner;
	return false;
}

static const struct dax_space_ops ram_ops = {
	.size = ram_size,
	.iomap_begin = ram_begin,
	.iomap_end = ram_end,
	.direct_access = ram_access,
	.flush = ram_flush,
	.sync = ram_sync,
	.make_room = ram_make_room,
};

static void ram_init(struct ram *ram)
{
	const struct dax_space_params params = {.ops = &ram_ops, .owner = ram};

	*ram = (struct ram){.type = DAX_IOMAP_HOLE};
	ram->bytes = sync_alloc(PMD, PAGE);
	assert_non_null(ram->bytes);
	assert_int_equal(dax_space_new(&params, &ram->space), 0);
}

static void ram_fini(struct ram *ram)
{
	assert_int_equal(ram->begun, ram->ended);
	dax_space_delete(&ram->space);
	sync_free(ram->bytes);
}

static struct dax_mm *ram_map(
	struct ram *ram, unsigned int flags, uint64_t *address)
{
	const struct dax_vma_params params = {
		.space = ram->space, .len = PMD, .flags = flags};
	struct dax_mm *mm;

	assert_int_equal(dax_mm_new(NULL, &mm), 0);
	assert_int_equal(dax_mmap(mm, &params, address), 0);
	return mm;
}

static void bytes_go_to_another_file_system(void **state)
{
	struct ram ram;
	struct dax_mm *mm;
	uint64_t a;
	char byte = 1;

	(void)state;
	ram_init(&ram);
	mm = ram_map(&ram, DISK_SHARED, &a);
	assert_int_equal(dax_load(mm, a + 3, &byte, 1), 0);
	assert_int_equal(byte, 0);
	assert_int_equal(dax_store(mm, a + 3, "x", 1), 0);
	assert_int_equal(ram.bytes[3], 'x');
	assert_int_equal(dax_msync(mm, a, PMD), 0);
	assert_null(dax_mm_verify(mm));
	dax_mm_delete(&mm);
	ram_fini(&ram);
}

/* Which signal each error becomes, for pages and for PMDs. */
static void errors_of_a_file_system_become_signals(void **state)
{
	static const struct {
		int begin_error;
		int access_error;
		int expected;
	} rows[] = {
		{-ENOSPC, 0, -EIO},
		{-EIO, 0, -EIO},
		{-ENOMEM, 0, -ENOMEM},
		{0, -EHWPOISON, -EHWPOISON},
		{0, -ENXIO, -EIO},
	};

	(void)state;
	for (size_t i = 0; i < 2 * ARRAY_SIZE(rows); i++) {
		const size_t row = i / 2;
		struct ram ram;
		struct dax_mm *mm;
		uint64_t a;

		ram_init(&ram);
		mm = ram_map(&ram,
			DISK_SHARED | (i % 2 ? DAX_VMA_NOHUGEPAGE : 0), &a);
		ram.begin_error = rows[row].begin_error;
		ram.access_error = rows[row].access_error;
		assert_int_equal(dax_store(mm, a, "x", 1), rows[row].expected);
		ram.begin_error = ram.access_error = 0;
		assert_int_equal(dax_store(mm, a, "x", 1), 0);
		dax_mm_delete(&mm);
		ram_fini(&ram);
	}
}

/* What is asked for is good, whatever became of its neighbours since. */
static void a_page_that_fails_during_the_sync_is_not_its_neighbours(
	void **state)
{
	struct ram ram;
	struct dax_mm *mm;
	uint64_t a;

	(void)state;
	ram_init(&ram);
	mm = ram_map(&ram, DISK_SHARED | DAX_VMA_SYNC, &a);
	ram.dirty = ram.spoiled_by_sync = true;
	assert_int_equal(dax_store(mm, a, "x", 1), 0);
	assert_true(ram.spoiled);
	assert_int_equal(ram.bytes[0], 'x');
	dax_mm_delete(&mm);
	ram_fini(&ram);
}

static bool somebody_waits(struct rwsem *sem)
{
	bool waits;

	sync_lock_acquire(&sem->guard);
	waits = sem->first;
	sync_lock_release(&sem->guard);
	return waits;
}

static void until_somebody_is_kept_out(struct ram *ram)
{
	atomic_store(&ram->inside, true);
	crew_await(somebody_waits(&ram->space->invalidate) ||
		   atomic_load(&ram->got_in));
	atomic_store(&ram->inside, false);
}

static void fault_or_take_blocks_away(struct crew_member *me)
{
	struct ram *ram = me->shared;

	if (me->number == 0) {
		crew_check(me, !dax_store(ram->mm, ram->address, "x", 1));
		return;
	}
	crew_await(atomic_load(&ram->inside));
	dax_filemap_invalidate_lock(ram->space);
	crew_check(me, !atomic_load(&ram->inside));
	atomic_store(&ram->got_in, true);
	dax_filemap_invalidate_unlock(ram->space);
}

static void nobody_takes_blocks_away_during_a_fault(void **state)
{
	struct crew crew;
	struct ram ram;

	(void)state;
	ram_init(&ram);
	ram.meanwhile = until_somebody_is_kept_out;
	ram.mm = ram_map(&ram, DISK_SHARED, &ram.address);
	crew_start(&crew, 2, fault_or_take_blocks_away, &ram);
	crew_assert_content(&crew);
	dax_mm_delete(&ram.mm);
	ram_fini(&ram);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_go_to_another_file_system),
		cmocka_unit_test(nobody_takes_blocks_away_during_a_fault),
		cmocka_unit_test(errors_of_a_file_system_become_signals),
		cmocka_unit_test(
			a_page_that_fails_during_the_sync_is_not_its_neighbours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Each allocation of a call fails in turn: the call says so, or does without;
 * nothing is left locked or half done, and the same call then succeeds.
 */
#include "base/sync.h"
#include "support/disk.h"

struct deed {
	const char *name;
	unsigned int flags; /* of the area it works on */
	int (*perform)(struct disk *disk, uint64_t address);
};

static int load_hole(struct disk *disk, uint64_t address)
{
	char byte;

	return dax_load(disk->mm, address, &byte, 1);
}

static int store(struct disk *disk, uint64_t address)
{
	return dax_store(disk->mm, address, "x", 1);
}

static int downgrade(struct disk *disk, uint64_t address)
{
	const int error = load_hole(disk, address);

	return error ? error
		     : dax_madvise(
			       disk->mm, address, 4 * PMD, DAX_POPULATE_WRITE);
}

static int split_areas(struct disk *disk, uint64_t address)
{
	return dax_mprotect(disk->mm, address + PAGE, PAGE, DAX_PROT_READ);
}

static int unmap_inside(struct disk *disk, uint64_t address)
{
	return dax_munmap(disk->mm, address + PAGE, PAGE);
}

static int fork_and_store(struct disk *disk, uint64_t address)
{
	struct dax_mm *child;
	int error = store(disk, address);

	if (!error)
		error = dax_mm_fork(disk->mm, &child);
	if (error)
		return error;
	error = dax_store(child, address, "y", 1);
	dax_mm_delete(&child);
	return error;
}

static int punch_inside(struct disk *disk, uint64_t address)
{
	const int error = store(disk, address);

	return error ? error
		     : dax_file_change(disk->file, DAX_FILE_PUNCH, PAGE, PAGE);
}

static int zero_inside(struct disk *disk, uint64_t address)
{
	const int error = store(disk, address);

	return error ? error
		     : dax_file_change(disk->file, DAX_FILE_ZERO, PAGE, PAGE);
}

static int cut(struct disk *disk, uint64_t address)
{
	const int error = store(disk, address);

	return error ? error : dax_file_truncate(disk->file, PAGE + 1);
}

/* Stores before and after it: what is shared is dirty, and moves. */
static int with_clone(struct disk *disk, uint64_t address,
	int (*perform)(struct disk *disk, uint64_t address))
{
	struct dax_file *clone;
	int error = store(disk, address);

	if (!error)
		error = dax_file_clone(disk->file, &clone);
	if (error)
		return error;
	error = perform(disk, address);
	if (!error)
		error = store(disk, address);
	dax_file_delete(&clone);
	return error;
}

static int clone_and_store(struct disk *disk, uint64_t address)
{
	return with_clone(disk, address, store);
}

static int write_byte(struct disk *disk, uint64_t address)
{
	size_t done;

	(void)address;
	return dax_file_write(disk->file, 0, "w", 1, &done);
}

static int clone_and_write(struct disk *disk, uint64_t address)
{
	return with_clone(disk, address, write_byte);
}

static int punch_part(struct disk *disk, uint64_t address)
{
	(void)address;
	return dax_file_change(disk->file, DAX_FILE_PUNCH, 1, PAGE + 1);
}

static int clone_and_punch(struct disk *disk, uint64_t address)
{
	return with_clone(disk, address, punch_part);
}

static int zero_part(struct disk *disk, uint64_t address)
{
	(void)address;
	return dax_file_change(disk->file, DAX_FILE_ZERO, 1, PAGE + 1);
}

static int clone_and_zero(struct disk *disk, uint64_t address)
{
	return with_clone(disk, address, zero_part);
}

static const struct deed deeds[] = {
	{"load a hole", DISK_SHARED, load_hole},
	{"load a hole by pages", DISK_SHARED | DAX_VMA_NOHUGEPAGE, load_hole},
	{"store", DISK_SHARED, store},
	{"store by pages", DISK_SHARED | DAX_VMA_NOHUGEPAGE, store},
	{"store, synchronously", DISK_SHARED | DAX_VMA_SYNC, store},
	{"store to a copy", DAX_VMA_WRITE, store},
	{"downgrade", DAX_VMA_WRITE, downgrade},
	{"split areas", DISK_SHARED, split_areas},
	{"unmap inside", DISK_SHARED, unmap_inside},
	{"fork", DAX_VMA_WRITE, fork_and_store},
	{"punch", DISK_SHARED, punch_inside},
	{"zero", DISK_SHARED, zero_inside},
	{"truncate", DISK_SHARED, cut},
	{"clone and store", DISK_SHARED, clone_and_store},
	{"clone and write", DISK_SHARED, clone_and_write},
	{"clone and punch", DISK_SHARED, clone_and_punch},
	{"clone and zero", DISK_SHARED, clone_and_zero},
};

/* False: it did not need an n-th allocation. */
static bool fails_cleanly(const struct deed *deed, uint64_t n, void **state)
{
	struct disk *disk;
	uint64_t address;
	bool failed;
	int error;

	disk_setup(state);
	disk = *state;
	address = disk_map(disk, 0, 4 * PMD, deed->flags);
	sync_alloc_fail_nth(n);
	error = deed->perform(disk, address);
	failed = error == -ENOMEM;
	sync_alloc_fail_nth(0);
	if (error && !failed)
		fail_msg("%s: allocation %d: error %d", deed->name, (int)n,
			error);
	assert_int_equal(deed->perform(disk, address), 0);
	disk_teardown(state);
	return failed;
}

static void a_call_without_memory_leaves_no_trace(void **state)
{
	enum { MORE_THAN_ANY_NEEDS = 30 };
	unsigned int failures = 0;

	for (size_t i = 0; i < ARRAY_SIZE(deeds); i++) {
		const uint64_t live = sync_alloc_live();

		/* A failure may be done without, and the next one not. */
		for (uint64_t n = 1; n < MORE_THAN_ANY_NEEDS; n++)
			failures += fails_cleanly(&deeds[i], n, state);
		sync_rcu_barrier();
		assert_in_range(sync_alloc_live(), live, live + 1);
	}
	assert_true(failures > 2 * ARRAY_SIZE(deeds));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_without_memory_leaves_no_trace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

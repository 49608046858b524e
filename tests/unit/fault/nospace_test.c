/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whatever space is left, from none on: a call that needs more says so or does
 * with less, what was in the file before is still there, and no block is lost.
 */
#include "support/disk.h"

#define FEW    12
#define ENOUGH (5 * PMD_PAGES)

static int store_pages(struct disk *disk, uint64_t address)
{
	int error = 0;

	for (uint64_t i = 0; i < 6 && !error; i++)
		error = dax_store(disk->mm, address + i * PAGE, "s", 1);
	return error;
}

static int store_far_apart(struct disk *disk, uint64_t address)
{
	int error = 0;

	for (uint64_t i = 0; i < 4 && !error; i++)
		error = dax_store(disk->mm, address + i * PMD, "s", 1);
	return error;
}

static int write_pages(struct disk *disk, uint64_t address)
{
	char bytes[6 * PAGE];
	size_t done;

	(void)address;
	memset(bytes, 'w', sizeof(bytes));
	return dax_file_write(disk->file, 0, bytes, sizeof(bytes), &done);
}

static int allocate_pages(struct disk *disk, uint64_t address)
{
	(void)address;
	return dax_file_change(disk->file, DAX_FILE_ALLOCATE, 0, 8 * PAGE);
}

static int zero_pages(struct disk *disk, uint64_t address)
{
	(void)address;
	return dax_file_change(disk->file, DAX_FILE_ZERO, 100, 8 * PAGE);
}

/* Each of these has to copy a page, as the clone has it, too. */
static int with_clone(struct disk *disk, uint64_t address,
	int (*perform)(struct disk *disk, uint64_t address))
{
	struct dax_file *clone;
	int error = dax_file_clone(disk->file, &clone);

	if (error)
		return error;
	error = perform(disk, address);
	dax_file_delete(&clone);
	return error;
}

static int truncate_inside(struct disk *disk, uint64_t address)
{
	(void)address;
	return dax_file_truncate(disk->file, 3 * PMD + 1);
}

static int clone_and_truncate(struct disk *disk, uint64_t address)
{
	return with_clone(disk, address, truncate_inside);
}

static int store_shared(struct disk *disk, uint64_t address)
{
	return dax_store(disk->mm, address + 3 * PMD, "c", 1);
}

static int clone_and_store(struct disk *disk, uint64_t address)
{
	return with_clone(disk, address, store_shared);
}

static int write_shared(struct disk *disk, uint64_t address)
{
	size_t done;

	(void)address;
	return dax_file_write(disk->file, 3 * PMD, "c", 1, &done);
}

static int clone_and_write(struct disk *disk, uint64_t address)
{
	return with_clone(disk, address, write_shared);
}

static int punch_inside(struct disk *disk, uint64_t address)
{
	(void)address;
	return dax_file_change(disk->file, DAX_FILE_PUNCH, 3 * PMD + 1, 1);
}

static int clone_and_punch(struct disk *disk, uint64_t address)
{
	return with_clone(disk, address, punch_inside);
}

static int zero_inside(struct disk *disk, uint64_t address)
{
	(void)address;
	return dax_file_change(disk->file, DAX_FILE_ZERO, 3 * PMD + 1, 1);
}

static int clone_and_zero(struct disk *disk, uint64_t address)
{
	return with_clone(disk, address, zero_inside);
}

static const struct deed {
	const char *name;
	unsigned int more_flags;
	int (*perform)(struct disk *disk, uint64_t address);
} deeds[] = {
	{"store", 0, store_pages},
	{"store by pages", DAX_VMA_NOHUGEPAGE, store_pages},
	{"store synchronously", DAX_VMA_SYNC, store_pages},
	{"store far apart", 0, store_far_apart},
	{"write", 0, write_pages},
	{"allocate", 0, allocate_pages},
	{"zero", 0, zero_pages},
	{"truncate a clone", 0, clone_and_truncate},
	{"store to a clone", 0, clone_and_store},
	{"write to a clone", 0, clone_and_write},
	{"punch a clone", 0, clone_and_punch},
	{"zero a clone", 0, clone_and_zero},
};

static void assert_kept(struct disk *disk, const struct deed *deed)
{
	char byte = 0;
	size_t done = 0;

	assert_int_equal(
		dax_file_read(disk->file, 3 * PMD, &byte, 1, &done), 0);
	assert_int_equal(done, 1);
	if (byte != 'k' && byte != 'c' && byte != 's')
		fail_msg("%s: lost a byte", deed->name);
}

/* How it ended with @left blocks free. */
static int perform_with(const struct deed *deed, uint64_t left, void **state)
{
	struct dax_file *rest;
	struct disk *disk;
	uint64_t address;
	int error;

	disk_setup(state);
	disk = *state;
	disk_write(disk, 3 * PMD, 'k', PAGE);
	address = disk_map_all(disk, deed->more_flags);
	rest = disk_fill(disk, left);
	error = deed->perform(disk, address);
	assert_true(!error || error == -EIO || error == -ENOSPC);
	assert_kept(disk, deed);
	dax_file_delete(&rest);
	disk_sync(disk);
	assert_int_equal(deed->perform(disk, address), 0);
	disk_teardown(state);
	return error;
}

static void whatever_space_is_left_nothing_is_lost(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(deeds); i++) {
		/* None is too little for all but who freed blocks himself. */
		assert_int_not_equal(perform_with(&deeds[i], 0, state), 0);
		for (uint64_t left = 1; left < FEW; left++)
			perform_with(&deeds[i], left, state);
		assert_int_equal(perform_with(&deeds[i], ENOUGH, state), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whatever_space_is_left_nothing_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* The statistics of a file system are those of all its files. */
#include "support/disk.h"

static void all_files_of_a_file_system_count_together(void **state)
{
	struct disk *disk = *state;
	struct dax_fs_params params = {.map = disk->map};
	struct dax_stats_counts counts;
	struct dax_file *files[2];
	struct dax_fs *fs;

	assert_int_equal(dax_stats_new(&params.stats), 0);
	assert_int_equal(dax_fs_new(&params, &fs), 0);
	for (unsigned int i = 0; i < 2; i++) {
		struct dax_mapping *m;
		dax_entry_t entry;

		assert_int_equal(dax_file_new(fs, &files[i]), 0);
		m = dax_space_mapping(dax_file_space(files[i]));
		assert_int_equal(dax_grab_mapping_entry(m, 0, 0, &entry), 0);
		dax_unlock_entry(m, 0, entry);
	}
	dax_stats_read(params.stats, &counts);
	assert_int_equal(counts.locks, 2);
	for (unsigned int i = 0; i < 2; i++)
		dax_file_delete(&files[i]);
	dax_fs_delete(&fs);
	dax_stats_delete(&params.stats);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			all_files_of_a_file_system_count_together, disk_setup,
			disk_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "support/areas.h"

int areas_map(struct dax_mm *mm, struct dax_file *file, uint64_t len,
	unsigned int nr, uint64_t *areas)
{
	static const unsigned int flags[AREAS] = {
		[AREA_HUGE] = DISK_SHARED,
		[AREA_SMALL] = DISK_SHARED | DAX_VMA_NOHUGEPAGE,
		[AREA_SYNC] = DISK_SHARED | DAX_VMA_SYNC,
		[AREA_PRIVATE] = DAX_VMA_WRITE,
	};
	struct dax_vma_params params = {
		.space = dax_file_space(file), .len = len};
	int error = 0;

	for (unsigned int area = 0; area < nr && !error; area++) {
		params.flags = flags[area];
		error = dax_mmap(mm, &params, &areas[area]);
	}
	return error;
}

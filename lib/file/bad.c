/* SPDX-License-Identifier: BSD-3-Clause */
/* Pages that cannot be read. */
#include "file/file.h"

void dax_fs_set_poison(struct dax_fs *fs, uint64_t pfn, uint64_t nr)
{
	DAX_REQUIRE(fs);
	pmem_poison_forget(&fs->poison);
	pmem_poison_set(&fs->poison, pfn, nr);
}

void dax_fs_memory_failure(struct dax_fs *fs, uint64_t pfn, uint64_t nr)
{
	DAX_REQUIRE(fs);
	pmem_poison_set(&fs->poison, pfn, nr);
	dax_unmap_pages(fs->pgmap, pfn, nr);
}

int file_repair(struct dax_file *file, struct run run)
{
	return file_device_error(pmem_poison_clear(
		&file->fs->poison, block_pfn(run.block), run.nr));
}

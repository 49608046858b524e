/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * When metadata is durable. There is one running transaction; a file remembers
 * the last one that changed it, and is clean when that is not the running one.
 * Blocks that were freed may be found again after a crash in the file that had
 * them, so nobody gets them before the commit. Nor while they are pinned, as a
 * block may be that a write moved, when its other owners go.
 *
 * Models: fs/jbd2 as ext4 in ordered mode uses it, v6.12. Differs: nothing is
 * written, nothing commits by itself.
 */
#include "file/file.h"

void journal_add(struct dax_file *file)
{
	sync_lock_acquire(&file->fs->lock);
	file->changed = file->fs->running;
	sync_lock_release(&file->fs->lock);
}

void file_set_size(struct dax_file *file, uint64_t size)
{
	if (size == dax_file_size(file))
		return;
	/* Both at once: whoever sees a size finds the file dirty until that is
	 * durable, and a commit has both or neither. */
	sync_lock_acquire(&file->fs->lock);
	/* Relaxed: see the field. */
	sync_store(&file->size, size, memory_order_relaxed);
	file->changed = file->fs->running;
	sync_lock_release(&file->fs->lock);
}

bool journal_is_dirty(struct dax_file *file)
{
	bool dirty;

	sync_lock_acquire(&file->fs->lock);
	dirty = file->changed == file->fs->running;
	sync_lock_release(&file->fs->lock);
	return dirty;
}

static void release_pending(struct dax_fs *fs)
{
	for (uint64_t i = 0; fs->nr_pending && i < fs->nr_blocks; i++) {
		if (fs->blocks[i] != BLOCK_PENDING ||
			!dax_page_is_idle(fs->pgmap, block_pfn(i)))
			continue;
		fs->blocks[i] = BLOCK_FREE;
		fs->nr_pending--;
		fs->nr_free++;
	}
}

static void commit_locked(struct dax_fs *fs)
{
	sync_lock_assert_held(&fs->lock);
	fs->running++;
	release_pending(fs);
}

void journal_commit(struct dax_fs *fs)
{
	sync_lock_acquire(&fs->lock);
	commit_locked(fs);
	sync_lock_release(&fs->lock);
}

bool journal_make_room(struct dax_fs *fs)
{
	bool has_room;

	sync_lock_acquire(&fs->lock);
	if (fs->nr_pending)
		commit_locked(fs);
	/* Also if another has committed since our caller found no block. */
	has_room = fs->nr_free;
	sync_lock_release(&fs->lock);
	return has_room;
}

/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WRITEBACK_WRITEBACK_H
#define WRITEBACK_WRITEBACK_H

#include "daxlock/writeback.h"

/*
 * For entries that are about to go, where the kernel forgets what is dirty: its
 * traces have no event for them, and neither have ours. An error is also kept
 * for the next fsync, and the entry is as dirty as before.
 */

/* The caller has locked @entry. */
int writeback_locked(
	struct dax_space *space, dax_pgoff_t index, dax_entry_t entry);
/* The entry at @index, if there is one and it is dirty. */
int writeback_entry(struct dax_space *space, dax_pgoff_t index);

#endif

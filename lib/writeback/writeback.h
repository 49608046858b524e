/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WRITEBACK_WRITEBACK_H
#define WRITEBACK_WRITEBACK_H

#include "daxlock/writeback.h"

/* Makes @entry, which the caller has locked, clean. An error is also kept for
 * the next fsync, and the entry is dirty as before. */
int writeback_locked(
	struct dax_space *space, dax_pgoff_t index, dax_entry_t entry);

#endif

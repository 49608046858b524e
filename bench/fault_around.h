/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Linux maps the 16 pages around a read fault if they are in the page cache
 * ("fault-around"), so that a walk through a file on tmpfs takes a fault for
 * every tenth page or so. DAX has no page cache and maps one page a fault.
 *
 * Areas that userfaultfd may write-protect are left out of it, since each page
 * of them may differ (mm/memory.c, uffd_disable_fault_around()). Registering
 * an area and then protecting nothing has no other effect: no fault is handed
 * to the process. It needs no privilege.
 */
#ifndef BENCH_FAULT_AROUND_H
#define BENCH_FAULT_AROUND_H

#include <stddef.h>

/* Returns a descriptor, to be closed when the area is gone, or -errno; Linux
 * 5.19 can do it, for memory files and tmpfs. */
int fault_around_stop(void *address, size_t len);

#endif

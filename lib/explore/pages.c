/* SPDX-License-Identifier: BSD-3-Clause */
/* Pages that nearly every search writes to, got from the kernel at once. To get
 * each when it is first written to takes several times as long; in the first
 * search of a process, which may last a millisecond, that is a sixth. */
#include <sys/mman.h>
#include <unistd.h>

#include "explore/engine.h"

/* Since Linux 5.14. Without, they come one by one. */
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

static void get(const void *address, size_t size, size_t page)
{
	const uintptr_t first = (uintptr_t)address & -page;
	const uintptr_t end = ((uintptr_t)address + size + page - 1) & -page;

	(void)madvise((void *)first, end - first, MADV_POPULATE_WRITE);
}

void pages_get(void)
{
	static struct spans spans;
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);

	if (spans.nr)
		return;
	span_add(&spans, steps, 64 * sizeof(steps[0]));
	coroutine_pages(&spans);
	objects_pages(&spans);
	memory_pages(&spans);
	checkpoint_pages(&spans);
	rest_pages(&spans);
	for (unsigned int i = 0; i < spans.nr; i++)
		get(spans.at[i].address, spans.at[i].size, page);
}

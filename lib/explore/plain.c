/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Plain accesses. Code compiled with -fsanitize=thread calls these before each
 * access that others might see; TSan's own library, which would define them,
 * is not linked. Accesses that are not compiled so are not seen.
 */
#include <stddef.h>

#include "explore/races.h"

#pragma GCC visibility push(default)

static inline void plain(
	const void *start, size_t size, bool writes, const void *place)
{
	if (__builtin_expect(races_on, 0))
		races_plain(start, size, writes, place);
}

#define DEFINE_ACCESS(name, bytes, writes)                                     \
	void __tsan_##name(void *address);                                     \
	void __tsan_##name(void *address)                                      \
	{                                                                      \
		plain(address, bytes, writes, __builtin_return_address(0));    \
	}
#define DEFINE_ACCESSES(bytes)                                                 \
	DEFINE_ACCESS(read##bytes, bytes, false)                               \
	DEFINE_ACCESS(write##bytes, bytes, true)                               \
	DEFINE_ACCESS(unaligned_read##bytes, bytes, false)                     \
	DEFINE_ACCESS(unaligned_write##bytes, bytes, true)

DEFINE_ACCESSES(1)
DEFINE_ACCESSES(2)
DEFINE_ACCESSES(4)
DEFINE_ACCESSES(8)
DEFINE_ACCESSES(16)

void __tsan_read_range(void *address, long size);
void __tsan_read_range(void *address, long size)
{
	plain(address, (size_t)size, false, __builtin_return_address(0));
}

void __tsan_write_range(void *address, long size);
void __tsan_write_range(void *address, long size)
{
	plain(address, (size_t)size, true, __builtin_return_address(0));
}

/* Which functions were called is for TSan's reports. */
void __tsan_func_entry(void *caller);
void __tsan_func_entry(void *caller)
{
	(void)caller;
}

/* Called with nothing, but gcc's built-in declaration has a pointer. */
void __tsan_func_exit(void *unused);
void __tsan_func_exit(void *unused)
{
	(void)unused;
}

void __tsan_init(void);
void __tsan_init(void)
{
}

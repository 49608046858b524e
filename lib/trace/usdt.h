/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The tracepoints as probes that the kernel, and debuggers, find in the binary
 * (USDT). Where <sys/sdt.h> is not, there are none.
 */
#ifndef TRACE_USDT_H
#define TRACE_USDT_H

#include "daxlock/trace.h"

#if defined(DAX_USDT) && !defined(DAX_EXPLORE)

/* How many are attached to any probe. They count themselves, from outside the
 * program: volatile, lest a compiler that sees all of it take it for 0. */
extern volatile unsigned short usdt_attached;

void usdt_emit(const struct dax_trace_event *event);

#else

#define usdt_attached ((unsigned short)0)

static inline void usdt_emit(const struct dax_trace_event *event)
{
	(void)event;
}

#endif

#endif

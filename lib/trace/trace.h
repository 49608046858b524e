/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRACE_TRACE_H
#define TRACE_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "daxlock/trace.h"
#include "trace/usdt.h"

void trace_record(struct dax_trace *trace, const struct dax_trace_event *event);

/* NULL, and nobody is attached to a probe: tracing is off, and this branch is
 * all that it costs. */
static inline bool trace_is_on(const struct dax_trace *trace)
{
	return __builtin_expect(((uintptr_t)trace | usdt_attached) != 0, 0);
}

static inline void trace_emit(
	struct dax_trace *trace, const struct dax_trace_event *event)
{
	if (trace_is_on(trace))
		trace_record(trace, event);
}

#endif

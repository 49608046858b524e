/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TRACE_TRACE_H
#define TRACE_TRACE_H

#include "daxlock/trace.h"

void trace_record(struct dax_trace *trace, const struct dax_trace_event *event);

/* NULL: tracing is off, and this is all that it costs. */
static inline void trace_emit(
	struct dax_trace *trace, const struct dax_trace_event *event)
{
	if (__builtin_expect(trace != NULL, 0))
		trace_record(trace, event);
}

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* Charts of what was measured: a gnuplot script each, with its figures in it,
 * and a PNG where gnuplot is installed. */
#ifndef BENCH_PLOT_H
#define BENCH_PLOT_H

#include "measure.h"

/* Keeps what a chart shows of @result. */
void plot_add(const struct result *result);

/* Writes those charts for which something was measured to @dir, which it makes
 * if need be. False: it could not, and has said why on stderr. */
bool plot_write(const char *dir);

#endif

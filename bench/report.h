/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where results go: to a table on stdout, case by case, or into one JSON
 * object that is printed at the end. What the program says meanwhile goes to
 * stderr.
 */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include "machine.h"
#include "measure.h"

/* table.c */
void table_print_machine(
	const struct machine *machine, const struct options *options);
void table_print(const struct result *result);

/* json.c, or json_absent.c in a build without json-c */
bool json_available(void);
void json_begin(const struct machine *machine);
void json_add(const struct result *result);
void json_print(void);

/* report.c */
void report(const struct options *options, const struct result *result);
/* Says on stderr, at most every second, what is being measured. */
void report_progress(const struct result *result, const char *what);
/* Says on stderr what went wrong; the program then ends with status 1. */
void report_failure(const struct result *result, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
bool report_failed(void);

#endif

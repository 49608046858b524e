/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From a failure to an errno and words for it. Every failure of this layer
 * goes through one of the two functions, so that dax_pmem_errormsg() is never
 * about an older one.
 */
#ifndef PMEM_ERRORMSG_H
#define PMEM_ERRORMSG_H

/* Our own failure: @words is a string literal, kept by address. */
int pmem_fail(int err, const char *words);

/* libpmem2's: its code becomes an errno, its message stays where it is. */
int pmem_fail_libpmem2(int code);

#endif

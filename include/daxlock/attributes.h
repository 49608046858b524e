/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: daxlock/attributes.h - what the headers tell the compiler
 */
#ifndef DAXLOCK_ATTRIBUTES_H
#define DAXLOCK_ATTRIBUTES_H

/** DAX_MUST_CHECK - not looking at the result is a bug */
#define DAX_MUST_CHECK __attribute__((warn_unused_result))

/** DAX_CONST - the result depends on the arguments only */
#define DAX_CONST __attribute__((const))

#endif

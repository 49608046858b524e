/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: daxlock/order.h - how large pages are
 */
#ifndef DAXLOCK_ORDER_H
#define DAXLOCK_ORDER_H

#include <stdint.h>

/** DAX_PAGE_SHIFT - log2 of the bytes in a page */
#define DAX_PAGE_SHIFT 12
#define DAX_PAGE_SIZE  ((uint64_t)1 << DAX_PAGE_SHIFT)

/**
 * DAX_PMD_ORDER - log2 of the pages in a PMD entry: 9, which is 2 MiB
 *
 * Also the index bits that one level of the tree resolves. Only this header
 * knows the number; the library's own tests build it with 2 as well.
 */
#ifndef DAX_PMD_ORDER
#define DAX_PMD_ORDER 9
#endif
#define DAX_PTE_ORDER 0
#define DAX_PUD_ORDER (2 * DAX_PMD_ORDER)

#endif

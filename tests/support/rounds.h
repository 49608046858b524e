/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How often to play a race. ThreadSanitizer makes a round many times dearer,
 * and needs no luck: that nothing orders two accesses it sees when both happen,
 * however far apart. So it gets fewer.
 */
#ifndef SUPPORT_ROUNDS_H
#define SUPPORT_ROUNDS_H

#include "base/sync.h"

#define ROUNDS_OF(nr) (SYNC_TSAN ? (nr) / 4 : (nr))

#endif

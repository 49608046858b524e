/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: daxlock.h - everything
 *
 * Each concept has a header of its own; this one includes them all.
 */
#ifndef DAXLOCK_H
#define DAXLOCK_H

#include <daxlock/devdax.h>
#include <daxlock/entry.h>
#include <daxlock/fault.h>
#include <daxlock/file.h>
#include <daxlock/mapping.h>
#include <daxlock/pgmap.h>
#include <daxlock/pmem.h>
#include <daxlock/space.h>
#include <daxlock/stats.h>
#include <daxlock/trace.h>
#include <daxlock/tree.h>
#include <daxlock/waitq.h>
#include <daxlock/writeback.h>

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/* A device all of whose pages are mapped, for the subjects that pin them. */
#ifndef BENCH_PIN_DAXLOCK_H
#define BENCH_PIN_DAXLOCK_H

#include "pin_subject.h"

void *pin_daxlock_open(const struct pin_shape *shape);
void pin_daxlock_unmap(void *pgmap, const struct pin_shape *shape);
void pin_daxlock_close(void *pgmap);

#endif

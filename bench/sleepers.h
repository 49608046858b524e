/* SPDX-License-Identifier: BSD-3-Clause */
/* Threads that sleep and are woken, round after round. Not pinned: where a
 * woken thread runs is part of what waking costs. */
#ifndef BENCH_SLEEPERS_H
#define BENCH_SLEEPERS_H

#include "wake_subject.h"

void sleepers_start(unsigned int nr);
void sleepers_stop(void);

/* Has @subject do one round. Returns the us from just before it woke them until
 * the last of them had returned from sleep(); 0 when they never slept. */
double sleepers_round(const struct wake_subject *subject, void *state);

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
#include "explore/scenarios.h"

const struct named_scenario named_scenarios[] = {
	{"two-faults-one-page", "empty: F0,F0 /1",
		"one makes the entry, the other waits for it", 1, 0, 62},
	{"three-threads-one-pmd", "pmd-zero: F1,F2,F3 /1",
		"a downgrade wakes all who slept on the large entry", 2, 0,
		1728},
	{"three-threads-one-page", "pmd-zero: F0,F0,F1 /1",
		"two of three want the same page of a large entry", 2, 0,
		25496},
	{"downgrade-without-memory", "pmd-zero: F0,F1 /1",
		"a downgrade that fails leaves nothing locked", 1, 1, 52},
	{"large-and-small", "empty: F1,FP /1",
		"a large grab falls back at once, or goes first", 1, 0, 35},
	{"invalidate-and-faults", "small0: F0,F0,I0 /1",
		"who drops an entry wakes all who slept on it", 2, 0, 16218},
	{"decline", "empty: F0,F0,G0 /1",
		"who declines an entry passes the wake on", 2, 0, 6848},
	{"timeout", "small1: F1,D1,F1 /1",
		"a wake that comes too late is passed on", 2, 0, 29792},
	{"cancel", "small1: F1,C1,CF /1",
		"a cancelled sleeper keeps nobody's wake", 1, 0, 46},
	{"memory-failure", "small1: L1,P1,I1 /1",
		"a lock for a page owes nobody a wake", 1, 0, 8543},
	{"last-entry", "small0: F1,X0 /1",
		"a node dies while another thread fills it", 0, 0, 5},
	{"growth", "small0: FF,X0 /1",
		"the root grows while the tree becomes empty", 0, 0, 22},
	{"marks", "pmd-zero-dirty: F0,ID /1",
		"a search for dirty entries sees a split one", 0, 0, 7},
};
const unsigned int nr_named_scenarios =
	sizeof(named_scenarios) / sizeof(named_scenarios[0]);

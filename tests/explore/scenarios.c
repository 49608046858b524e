/* SPDX-License-Identifier: BSD-3-Clause */
#include "explore/scenarios.h"

const struct named_scenario named_scenarios[] = {
	{"two-faults-one-page", "empty: F0,F0 /1",
		"one makes the entry, the other waits for it", 1, 0, 62},
	{"three-threads-one-pmd", "pmd-zero: F1,F2,F3 /1",
		"a downgrade wakes all who slept on the large entry", 2, 0,
		864},
	{"four-threads-one-pmd", "pmd-zero: F0,F1,F2,F3 /1",
		"so it does when each page of the entry is wanted", 3, 0,
		44992},
	{"three-threads-one-page", "pmd-zero: F0,F0,F1 /1",
		"two of three want the same page of a large entry", 2, 0,
		18928},
	{"downgrade-without-memory", "pmd-zero: F0,F1 /1",
		"a downgrade that fails leaves nothing locked", 1, 1, 52},
	{"large-and-small", "empty: F1,FP /1",
		"a large grab falls back at once, or goes first", 1, 0, 35},
	{"invalidate-and-faults", "small0: F0,F0,I0 /1",
		"who drops an entry wakes all who slept on it", 2, 0, 25410},
	{"decline", "empty: F0,F0,G0 /1",
		"who declines an entry passes the wake on", 2, 0, 13166},
	{"timeout", "small1: F1,D1,F1 /1",
		"a wake that comes too late is passed on", 2, 0, 68912},
	{"cancel", "small1: F1,C1,CF /1",
		"a cancelled sleeper keeps nobody's wake", 1, 0, 52},
	{"memory-failure", "small1: L1,P1,I1 /1",
		"a lock for a page owes nobody a wake", 1, 0, 12247},
	{"last-entry", "small0: F1,X0 /1",
		"a node dies while another thread fills it", 0, 0, 5},
	{"growth", "small0: FF,X0 /1",
		"the root grows while the tree becomes empty", 0, 0, 22},
	{"marks", "pmd-zero-dirty: F0,ID /1",
		"a search for dirty entries sees a split one", 0, 0, 7},
	{"mark-and-split", "pmd-zero: F1,MS /1",
		"a mark is set on an entry while it is being split", 0, 0, 26},
	{"mark-beside-split", "pmd-zero: F1,M0 /1",
		"a mark is not set where nothing is left after a split", 0, 0,
		10},
	{"deadline", "small1: D1,D1,F1 /1",
		"who was chosen at its deadline passes the wake on", 2, 0,
		121948},
	{"counted", "counted: F1,F1,I1 /1",
		"what is counted of sleeps and wakes adds up", 2, 0, 108910},
	{"handed-over", "small1-fair: B1,L1 /1",
		"who is first in line is not passed too often", 1, 0, 41616},
	{"handed-over-while-woken", "small1-once: L1,L1,L1 /1",
		"who is about to wake it does not mind", 2, 0, 49332},
	{"handed-over-at-a-deadline", "small1-fairly: B1,D1 /1",
		"who gives up as it is handed the entry has it", 1, 0, 168549},
	{"handed-over-and-removed", "small1-fair: F1,F1,I1 /1",
		"what goes is handed over to nobody", 2, 0, 19514},
	{"handed-over-and-split", "pmd-zero-fair: F0,F0,F1 /1",
		"nor is a part to who slept on the whole", 2, 0, 18768},
	{"read-and-write", "hole: load,write /1",
		"a hole that is filled is shown no more", 1, 0, 219},
	{"store-and-fsync", "shown: store,fsync /1",
		"what can be stored to is dirty, and what is durable is not", 1,
		0, 1767},
	{"read-write-and-fsync", "hole: load,write,fsync /1",
		"so it is while an fsync cleans what is shown", 1, 0, 1888},
	{"two-fsyncs", "dirty: fsync,fsync /1",
		"neither returns before the page is durable", 1, 0, 5888},
	{"store-and-punch", "shown: store,punch /1",
		"no page table shows a block that is gone", 1, 0, 26},
	{"store-and-kill", "shown: store,kill /1",
		"when a device is gone nothing of it is used", 1, 0, 12},
	{"fsync-and-kill", "dirty: fsync,kill /1", "nor is it flushed", 1, 0,
		1988},
	{"write-to-a-hole", "disk-hole: disk-load,disk-write /1",
		"the file system shows what it has written, at once", 1, 0,
		51213},
	{"store-to-a-shared-page", "disk-cloned: disk-read,disk-store /1",
		"a read sees the page before or after it moves", 1, 0, 3311},
	{"write-under-a-dirty-entry",
		"disk-pmd-dirty: disk-store-last,disk-write-last /1",
		"a page moves, and its neighbour stays dirty or durable", 1, 0,
		160},
	{"unshare-on-the-other-side",
		"disk-cloned: disk-store,disk-unshare-clone /1",
		"two who move away from a page give it back once each", 1, 0,
		8005},
	{"unshare-and-store", "disk-pmd-cloned: disk-store,disk-unshare /1",
		"a fault shows the page before or after it moves", 1, 0, 26},
	{"dedupe-and-store", "disk-equal: disk-store,disk-dedupe /1",
		"what is compared is what is shared", 1, 0, 13},
	{"pin-and-punch-of-a-clone", "disk-cloned: disk-pin,disk-punch /1",
		"a file waits for pins of what others have, too, or leaves it",
		1, 0, 190},
	{"shared-page-goes-bad",
		"disk-cloned: disk-memory-failure,disk-store-clone /1",
		"none of the files that have a bad page shows it", 1, 0, 4594},
	{"two-sizes", "private: load-fault,store-fault /1",
		"a PMD leaf and a table of PTEs are never in one place", 1, 0,
		28346},
	{"three-sizes", "pud-private-shown: store,load-fault /1",
		"nor are a PUD leaf and smaller ones", 1, 0, 23674},
	{"hole-of-a-pud", "pud-hole: load,write /1",
		"a fault that falls back leaves an entry that is downgraded", 1,
		0, 11723},
	{"page-of-a-file-that-goes", "owned: lock-page,lock-and-delete /1",
		"who comes from a page touches no file that is gone", 1, 0,
		66075},
	{"pin-and-first-fault", "unowned: load,pin-pages-fast /1",
		"a pin finds no table that is not whole", 1, 0, 41},
	{"pin-of-a-file-and-punch", "owned: pin-pages-fast,punch /1",
		"what is pinned is the file's, and what is punched is not", 1,
		0, 2744},
	{"pin-of-what-is-punched", "owned: pin-pages,punch /1",
		"a pin that fails at its second look does not fail again", 1, 0,
		30125},
	{"last-pin-and-fault", "pmd-pinned: store,unpin-pages,punch /1",
		"a fault while a punch waits keeps it from nothing", 1, 0,
		42464},
	{"last-pin-of-an-unmapped-file", "pinned-once: unpin-pages,punch /1",
		"a page that was pinned is found though nobody shows it", 1, 0,
		65},
	{"pinned-file-deleted", "pinned: unpin-pages,delete-file /1",
		"a file that is deleted waits for its pins", 1, 0, 65},
	{"pinned-file-punched-at-once",
		"pinned: unpin-pages,punch-unless-pinned /1",
		"who does not wait for a pin leaves it what it has", 0, 0, 8},
	{"pinned-file-and-reclaim", "pinned-once: unpin-pages,evict /1",
		"nor does who makes room", 0, 0, 8},
	{"pinned-device-killed", "device-pinned: store,unpin-pages,kill /1",
		"a device that is killed waits for pins that last", 1, 0, 4664},
	{"device-killed-under-a-pin", "device: pin-pages-fast,kill /1",
		"and for those that come just then", 1, 0, 823},
	{"device-goes-bad", "device: store,memory-failure /1",
		"a leaf of which a page is bad is shown no more", 1, 0, 330},
	{"page-goes-bad", "owned: store,memory-failure /1",
		"no fault shows a page that went bad", 1, 0, 330},
	{"page-goes-bad-unseen", "unowned: store,memory-failure /1",
		"nor one that asked before, and has the page only then", 1, 0,
		784},
	{"pin-and-truncate", "page: pin,truncate /1",
		"storage is not given away under a pin", 1, 0, 291},
	{"pin-of-a-large-page", "page-pmd: pin,truncate /1",
		"nor under a pin of one page of a large one", 1, 0, 370},
	{"last-pin", "page-pinned: unpin,truncate-unless-pinned /1",
		"the last pin and a deadline meet", 1, 0, 137},
	{"owners-come-and-go", "page-free: leave,join /1",
		"a number is given out when nobody has it any more", 0, 0, 2},
	{"share-and-leave", "page: share,truncate-shared /1",
		"one of two owners leaves, the other is named", 1, 0, 6775},
	{"break-beside-another-file",
		"page-pinned: unpin,share-and-stay,break /1",
		"who waits for a pin does not wait for another file", 1, 0,
		25536},
	{"share-at-two-sizes", "page-free: share,share-large /1",
		"a page and its range are not both a head", 0, 0, 7643},
	{"device-killed-and-mapped", "page-free: map,kill-device /1",
		"a dying device makes no page live, and waits for those who do",
		1, 0, 2786},
	{"device-killed-and-pinned", "page-pinned: unpin,kill-device /1",
		"the last pin does not touch the device that it ends", 1, 0,
		31},
	{"device-killed-and-pinned-by-name",
		"page-pinned-by-name: unpin-by-name,kill-device /1",
		"nor does its name", 1, 0, 31},
};
const unsigned int nr_named_scenarios =
	sizeof(named_scenarios) / sizeof(named_scenarios[0]);

#define EVERY_STATE                                                            \
	{                                                                      \
		"empty", "small0", "pmd-zero", "pmd-storage", "dirty0"         \
	}
#define EVERY_OPERATION                                                        \
	{                                                                      \
		"F0", "F1", "FP", "FF", "N0", "L0", "Y1", "D1", "P0", "G0",    \
			"I0", "X0", "W0", "IT"                                 \
	}

const struct family families[] = {
	{
		.name = "three-threads",
		.claim = "any three operations, in any state of a PMD range",
		.states = EVERY_STATE,
		.operations = EVERY_OPERATION,
		.threads = 3,
		.queues = 1,
		.limit = 1000,
		.proved = 1696,
	},
	{
		.name = "three-threads-two-queues",
		.claim = "so they do when not all keys share a queue",
		.states = {"empty", "small01", "pmd-zero"},
		.operations = {"F0", "F1", "FP", "D1", "P0", "I0", "G0"},
		.threads = 3,
		.queues = 2,
		.limit = 1000,
		.proved = 150,
	},
	{
		.name = "three-threads-eight-queues",
		.claim = "nor when hardly any two do",
		.states = {"empty", "small01", "pmd-zero"},
		.operations = {"F0", "F1", "FP", "D1", "P0", "I0", "G0"},
		.threads = 3,
		.queues = 8,
		.limit = 1000,
		.proved = 150,
	},
	/* What a bug of the entry lock takes to show: up to four threads (a
	 * wake that is passed on twice), two indices of one PMD range, of which
	 * one is not its start (keys), every state that a range can be in, and
	 * a lack of memory. */
	{
		.name = "four-threads",
		.claim = "four threads fault, drop and decline in a PMD range",
		.states = {"empty", "small0", "small01", "pmd-zero",
			"pmd-storage"},
		.operations = {"F0", "F1", "FP", "I0", "G0"},
		.threads = 4,
		.queues = 1,
		.allocs_fail = 1,
		.limit = 1000,
		.proved = 98,
	},
};
const unsigned int nr_families = sizeof(families) / sizeof(families[0]);

static void choose(const struct family *family, unsigned int from,
	struct combination *combination,
	void (*visit)(struct combination *combination, void *context),
	void *context)
{
	if (combination->nr == family->threads) {
		visit(combination, context);
		return;
	}
	for (unsigned int i = from; family->operations[i]; i++) {
		combination->operations[combination->nr++] =
			operation_named(family->operations[i]);
		choose(family, i, combination, visit, context);
		combination->nr--;
	}
}

void family_for_each(const struct family *family,
	void (*visit)(struct combination *combination, void *context),
	void *context)
{
	for (unsigned int i = 0; family->states[i]; i++) {
		struct combination combination = {
			.state = state_named(family->states[i]),
			.queues = family->queues,
			.interchangeable = true,
		};

		choose(family, 0, &combination, visit, context);
	}
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Deviations: named bugs, each a switch in the real code path, off unless an
 * exploration asks for it. Other builds do not have them: there
 * SYNC_DEVIATION() is the constant 0.
 *
 * X(name, exhibit, commit, year, sentence). The names are those of the museum
 * of DAX bugs; an exhibit is a letter of its room and a number.
 */
#ifndef EXPLORE_DEVIATIONS_H
#define EXPLORE_DEVIATIONS_H

#include <stdbool.h>
#include <stdint.h>

#define EXPLORE_DEVIATIONS(X)                                                  \
	X(replace_no_wake, "A1", "review of ac401cc78242", 2016,               \
		"who fills a placeholder forgets that somebody sleeps on it")  \
	X(replace_wake_one, "A2", "965d004af540", 2017,                        \
		"who fills a placeholder wakes one, and the unlock nobody")    \
	X(downgrade_one, "A3", "review of 642261ac995e", 2016,                 \
		"a downgrade wakes one sleeper instead of all")                \
	X(exist_noput, "A4", "review of 642261ac995e", 2016,                   \
		"a large grab declines a small entry and keeps the wake")      \
	X(bail_noput, "A5", "25bbe21bf427", 2018,                              \
		"who declines an entry does not pass the wake on")             \
	X(lp_excl, "A6", "d8a706414af4", 2018,                                 \
		"who locks for a page sleeps in the queue")                    \
	X(wrong_key, "A7", "23c84eb78375", 2019,                               \
		"a large grab sleeps on its own index, not the entry's")       \
	X(put_inverted, "A8", "61c30c98ef17", 2019,                            \
		"putting an entry back wakes nobody, dropping it neither")     \
	X(inval_one, "A9", "237388320def", 2021,                               \
		"dropping an entry wakes one sleeper instead of all")          \
	X(key_field_unset, "A11", "review of ac401cc78242", 2016,              \
		"sleepers leave half of their key unset")                      \
	X(key_mask_trunc, "A12", "review of 63e95b5c4f16", 2016,               \
		"sleepers mask the high bits of their key away")               \
	X(key_unaligned, "A13", "63e95b5c4f16", 2016,                          \
		"sleepers do not round their key down to the entry")           \
	X(key_brute, "A14", "rejected repair of 23c84eb78375", 2019,           \
		"one key for all entries of a PMD range")                      \
	X(enqueue_late, "A15", "rule 1", 2016,                                 \
		"a sleeper lets go before it is in the queue")                 \
	X(no_entry_lock, "B1", "ac401cc78242", 2016,                           \
		"who grabs an entry goes ahead when it is locked")             \
	X(pmd_unlocked, "B4", "348e967ab07c", 2016,                            \
		"a large grab goes ahead when the entry is locked")            \
	X(downgrade_nolock, "B5", "review of 642261ac995e", 2016,              \
		"a downgrade lets go of the entry before it splits it")        \
	X(leak_on_enomem, "B6", "review of 642261ac995e", 2016,                \
		"a downgrade without memory leaves the entry locked")          \
	X(unlock_unowned, "B7", "review of 642261ac995e", 2016,                \
		"a grab without memory unlocks what it never locked")          \
	X(lost_lock, "B8", "review of 642261ac995e", 2016,                     \
		"filling an entry loses its lock bit")                         \
	X(lp_selfdead, "B10", "f52afc93cd01", 2018,                            \
		"a waiter keeps the queue's lock when it need not sleep")      \
	X(unlock_other_order, "B12", "fda490d39fc0", 2018,                     \
		"a large entry is unlocked as if it were a small one")         \
	X(unlock_wrong_value, "B13", "27359fd6e5f3", 2018,                     \
		"who locks for a page is told to unlock with a locked value")  \
	X(enomem_flag, "B14", "1a14e3779dd5", 2021,                            \
		"a downgrade without memory counts off pages that stay")       \
	X(err_sign, "B15", "not known", 2020,                                  \
		"a grab that has to fall back returns a positive error")       \
	X(insert_gap, "B16", "false alarm", 2019,                              \
		"an entry is put where nothing was, without looking again")    \
	X(null_conflict, "D1", "6370740e5f8e", 2019,                           \
		"a large grab takes nothing for something smaller")            \
	X(step_by_one, "E1", "d7782145e1ad", 2018,                             \
		"a search steps over a large entry page by page")              \
	X(scan_skip, "E4", "6be3e21d25ca", 2025,                               \
		"dropping a range skips locked entries")                       \
	X(scan_pause, "E5", "dd59137bfe70", 2025,                              \
		"dropping a range skips what it had to wait for")              \
	X(profile_2016, "4.10", "until 23c84eb78375", 2016,                    \
		"no bug: a large grab waits for a small entry, then declines") \
	X(unlock_no_wake, "rule 2", "none", 0, "unlocking wakes nobody")       \
	X(check_before_publish, "A15 variant", "none", 0,                      \
		"unlocking looks for sleepers before it unlocks")              \
	X(free_at_once, "rule G3", "none", 0,                                  \
		"a node is freed without a grace period")

enum explore_deviation {
#define EXPLORE_ENUM(name, exhibit, commit, year, sentence) DEVIATION_##name,
	EXPLORE_DEVIATIONS(EXPLORE_ENUM)
#undef EXPLORE_ENUM
		NR_DEVIATIONS,
};

/* A bit for each that is on. */
extern uint64_t explore_deviations;

#define SYNC_DEVIATION(name) (explore_deviations >> DEVIATION_##name & 1)

/* Why some exhibits of the rooms A, B, D1 and E are none here. */
#define EXPLORE_NO_EXHIBIT(X)                                                  \
	X("A10", "nobody waits for pins here: the entry lock knows no pages")  \
	X("B2", "no lock of a file system is taken here to be inverted with, " \
		"and ranks say where one belongs")                             \
	X("B3", "an entry is locked in one mode only")                         \
	X("B9", "an entry is found by its index, not by an address")           \
	X("B11", "no lock is released only where a feature is compiled in")    \
	X("E2", "one search serves both loops: see E1")                        \
	X("E3", "what is flushed is not for the entry lock to say, and "       \
		"dax_entry_start() rounds down for whoever does")              \
	X("E6", "a large entry takes one slot: there are no siblings")         \
	X("E7", "a search keeps an index, and orders end at that of a PUD")

#endif

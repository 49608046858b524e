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
	X(lp_relock, "C1", "55e56f06ed71", 2018,                               \
		"who locked for a page looks at the mapping after its sleep")  \
	X(lp_null, "C2", "c93db7bb6ef3", 2018,                                 \
		"who locks for a page takes it for granted that it has one")   \
	X(lp_no_rcu, "C7", "c5bbd4515a05", 2018,                               \
		"nothing keeps the mapping that a page names")                 \
	X(lp_skip_recheck, "C8", "6d7cd8c13738", 2018,                         \
		"who locks for a page does not ask it again after a sleep")    \
	X(null_conflict, "D1", "6370740e5f8e", 2019,                           \
		"a large grab takes nothing for something smaller")            \
	X(norecheck, "D2", "e2093926a098", 2017,                               \
		"a fault does not look at the page table again once it can")   \
	X(insert_skips_existing, "D3", "01871e59af5c", 2016,                   \
		"a leaf that is there is never made writable")                 \
	X(fallback_nosplit, "D4", "not known", 2015,                           \
		"a PMD fault falls back and leaves the PMD leaf")              \
	X(unmap_one_mm, "F2", "not known", 2015,                               \
		"unmapping forgets all but one address space")                 \
	X(iomap_early, "F4", "13e451fdc1af", 2017,                             \
		"a fault asks for the block before it locks the entry")        \
	X(pmd_iomap_early, "F5", "876f29460cbd", 2017,                         \
		"so does a large fault")                                       \
	X(no_unmap, "F6", "cd656375f940", 2017,                                \
		"invalidating drops the entry and keeps it mapped")            \
	X(drop_mapped, "F7", "4636e70bb0a8", 2017,                             \
		"eviction drops an entry that is mapped")                      \
	X(unmap_before_delete, "F8", "review of cd656375f940", 2017,           \
		"invalidating unmaps before it drops the entry")               \
	X(map_after_unlock, "F9", "f449b936f1af", 2016,                        \
		"a read fault sets the leaf after it unlocked the entry")      \
	X(even_cows, "F10", "d75996dd022b", 2019,                              \
		"taking blocks away takes private copies, too")                \
	X(no_fault_vs_truncate_lock, "F12", "ea3d7209ca01", 2015,              \
		"faults go on while blocks are taken away")                    \
	X(inval_early, "F3", "e3fce68cdbed", 2016,                             \
		"a write invalidates before it allocates the block")           \
	X(cow_keeps_slot, "F11", "f80e1668888f", 2022,                         \
		"a write that moves a page keeps its entry if that is dirty")  \
	X(write_shared_lock, "F13", "17879e8f865f", 2016,                      \
		"writes to one file do not keep each other out")               \
	X(read_once, "rule G2", "none", 0,                                     \
		"a read does not look whether its blocks were given back")     \
	X(wb_cmp_word, "G1", "a6abc2c0e77b", 2016,                             \
		"writeback skips an entry that is locked")                     \
	X(wb_nolock, "G2", "a6abc2c0e77b", 2016,                               \
		"writeback flushes without the entry's lock")                  \
	X(pte_after_unlock, "G3", "2f89dc12a25d", 2016,                        \
		"a write fault sets the leaf after it unlocked the entry")     \
	X(tag_first, "G4", "4b4bb46d00b3", 2016,                               \
		"writeback says that a page is clean, then flushes it")        \
	X(flush_first, "G4 variant", "4b4bb46d00b3", 2016,                     \
		"writeback flushes before it write-protects")                  \
	X(mkclean_skip, "G5", "f729c8c9b24f", 2017,                            \
		"writeback does not write-protect PMD leaves")                 \
	X(mkclean_one, "G6", "06083a0921fd", 2022,                             \
		"writeback write-protects the first page of a large entry")    \
	X(no_tag, "G7", "review of 91d25ba8a6b0", 2017,                        \
		"a page that becomes writable is not marked dirty")            \
	X(towrite_first, "rule 8", "none", 0,                                  \
		"writeback forgets what is to be written, then flushes it")    \
	X(no_dev_ref, "I1", "b2e0d1625e19", 2016,                              \
		"a fault finds a device alive and lets it die meanwhile")      \
	X(step_by_one, "E1", "d7782145e1ad", 2018,                             \
		"a search steps over a large entry page by page")              \
	X(scan_skip, "E4", "6be3e21d25ca", 2025,                               \
		"a search for pages skips locked entries")                     \
	X(deref_before_check, "C4", "98c183a4fccf", 2026,                      \
		"an entry without storage is asked for its page")              \
	X(scan_pause, "E5", "dd59137bfe70", 2025,                              \
		"dropping a range skips what it had to wait for")              \
	X(profile_2016, "4.10", "until 23c84eb78375", 2016,                    \
		"no bug: a large grab waits for a small entry, then declines") \
	X(profile_6_12, "6.12", "until 38607c62b34b", 2025,                    \
		"no bug under locks: entries keep their pages, which are "     \
		"idle with one reference")                                     \
	X(unlock_no_wake, "rule 2", "none", 0, "unlocking wakes nobody")       \
	X(check_before_publish, "A15 variant", "none", 0,                      \
		"unlocking looks for sleepers before it unlocks")              \
	X(free_at_once, "rule G3", "none", 0,                                  \
		"a node is freed without a grace period")                      \
	X(barge, "rule L6", "none", 0,                                         \
		"who is first in line is passed again and again")              \
	X(leave_noput, "A5 variant", "none", 0,                                \
		"who was chosen in line and gives up keeps the wake")          \
	X(grant_lost_on_timeout, "rule L6", "none", 0,                         \
		"who gives up forgets an entry that was handed over to it")    \
	X(grant_other_order, "rule L6", "none", 0,                             \
		"an entry is handed over to who slept on a larger one")        \
	X(unpin_no_wake, "A10", "f4f451a16dd1", 2022,                          \
		"the last pin of a page wakes nobody")                         \
	X(check_before_unmap, "H1", "5fac7408d828", 2018,                      \
		"pins are looked for before the pages are unmapped")           \
	X(recheck_missing, "H2", "b1f382178d15", 2018,                         \
		"who waited for a pin does not look for another")              \
	X(gup_norecheck, "H3", "a9b6de77b1a3", 2018,                           \
		"a pin takes a page that the page table shows no more")        \
	X(range_end_zero, "H4", "7851bf649d42", 2025,                          \
		"a range to the end of the file is taken for an empty one")    \
	X(skip_unmapped, "H5", "cee91fa13a8e", 2025,                           \
		"a file that nobody shows is not searched for pins")           \
	X(drop_entry_first, "H6", "bde708f1a65d", 2025,                        \
		"entries are dropped before pins are looked for")              \
	X(evict_nowait, "H7", "0e2f80afcfa6", 2025,                            \
		"a file that is deleted does not wait for pins")               \
	X(evict_waits_on_self, "H7 variant", "analysis of 0e2f80afcfa6", 2022, \
		"reclaim waits for pins, which may be its caller's")           \
	X(gup_ignores_write_bit, "H10", "ef947b2529f9", 2017,                  \
		"a pin for writing is taken through a read-only leaf")         \
	X(longterm_allowed, "H8 variant", "38607c62b34b", 2025,                \
		"a page of a file is pinned for as long as somebody likes")    \
	X(unpin_wakes_idle, "A10 variant", "none", 0,                          \
		"the last pin of a page that faulted again wakes nobody")      \
	X(compare_shown, "rule G2", "none", 0,                                 \
		"what others can store to is compared, and then shared")       \
	X(break_waits_for_entries, "A10 variant", "none", 0,                   \
		"who waits for a pin sleeps when only another file has it")    \
	X(share_not_reset, "C5", "not known", 2022,                            \
		"a page keeps the name of one of the owners that it had")      \
	X(share_unlocked, "C5 variant", "none", 0,                             \
		"a page and its range are claimed at the same time")           \
	X(split_keeps_order, "C6", "98b1917cdef9", 2025,                       \
		"a large page that is free still says that it is large")       \
	X(map_takes_no_ref, "H8", "38607c62b34b", 2025,                        \
		"an entry takes no reference to its page")                     \
	X(idle_at_one_in_one_path, "H8 variant", "38607c62b34b", 2025,         \
		"one way to drop a pin takes one reference for none")          \
	X(put_before_idle, "H9", "report on 38607c62b34b", 2025,               \
		"an owner gives a page up that is pinned")                     \
	X(insert_unbracketed, "I1 variant", "not known", 2022,                 \
		"killing a device does not wait for who is inside")            \
	X(put_races_kill, "I2", "50f44ee7248a", 2019,                          \
		"the last put touches a device that may be gone")              \
	X(child_no_ref, "I3", "6d24b170a9db", 2023,                            \
		"a pin takes its name off a list that may be gone")            \
	X(double_read, "I4", "not known", 2026,                                \
		"who has a page is asked twice, and may be gone in between")   \
	X(reset_order, "I4 variant", "not known", 2026,                        \
		"an owner's number is free before it is nobody's")             \
	X(no_rcu_barrier, "I5", "not known", 2022,                             \
		"a device goes before those have left whom RCU waits for")     \
	X(lock_removed, "I6", "fixes c05ae9d85b47", 2024,                      \
		"a device is killed under a lock that faults share")

enum explore_deviation {
#define EXPLORE_ENUM(name, exhibit, commit, year, sentence) DEVIATION_##name,
	EXPLORE_DEVIATIONS(EXPLORE_ENUM)
#undef EXPLORE_ENUM
		NR_DEVIATIONS,
};

/* Those that are on. */
extern bool explore_deviations[NR_DEVIATIONS];

#define SYNC_DEVIATION(name) (explore_deviations[DEVIATION_##name])

/* Why some exhibits of the rooms A to I are none here. */
#define EXPLORE_NO_EXHIBIT(X)                                                  \
	X("B2", "no lock of a file system is taken here to be inverted with, " \
		"and ranks say where one belongs")                             \
	X("B3", "an entry is locked in one mode only")                         \
	X("B9", "an entry is found by its index, not by an address")           \
	X("B11", "no lock is released only where a feature is compiled in")    \
	X("C3", "a range has one owner's name, its first page's, and no "      \
		"page of it has another that a small fault could change")      \
	X("D5", "no table is put by for a leaf to be split: splitting takes "  \
		"the leaf away, and faults bring smaller ones")                \
	X("E2", "one search serves both loops: see E1")                        \
	X("E3", "what is flushed is not for the entry lock to say, and "       \
		"dax_entry_start() rounds down for whoever does")              \
	X("E6", "a large entry takes one slot: there are no siblings")         \
	X("E7", "a search keeps an index, and orders end at that of a PUD")    \
	X("F1", "the file system zeroes a block when it allocates it, under "  \
		"a lock of its own: a fault never does")                       \
	X("G8", "one search serves all loops: see E3")

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
#include "explore/museum.h"

#define LOST	  DAX_EXPLORE_LOST_WAKE_UP
#define ASSERTION DAX_EXPLORE_FAILED_ASSERTION
#define CHECK	  DAX_EXPLORE_FAILED_CHECK

const struct exhibit exhibits[] = {
	{"replace_no_wake", "empty: Z0,Z0 /1", LOST, 0},
	{"replace_wake_one", "empty: Z0,Z0,Z0 /1", LOST, 0},
	{"downgrade_one", "pmd-zero: F0,F0,F1 /1", LOST, 0},
	{"exist_noput", "small1: F1,F1,FP /1", LOST, 0},
	{"profile_2016", "small1: F1,F1,FP /1", DAX_EXPLORE_NO_BUG, 0},
	{"bail_noput", "empty: F0,F0,G0 /1", LOST, 0},
	/* Alone it does no harm while the entry keeps its storage: who finds
	 * it gone was woken with all others. */
	{"lp_excl", "small0: L0,P0,I0 /1", DAX_EXPLORE_NO_BUG, 0},
	{"lp_excl+inval_one", "small0: L0,L0,P0,I0 /1", LOST, 0},
	{"lp_excl", "small0-empty: F0,F0,P0 /1", LOST, 0},
	{"wrong_key", "empty: F1,FP /1", LOST, 0},
	{"put_inverted", "small0: F0,F0,I0 /1", LOST, 0},
	{"inval_one", "small0: F0,F0,I0,I0 /1", LOST, 0},
	{"key_field_unset", "empty: F0,F0 /1", LOST, 0},
	{"key_mask_trunc", "empty: HP,FH /1", LOST, 0},
	{"key_unaligned", "empty: F1,FP /1", LOST, 0},
	{"key_brute", "small01: F0,F1,I0 /1", DAX_EXPLORE_NO_BUG, 0},
	{"key_brute+inval_one", "small0: F0,F0,I0,I0 /1", LOST, 0},
	{"enqueue_late", "empty: F0,F0 /1", LOST, 0},
	{"check_before_publish", "empty: F0,F0 /1", LOST, 0},
	{"unlock_no_wake", "empty: F0,F0 /1", LOST, 0},
	{"no_entry_lock", "empty: F0,Z0 /1", ASSERTION, 0},
	{"pmd_unlocked", "pmd-zero: FP,Z1 /1", ASSERTION, 0},
	{"downgrade_nolock", "pmd-zero: F0,F0 /1", CHECK, 0},
	{"leak_on_enomem", "pmd-zero: F0 /1", DAX_EXPLORE_LEAKED_LOCK, 1},
	{"unlock_unowned", "empty: F0 /1", ASSERTION, 1},
	{"lost_lock", "empty: N0 /1", ASSERTION, 0},
	{"lp_selfdead", "small0: F0,P0 /1", ASSERTION, 0},
	{"unlock_other_order", "pmd-storage: P1,F1 /1", LOST, 0},
	{"unlock_wrong_value", "small0: P0 /1", ASSERTION, 0},
	{"enomem_flag", "pmd-zero: F0 /1", CHECK, 1},
	{"err_sign", "small1: FP /1", CHECK, 0},
	{"insert_gap", "empty: F0,F0 /1", CHECK, 0},
	{"null_conflict", "empty: FS /1", CHECK, 0},
	{"step_by_one", "pmd-storage: IT /1", CHECK, 0},
	{"scan_skip", "small0: L0,XS /1", CHECK, 0},
	{"scan_pause", "small0: L0,XS /1", CHECK, 0},
	{"free_at_once", "small0: L0,X0 /1", DAX_EXPLORE_USE_AFTER_FREE, 0},
};
const unsigned int nr_exhibits = sizeof(exhibits) / sizeof(exhibits[0]);

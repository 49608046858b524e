/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The entry-lock protocol: the only place where the lock bit, the wait queues
 * and the tree meet. Read lock.c first, then wait.c, grab.c, remove.c.
 *
 *   m		the mapping
 *   index	what the caller asked for, in pages
 *   word	an entry as it stands in the tree, with LOCKED, WAITERS, marks
 *   entry	the same without them
 *   key	(m, first index of the entry): what sleepers sleep on
 *
 * L1  LOCKED is set by a CAS of a word without it, and cleared by the thread
 *     that set it, or to which the entry was handed over (L6). Between the two
 *     only the owner changes or removes the word, but for WAITERS and marks,
 *     which it keeps.
 * L2  WAITERS is set, while LOCKED is set, under the lock of the key's queue,
 *     by a sleeper that joins the queue before it gives that lock back; and
 *     cleared only under that lock. So: somebody is queued on a key => the
 *     entry has WAITERS, or it was removed and a wake-all is under way.
 * L3  Unlocking clears LOCKED and learns in the same step whether WAITERS is
 *     set. It looks at no queue when it is not; otherwise it takes one sleeper.
 * L4  Whoever removes or splits an entry wakes all its sleepers after that.
 * L5  A chosen sleeper locks the entry, finds it locked (and its owner will
 *     find WAITERS: L2), finds it gone (L4), or passes the wake on.
 * L6  Who waits to lock an entry stands in line (waitq/queue.h). An owner that
 *     finds that the first in line was passed too often does not unlock: with
 *     the queue's lock held it hands the entry over, LOCKED as it is.
 */
#ifndef MAPPING_MAPPING_H
#define MAPPING_MAPPING_H

#include "base/check.h"
#include "base/sync.h"
#include "daxlock/mapping.h"
#include "entry/word.h"
#include "mapping/stats.h"
#include "tree/node.h"
#include "waitq/queue.h"

struct dax_mapping {
	struct dax_tree tree;
	struct dax_waitq_table *waitqs;	   /* const after init */
	const struct dax_mapping_ops *ops; /* const after init */
	void *owner;			   /* const after init */
	struct dax_stats *stats;	   /* const after init; or NULL */
	struct dax_pgmap *pgmap;	   /* const after init; NULL: none */
	uint32_t page_owner; /* const after init: as @pgmap knows it */
	/* Relaxed: a count, exact when nobody is in a call. On a line of its
	 * own: every insertion writes it, every walk reads the root. */
	struct sync_u64 nr_pages __attribute__((aligned(64)));
	struct sync_rcu_head rcu; /* of a mapping that has a @pgmap */
};

static inline struct dax_wait_key entry_key(
	const struct dax_mapping *m, dax_pgoff_t index, uint64_t word)
{
	return (struct dax_wait_key){m, dax_entry_start(word, index)};
}

static inline uint64_t entry_pages(uint64_t word)
{
	return (uint64_t)1 << word_order(word);
}

static inline struct rank_lock entry_rank(
	const struct dax_mapping *m, dax_pgoff_t index, uint64_t word)
{
	return (struct rank_lock){m, dax_entry_start(word, index), RANK_ENTRY};
}

/* "locks the PTE entry 0x202", in the explorer's table. */
static inline void entry_note(
	const char *does, dax_pgoff_t index, uint64_t word)
{
	sync_note("%s the %s entry 0x%llx", does,
		dax_is_pud_entry(word)	 ? "PUD"
		: dax_is_pmd_entry(word) ? "PMD"
					 : "PTE",
		(unsigned long long)dax_entry_start(word, index));
}

/* What it means for those who sleep on the entry. */
static inline void entry_note_key(enum sync_key_note what,
	const struct dax_mapping *m, dax_pgoff_t index, uint64_t word)
{
	sync_note_key(what, m, dax_entry_start(word, index), NULL);
}

static inline bool word_is_locked(uint64_t word)
{
	return word_is_value(word) && word_has(word, WORD_LOCKED);
}

static inline bool word_is_unlocked(uint64_t word)
{
	return (word & (WORD_VALUE | WORD_LOCKED)) == WORD_VALUE;
}

/* Unlocked, and of a mapping that does not count. */
static inline bool word_is_quick(uint64_t word)
{
	return (word & (WORD_VALUE | WORD_LOCKED | WORD_COUNTED)) == WORD_VALUE;
}

/* Locks the entry at @place, inside sync_rcu_enter(). False: @place->word is
 * what is there instead of an unlocked entry. */
static inline bool place_trylock(struct tree_place *place)
{
	while (word_is_unlocked(place->word))
		/* [MO-2] Sees all that the owners before us did. */
		if (sync_cas(place->slot, &place->word,
			    place->word | WORD_LOCKED, memory_order_acquire))
			return true;
	return false;
}

/* Once: what is there if it fails may not be wanted. */
static inline bool place_lock_once(struct tree_place *place)
{
	/* [MO-2] Sees all that the owners before us did. */
	return sync_cas(place->slot, &place->word, place->word | WORD_LOCKED,
		memory_order_acquire);
}

/* ---- wait.c ---- */

/* One call's sleeps. Set up by WAIT_INIT. */
struct wait {
	struct dax_waiter waiter;
	enum dax_wait_mode mode;
	const struct dax_wait_limit *limit;
	bool in_line;	/* awake, and still in its place */
	bool granted;	/* the entry was handed over to us */
	uint64_t since; /* ns; if the mapping counts */
};

#define WAIT_INIT(mode_, limit_)                                               \
	((struct wait){.mode = (mode_), .limit = (limit_)})

/* Exclusive, and of a large grab for a smaller entry: only deviations do so. */
#define WAIT_FOR_SMALLER ((enum dax_wait_mode)(WAITQ_IN_LINE + 1))

/* More than no error. */
#define WAIT_GRANTED 1

/*
 * Waits while the entry that covers @index, seen as @word, is locked; may
 * return sooner. What was seen before it is worth nothing after it. 0;
 * -ETIMEDOUT, -ECANCELED: nothing is owed; WAIT_GRANTED. Whoever stands in line
 * calls wait_end() in the end.
 */
int entry_wait(struct dax_mapping *m, dax_pgoff_t index, uint64_t word,
	struct wait *wait);

/* @result is what came of it: 0, and the entry at @place is locked; an error;
 * or WAIT_GRANTED. Returns it, or 0 if @place's was handed over. */
int wait_end(struct dax_mapping *m, dax_pgoff_t index, struct wait *wait,
	int result, struct tree_place *place);

/* The first half of it: joins the queue. The second, dax_waitq_sleep(), needs
 * no mapping. NULL: the entry is not locked any more, or not there. */
struct dax_waitq *entry_join_queue(struct dax_mapping *m, dax_pgoff_t index,
	uint64_t word, struct wait *wait);

/* Touches no mapping: @key's owner may be gone, and has then no @stats. WAITERS
 * stays as it is. */
void wake_sleepers(struct dax_waitq_table *waitqs, struct dax_stats *stats,
	const struct dax_wait_key *key, enum dax_wake_mode mode);

/* L4: after the removal of @word, an entry that covered @index. */
void entry_removed(struct dax_mapping *m, dax_pgoff_t index, uint64_t word);

/* ---- lock.c ---- */

/*
 * The slot of the entry that this thread locked last. An owner soon comes back
 * to its entry, and its lock bit keeps the slot where it is (G4), so it need
 * not walk there again. Valid while the entry is locked: who locks an entry
 * remembers its slot or forgets any, and only owners ask for it.
 */
struct last_locked {
	const struct dax_mapping *m; /* NULL: not known */
	dax_pgoff_t index;
	struct sync_u64 *slot;
};

extern SYNC_THREAD_LOCAL struct last_locked last_locked;

enum lock_how {
	LOCK_MAY_WAIT, /* for ever: in the order of ranks */
	LOCK_GIVES_UP, /* at once, or after some time: in any order */
};

/* The caller has locked the entry @word; slot_remember() or slot_forget() is
 * next. */
static inline void entry_locked(const struct dax_mapping *m, dax_pgoff_t index,
	uint64_t word, enum lock_how how)
{
	if (how == LOCK_MAY_WAIT)
		rank_check(entry_rank(m, index, word));
	rank_push(entry_rank(m, index, word));
	entry_note("locks", index, word);
	entry_note_key(KEY_LOCKS, m, index, word);
}

/* No: this branch is all that statistics cost. */
static inline bool mapping_counts(const struct dax_mapping *m)
{
	return __builtin_expect(m->stats != NULL, 0);
}

/* After entry_locked(), where the mapping may be one that counts. */
static inline void entry_count(
	const struct dax_mapping *m, dax_pgoff_t index, uint64_t word)
{
	if (mapping_counts(m))
		stats_lock(m->stats, entry_key(m, index, word));
}

/* Before it is another's to lock. */
static inline void entry_uncount(
	const struct dax_mapping *m, dax_pgoff_t index, uint64_t word)
{
	if (mapping_counts(m))
		stats_unlock(m->stats, entry_key(m, index, word));
}

static inline void slot_remember(
	const struct dax_mapping *m, dax_pgoff_t index, struct sync_u64 *slot)
{
	last_locked = (struct last_locked){m, index, slot};
}

static inline void slot_forget(void)
{
	last_locked.m = NULL;
}

static inline bool slot_remembered(
	const struct dax_mapping *m, dax_pgoff_t index)
{
	const bool known = last_locked.index == index && last_locked.m == m;

	DAX_INVARIANT(!known || sync_peek(tree_walk(&m->tree, index, 0).slot) ==
					last_locked.slot);
	return known;
}

/* The slot of the entry that covers @index, which the caller has locked. NULL,
 * or a slot that is not locked: the caller has not. */
static inline struct sync_u64 *owned_slot(
	const struct dax_mapping *m, dax_pgoff_t index)
{
	if (slot_remembered(m, index))
		return last_locked.slot;
	/* Without RCU: our lock bit keeps the way there (G4). */
	return tree_walk(&m->tree, index, 0).slot;
}

/* Aborts, with the entry decoded, unless this thread holds the entry @entry
 * at @index, which is in @slot. */
#if DAX_CHECKED
void entry_require_owned(const struct dax_mapping *m, dax_pgoff_t index,
	const struct sync_u64 *slot, dax_entry_t entry);
#else
static inline void entry_require_owned(const struct dax_mapping *m,
	dax_pgoff_t index, const struct sync_u64 *slot, dax_entry_t entry)
{
	(void)m;
	(void)index;
	(void)slot;
	(void)entry;
}
#endif

/* ---- insert.c ---- */

/* L1: the lock bit, WAITERS and marks stay. Returns the word before. */
uint64_t entry_store(struct sync_u64 *slot, dax_entry_t entry);

/* ---- page.c: with the entry locked ---- */

/* Does the device count that @word has a page of it? */
static inline bool entry_has_page(const struct dax_mapping *m, uint64_t word)
{
	return m->pgmap && word_is_value(word) &&
	       !word_has(word, WORD_FLAGS(DAX_ZERO_PAGE | DAX_EMPTY));
}

/* Before @entry stands in the tree. @flags: of dax_insert_entry(). */
int entry_take_page(struct dax_mapping *m, dax_pgoff_t index, dax_entry_t entry,
	unsigned int flags);
/* A zapped entry is to be shown again. */
int entry_hold_page(struct dax_mapping *m, dax_entry_t entry);
/* No page table shows @entry, and none will while the entry is locked. Returns
 * it as it is then. */
dax_entry_t entry_zap(
	struct dax_mapping *m, struct sync_u64 *slot, dax_entry_t entry);
/* Of a zapped entry. -EBUSY: the page is pinned, and nobody else has it. */
int entry_give_page_up(struct dax_mapping *m, dax_pgoff_t index,
	dax_entry_t entry, enum dax_page_use use);

/* ---- remove.c ---- */

/* The storage of the range is others': its entries go, pinned or not. */
void mapping_drop_moved(
	struct dax_mapping *m, dax_pgoff_t first, dax_pgoff_t last);

/* ---- mapping.c ---- */

void mapping_unmap(struct dax_mapping *m, dax_pgoff_t index, uint64_t word);
void mapping_account(struct dax_mapping *m, uint64_t added, uint64_t removed);

#include "mapping/deviate.h"

#endif

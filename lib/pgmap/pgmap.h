/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The pages of a device. Read page.c first, then idle.c, claim.c, owner.c.
 *
 *   page	what is kept of one page: its state, and whose it is
 *   head	the page that counts for a range, with its pfn and state
 *   level	of a range: 0 free, 1 PTE, 2 PMD, 3 PUD
 *   owners	associations: how many are in the state, their sum beside it
 *
 * The state of a page, one word, so that each change is one CAS:
 *
 *	61	WAITERS	somebody waits until it is idle
 *	60	LIVE	has references, or is telling that the last one went
 *   59 - 58	level	of the range that it is the head of
 *   57 - 32	owners
 *   31 -  0	references
 *
 * P1  Tails of a range, and what is free, are 0.
 * P2  The level goes when neither LIVE nor an owner is left (C6 of the museum:
 *     otherwise a tail that is used by itself later is taken for a part).
 * P3  LIVE is set with the first reference, and cleared by whoever dropped the
 *     last one, after page_free. In between the page has no references, and
 *     nobody can take any.
 * P4  WAITERS is set while LIVE is, by a sleeper that joins the queue before it
 *     gives the queue's lock back, or leaves it set for nobody, as its page has
 *     another head by then; it is cleared with LIVE, by one CAS, and whoever
 *     clears it wakes all.
 * P5  While WAITERS is set, whoever leaves no more references than there are
 *     owners wakes all, too: they may be those of entries, and stay for ever.
 *
 * The sum of the owners' names is a word of its own. A name is added after its
 * owner was counted, and subtracted before it is counted off. So while one is
 * counted, the sum is that one's name, or 0: it comes or goes just now.
 */
#ifndef PGMAP_PGMAP_H
#define PGMAP_PGMAP_H

#include "base/check.h"
#include "base/sync.h"
#include "daxlock/pgmap.h"

#define PAGE_WAITERS	 ((uint64_t)1 << 61)
#define PAGE_LIVE	 ((uint64_t)1 << 60)
#define PAGE_LEVEL_SHIFT 58
#define PAGE_LEVELS	 ((uint64_t)3 << PAGE_LEVEL_SHIFT)
#define LEVEL_PTE	 1u
#define LEVEL_PMD	 2u
#define PAGE_OWNER_SHIFT 32
#define PAGE_OWNER	 ((uint64_t)1 << PAGE_OWNER_SHIFT)
#define PAGE_OWNERS_MAX	 ((1u << 26) - 1)

#define PMDS_OF_A_PUD	 ((uint64_t)1 << (DAX_PUD_ORDER - DAX_PMD_ORDER))

struct page {
	/* P1 to P4. */
	struct sync_u64 state;
	/* The sum of the names of its owners (name_of()). */
	struct sync_u64 names;
};

/* Owners stand in chunks that never move, each twice as large as the one
 * before it, so that they are found without a lock. */
#define OWNER_BITS	  (64 - DAX_PGMAP_INDEX_BITS)
#define OWNER_CHUNK_SHIFT 4
#define OWNER_CHUNKS	  (OWNER_BITS - OWNER_CHUNK_SHIFT)

struct owners {
	struct sync_lock lock;
	uint32_t used; /* guarded by @lock: numbers given out so far */
	uint32_t free; /* guarded by @lock: of those, the last given back */
	/* RCU has no part in it: written under @lock, never freed before the
	 * device. NULL: not needed so far. */
	struct sync_u64 chunks[OWNER_CHUNKS];
};

struct pin;

struct pins {
	struct sync_lock lock;
	struct pin *first; /* guarded by @lock; the oldest */
	struct pin *last;  /* guarded by @lock */
};

/* Whom to tell of waits that take long. */
struct on_stuck {
	void (*stuck)(void *context, const struct dax_stuck *stuck);
	void *context;
	uint64_t after_ns;
};

#define PGMAP_DYING   ((uint64_t)1 << 63)
#define PGMAP_WAITERS ((uint64_t)1 << 62)

struct dax_pgmap {
	uint64_t first;			 /* const after init */
	uint64_t nr;			 /* const after init */
	unsigned int largest;		 /* const after init: level */
	struct dax_waitq_table *waitqs;	 /* const after init */
	const struct dax_pgmap_ops *ops; /* const after init */
	void *owner;			 /* const after init */
	/* Const after init: the pages that begin a PMD, which are looked at for
	 * all others, are one array, so that the caches hold it; the others are
	 * the rest of it. @nr pages, all in all, and one that is always free if
	 * the page that begins the first PMD is not in the device. */
	struct page *heads;
	uint64_t first_head; /* const after init: in PMDs */
	struct page *tails;
	uint64_t first_tail; /* const after init: of all the tails there are */
	struct sync_lock sharing; /* of claims of what is shared, or may be */
	struct owners owners;
	struct pins pins;
	struct on_stuck on_stuck; /* const while anybody waits */
	/* DYING, WAITERS, and who holds the device. */
	struct sync_u64 refs __attribute__((aligned(64)));
};

/* ---- the state of a page ---- */

static inline uint32_t state_references(uint64_t state)
{
	return (uint32_t)state;
}

static inline uint32_t state_owners(uint64_t state)
{
	return (uint32_t)(state >> PAGE_OWNER_SHIFT) & PAGE_OWNERS_MAX;
}

static inline unsigned int state_level(uint64_t state)
{
	return (unsigned int)(state >> PAGE_LEVEL_SHIFT) & 3;
}

static inline uint64_t level_bits(unsigned int level)
{
	return (uint64_t)level << PAGE_LEVEL_SHIFT;
}

static inline unsigned int level_of_order(unsigned int order)
{
	return order / DAX_PMD_ORDER + LEVEL_PTE;
}

static inline uint64_t level_pages(unsigned int level)
{
	return (uint64_t)1 << (level - LEVEL_PTE) * DAX_PMD_ORDER;
}

static inline bool state_is_live(uint64_t state)
{
	return state & PAGE_LIVE;
}

/* P3: the last reference went, and it is not idle yet. */
static inline bool state_is_ending(uint64_t state)
{
	return state_is_live(state) && !state_references(state);
}

/* ---- page.c ---- */

struct head {
	struct page *page;
	uint64_t pfn;
	uint64_t state; /* as it was */
};

/* The page that counts for @pfn: the head of the range that it is a part of,
 * or itself. Holds still while somebody has a reference, or owns it. */
struct head page_head(const struct dax_pgmap *pgmap, uint64_t pfn);

/* How many pages, with @pfn, count as one; 0: it is free. */
uint64_t page_counts_for(const struct dax_pgmap *pgmap, uint64_t pfn);

/* dax_page_put() of a pin that had a name. */
void page_put_pin(struct dax_pgmap *pgmap, uint64_t pfn);

/* ---- pgmap.c ---- */

/* How often the device is held; old news. */
uint64_t pgmap_holders(const struct dax_pgmap *pgmap);

/* ---- claim.c ---- */

/* dax_page_dissociate(). DAX_PAGE_SHARED: the storage stays in use even if
 * nobody is left who has named himself, so there is nothing to wait for. */
int page_dissociate(struct dax_pgmap *pgmap, uint64_t pfn,
	const struct dax_page_owner *owner, enum dax_page_use use);

/* ---- stuck.c ---- */

/* Of one call that waits, however often it sleeps. */
struct patience {
	struct dax_pgmap *pgmap;
	const struct dax_wait_limit *limit; /* NULL: none */
	uint64_t since_ns;
	uint64_t tell_ns; /* when to tell that it takes long */
	uint64_t pfn;	  /* what it waits for, before each sleep */
};

/* It waits for those who hold the device. */
#define NO_PFN UINT64_MAX

/* @pgmap: NULL: there will be no wait. */
struct patience patience_begin(
	struct dax_pgmap *pgmap, const struct dax_wait_limit *limit);

/* As dax_waitq_sleep(). Also 0: it takes long, and that was told. */
int patience_sleep(struct patience *patience, struct dax_waitq *queue,
	struct dax_waiter *waiter);

/* ---- idle.c ---- */

/* Is @pfn in use, and no owner besides one to wait for that? */
bool page_is_busy(const struct dax_pgmap *pgmap, uint64_t pfn);

/* Joins the queue of those who wait for @pfn, for dax_waitq_sleep(). Woken when
 * the page is idle, or may be held by entries alone, which faults have brought
 * back meanwhile. NULL: it is not busy; another owner may have come, of a file
 * that the caller does not keep out. */
struct dax_waitq *page_join_queue(
	struct dax_pgmap *pgmap, uint64_t pfn, struct dax_waiter *waiter);

/* P3: the last reference to @page, which is @pfn and a head, was dropped by
 * this thread. */
void page_announce(struct dax_pgmap *pgmap, struct page *page, uint64_t pfn);

/* Sleeps while @pfn is busy, and not for whoever has it, or its head, after
 * that. May return sooner. @patience: NULL: it does not take long. 0;
 * -ETIMEDOUT, -ECANCELED. */
int page_sleep_while(struct dax_pgmap *pgmap, uint64_t pfn,
	bool (*is_busy)(uint64_t state), struct patience *patience);
/* The same, of those who hold the device. */
int pgmap_sleep_while(struct dax_pgmap *pgmap, bool (*is_busy)(uint64_t refs),
	struct patience *patience);

/* dax_page_wait_idle() as a part of a longer wait. */
int page_wait_idle(uint64_t pfn, struct patience *patience);

/* Wakes all who sleep on @word, of which nothing but the address is
 * used: it may be gone. */
void wake_all(struct dax_waitq_table *waitqs, const struct sync_u64 *word);

/* ---- owner.c ---- */

/* What stands for @owner of the first page of a range in the sum of names, when
 * @offset pages of it are before that of @owner. Not 0. */
uint64_t owner_name(const struct dax_page_owner *owner, uint64_t offset);

void owners_init(struct owners *owners);
void owners_destroy(struct owners *owners);

/* The largest number that was given out so far. */
uint32_t pgmap_last_owner(struct dax_pgmap *pgmap);

/* The object of owner @id, or NULL. Inside sync_rcu_enter(). */
void *pgmap_owner_rcu(const struct dax_pgmap *pgmap, uint32_t id);

/* ---- pin.c ---- */

void pins_init(struct pins *pins);
/* A reference to @pfn that this thread took is a pin of @holder's from now on.
 */
void pin_name(struct dax_pgmap *pgmap, struct dax_pin *pin, uint64_t pfn,
	enum dax_pin_term term, const char *holder);

#include "pgmap/deviate.h"

#endif

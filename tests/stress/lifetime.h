/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Files that come and go as clones of each other, and what threads know of
 * them.
 *
 *   slot	a file, where it is shown, and a lock: shared by whoever uses
 *		it, alone by whoever replaces it
 *   block	what a page has: its first word, its last, and what every word
 *		between them is
 *   owner	of a page, in all slots: the one thread that changes it, and so
 *		knows what it is. Others know that it is of that page
 */
#ifndef LIFETIME_H
#define LIFETIME_H

#include "support/areas.h"
#include "support/crew.h"
#include "support/disk.h"
#include "support/random.h"

enum { THREADS = 4, SLOTS = 3, OWN = 2, PAGES = OWN * THREADS };
#define SIZE	   (PMD + THREADS * PAGE)
#define PAGE_WORDS (PAGE / sizeof(uint64_t))
#define LAST_WORD  (PAGE_WORDS - 1)

struct slot {
	pthread_rwlock_t lock;
	struct dax_file *file; /* guarded by @lock, as all here; or NULL */
	struct dax_mm *mm;
	uint64_t areas[AREAS];
	unsigned int life; /* how often there was another file */
};

struct block {
	uint64_t first;
	uint64_t rest;
	uint64_t last;
};

/* What the owner knows of his pages in a slot. */
struct known {
	unsigned int life; /* of which file */
	bool is_known[OWN];
	struct block blocks[OWN];
};

struct tally {
	_Atomic(unsigned int) rounds;
	_Atomic(unsigned int) clones;
	_Atomic(unsigned int) pins;
	_Atomic(unsigned int) bad;
	_Atomic(unsigned int) dead;
};

struct scene;

struct actor {
	struct crew_member *me;
	struct scene *scene;
	struct random random;
	struct known known[SLOTS];
	uint64_t count;
};

struct scene {
	struct dax_fs *fs;
	uint64_t seed;
	struct slot slots[SLOTS];
	struct actor actors[THREADS]; /* owner: the thread */
	bool is_scarce;		      /* const while threads run: of blocks */
	_Atomic(bool) is_dying;
	struct tally tally;
};

static inline uint64_t choose(struct actor *actor, uint64_t limit)
{
	return random_below(&actor->random, limit);
}

/* ---- pages and what is in them ---- */

static inline unsigned int owner_of(unsigned int page)
{
	return page % THREADS;
}

/* Pages of both PMDs: none is far from one of another owner. */
static inline uint64_t page_pos(unsigned int page)
{
	return page < THREADS ? page * PAGE : PMD + (page - THREADS) * PAGE;
}

/* Says of which page it is, so nobody else puts it anywhere. */
static inline uint64_t new_value(struct actor *actor, unsigned int page)
{
	return (uint64_t)(page + 1) << 48 | ++actor->count;
}

static inline bool belongs_to(uint64_t value, unsigned int page)
{
	return !value || value >> 48 == page + 1;
}

static inline bool block_is(const struct block *block, const uint64_t *words)
{
	bool is_same =
		words[0] == block->first && words[LAST_WORD] == block->last;

	for (size_t i = 1; i < LAST_WORD; i++)
		is_same &= words[i] == block->rest;
	return is_same;
}

static inline bool words_belong_to(const uint64_t *words, unsigned int page)
{
	bool belong = true;

	for (size_t i = 0; i < PAGE_WORDS; i++)
		belong &= belongs_to(words[i], page);
	return belong;
}

/* True: it was done; false: it was not, and nothing has changed. */
static inline bool is_done(struct actor *actor, int error)
{
	struct scene *scene = actor->scene;

	crew_check(actor->me,
		!error || error == -EHWPOISON || error == -ENOSPC ||
			(error == -EIO &&
				(scene->is_dying || scene->is_scarce)));
	atomic_fetch_add(&scene->tally.bad, error == -EHWPOISON);
	atomic_fetch_add(&scene->tally.dead, error == -EIO);
	return !error;
}

/* 0 past the end. */
static inline int read_words(
	struct dax_file *file, unsigned int page, uint64_t *words)
{
	size_t done;

	memset(words, 0, PAGE);
	return dax_file_read(file, page_pos(page), words, PAGE, &done);
}

/* ---- what an owner knows ---- */

static inline struct known *known_of(struct actor *actor, unsigned int nr)
{
	struct known *known = &actor->known[nr];
	const unsigned int life = actor->scene->slots[nr].life;

	if (known->life != life)
		*known = (struct known){.life = life};
	return known;
}

/* Of a file that others made, the owner learns by a look what it has of his,
 * and that stays. NULL: he cannot look. */
static inline struct block *look_up(struct actor *actor, unsigned int nr,
	unsigned int own, unsigned int page)
{
	struct slot *slot = &actor->scene->slots[nr];
	struct known *known = known_of(actor, nr);
	struct block *block = &known->blocks[own];
	uint64_t words[PAGE_WORDS];

	if (known->is_known[own])
		return block;
	if (!is_done(actor, read_words(slot->file, page, words)))
		return NULL;
	*block = (struct block){words[0], words[1], words[LAST_WORD]};
	known->is_known[own] = true;
	crew_check(actor->me, words_belong_to(words, page));
	crew_check(actor->me, block_is(block, words));
	return block;
}

/* ---- slots ---- */

static inline int map_slot(struct slot *slot)
{
	int error = dax_mm_new(NULL, &slot->mm);

	if (!error)
		error = areas_map(
			slot->mm, slot->file, SIZE, AREAS, slot->areas);
	return error;
}

static inline void empty_slot(struct slot *slot)
{
	dax_mm_delete(&slot->mm);
	dax_file_delete(&slot->file);
}

#endif

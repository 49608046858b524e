/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a tree promises, in the plainest way: a sorted array of entries. It
 * does not know of nodes, and nothing runs beside it.
 */
#ifndef TREE_MODEL_H
#define TREE_MODEL_H

#include <errno.h>
#include <string.h>

#include "daxlock/tree.h"
#include "entry/word.h"

#define MODEL_MAX 512

struct model_entry {
	uint64_t first;
	uint64_t last;
	uint64_t word; /* with its marks */
};

struct model {
	size_t count;
	struct model_entry entries[MODEL_MAX]; /* by @first */
};

/* The number of the first entry that does not end before @index. */
static inline size_t model_find(const struct model *model, uint64_t index)
{
	size_t i = 0;

	while (i < model->count && model->entries[i].last < index)
		i++;
	return i;
}

/* The first entry that has an index in the range, or NULL. */
static inline const struct model_entry *model_next(
	const struct model *model, uint64_t first, uint64_t last, uint64_t bits)
{
	for (size_t i = model_find(model, first); i < model->count; i++) {
		const struct model_entry *entry = &model->entries[i];

		if (entry->first > last)
			break;
		if (entry->word & bits)
			return entry;
	}
	return NULL;
}

static inline struct model_entry *model_at(struct model *model, uint64_t index)
{
	return (struct model_entry *)model_next(
		model, index, index, WORD_VALUE);
}

static inline uint64_t model_load(struct model *model, uint64_t index)
{
	const struct model_entry *entry = model_at(model, index);

	return entry ? entry->word : 0;
}

static inline int model_insert(
	struct model *model, uint64_t index, uint64_t word)
{
	const uint64_t first = dax_entry_start(word, index);
	const uint64_t last =
		first + (((uint64_t)1 << dax_entry_order(word)) - 1);
	const size_t at = model_find(model, first);

	if (model_next(model, first, last, WORD_VALUE))
		return -EEXIST;
	memmove(&model->entries[at + 1], &model->entries[at],
		(model->count - at) * sizeof(model->entries[0]));
	model->entries[at] = (struct model_entry){first, last, word};
	model->count++;
	return 0;
}

static inline int model_replace(
	struct model *model, uint64_t index, uint64_t old, uint64_t word)
{
	struct model_entry *entry = model_at(model, index);

	if (!entry || entry->word != old)
		return -EAGAIN;
	entry->word = word;
	return 0;
}

static inline int model_erase(struct model *model, uint64_t index, uint64_t old)
{
	struct model_entry *entry = model_at(model, index);

	if (!entry || entry->word != old)
		return -EAGAIN;
	model->count--;
	memmove(entry, entry + 1,
		(char *)&model->entries[model->count] - (char *)entry);
	return 0;
}

static inline bool model_set_mark(
	struct model *model, uint64_t index, enum dax_mark mark)
{
	struct model_entry *entry = model_at(model, index);

	if (entry)
		entry->word |= WORD_MARK(mark);
	return entry;
}

static inline void model_clear_mark(
	struct model *model, uint64_t index, enum dax_mark mark)
{
	struct model_entry *entry = model_at(model, index);

	if (entry)
		entry->word &= ~WORD_MARK(mark);
}

static inline uint64_t model_pages(const struct model *model)
{
	uint64_t pages = 0;

	for (size_t i = 0; i < model->count; i++)
		pages += model->entries[i].last - model->entries[i].first + 1;
	return pages;
}

#endif

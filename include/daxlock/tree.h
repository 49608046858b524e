/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: daxlock/tree.h - a concurrent radix tree of entry words
 *
 * Maps 64-bit page offsets to entry words (daxlock/entry.h). A PTE entry takes
 * one slot of a node that covers 2 MiB, a PMD entry one slot of a node that
 * covers 1 GiB, a PUD entry one of the level above: the tree is shaped like a
 * page table, without siblings. Any word with bit 0 set may be stored; its PMD
 * and PUD flags say how much it covers, its mark bits belong to the tree.
 *
 * A mapping (daxlock/mapping.h) is this tree with the entry-lock protocol on
 * it. Use the tree itself to build another protocol, or to look at a mapping's
 * raw words: dax_mapping_tree().
 *
 * Nodes of all trees share slabs of 2 MiB, on huge pages when there are many. A
 * slab goes back to the kernel when its last node does; one is kept.
 *
 * Which calls may run at the same time on one tree ("-": free to race,
 * "X": the caller excludes them):
 *
 *                     load  insert  replace  erase  marks  for_each  delete
 *   load               -      -       -        -      -       -        X
 *   insert             -      -       -        -      -       -        X
 *   replace            -      -       -        -      -       -        X
 *   erase              -      -       -        -      -       -        X
 *   marks              -      -       -        -      -       -        X
 *   for_each           -      -       -        -      -       -        X
 *   delete             X      X       X        X      X       X        X
 *
 * Context of every call here: hold no lock of rank TREE or above (WAITQ); those
 * that change the tree take and drop TREE. None sleeps for another's lock bit.
 */
#ifndef DAXLOCK_TREE_H
#define DAXLOCK_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <daxlock/attributes.h>
#include <daxlock/entry.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

struct dax_tree;

/**
 * enum dax_mark - what a search can ask for
 * @DAX_MARK_DIRTY: written since the last writeback; PAGECACHE_TAG_DIRTY
 * @DAX_MARK_TOWRITE: chosen by a writeback that runs; PAGECACHE_TAG_TOWRITE
 */
enum dax_mark {
	DAX_MARK_DIRTY,
	DAX_MARK_TOWRITE,
};

/**
 * dax_tree_new() - an empty tree
 * @out: the tree, or NULL on error
 *
 * Context: does not sleep.
 * Threads: any.
 * Return: 0; -ENOMEM.
 */
int dax_tree_new(struct dax_tree **out) DAX_MUST_CHECK;

/**
 * dax_tree_delete() - free a tree and all that is in it
 * @tree: set to NULL; NULL is accepted
 *
 * Context: does not sleep.
 * Threads: no other call on the tree may run.
 */
void dax_tree_delete(struct dax_tree **tree);

/**
 * dax_tree_load() - the raw word of the entry that covers an index
 * @tree: tree
 * @index: in pages; any index that the entry covers
 *
 * Ordering: acquire; pairs with the release of whoever stored the word.
 * Threads: any number; wait-free.
 * Return: the word, with lock bit and marks; 0 when no entry covers @index.
 * Models: lib/xarray.c xa_load(), v6.12.
 */
uint64_t dax_tree_load(const struct dax_tree *tree, dax_pgoff_t index);

/**
 * dax_tree_insert() - put an entry where there is none
 * @tree: tree
 * @index: in pages; rounded down to the start of what @word covers
 * @word: bit 0 set, no marks
 *
 * Ordering: release.
 * Threads: any number; lock-free but for growth.
 * Return: 0; -EEXIST something is in the range, or an erase there has not
 *	returned yet; -ENOMEM, nothing changed.
 * Models: lib/xarray.c xa_insert(), v6.12.
 */
int dax_tree_insert(struct dax_tree *tree, dax_pgoff_t index, uint64_t word)
	DAX_MUST_CHECK;

/**
 * dax_tree_replace() - compare and swap an entry's word
 * @tree: tree
 * @index: in pages; any index that the entry covers
 * @old: the word expected, as dax_tree_load() returned it
 * @word: the new word; covers as much as @old and has its marks
 *
 * Ordering: acquire and release when it succeeds.
 * Threads: any number; lock-free.
 * Return: 0; -EAGAIN the entry is not @old.
 * Models: lib/xarray.c xa_cmpxchg(), v6.12.
 */
int dax_tree_replace(struct dax_tree *tree, dax_pgoff_t index, uint64_t old,
	uint64_t word) DAX_MUST_CHECK;

/**
 * dax_tree_erase() - remove an entry
 * @tree: tree
 * @index: in pages; any index that the entry covers
 * @old: the word expected, as dax_tree_load() returned it
 *
 * Its marks go with it. Nodes left empty are freed after a grace period. While
 * very many wait for that, whoever empties one sleeps for a millisecond, unless
 * the program has the thread in an RCU section: else memory could run out.
 *
 * Threads: any number.
 * Return: 0; -EAGAIN the entry is not @old.
 */
int dax_tree_erase(struct dax_tree *tree, dax_pgoff_t index, uint64_t old)
	DAX_MUST_CHECK;

/**
 * dax_tree_set_mark() - mark the entry that covers an index
 * @tree: tree
 * @index: in pages
 * @mark: which
 *
 * Ordering: a search that starts after this returned finds the entry.
 * Return: true: the entry has the mark; false: no entry covers @index.
 * Models: lib/xarray.c xas_set_mark(), v6.12.
 */
bool dax_tree_set_mark(
	struct dax_tree *tree, dax_pgoff_t index, enum dax_mark mark);

/**
 * dax_tree_clear_mark() - take a mark from the entry that covers an index
 * @tree: tree
 * @index: in pages
 * @mark: which
 *
 * Does nothing when there is no such entry, or no mark.
 */
void dax_tree_clear_mark(
	struct dax_tree *tree, dax_pgoff_t index, enum dax_mark mark);

/**
 * dax_tree_get_mark() - has the entry that covers an index a mark
 * @tree: tree
 * @index: in pages
 * @mark: which
 *
 * Threads: any number; wait-free.
 */
bool dax_tree_get_mark(
	const struct dax_tree *tree, dax_pgoff_t index, enum dax_mark mark);

/**
 * dax_tree_marked() - has any entry a mark
 * @tree: tree
 * @mark: which
 *
 * Threads: any number; wait-free.
 * Models: include/linux/xarray.h xa_marked(), v6.12.
 */
bool dax_tree_marked(const struct dax_tree *tree, enum dax_mark mark);

/**
 * dax_tree_nr_nodes() - nodes in the tree
 * @tree: tree
 *
 * Threads: any; exact when no other call runs.
 */
size_t dax_tree_nr_nodes(const struct dax_tree *tree);

/** dax_tree_node_size() - bytes that a node takes of a slab */
size_t dax_tree_node_size(void);

/**
 * struct dax_xas - a position in a search
 * @index: where the search stands, in pages: the first index not before the
 *	start of the search that the entry last returned covers
 *
 * Lives on the caller's stack. It keeps no pointer into the tree, so between
 * two steps the caller may do anything: sleep, change the tree, or stop for
 * good. Nothing needs to be paused or reset.
 */
struct dax_xas {
	dax_pgoff_t index;
	/* private: */
	const struct dax_tree *tree;
	dax_pgoff_t next;
	dax_pgoff_t last;
	int done;
};

/**
 * dax_xas_init() - start a search
 * @xas: position
 * @tree: tree
 * @first: where to start, in pages
 * @last: where to end, in pages, inclusive; UINT64_MAX is the last page
 */
void dax_xas_init(struct dax_xas *xas, const struct dax_tree *tree,
	dax_pgoff_t first, dax_pgoff_t last);

/**
 * dax_xas_next() - the next entry
 * @xas: position
 *
 * An entry that is there during the whole pass is returned once. @xas->index
 * grows with every call, whatever others do to the tree: no index is seen
 * twice, and a large entry is stepped over as a whole. An entry that begins
 * before the range and reaches into it is returned.
 *
 * Threads: any number on the tree, one on @xas.
 * Return: the raw word; 0 at the end.
 * Models: lib/xarray.c xas_find(), v6.12. Differs: see &struct dax_xas.
 */
uint64_t dax_xas_next(struct dax_xas *xas);

/**
 * dax_xas_next_marked() - the next entry with a mark
 * @xas: position
 * @mark: which
 *
 * As dax_xas_next(). Costs in proportion to the entries marked.
 *
 * Return: the raw word; 0 at the end.
 * Models: lib/xarray.c xas_find_marked(), v6.12.
 */
uint64_t dax_xas_next_marked(struct dax_xas *xas, enum dax_mark mark);

/** dax_xas_for_each() - for each raw word @word from @xas on */
#define dax_xas_for_each(xas, word) while (((word) = dax_xas_next(xas)))

/** dax_xas_for_each_marked() - for each raw word @word marked @mark */
#define dax_xas_for_each_marked(xas, word, mark)                               \
	while (((word) = dax_xas_next_marked(xas, mark)))

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: daxlock/pgmap.h - the pages of a device: references, owners, pins
 *
 * A page of a DAX device is storage and memory at once. Before a block of it
 * may be given to another file, nobody may be able to reach it any more: no
 * page table, and no device that reads or writes it. So each page counts its
 * references, from 0 on. An entry that maps it holds one, and each pin one.
 *
 *          associate                 last put              dissociate
 *    free -----------> live, owned ------------> idle, owned --------> free
 *                        |  ^  ^                     |
 *                        +--+  |       request       |
 *              try_get, put    +---------------------+
 *
 * A page that an entry of order N maps stands for a range of 2^N pages: the
 * first of them, its head, counts for all, and every call takes the number of
 * any page of the range. So mapping 2 MiB changes one word, not 512. The price
 * is that a pin looks at the heads of the larger ranges that it may be in.
 *
 * Who owns a page is said as (owner, index): an owner is a number that stands
 * for a mapping. A block that files share (reflink) has several; the page keeps
 * how many, and their sum. When one is left, the sum is its name.
 *
 * Guarantees
 *   G1	A count leaves 0 only by dax_page_associate() and dax_page_request(),
 *	which a dying device refuses. A pin never does it.
 *   G2	A page is idle when its last reference was dropped and ops->page_free
 *	has returned. Then, and not before, those who wait for it are woken,
 *	and it may be requested again.
 *   G3	Who drops a reference to a page touches neither the page nor the
 *	device after anybody can see that the page is idle.
 *   G4	What was done with a reference to a page happens before its end is
 *	seen by dax_page_wait_idle(), dax_page_is_idle(), and whoever requests
 *	the page next [MO-9].
 *   G5	When dax_pgmap_kill() has returned, no page becomes live. When
 *	dax_pgmap_wait() has returned 0 after that, none is live, and nobody
 *	holds the device.
 *   G6	A page that one (owner, index) is associated with says which; one that
 *	has more of them says "shared"; and when all but one have left, it says
 *	which again.
 *
 * All calls may race with each other, but for dax_pgmap_delete(), and for
 * associating, requesting and dissociating for one (owner, index), which its
 * entry's lock keeps apart. A call on a page or a device needs the device to
 * be there: a reference to the device (dax_pgmap_get()) or to one of its pages,
 * or an owner that was not removed, keeps it.
 *
 * Context: may be called with any lock up to TREE held. Takes and drops WAITQ,
 * LEAF. Only calls with "wait" in their names sleep; dax_page_associate() and
 * dax_page_request() wait while ops->page_free runs for that page.
 *
 * Models: the page references of fs/dax.c in the 2022 series "Fix the DAX-gup
 * mistake"; mm/memremap.c, v6.15. Differs: folios are found from page numbers,
 * not through pointers in each page.
 */
#ifndef DAXLOCK_PGMAP_H
#define DAXLOCK_PGMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <daxlock/attributes.h>
#include <daxlock/entry.h>
#include <daxlock/waitq.h>

#ifdef __cplusplus
extern "C" {
#endif

#pragma GCC visibility push(default)

struct dax_pgmap;

/* ---- devices ---- */

/**
 * struct dax_pgmap_ops - what a device is told of its pages
 * @page_free: the last reference to @nr pages from @pfn on was dropped. Called
 *	by whoever dropped it, with the locks that it holds, before anybody can
 *	see the pages idle; must not sleep. Models: struct
 *	dev_pagemap_ops.page_free, v6.12
 */
struct dax_pgmap_ops {
	void (*page_free)(void *owner, uint64_t pfn, uint64_t nr);
};

/**
 * struct dax_pgmap_params - a device
 * @first: its first page
 * @nr: pages
 * @waitqs: where threads wait for pages; outlives all calls. NULL: the table
 *	of the process
 * @ops: NULL: none
 * @owner: passed to @ops
 */
struct dax_pgmap_params {
	uint64_t first;
	uint64_t nr;
	struct dax_waitq_table *waitqs;
	const struct dax_pgmap_ops *ops;
	void *owner;
};

/**
 * dax_pgmap_new() - the pages of a device, all of them free
 * @params: all but @nr may be 0
 * @out: the device's pages, or NULL on error
 *
 * Takes 16 bytes for each page.
 *
 * Return: 0; -EINVAL @nr is 0, or the range ends above 2^52; -ENOMEM.
 */
int dax_pgmap_new(const struct dax_pgmap_params *params,
	struct dax_pgmap **out) DAX_MUST_CHECK;

/**
 * dax_pgmap_delete() - free a device's pages
 * @pgmap: set to NULL; NULL is accepted; no page is live, nobody holds it
 *
 * Who looks for a page to pin while its leaf goes (dax_pin_pages()) may have it
 * for a moment: that is waited for before the pages are looked at.
 *
 * Context: waits for an RCU grace period; not inside a reader.
 * Threads: no other call on it may run; see G3.
 */
void dax_pgmap_delete(struct dax_pgmap **pgmap);

/**
 * dax_pgmap_get() - hold a device, unless it is dying
 * @pgmap: device
 *
 * Ordering: acquire.
 * Return: true: dax_pgmap_put() is owed; false: it is dying.
 * Models: mm/memremap.c get_dev_pagemap(), v6.12.
 */
bool dax_pgmap_get(struct dax_pgmap *pgmap) DAX_MUST_CHECK;

/**
 * dax_pgmap_put() - hold a device no longer
 * @pgmap: may be gone when this returns
 *
 * Ordering: release; pairs with the acquire in dax_pgmap_wait() [MO-10].
 * Models: include/linux/memremap.h put_dev_pagemap(), v6.12.
 */
void dax_pgmap_put(struct dax_pgmap *pgmap);

/**
 * dax_pgmap_kill() - refuse requests from now on
 * @pgmap: device; not dying
 *
 * Whoever was about to make a page live has done so when this returns, or
 * never will (G5): what is to be unmapped can be found now.
 *
 * Context: waits for an RCU grace period; not inside a reader.
 * Models: mm/memremap.c memunmap_pages(), its percpu_ref_kill(), v6.12.
 */
void dax_pgmap_kill(struct dax_pgmap *pgmap);

/** dax_pgmap_is_dying() - was dax_pgmap_kill() called? */
bool dax_pgmap_is_dying(const struct dax_pgmap *pgmap);

/**
 * dax_pgmap_wait() - wait until nothing of a killed device is in use
 * @pgmap: device; dying
 * @limit: when to give up; NULL: never. May be called again then
 *
 * Context: sleeps. Looks at every page.
 * Ordering: acquire; pairs with the release in dax_page_put() [MO-9] and
 *	dax_pgmap_put() [MO-10].
 * Return: 0; -ETIMEDOUT; -ECANCELED.
 * Models: mm/memremap.c memunmap_pages(), its wait_for_completion(), v6.12.
 */
int dax_pgmap_wait(struct dax_pgmap *pgmap,
	const struct dax_wait_limit *limit) DAX_MUST_CHECK;

/* ---- owners ---- */

/** DAX_PGMAP_INDEX_BITS - indices that pages know: files of up to 4 PiB */
#define DAX_PGMAP_INDEX_BITS 40

/**
 * dax_pgmap_add_owner() - a number for somebody who will own pages
 * @pgmap: device
 * @object: what the library finds by that number; not NULL, even
 * @id: not 0; written only on success
 *
 * Return: 0; -ENOMEM; -EMFILE there are 2^24 - 17 owners.
 */
int dax_pgmap_add_owner(
	struct dax_pgmap *pgmap, void *object, uint32_t *id) DAX_MUST_CHECK;

/**
 * dax_pgmap_remove_owner() - an owner goes
 * @pgmap: device
 * @id: of dax_pgmap_add_owner(); associated with no page
 *
 * Those who found the object before may still look at it: it is freed after an
 * RCU grace period.
 */
void dax_pgmap_remove_owner(struct dax_pgmap *pgmap, uint32_t id);

/* ---- references ---- */

/**
 * struct dax_page_owner - who has a page
 * @id: of dax_pgmap_add_owner()
 * @index: which page of its file; below 2^DAX_PGMAP_INDEX_BITS
 */
struct dax_page_owner {
	uint32_t id;
	dax_pgoff_t index;
};

/**
 * enum dax_page_use - may a page have other owners?
 * @DAX_PAGE_SOLE: no
 * @DAX_PAGE_SHARED: yes; the block is known to be shared
 */
enum dax_page_use {
	DAX_PAGE_SOLE,
	DAX_PAGE_SHARED,
};

/**
 * dax_page_associate() - an entry gets a page: name its owner, and hold it
 * @pgmap: device
 * @pfn: first page; a multiple of 2^@order
 * @order: DAX_PTE_ORDER, DAX_PMD_ORDER or DAX_PUD_ORDER
 * @owner: of @pfn
 * @use: see there
 *
 * A shared page that is in use as a part of a larger range becomes one more
 * owner's as such a part. The range stays one until its last owner leaves, even
 * if that has only a part of it: what is free of it can then be had as shared
 * pages, not as a sole owner's.
 *
 * Ordering: acquire from the page's last life [MO-9]; release to who pins it.
 * Return: 0: dax_page_put() and dax_page_dissociate() are owed; -EBUSY the
 *	page has an owner already, or a part of the range is in use by itself;
 *	-EIO the device is dying.
 * Models: fs/dax.c dax_associate_entry(); mm/memremap.c
 *	pgmap_request_folios(), 2022 series.
 */
int dax_page_associate(struct dax_pgmap *pgmap, uint64_t pfn,
	unsigned int order, const struct dax_page_owner *owner,
	enum dax_page_use use) DAX_MUST_CHECK;

/**
 * dax_page_request() - an entry holds its page again
 * @pgmap: device
 * @pfn: a page; associated by the caller, whose reference was dropped
 *
 * Return: 0: dax_page_put() is owed; -EIO the device is dying.
 * Models: mm/memremap.c pgmap_request_folios(), 2022 series.
 */
int dax_page_request(struct dax_pgmap *pgmap, uint64_t pfn) DAX_MUST_CHECK;

/**
 * dax_page_try_get() - hold a page that somebody holds (pin it)
 * @pgmap: device
 * @pfn: any page
 *
 * The caller found the page in a page table, say, and looks there again after
 * this: the page may have gone and come back as another file's in between.
 *
 * Context: never sleeps, takes no lock.
 * Ordering: acquire.
 * Return: true: dax_page_put() is owed; false: nobody holds the page, or nearly
 *	2^32 do.
 * Models: mm/gup.c try_get_folio(), v6.12.
 */
bool dax_page_try_get(struct dax_pgmap *pgmap, uint64_t pfn) DAX_MUST_CHECK;

/**
 * dax_page_put() - hold a page no longer
 * @pgmap: device; may be gone when this returns
 * @pfn: any page of the range
 *
 * Context: does not sleep. Takes and drops WAITQ, only if somebody waits.
 * Ordering: release [MO-9].
 * Models: mm/memremap.c pgmap_release_folios(), 2022 series; free_zone_device_
 *	folio(), v6.12.
 */
void dax_page_put(struct dax_pgmap *pgmap, uint64_t pfn);

/**
 * dax_page_dissociate() - an entry gives its page up for good
 * @pgmap: device
 * @pfn: as it was associated
 * @owner: as it was associated
 *
 * The last owner cannot go before the page is idle: its storage is free then.
 * One of several can, whoever has pins: the storage is still the others'.
 *
 * Return: 0; -EBUSY the page is not idle, and nobody else has it.
 * Models: fs/dax.c dax_disassociate_entry(), v6.12.
 */
int dax_page_dissociate(struct dax_pgmap *pgmap, uint64_t pfn,
	const struct dax_page_owner *owner) DAX_MUST_CHECK;

/* ---- looking and waiting ---- */

/** dax_page_is_idle() - has nobody a reference to a page? */
bool dax_page_is_idle(const struct dax_pgmap *pgmap, uint64_t pfn);

/** dax_page_count() - references to a page; old news unless all stand still */
uint64_t dax_page_count(const struct dax_pgmap *pgmap, uint64_t pfn);

/**
 * dax_page_wait_idle() - sleep until nobody has a reference to a page
 * @pgmap: device
 * @pfn: any page
 * @limit: when to give up; NULL: never
 *
 * Only who keeps new references from being taken knows that it stays so.
 *
 * Context: sleeps. Hold nothing that those with references need.
 * Ordering: acquire; pairs with the release in dax_page_put() [MO-9].
 * Return: 0; -ETIMEDOUT; -ECANCELED.
 * Models: fs/dax.c dax_break_layout(), its wait_var_event(), v6.15.
 */
int dax_page_wait_idle(struct dax_pgmap *pgmap, uint64_t pfn,
	const struct dax_wait_limit *limit) DAX_MUST_CHECK;

/**
 * enum dax_page_owned - how many owners a page has
 * @DAX_PAGE_UNOWNED: none, or one that comes or goes just now
 * @DAX_PAGE_OWNED: one
 * @DAX_PAGE_OWNERS: several
 */
enum dax_page_owned {
	DAX_PAGE_UNOWNED,
	DAX_PAGE_OWNED,
	DAX_PAGE_OWNERS,
};

/**
 * dax_page_owner() - who has a page?
 * @pgmap: device
 * @pfn: any page
 * @owner: of @pfn; written only if there is one
 *
 * An answer that was right at some time during the call; old news when it is
 * read: who goes by it locks the entry that it names, and looks whether that
 * has the page. This also finds out the one case in which nobody ever had the
 * name: an owner left and came back during the call, between others.
 *
 * Return: see &enum dax_page_owned.
 */
enum dax_page_owned dax_page_owner(const struct dax_pgmap *pgmap, uint64_t pfn,
	struct dax_page_owner *owner) DAX_MUST_CHECK;

/* ---- named pins ---- */

/**
 * enum dax_pin_term - how long a pin is held
 * @DAX_PIN_SHORT: for an operation that ends by itself
 * @DAX_PIN_LONGTERM: for as long as its holder likes
 */
enum dax_pin_term {
	DAX_PIN_SHORT,
	DAX_PIN_LONGTERM,
};

/**
 * struct dax_pin - a pin that says whose it is
 *
 * The holder's, and where it is until dax_pin_put().
 */
struct dax_pin {
	/* private: */
	uint64_t opaque[8];
};

/**
 * dax_pin_get() - pin a page under a name
 * @pgmap: device
 * @pin: the pin
 * @pfn: any page
 * @term: see there
 * @holder: who pins it; outlives the pin
 *
 * As dax_page_try_get(), and known to dax_pgmap_describe_pins().
 *
 * Context: does not sleep. Takes and drops LEAF.
 * Return: true: dax_pin_put() is owed; false: nobody holds the page.
 */
bool dax_pin_get(struct dax_pgmap *pgmap, struct dax_pin *pin, uint64_t pfn,
	enum dax_pin_term term, const char *holder) DAX_MUST_CHECK;

/**
 * dax_pin_put() - drop a pin that has a name
 * @pgmap: device; may be gone when this returns
 * @pin: of dax_pin_get()
 */
void dax_pin_put(struct dax_pgmap *pgmap, struct dax_pin *pin);

/**
 * dax_pgmap_describe_pins() - who holds pages, and since when
 * @pgmap: device
 * @first: page
 * @last: page, inclusive
 * @buffer: result, always terminated when @size is not 0
 * @size: of @buffer in bytes
 *
 * A line a pin, the oldest first: ``pfn 0x8200: short pin of "reader", thread
 * 77, 1.250 s``. Pins without a name are not known.
 *
 * Return: the length of the full text in bytes, as snprintf().
 */
size_t dax_pgmap_describe_pins(struct dax_pgmap *pgmap, uint64_t first,
	uint64_t last, char *buffer, size_t size);

/* ---- waits that take long ---- */

/** DAX_STUCK_AFTER_NS - when a wait takes long, if nobody says otherwise */
#define DAX_STUCK_AFTER_NS 10000000000ull

/**
 * struct dax_stuck - a wait that takes long
 * @pgmap: device
 * @pfn: the first of the pages that are waited for
 * @nr: pages; 0: none, but for those who hold the device (dax_pgmap_get())
 * @references: to those pages, or that device; old news
 * @waited_ns: since the call began
 */
struct dax_stuck {
	struct dax_pgmap *pgmap;
	uint64_t pfn;
	uint64_t nr;
	uint64_t references;
	uint64_t waited_ns;
};

/**
 * dax_pgmap_on_stuck() - be told of waits that take long
 * @pgmap: device; nobody waits for it or its pages yet
 * @after_ns: tell when a call has waited so long, and each time that it has
 *	again; 0: DAX_STUCK_AFTER_NS
 * @stuck: called by whoever waits, with the locks that its caller did not let
 *	go of for the wait, and none of the library's; may drop pins. NULL: tell
 *	nobody, as it is in the beginning
 * @context: passed to @stuck
 *
 * Of dax_page_wait_idle(), dax_pgmap_wait(), dax_break_layouts(), and all that
 * calls it: truncating, punching, cloning and deleting files, killing a device.
 * Whoever waits for the lock of an entry is in dax_mapping_dump().
 *
 * Threads: no other call on it may run.
 * Models: kernel/hung_task.c check_hung_task(), v6.12. Differs: the waiter
 *	itself tells, and nothing is printed.
 */
void dax_pgmap_on_stuck(struct dax_pgmap *pgmap, uint64_t after_ns,
	void (*stuck)(void *context, const struct dax_stuck *stuck),
	void *context);

/**
 * dax_stuck_describe() - a wait that takes long, in words
 * @stuck: as it was told
 * @buffer: result, always terminated when @size is not 0
 * @size: of @buffer in bytes
 *
 * ``thread 81 waits 10.002 s for 512 pages from 0x8200, held 3 times``, and the
 * lines of dax_pgmap_describe_pins().
 *
 * Return: the length of the full text in bytes, as snprintf().
 */
size_t dax_stuck_describe(
	const struct dax_stuck *stuck, char *buffer, size_t size);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif

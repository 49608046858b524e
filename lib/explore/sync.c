/* SPDX-License-Identifier: BSD-3-Clause */
/* The seam for code that is not daxlock's: the same operations, without ranks,
 * which are daxlock's own. */
#include "daxlock/sync.h"

#include "base/sync.h"

_Static_assert(sizeof(struct sync_u64) <= sizeof(struct dax_sync_word), "fits");
_Static_assert(
	sizeof(struct sync_lock) <= sizeof(struct dax_sync_lock), "fits");
_Static_assert(
	sizeof(struct sync_parker) <= sizeof(struct dax_sync_parker), "fits");
_Static_assert(sizeof(struct explore_site) == sizeof(struct dax_sync_site) &&
		       offsetof(struct explore_site, order) ==
			       offsetof(struct dax_sync_site, order),
	"is one");

static const struct explore_site *site_of(const struct dax_sync_site *site)
{
	return (const struct explore_site *)site;
}

static struct sync_u64 *word_of(struct dax_sync_word *word)
{
	return (struct sync_u64 *)word;
}

static struct sync_lock *lock_of(struct dax_sync_lock *lock)
{
	return (struct sync_lock *)lock;
}

static struct sync_parker *parker_of(struct dax_sync_parker *parker)
{
	return (struct sync_parker *)parker;
}

uint64_t dax_sync_load_at(
	const struct dax_sync_word *word, const struct dax_sync_site *site)
{
	return explore_load((const struct sync_u64 *)word, site_of(site));
}

void dax_sync_store_at(struct dax_sync_word *word, uint64_t value,
	const struct dax_sync_site *site)
{
	explore_store(word_of(word), value, site_of(site));
}

bool dax_sync_cas_at(struct dax_sync_word *word, uint64_t *expected,
	uint64_t value, const struct dax_sync_site *site)
{
	return explore_cas(word_of(word), expected, value, site_of(site));
}

uint64_t dax_sync_add_at(struct dax_sync_word *word, uint64_t value,
	const struct dax_sync_site *site)
{
	return explore_add(word_of(word), value, site_of(site));
}

void dax_sync_acquire_at(
	struct dax_sync_lock *lock, const struct dax_sync_site *site)
{
	explore_lock(lock_of(lock), site_of(site));
}

void dax_sync_release_at(
	struct dax_sync_lock *lock, const struct dax_sync_site *site)
{
	explore_unlock(lock_of(lock), site_of(site));
}

void dax_sync_parker_init(struct dax_sync_parker *parker)
{
	sync_parker_init(parker_of(parker));
}

bool dax_sync_park_at(struct dax_sync_parker *parker, uint64_t deadline,
	const struct dax_sync_site *site)
{
	return explore_park(parker_of(parker), deadline, site_of(site));
}

void dax_sync_unpark_at(
	struct dax_sync_parker *parker, const struct dax_sync_site *site)
{
	explore_unpark(parker_of(parker), site_of(site));
}

uint64_t dax_sync_now(void)
{
	return sync_now();
}

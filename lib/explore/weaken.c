/* SPDX-License-Identifier: BSD-3-Clause */
/* The orders of the operations, and one that is weaker than written, to see
 * who notices. */
#include <errno.h>
#include <string.h>

#include "explore/engine.h"
#include "explore/races.h"

/* EXPLORE_AT() puts them here. */
extern const struct explore_site __start_explore_sites[] __attribute__((weak));
extern const struct explore_site __stop_explore_sites[] __attribute__((weak));

/* Operations of this function have no such half, if it is not NULL. */
static const char *weak_function;
static enum order_half weak_half;

const struct explore_site *order_site(unsigned int i)
{
	const size_t nr =
		(size_t)(__stop_explore_sites - __start_explore_sites);

	return i < nr ? &__start_explore_sites[i] : NULL;
}

unsigned int order_halves(const struct explore_site *site)
{
	switch (site->order) {
	case memory_order_relaxed:
		return 0;
	case memory_order_consume:
	case memory_order_acquire:
		return HALF_ACQUIRE;
	case memory_order_release:
		return HALF_RELEASE;
	default:
		return HALF_ACQUIRE | HALF_RELEASE;
	}
}

static unsigned int halves_of(
	const struct explore_site *site, enum word_operation operation)
{
	switch (operation) {
	case WORD_LOADED:
		return order_halves(site) & HALF_ACQUIRE;
	case WORD_FAILED:
		/* Whatever it would have stored with. */
		return HALF_ACQUIRE;
	case WORD_STORED:
		return order_halves(site) & HALF_RELEASE;
	default:
		return order_halves(site);
	}
}

unsigned int order_in_force(
	const struct explore_site *site, enum word_operation operation)
{
	unsigned int halves = halves_of(site, operation);

	if (weak_function && !strcmp(site->function, weak_function))
		halves &= ~(unsigned int)weak_half;
	return halves;
}

static const char *function_with(
	const char *name, size_t length, enum order_half half)
{
	const struct explore_site *site;

	for (unsigned int i = 0; (site = order_site(i)); i++)
		if (order_halves(site) & half &&
			strlen(site->function) == length &&
			!memcmp(site->function, name, length))
			return site->function;
	return NULL;
}

int dax_explore_weaken(const char *order)
{
	const size_t length = order ? strcspn(order, ":") : 0;
	const char *half = order ? order + length : "";

	weak_function = NULL;
	if (!length)
		return 0;
	if (strcmp(half, ":acquire") && strcmp(half, ":release"))
		return -EINVAL;
	weak_half = half[1] == 'a' ? HALF_ACQUIRE : HALF_RELEASE;
	weak_function = function_with(order, length, weak_half);
	return weak_function ? 0 : -EINVAL;
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "explore/deviations.h"

#include <errno.h>
#include <string.h>

#include "daxlock/explore.h"

uint64_t explore_deviations;

static const struct dax_explore_deviation table[] = {
#define ROW(name_, exhibit_, commit_, year_, sentence_)                        \
	{                                                                      \
		.name = #name_,                                                \
		.exhibit = exhibit_,                                           \
		.commit = commit_,                                             \
		.year = year_,                                                 \
		.sentence = sentence_,                                         \
	},
	EXPLORE_DEVIATIONS(ROW)
#undef ROW
};

const struct dax_explore_deviation *dax_explore_deviation(unsigned int i)
{
	return i < NR_DEVIATIONS ? &table[i] : NULL;
}

static int bit_of(const char *name, size_t length, uint64_t *bit)
{
	for (unsigned int i = 0; i < NR_DEVIATIONS; i++)
		if (strlen(table[i].name) == length &&
			!memcmp(table[i].name, name, length)) {
			*bit = (uint64_t)1 << i;
			return 0;
		}
	return -EINVAL;
}

int dax_explore_deviate(const char *names)
{
	uint64_t bits = 0;

	while (names && *names) {
		const size_t length = strcspn(names, "+");
		uint64_t bit;

		if (bit_of(names, length, &bit))
			return -EINVAL;
		bits |= bit;
		names += length + (names[length] == '+');
	}
	explore_deviations = bits;
	return 0;
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "explore/deviations.h"

#include <errno.h>
#include <string.h>

#include "daxlock/explore.h"

bool explore_deviations[NR_DEVIATIONS];

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

/* NR_DEVIATIONS: there is none of that name. */
static unsigned int find(const char *name, size_t length)
{
	unsigned int i = 0;

	while (i < NR_DEVIATIONS &&
		(strlen(table[i].name) != length ||
			memcmp(table[i].name, name, length)))
		i++;
	return i;
}

int dax_explore_deviate(const char *names)
{
	bool chosen[NR_DEVIATIONS] = {0};

	while (names && *names) {
		const size_t length = strcspn(names, "+");
		const unsigned int i = find(names, length);

		if (i == NR_DEVIATIONS)
			return -EINVAL;
		chosen[i] = true;
		names += length + (names[length] == '+');
	}
	memcpy(explore_deviations, chosen, sizeof(chosen));
	return 0;
}

/* SPDX-License-Identifier: BSD-3-Clause */
/* The one place where kernels differ: everything else asks for a trait. */
#include <string.h>

#include "space/space.h"

static const struct dax_profile profiles[] = {
	{
		.name = "6.12",
		.mprotect_restores_pmd = true,
	},
	{
		.name = "6.1",
		.reads_dirty = true,
		.punch_writes_back = true,
	},
};

const struct dax_profile *dax_profile_find(const char *name)
{
	if (!name)
		name = DAX_PROFILE_DEFAULT;
	for (size_t i = 0; i < sizeof(profiles) / sizeof(*profiles); i++)
		if (!strcmp(profiles[i].name, name))
			return &profiles[i];
	return NULL;
}

/* SPDX-License-Identifier: BSD-3-Clause */
#include "base/check.h"
#include "daxlock/kernel.h"

bool dax_kernel_warn_on(
	bool holds, const char *condition, const char *function, int line)
{
	if (holds)
		check_abort("WARNING: %s, in %s(), line %d", condition,
			function, line);
	return false;
}

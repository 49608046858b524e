/* SPDX-License-Identifier: BSD-3-Clause */
/* A build without json-c: main() refuses --json. */
#include "report.h"

bool json_available(void)
{
	return false;
}

void json_begin(const struct machine *machine)
{
	(void)machine;
}

void json_add(const struct result *result)
{
	(void)result;
}

void json_print(void)
{
}

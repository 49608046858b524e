/* SPDX-License-Identifier: BSD-3-Clause */
/* A replay under gdb. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "explore/engine.h"

__attribute__((noinline)) void dax_explore_breakpoint(unsigned int step)
{
	/* So that the call is made. */
	__asm__ volatile("" : : "r"(step));
}

#define MAX_ARGUMENTS 32

int dax_explore_gdb(const char *const *arguments, const char *token)
{
	char ignore[32];
	char program[4096];
	const char *argv[MAX_ARGUMENTS + 16] = {"gdb", "-q", "-ex",
		"break dax_explore_breakpoint", "-ex", ignore, "-ex", "run",
		"-ex", "backtrace", "--args", program};
	unsigned int nr = 12;
	const ssize_t length =
		readlink("/proc/self/exe", program, sizeof(program) - 1);

	if (length <= 0 || token_read(token, &replay))
		return -EINVAL;
	program[length] = '\0';
	/* Ignored: a count of breakpoint 1, of all steps but the last. */
	snprintf(ignore, sizeof(ignore), "ignore 1 %u", replay.nr - 1);
	for (unsigned int i = 0; arguments[i]; i++) {
		if (i == MAX_ARGUMENTS)
			return -E2BIG;
		argv[nr++] = arguments[i];
	}
	argv[nr++] = "--replay";
	argv[nr++] = token;
	argv[nr] = NULL;
	fflush(NULL);
	/* execvp() does not write to them. */
	execvp(argv[0], (char *const *)(uintptr_t)argv);
	return -errno;
}

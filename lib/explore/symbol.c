/* SPDX-License-Identifier: BSD-3-Clause */
/* Where in the source an address is: what the compiler left in the program,
 * as addr2line reads it. */
#include <dlfcn.h>
#include <elf.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "explore/engine.h"
#include "explore/races.h"

/* As addr2line prints it: the function, then the place. */
static bool ask(unsigned long at, char *function, char *place, int size)
{
	char command[96];
	FILE *answer;
	bool found;

	snprintf(command, sizeof(command),
		"addr2line -s -f -e /proc/%d/exe 0x%lx 2>/dev/null", getpid(),
		at);
	answer = popen(command, "r");
	if (!answer)
		return false;
	found = fgets(function, size, answer) && fgets(place, size, answer) &&
		*function != '?' && *place != '?';
	pclose(answer);
	function[strcspn(function, "\n")] = '\0';
	place[strcspn(place, " \n")] = '\0';
	return found;
}

void symbol_name(const void *address, char *text, size_t size)
{
	/* Of the call, not of what it returns to. */
	const uintptr_t at = (uintptr_t)address - 1;
	char function[64], place[64];
	const Elf64_Ehdr *program;
	Dl_info info;

	snprintf(text, size, "%p", address);
	/* A search asks once, when it tells. */
	if (!explore_recording || !dladdr(address, &info))
		return;
	program = info.dli_fbase;
	if (ask(program->e_type == ET_DYN ? at - (uintptr_t)program : at,
		    function, place, sizeof(place)))
		snprintf(text, size, "%s() at %s", function, place);
}

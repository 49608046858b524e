/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Replay tokens: "1:2lc.2:4lk=1.1:5lu" is thread 1 with two loads and a cas,
 * thread 2 with four loads, a lock and a choice of the value 1, thread 1 with
 * five loads and an unpark. They know the kind of each operation, not what it
 * was on: that changes with every build. A kind that has no letter is "_". A
 * "~" at the end: what comes last is repeated for ever.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explore/engine.h"

static const char letters[] = {
	[OP_NONE] = '_',
	[OP_LOAD] = 'l',
	[OP_STORE] = 's',
	[OP_CAS] = 'c',
	[OP_SWAP] = 'w',
	[OP_ADD] = 'a',
	[OP_OR] = 'o',
	[OP_AND] = 'n',
	[OP_LOCK] = 'k',
	[OP_PARK] = 'p',
	[OP_UNPARK] = 'u',
	[OP_CHOOSE] = '=',
	[OP_RCU_CALL] = 'y',
	[OP_RCU_BARRIER] = 'b',
	[OP_RCU_ENTER] = 'e',
	[OP_RCU_LEAVE] = 'v',
	[OP_FLUSH] = 'f',
	[OP_DRAIN] = 'd',
};

static char letter_of(unsigned int operation)
{
	return operation < sizeof(letters) && letters[operation]
		       ? letters[operation]
		       : letters[OP_NONE];
}

uint32_t token_checksum(void)
{
	uint32_t sum = 2166136261u;

	for (unsigned int i = 0; i < run.depth; i++)
		sum = (sum ^ steps[i].operation) * 16777619u;
	return sum & 0xffffff;
}

/* ---- writing ---- */

/* Steps from @i on that one letter tells. */
static unsigned int alike(unsigned int i)
{
	unsigned int end = i + 1;

	while (steps[i].operation != OP_CHOOSE && end < run.depth &&
		steps[end].thread == steps[i].thread &&
		steps[end].operation == steps[i].operation)
		end++;
	return end - i;
}

static void write_steps(FILE *to, unsigned int i, unsigned int nr)
{
	if (!i || steps[i].thread != steps[i - 1].thread)
		fprintf(to, "%s%u:", i ? "." : "", steps[i].thread + 1u);
	if (nr > 1)
		fprintf(to, "%u", nr);
	fputc(letter_of(steps[i].operation), to);
	if (steps[i].operation == OP_CHOOSE)
		fprintf(to, "%u", steps[i].value);
}

char *token_write(void)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);
	unsigned int nr;

	if (!to)
		return NULL;
	for (unsigned int i = 0; i < run.depth; i += nr) {
		nr = alike(i);
		write_steps(to, i, nr);
	}
	if (run.bug == DAX_EXPLORE_LIVELOCK)
		fputc('~', to);
	fclose(to);
	return text;
}

/* ---- reading ---- */

static bool read_number(const char **at, unsigned int limit, unsigned int *out)
{
	unsigned int number = 0;

	if (**at < '0' || **at > '9')
		return false;
	while (**at >= '0' && **at <= '9' && number <= limit)
		number = number * 10 + (unsigned int)(*(*at)++ - '0');
	*out = number;
	return number <= limit;
}

/* "2l", "k", "=1" */
static bool read_steps(const char **at, unsigned int thread, struct replay *to)
{
	const char *letter;
	unsigned int times = 1;
	unsigned int value = 0;

	if (**at >= '0' && **at <= '9' && !read_number(at, MAX_STEPS, &times))
		return false;
	letter = **at ? memchr(letters, **at, sizeof(letters)) : NULL;
	if (!letter || !times || times > MAX_STEPS - to->nr)
		return false;
	++*at;
	if (letter - letters == OP_CHOOSE) {
		if (**at < '0' || **at >= '0' + DAX_EXPLORE_VALUES)
			return false;
		value = (unsigned int)(*(*at)++ - '0');
	}
	while (times--)
		to->at[to->nr++] = (struct replay_item){
			.thread = (uint8_t)thread,
			.kind = (uint8_t)(letter - letters),
			.value = (uint8_t)value,
		};
	return true;
}

/* "2:4lk" */
static bool read_run(const char **at, struct replay *to)
{
	unsigned int thread;

	if (!read_number(at, MAX_THREADS, &thread) || !thread ||
		*(*at)++ != ':')
		return false;
	do
		if (!read_steps(at, thread - 1, to))
			return false;
	while (**at && !strchr(".~", **at));
	return true;
}

int token_read(const char *token, struct replay *to)
{
	const char *at = token;

	to->nr = 0;
	for (;;) {
		if (!read_run(&at, to))
			return -EINVAL;
		to->for_ever = *at == '~';
		at += to->for_ever;
		if (!*at)
			return 0;
		if (to->for_ever || *at++ != '.')
			return -EINVAL;
	}
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Replay tokens: "1x3.2x5.c1.1x8-5f03c2". Thread 1 for three steps, thread 2
 * for five, a choice of the value 1, ... and a checksum of the operations.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "explore/engine.h"

struct replay replay;

uint32_t token_checksum(void)
{
	uint32_t sum = 2166136261u;

	for (unsigned int i = 0; i < run.depth; i++)
		sum = (sum ^ steps[i].operation) * 16777619u;
	return sum & 0xffffff;
}

static void write_run(FILE *to, unsigned int i, unsigned int length)
{
	if (i)
		fputc('.', to);
	if (steps[i].nr_values)
		fprintf(to, "c%u", steps[i].value);
	else
		fprintf(to, "%ux%u", steps[i].thread + 1u, length);
}

char *token_write(void)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);
	unsigned int length;

	if (!to)
		return NULL;
	for (unsigned int i = 0; i < run.depth; i += length) {
		length = 1;
		while (!steps[i].nr_values && i + length < run.depth &&
			!steps[i + length].nr_values &&
			steps[i + length].thread == steps[i].thread)
			length++;
		write_run(to, i, length);
	}
	fprintf(to, "-%06" PRIx32, token_checksum());
	fclose(to);
	return text;
}

static bool add(struct replay *to, bool choice, unsigned long value,
	unsigned long times)
{
	if (value >= MAX_THREADS || times > MAX_STEPS - to->nr)
		return false;
	while (times--) {
		to->at[to->nr].choice = choice;
		to->at[to->nr].thread = choice ? 0 : (uint8_t)value;
		to->at[to->nr].value = choice ? (uint8_t)value : 0;
		to->nr++;
	}
	return true;
}

int token_read(const char *token, struct replay *to)
{
	char *at = (char *)(uintptr_t)token;

	to->nr = 0;
	while (*at && *at != '-') {
		const bool choice = *at == 'c';
		unsigned long value = strtoul(at + choice, &at, 10);
		unsigned long times = 1;

		if (!choice) {
			if (*at != 'x' || !value)
				return -EINVAL;
			value--;
			times = strtoul(at + 1, &at, 10);
		}
		if (!add(to, choice, value, times))
			return -EINVAL;
		at += *at == '.';
		if (at == token)
			return -EINVAL;
	}
	if (*at != '-')
		return -EINVAL;
	to->checksum = (uint32_t)strtoul(at + 1, &at, 16);
	return *at ? -EINVAL : 0;
}

void replay_take(void)
{
	replay.nr = 0;
	if (run.depth)
		steps[run.depth - 1].merged = run.merged;
	for (unsigned int i = 0; i < run.depth; i++) {
		const struct step *step = &steps[i];
		unsigned int merged = step->merged;

		if (step->nr_values)
			add(&replay, true, step->value, 1);
		else
			merged++;
		add(&replay, false, step->thread, merged);
	}
}

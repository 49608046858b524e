/* SPDX-License-Identifier: BSD-3-Clause */
/* A report for people. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "why.h"

#define COLUMNS 78

/* "4 MiB", "12 KiB", "17 B": the largest unit that divides @bytes. */
static const char *size_of(uint64_t bytes, char text[WHY_WORD])
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	unsigned int unit = 0;

	for (; bytes && bytes % 1024 == 0 && unit < 4; unit++)
		bytes /= 1024;
	snprintf(text, WHY_WORD, "%" PRIu64 " %s", bytes, units[unit]);
	return text;
}

/* Words of @text in lines of COLUMNS, all but the first indented by two more.
 */
static void print_wrapped(const char *text, int indent)
{
	int column = printf("%*s", indent, "");
	const char *space = "";

	for (int word; *text; text += word + (text[word] == ' ')) {
		word = (int)strcspn(text, " ");
		if (column + 1 + word > COLUMNS) {
			column = printf("\n%*s", indent + 2, "") - 1;
			space = "";
		}
		column += printf("%s%.*s", space, word, text);
		space = " ";
	}
	putchar('\n');
}

static void print_reason(const struct dax_explanation *reason)
{
	char text[512];

	snprintf(text, sizeof(text), "%s: %s", reason->name, reason->sentence);
	print_wrapped(text, 0);
	snprintf(text, sizeof(text), "What to do: %s", reason->cure);
	print_wrapped(text, 2);
}

static void print_doubt(const char *doubt)
{
	char text[256];

	snprintf(text, sizeof(text), "Not known: %s.", doubt);
	print_wrapped(text, 0);
}

static void print_piece(const struct why_piece *piece)
{
	char offset[WHY_WORD], len[WHY_WORD], blocks[64];

	snprintf(blocks, sizeof(blocks), "%s%s%s",
		why_layout_name(piece->layout),
		piece->flags & WHY_EXTENT_UNWRITTEN ? ", unwritten" : "",
		piece->flags & WHY_EXTENT_SHARED ? ", shared" : "");
	printf("%9s %9s  %-21s %-9s %-7s %s\n", size_of(piece->start, offset),
		size_of(piece->end - piece->start, len), blocks,
		why_probe_name(piece->probe), why_known_name(piece->answer),
		piece->reason ? piece->reason->name : "");
}

static void print_pieces(const struct why_survey *survey)
{
	printf("%9s %9s  %-21s %-9s %-7s %s\n", "offset", "length", "blocks",
		"tried", "2 MiB", "why");
	for (unsigned int i = 0; i < survey->nr_pieces; i++)
		print_piece(&survey->pieces[i]);
}

static void print_setting(const char *name, const char *value)
{
	if (*value)
		printf(", %s=%s", name, value);
}

static void print_head(const struct why_report *report)
{
	const struct why_place *place = &report->place;
	char size[WHY_WORD];

	printf("%s: %s, %s", report->path, size_of(place->file_size, size),
		dax_backing_name(place->backing));
	print_setting("file system", place->file_system);
	print_setting("dax", place->dax_option);
	print_setting("huge", place->huge_option);
	print_setting("THP", place->thp_enabled);
	print_setting("shmem THP", place->thp_shmem);
	putchar('\n');
}

/* Where DAX could be had: is it worth the trouble? */
static void print_what_if(const struct why_report *report)
{
	const struct why_place *place = &report->place;
	const struct why_survey *survey = &report->survey;

	if (place->backing == DAX_BACKING_FSDAX || !survey->from_fiemap ||
		!place->device_start_known ||
		!why_file_system_can_dax(place->file_system))
		return;
	printf("Laid out like this on DAX, %" PRIu64 " of %" PRIu64
	       " ranges could be 2 MiB.\n",
		survey->nr_ranges[WHY_ONE_EXTENT], why_ranges_of(report));
}

void why_print_text(const struct why_report *report)
{
	static const char *const verdicts[] = {
		[WHY_UNKNOWN] = "2 MiB mappings: cannot be known everywhere",
		[WHY_NO] = "2 MiB mappings: not everywhere",
		[WHY_YES] = "2 MiB mappings: everywhere",
	};

	print_head(report);
	print_pieces(&report->survey);
	puts(verdicts[report->answer]);
	why_each_reason(report, print_reason);
	print_what_if(report);
	why_each_doubt(report, print_doubt);
}

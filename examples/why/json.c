/* SPDX-License-Identifier: BSD-3-Clause */
/* A report for programs: one object. Lengths and offsets are in bytes. */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>

#include "why.h"

/* Goes between the elements of the list being printed. */
static const char *separator;

static void print_string(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		const unsigned char c = (unsigned char)*text;

		if (isascii(c) && isprint(c) && c != '"' && c != '\\')
			putchar(c);
		else
			printf("\\u%04x", c);
	}
	putchar('"');
}

static void print_text(const char *key, const char *value)
{
	printf(", \"%s\": ", key);
	print_string(value);
}

static void print_number(const char *key, uint64_t value)
{
	printf(", \"%s\": %" PRIu64, key, value);
}

static void print_flag(const char *key, bool value)
{
	printf(", \"%s\": %s", key, value ? "true" : "false");
}

static void print_piece(const struct why_piece *piece)
{
	printf("%s\n  {\"offset\": %" PRIu64, separator, piece->start);
	print_number("length", piece->end - piece->start);
	print_text("blocks", why_layout_name(piece->layout));
	print_flag("unwritten", piece->flags & WHY_EXTENT_UNWRITTEN);
	print_flag("shared", piece->flags & WHY_EXTENT_SHARED);
	print_text("tried", why_probe_name(piece->probe));
	print_text("evidence", dax_evidence_name(piece->evidence));
	print_text("answer", why_known_name(piece->answer));
	print_text("why", piece->reason ? piece->reason->name : "");
	putchar('}');
	separator = ",";
}

static void print_reason(const struct dax_explanation *reason)
{
	printf("%s\n  {\"name\": ", separator);
	print_string(reason->name);
	print_text("sentence", reason->sentence);
	print_text("cure", reason->cure);
	putchar('}');
	separator = ",";
}

static void print_doubt(const char *doubt)
{
	printf("%s\n  ", separator);
	print_string(doubt);
	separator = ",";
}

static void begin_list(const char *key)
{
	printf(",\n \"%s\": [", key);
	separator = "";
}

static void print_place(const struct why_place *place)
{
	print_number("file_size", place->file_size);
	print_text("backing", dax_backing_name(place->backing));
	print_text("file_system", place->file_system);
	print_text("mount_dax", place->dax_option);
	print_text("mount_huge", place->huge_option);
	print_text("thp_enabled", place->thp_enabled);
	print_text("thp_shmem_enabled", place->thp_shmem);
	print_flag("thp_disabled", place->thp_disabled);
	print_text("device_has_dax", why_known_name(place->device_has_dax));
}

void why_print_json(const struct why_report *report)
{
	const struct why_survey *survey = &report->survey;

	fputs("{\"answer\": ", stdout);
	print_string(why_known_name(report->answer));
	print_place(&report->place);
	print_number("ranges", why_ranges_of(report));
	print_number("ranges_aligned", survey->nr_ranges[WHY_ONE_EXTENT]);
	begin_list("pieces");
	for (unsigned int i = 0; i < survey->nr_pieces; i++)
		print_piece(&survey->pieces[i]);
	fputs("]", stdout);
	begin_list("reasons");
	why_each_reason(report, print_reason);
	fputs("]", stdout);
	begin_list("not_known");
	why_each_doubt(report, print_doubt);
	puts("]}");
}

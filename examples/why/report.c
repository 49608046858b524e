/* SPDX-License-Identifier: BSD-3-Clause */
/* What a report says, however it is printed. */
#include "why.h"

const char *why_layout_name(enum why_layout layout)
{
	static const char *const names[WHY_NR_LAYOUTS] = {
		[WHY_ONE_EXTENT] = "one extent",
		[WHY_MISALIGNED] = "misaligned",
		[WHY_UNPLACED] = "data",
		[WHY_FRAGMENTED] = "fragmented",
		[WHY_HOLE] = "hole",
		[WHY_OUTSIDE] = "outside the mapping",
		[WHY_TAIL] = "end of the file",
		[WHY_UNSEEN] = "not looked at",
	};

	return names[layout];
}

const char *why_probe_name(enum why_probe probe)
{
	static const char *const names[] = {
		[WHY_NOT_PROBED] = "not tried",
		[WHY_PROBE_BLIND] = "not shown",
		[WHY_PROBE_PTE] = "4 KiB",
		[WHY_PROBE_PMD] = "2 MiB",
	};

	return names[probe];
}

const char *why_known_name(enum why_known known)
{
	static const char *const names[] = {
		[WHY_UNKNOWN] = "unknown",
		[WHY_NO] = "no",
		[WHY_YES] = "yes",
	};

	return names[known];
}

uint64_t why_ranges_of(const struct why_report *report)
{
	uint64_t nr = 0;

	for (unsigned int i = 0; i < WHY_NR_LAYOUTS; i++)
		nr += report->survey.nr_ranges[i];
	return nr;
}

/* ---- reasons ---- */

static bool said_before(const struct why_report *report, unsigned int piece)
{
	const struct why_piece *pieces = report->survey.pieces;

	for (unsigned int i = 0; i < piece; i++)
		if (pieces[i].reason == pieces[piece].reason)
			return true;
	return false;
}

void why_each_reason(const struct why_report *report,
	void (*say)(const struct dax_explanation *reason))
{
	const struct why_survey *survey = &report->survey;

	for (unsigned int i = 0; i < survey->nr_pieces; i++)
		if (survey->pieces[i].reason && !said_before(report, i))
			say(survey->pieces[i].reason);
}

/* ---- doubts ---- */

/* Was a piece of more ranges than @ranges tried? */
static bool was_tried(const struct why_survey *survey, uint64_t ranges)
{
	for (unsigned int i = 0; i < survey->nr_pieces; i++) {
		const struct why_piece *piece = &survey->pieces[i];

		if (piece->probe >= WHY_PROBE_PTE &&
			(piece->end - piece->start) / WHY_RANGE > ranges)
			return true;
	}
	return false;
}

static bool has_flag(const struct why_survey *survey, unsigned int flag)
{
	for (unsigned int i = 0; i < survey->nr_pieces; i++)
		if (survey->pieces[i].flags & flag)
			return true;
	return false;
}

static void each_doubt_of_dax(
	const struct why_report *report, void (*say)(const char *doubt))
{
	if (!report->place.device_start_known)
		say("where the file system starts on the memory: its blocks "
		    "may be aligned otherwise than FIEMAP says");
	if (report->survey.nr_ranges[WHY_HOLE])
		say("what blocks the holes will get; until then a load from "
		    "one may map 2 MiB of zeros");
	if (has_flag(&report->survey, WHY_EXTENT_SHARED))
		say("where a store to a shared extent is copied to");
	say("whether another process uses a single page of a range that was "
	    "not tried");
}

static void each_doubt_of_cache(
	const struct why_report *report, void (*say)(const char *doubt))
{
	const struct why_place *place = &report->place;

	if (!place->can_map && place->file_size >= WHY_PAGE)
		say("what stands behind the file: it could not be mapped here");
	else if (place->can_map && place->backing == DAX_BACKING_UNKNOWN)
		say("whether the file is on DAX: the kernel does not say");
	if (was_tried(&report->survey, 0))
		say("how long it stays so: the kernel splits and joins pages "
		    "of files that are not on DAX");
}

void why_each_doubt(
	const struct why_report *report, void (*say)(const char *doubt))
{
	const struct why_survey *survey = &report->survey;
	uint64_t shown = 0;

	for (unsigned int i = 0; i < survey->nr_pieces; i++)
		shown += (survey->pieces[i].end - survey->pieces[i].start) /
			 WHY_RANGE;
	if (was_tried(survey, 1))
		say("how the ranges after the first of a piece are mapped: "
		    "only that one was tried");
	if (shown < why_ranges_of(report))
		say("how the ranges after the last piece shown are mapped: "
		    "they were only counted");
	if (survey->nr_ranges[WHY_UNSEEN])
		say("how the end of the file is laid out: there are too many "
		    "extents, or nobody tells them");
	if (report->place.backing == DAX_BACKING_FSDAX)
		each_doubt_of_dax(report, say);
	else
		each_doubt_of_cache(report, say);
}

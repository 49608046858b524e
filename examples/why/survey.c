/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From extents to pieces. A range is good if one extent has all of it, since a
 * fault looks at one extent only, even where the next one goes on beside it:
 *
 *   file		|   2M   |   2M   |   2M   |   2M   |   2M   |
 *   extents	 [=============][======================]
 *   layout	  one      fragmented one	     hole    hole
 *
 * Only the ends of extents are computed with, so a hole of a petabyte costs no
 * more than one of 2 MiB.
 */
#include "why.h"

static uint64_t down(uint64_t x)
{
	return x - x % WHY_RANGE;
}

static uint64_t up(uint64_t x)
{
	return down(x + WHY_RANGE - 1);
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static void record(struct why_survey *survey, struct why_piece piece)
{
	struct why_piece *last =
		survey->nr_pieces ? &survey->pieces[survey->nr_pieces - 1]
				  : NULL;

	survey->nr_ranges[piece.layout] +=
		(piece.end - piece.start) / WHY_RANGE;
	if (last && last->end == piece.start && last->layout == piece.layout &&
		last->flags == piece.flags)
		last->end = piece.end;
	else if (survey->nr_pieces < WHY_PIECES)
		survey->pieces[survey->nr_pieces++] = piece;
}

/* The ranges up to @end, if they are not done, are laid out as @layout. */
static void go_on(struct why_survey *survey, uint64_t end,
	enum why_layout layout, unsigned int flags)
{
	if (end <= survey->at)
		return;
	record(survey, (struct why_piece){.start = survey->at,
			       .end = end,
			       .layout = layout,
			       .flags = flags});
	survey->at = end;
}

/* No extent begins between the last one's end and @start. */
static void close_gap(struct why_survey *survey, uint64_t start)
{
	const uint64_t clipped = down(min_u64(start, survey->whole_end));

	go_on(survey, min_u64(up(survey->filled_to), clipped), WHY_FRAGMENTED,
		0);
	go_on(survey, clipped, WHY_HOLE, 0);
}

static enum why_layout layout_at(const struct why_survey *survey,
	const struct why_extent *extent, uint64_t offset)
{
	const uint64_t physical = extent->physical + (offset - extent->start) +
				  survey->device_start;

	if (extent->flags & WHY_EXTENT_UNPLACED)
		return WHY_UNPLACED;
	return physical % WHY_RANGE ? WHY_MISALIGNED : WHY_ONE_EXTENT;
}

void why_survey_extent(
	struct why_survey *survey, const struct why_extent *extent)
{
	const uint64_t end = down(min_u64(extent->end, survey->whole_end));
	uint64_t start;

	close_gap(survey, extent->start);
	start = max_u64(survey->at, up(extent->start));
	if (start < end) {
		go_on(survey, start, WHY_FRAGMENTED, 0);
		go_on(survey, end, layout_at(survey, extent, start),
			extent->flags);
	}
	survey->filled_to = max_u64(survey->filled_to, extent->end);
}

/*
 * The mapping, clipped to the file. A fault rounds the file's size up to pages
 * before it asks whether the range is in it.
 */
void why_survey_begin(struct why_survey *survey,
	const struct why_question *question, const struct why_place *place)
{
	const uint64_t size =
		(place->file_size + WHY_PAGE - 1) / WHY_PAGE * WHY_PAGE;
	const uint64_t file_end = up(max_u64(size, 1));
	uint64_t start = 0, end = file_end;

	if (question->has_len) {
		start = question->offset;
		end = min_u64(start + question->len, file_end);
	} else if (question->has_offset) {
		start = down(question->offset);
		end = start + WHY_RANGE;
	}
	*survey = (struct why_survey){
		.at = down(start),
		.filled_to = down(start),
		.whole_end = min_u64(down(end), down(size)),
		.end = up(end),
		.last = down(end) < down(size) ? WHY_OUTSIDE : WHY_TAIL,
		.device_start = place->device_start,
	};
	if (start % WHY_RANGE && survey->at < survey->whole_end)
		go_on(survey, up(start), WHY_OUTSIDE, 0);
}

void why_survey_end(struct why_survey *survey, uint64_t seen_to)
{
	close_gap(survey, seen_to);
	go_on(survey, survey->whole_end, WHY_UNSEEN, 0);
	go_on(survey, survey->end, survey->last, 0);
}

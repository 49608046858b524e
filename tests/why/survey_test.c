/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * daxlock-why cuts a file into pieces as a DAX fault would see its ranges: one
 * extent must have all of a range, at a multiple of 2 MiB of the device.
 */
#include "support/cmocka.h"
#include "why.h"

#define MIB (UINT64_C(1) << 20)
#define KIB (UINT64_C(1) << 10)

/* A file of so many bytes, its extents, and the pieces that are expected. */
struct layout_case {
	uint64_t file_size;
	uint64_t device_start;
	struct why_question question;
	struct why_extent extents[4];
	struct why_piece expect[4];
};

static void check(const struct layout_case *c)
{
	const struct why_place place = {
		.file_size = c->file_size,
		.device_start = c->device_start,
	};
	struct why_survey survey;
	uint64_t ranges = 0;
	unsigned int i;

	why_survey_begin(&survey, &c->question, &place);
	for (i = 0; i < 4 && c->extents[i].end; i++)
		why_survey_extent(&survey, &c->extents[i]);
	why_survey_end(&survey, UINT64_MAX);
	for (i = 0; i < 4 && c->expect[i].end; i++) {
		assert_true(i < survey.nr_pieces);
		assert_int_equal(survey.pieces[i].start, c->expect[i].start);
		assert_int_equal(survey.pieces[i].end, c->expect[i].end);
		assert_int_equal(survey.pieces[i].layout, c->expect[i].layout);
		assert_int_equal(survey.pieces[i].flags, c->expect[i].flags);
		ranges += (c->expect[i].end - c->expect[i].start) / WHY_RANGE;
	}
	assert_int_equal(survey.nr_pieces, i);
	for (i = 0; i < WHY_NR_LAYOUTS; i++)
		ranges -= survey.nr_ranges[i];
	assert_int_equal(ranges, 0);
}

static void one_aligned_extent_is_one_piece(void **state)
{
	(void)state;
	check(&(struct layout_case){
		.file_size = 8 * MIB,
		.extents = {{0, 8 * MIB, 64 * MIB, 0}},
		.expect = {{0, 8 * MIB, .layout = WHY_ONE_EXTENT}},
	});
}

static void neighbours_are_not_one_extent(void **state)
{
	(void)state;
	check(&(struct layout_case){
		.file_size = 6 * MIB,
		.extents = {{0, 3 * MIB, 64 * MIB, 0},
			{3 * MIB, 6 * MIB, 67 * MIB, 0}},
		.expect = {{0, 2 * MIB, .layout = WHY_ONE_EXTENT},
			{2 * MIB, 4 * MIB, .layout = WHY_FRAGMENTED},
			{4 * MIB, 6 * MIB, .layout = WHY_ONE_EXTENT}},
	});
}

static void an_extent_a_block_off_is_misaligned(void **state)
{
	(void)state;
	check(&(struct layout_case){
		.file_size = 4 * MIB,
		.extents = {{0, 4 * MIB, 64 * MIB + 4 * KIB, 0}},
		.expect = {{0, 4 * MIB, .layout = WHY_MISALIGNED}},
	});
}

static void a_partition_moves_every_block(void **state)
{
	(void)state;
	check(&(struct layout_case){
		.file_size = 2 * MIB,
		.device_start = 1 * MIB,
		.extents = {{0, 2 * MIB, 64 * MIB, 0}},
		.expect = {{0, 2 * MIB, .layout = WHY_MISALIGNED}},
	});
	check(&(struct layout_case){
		.file_size = 2 * MIB,
		.device_start = 1 * MIB,
		.extents = {{0, 2 * MIB, 65 * MIB, 0}},
		.expect = {{0, 2 * MIB, .layout = WHY_ONE_EXTENT}},
	});
}

static void a_hole_is_told_from_a_range_with_some_data(void **state)
{
	(void)state;
	check(&(struct layout_case){
		.file_size = 8 * MIB,
		.extents = {{3 * MIB, 3 * MIB + 4 * KIB, 64 * MIB, 0}},
		.expect = {{0, 2 * MIB, .layout = WHY_HOLE},
			{2 * MIB, 4 * MIB, .layout = WHY_FRAGMENTED},
			{4 * MIB, 8 * MIB, .layout = WHY_HOLE}},
	});
}

static void unwritten_is_a_piece_of_its_own(void **state)
{
	const unsigned int flag = WHY_EXTENT_UNWRITTEN;

	(void)state;
	check(&(struct layout_case){
		.file_size = 4 * MIB,
		.extents = {{0, 2 * MIB, 64 * MIB, 0},
			{2 * MIB, 4 * MIB, 66 * MIB, flag}},
		.expect = {{0, 2 * MIB, .layout = WHY_ONE_EXTENT},
			{2 * MIB, 4 * MIB, .layout = WHY_ONE_EXTENT,
				.flags = flag}},
	});
}

static void a_last_page_that_is_not_full_counts_as_full(void **state)
{
	(void)state;
	check(&(struct layout_case){
		.file_size = 2 * MIB - 100,
		.extents = {{0, 2 * MIB, 64 * MIB, 0}},
		.expect = {{0, 2 * MIB, .layout = WHY_ONE_EXTENT}},
	});
}

static void a_page_less_is_the_end_of_the_file(void **state)
{
	(void)state;
	check(&(struct layout_case){
		.file_size = 4 * MIB - 4 * KIB,
		.extents = {{0, 4 * MIB, 64 * MIB, 0}},
		.expect = {{0, 2 * MIB, .layout = WHY_ONE_EXTENT},
			{2 * MIB, 4 * MIB, .layout = WHY_TAIL}},
	});
}

static void an_empty_file_has_its_end_in_the_first_range(void **state)
{
	(void)state;
	check(&(struct layout_case){
		.expect = {{0, 2 * MIB, .layout = WHY_TAIL}},
	});
}

static void an_offset_asks_for_the_range_around_it(void **state)
{
	(void)state;
	check(&(struct layout_case){
		.file_size = 8 * MIB,
		.question = {.has_offset = true, .offset = 5 * MIB + 7},
		.extents = {{0, 8 * MIB, 64 * MIB, 0}},
		.expect = {{4 * MIB, 6 * MIB, .layout = WHY_ONE_EXTENT}},
	});
}

static void a_mapping_has_only_its_whole_ranges(void **state)
{
	(void)state;
	check(&(struct layout_case){
		.file_size = 8 * MIB,
		.question = {.has_offset = true,
			.has_len = true,
			.offset = 1 * MIB,
			.len = 4 * MIB},
		.extents = {{0, 8 * MIB, 64 * MIB, 0}},
		.expect = {{0, 2 * MIB, .layout = WHY_OUTSIDE},
			{2 * MIB, 4 * MIB, .layout = WHY_ONE_EXTENT},
			{4 * MIB, 6 * MIB, .layout = WHY_OUTSIDE}},
	});
}

static void a_mapping_inside_a_range_has_none(void **state)
{
	(void)state;
	check(&(struct layout_case){
		.file_size = 8 * MIB,
		.question = {.has_offset = true,
			.has_len = true,
			.offset = 3 * MIB,
			.len = 4 * KIB},
		.extents = {{0, 8 * MIB, 64 * MIB, 0}},
		.expect = {{2 * MIB, 4 * MIB, .layout = WHY_OUTSIDE}},
	});
}

static void a_mapping_past_the_end_is_the_files(void **state)
{
	(void)state;
	check(&(struct layout_case){
		.file_size = 3 * MIB,
		.question = {.has_offset = true,
			.has_len = true,
			.len = UINT64_MAX},
		.extents = {{0, 4 * MIB, 64 * MIB, 0}},
		.expect = {{0, 2 * MIB, .layout = WHY_ONE_EXTENT},
			{2 * MIB, 4 * MIB, .layout = WHY_TAIL}},
	});
}

static void what_was_not_walked_is_unseen(void **state)
{
	const struct why_place place = {.file_size = 8 * MIB};
	const struct why_extent extent = {0, 3 * MIB, 64 * MIB, 0};
	const struct why_question all = {0};
	struct why_survey survey;

	(void)state;
	why_survey_begin(&survey, &all, &place);
	why_survey_extent(&survey, &extent);
	why_survey_end(&survey, extent.end);
	assert_int_equal(survey.nr_ranges[WHY_ONE_EXTENT], 1);
	assert_int_equal(survey.nr_ranges[WHY_UNSEEN], 3);
	assert_int_equal(survey.nr_ranges[WHY_HOLE], 0);
}

static void pieces_past_the_last_row_are_counted(void **state)
{
	const struct why_place place = {.file_size = 400 * MIB};
	const struct why_question all = {0};
	struct why_survey survey;

	(void)state;
	why_survey_begin(&survey, &all, &place);
	for (uint64_t at = 0; at < 400 * MIB; at += 4 * MIB)
		why_survey_extent(
			&survey, &(struct why_extent){at, at + 2 * MIB, at, 0});
	why_survey_end(&survey, 400 * MIB);
	assert_int_equal(survey.nr_pieces, WHY_PIECES);
	assert_int_equal(survey.nr_ranges[WHY_ONE_EXTENT], 100);
	assert_int_equal(survey.nr_ranges[WHY_HOLE], 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_aligned_extent_is_one_piece),
		cmocka_unit_test(neighbours_are_not_one_extent),
		cmocka_unit_test(an_extent_a_block_off_is_misaligned),
		cmocka_unit_test(a_partition_moves_every_block),
		cmocka_unit_test(a_hole_is_told_from_a_range_with_some_data),
		cmocka_unit_test(unwritten_is_a_piece_of_its_own),
		cmocka_unit_test(a_last_page_that_is_not_full_counts_as_full),
		cmocka_unit_test(a_page_less_is_the_end_of_the_file),
		cmocka_unit_test(an_empty_file_has_its_end_in_the_first_range),
		cmocka_unit_test(an_offset_asks_for_the_range_around_it),
		cmocka_unit_test(a_mapping_has_only_its_whole_ranges),
		cmocka_unit_test(a_mapping_inside_a_range_has_none),
		cmocka_unit_test(a_mapping_past_the_end_is_the_files),
		cmocka_unit_test(what_was_not_walked_is_unseen),
		cmocka_unit_test(pieces_past_the_last_row_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * daxlock-why concludes from layout and probe: the probe is believed before
 * the layout, and what neither shows is not guessed.
 */
#include "support/cmocka.h"
#include "why.h"

#include <string.h>

struct judge_case {
	const char *claim;
	enum dax_backing backing;
	const char *file_system;
	enum why_known device_has_dax;
	enum why_known start_known;
	enum why_layout layout;
	enum why_probe probe;
	enum why_known expect;
	const char *why; /* NULL: no reason, the answer is yes */
};

static const struct judge_case on_dax[] = {
	{.claim = "layout and probe agree",
		.start_known = WHY_YES,
		.layout = WHY_ONE_EXTENT,
		.probe = WHY_PROBE_PMD,
		.expect = WHY_YES},
	{.claim = "the layout is good, and nothing could be tried",
		.start_known = WHY_YES,
		.layout = WHY_ONE_EXTENT,
		.probe = WHY_PROBE_BLIND,
		.expect = WHY_YES},
	{.claim = "the same, and the device may be misaligned",
		.layout = WHY_ONE_EXTENT,
		.probe = WHY_PROBE_BLIND,
		.expect = WHY_UNKNOWN,
		.why = "not-shown"},
	{.claim = "it got small pages, and the device may be misaligned",
		.layout = WHY_ONE_EXTENT,
		.probe = WHY_PROBE_PTE,
		.expect = WHY_NO,
		.why = "misaligned-or-pte-entry"},
	{.claim = "somebody uses a page of a good range",
		.start_known = WHY_YES,
		.layout = WHY_ONE_EXTENT,
		.probe = WHY_PROBE_PTE,
		.expect = WHY_NO,
		.why = "pte-entry"},
	{.claim = "misaligned, and the kernel agrees",
		.start_known = WHY_YES,
		.layout = WHY_MISALIGNED,
		.probe = WHY_PROBE_PTE,
		.expect = WHY_NO,
		.why = "misaligned"},
	{.claim = "misaligned blocks on a misaligned device",
		.layout = WHY_MISALIGNED,
		.probe = WHY_PROBE_PMD,
		.expect = WHY_YES},
	{.claim = "in pieces",
		.start_known = WHY_YES,
		.layout = WHY_FRAGMENTED,
		.probe = WHY_PROBE_PTE,
		.expect = WHY_NO,
		.why = "extent-too-short"},
	{.claim = "a hole",
		.start_known = WHY_YES,
		.layout = WHY_HOLE,
		.expect = WHY_NO,
		.why = "extent-too-short"},
	{.claim = "the end of the file",
		.layout = WHY_TAIL,
		.expect = WHY_NO,
		.why = "end-of-file"},
	{.claim = "never looked at",
		.start_known = WHY_YES,
		.layout = WHY_UNSEEN,
		.expect = WHY_UNKNOWN,
		.why = "not-shown"},
};

static const struct judge_case elsewhere[] = {
	{.claim = "a file system without DAX",
		.backing = DAX_BACKING_PAGE_CACHE,
		.file_system = "btrfs",
		.layout = WHY_ONE_EXTENT,
		.probe = WHY_PROBE_PTE,
		.expect = WHY_NO,
		.why = "file-system-without-dax"},
	{.claim = "a device without DAX",
		.backing = DAX_BACKING_PAGE_CACHE,
		.file_system = "ext4",
		.device_has_dax = WHY_NO,
		.layout = WHY_ONE_EXTENT,
		.probe = WHY_PROBE_PTE,
		.expect = WHY_NO,
		.why = "device-without-dax"},
	{.claim = "DAX that is there and not used",
		.backing = DAX_BACKING_PAGE_CACHE,
		.file_system = "xfs",
		.device_has_dax = WHY_YES,
		.layout = WHY_ONE_EXTENT,
		.probe = WHY_PROBE_PTE,
		.expect = WHY_NO,
		.why = "dax-off"},
	{.claim = "a large folio of the page cache",
		.backing = DAX_BACKING_PAGE_CACHE,
		.file_system = "ext4",
		.layout = WHY_FRAGMENTED,
		.probe = WHY_PROBE_PMD,
		.expect = WHY_YES},
	{.claim = "small pages in memory",
		.backing = DAX_BACKING_SHMEM,
		.layout = WHY_UNPLACED,
		.probe = WHY_PROBE_PTE,
		.expect = WHY_NO,
		.why = "small-pages"},
	{.claim = "no page in memory",
		.backing = DAX_BACKING_SHMEM,
		.layout = WHY_HOLE,
		.expect = WHY_UNKNOWN,
		.why = "nothing-stored"},
	{.claim = "a page table that is not shown",
		.backing = DAX_BACKING_SHMEM,
		.layout = WHY_UNPLACED,
		.probe = WHY_PROBE_BLIND,
		.expect = WHY_UNKNOWN,
		.why = "not-shown"},
};

static struct why_place place_of(const struct judge_case *c)
{
	struct why_place place = {
		.backing = c->backing,
		.device_has_dax = c->device_has_dax,
		.device_start_known = c->start_known == WHY_YES,
	};

	if (c->file_system)
		strcpy(place.file_system, c->file_system);
	return place;
}

static void check(const struct judge_case *c, enum dax_backing backing)
{
	struct why_place place = place_of(c);
	struct why_piece piece = {.layout = c->layout, .probe = c->probe};

	place.backing = backing;
	why_judge_piece(&piece, &place, DAX_CAUSE_NONE);
	if (piece.answer != c->expect || !piece.reason != !c->why ||
		(c->why && strcmp(piece.reason->name, c->why)))
		fail_msg("%s: %d, %s", c->claim, piece.answer,
			piece.reason ? piece.reason->name : "no reason");
}

static void a_file_on_dax_answers_by_probe_then_layout(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(on_dax); i++)
		check(&on_dax[i], DAX_BACKING_FSDAX);
}

static void a_file_elsewhere_answers_by_probe_alone(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(elsewhere); i++)
		check(&elsewhere[i], elsewhere[i].backing);
}

static void hugetlbfs_answers_by_its_page_size(void **state)
{
	struct why_place place = {.backing = DAX_BACKING_HUGETLB};
	struct why_piece piece = {.layout = WHY_HOLE};

	(void)state;
	place.huge_page_size = 2 << 20;
	why_judge_piece(&piece, &place, DAX_CAUSE_NONE);
	assert_int_equal(piece.answer, WHY_YES);
	place.huge_page_size = 64 << 10;
	why_judge_piece(&piece, &place, DAX_CAUSE_NONE);
	assert_int_equal(piece.answer, WHY_NO);
	assert_string_equal(piece.reason->name, "small-huge-pages");
}

static void the_mapping_can_spoil_every_range(void **state)
{
	const struct why_place place = {.backing = DAX_BACKING_FSDAX};
	struct why_piece piece = {
		.layout = WHY_ONE_EXTENT, .probe = WHY_PROBE_PMD};

	(void)state;
	why_judge_piece(&piece, &place, DAX_CAUSE_COLOUR);
	assert_int_equal(piece.answer, WHY_NO);
	assert_string_equal(piece.reason->name, "colour");
}

static void an_address_must_agree_with_the_offset(void **state)
{
	const struct why_place place = {.backing = DAX_BACKING_FSDAX};
	struct why_question question = {
		.has_offset = true,
		.has_address = true,
		.offset = 5 << 20,
		.address = UINT64_C(0x7f0000100000),
	};

	(void)state;
	assert_int_equal(why_judge_mapping(&question, &place), DAX_CAUSE_NONE);
	question.address += WHY_PAGE;
	assert_int_equal(
		why_judge_mapping(&question, &place), DAX_CAUSE_COLOUR);
}

static void a_probe_takes_no_storage(void **state)
{
	static const enum dax_backing careful[] = {
		DAX_BACKING_FSDAX, DAX_BACKING_SHMEM, DAX_BACKING_HUGETLB};
	const struct why_piece hole = {.layout = WHY_HOLE};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(careful); i++)
		assert_false(why_judge_wants_probe(
			&hole, &(struct why_place){.backing = careful[i]}));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_on_dax_answers_by_probe_then_layout),
		cmocka_unit_test(a_file_elsewhere_answers_by_probe_alone),
		cmocka_unit_test(hugetlbfs_answers_by_its_page_size),
		cmocka_unit_test(the_mapping_can_spoil_every_range),
		cmocka_unit_test(an_address_must_agree_with_the_offset),
		cmocka_unit_test(a_probe_takes_no_storage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

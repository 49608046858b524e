/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * daxlock-why: would a real file get 2 MiB mappings, and if not, why.
 *
 *   question	main.c		what was asked: a file, and what mapping of it
 *   place	place.c		file system, device and settings around the file
 *   survey	extents.c	the file as pieces of ranges that are alike
 *		survey.c
 *   probe	probe.c		the first range of a piece, really mapped
 *   judge	judge.c		the answer for a piece, and its reason
 *   report	report.c	the answer for all, in text and in JSON
 *
 * A range is 2 MiB of the file that start at a multiple of 2 MiB. All offsets,
 * lengths and addresses are in bytes.
 */
#ifndef WHY_H
#define WHY_H

#include <stdbool.h>
#include <stdint.h>

#include <daxlock/fault.h>
#include <daxlock/pmem.h>

#define WHY_PAGE   UINT64_C(4096)
#define WHY_RANGE  (UINT64_C(2) << 20)
#define WHY_PIECES 32

/* Words of the kernel are short: mount options, settings, file systems. */
#define WHY_WORD 32

/* ---- the question ---- */

/* What mapping is asked about. Nothing but an offset: of the range around it;
 * not even that: of the whole file. */
struct why_question {
	bool has_offset, has_len, has_address;
	bool private_store;
	uint64_t offset;
	uint64_t len;
	uint64_t address;
};

/* ---- the place ---- */

enum why_known { WHY_UNKNOWN, WHY_NO, WHY_YES };

struct why_place {
	uint64_t file_size;
	bool can_map; /* as a device; not if smaller than a page */
	enum dax_backing backing;
	uint64_t huge_page_size; /* of hugetlbfs; otherwise 0 */
	char file_system[WHY_WORD];
	char dax_option[WHY_WORD]; /* "" where the mount has none */
	char huge_option[WHY_WORD];
	char thp_enabled[WHY_WORD]; /* "" where the kernel has no THP */
	char thp_shmem[WHY_WORD];
	bool thp_disabled; /* by prctl(2), for this process */
	enum why_known device_has_dax;
	bool device_start_known;
	uint64_t device_start; /* of the file system's first block, mod 2 MiB */
};

void why_place_find(int fd, uint64_t file_size, struct why_place *place);

/* ---- the survey ---- */

enum why_extent_flags {
	WHY_EXTENT_UNWRITTEN = 1 << 0,
	WHY_EXTENT_SHARED = 1 << 1,
	WHY_EXTENT_UNPLACED = 1 << 2, /* physical means nothing */
};

struct why_extent {
	uint64_t start;
	uint64_t end;
	uint64_t physical;
	unsigned int flags;
};

enum why_layout {
	WHY_ONE_EXTENT,
	WHY_MISALIGNED, /* one extent, but not at a multiple of 2 MiB */
	WHY_UNPLACED,	/* one extent, nobody says where */
	WHY_FRAGMENTED,
	WHY_HOLE,
	WHY_OUTSIDE, /* not all in the mapping */
	WHY_TAIL,    /* not all in the file */
	WHY_UNSEEN,  /* the survey ended before */
	WHY_NR_LAYOUTS,
};

enum why_probe {
	WHY_NOT_PROBED,
	WHY_PROBE_BLIND,
	WHY_PROBE_PTE,
	WHY_PROBE_PMD
};

/* Ranges that are laid out alike. */
struct why_piece {
	uint64_t start;
	uint64_t end;
	enum why_layout layout;
	unsigned int flags; /* of &enum why_extent_flags */
	enum why_probe probe;
	enum dax_evidence evidence;
	enum why_known answer;
	const struct dax_explanation *reason; /* NULL: the answer is yes */
};

struct why_survey {
	struct why_piece pieces[WHY_PIECES];
	unsigned int nr_pieces;
	uint64_t nr_ranges[WHY_NR_LAYOUTS]; /* also of pieces not recorded */
	bool from_fiemap;
	/* Where the walk is. */
	uint64_t at;	    /* ranges before it are done */
	uint64_t filled_to; /* end of the last extent */
	/* What is walked; const after why_survey_begin(). */
	uint64_t whole_end; /* ranges before it are in the mapping and file */
	uint64_t end;
	enum why_layout last; /* of the range between those two */
	uint64_t device_start;
};

void why_survey_begin(struct why_survey *survey,
	const struct why_question *question, const struct why_place *place);
/* Extents come in the order of their offsets. */
void why_survey_extent(
	struct why_survey *survey, const struct why_extent *extent);
void why_survey_end(struct why_survey *survey, uint64_t seen_to);

/* Tells @survey the extents of a file; returns how far it looked. */
uint64_t why_extents_walk(int fd, struct why_survey *survey);

/* ---- probe and judge ---- */

void why_probe_piece(int fd, struct dax_device *dev, struct why_piece *piece);

/* A cause that holds for the mapping as such, wherever in the file. */
enum dax_cause why_judge_mapping(
	const struct why_question *question, const struct why_place *place);
bool why_judge_wants_probe(
	const struct why_piece *piece, const struct why_place *place);
void why_judge_piece(struct why_piece *piece, const struct why_place *place,
	enum dax_cause mapping);

bool why_file_system_can_dax(const char *name);

/* The cause a file on DAX would have for a range laid out like this. */
enum dax_cause why_layout_cause(enum why_layout layout);

/* ---- the report ---- */

struct why_report {
	const char *path;
	struct why_question question;
	struct why_place place;
	struct why_survey survey;
	enum why_known answer; /* yes: all ranges */
};

const char *why_layout_name(enum why_layout layout);
const char *why_probe_name(enum why_probe probe);
const char *why_known_name(enum why_known known);

/* Calls @say for each thing that could not be known. */
void why_each_doubt(
	const struct why_report *report, void (*say)(const char *doubt));
/* Calls @say for each reason, once. */
void why_each_reason(const struct why_report *report,
	void (*say)(const struct dax_explanation *reason));
uint64_t why_ranges_of(const struct why_report *report);

void why_print_text(const struct why_report *report);
void why_print_json(const struct why_report *report);

#endif

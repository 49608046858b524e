/* SPDX-License-Identifier: BSD-3-Clause */
/* daxlock-why [OPTION...] FILE [OFFSET] */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "why.h"

static const char usage[] =
	"usage: daxlock-why [OPTION...] FILE [OFFSET]\n"
	"\n"
	"Would FILE get 2 MiB page table entries when it is mapped, and if "
	"not,\n"
	"why, and what to do. With OFFSET: the 2 MiB of FILE around it; "
	"without:\n"
	"all of FILE. Looks at extents, device, mount and settings, then maps\n"
	"the first 2 MiB of each piece of FILE that is laid out alike, for\n"
	"reading, and looks up how the kernel did it. Never writes to FILE.\n"
	"\n"
	"  --length N   ask about a mapping of N bytes from OFFSET on\n"
	"  --address A  ask about a mapping of OFFSET (or of 0) at address A\n"
	"  --private    ask about stores to a MAP_PRIVATE mapping\n"
	"  --json       print JSON\n"
	"  --help       print this\n"
	"\n"
	"Numbers may be in C's notation, and end in K, M, G or T.\n"
	"Exit status: 0 it would, everywhere; 1 it would not, or that cannot "
	"be\n"
	"known; 2 wrong use, or FILE cannot be read or is no regular file.\n";

static int complain(const char *what, const char *how)
{
	fprintf(stderr, "daxlock-why: %s: %s\n", what, how);
	return 2;
}

/* ---- the question ---- */

static unsigned int shift_of(char suffix)
{
	static const char suffixes[] = "KMGT";
	const char *found = suffix ? strchr(suffixes, suffix) : NULL;

	return found ? 10 * (unsigned int)(found - suffixes + 1) : 0;
}

static uint64_t number(const char *text)
{
	unsigned int shift;
	uint64_t value;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 0);
	shift = shift_of(toupper((unsigned char)*end));
	if (!isdigit((unsigned char)*text) || errno ||
		value << shift >> shift != value || end[shift ? 1 : 0])
		exit(complain(text, "not a number"));
	return value << shift;
}

static int check_question(
	const struct why_question *question, uint64_t file_size)
{
	if (question->has_offset && question->offset >= file_size)
		return complain("OFFSET", "not in the file");
	if (!question->has_len)
		return 0;
	if (!question->has_offset || !question->len ||
		question->offset % WHY_PAGE)
		return complain("--length",
			"mappings are not empty and have an OFFSET of pages");
	if (question->len > UINT64_MAX - question->offset)
		return complain("--length", "too large");
	return 0;
}

/* ---- the answer ---- */

static void judge(int fd, struct why_report *report)
{
	const enum dax_cause mapping =
		why_judge_mapping(&report->question, &report->place);
	struct why_survey *survey = &report->survey;
	struct dax_device *dev;

	/* Fails for files smaller than a page, which have no piece to map. */
	if (dax_device_open_fd(fd, DAX_DEVICE_READ_ONLY, &dev))
		dev = NULL;
	for (unsigned int i = 0; i < survey->nr_pieces; i++) {
		struct why_piece *piece = &survey->pieces[i];

		if (dev && mapping == DAX_CAUSE_NONE &&
			why_judge_wants_probe(piece, &report->place))
			why_probe_piece(fd, dev, piece);
		why_judge_piece(piece, &report->place, mapping);
	}
	dax_device_delete(&dev);
}

/* One "no" decides. What was not recorded as a piece was not judged. */
static enum why_known sum_up(const struct why_report *report)
{
	const struct why_survey *survey = &report->survey;
	uint64_t good = 0;

	for (unsigned int i = 0; i < survey->nr_pieces; i++) {
		const struct why_piece *piece = &survey->pieces[i];

		if (piece->answer == WHY_NO)
			return WHY_NO;
		if (piece->answer == WHY_YES)
			good += (piece->end - piece->start) / WHY_RANGE;
	}
	return good == why_ranges_of(report) ? WHY_YES : WHY_UNKNOWN;
}

static int find_out(int fd, uint64_t file_size, struct why_report *report)
{
	int wrong = check_question(&report->question, file_size);

	if (wrong)
		return wrong;
	why_place_find(fd, file_size, &report->place);
	why_survey_begin(&report->survey, &report->question, &report->place);
	why_survey_end(&report->survey, why_extents_walk(fd, &report->survey));
	judge(fd, report);
	report->answer = sum_up(report);
	return report->answer == WHY_YES ? 0 : 1;
}

/* O_NONBLOCK: a FIFO is refused, not waited for. */
static int open_regular(const char *path, uint64_t *size)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat file;

	if (fd < 0 || fstat(fd, &file))
		exit(complain(path, strerror(errno)));
	if (!S_ISREG(file.st_mode))
		exit(complain(path, "not a regular file"));
	*size = (uint64_t)file.st_size;
	return fd;
}

static int answer(
	struct why_report *report, void (*print)(const struct why_report *))
{
	uint64_t size;
	const int fd = open_regular(report->path, &size);
	int status = find_out(fd, size, report);

	if (status != 2)
		print(report);
	if (fflush(stdout))
		status = complain("standard output", strerror(errno));
	close(fd);
	return status;
}

static void parse(int argc, char **argv, struct why_question *question,
	void (**print)(const struct why_report *))
{
	enum { LENGTH = 256, ADDRESS, PRIVATE, JSON, HELP };
	static const struct option options[] = {
		{"length", required_argument, NULL, LENGTH},
		{"address", required_argument, NULL, ADDRESS},
		{"private", no_argument, NULL, PRIVATE},
		{"json", no_argument, NULL, JSON},
		{"help", no_argument, NULL, HELP},
		{0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (option) {
		case LENGTH:
			question->has_len = true;
			question->len = number(optarg);
			break;
		case ADDRESS:
			question->has_address = true;
			question->address = number(optarg);
			break;
		case PRIVATE:
			question->private_store = true;
			break;
		case JSON:
			*print = why_print_json;
			break;
		case HELP:
			fputs(usage, stdout);
			exit(0);
		default:
			fputs(usage, stderr);
			exit(2);
		}
	}
}

int main(int argc, char **argv)
{
	void (*print)(const struct why_report *) = why_print_text;
	static struct why_report report;

	parse(argc, argv, &report.question, &print);
	if (optind == argc || argc - optind > 2) {
		fputs(usage, stderr);
		return 2;
	}
	report.path = argv[optind];
	if (argc - optind == 2) {
		report.question.has_offset = true;
		report.question.offset = number(argv[optind + 1]);
	}
	return answer(&report, print);
}

/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where a file's blocks are: FIEMAP says it; where a file system does not have
 * that, SEEK_DATA and SEEK_HOLE at least say which bytes it has. Neither
 * writes: blocks that are not allocated yet stay so (no FIEMAP_FLAG_SYNC).
 */
#include <errno.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "why.h"

#define BATCH 256

/* Extents to look at: some seconds' work in the worst file. */
#define MOST_EXTENTS (1U << 18)

/* Of these, fe_physical is no place on a device, or none yet. */
#define NOT_A_PLACE                                                            \
	(FIEMAP_EXTENT_UNKNOWN | FIEMAP_EXTENT_DELALLOC |                      \
		FIEMAP_EXTENT_ENCODED | FIEMAP_EXTENT_NOT_ALIGNED)

union batch {
	struct fiemap map;
	char room[sizeof(struct fiemap) + BATCH * sizeof(struct fiemap_extent)];
};

static struct why_extent from_kernel(const struct fiemap_extent *kernels)
{
	struct why_extent extent = {
		.start = kernels->fe_logical,
		.end = kernels->fe_logical + kernels->fe_length,
		.physical = kernels->fe_physical,
	};

	if (kernels->fe_flags & FIEMAP_EXTENT_UNWRITTEN)
		extent.flags |= WHY_EXTENT_UNWRITTEN;
	if (kernels->fe_flags & FIEMAP_EXTENT_SHARED)
		extent.flags |= WHY_EXTENT_SHARED;
	if (kernels->fe_flags & NOT_A_PLACE)
		extent.flags |= WHY_EXTENT_UNPLACED;
	return extent;
}

static bool ask(int fd, uint64_t from, uint64_t to, union batch *batch)
{
	batch->map = (struct fiemap){
		.fm_start = from,
		.fm_length = to - from,
		.fm_extent_count = BATCH,
	};
	return !ioctl(fd, FS_IOC_FIEMAP, &batch->map);
}

/* Passes a batch on; returns where it ends, @end if it was the last. */
static uint64_t pass_on(
	struct why_survey *survey, const union batch *batch, uint64_t end)
{
	uint64_t at = end;

	for (unsigned int i = 0; i < batch->map.fm_mapped_extents; i++) {
		const struct fiemap_extent *kernels = &batch->map.fm_extents[i];
		const struct why_extent extent = from_kernel(kernels);

		why_survey_extent(survey, &extent);
		at = extent.end;
		if (kernels->fe_flags & FIEMAP_EXTENT_LAST)
			return end;
	}
	return at;
}

static uint64_t walk_fiemap(int fd, struct why_survey *survey)
{
	const uint64_t start = survey->at, end = survey->whole_end;
	uint64_t at = start;
	union batch batch;

	for (unsigned int seen = 0; at < end && seen < MOST_EXTENTS;
		seen += BATCH) {
		if (!ask(fd, at, end, &batch))
			break;
		survey->from_fiemap = true;
		at = pass_on(survey, &batch, end);
	}
	return at;
}

static uint64_t walk_seek(int fd, struct why_survey *survey)
{
	const uint64_t end = survey->whole_end;
	struct why_extent extent = {
		.end = survey->at,
		.flags = WHY_EXTENT_UNPLACED,
	};

	for (unsigned int seen = 0; extent.end < end && seen < MOST_EXTENTS;
		seen++) {
		off_t data, hole;

		/* ENXIO: no data from here on. */
		errno = 0;
		data = lseek(fd, (off_t)extent.end, SEEK_DATA);
		hole = data < 0 ? -1 : lseek(fd, data, SEEK_HOLE);

		if (hole <= data)
			return errno == ENXIO ? end : extent.end;
		extent.start = (uint64_t)data;
		extent.end = (uint64_t)hole;
		why_survey_extent(survey, &extent);
	}
	return extent.end;
}

uint64_t why_extents_walk(int fd, struct why_survey *survey)
{
	const uint64_t seen_to = walk_fiemap(fd, survey);

	return survey->from_fiemap ? seen_to : walk_seek(fd, survey);
}

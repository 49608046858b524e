/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is around the file: how it is backed, the options of its mount, what
 * its block device can, and how the kernel is set. All by reading; what cannot
 * be read stays unknown.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "why.h"

/* Younger than the C library's headers on some systems. */
#ifndef STATX_MNT_ID
#define STATX_MNT_ID 0x00001000U
#endif

/* ---- settings ---- */

/* The first line of a file of /sys, without its end. */
static bool read_line(const char *path, char *line, int size)
{
	FILE *file = fopen(path, "re");
	bool known;

	if (!file)
		return false;
	known = fgets(line, size, file) != NULL;
	fclose(file);
	if (known)
		line[strcspn(line, "\n")] = '\0';
	return known;
}

/* Of "always [madvise] never", the chosen word. */
static void read_choice(const char *path, char word[WHY_WORD])
{
	char line[256];
	const char *bracket;

	if (!read_line(path, line, sizeof(line)))
		return;
	bracket = strchr(line, '[');
	if (bracket)
		sscanf(bracket, "[%31[^]]", word);
}

static void read_settings(struct why_place *place)
{
#define THP "/sys/kernel/mm/transparent_hugepage/"
	read_choice(THP "enabled", place->thp_enabled);
	read_choice(THP "shmem_enabled", place->thp_shmem);
#undef THP
	place->thp_disabled = prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0) > 0;
}

/* ---- the mount ---- */

static void read_option(const char *option, struct why_place *place)
{
	if (!strcmp(option, "dax"))
		strcpy(place->dax_option, "always");
	else
		sscanf(option, "dax=%31s", place->dax_option);
	sscanf(option, "huge=%31s", place->huge_option);
}

/* "ID PARENT MAJOR:MINOR ROOT POINT OPTIONS TAG... - TYPE SOURCE OPTIONS";
 * spaces in names are escaped. */
static void read_mount(char *line, struct why_place *place)
{
	char *rest = strstr(line, " - ");
	char *options;

	if (!rest || sscanf(rest, " - %31s", place->file_system) != 1)
		return;
	options = strrchr(rest, ' ') + 1;
	options[strcspn(options, "\n")] = '\0';
	for (char *option = strtok(options, ","); option;
		option = strtok(NULL, ","))
		read_option(option, place);
}

static void find_mount(uint64_t id, struct why_place *place)
{
	FILE *mounts = fopen("/proc/self/mountinfo", "re");
	char *line = NULL;
	size_t size = 0;

	if (!mounts)
		return;
	while (getline(&line, &size, mounts) > 0) {
		if (strtoull(line, NULL, 10) != id)
			continue;
		read_mount(line, place);
		break;
	}
	free(line);
	fclose(mounts);
}

/* ---- the block device ---- */

/* Of a partition, the attributes of the whole device are one folder up. */
static bool read_attribute(dev_t device, const char *name, char line[WHY_WORD])
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/%s", major(device),
		minor(device), name);
	if (read_line(path, line, WHY_WORD))
		return true;
	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/../%s",
		major(device), minor(device), name);
	return read_line(path, line, WHY_WORD);
}

static bool has_attribute(dev_t device, const char *name)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/%s", major(device),
		minor(device), name);
	return !access(path, F_OK);
}

static uint64_t partition_start(dev_t device)
{
	char line[WHY_WORD];

	if (!has_attribute(device, "partition") ||
		!read_attribute(device, "start", line))
		return 0;
	return 512 * strtoull(line, NULL, 10);
}

/* Of persistent memory: its address, which is root's to read, or at least that
 * it is a multiple of 2 MiB. */
static bool find_memory_start(dev_t device, uint64_t *start)
{
	char line[WHY_WORD];

	*start = 0;
	if (read_attribute(device, "device/resource", line)) {
		*start = strtoull(line, NULL, 0);
		return true;
	}
	return read_attribute(device, "device/align", line) &&
	       strtoull(line, NULL, 0) >= WHY_RANGE;
}

/* Of a block device made of others, only root can ask where they begin. */
static void find_start(dev_t device, struct why_place *place)
{
	uint64_t memory = 0;

	if (!has_attribute(device, "") || has_attribute(device, "dm") ||
		has_attribute(device, "md"))
		return;
	if (place->device_has_dax == WHY_YES &&
		!find_memory_start(device, &memory))
		return;
	place->device_start = (memory + partition_start(device)) % WHY_RANGE;
	place->device_start_known = true;
}

static void find_device(dev_t device, struct why_place *place)
{
	char line[WHY_WORD];

	if (read_attribute(device, "queue/dax", line))
		place->device_has_dax = *line == '1' ? WHY_YES : WHY_NO;
	find_start(device, place);
}

/* ---- the file ---- */

static void find_backing(int fd, struct why_place *place)
{
	struct dax_device_info info;
	struct dax_device *dev;

	if (dax_device_open_fd(fd, DAX_DEVICE_READ_ONLY, &dev))
		return;
	dax_device_describe(dev, &info);
	place->can_map = true;
	place->backing = info.backing;
	if (info.backing == DAX_BACKING_HUGETLB)
		place->huge_page_size = info.alignment;
	dax_device_delete(&dev);
}

void why_place_find(int fd, uint64_t file_size, struct why_place *place)
{
	struct statx file;

	*place = (struct why_place){.file_size = file_size};
	find_backing(fd, place);
	read_settings(place);
	if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_MNT_ID,
		    &file))
		return;
	if (file.stx_mask & STATX_MNT_ID)
		find_mount(file.stx_mnt_id, place);
	find_device(makedev(file.stx_dev_major, file.stx_dev_minor), place);
}

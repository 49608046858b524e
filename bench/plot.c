/* SPDX-License-Identifier: BSD-3-Clause */
#include "plot.h"

#include <errno.h>
#include <limits.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

extern char **environ;

enum chart_kind {
	CHART_CURVE, /* a line a subject, over the points of a curve */
	CHART_CASES, /* a bar a subject, for each case of a bench */
	CHART_TIMES, /* three bars a subject: p50, p99, p99.9 of a case */
};

struct chart {
	const char *file;
	enum chart_kind kind;
	const char *bench;
	const char *of; /* a curve; a case, or what its name begins with */
	const char *title;
	const char *x;
	const char *y;
	const char *settings; /* gnuplot's */
};

#define SIZES  "set logscale x 2\nset format x '%.0b %BB'\nset logscale y 10\n"
#define BARS   "set logscale y 10\nset yrange [1:*]\n"
#define RATES  "set yrange [0:*]\nset format y '%.1s%c'\n"
#define COUNTS "set logscale x 2\nset logscale y 10\n"

static const struct chart charts[] = {
	{"size", CHART_CURVE, "growth", "size",
		"lock + unlock of a random page, 4K entries", "file",
		"ns an operation", SIZES},
	{"pmd-size", CHART_CURVE, "growth", "pmd-size",
		"lock + unlock of a random page, PMD entries", "file",
		"ns an operation", SIZES},
	{"threads-apart", CHART_CURVE, "growth", "apart",
		"threads that lock each its own pages", "threads",
		"ns an operation of any", COUNTS},
	{"threads-one", CHART_CURVE, "growth", "one",
		"threads on one entry, 100 ns with it, 100 ns without",
		"threads", "ns an operation of any", COUNTS},
	{"wake-all", CHART_CURVE, "growth", "all", "waking all at once",
		"sleepers", "us until the last has run", COUNTS},
	{"wake-chain", CHART_CURVE, "growth", "chain",
		"each locks and wakes the next", "sleepers",
		"us until the last has run", COUNTS},
	{"hand-off", CHART_TIMES, "lock", "handoff-500ns",
		"from unlocking to the lock of who came 0.5 us before", "",
		"ns", BARS},
	{"memory", CHART_CASES, "tree", "bytes-", "memory an entry", "",
		"bytes", BARS},
	{"access", CHART_CASES, "access", "p",
		"4K accesses through fresh maps of 4K and of 2M", "", "KB/s",
		RATES},
};

#define NR_CHARTS (sizeof(charts) / sizeof(*charts))

/* ---- what is kept ---- */

struct point {
	const char *bench;
	const char *curve;
	char name[32];
	const char *subject;
	double x;
	struct summary summary;
	double times[3]; /* p50, p99, p99.9 */
};

static struct point *points;
static size_t nr_points;

static struct point *new_point(void)
{
	points = realloc(points, (nr_points + 1) * sizeof(*points));
	if (!points)
		abort();
	return &points[nr_points++];
}

void plot_add(const struct result *result)
{
	for (unsigned int i = 0; i < result->nr_figures; i++) {
		const struct figure *figure = &result->figures[i];
		struct point *point;

		if (*figure->skipped)
			continue;
		point = new_point();
		*point = (struct point){
			.bench = result->bench,
			.curve = result->curve,
			.subject = figure->subject,
			.x = result->x,
			.summary = summarize(figure->samples, result->reps),
			.times = {figure->p50, figure->p99, figure->p999},
		};
		snprintf(point->name, sizeof(point->name), "%s", result->name);
	}
}

static bool shows(const struct chart *chart, const struct point *point)
{
	if (strcmp(chart->bench, point->bench))
		return false;
	if (chart->kind == CHART_CURVE)
		return point->curve && !strcmp(chart->of, point->curve);
	return !strncmp(chart->of, point->name, strlen(chart->of));
}

/* The next point from @from on that @chart shows, or NULL. */
static const struct point *next_shown(
	const struct chart *chart, const struct point *from)
{
	while (from < points + nr_points && !shows(chart, from))
		from++;
	return from < points + nr_points ? from : NULL;
}

#define for_each_shown(chart, point)                                           \
	for (point = next_shown(chart, points); point;                         \
		point = next_shown(chart, point + 1))

/* The subjects of @chart, in order of appearance. */
static unsigned int subjects_of(
	const struct chart *chart, const char *subjects[SUBJECTS_MAX])
{
	const struct point *point;
	unsigned int nr = 0;

	for_each_shown(chart, point)
	{
		unsigned int i = 0;

		while (i < nr && strcmp(subjects[i], point->subject))
			i++;
		if (i == nr && nr < SUBJECTS_MAX)
			subjects[nr++] = point->subject;
	}
	return nr;
}

/* ---- scripts ---- */

static void write_curve(FILE *to, const struct chart *chart)
{
	const char *subjects[SUBJECTS_MAX];
	const unsigned int nr = subjects_of(chart, subjects);
	const struct point *point;

	for (unsigned int i = 0; i < nr; i++) {
		fprintf(to, "$s%u << EOD\n", i);
		for_each_shown(
			chart, point) if (!strcmp(point->subject, subjects[i]))
			fprintf(to, "%.0f %.3f %.3f %.3f\n", point->x,
				point->summary.median, point->summary.min,
				point->summary.max);
		fputs("EOD\n", to);
	}
	for (unsigned int i = 0; i < nr; i++)
		fprintf(to,
			"%s $s%u using 1:2:3:4 with yerrorlines title '%s' "
			"noenhanced",
			i ? ", \\\n\t" : "plot", i, subjects[i]);
	fputc('\n', to);
}

static void write_times(FILE *to, const struct chart *chart)
{
	const struct point *point;

	fputs("$data << EOD\nsubject p50 p99 p99.9\n", to);
	for_each_shown(chart, point)
		fprintf(to, "%s %.3f %.3f %.3f\n", point->subject,
			point->times[0], point->times[1], point->times[2]);
	fputs("EOD\n"
	      "plot for [i=2:4] $data using i:xtic(1) title columnhead(i)\n",
		to);
}

static void write_row(FILE *to, const struct chart *chart, const char *name,
	const char *subject)
{
	const struct point *point;

	for_each_shown(chart, point) if (!strcmp(point->name, name) &&
					 !strcmp(point->subject, subject))
	{
		fprintf(to, " %.3f", point->summary.median);
		return;
	}
	fputs(" ?", to);
}

static void write_cases(FILE *to, const struct chart *chart)
{
	const char *subjects[SUBJECTS_MAX];
	const unsigned int nr = subjects_of(chart, subjects);
	const struct point *point;
	const char *last = "";

	fputs("$data << EOD\ncase", to);
	for (unsigned int i = 0; i < nr; i++)
		fprintf(to, " %s", subjects[i]);
	for_each_shown(chart, point)
	{
		if (!strcmp(point->name, last))
			continue;
		last = point->name;
		fprintf(to, "\n%s", last);
		for (unsigned int i = 0; i < nr; i++)
			write_row(to, chart, last, subjects[i]);
	}
	fprintf(to,
		"\nEOD\nplot for [i=2:%u] $data using i:xtic(1) title "
		"columnhead(i)\n",
		nr + 1);
}

static void write_head(FILE *to, const struct chart *chart)
{
	fprintf(to,
		"set terminal png size 900,540\n"
		"set output '%s.png'\n"
		"set title \"%s\"\nset xlabel '%s'\nset ylabel '%s'\n"
		"set format y '%%.0s%%c'\nset grid ytics\nset key left top "
		"noenhanced\n"
		"set xtics noenhanced\n"
		"set style data histograms\nset style fill solid 0.6\n"
		"set datafile missing '?'\n%s",
		chart->file, chart->title, chart->x, chart->y, chart->settings);
}

static bool write_script(const char *dir, const struct chart *chart)
{
	char path[PATH_MAX];
	bool written;
	FILE *to;

	snprintf(path, sizeof(path), "%s/%s.gp", dir, chart->file);
	to = fopen(path, "we");
	if (!to) {
		perror(path);
		return false;
	}
	write_head(to, chart);
	if (chart->kind == CHART_CURVE)
		write_curve(to, chart);
	else if (chart->kind == CHART_TIMES)
		write_times(to, chart);
	else
		write_cases(to, chart);
	written = !ferror(to);
	return !fclose(to) && written;
}

/* ---- charts ---- */

/* The script is read in @dir and writes there. */
static int run_gnuplot(const char *dir, const char *file)
{
	char script[64];
	char *const arguments[] = {(char *)"gnuplot", script, NULL};
	posix_spawn_file_actions_t actions;
	int status = 0;
	int error;
	pid_t pid;

	snprintf(script, sizeof(script), "%s.gp", file);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addchdir_np(&actions, dir);
	error = posix_spawnp(
		&pid, "gnuplot", &actions, NULL, arguments, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (!error && waitpid(pid, &status, 0) < 0)
		error = errno;
	return error ? error : status ? EIO : 0;
}

bool plot_write(const char *dir)
{
	int error = 0;

	if (mkdir(dir, 0777) && errno != EEXIST) {
		perror(dir);
		return false;
	}
	for (size_t i = 0; i < NR_CHARTS; i++) {
		if (!next_shown(&charts[i], points))
			continue;
		if (!write_script(dir, &charts[i]))
			return false;
		if (error != ENOENT)
			error = run_gnuplot(dir, charts[i].file);
	}
	if (error == ENOENT)
		fprintf(stderr,
			"daxlock-bench: no gnuplot found; run it on %s/*.gp\n",
			dir);
	return !error || error == ENOENT;
}

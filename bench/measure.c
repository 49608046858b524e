/* SPDX-License-Identifier: BSD-3-Clause */
#include "measure.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct figure *result_add(
	struct result *result, const char *subject, bool floor)
{
	struct figure *figure = &result->figures[result->nr_figures];

	if (result->nr_figures == SUBJECTS_MAX)
		abort();
	result->nr_figures++;
	*figure = (struct figure){.subject = subject, .floor = floor};
	return figure;
}

void figure_note(struct figure *figure, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(figure->note, sizeof(figure->note), format, arguments);
	va_end(arguments);
}

void figure_skip(struct figure *figure, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(figure->skipped, sizeof(figure->skipped), format, arguments);
	va_end(arguments);
}

/* One rep, beginning with the figure @first. */
static void rep(struct result *result, unsigned int first, once_fn *once,
	void *context, unsigned int sample)
{
	for (unsigned int i = 0; i < result->nr_figures; i++) {
		const unsigned int subject = (first + i) % result->nr_figures;
		struct figure *figure = &result->figures[subject];

		if (!*figure->skipped)
			figure->samples[sample] = once(context, subject);
	}
}

void measure(struct result *result, once_fn *once, void *context)
{
	rep(result, 0, once, context, 0); /* warms up; is overwritten */
	for (unsigned int i = 0; i < result->reps; i++)
		rep(result, i, once, context, i);
}

static int compare(const void *a, const void *b)
{
	const double left = *(const double *)a, right = *(const double *)b;

	return (left > right) - (left < right);
}

struct summary summarize(const double *samples, unsigned int nr)
{
	double sorted[REPS_MAX];

	memcpy(sorted, samples, nr * sizeof(*samples));
	qsort(sorted, nr, sizeof(*sorted), compare);
	return (struct summary){
		.median = (sorted[(nr - 1) / 2] + sorted[nr / 2]) / 2,
		.min = sorted[0],
		.max = sorted[nr - 1],
	};
}

double percentile(double *samples, unsigned int nr, unsigned int percent)
{
	if (!nr)
		return 0;
	qsort(samples, nr, sizeof(*samples), compare);
	return samples[(uint64_t)(nr - 1) * percent / 100];
}

double midmean(double *samples, unsigned int nr)
{
	const unsigned int first = nr / 4, end = nr - nr / 4;
	double sum = 0;

	if (!nr)
		return 0;
	qsort(samples, nr, sizeof(*samples), compare);
	for (unsigned int i = first; i < end; i++)
		sum += samples[i];
	return sum / (end - first);
}

static bool is_better(enum better better, double a, double b)
{
	return better == MORE_IS_BETTER ? a > b : a < b;
}

const struct figure *result_best_peer(const struct result *result)
{
	const struct figure *best = NULL;
	double best_median = 0;

	for (unsigned int i = 1; i < result->nr_figures; i++) {
		const struct figure *figure = &result->figures[i];
		double median;

		if (*figure->skipped || figure->floor)
			continue;
		median = summarize(figure->samples, result->reps).median;
		if (!best || is_better(result->better, median, best_median)) {
			best = figure;
			best_median = median;
		}
	}
	return best;
}

bool result_ratio(const struct result *result, const struct figure *of,
	const struct figure *to, double *ratio)
{
	const unsigned int nr = result->reps;
	double ratios[REPS_MAX];

	for (unsigned int i = 0; i < nr; i++) {
		if (!(to->samples[i] > 0))
			return false;
		ratios[i] = of->samples[i] / to->samples[i];
	}
	*ratio = summarize(ratios, nr).median;
	qsort(ratios, nr, sizeof(*ratios), compare);
	return ratios[nr - 1 - nr / 4] <= ratios[nr / 4] * RATIO_SPREAD_MAX;
}

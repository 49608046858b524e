/* SPDX-License-Identifier: BSD-3-Clause */
/* A scene whose mapping has statistics, and one queue: all entries collide. */
#ifndef COUNTED_H
#define COUNTED_H

#include "daxlock/stats.h"
#include "scene.h"

static struct dax_stats *stats;

static int counted_open(void **state)
{
	struct dax_mapping_params params = {0};
	struct scene *scene;

	if (dax_stats_new(&params.stats) || scene_open(state))
		return -1;
	stats = params.stats;
	scene = *state;
	dax_mapping_delete(&scene->m);
	dax_waitq_table_delete(&scene->waitqs);
	if (dax_waitq_table_new(1, 1, &scene->waitqs))
		return -1;
	params.waitqs = scene->waitqs;
	return dax_mapping_new(&params, &scene->m);
}

static int counted_close(void **state)
{
	const int error = scene_close(state);

	dax_stats_delete(&stats);
	return error;
}

#define COUNTED_TEST(name)                                                     \
	cmocka_unit_test_setup_teardown(name, counted_open, counted_close)

#endif

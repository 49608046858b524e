/* SPDX-License-Identifier: BSD-3-Clause */
#include "explore/prove.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct dax_explore_report explore_combination(struct combination *combination,
	unsigned int allocs_fail, const struct dax_explore_options *options)
{
	char name[128];
	const struct dax_scenario scenario = {
		.name = name,
		.body = combination_body,
		.context = combination,
		.snapshots = true,
		.interchangeable = combination->interchangeable,
		.allocs_fail = allocs_fail,
	};
	struct dax_explore_report report;

	combination_name(combination, name, sizeof(name));
	assert_int_equal(dax_explore(&scenario, options, &report), 0);
	return report;
}

struct dax_explore_report prove(struct combination *combination,
	enum dax_explore_how how, unsigned int allocs_fail)
{
	const struct dax_explore_options options = {.how = how};
	const struct dax_explore_report report =
		explore_combination(combination, allocs_fail, &options);
	char name[128];

	combination_name(combination, name, sizeof(name));
	if (report.verdict != DAX_EXPLORE_PROVED)
		print_message("%s: %s %s %s\n%s\nreplay: %s\n", name,
			dax_explore_verdict_name(report.verdict),
			dax_explore_bug_name(report.bug), report.message,
			report.table ? report.table : "",
			report.token ? report.token : "");
	assert_int_equal(report.verdict, DAX_EXPLORE_PROVED);
	return report;
}
